"""The page on how to add something names files and tables that exist."""

from tests.docs.guides import DOCS
import re


ROOT = DOCS.parent
PACKAGE = ROOT / "src/imio/mailbridge"
PAGE = (DOCS / "extending.rst").read_text()


def test_files_exist():
    named = set(re.findall(r"``((?:\w+/)+\w+\.(?:py|rst|sh|pot))``", PAGE))
    assert len(named) > 12
    missing = {name for name in named if not (PACKAGE / name).is_file() and not (ROOT / name).is_file()}
    assert missing == set()


def test_tables_exist():
    code = "".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    named = set(re.findall(r"``(_?[A-Z][A-Z_]{3,})``", PAGE))
    assert {"ANSWERS", "CONFIGURATION", "MARKS", "PRESETS", "REASONS", "_CASES"} <= named
    assert {name for name in named if not re.search(rf"^ *{name}\b.* = ", code, re.MULTILINE)} == set()
