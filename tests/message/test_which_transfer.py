"""The rules of the contract, in their order: which transfer a message is, and what that means where rules meet."""

from imio.mailbridge.message.classification.classify import classify
from imio.mailbridge.message.classification.classify import compile_agent_patterns
from imio.mailbridge.message.classification.classify import Context
from imio.mailbridge.message.classification.classify import Proof
from imio.mailbridge.message.parsing.parse import parse
import dataclasses
import pytest


OURS = "<mailbridge.token@maville.be>"
CONTEXT = Context(
    agent_patterns=compile_agent_patterns([r".+@maville\.be"]),
    source_mailboxes=frozenset({"contact@maville.be", "info@maville.be"}),
    own_addresses=frozenset({"in@bridge.test"}),
    proof=Proof.GATEWAY,
    sent_by_us=lambda message_id: message_id == OURS,
)
AGENT, CITIZEN, MAILBOX = "From: al@maville.be\n", "From: c@citizen.test\n", "From: contact@maville.be\n"
MARK, TO = "Resent-From: contact@maville.be\n", "To: contact@maville.be\n"
ANSWERS = f"In-Reply-To: {OURS}\n"
WORDS = "Subject: x\n\nBonjour"
ATTACHED = "Content-Type: message/rfc822\nSubject: x\n\nFrom: rita@citizen.test\nSubject: inner\n\nz"
AS_TEXT = (
    "Subject: Fwd: x\n\n---------- Forwarded message ---------\nFrom: C <c@citizen.test>\nSubject: x\n\nz"
)


def with_attached(text):
    return f"Content-Type: message/rfc822\nSubject: TR: x\n\n{text}"


DSN = (
    "From: mx@citizen.test\nContent-Type: multipart/report; report-type={}; boundary=r\n\n--r\nContent-Type: {}\n\n"
    f"Final-Recipient: rfc822; c@citizen.test\nAction: failed\nOriginal-Message-ID: {OURS}\n--r--\n"
)
RETURNED = f"--r\nContent-Type: text/rfc822-headers\n\nMessage-ID: {OURS}\n--r--"
BOUNCE = DSN.format("delivery-status", "message/delivery-status")
ABSENT = f"{CITIZEN}{ANSWERS}Subject: Absence du bureau\n\nx"

#: Rule and case → message, changes to the context, transfer, reason.
RULES = {
    "1: delivery report": (BOUNCE, {}, "bounce", None),
    "1: delivery report of others": (BOUNCE.replace(OURS, "<x@y.test>"), {}, "bounce", "unmatched-report"),
    "1: receipt": (DSN.format("disposition-notification", "message/disposition-notification"), {}, "receipt", None),
    "1: complaint": (
        DSN.format("feedback-report", "message/feedback-report").replace("--r--", RETURNED),
        {}, "receipt", None,
    ),
    "1: bounce of another form": (
        f"From: mailer-daemon@x.test\nSubject: failure notice\n{ANSWERS}\n<c@citizen.test>", {}, "bounce", None,
    ),
    "1: auto-replied": (f"{CITIZEN}Auto-Submitted: auto-replied\n{ANSWERS}{WORDS}", {}, "auto-reply", None),
    "1: auto-replied, of others": (f"{CITIZEN}{MARK}Auto-Submitted: auto-replied\n{WORDS}", {}, "auto-reply", "unmatched-report"),
    "1: subject and what it answers": (ABSENT, {}, "auto-reply", None),
    "1: subject and no sender": (
        f"{CITIZEN}{MARK}Subject: Absence du bureau\n\nx", {"null_sender": True}, "auto-reply", "unmatched-report",
    ),
    "1: subject alone": (f"{CITIZEN}{MARK}Subject: Absence du bureau\n\nx", {}, "redirect", None),
    "1: what asks for no answer is no witness": (
        f"{CITIZEN}{MARK}Subject: Absence du bureau\nX-Auto-Response-Suppress: All\nPrecedence: bulk\n"
        "Auto-Submitted: auto-generated\n\nx", {}, "redirect", None,
    ),
    "1: answer without a sender is never a reply": (f"{CITIZEN}{ANSWERS}{WORDS}", {"null_sender": True}, "auto-reply", None),
    "1: an agent who is away": (f"{AGENT}{ANSWERS}Subject: Absence du bureau\n\nx", {"null_sender": True}, "auto-reply", None),
    "3: what an agent forwards may have such a subject": (
        AGENT + ANSWERS + ATTACHED.replace("Subject: x", "Subject: Absence du bureau"), {}, "forward", None,
    ),
    "1: report before forward": (BOUNCE.replace("mx@citizen.test", "al@maville.be"), {}, "bounce", None),
    "2: before forward": (MARK + AGENT + TO + ATTACHED, {}, "redirect", None),
    "2: before text forward": (MARK + AGENT + TO + AS_TEXT, {}, "redirect", None),
    "2: without a mark": (AGENT + TO + ATTACHED, {}, "redirect", None),
    "2: by the tag of the mailbox": (
        AGENT + TO + ATTACHED, {"tag_mailbox": "contact@maville.be", "proof": Proof.TAG}, "redirect", None,
    ),
    "2: unproven": (MARK + AGENT + TO + ATTACHED, {"proof": None}, "redirect", "unproven-redirect"),
    "2: not where signed by the agent": (MARK + AGENT + TO + ATTACHED, {"proof": Proof.DKIM}, "forward", None),
    "2: not where our server knows the agent": (MARK + AGENT + TO + ATTACHED, {"proof": Proof.RESULTS}, "forward", None),
    "2: not where both are proven": (MARK + AGENT + TO + ATTACHED, {"author_is_proven": True}, "forward", None),
    "2: not with a copy to the mailbox": (f"{AGENT}To: in@bridge.test\nCc: contact@maville.be\n{ATTACHED}", {}, "forward", None),
    "2: not to another address": (f"{AGENT}To: in@bridge.test\n{ATTACHED}", {}, "forward", None),
    "2: another mailbox's agent": (f"From: info@maville.be\n{MARK}{TO}{AS_TEXT}", {}, "redirect", None),
    "3: by an agent": (AGENT + ATTACHED, {}, "forward", None),
    "3: by a mailbox": (MAILBOX + ATTACHED, {}, "forward", None),
    "3: by a citizen": (CITIZEN + ATTACHED, {}, "direct", "direct"),
    "3: unproven": (AGENT + ATTACHED, {"proof": None}, "forward", "unproven-agent"),
    "3: a mark proves no agent": (MARK + AGENT + ATTACHED, {}, "forward", "unproven-agent"),
    "3: an answer": (AGENT + with_attached(f"{CITIZEN}{ANSWERS}{WORDS}"), {}, "reply", None),
    "3: an answer, unproven": (AGENT + with_attached(f"{CITIZEN}{ANSWERS}{WORDS}"), {"proof": None}, "reply", "unproven-agent"),
    "3: an absence message": (AGENT + with_attached(ABSENT), {}, "auto-reply", None),
    "3: a report of others": (AGENT + with_attached(BOUNCE.replace(OURS, "<x@y.test>")), {}, "forward", None),
    "3: before reply": (AGENT + ANSWERS + ATTACHED, {}, "forward", None),
    "4: by an agent": (AGENT + AS_TEXT, {}, "inline-forward", "inline-forward"),
    "4: by a mailbox": (MAILBOX + AS_TEXT, {}, "inline-forward", "inline-forward"),
    "4: by a citizen": (CITIZEN + AS_TEXT, {}, "direct", "direct"),
    "4: before reply": (AGENT + ANSWERS + AS_TEXT, {}, "inline-forward", "inline-forward"),
    "5: reply": (CITIZEN + ANSWERS + WORDS, {}, "reply", None),
    "5: reply by References": (f"{CITIZEN}References: <x@y.test> {OURS}\n{WORDS}", {}, "reply", None),
    "5: guessed": (f"{CITIZEN}In-Reply-To: <mailbridge.guess@maville.be>\n{WORDS}", {}, "direct", "direct"),
    "5: before redirect": (MARK + CITIZEN + ANSWERS + WORDS, {}, "reply", None),
    "6: mark": (MARK + CITIZEN + WORDS, {}, "redirect", None),
    "6: mark of another mailbox": (f"Resent-From: x@maville.be\n{CITIZEN}{WORDS}", {}, "redirect", "undeclared-mailbox"),
    "6: To": (CITIZEN + TO + WORDS, {}, "redirect", None),
    "6: Delivered-To": (f"Delivered-To: contact@maville.be\n{CITIZEN}{WORDS}", {}, "redirect", None),
    "6: X-Original-To": (f"X-Original-To: contact@maville.be\n{CITIZEN}{WORDS}", {}, "redirect", None),
    "6: agent who forwards nothing": (MARK + AGENT + TO + WORDS, {}, "redirect", None),
    "7: direct": (CITIZEN + WORDS, {}, "direct", "direct"),
}  # fmt: skip


@pytest.mark.parametrize("name", RULES)
def test_rule(name):
    raw, changes, transfer, reason = RULES[name]
    found = classify(parse(raw.encode()), dataclasses.replace(CONTEXT, **changes))
    assert (found.transfer.value, found.reason) == (transfer, reason)


def test_every_rule_has_its_cases():
    assert {name[0] for name in RULES} == set("1234567")


def test_a_reply_names_the_redirect_beside_it():
    found = classify(parse((MARK + CITIZEN + ANSWERS + WORDS).encode()), CONTEXT)
    assert (found.source_mailbox, found.answered) == ("contact@maville.be", OURS)


def test_whoever_hands_in_an_answer_is_named():
    found = classify(parse((AGENT + with_attached(f"{CITIZEN}{ANSWERS}{WORDS}")).encode()), CONTEXT)
    assert (found.transferred_by.addr_spec, found.answered) == ("al@maville.be", OURS)
    assert found.messages[0].author.addr_spec == "c@citizen.test"


def test_only_what_an_agent_could_have_forwarded_asks_for_the_agents_proof():
    for body, expected in ((ATTACHED, True), (AS_TEXT, True), (WORDS, False)):
        assert classify(parse((MARK + AGENT + TO + body).encode()), CONTEXT).is_to_colleagues is expected
