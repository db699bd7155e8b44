"""Converts an HTML document to PDF/A with WeasyPrint, in a child with limits.

The renderer has no network: it loads nothing but ``data:`` URIs, whatever the document names. Run as a program, this module
reads HTML on standard input and writes the PDF to standard output.
"""

from imio.mailbridge.message.rendition import confined
from importlib.util import find_spec
from os import SEEK_END
from typing import BinaryIO
import sys


BOUNDS = confined.Bounds(processor=30, memory=768 << 20, output=100 << 20)
#: Seconds that the child may take: a busy machine takes many for one of processor time.
SECONDS = 600
VARIANT = "pdf/a-3u"


def is_available() -> bool:
    """Tell whether WeasyPrint is installed (the extra ``pdf``)."""
    return find_spec("weasyprint") is not None


def render(source: BinaryIO, target: BinaryIO, seconds: int | None = None) -> int:
    """Write the PDF of the document in ``source`` to ``target``, both real files; return its size in bytes.

    Errors: ``confined.LimitExceeded``, ``confined.ProgramFailed``, ``confined.Unfinished``.
    """
    confined.run(__file__, source, target, seconds or SECONDS)
    target.seek(0)
    if target.read(5) != b"%PDF-":
        raise confined.ProgramFailed("the renderer wrote no PDF")
    return target.seek(0, SEEK_END)


def main() -> None:
    """Render the HTML on standard input."""
    confined.confine(BOUNDS)
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher
    import logging

    logging.getLogger("weasyprint").setLevel(logging.CRITICAL)
    fetcher = URLFetcher(allowed_protocols=("data",), allow_redirects=False)
    text = sys.stdin.buffer.read().decode("utf-8")
    written = HTML(string=text, url_fetcher=fetcher, base_url=None).write_pdf(pdf_variant=VARIANT)
    confined.write(written)


if __name__ == "__main__":
    main()
