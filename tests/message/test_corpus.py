"""Each message of tests/messages is explained as the JSON file beside it says."""

from imio.mailbridge.message.classification.forward_words import FORMS
from imio.mailbridge.message.classification.forward_words import LANGUAGES
from imio.mailbridge.message.classification.inline_forward import read_inline_forward
from imio.mailbridge.message.classification.redirect import MARKS
from imio.mailbridge.message.classification.redirect import TRACES
from imio.mailbridge.message.explain import main
from imio.mailbridge.message.parsing.attached_messages import attached_messages
from imio.mailbridge.message.parsing.parse import parse
from pathlib import Path
import json
import pytest


MESSAGES = Path(__file__).parent.parent / "messages"
KEYS = ["file", "transfer", "reason", "transferred_by", "messages", "report"]


@pytest.mark.parametrize("path", sorted(MESSAGES.glob("*.eml")), ids=lambda path: path.stem)
def test_explained_as_expected(path, capsys):
    case = json.loads(path.with_suffix(".json").read_text("utf-8"))
    assert main([*case["options"], str(path)]) == 0
    explained = json.loads(capsys.readouterr().out)
    assert list(explained) == KEYS
    assert explained.pop("file") == str(path)
    assert explained == case["expected"]


def test_corpus_holds_every_transfer():
    cases = [json.loads(path.read_text("utf-8"))["expected"] for path in MESSAGES.glob("*.json")]
    assert {case["transfer"] for case in cases} == {
        "redirect", "forward", "inline-forward", "direct", "reply", "bounce", "auto-reply", "receipt",
    }  # fmt: skip
    assert {path.stem for path in MESSAGES.glob("*.eml")} == {path.stem for path in MESSAGES.glob("*.json")}


def _cases():
    for path in sorted(MESSAGES.glob("*.eml")):
        yield (
            path,
            parse(path.read_bytes()),
            json.loads(path.with_suffix(".json").read_text("utf-8"))["expected"],
        )


def test_corpus_is_large_enough():
    assert len(list(MESSAGES.glob("*.eml"))) >= 170


@pytest.mark.parametrize("detector", [*MARKS, *TRACES], ids=lambda detector: detector.name)
def test_each_detector_accepts_one_message_and_refuses_another(detector):
    seen = [
        (path.stem, expected["transfer"], expected["reason"])
        for path, message, expected in _cases()
        if message.root.values(detector.header)
    ]
    accepted = [
        stem for stem, transfer, reason in seen if transfer == "redirect" and reason != "undeclared-mailbox"
    ]
    assert accepted, detector.header
    if detector.name != "gmail-forwarded-to":  # whoever writes it has redirected; for whom, other marks say
        refused = [
            stem
            for stem, transfer, reason in seen
            if transfer != "redirect" or reason == "undeclared-mailbox"
        ]
        assert refused, detector.header


def test_each_form_and_language_of_a_forward_as_text_is_there_and_what_looks_like_it():
    proposals = {
        path.stem: read_inline_forward(message)
        for path, message, expected in _cases()
        if expected["transfer"] == "inline-forward"
    }
    assert {proposal.style for proposal in proposals.values() if proposal} == {form.name for form in FORMS}
    direct = [path.stem for path, _message, expected in _cases() if expected["transfer"] == "direct"]
    for form in FORMS:
        assert any(stem.startswith(f"near-miss-{form.name}-") for stem in direct), form.name
    for language in LANGUAGES:
        assert proposals[f"text-forward-{language.code}-marker"].author.addr_spec == "jan@example.org"
        assert f"near-miss-text-forward-{language.code}" in direct
    refused = [
        path.stem for path, message, _expected in _cases() if path.stem.startswith("near-miss-reply-quotes")
    ]
    assert len(refused) >= 4
    assert not any(read_inline_forward(message) for path, message, _ in _cases() if path.stem in refused)


def test_each_form_of_an_attached_message_is_there():
    forms = {found.form for _path, message, _expected in _cases() for found in attached_messages(message)}
    assert forms >= {
        "rfc822",
        "rfc822-encoded",
        "eml-file",
        "octet-stream",
    }  # test_formats has those of Outlook
