"""Offers the bytes of a message as a download, never as something that a browser would show."""

from typing import Any


def set_download_headers(response: Any, record: Any, size: int) -> None:
    """Set the headers of a response that holds the bytes of ``record``, ``size`` of them."""
    response.setHeader("Content-Type", "message/rfc822")
    response.setHeader("Content-Disposition", f'attachment; filename="{record.id[:16]}.eml"')
    response.setHeader("X-Content-Type-Options", "nosniff")
    response.setHeader("Content-Length", str(size))
