"""The original bytes of a message, as a download."""

from imio.mailbridge.store.download import set_download_headers
from ZPublisher.Iterators import filestream_iterator


def source(record, response):
    """Set the headers and return an iterator over the bytes of a record."""
    set_download_headers(response, record, record.size)
    return filestream_iterator(record.raw.committed(), "rb")
