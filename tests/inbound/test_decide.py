"""A decision follows from a message, its envelope and the settings alone: each state and each reason, without a site."""

from dataclasses import replace
from email.message import EmailMessage
from imio.mailbridge.inbound.decide import Choice
from imio.mailbridge.inbound.decide import chosen
from imio.mailbridge.inbound.decide import decide
from imio.mailbridge.inbound.decide import NOTHING_SENT
from imio.mailbridge.inbound.decide import Sent
from imio.mailbridge.inbound.envelope import Envelope
from imio.mailbridge.inbound.signatures import restored
from imio.mailbridge.inbound.signatures import Signatures
from imio.mailbridge.inbound.signatures import stored
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.authentication.signatures import Verdict
from imio.mailbridge.message.classification.classify import compile_agent_patterns
from imio.mailbridge.message.classification.classify import Proof
from imio.mailbridge.message.classification.reason import REASONS
from imio.mailbridge.message.parsing.parse import parse
from imio.mailbridge.settings.imap import ImapMailbox
from imio.mailbridge.settings.mailin import MailinAddress
from imio.mailbridge.settings.read import Settings
from imio.mailbridge.settings.routing import RoutingRow
from imio.mailbridge.settings.routing import StateRow
from pathlib import Path
from tests.mails import citizen
from tests.mails import forwarded
from tests.mails import redirected
from tests.mails import TEXT_FORWARD
from zoneinfo import ZoneInfo
import ipaddress
import pytest


MESSAGES = Path(__file__).parent.parent / "messages"

IN, TAG, LOGIN = "in@bridge.test", "in+h7qm4tvx2kpzabcdefghj@bridge.test", "administration@maville.test"
OURS = "<mailbridge.q3nT8xkJ0aWb5yZr@maville.test>"

SETTINGS = Settings(
    mailin_addresses={IN: MailinAddress(IN, "town")},
    source_mailboxes={"info@maville.test": "urbanism"},
    agent_patterns=compile_agent_patterns([r".+@maville\.test"]),
    trusted_gateways=(ipaddress.ip_network("127.0.0.0/8"),),
    arc_sealers=frozenset({"provider.test"}),
    authserv_id="mx.maville.test",
)
TRUSTED = Envelope(IN, "jeanne.dupont@citizen.test", "127.0.0.1")
STRANGE = replace(TRUSTED, client_address="203.0.113.9")
SENT = Sent(OURS.__eq__, "envelope-id".__eq__)

DIRECT = citizen(To=IN).as_bytes()
FORWARD = forwarded(citizen())
BOUNCE = (MESSAGES / "bounce-postfix.eml").read_bytes()
ABOUT_OURS = Sent("<mailbridge.q3nT8xkJ0aWb5yZr@maville.be>".__eq__)


def login_mailbox(**values):
    """Return settings with the mailbox of a login address."""
    mailbox = ImapMailbox("login", address=LOGIN, role="login", **values)
    return replace(SETTINGS, imap_mailboxes={"login": mailbox})


def at_login(envelope=STRANGE):
    return replace(envelope, envelope_recipient=LOGIN)


def corpus(name):
    return (MESSAGES / f"{name}.eml").read_bytes()


def looped():
    message = citizen()
    message["X-Loop"] = IN
    message["Resent-From"] = "info@maville.test"
    return message.as_bytes()


def decision(raw, envelope=TRUSTED, settings=SETTINGS, sent=SENT, **options):
    return decide(parse(raw), envelope, settings, sent, **options)


#: Message, envelope, settings, what was sent, options → state, reason, proof, number of messages that are filed.
CASES = {
    "redirect": (redirected(), TRUSTED, SETTINGS, SENT, {}, ("filed", "", "gateway", 1)),
    "unproven redirect": (redirected(), STRANGE, SETTINGS, SENT, {}, ("quarantined", "unproven-redirect", None, 0)),
    "undeclared mailbox": (
        redirected(**{"To": "x@other.test", "Resent-From": "other@maville.test"}),
        TRUSTED, SETTINGS, SENT, {}, ("quarantined", "undeclared-mailbox", "gateway", 0),
    ),
    "forward": (FORWARD, TRUSTED, SETTINGS, SENT, {}, ("filed", "", "gateway", 1)),
    "forward of two": (
        forwarded(citizen(), citizen("Autre")), TRUSTED, SETTINGS, SENT, {}, ("filed", "", "gateway", 2),
    ),
    "unproven agent": (FORWARD, STRANGE, SETTINGS, SENT, {}, ("quarantined", "unproven-agent", None, 0)),
    "text forward": (TEXT_FORWARD, TRUSTED, SETTINGS, SENT, {}, ("quarantined", "inline-forward", "gateway", 0)),
    "text forward, to file": (
        TEXT_FORWARD, TRUSTED, replace(SETTINGS, inline_forward="file-proposal"), SENT, {}, ("filed", "", "gateway", 1),
    ),
    "direct": (DIRECT, TRUSTED, SETTINGS, SENT, {}, ("quarantined", "direct", "gateway", 0)),
    "direct with a row": (
        DIRECT, STRANGE, replace(SETTINGS, iemail_routing=(RoutingRow(forward="direct"),)), SENT, {},
        ("filed", "", None, 1),
    ),
    "reply": (
        citizen(**{"In-Reply-To": OURS, "To": IN}).as_bytes(), STRANGE, SETTINGS, SENT, {}, ("filed", "", None, 1),
    ),
    "report": (BOUNCE, STRANGE, SETTINGS, ABOUT_OURS, {}, ("recorded", "", None, 0)),
    "report of others": (BOUNCE, STRANGE, SETTINGS, NOTHING_SENT, {}, ("quarantined", "unmatched-report", None, 0)),
    "loop": (looped(), TRUSTED, SETTINGS, SENT, {}, ("quarantined", "loop", "gateway", 0)),
    "too many": (
        redirected(), TRUSTED, SETTINGS, SENT, {"too_many": "too-many"}, ("quarantined", "too-many", "gateway", 0),
    ),
    "too many replies": (
        citizen(**{"In-Reply-To": OURS, "To": IN}).as_bytes(), STRANGE, SETTINGS, SENT, {"too_many": "too-many-replies"},
        ("quarantined", "too-many-replies", None, 0),
    ),
    "encrypted": (
        corpus("redirect-encrypted-pgp").replace(b"contact@maville.be", b"info@maville.test"),
        TRUSTED, SETTINGS, SENT, {}, ("quarantined", "encrypted", "gateway", 0),
    ),
    "confirmation": (
        corpus("confirmation-gmail-fr"), TRUSTED, SETTINGS, SENT, {},
        ("quarantined", "forwarding-confirmation", "gateway", 0),
    ),
    "stand-in": (corpus("stand-in-exchange-imap"), TRUSTED, SETTINGS, SENT, {}, ("quarantined", "stand-in", "gateway", 0)),
    "too complex": (
        corpus("ten-thousand-headers"), TRUSTED, SETTINGS, SENT, {}, ("quarantined", "too-complex", "gateway", 0),
    ),
    "unreadable": (corpus("garbage"), TRUSTED, SETTINGS, SENT, {}, ("quarantined", "unreadable", "gateway", 0)),
    "no recipient": (
        redirected(), replace(TRUSTED, envelope_recipient=""), replace(SETTINGS, mailin_addresses={}), SENT, {},
        ("quarantined", "no-recipient", "gateway", 0),
    ),
    "the only address": (
        redirected(), replace(TRUSTED, envelope_recipient=""), SETTINGS, SENT, {}, ("filed", "", "gateway", 1),
    ),
    "secret address": (
        redirected(), replace(STRANGE, envelope_recipient=TAG),
        replace(SETTINGS, mailin_addresses={TAG: MailinAddress(TAG)}), SENT, {}, ("filed", "", "tag", 1),
    ),
    "secret address, not counted": (
        redirected(), replace(STRANGE, envelope_recipient=TAG),
        replace(SETTINGS, mailin_addresses={TAG: MailinAddress(TAG)}, proofs=frozenset({"gateway"})), SENT, {},
        ("quarantined", "unproven-redirect", None, 0),
    ),
    "gateway, not counted": (
        redirected(), TRUSTED, replace(SETTINGS, proofs=frozenset({"tag"})), SENT, {},
        ("quarantined", "unproven-redirect", None, 0),
    ),
    "own results": (
        b"Authentication-Results: mx.maville.test; dmarc=pass header.from=maville.test\n" + FORWARD,
        STRANGE, SETTINGS, SENT, {}, ("filed", "", "results", 1),
    ),
    "login address": (DIRECT, at_login(), login_mailbox(), SENT, {}, ("quarantined", "direct", None, 0)),
    "login address, to file": (DIRECT, at_login(), login_mailbox(new_mail="file"), SENT, {}, ("filed", "", None, 1)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_state_and_reason(name):
    raw, envelope, settings, sent, options, expected = CASES[name]
    found = decision(raw, envelope, settings, sent, **options)
    proof = found.proof and found.proof.value
    assert (found.state, found.reason, proof, len(found.to_file)) == expected


def test_every_reason_has_its_case():
    covered = {expected[1] for *_inputs, expected in CASES.values()}
    assert set(REASONS) - covered == {"filing-error"}, "only filing itself finds that"


def signed(raw, name="DKIM-Signature", value="v=1; d=maville.test; h=from:to:cc:content-type"):
    return f"{name}: {value}\n".encode() + raw


DKIM = Verdict("dkim", "pass", "maville.test")
ARC = Verdict("arc", "pass", "provider.test")
SEALED = signed(redirected(), "ARC-Seal", "i=1; d=provider.test")


@pytest.mark.parametrize(
    ("raw", "signatures", "expected"),
    [
        (signed(FORWARD), None, ("quarantined", None, True, False)),
        (signed(FORWARD), Signatures((DKIM,)), ("filed", "dkim", False, False)),
        (signed(FORWARD), Signatures((replace(DKIM, result="fail"),)), ("quarantined", None, False, False)),
        (signed(FORWARD), Signatures((replace(DKIM, domain="x.test"),)), ("quarantined", None, False, False)),
        (signed(FORWARD), Signatures((replace(DKIM, result="temperror"),)), ("quarantined", None, False, True)),
        (SEALED, None, ("quarantined", None, True, False)),
        (SEALED, Signatures(arc=ARC), ("filed", "arc", False, False)),
        (SEALED, Signatures(arc=replace(ARC, result="temperror")), ("quarantined", None, False, True)),
        (SEALED, Signatures(arc=replace(ARC, domain="x.test")), ("quarantined", None, False, False)),
        # nothing to ask about, or nobody would believe it
        (FORWARD, None, ("quarantined", None, False, False)),
        (signed(redirected(), value="v=1; d=citizen.test"), Signatures((DKIM,)), ("quarantined", None, False, False)),
    ],
)  # fmt: skip
def test_signatures(raw, signatures, expected):
    found = decision(raw, STRANGE, signatures=signatures)
    proof = found.proof and found.proof.value
    assert (found.state, proof, found.asks_signatures, found.unanswered) == expected


@pytest.mark.parametrize(
    ("names", "to", "cc", "proof"),
    [
        ("from:to:cc:content-type", IN, "", True),
        ("From : To : Content-Type", f"Al <{IN.upper()}>, x@citizen.test", "", True),
        ("from:to:cc:content-type", "x@citizen.test", "in+label@bridge.test", True),
        ("from:to:cc:content-type", "info@maville.test", "", True),
        ("from:cc:content-type", "x@citizen.test", IN, True),
        ("from:to:content-type", "x@citizen.test", IN, False),
        ("from:to:cc:content-type", "x@citizen.test", "", False),
        ("from:to:cc:content-type", f'"{IN}" <x@citizen.test>', "", False),
        ("from:to:cc:content-type", "in\N{RIGHT-TO-LEFT OVERRIDE}@bridge.test", "", False),
        ("from:content-type", IN, "", False),
        ("from:to:cc", IN, "", False),
        ("from:to:cc:x-content-type", IN, "", False),
        ("", IN, "", False),
    ],
)
@pytest.mark.parametrize("result", ["pass", "temperror"])
def test_agents_signature_proves_only_what_was_written_to_us(names, to, cc, proof, result):
    raw = FORWARD.replace(b"To: in@bridge.test", f"To: {to}\nCc: {cc}".encode())
    signatures = Signatures((replace(DKIM, result=result),))
    found = decision(signed(raw, value=f"v=1; d=maville.test; h={names}"), STRANGE, signatures=signatures)
    assert (found.proof is Proof.DKIM, found.unanswered) == (
        proof and result == "pass",
        proof and result == "temperror",
    )
    (verdict,) = [each for each in found.verdicts if each["method"] == "dkim"]
    assert verdict["result"] == (result if proof else "policy")
    assert bool(verdict["detail"]) is not proof


@pytest.mark.parametrize(
    ("sender", "signatures", "expected"),
    [
        ("al.bert@maville.test", None, (False, True, False)),
        ("al.bert@maville.test", Signatures((DKIM,)), (True, False, False)),
        ("al.bert@maville.test", Signatures((replace(DKIM, domain="x.test"),)), (False, False, False)),
        ("al.bert@maville.test", Signatures((replace(DKIM, result="temperror"),)), (False, False, True)),
        ("x@citizen.test", None, (False, False, False)),
    ],
)
def test_reply_of_an_agent_asks_for_the_agents_proof(sender, signatures, expected):
    raw = signed(citizen(**{"From": sender, "In-Reply-To": OURS, "To": IN}).as_bytes())
    found = decision(raw, STRANGE, sent=SENT, signatures=signatures)
    assert (found.state, found.found.transfer.value) == ("filed", "reply")
    assert (found.author_is_proven, found.asks_signatures, found.unanswered) == expected


@pytest.mark.parametrize(
    ("sender", "signatures", "expected"),
    [
        ("al.bert@maville.test", None, (False, True, False)),
        ("al.bert@maville.test", Signatures((DKIM,)), (True, False, False)),
        ("al.bert@maville.test", Signatures((replace(DKIM, domain="x.test"),)), (False, False, False)),
        ("x@citizen.test", None, (False, False, False)),
    ],
)
def test_redirect_proves_that_it_was_passed_on_and_not_that_an_agent_wrote_it(sender, signatures, expected):
    raw = signed(redirected(From=sender))
    found = decision(raw, TRUSTED, signatures=signatures)
    assert (found.state, found.found.transfer.value, found.proof) == ("filed", "redirect", Proof.GATEWAY)
    assert (found.author_is_proven, found.asks_signatures, found.unanswered) == expected


@pytest.mark.parametrize("by_agent", [True, False])
@pytest.mark.parametrize(
    ("headers", "signatures", "says"),
    [
        ({"Resent-From": "info@maville.test"}, None, True),
        ({"Resent-From": "info@maville.test"}, Signatures((DKIM,)), False),
        ({"In-Reply-To": OURS, "To": IN}, None, True),
        ({"In-Reply-To": OURS, "To": IN}, Signatures((DKIM,)), False),
    ],
)
def test_author_who_is_not_proven_is_evidence(headers, signatures, says, by_agent):
    sender = "al.bert@maville.test" if by_agent else "x@citizen.test"
    raw = signed(citizen(**{"From": sender, **headers}).as_bytes())
    arrived = TRUSTED if "Resent-From" in headers else STRANGE
    found = decision(raw, arrived, sent=SENT, signatures=signatures)
    assert found.state == "filed"
    seen = [each.saw for each in found.found.evidence if each.detector == "unproven-author"]
    assert seen == ([sender] if says and by_agent else [])


def test_seal_of_a_redirect_stays_beside_the_signature_of_its_author():
    raw = signed(redirected(From="al.bert@maville.test"), "ARC-Seal", "i=1; d=provider.test")
    raw = signed(raw)
    found = decision(raw, STRANGE, signatures=Signatures((DKIM,), ARC))
    assert (found.proof, found.author_is_proven) == (Proof.ARC, True)
    assert [each["method"] for each in found.verdicts] == ["gateway", "arc", "dkim"]
    own = signed(raw, "Authentication-Results", "mx.maville.test; dmarc=pass header.from=maville.test")
    values = replace(SETTINGS, proofs=SETTINGS.proofs | {"results"}, authserv_id="mx.maville.test")
    found = decision(own, STRANGE, values, signatures=Signatures((DKIM,), ARC))
    assert (found.proof, found.author_is_proven) == (Proof.ARC, True)
    assert [each["method"] for each in found.verdicts] == ["gateway", "arc", "dmarc"]


def test_author_that_a_group_rewrote_is_not_proven_by_the_group():
    group = {"From": "Al via Info <info@maville.test>", "X-Original-From": "Al <al.bert@maville.test>"}
    group["Mailing-List"] = "list info@maville.test; contact info+owners@maville.test"
    found = decision(signed(redirected(**group)), TRUSTED, signatures=Signatures((DKIM,)))
    assert found.candidates[0].original.author.addr_spec == "al.bert@maville.test"
    assert not found.author_is_proven


@pytest.mark.parametrize("change", [{"proofs": frozenset({"tag", "gateway"})}, {"arc_sealers": frozenset()}])
def test_signatures_that_nobody_believes_are_not_asked_about(change):
    assert not decision(SEALED, STRANGE, replace(SETTINGS, **change)).asks_signatures


def test_what_the_envelope_proves_asks_about_no_signatures():
    assert not decision(signed(FORWARD)).asks_signatures


def test_signatures_are_kept_in_plain_values():
    signatures = Signatures((DKIM, replace(DKIM, result="temperror", detail="x")), ARC)
    assert restored(stored(signatures)) == signatures
    assert restored(None) is None
    assert signatures.are_unanswered
    assert not Signatures((DKIM,), ARC).are_unanswered


def test_facts_and_route():
    rows = (RoutingRow(subject_pat="Autre"), RoutingRow(transfer_email_pat="al[.].+", tg_value="mayor"))
    settings = replace(SETTINGS, iemail_routing=rows, iemail_state_set=(StateRow(state_value="seen"),))
    (candidate,) = decision(FORWARD, settings=settings).candidates
    facts, route = candidate.facts, candidate.route
    assert (facts.forward, facts.transferred_by, facts.service) == ("agent", "al.bert@maville.test", "town")
    assert facts.author == Address("Jeanne Dupont", "jeanne.dupont@citizen.test")
    assert (route.row, route.tg_value, route.why_not) == (2, "mayor", ((1, "subject_pat"),))
    assert (route.state_row, route.state_value) == (1, "seen")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [(redirected(), ("server", "", "info@maville.test", "urbanism")), (DIRECT, ("direct", "", "", "town"))],
)
def test_facts_of_a_redirect_and_of_direct_mail(raw, expected):
    facts = decision(raw).candidates[0].facts
    assert (facts.forward, facts.transferred_by, facts.source_mailbox, facts.service) == expected


def test_routing_sees_the_address_without_its_secret_part():
    rows = (RoutingRow(recipient_pat=r"in@bridge\.test", tg_value="mayor"),)
    for recipient in (IN, TAG):
        envelope = replace(TRUSTED, envelope_recipient=recipient)
        candidate = decision(redirected(), envelope, replace(SETTINGS, iemail_routing=rows)).candidates[0]
        assert (candidate.facts.recipient, candidate.route.row) == (IN, 1)


def test_the_forwarder_is_told_where_the_settings_say_so():
    assert decision(TEXT_FORWARD).tell_forwarder
    assert not decision(TEXT_FORWARD, settings=replace(SETTINGS, ask_sender=False)).tell_forwarder
    assert not decision(DIRECT).tell_forwarder


@pytest.mark.parametrize("copies", [True, False])
def test_an_answer_at_the_login_address_is_copied(copies):
    raw = citizen(**{"In-Reply-To": OURS, "To": LOGIN}).as_bytes()
    found = decision(raw, at_login(), login_mailbox(copy_to_agent=copies))
    assert (found.state, found.copy_answer, found.found.answered) == ("filed", copies, OURS)


@pytest.mark.parametrize(
    ("raw", "sent", "new_mail", "expected"),
    [
        (DIRECT, SENT, "leave", True),
        (DIRECT, SENT, "quarantine", False),
        (DIRECT, SENT, "file", False),
        (BOUNCE, NOTHING_SENT, "leave", True),
        (BOUNCE, ABOUT_OURS, "leave", False),
        (citizen(**{"In-Reply-To": OURS}).as_bytes(), SENT, "leave", False),
        (citizen(**{"Message-ID": OURS}).as_bytes(), SENT, "file", True),
    ],
)
def test_what_a_login_address_has_no_use_for(raw, sent, new_mail, expected):
    found = decision(raw, at_login(), login_mailbox(new_mail=new_mail), sent)
    assert found.is_unrelated == expected


def test_only_a_login_address_leaves_mail():
    assert not decision(DIRECT).is_unrelated


def test_choice_of_a_person():
    message, choice = parse(FORWARD), Choice(sender=Address("", "x@y.test"), service="mayor")
    undecided = decide(message, STRANGE, SETTINGS, SENT)
    found = chosen(undecided, message, choice)
    assert (found.state, found.reason, found.to_file, found.choice) == (
        "filed",
        "",
        undecided.candidates,
        choice,
    )
    (as_it_came,) = chosen(undecided, message, Choice(as_="direct")).to_file
    assert (as_it_came.original.subject, as_it_came.facts.forward) == ("TR: à classer", "direct")


def test_date_without_a_zone_is_in_that_of_the_town_where_a_person_files_as_it_came():
    message = parse(b"From: x@y.test\nDate: 8 Jul 2026 09:12\nSubject: x\n\nx")
    found = chosen(
        decide(message, STRANGE, SETTINGS, SENT), message, Choice(as_="direct"), ZoneInfo("Europe/Lisbon")
    )
    (candidate,) = found.to_file
    assert candidate.original.date.isoformat() == "2026-07-08T09:12:00+01:00"
    assert candidate.facts.date == candidate.original.date


def test_choice_where_nothing_was_found():
    message = EmailMessage()
    message["From"] = "info@maville.test"
    message["X-MS-Exchange-Parent-Message-Id"] = "<x@y>"
    message.set_content("…")
    parsed = parse(message.as_bytes())
    undecided = decide(parsed, TRUSTED, SETTINGS, SENT)
    assert (undecided.reason, undecided.candidates) == ("inline-forward", ())
    (candidate,) = chosen(undecided, parsed, Choice()).to_file
    assert candidate.facts.service == "town"
