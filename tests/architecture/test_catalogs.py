"""The catalogs: complete, with what is filled in, with a form for one wherever something is counted."""

from devel import catalog
from imio.mailbridge.former_words import FORMER
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import plural
from imio.mailbridge.i18n import translatable
from pathlib import Path
import ast
import pytest
import re
import shutil


SRC = Path(__file__).resolve().parent.parent.parent / "src/imio/mailbridge"
#: A number before a word that has another form for one.
COUNTED = re.compile(r"\$\{(?:count|sent|returned)\} (?!(?:d|h|min|s|in|of)\b)[a-z]")
#: Messages in which the number is never 1, with the reason.
NEVER_ONE = {
    "${name} was not attached: one e-mail may carry at most ${count} files and ${size}.": "a limit of ours",
    "At most ${count} messages are processed at a time. Press again for the rest.": "a limit of ours",
    "E-mails to ${address} came back ${count} times, the last on ${date}.": "from 2 on",
    "Enter a name of one line, at most ${count} characters.": "a limit of ours",
    "SPF of ${domain} would need ${count} look-ups, and receivers stop after 10: first take out what no longer sends for the "
    "domain, then check again.": "over 10",
    "The SPF record of ${domain} needs ${count} look-ups; receivers stop after 10.": "over 10",
    "The part before the @ of the first mail-in address is too long for answers to come to, or contains letters with accents. It "
    "may have ${count} characters, not counting what follows a plus sign.": "a limit of ours",
    "The subject must be one line of at most ${count} characters.": "a limit of ours",
    "There are ${count} recipients, but one e-mail goes to at most ${limit}. Remove some, and send them an e-mail of their "
    "own.": "over the limit",
    "There are already ${count} test cases: delete some first.": "a limit of ours",
    "There are more than ${count} rows.": "a limit of ours",
}


def test_message_ids_of_the_sources_are_in_the_catalog():
    assert catalog.outdated() == []


@pytest.mark.parametrize("language", catalog.languages())
def test_translation_is_complete(language):
    assert catalog.untranslated(language) == []


@pytest.mark.parametrize("language", catalog.languages())
def test_translations_keep_what_is_filled_in(language):
    path = catalog.LOCALES / language / "LC_MESSAGES" / "imio.mailbridge.po"
    entries = re.findall(r'^msgid ((?:".*"\n)+)msgstr ((?:".*"\n?)+)', path.read_text("utf-8"), re.MULTILINE)
    assert len(entries) > 1000
    names = re.compile(r"\$\{\w+\}")
    assert [
        msgid for msgid, text in entries if sorted(names.findall(msgid)) != sorted(names.findall(text))
    ] == []


def test_languages():
    assert {"de", "fr", "nl"} <= set(catalog.languages())


def test_what_is_wrong_is_named(tmp_path):
    path = tmp_path / "nl/LC_MESSAGES/imio.mailbridge.po"
    path.parent.mkdir(parents=True)
    shutil.copy(catalog.LOCALES / "nl/LC_MESSAGES/imio.mailbridge.po", path)
    text = path.read_text()
    text = text.replace('msgstr "${count} adressen"', 'msgstr "$count adressen"')
    path.write_text(re.sub('msgid "1 address"\nmsgstr ".*"', 'msgid "1 address"\nmsgstr ""', text))
    assert catalog.untranslated("nl", tmp_path) == ["empty: 1 address", "other variables: ${count} addresses"]


def plurals():
    """Return the msgids for many that ``plural`` is called with: its third argument, or the constant of the module named there."""
    found = set()
    for path in SRC.rglob("*.py"):
        tree = ast.parse(path.read_text())
        constants = {
            node.targets[0].id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "plural":
                many = call.args[2]
                many = constants.get(many.id) if isinstance(many, ast.Name) else many
                assert getattr(getattr(many, "func", None), "id", "") == "_", f"{path}: {call.lineno}"
                found.add(many.args[0].value)
    return found


def test_what_is_counted_has_a_form_for_one():
    counted = {msgid for msgid in catalog.read(catalog.POT) if COUNTED.search(msgid)}
    assert len(counted) > 15
    assert counted - plurals() == set(NEVER_ONE)


@pytest.mark.parametrize(("number", "expected"), [(0, "many"), (1, "one"), (2, "many")])
def test_plural(number, expected):
    message = plural(number, _("one"), _("many"), name="x")
    assert (message, message.domain, message.mapping) == (
        expected,
        catalog.DOMAIN,
        {"name": "x", "count": str(number)},
    )


def test_former_words_lead_to_words_of_today():
    known = catalog.read(catalog.POT)
    assert [msgid for msgid in FORMER.values() if msgid not in known] == []
    assert [msgid for msgid in FORMER if msgid in known] == []
    stored, today = next(iter(FORMER.items()))
    assert translatable(stored) == today
    assert translatable("Sent again on request.") == "Sent again on request."
    assert translatable("") == ""
