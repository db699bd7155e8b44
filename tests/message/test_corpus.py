"""Each message of tests/messages is explained as the file beside it says."""

from imio.mailbridge.message.explain import main
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
