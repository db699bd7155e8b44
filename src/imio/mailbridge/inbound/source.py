"""The original bytes of a message, as a download, or why there are none."""

from imio.mailbridge.i18n import _
from imio.mailbridge.store.blobs import is_readable
from imio.mailbridge.store.download import set_download_headers
from ZPublisher.Iterators import filestream_iterator


DELETED = _("The message itself was deleted at the end of its retention period.")
LOST = _("The stored bytes are lost: tell whoever runs this server.")


def why_gone(record):
    """Return a sentence where the bytes of a record cannot be read, or an empty string."""
    if record.raw is None:
        return DELETED
    return "" if is_readable(record.raw) else LOST


def source(record, response):
    """Set the headers and return an iterator over the bytes of a record that still has them."""
    set_download_headers(response, record, record.size)
    return filestream_iterator(record.raw.committed(), "rb")
