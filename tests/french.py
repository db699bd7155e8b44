"""Finds English that is left in a French text, by the msgids of the catalog."""

from pathlib import Path
import re


CATALOG = (
    Path(__file__).resolve().parent.parent / "src/imio/mailbridge/locales/fr/LC_MESSAGES/imio.mailbridge.po"
)


def english():
    """Return the msgids that differ from their translation, longest first; short words could be French ones too."""
    entries = re.findall(
        r'^msgid ((?:".*"\n)+)msgstr ((?:".*"\n?)+)', CATALOG.read_text("utf-8"), re.MULTILINE
    )
    joined = [[re.sub(r'"\n"|^"|"\n?$', "", text).replace('\\"', '"') for text in entry] for entry in entries]
    return [msgid for msgid, text in joined if msgid != text and len(_words(msgid)) > 3]


def _words(msgid):
    return re.sub(r"\$\{\w+\}", "", msgid).strip()


def left_over(text, msgids):
    """Return the msgids that are whole lines of a text, or long ones that stand in it."""
    lines = {line.strip() for line in text.splitlines()}
    return [msgid for msgid in msgids if msgid in lines or (len(msgid) > 25 and _words(msgid)[:40] in text)]
