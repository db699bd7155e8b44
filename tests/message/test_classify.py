"""The cases of a transfer, their order, and what must be proven in each."""

from imio.mailbridge.message.classification.classify import classify
from imio.mailbridge.message.classification.classify import compile_agent_patterns
from imio.mailbridge.message.classification.classify import Context
from imio.mailbridge.message.classification.classify import Proof
from imio.mailbridge.message.classification.classify import Transfer
from imio.mailbridge.message.classification.gmail_confirmation import Confirmation
from imio.mailbridge.message.classification.gmail_confirmation import read_confirmation
from imio.mailbridge.message.classification.reason import REASONS
from imio.mailbridge.message.parsing.parse import parse
from pathlib import Path
import dataclasses
import json
import pytest


OURS = "<mailbridge.token@maville.be>"
CONTEXT = Context(
    agent_patterns=compile_agent_patterns([r".+@maville\.be"]),
    source_mailboxes=frozenset({"contact@maville.be"}),
    sent_by_us=lambda message_id: message_id == OURS,
)
REDIRECTED = "X-Forwarded-For: contact@maville.be in@bridge.test\nFrom: citizen@example.org\nSubject: x\n\ny"
FORWARD = (
    "From: Al <al@maville.be>\nSubject: Fwd: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"
    "Content-Type: message/rfc822\n\nFrom: citizen@example.org\nSubject: inner\n\nz\n--b--\n"
)
INLINE = (
    "From: Al <al@maville.be>\nSubject: Fwd: x\n\n---------- Forwarded message ---------\n"
    "From: C <citizen@example.org>\nDate: Mon, Jan 5, 2026 at 9:12 AM\nSubject: x\n\nz"
)


def decide(raw, **changes):
    return classify(parse(raw.encode()), dataclasses.replace(CONTEXT, **changes))


@pytest.mark.parametrize(
    ("raw", "proof", "reason"),
    [
        (REDIRECTED, None, "unproven-redirect"),
        (REDIRECTED, Proof.DKIM, "unproven-redirect"),
        (REDIRECTED, Proof.GATEWAY, None),
        (REDIRECTED, Proof.TAG, None),
        (REDIRECTED, Proof.ARC, None),
        (FORWARD, None, "unproven-agent"),
        (FORWARD, Proof.DKIM, None),
        (FORWARD, Proof.GATEWAY, None),
        (FORWARD, Proof.TAG, None),
        (FORWARD, Proof.ARC, None),
    ],
)
def test_proof(raw, proof, reason):
    assert decide(raw, proof=proof).reason == reason


def test_redirect_names_its_mailbox_and_nobody():
    found = decide(REDIRECTED, proof=Proof.GATEWAY)
    assert (found.transfer, found.source_mailbox, found.transferred_by) == (
        Transfer.REDIRECT,
        "contact@maville.be",
        None,
    )
    assert found.messages[0].raw == REDIRECTED.encode()
    assert ("gmail-forwarded-for", "contact@maville.be in@bridge.test", "strong") in found.evidence


def test_tag_of_one_mailbox_is_a_mark_of_its_own():
    found = decide(
        "From: a@example.org\nTo: someone@example.org\n\n", proof=Proof.TAG, tag_mailbox="contact@maville.be"
    )
    assert (found.transfer, found.reason, found.source_mailbox) == (
        Transfer.REDIRECT,
        None,
        "contact@maville.be",
    )


def test_mark_with_undeclared_mailbox_counts_before_to():
    raw = REDIRECTED.replace("contact@maville.be", "other@maville.be").replace(
        "From:", "To: contact@maville.be\nFrom:"
    )
    found = decide(raw, proof=Proof.GATEWAY)
    assert (found.reason, found.source_mailbox) == ("undeclared-mailbox", None)


def test_forward_by_agent_and_by_mailbox():
    found = decide(FORWARD, proof=Proof.GATEWAY)
    assert (found.transferred_by.addr_spec, found.source_mailbox) == ("al@maville.be", None)
    assert [original.subject for original in found.messages] == ["inner"]
    found = decide(FORWARD.replace("al@", "Contact@"), proof=Proof.GATEWAY)
    assert (found.transferred_by.addr_spec, found.source_mailbox) == (
        "Contact@maville.be",
        "contact@maville.be",
    )


def test_forward_comes_before_redirect_and_reply():
    raw = f"X-Forwarded-For: contact@maville.be x@y.be\nIn-Reply-To: {OURS}\n{FORWARD}"
    assert decide(raw).transfer is Transfer.FORWARD


def test_a_group_that_writes_its_own_address_into_from_forwards_nothing():
    group = "Mailing-list: list contact@maville.be; contact x@maville.be\nX-Original-From: Jan <jan@example.org>\n"
    for raw in (FORWARD, INLINE):
        found = decide(group + raw.replace("al@", "contact@"), proof=Proof.GATEWAY)
        assert (found.transfer, found.reason, found.transferred_by) == (Transfer.REDIRECT, None, None)
        assert (found.source_mailbox, found.messages[0].author.addr_spec) == (
            "contact@maville.be",
            "jan@example.org",
        )
        assert decide(group + raw.replace("al@", "contact@")).reason == "unproven-redirect"


def test_inline_forward_can_be_filed_when_set_and_proven():
    assert decide(INLINE, proof=Proof.GATEWAY).reason == "inline-forward"
    assert decide(INLINE, proof=Proof.GATEWAY, inline_forward="file-proposal").reason is None
    assert decide(INLINE, inline_forward="file-proposal").reason == "unproven-agent"
    assert (
        decide(INLINE.replace("al@", "contact@"), proof=Proof.GATEWAY, inline_forward="file-proposal").reason
        == "inline-forward"
    )


def test_inline_forward_of_a_rule_in_an_unknown_language():
    raw = "From: contact@maville.be\nSubject: VS: x\nX-MS-Exchange-Parent-Message-Id: <a@b>\n\nHei"
    found = decide(raw, proof=Proof.GATEWAY)
    assert (found.transfer, found.reason, found.messages) == (Transfer.INLINE_FORWARD, "inline-forward", ())


def test_reply_needs_no_proof_and_notes_the_redirect():
    found = decide(f"References: <x@y> {OURS} <z@y>\n{REDIRECTED}")
    assert (found.transfer, found.reason, found.answered, found.source_mailbox) == (
        Transfer.REPLY, None, OURS, "contact@maville.be",
    )  # fmt: skip


def test_direct():
    raw = "From: a@example.org\nTo: in@bridge.test\n\n"
    assert decide(raw, proof=Proof.GATEWAY).reason == "direct"
    assert decide(raw, accept_direct=True).reason is None


CONFIRMATION = (
    "From: Gmail Team <forwarding-noreply@google.com>\nTo: in@bridge.test\n"
    "Subject: (#123456789) Gmail Forwarding Confirmation - Receive Mail from contact@maville.be\n\n"
    "contact@maville.be has requested to automatically forward mail to your email address in@bridge.test.\n"
    "Confirmation code: 123456789\n\nhttps://mail-settings.google.com/mail/vf-%5BANGjdJ%5D-abc\n"
)


@pytest.mark.parametrize("accept_direct", [False, True])
def test_confirmation_of_gmail_is_never_filed(accept_direct):
    found = decide(CONFIRMATION, accept_direct=accept_direct, proof=Proof.GATEWAY)
    assert (found.transfer, found.reason) == (Transfer.DIRECT, "forwarding-confirmation")
    assert found.evidence[0] == ("gmail-confirmation", "contact@maville.be", "strong")


def test_confirmation_of_gmail_gives_code_and_link():
    asked = read_confirmation(parse(CONFIRMATION.encode()))
    assert asked == Confirmation(
        "123456789", "https://mail-settings.google.com/mail/vf-%5BANGjdJ%5D-abc", "contact@maville.be"
    )


@pytest.mark.parametrize(
    "link",
    [
        "http://mail.google.com/x",
        "https://mail.google.com.evil.test/x",
        "https://mail.google.com@evil.test/x",
        "https://evil.test/mail.google.com",
        "https://mail.google.com:444/x",
        "https://mail.google.com\\@evil.test/",
        "javascript:alert(1)//mail.google.com",
    ],
)
def test_link_that_leads_elsewhere_is_not_shown(link):
    raw = CONFIRMATION.replace("https://mail-settings.google.com/mail/vf-%5BANGjdJ%5D-abc", link)
    asked = read_confirmation(parse(raw.encode()))
    assert (asked.code, asked.link) == ("123456789", "")


def test_confirmation_of_somebody_else_is_none():
    assert (
        read_confirmation(parse(CONFIRMATION.replace("google.com>", "google.com.evil.test>").encode()))
        is None
    )


def test_loop_of_our_own_address():
    raw = "From: a@example.org\nX-Forwarded-For: contact@maville.be\nX-Loop: IN@bridge.test\n\n"
    found = decide(raw, proof=Proof.GATEWAY, own_addresses=frozenset({"in@bridge.test"}))
    assert found.reason == "loop"
    assert decide(raw, proof=Proof.GATEWAY).reason is None


def test_too_many():
    raw = "From: a@example.org\nX-Forwarded-For: contact@maville.be\n\n"
    found = decide(raw, proof=Proof.GATEWAY, too_many="too-many")
    assert (found.transfer, found.reason) == (Transfer.REDIRECT, "too-many")


def test_bulk_mail_is_filed_and_noted():
    raw = "From: a@example.org\nX-Forwarded-For: contact@maville.be\nList-Id: <news.example.org>\nPrecedence: bulk\n\n"
    found = decide(raw, proof=Proof.GATEWAY)
    assert found.reason is None
    assert ("bulk", "precedence: bulk", "note") in found.evidence


def test_headers_of_ours_from_outside_count_for_nothing():
    raw = "From: a@example.org\nX-Mailbridge-Proof: gateway\nX-Mailbridge-Mailbox: contact@maville.be\nTo: in@bridge.test\n\n"
    assert decide(raw).transfer is Transfer.DIRECT


@pytest.mark.parametrize("raw", [REDIRECTED, FORWARD, INLINE, "From: a@example.org\n\n"])
def test_loop(raw):
    assert decide(f"Message-ID: {OURS}\n{raw}", proof=Proof.GATEWAY).reason == "loop"
    assert decide("Received: x\n" * 51 + raw, proof=Proof.GATEWAY).reason == "loop"
    assert decide("Received: x\n" * 50 + raw, proof=Proof.GATEWAY).reason != "loop"


def test_encrypted_is_told_after_proof():
    raw = REDIRECTED.replace("Subject:", "Content-Type: multipart/encrypted; boundary=b\nSubject:")
    assert decide(raw).reason == "unproven-redirect"
    assert decide(raw, proof=Proof.GATEWAY).reason == "encrypted"


def test_report_is_matched_by_our_message_id():
    raw = "From: c@example.org\nAuto-Submitted: auto-replied\nIn-Reply-To: {}\n\n"
    assert decide(raw.format(OURS)).reason is None
    assert decide(raw.format("<mailbridge.guess@maville.be>")).reason == "unmatched-report"


def test_every_reason_code_has_texts():
    assert list(REASONS) == [
        "no-recipient", "unproven-redirect", "unproven-agent", "undeclared-mailbox", "inline-forward", "direct",
        "unmatched-report", "loop", "too-many", "too-many-replies", "forwarding-confirmation", "stand-in", "too-complex",
        "unreadable", "encrypted", "filing-error",
    ]  # fmt: skip
    assert all(reason.sentence.endswith(".") and reason.remedy.endswith(".") for reason in REASONS.values())
    corpus = Path(__file__).parent.parent / "messages"
    used = {json.loads(path.read_text("utf-8"))["expected"]["reason"] for path in corpus.glob("*.json")}
    assert used - {None} <= set(REASONS)
