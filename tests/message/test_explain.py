"""The command mailbridge-explain as it is run from a shell."""

from pathlib import Path
import json
import pytest
import subprocess
import sys


MESSAGES = Path(__file__).parent.parent / "messages"
COMMAND = Path(sys.executable).with_name("mailbridge-explain")


def run(*arguments, stdin=b""):
    return subprocess.run([COMMAND, *arguments], input=stdin, capture_output=True, check=False)


def lines(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_one_line_each_in_the_order_given():
    paths = [str(MESSAGES / name) for name in ("reply.eml", "garbage.eml", "redirect-gmail.eml")]
    result = run(*paths)
    assert result.returncode == 0
    assert [line["file"] for line in lines(result)] == paths


def test_standard_input():
    result = run("-", stdin=b"From: A <A@Example.org>\nSubject: x\n\ny")
    (line,) = lines(result)
    assert (line["file"], line["transfer"], line["reason"]) == ("-", "direct", "direct")
    assert line["messages"] == [
        {"from": "a@example.org", "subject": "x", "date": None, "message_id": None, "attachments": []}
    ]


def test_missing_file_is_told_and_the_others_are_read(tmp_path):
    result = run(str(tmp_path / "none.eml"), str(tmp_path), str(MESSAGES / "reply.eml"))
    assert result.returncode == 2
    assert b"none.eml" in result.stderr
    assert len(lines(result)) == 1


@pytest.mark.parametrize("arguments", [(), ("--agent", "(", "-")])
def test_wrong_usage(arguments):
    assert run(*arguments).returncode == 2


def test_without_options_nobody_is_known():
    (line,) = lines(run(str(MESSAGES / "forward-thunderbird.eml")))
    assert line["transfer"] == "direct"
    (line,) = lines(run(str(MESSAGES / "redirect-gmail.eml")))
    assert (line["transfer"], line["reason"]) == ("redirect", "undeclared-mailbox")


def test_agent_pattern_matches_whole_address_in_any_case():
    path = str(MESSAGES / "forward-thunderbird.eml")
    (line,) = lines(run(path, "--agent", "AL.BERT@MAVILLE.BE"))
    assert (line["transfer"], line["transferred_by"]) == ("forward", "al.bert@maville.be")
    (line,) = lines(run(path, "--agent", "al.bert"))
    assert line["transfer"] == "direct"


def test_options_and_files_in_any_order():
    path = str(MESSAGES / "redirect-gmail.eml")
    result = run(path, "--mailbox", "contact@maville.be", path, "--trusted")
    assert [line["reason"] for line in lines(result)] == [None, None]


def test_sent_with_and_without_angle_brackets():
    path = str(MESSAGES / "reply.eml")
    for message_id in ("<mailbridge.q3nT8xkJ0aWb5yZr@maville.be>", "mailbridge.q3nT8xkJ0aWb5yZr@maville.be"):
        assert lines(run(path, "--sent", message_id))[0]["transfer"] == "reply"


def test_starts_without_what_it_does_not_need():
    loaded = "import imio.mailbridge.message.explain, sys; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", loaded], capture_output=True, check=True, text=True)
    roots = {name.partition(".")[0] for name in result.stdout.split()}
    assert not roots & {"plone", "Products", "zope", "ZODB", "weasyprint", "dkim", "cryptography", "requests"}
