"""``docs/tables.rst`` holds what the tables hold, and is readable."""

from devel import tables
import docutils.core


def test_page_is_written_from_the_tables():
    assert tables.PAGE.read_text("utf-8") == tables.page(), "run: python -m devel.tables"


def test_page_is_valid():
    docutils.core.publish_string(tables.page(), settings_overrides={"halt_level": 2})
