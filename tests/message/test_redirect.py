"""Each mark of a redirect on its own."""

from imio.mailbridge.message.classification.redirect import MARKS
from imio.mailbridge.message.classification.redirect import redirect_marks
from imio.mailbridge.message.classification.redirect import redirect_traces
from imio.mailbridge.message.classification.redirect import rewritten_author
from imio.mailbridge.message.classification.redirect import TRACES
from imio.mailbridge.message.parsing.parse import parse
import pytest


BOX = "contact@maville.be"
SEEN = [
    ("gmail-forwarded-for", "X-Forwarded-For: Contact@maville.be in@bridge.test", (BOX, "in@bridge.test")),
    ("exchange-inbox-rule", "X-MS-Exchange-Inbox-Rules-Loop: contact@maville.be", (BOX,)),
    (
        "exchange-mailbox-forwarding",
        "X-MS-Exchange-ForwardingLoop:\n contact@maville.be;7b0a8f3e-4c1d-4a52-9f8e-0d6c2b1a3e4f",
        (BOX,),
    ),
    ("gmail-envelope", "Return-Path: <contact+caf_=in=bridge.test@maville.be>", (BOX,)),
    ("workspace-routing", "X-Gm-Original-To: contact@maville.be", (BOX,)),
    ("zimbra-forwarded", "X-Zimbra-Forwarded: contact@maville.be", (BOX,)),
    ("sieve-redirected-from", "X-Sieve-Redirected-From: <contact@maville.be>", (BOX,)),
    ("resent-from", 'Resent-From: "Contact, Ville" <contact@maville.be>', (BOX,)),
    ("gmail-forwarded-to", "X-Forwarded-To: in@bridge.test", ()),
    ("exchange-external-forward", "X-LD-Processed: 7b0a8f3e,ExtFwd", ()),
]


@pytest.mark.parametrize(("name", "line", "mailboxes"), SEEN)
def test_mark(name, line, mailboxes):
    (mark,) = redirect_marks(parse(f"{line}\nFrom: a@example.org\n\n".encode()))
    assert (mark.detector.name, mark.addresses) == (name, mailboxes)


def test_every_mark_is_tested():
    assert {detector.name for detector in MARKS} == {name for name, _line, _mailboxes in SEEN}


@pytest.mark.parametrize(
    "line",
    [
        "X-Forwarded-For: 192.0.2.1",
        "X-Forwarded-For: 2001:db8::1, 192.0.2.1",
        "X-LD-Processed: 7b0a8f3e",
        "Resent-From:",
        "X-Forwarded: contact@maville.be",
    ],
)
def test_no_mark(line):
    assert redirect_marks(parse(f"{line}\nFrom: a@example.org\n\n".encode())) == ()


@pytest.mark.parametrize("name", [each.header for each in TRACES if each.name != "google-group"])
def test_trace(name):
    message = parse(f"{name}: x@y.be, Contact@MaVille.be\nFrom: a@example.org\n\n".encode())
    assert [mark.detector.name for mark in redirect_traces(message, [BOX])] == [name]
    assert redirect_traces(message, ["other@maville.be"]) == ()


GROUP = (
    "Mailing-list: list {}; contact x+owners@maville.be\nFrom: \"'Jan' via Contact\" <{}>\n"
    "X-Original-From: Jan <jan@example.org>\n\n"
)


def test_google_group_gives_the_author_back():
    message = parse(GROUP.format(BOX, BOX).encode())
    assert [mark.detector.name for mark in redirect_traces(message, [BOX])] == ["google-group"]
    assert str(rewritten_author(message, [BOX])) == '"Jan" <jan@example.org>'


@pytest.mark.parametrize(
    ("group", "author"), [(BOX, "a@example.org"), ("other@example.org", BOX), ("x+owners@maville.be", BOX)]
)
def test_nobody_else_replaces_the_author(group, author):
    assert rewritten_author(parse(GROUP.format(group, author).encode()), [BOX]) is None
