"""Offers a message as a file, byte for byte as the mail server gets it."""

from imio.mailbridge.message.composition.compose import sender_headers
from imio.mailbridge.outbox.record import OutgoingMessage
from imio.mailbridge.store.download import set_download_headers
from typing import Any
from zope.interface import implementer
from ZPublisher.Iterators import IStreamIterator


BLOCK = 1 << 16


@implementer(IStreamIterator)
class _Source:
    """The sender headers, then the blob, in blocks."""

    def __init__(self, head: bytes, path: str) -> None:
        self._head = head
        self._stream = open(path, "rb")  # noqa: SIM115 - closed by the publisher
        self._length = len(head) + self._stream.seek(0, 2)
        self._stream.seek(0)

    def __iter__(self) -> "_Source":
        return self

    def __next__(self) -> bytes:
        block, self._head = self._head, b""
        block = block or self._stream.read(BLOCK)
        if not block:
            self.close()
            raise StopIteration
        return block

    def __len__(self) -> int:
        return self._length

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def source(record: OutgoingMessage, response: Any) -> _Source:
    """Set the headers and return an iterator over the bytes of a message that still has them."""
    found = _Source(sender_headers(record.sender), record.body.committed())
    set_download_headers(response, record, len(found))
    return found
