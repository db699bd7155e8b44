"""The tables of SMTP and IMAP answers: each row is reached by real answers, and no answer is without a row."""

from imio.mailbridge.delivery.answer_table import ANSWERS
from imio.mailbridge.delivery.answer_table import Outcome
from imio.mailbridge.delivery.answer_table import reply_of
from imio.mailbridge.delivery.answers import answer_to
from imio.mailbridge.inbound.imap_answers import imap_answer
from imio.mailbridge.inbound.imap_answers import IMAP_ANSWERS
from imio.mailbridge.transport.smtp_reply import SmtpReply
import itertools
import pytest


STAGES = ("secret", "oauth", "connect", "tls", "auth", "mail", "rcpt", "data", "store", "bridge")
#: The only answer to RCPT that stops an account: the server's own words about our name, not about the recipient.
OF_US = "name-refused"


def by_name(rows):
    return pytest.mark.parametrize("row", rows, ids=lambda row: row.name)


def found(table, example):
    """Return the row of a table for an example."""
    return answer_to(reply_of(example)) if table is ANSWERS else imap_answer(*example.split(": ", 1))


BOTH = [
    pytest.param(table, row, id=f"{title} {row.name}")
    for title, table in (("SMTP", ANSWERS), ("IMAP", IMAP_ANSWERS))
    for row in table
]


@pytest.mark.parametrize("table", [ANSWERS, IMAP_ANSWERS], ids=["SMTP", "IMAP"])
def test_names_are_unique(table):
    names = [row.name for row in table]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("table", "row"), BOTH)
def test_examples_reach_their_row(table, row):
    assert row.examples
    assert [found(table, each).name for each in row.examples] == [row.name] * len(row.examples)


@pytest.mark.parametrize(("table", "row"), BOTH)
def test_near_misses_are_of_another_row(table, row):
    assert row.near_misses
    assert row.name not in [found(table, each).name for each in row.near_misses]


@by_name(IMAP_ANSWERS)
def test_imap_words(row):
    assert row.explanation
    assert row.remedy


@by_name(ANSWERS)
def test_words(row):
    assert row.name == "sent" or (row.explanation and row.remedy)
    assert bool(row.given_up) == (row.outcome is Outcome.TEMPORARY)
    assert "tries again" not in row.given_up
    assert "no longer tries" in row.given_up or not row.given_up
    for promise in ("tries again", "is kept", "IT service"):
        assert promise not in row.explanation, "admins and the diagnosis read it too, where nothing is sent"


@by_name([row for row in ANSWERS if row.outcome is Outcome.CONFIGURATION])
def test_a_refused_recipient_stops_no_account(row):
    said = {reply_of(each) for each in (*row.examples, *row.near_misses)}
    found = {
        answer_to(SmtpReply("rcpt", code, f"{before}{reply.text}")).name
        for reply in said
        for code in (reply.code, 550)
        for before in ("", "<a@x.test>: host mx.x.test said: ")
        if answer_to(SmtpReply("rcpt", code, f"{before}{reply.text}")).outcome is Outcome.CONFIGURATION
    }
    assert found <= {OF_US}


@pytest.mark.parametrize("stage", [*STAGES, "quit", ""])
def test_every_answer_has_a_row(stage):
    texts = ("", "5.7.1 no", "hello", "\0", "2.0.0 Ok")
    for code, text in itertools.product((-50, -1, *range(1000)), texts):
        row = answer_to(SmtpReply(stage, code, text))
        assert (row.outcome is Outcome.SENT) == (stage == "data" and 200 <= code < 300)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("data: 250 2.0.0 Ok", "sent"),
        (
            "rcpt: 450 4.1.2 <a@citoien.test>: Recipient address rejected: Domain not found",
            "no-such-domain-now",
        ),
        (
            "data: 550 5.7.26 This mail has been blocked because the sender is unauthenticated",
            "unauthenticated",
        ),
        (
            "auth: 535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.",
            "login-refused",
        ),
        ("mail: 530 5.7.0 Must issue a STARTTLS command first", "encryption-wanted"),
        ("data: 552 ", "too-large"),
        ("data: 550 5.7.1 Reply-To domain does not match From", "reply-to-refused"),
        ("rcpt: 504 5.5.2 <vm>: Helo command rejected: need fully-qualified hostname", "name-refused"),
        ("data: 552 5.7.0 Attachment type not allowed", "attachment-refused"),
        ("auth: 502 no login that iA.docs knows is offered: GSSAPI NTLM", "windows-login"),
        ("oauth: 400 invalid_grant: AADSTS700082: The refresh token has expired", "token-expired"),
    ],
)
def test_answers_that_were_misread_once(said, name):
    assert answer_to(reply_of(said)).name == name
