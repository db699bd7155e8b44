"""Every class of answer at every stage of the dialogue: state, explanation and next try of each cell."""

from datetime import timedelta
from imio.mailbridge.delivery.answer_table import ANSWERS
from imio.mailbridge.delivery.answers import answer_named
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.store.store import now
from imio.mailbridge.transport import smtp as mailer
from tests.servers.scripted import DROP
from tests.servers.scripted import Scripted
from tests.servers.scripted import STALL
import pytest
import transaction


STAGES = ("banner", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "end")
STATES = {
    "not-reached": "deferred",
    "later": "deferred",
    "server-trouble": "deferred",
    "greylisted": "deferred",
    "busy": "deferred",
    "mailbox-full-now": "deferred",
    "no-service": "held",
    "no-encryption": "held",
    "no-login-offered": "held",
    "login-refused": "held",
    "login-wanted": "held",
    "encryption-wanted": "held",
    "name-refused": "held",
    "account-blocked": "held",
    "blocked": "held",
    "not-smtp": "held",
    "in-doubt": "deferred",
    "not-understood": "deferred",
    "host-refused-now": "deferred",
    "sender-unknown-now": "deferred",
    "no-such-address-now": "deferred",
    "too-many-recipients": "deferred",
    "limit-reached": "held",
    "no-reverse-name": "failed",
    "no-such-domain-now": "deferred",
    "members-only": "failed",
    "relay-denied": "failed",
    "unauthenticated": "failed",
    "attachment-refused": "failed",
    "blocked-there": "failed",
    "reply-to-refused": "failed",
    "password-retired": "held",
    "sender-refused": "failed",
    "no-such-address": "failed",
    "no-such-domain": "failed",
    "mailbox-full": "failed",
    "too-large": "failed",
    "content-refused": "failed",
    "refused": "failed",
}
LATER = ("later",) * 8
OURS = (
    "no-service",
    "no-service",
    "no-encryption",
    "login-refused",
)  # 5xx before MAIL: the account does not work
SENDER = (*OURS, *("sender-refused",) * 4)
#: What the server says, and the row of the answers at each stage.
TABLE = {
    "451 4.3.0 local error": ("server-trouble",) * 8,
    "451 4.7.1 local error": LATER,
    "450 4.2.0 Greylisted, please try again": ("greylisted",) * 8,
    "421 4.3.2 too many connections": (
        "busy",
        "busy",
        "busy",
        "not-reached",
        *("busy",) * 4,
    ),  # smtplib tries another AUTH
    "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded": ("busy",) * 8,
    "452 4.2.2 mailbox full": ("later", "later", "later", "later", "later", *("mailbox-full-now",) * 3),
    "550 5.1.1 no such user": (*OURS, "refused", *("no-such-address",) * 3),
    "550 5.1.2 host not found": (*OURS, "refused", *("no-such-domain",) * 3),
    "552 5.2.2 mailbox full": (*OURS, "refused", *("mailbox-full",) * 3),
    "553 5.7.1 Sender address rejected: not owned by user bridge": SENDER,
    "550 5.7.60 SMTP; Client does not have permissions to send as this sender": SENDER,
    "554 5.2.252 SendAsDenied; bridge not allowed to send as al": SENDER,
    "530 5.7.0 authentication required": (
        *OURS,
        "login-wanted",
        "relay-denied",
        "login-wanted",
        "login-wanted",
    ),
    "550 5.4.5 Daily user sending limit exceeded.": (
        *OURS,
        "limit-reached",
        "refused",
        *("limit-reached",) * 2,
    ),
    "554 5.7.1 <b[192.0.2.1]>: Client host rejected: Access denied": (
        "no-service",
        "no-service",
        *OURS[2:],
        *("no-service",) * 4,
    ),
    "450 4.7.25 Client host rejected: cannot find your hostname": (
        *("host-refused-now",) * 2,
        *LATER[:2],
        *("host-refused-now",) * 2,
        *LATER[:2],
    ),
    "550 5.7.25 no PTR record": (*OURS, "no-service", *("no-reverse-name",) * 3),
    "450 4.1.8 Sender address rejected: Domain not found": (
        *LATER[:4],
        *("sender-unknown-now",) * 2,
        *LATER[:2],
    ),
    "450 4.1.1 user unknown": (*LATER[:5], "no-such-address-now", *LATER[:2]),
    "550 5.5.3 too many recipients": (*OURS, "refused", "too-many-recipients", "refused", "refused"),
    "535 5.7.8 bad credentials": (*OURS, "login-wanted", "relay-denied", "login-wanted", "login-wanted"),
    "550 5.7.1 Client was not authenticated": (*OURS, "login-wanted", *("members-only",) * 3),
    "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup": (
        *OURS,
        "sender-refused",
        *("members-only",) * 3,
    ),
    "530 5.7.0 Must issue a STARTTLS command first": (
        *OURS[:3],
        "encryption-wanted",
        "encryption-wanted",
        "relay-denied",
        "encryption-wanted",
        "encryption-wanted",
    ),
    "550 5.7.30 Basic authentication is not supported": (
        "password-retired",
        "password-retired",
        "no-encryption",
        "password-retired",
        "password-retired",
        "refused",
        "password-retired",
        "password-retired",
    ),
    "550 5.1.8 Access denied, bad outbound sender": (
        *("account-blocked",) * 2,
        "no-encryption",
        "login-refused",
        "account-blocked",
        "refused",
        *("account-blocked",) * 2,
    ),
    "554 5.7.1 Client host [192.0.2.1] blocked using zen.spamhaus.org": (
        *("blocked",) * 2,
        *OURS[2:],
        "blocked",
        "blocked-there",
        *("content-refused",) * 2,
    ),
    "504 5.5.2 <vm>: Helo command rejected: need fully-qualified hostname": (
        *("name-refused",) * 2,
        "no-encryption",
        "no-login-offered",
        *("name-refused",) * 4,
    ),
    "450 4.1.2 <a@x.test>: Recipient address rejected: Domain not found": (
        *("later",) * 5,
        "no-such-domain-now",
        *("later",) * 2,
    ),
    "550 5.7.26 the sender is unauthenticated: SPF and DKIM did not pass": (*OURS, *("unauthenticated",) * 4),
    "552 5.7.0 Attachment type not allowed": (
        *OURS,
        "sender-refused",
        "refused",
        *("attachment-refused",) * 2,
    ),
    "550 5.7.1 Reply-To domain does not match From": (
        *OURS,
        "sender-refused",
        "refused",
        *("reply-to-refused",) * 2,
    ),
    "552 ": (*OURS, "too-large", "refused", "too-large", "too-large"),
    "+OK ready": ("not-smtp", *("not-understood",) * 6, "in-doubt"),
    "": ("not-smtp", "not-reached", *("not-understood",) * 5, "in-doubt"),
    "552 5.3.4 message size exceeds limit": (*OURS, *("too-large",) * 4),
    "554 5.7.1 content rejected as spam": (*OURS, "sender-refused", *("content-refused",) * 3),
    "554 5.0.0 no": (*OURS, *("refused",) * 4),
    DROP: (*("not-reached",) * 7, "in-doubt"),
    STALL: (*("not-reached",) * 7, "in-doubt"),
}
CELLS = [
    (stage, said, rows[position]) for said, rows in TABLE.items() for position, stage in enumerate(STAGES)
]


@pytest.fixture(scope="module")
def scripted(certificates):
    with Scripted(certificates) as server:
        yield server


@pytest.fixture
def account(site, scripted, certificates):
    """The account of ``site`` is on the scripted server, which does nothing unusual yet."""
    scripted.script.clear()
    scripted.messages.clear()
    values = stored_settings()
    values.smtp_port = scripted.port
    values.smtp_security = "starttls"
    values.smtp_ca_file = str(certificates.ca_file)
    values.smtp_login = "bridge"
    password.write(scripted.password)
    transaction.commit()
    return scripted


def test_good_day(site, account, send):
    assert send().state == "sent"
    assert len(account.messages) == 1


@pytest.mark.parametrize(("stage", "said", "name"), CELLS)
def test_cell(site, account, send, monkeypatch, stage, said, name):
    account.script[stage] = said
    with monkeypatch.context() as context:
        context.setattr(mailer, "TIMEOUT", 0.4 if said == STALL else mailer.TIMEOUT)
        record = send("jeanne@citizen.test")
    state = STATES[name]
    assert dict(record.recipients) == {"jeanne@citizen.test": state}
    line = record.history[-1]
    row = answer_named(name)
    assert (line["answer"], line["state"]) == (name, state)
    assert line["explanation"] == row.explanation
    if name not in ("not-reached", "not-smtp", "not-understood", "in-doubt"):
        assert f"{line['code']} {line['text']}" == (
            said if stage == "rcpt" else said.replace("<a@x.test>", "<…>")
        )
    if state == "deferred":
        assert record.trying_since + timedelta(seconds=59) <= record.next_try <= now() + timedelta(minutes=1)
    else:
        assert record.next_try is None
    assert (outbox().hold_of() is not None) == (state == "held")
    assert account.messages == []
    if state != "failed":  # what waits leaves once the server is well
        account.script.clear()
        outbox().try_at(record, None)
        outbox().retry_held()
        transaction.commit()
        site.task("@@mailbridge-sweep-outbox")
        transaction.begin()
        assert record.state == "sent"
        assert len(account.messages) == 1


def test_table_has_every_row():
    elsewhere = {
        "sent",
        "bytes-lost",
        "error",
        "certificate",
        "token",
        "token-refused",
        "no-smtputf8",
        "no-smtputf8-sender",
        "no-8bitmime",
        "secret-unreadable",
        "token-expired",
        "windows-login",
        "name-refused-now",
        "token-endpoint",
        "secret-for-another",
    }
    assert {row.name for row in ANSWERS} - elsewhere == set(STATES)
    assert {name for rows in TABLE.values() for name in rows} == set(STATES)
