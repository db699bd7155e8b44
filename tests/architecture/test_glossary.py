"""One word for one thing: what ``guides/fr/glossaire.rst`` explains has no second name in the French catalog and guides."""

from babel.messages.pofile import read_po
from pathlib import Path
import pytest
import re


PACKAGE = Path(__file__).resolve().parent.parent.parent / "src/imio/mailbridge"
GUIDES = PACKAGE / "guides/fr"
PAGE = (GUIDES / "glossaire.rst").read_text()
CATALOG = PACKAGE / "locales/fr/LC_MESSAGES/imio.mailbridge.po"
#: Word of the glossary → regular expressions for what is not written in its place.
AVOIDED = {
    "e-mail": (r"[Cc]ourriel",),
    "objet": (r"(?<!\w)[Ss]ujet(?! de l'email)",),
    "pièce jointe": (r"[Ff]ichier joint", r"\bannexes?\b"),
    "modèle": (r"[Tt]emplate",),
    "bloc de texte": (r"[Tt]exte type",),
    "expéditeur": (r"l’auteur de l’e-mail",),
    "adresse d'entrée": (r"adresse de réception", r"adresse spéciale"),
    "adresse de réponse": (r"adresse de retour",),
    "boîte source": (r"boîte mail", r"boîte aux lettres"),
    "identifiant": (r"(?<!\{)\b[Ll]ogin\b(?!\.)",),
    "serveur de messagerie": (r"serveur de mail", r"serveur e-mail"),
    "passerelle (e-mail)": (r"\b[Bb]ridge",),
    "paramètres": (r"\b[Rr]églages?\b", r"(?<!panneau de )(?<![Ff]iche de )(?<!-de-)\bconfiguration\b"),
    "avis d'erreur": (r"[Rr]apports? d[’']erreur", r"\b[Bb]ounce\b"),
    "classer": (r"importer",),
    "écarter": (r"rejeter le message",),
    "traiter à nouveau": (r"[Rr]ejou(er|ez)",),
    "inutile de …": (r"[Pp]ersonne ne doit",),
    "Ko, Mo": (r"\b[KkMm]io\b", r"\b[KMG]B\b"),
}
RULES = [(word, pattern) for word, patterns in AVOIDED.items() for pattern in patterns]


def own_words(text):
    """Return a guide without commands and without what stands on the pages of others."""
    block = r"^\.\. code-block::.*\n\n(?:   .*\n|\n)+"
    return re.sub(rf"(?m){block}|``[^`]+``|:doc:`[^`]+`|\*(?! )[^*]+\*", " ", text)


@pytest.fixture(scope="module")
def sentences():
    with CATALOG.open("rb") as file:
        return [str(message.string) for message in read_po(file) if message.id]


@pytest.mark.parametrize("word", AVOIDED)
def test_the_word_is_explained(word):
    assert f"* - {word}\n     - " in PAGE


@pytest.mark.parametrize(("word", "pattern"), RULES)
def test_one_word_for_one_thing(sentences, word, pattern):
    assert [sentence for sentence in sentences if re.search(pattern, sentence)] == []


@pytest.mark.parametrize("path", sorted(GUIDES.glob("*.rst")), ids=lambda path: path.stem)
def test_the_guides_use_these_words(path):
    text = own_words(path.read_text())
    assert [(word, found[0]) for word, pattern in RULES if (found := re.search(pattern, text))] == []


def test_another_word_is_found():
    assert own_words("* Un *courriel* de ``courriel``\n* ou courriel\n").split() == [
        "*",
        "Un",
        "de",
        "*",
        "ou",
        "courriel",
    ]
