"""A server on loopback that says what a test wants, in a thread for each connection; for servers that break their protocol."""

import contextlib
import socket
import threading


class Peer:
    """A server at ``port`` that calls ``serve(talk)`` for each connection, a ``Talk``; use it in ``with``.

    With ``tls``, a server context, each connection begins with TLS. ``talks`` are those so far.
    """

    def __init__(self, serve, tls=None):
        self.serve = serve
        self.tls = tls
        self.talks = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exception):
        self._listener.close()
        for talk in self.talks:
            talk.end()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _address = self._listener.accept()
                threading.Thread(target=self._talk, args=(sock,), daemon=True).start()

    def _talk(self, sock):
        with contextlib.suppress(OSError):
            talk = Talk(sock)
            self.talks.append(talk)
            if self.tls is not None:
                talk.encrypt(self.tls)
            self.serve(talk)
            talk.end()


class Talk:
    """One connection: ``heard`` are the lines of the client."""

    def __init__(self, sock):
        self.heard = []
        self.ended = threading.Event()
        self._use(sock)

    def _use(self, sock):
        self._sock = sock
        self._file = sock.makefile("rb")

    def encrypt(self, context):
        """Begin TLS."""
        self._use(context.wrap_socket(self._sock, server_side=True))

    def say(self, *lines):
        """Send lines, together."""
        self.send(b"".join(line + b"\r\n" for line in lines))

    def send(self, data):
        """Send bytes."""
        self._sock.sendall(data)

    def flood(self, data):
        """Send bytes over and over until the client hangs up."""
        while True:
            self.send(data)

    def drip(self, data=b"x", pause=0.05):
        """Send bytes now and then until the client hangs up."""
        while not self.ended.wait(pause):
            self.send(data)

    def hear(self):
        """Return the client's next line. Errors: ``ConnectionError`` when there is none."""
        line = self._file.readline()
        if not line:
            raise ConnectionError
        self.heard.append(line.rstrip(b"\r\n"))
        return self.heard[-1]

    def end(self):
        """Hang up."""
        self.ended.set()
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
