"""One word for one thing: what ``guides/fr/glossaire.rst`` explains has no second name in the French catalog and guides.

The words of ``docs/glossary.rst`` have none in the Dutch and the German catalog.
"""

from babel.messages.pofile import read_po
from pathlib import Path
import pytest
import re


PACKAGE = Path(__file__).resolve().parent.parent.parent / "src/imio/mailbridge"
GUIDES = PACKAGE / "guides/fr"
PAGE = (GUIDES / "glossaire.rst").read_text()
TABLE = (PACKAGE.parent.parent.parent / "docs/glossary.rst").read_text()
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
#: Language → the same for its column of ``docs/glossary.rst``.
ALSO_AVOIDED = {
    "nl": {
        "e-mail": (r"\bmailtje", r"\bemail"),
        "bijlage": (r"[Aa]ttachment", r"aanhangsel"),
        "concept": (r"[Oo]ntwerp",),
        "sjabloon": (r"[Tt]emplate",),
        "medewerker": (r"[Aa]mbtena", r"[Bb]ehandelaar", r"(?<!“)\b[Aa]gent(en)?\b(?! of server)"),
        "dienst": (r"\b[Ss]ervice\b", r"[Aa]fdeling"),
        "postvak": (r"(?<!\{)\b[Mm]ailbox", r"[Pp]ostbus"),
        "inkomend adres": (r"mail-in", r"[Oo]ntvangstadres"),
        "aanmeldadres": (r"[Ll]ogin-?adres", r"[Ii]nlogadres"),
        "aanmeldnaam": (r"(?<![{/.])\b[Ll]ogin\b(?!\.)", r"[Ii]nlog"),
        "account": (r"[Rr]ekening(?! )",),
        "mailserver": (r"[Ee]-mailserver", r"[Pp]ostserver"),
        "mailbrug": (r"\b[Bb]ridge", r"(?<!Mail )[Gg]ateway"),
        "foutmelding": (r"[Ff]outrapport", r"[Ff]outbericht", r"\b[Bb]ounce"),
        "klasseren": (r"[Aa]rchiver",),
        "terzijde leggen": (r"[Vv]erwerp", r"weggooi"),
    },
    "de": {
        "E-Mail": (r"\bEmail\b(?<!Samsung Email)(?! (?:&|auth))", r"(?<![@/])\be-mail\b"),
        "Anhang": (r"[Aa]ttachment", r"\bAnlagen\b"),
        "Entwurf": (r"\bKonzept",),
        "Vorlage": (r"\bTemplate", r"Schablone"),
        "Mitarbeiter": (
            r"Sachbearbeiter",
            r"Bedienstet",
            r"\bBearbeiter",
            r"\bAgent(en)?\b(?! oder Server)(?!“)",
        ),
        "Dienst": (r"\bService\b", r"Abteilung"),
        "Postfach": (r"\bMailbox", r"Briefkasten"),
        "Eingangsadresse": (r"[Mm]ail-in", r"Annahmeadresse"),
        "Anmeldeadresse": (r"Login-?[Aa]dresse",),
        "Anmeldename": (r"(?<![{/.])\bLogin\b(?!\.)",),
        "Konto": (r"\bAccount",),
        "Mailserver": (r"E-Mail-Server", r"Postserver"),
        "Mailbrücke": (r"\bBridge", r"(?<!Mail )Gateway"),
        "Fehlerbericht": (r"Fehlermeldung", r"\bBounce"),
        "ablegen": (r"[Aa]rchivier",),
        "verwerfen": (r"aussortier", r"wegwerf"),
    },
}
ALSO_RULES = [
    (language, word, pattern)
    for language, words in ALSO_AVOIDED.items()
    for word, patterns in words.items()
    for pattern in patterns
]
#: What a message with such an English word says.
SAID = [
    ("nl", r"\bdiscard", r"[Tt]erzijde"),
    ("de", r"\bdiscard", r"[Vv]erw[eio]rf"),
    ("nl", r"\bsecret address", r"geheime? adres"),
    ("de", r"\bsecret address", r"geheimen? Adresse"),
    ("nl", r"\bmail-in address", r"inkomende? adres"),
    ("de", r"\bmail-in address", r"Eingangsadresse"),
    ("nl", r"\bquarantine", r"quarantaine"),
    ("de", r"\bquarantine", r"Quarantäne"),
    ("nl", r"\bsource mailbox", r"bronpostvak"),
    ("de", r"\bsource mailbox", r"Quellpostf[aä]ch"),
]


def own_words(text):
    """Return a guide without commands and without what stands on the pages of others."""
    block = r"^\.\. code-block::.*\n\n(?:   .*\n|\n)+"
    return re.sub(rf"(?m){block}|``[^`]+``|:doc:`[^`]+`|\*(?! )[^*]+\*", " ", text)


def messages(language):
    """Return msgid → translation."""
    with (PACKAGE / f"locales/{language}/LC_MESSAGES/imio.mailbridge.po").open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file) if message.id}


@pytest.fixture(scope="module")
def catalogs():
    return {language: messages(language) for language in ("fr", "nl", "de")}


@pytest.fixture(scope="module")
def sentences(catalogs):
    return list(catalogs["fr"].values())


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


@pytest.mark.parametrize(("language", "column"), [("nl", 1), ("de", 2)])
def test_the_table_has_each_word(language, column):
    cells = re.findall(r"\* - (.+)\n     - (.+)\n     - (.+)", TABLE)[1:]
    assert len(cells) > 20
    assert set(ALSO_AVOIDED[language]) <= {row[column] for row in cells}


@pytest.mark.parametrize(("language", "word", "pattern"), ALSO_RULES)
def test_one_word_for_one_thing_in_dutch_and_german(catalogs, language, word, pattern):
    found = [sentence for sentence in catalogs[language].values() if re.search(pattern, sentence)]
    assert found == [], word


@pytest.mark.parametrize(("language", "english", "word"), SAID)
def test_the_same_word_each_time(catalogs, language, english, word):
    about = {
        msgid: text for msgid, text in catalogs[language].items() if re.search(english, msgid, re.IGNORECASE)
    }
    assert len(about) > 5
    assert [text for text in about.values() if not re.search(word, text, re.IGNORECASE)] == []
