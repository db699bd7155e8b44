"""A TCP proxy that breaks a connection at the n-th thing that one side says; TLS goes through it unread."""

import contextlib
import select
import socket
import threading


class Cutting:
    """A proxy at ``port`` in front of ``target``, a port of 127.0.0.1; use it in ``with``.

    While ``cut_after`` is a number, every connection is broken when the client has spoken so often: before what it says is passed
    on, or, with ``swallow_answer``, when the server has answered it. ``said`` is how often the client spoke, in all connections.
    """

    def __init__(self, target):
        self.target = target
        self.cut_after = None
        self.swallow_answer = False
        self.said = 0
        self._open = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._listener.close()

    def cut(self):
        """Break all connections that there are."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        spoken, last_word = 0, False
        self._open.add(client)
        with (
            client,
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self.target)) as server,
        ):
            while True:
                ready, _, _ = select.select([client, server], [], [], 60)
                if not ready:
                    return
                if client in ready:
                    data = client.recv(1 << 16)
                    spoken += 1
                    self.said += 1
                    if not data:
                        return
                    if self.cut_after is not None and spoken >= self.cut_after:
                        if not self.swallow_answer:
                            return
                        last_word = True
                    server.sendall(data)
                if server in ready:
                    data = server.recv(1 << 16)
                    if not data or last_word:
                        return
                    client.sendall(data)
