"""The guides, and what tests read in them: pieces of configuration, and the names that stand on the pages of iA.docs."""

from babel.messages.pofile import read_po
from docutils.nodes import emphasis
from docutils.parsers.rst.roles import register_generic_role
from pathlib import Path
import plone.app.locales
import re


DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
GUIDES = DOCS / "guides"
OURS = DOCS.parent / "src/imio/mailbridge/locales"
PLONES = Path(plone.app.locales.__file__).parent / "locales"
DOMAINS = ((OURS, "imio.mailbridge"), (PLONES, "plone"))

for role in ("doc", "guilabel", "menuselection"):  # Sphinx's own, which docutils alone does not know
    register_generic_role(role, emphasis)


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


def words():
    """Return what the pages of iA.docs and Plone can say in French, and what ours say in English: the msgids."""
    french, english = set(), set()
    for folder, domain in DOMAINS:
        with (folder / "fr/LC_MESSAGES" / f"{domain}.po").open("rb") as file:
            messages = [message for message in read_po(file) if message.id and message.string]
        french |= {plain(str(message.string)) for message in messages}
        if folder == OURS:
            english |= {str(message.id) for message in messages}
    return {"fr": french, "en": english}
