"""What was guessed or is wrong is told as facts, with what the message says."""

from imio.mailbridge.message.classification.classify import classify
from imio.mailbridge.message.classification.classify import compile_agent_patterns
from imio.mailbridge.message.classification.classify import Context
from imio.mailbridge.message.parsing.parse import parse
from imio.mailbridge.message.syntax.doubt import DOUBTS
from pathlib import Path
from zoneinfo import ZoneInfo
import pytest


MESSAGES = Path(__file__).parent.parent / "messages"
GOOD = "From: a@example.org\nMessage-ID: <a@b>\nDate: Wed, 25 Nov 2026 23:30:00 +0100\n"
MULTIPART = f"{GOOD}Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n"
BASE64 = f"{GOOD}Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n"

ATTACHED = f"""{MULTIPART}--b
Content-Type: application/pdf
Content-Disposition: attachment; filename=plan.pdf
Content-Transfer-Encoding: base64

"""


def doubts(text):
    return list(parse(text.encode("latin-1")).doubts)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{GOOD}\nx", []),
        (f"{GOOD}\n\xe9t\xe9", [("charset-guessed", "")]),
        (f"{GOOD}Content-Type: text/plain; charset=utf-8\n\n\xe9t\xe9", [("charset-guessed", "utf-8")]),
        (f"{GOOD}Content-Type: text/html; charset=iso-8859-1\n\n\xc3\xa9t\xc3\xa9", [("charset-guessed", "iso-8859-1")]),
        (f"{GOOD}Subject: \xe9t\xe9\n\nx", [("charset-guessed", "")]),
        (f"{GOOD}Subject: \xc3\xa9t\xc3\xa9\n\nx", []),
        ("From: a@b.c\nMessage-ID: <a@b>\n\nx", [("date-missing", "")]),
        ("From: a@b.c\nMessage-ID: <a@b>\nDate:\n\nx", [("date-unreadable", "")]),
        ("From: a@b.c\nMessage-ID: <a@b>\nDate: hier\n\nx", [("date-unreadable", "hier")]),
        ("From: a@b.c\nMessage-ID: <a@b>\nDate: jeu., 26 nov. 2026 09:12 +0100\n\nx",
         [("date-guessed", "jeu., 26 nov. 2026 09:12 +0100")]),
        ("From: a@b.c\nMessage-ID: <a@b>\nDate: 26 Nov 2026 09:12\n\nx", [("zone-guessed", "26 Nov 2026 09:12")]),
        (f"{GOOD}Date: hier\n\nx", [("date-repeated", "Wed, 25 Nov 2026 23:30:00 +0100; hier")]),
        ("From: a@b.c\nDate: Wed, 25 Nov 2026 23:30:00 +0100\n\nx", [("message-id-missing", "")]),
        (f"Received: from x\nby y; id z\n{GOOD}\nx", [("header-damaged", "by y; id z")]),
        (MULTIPART + "--b--\n", []),
        (MULTIPART, [("truncated", "")]),
        (MULTIPART + "--b", [("truncated", "")]),
        (MULTIPART + "--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\nx\n", [("truncated", "")]),
        (MULTIPART + "--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\nx\n--b--\n", []),
        (BASE64 + "JVBERi0xLjQK\n", []),
        (BASE64 + "JVBERi0xLjQKJQ==\n", []),
        (BASE64 + "JVBERi0xLjQKJQ", [("truncated", "")]),
        (BASE64 + "JVBERi0xLjQKJeLjz9MK\nMSAwI", [("truncated", "")]),
        (ATTACHED + "JVBERi0xLjQK\n--b--\n", []),
        (ATTACHED + "JVBERi0xLjQKJQ==\n--b--\n", []),
        (ATTACHED + "JVBERi0xLjQKJeLjz9MK\nMSAwI\n--b--\n", [("attachment-damaged", "plan.pdf")]),
        (ATTACHED + "JVBERi0xLjQKJeLjz9MK\nMSAwI\n", [("truncated", "")]),
    ],
)  # fmt: skip
def test_doubts_of_a_message(text, found):
    assert doubts(text) == found


def test_each_code_is_in_the_table_and_occurs():
    found = {doubt.code for path in MESSAGES.glob("*.eml") for doubt in parse(path.read_bytes()).doubts}
    assert found == set(DOUBTS)


def test_date_without_a_zone_is_in_that_of_the_town():
    message = parse(b"From: a@b.c\nDate: 8 Jul 2026 09:12\n\nx")
    assert message.date.isoformat() == "2026-07-08T09:12:00+02:00"
    assert message.date_in(ZoneInfo("Europe/Lisbon")).isoformat() == "2026-07-08T09:12:00+01:00"
    (original,) = classify(message, Context(zone=ZoneInfo("Europe/Lisbon"))).messages
    assert original.date.isoformat() == "2026-07-08T09:12:00+01:00"


def test_doubts_are_notes_of_the_classification():
    agents = Context(agent_patterns=compile_agent_patterns([".+@town\\.test"]))
    citizen = "From: jeanne@citizen.test\nSubject: x\nDate: 8 Jul 2026 09:12\nMessage-ID: <c@d>\n\nx"
    forward = (
        "From: agent@town.test\nMessage-ID: <a@b>\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nsee\n--b\n"
        f"Content-Type: message/rfc822\n\n{citizen}"
    )
    found = classify(parse(forward.encode()), agents)
    notes = [(each.detector, each.saw) for each in found.evidence if each.strength == "note"]
    assert notes == [("zone-guessed", "8 Jul 2026 09:12"), ("truncated", "")]
    assert found.messages[0].doubts == (("zone-guessed", "8 Jul 2026 09:12"),)
