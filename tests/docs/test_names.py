"""Every button, field and page that a guide names stands on a page with that name, in the language of the guide."""

from tests.docs.guides import GUIDES
from tests.docs.guides import names
from tests.docs.guides import pages
from tests.docs.guides import plain
from tests.docs.guides import without_translation
from tests.docs.guides import words
import pytest
import re


FRENCH = [path for path in pages() if path.parent == GUIDES / "fr"]
ENGLISH = [path for path in pages() if path not in FRENCH]
PAGES = [("fr", path) for path in FRENCH] + [("en", path) for path in ENGLISH]


@pytest.fixture(scope="module")
def said():
    return words()


@pytest.mark.parametrize(("language", "path"), PAGES, ids=lambda each: getattr(each, "stem", each))
def test_names(language, path, said):
    assert sorted(names(path.read_text()) - said[language]) == []


@pytest.mark.parametrize(("language", "path"), PAGES, ids=lambda each: getattr(each, "stem", each))
def test_no_button_is_named_in_italics(language, path):
    """Names that stand in italics are those of other programs, which nothing compares."""
    pressed = re.findall(r"(?:[Cc]liquez sur|[Pp]ress) \*([^*]+)\*", plain(path.read_text()))
    assert pressed == []


@pytest.mark.parametrize("language", ["nl", "de"])
def test_other_languages_have_them_too(language):
    named = {name for path in pages() for name in names(path.read_text())}
    assert len(named) > 200
    assert without_translation(named, language) == set()


def test_names_are_looked_for():
    assert len(FRENCH) > 15
    assert len(ENGLISH) > 20
    assert sum(len(names(path.read_text())) for path in FRENCH) > 80
    assert names(":guilabel:`Pièces\n  jointes` et :menuselection:`A --> B`") == {"Pièces jointes", "A", "B"}


def test_a_name_that_nothing_has_is_found(said):
    assert names(":guilabel:`Envoyer` :guilabel:`Expédier`") - said["fr"] == {"Expédier"}
    assert names(":guilabel:`Send` :guilabel:`Dispatch`") - said["en"] == {"Dispatch"}
