"""The guides, and what tests read in them: pieces of configuration, and the names that stand on the pages of iA.docs."""

from babel.messages.pofile import read_po
from imio.mailbridge.browser import guide_text  # noqa: F401 - lets docutils read the roles of Sphinx
from pathlib import Path
import os
import plone.app.locales
import re


DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
GUIDES = DOCS / "guides"
OURS = DOCS.parent / "src/imio/mailbridge/locales"
PLONES = Path(plone.app.locales.__file__).parent / "locales"
DOMAINS = ((OURS, "imio.mailbridge"), (PLONES, "plone"))

#: Of agents, managers and administrators, in French only; the others exist in both languages.
FRENCH_ONLY = {"administrateur", "agent", "gestionnaire", "glossaire"}


def pages():
    """Return the files of all pages; ``docs/guides`` is a link, which ``Path.rglob`` does not follow."""
    found = [Path(folder) / file for folder, _, files in os.walk(DOCS, followlinks=True) for file in files]
    return sorted(path for path in found if path.suffix == ".rst" and "_build" not in path.parts)


def blocks(name, kind, language="en"):
    """Return the code blocks of a kind in a guide, without their indentation."""
    text = (GUIDES / language / f"{name}.rst").read_text("utf-8")
    found = re.findall(rf"^\.\. code-block:: {kind}\n\n((?:   .*\n|\n)+)", text, re.MULTILINE)
    return [re.sub(r"(?m)^   ", "", block).strip() + "\n" for block in found]


def plain(text):
    """Return a text with single spaces for line ends and for spaces that do not break."""
    return re.sub(r"\s+", " ", text)


def names(text):
    """Return the names of buttons, fields and pages in the text of a guide."""
    found = re.findall(r":(?:guilabel|menuselection):`([^`]+)`", text)
    return {name for each in found for name in plain(each).split(" --> ")}


def said(language):
    """Return what pages say in a language: msgid → text, with those of Plone under ours."""
    found = {}
    for folder, domain in DOMAINS:
        with (folder / language / "LC_MESSAGES" / f"{domain}.po").open("rb") as file:
            messages = [message for message in read_po(file) if message.id and message.string]
        found |= {(domain, str(message.id)): plain(str(message.string)) for message in messages}
    return found


def words():
    """Return what the pages of iA.docs and Plone can say in French, and what ours say in English: the msgids."""
    french = said("fr")
    ours = {msgid for domain, msgid in french if domain == "imio.mailbridge"}
    return {"fr": set(french.values()), "en": ours}


def without_translation(names, language):
    """Return those of the names, in French or in English, that stand on a page of ours and are not said in ``language``."""
    french, other = said("fr"), said(language)
    ours = {key: text for key, text in french.items() if key[0] == "imio.mailbridge"}
    return {
        name
        for name in names
        if (keys := [key for key, text in ours.items() if name in (text, key[1])])
        and not any(key in other for key in keys)
    }
