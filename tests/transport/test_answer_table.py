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
#: The only answers to RCPT that stop an account: the server's own words about our name or our host, not about the recipient.
OF_US = {"name-refused", "no-service"}


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
    assert "has stopped trying" in row.given_up or not row.given_up
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
    assert found <= OF_US


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
        # our host
        ("mail: 550 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied", "no-service"),
        ("mail: 554 5.7.1 You are not allowed to connect.", "no-service"),
        ("rcpt: 554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied", "no-service"),
        (
            "rcpt: 550 5.1.1 <a@x.test>: host mx said: 554 <b[192.0.2.1]>: Client host rejected",
            "no-such-address",
        ),
        ("rcpt: 450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]", "host-refused-now"),
        ("connect: 421 4.7.1 Client host rejected: too many connections", "busy"),
        (
            "data: 550 5.7.25 [192.0.2.1] The IP address sending this does not have a PTR record",
            "no-reverse-name",
        ),
        # our account
        ("data: 550 5.4.5 Daily user sending limit exceeded.", "limit-reached"),
        ("data: 550 5.1.90 you've reached your daily limit for message recipients", "limit-reached"),
        ("mail: 550 5.7.233 your tenant exceeded its daily limit", "limit-reached"),
        ("data: 552 5.2.2 Sending quota exceeded", "limit-reached"),
        ("rcpt: 552 5.2.2 quota exceeded", "mailbox-full"),
        ("data: 552 5.3.4 message size limit exceeded", "too-large"),
        ("data: 550 5.7.30 This mail was blocked: DKIM did not pass", "unauthenticated"),
        (
            "data: 550 5.7.515 Access denied, sending domain maville.test is not authenticated",
            "unauthenticated",
        ),
        ("auth: 503 5.5.1 Error: authentication not enabled", "no-login-offered"),
        ("mail: 503 AUTH first (#5.5.1)", "login-wanted"),
        ("rcpt: 503 AUTH first (#5.5.1)", "relay-denied"),
        ("rcpt: 530 SMTP authentication is required.", "relay-denied"),
        ("rcpt: 550 5.7.57 Client was not authenticated to send anonymous mail", "relay-denied"),
        ("rcpt: 553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", "relay-denied"),
        # the sender, the recipients
        (
            "rcpt: 450 4.1.8 <al@maville.test>: Sender address rejected: Domain not found",
            "sender-unknown-now",
        ),
        (
            "rcpt: 450 4.1.7 <al@maville.test>: Sender address rejected: unverified address",
            "sender-unknown-now",
        ),
        ("rcpt: 450 4.1.1 <a@x.test>: Recipient address rejected: User unknown", "no-such-address-now"),
        ("rcpt: 450 4.1.1 <a@x.test>: Recipient address rejected: verification in progress", "later"),
        ("rcpt: 552 5.5.3 Too many recipients", "too-many-recipients"),
        ("rcpt: 550 Too many recipients", "too-many-recipients"),
        ("rcpt: 452 4.5.3 Error: too many recipients", "busy"),
        ("rcpt: 521 5.3.2 mx.x.test does not accept mail", "no-such-domain"),
        ("rcpt: 556 5.1.10 Recipient address has null MX", "no-such-domain"),
        ("data: 550 5.7.1 this message is likely unsolicited mail", "content-refused"),
        # the connection
        ("connect: 0 [SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)", "no-encryption"),
        ("connect: 0 token endpoint: 503 temporarily_unavailable", "token-endpoint"),
        ("mail: 503 5.5.1 Error: nested MAIL command", "not-understood"),
        ("data: 503 5.5.1 Error: need RCPT command", "not-understood"),
        ("rcpt: 0 the server gave an answer that is none here: 334 x", "not-understood"),
        ("data: 0 the lines of an answer have several codes", "not-understood"),
        ("data: 0 the server answered before the message had ended", "not-understood"),
    ],
)
def test_answers_that_were_misread_once(said, name):
    assert answer_to(reply_of(said)).name == name
