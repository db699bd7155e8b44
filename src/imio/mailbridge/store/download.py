"""How do the bytes of a message leave? As a download, never as something a browser would show."""


def set_download_headers(response, record, size):
    """Set the headers of a response that holds the bytes of ``record``, ``size`` of them."""
    response.setHeader("Content-Type", "message/rfc822")
    response.setHeader("Content-Disposition", f'attachment; filename="{record.id[:16]}.eml"')
    response.setHeader("X-Content-Type-Options", "nosniff")
    response.setHeader("Content-Length", str(size))
