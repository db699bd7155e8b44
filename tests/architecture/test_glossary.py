"""``docs/glossaire.rst``: the French catalog uses one word for one thing."""

from babel.messages.pofile import read_po
from pathlib import Path
import pytest
import re


ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "glossaire.rst").read_text()
CATALOG = ROOT / "src/imio/mailbridge/locales/fr/LC_MESSAGES/imio.mailbridge.po"
RULES = [
    (word, pattern)
    for word, _meaning, avoided in re.findall(r"   \* - (.+)\n     - (.+)\n     -(.*)\n", PAGE)
    for pattern in re.findall(r"``(.+?)``", avoided)
]


@pytest.fixture(scope="module")
def sentences():
    with CATALOG.open("rb") as file:
        return [str(message.string) for message in read_po(file) if message.id]


def test_the_page_has_rules():
    assert len(RULES) > 15


@pytest.mark.parametrize(("word", "pattern"), RULES)
def test_one_word_for_one_thing(sentences, word, pattern):
    assert [sentence for sentence in sentences if re.search(pattern, sentence)] == []
