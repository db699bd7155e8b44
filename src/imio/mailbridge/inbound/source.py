"""How do the original bytes leave again? As a download, never as something a browser would show."""

from ZPublisher.Iterators import filestream_iterator


def source(record, response):
    """Set the headers and return an iterator over the bytes of a record."""
    response.setHeader("Content-Type", "message/rfc822")
    response.setHeader("Content-Disposition", f'attachment; filename="{record.id[:16]}.eml"')
    response.setHeader("X-Content-Type-Options", "nosniff")
    response.setHeader("Content-Length", str(record.size))
    return filestream_iterator(record.raw.committed(), "rb")
