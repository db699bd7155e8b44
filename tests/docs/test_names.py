"""Every button, field and page that a guide names stands on a page with that name, in the language of the guide."""

from tests.docs.guides import DOCS
from tests.docs.guides import names
from tests.docs.guides import words
import pytest


FRENCH = [DOCS / "agent.rst", DOCS / "gestionnaire.rst", *sorted((DOCS / "guides/fr").glob("*.rst"))]
ENGLISH = [path for path in sorted(DOCS.rglob("*.rst")) if path not in FRENCH and "_build" not in path.parts]
PAGES = [("fr", path) for path in FRENCH] + [("en", path) for path in ENGLISH]


@pytest.fixture(scope="module")
def said():
    return words()


@pytest.mark.parametrize(("language", "path"), PAGES, ids=lambda each: getattr(each, "stem", each))
def test_names(language, path, said):
    assert sorted(names(path.read_text()) - said[language]) == []


def test_names_are_looked_for():
    assert sum(len(names(path.read_text())) for path in FRENCH) > 80
    assert names(":guilabel:`Pièces\n  jointes` et :menuselection:`A --> B`") == {"Pièces jointes", "A", "B"}


def test_a_name_that_nothing_has_is_found(said):
    assert names(":guilabel:`Envoyer` :guilabel:`Expédier`") - said["fr"] == {"Expédier"}
    assert names(":guilabel:`Send` :guilabel:`Dispatch`") - said["en"] == {"Dispatch"}
