"""``make docs``: the pages are built without a warning, and nothing in them comes from elsewhere."""

from importlib.util import find_spec
from pathlib import Path
from tests.docs.guides import DOCS
from tests.docs.guides import pages as sources_of_pages
from tests.servers.required import missing
import pytest
import re
import subprocess
import sys


ROOT = Path(__file__).resolve().parent.parent.parent
FRENCH = ("guides/fr/agent", "guides/fr/glossaire", "guides/fr/zimbra")


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The folder of the pages, built by the command of the Makefile."""
    if find_spec("sphinx") is None:
        missing("Sphinx: pip install -c constraints.txt -e '.[docs]'")
    (command,) = re.findall(
        r"^\t\$\(BIN\)/python (-m sphinx .*)$", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
    folder = tmp_path_factory.mktemp("docs")
    arguments = command.replace("docs/_build", str(folder)).split()
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


def test_each_page_is_built(pages):
    sources = {path.relative_to(DOCS).with_suffix(".html") for path in sources_of_pages()}
    assert len(sources) > 35
    assert sources <= {path.relative_to(pages) for path in pages.rglob("*.html")}


def test_nothing_is_fetched_from_elsewhere(pages):
    loaded = re.compile(r"""(?:\bsrc=|<link\b[^>]*\bhref=|@import\s+|url\()["']?(?:https?:)?//[^"')\s]+""")
    files = [path for path in pages.rglob("*") if path.suffix in (".html", ".css")]
    assert len(files) > 30
    assert {path.name: found for path in files if (found := loaded.findall(path.read_text()))} == {}
    assert loaded.search('<img src="https://fonts.test/a.png">')


@pytest.mark.parametrize(
    ("language", "names"), [("fr", FRENCH), ("en", ("index", "rest", "guides/en/zimbra"))]
)
def test_a_page_says_its_language(pages, language, names):
    for name in names:
        assert f'<html lang="{language}"' in (pages / f"{name}.html").read_text()
