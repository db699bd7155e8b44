"""A place that nobody should connect to, and that counts who does."""

import socket
import threading


class Listener:
    """Listens at ``url`` on loopback; ``connections`` counts. Use it in ``with``."""

    def __enter__(self):
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.1)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._count)
        self._thread.start()
        return self

    def _count(self):
        while not self._ended.is_set():
            try:
                self._socket.accept()[0].close()
            except TimeoutError:
                continue
            self.connections += 1

    def __exit__(self, *exception):
        self._ended.set()
        self._thread.join()
        self._socket.close()
