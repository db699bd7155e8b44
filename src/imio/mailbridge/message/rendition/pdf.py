"""Converts an HTML document to PDF/A with WeasyPrint, in a process of its own that is ended when it takes too long.

The renderer has no network: it loads nothing but ``data:`` URIs, whatever the document names. Run as a program, this module
reads HTML on standard input and writes the PDF to standard output.
"""

from importlib.util import find_spec
from pathlib import Path
import os
import resource
import subprocess
import sys


#: Seconds and bytes of memory that one document may take.
TIME = 60
MEMORY = 2 << 30
VARIANT = "pdf/a-3u"


class RenderingError(Exception):
    """No PDF was made; the argument is the reason."""


def is_available() -> bool:
    """Tell whether WeasyPrint is installed (the extra ``pdf``)."""
    return find_spec("weasyprint") is not None


def render(html: str, seconds: int = TIME) -> bytes:
    """Return the PDF of a document. Errors: ``RenderingError``."""
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, sys.path)
    )  # a buildout's eggs are known to this process only
    try:
        done = subprocess.run(  # noqa: S603 - this module itself
            [sys.executable, "-P", Path(__file__)],
            input=html.encode("utf-8", "replace"),
            capture_output=True,
            timeout=seconds,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RenderingError(f"it took more than {seconds} s") from error
    except OSError as error:
        raise RenderingError(str(error)) from error
    if done.returncode or not done.stdout.startswith(b"%PDF-"):
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise RenderingError(
            (said[-1] if said else f"the renderer ended with status {done.returncode}")[:300]
        )
    return done.stdout


def main() -> None:
    """Render the HTML on standard input."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (TIME, TIME + 5))
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher
    import logging

    logging.getLogger("weasyprint").setLevel(logging.CRITICAL)
    fetcher = URLFetcher(allowed_protocols=("data",), allow_redirects=False)
    text = sys.stdin.buffer.read().decode("utf-8")
    written = HTML(string=text, url_fetcher=fetcher, base_url=None).write_pdf(pdf_variant=VARIANT)
    sys.stdout.buffer.write(written)


if __name__ == "__main__":
    main()
