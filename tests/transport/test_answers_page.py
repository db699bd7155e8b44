"""The page of the documentation says what the tables of answers say."""

from devel.answers_page import PAGE
from devel.answers_page import text
from docutils.core import publish_doctree


def test_page_is_what_the_tables_say():
    assert PAGE.read_text() == text(), "run python -m devel.answers_page"


def test_page_can_be_built():
    tree = publish_doctree(text(), settings_overrides={"report_level": 5})
    assert not [node for node in tree.findall() if node.tagname == "system_message" and node["level"] > 1]
