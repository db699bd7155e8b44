"""The proofs that file a message, with a real DNS server; each is accepted once and refused once."""

from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.transport import txt_lookup
from tests.mails import citizen
from tests.mails import forwarded
from tests.mails import redirected
from tests.mails import TRUSTED
from tests.message.signing import OWN
from tests.message.signing import sealed
from tests.message.signing import signed
from tests.servers.resolver import Resolver
import pytest
import transaction


UNTRUSTED = {**TRUSTED, "X-Client-Address": "203.0.113.5"}
TAG = "in+h7qm4tvx2kpzabcdefghj@bridge.test"


def proved(site, raw, **headers):
    record = site.receive(raw, **{"X-Client-Address": "203.0.113.5", **headers})
    return record.state, record.reason, record.proof


#: An agent answered a text that is no forward until somebody gives it another Content-Type, which was not signed.
ANSWER = (
    b"From: al.bert@maville.test\r\nTo: stranger@evil.test\r\nSubject: Re: x\r\nContent-Type: text/plain\r\n\r\n"
    b"Bonjour,\r\n\r\nBien re\xc3\xa7u.\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
    b"From: x@evil.test\r\nSubject: Facture\r\n\r\nPayez\r\n--b--\r\n"
)


def _with_other_parts(raw):
    return raw.replace(b"Content-Type: text/plain", b"Content-Type: multipart/mixed; boundary=b")


FORWARD = forwarded(citizen()).replace(b"\n", b"\r\n")
REDIRECT = redirected().replace(b"\n", b"\r\n")


TO_OTHER = FORWARD.replace(b"To: in@bridge.test", b"To: x@evil.test")


def test_agents_signature_files_the_forward(site, dns):
    assert proved(site, signed(FORWARD)) == ("filed", "", "dkim")
    (record,) = inbox().records.values()
    assert {"method": "dkim", "result": "pass", "about": "maville.test", "detail": ""} in record.verdicts


def test_line_ends_of_postfix_do_not_break_it(site, dns):
    assert proved(site, signed(FORWARD).replace(b"\r\n", b"\n")) == ("filed", "", "dkim")


def test_signature_of_the_author_proves_no_redirect(site, dns):
    assert proved(site, signed(REDIRECT)) == ("quarantined", "unproven-redirect", "")


def test_seal_of_a_listed_provider_files_the_redirect(site, dns):
    assert proved(site, sealed(REDIRECT)) == ("filed", "", "arc")


def test_own_server_files_the_forward(site, dns):
    assert proved(site, OWN + FORWARD) == ("filed", "", "results")


def test_own_server_proves_no_redirect(site, dns):
    assert proved(site, OWN + REDIRECT) == ("quarantined", "unproven-redirect", "")


def test_secret_address_files_both(site, dns):
    stored_settings().mailin_addresses = [
        {"address": "in@bridge.test", "service": None, "mailbox": None},
        {"address": TAG, "service": None, "mailbox": None},
    ]
    transaction.commit()
    tag = {"X-Envelope-Recipient": TAG}
    assert proved(site, FORWARD, **tag) == ("filed", "", "tag")
    assert proved(site, redirected("Autre"), **tag) == ("filed", "", "tag")


@pytest.mark.parametrize(
    ("change", "raw"),
    [
        ({}, lambda: FORWARD),
        ({}, lambda: signed(FORWARD, domain=b"other.test")),
        ({}, lambda: signed(FORWARD).replace(b"citizen.test", b"citizem.test")),
        ({}, lambda: signed(FORWARD, signature_algorithm=b"rsa-sha1")),
        ({}, lambda: b"From: al.bert@maville.test\r\n" + signed(FORWARD)),
        ({"dkim_alignment": "strict"}, lambda: signed(FORWARD, domain=b"mail.maville.test")),
        ({"proofs": ["tag", "gateway", "arc", "results"]}, lambda: signed(FORWARD)),
        ({"proofs": ["tag", "gateway", "arc", "dkim"]}, lambda: OWN + FORWARD),
        ({"proofs": ["tag", "gateway"]}, lambda: sealed(FORWARD)),
        ({"arc_sealers": []}, lambda: sealed(FORWARD)),
        ({"arc_sealers": ["other.test"]}, lambda: sealed(FORWARD)),
        ({"authserv_id": None}, lambda: OWN + FORWARD),
        ({"authserv_id": "mx.other.test"}, lambda: OWN + FORWARD),
        ({}, lambda: b"Received: from x by mx.evil.test with SMTP\r\n" + OWN + FORWARD),
        ({}, lambda: OWN.replace(b"dmarc=pass", b"dmarc=fail") + FORWARD),
        ({}, lambda: OWN.replace(b"header.from=maville.test", b"header.from=evil.test") + FORWARD),
        ({}, lambda: OWN.replace(b"dmarc=pass", b"spf=pass") + FORWARD),
        ({}, lambda: OWN.replace(b"mx.maville", "mx.\u202amaville".encode()) + FORWARD),
        # a signed mail of the agent to somebody else, who hands it over
        ({}, lambda: signed(TO_OTHER)),
        (
            {},
            lambda: (
                b"Cc: in@bridge.test\r\n"
                + signed(TO_OTHER, include_headers=[b"from", b"to", b"content-type"])
            ),
        ),
        ({}, lambda: signed(FORWARD, include_headers=[b"from", b"content-type"])),
        ({}, lambda: signed(FORWARD, include_headers=[b"from", b"to"])),
        ({}, lambda: OWN + FORWARD.replace(b"From: Al Bert", b"From: x@evil.test")),
        # a seal of a listed provider, who sealed what another customer wrote in the agent's name
        ({}, lambda: sealed(FORWARD, verified=b"evil.test")),
        ({}, lambda: b"Subject: another\r\n" + signed(FORWARD)),
        ({}, lambda: b"From: al.bert@maville.test\r\n" + OWN + FORWARD),
        ({}, lambda: signed(FORWARD.replace(b"maville.test>", b"maville.test>, x@evil.test", 1))),
        (
            {},
            lambda: _with_other_parts(
                signed(
                    ANSWER.replace(b"stranger@evil.test", b"in@bridge.test"), include_headers=[b"from", b"to"]
                )
            ),
        ),
    ],
)
def test_what_does_not_prove_an_agent(site, dns, change, raw):
    for name, value in change.items():
        setattr(stored_settings(), name, value)
    transaction.commit()
    assert proved(site, raw()) == ("quarantined", "unproven-agent", "")


def test_subdomain_counts_when_relaxed(site, dns):
    assert proved(site, signed(FORWARD, domain=b"mail.maville.test")) == ("filed", "", "dkim")


@pytest.mark.parametrize(
    ("proof_off", "headers"), [("gateway", {"X-Client-Address": "127.0.0.1"}), ("tag", {})]
)
def test_envelope_proofs_can_be_switched_off(site, dns, proof_off, headers):
    values = stored_settings()
    values.mailin_addresses = [{"address": TAG, "service": None, "mailbox": None}]
    values.proofs = [name for name in ("gateway", "arc", "dkim") if name != proof_off]
    transaction.commit()
    assert proved(site, FORWARD, **{"X-Envelope-Recipient": TAG}, **headers)[1] == "unproven-agent"


def test_silent_dns_puts_the_message_off(site, dns):
    with Resolver() as silent:
        silent.answer = lambda data, stream=False: b""
        stored_settings().dns_resolver = silent.address
        transaction.commit()
        lookup_time, txt_lookup.DNS_TIME = txt_lookup.DNS_TIME, 0.3
        try:
            assert proved(site, signed(FORWARD)) == ("received", "", "")
            # nothing was signed: nothing to wait for
            assert proved(site, forwarded(citizen("Autre"))) == ("quarantined", "unproven-agent", "")
        finally:
            txt_lookup.DNS_TIME = lookup_time
    stored_settings().dns_resolver = dns.address
    transaction.commit()
    (record,) = [inbox().records[id] for id in inbox().newest_ids("received")]
    site.task("@@mailbridge-process", id=record.id)
    assert (record.state, record.proof, record.not_before) == ("filed", "dkim", None)


def test_silent_dns_of_others_is_not_waited_for(site, dns):
    with Resolver() as silent:
        silent.answer = lambda data, stream=False: b""
        stored_settings().dns_resolver = silent.address
        stored_settings().arc_sealers = ["other.test"]
        transaction.commit()
        lookup_time, txt_lookup.DNS_TIME = txt_lookup.DNS_TIME, 0.3
        try:
            raw = sealed(signed(FORWARD, domain=b"evil.test"))
            assert proved(site, raw) == ("quarantined", "unproven-agent", "")
        finally:
            txt_lookup.DNS_TIME = lookup_time


def test_domain_that_is_no_name_does_not_exist(site, dns):
    raw = signed(FORWARD).replace(b"d=maville.test", b"d=" + b"a" * 70 + b".maville.test")
    assert proved(site, raw) == ("quarantined", "unproven-agent", "")


def test_proven_mail_asks_no_dns(site, monkeypatch):
    monkeypatch.setattr(txt_lookup.TxtLookup, "_ask", lambda *args: 1 / 0)
    stored_settings().arc_sealers = ["provider.test"]
    transaction.commit()
    assert proved(site, signed(FORWARD), **{"X-Client-Address": "127.0.0.1"}) == ("filed", "", "gateway")


def test_setting_that_only_the_registry_editor_takes_stops_no_mail(site):
    """plone.registry drops the constraints of its fields; the REST service and the control panel keep them."""
    values = stored_settings()
    values.agent_patterns = ["(", r".+@maville\.test"]
    values.trusted_gateways = ["nonsense", "127.0.0.0/8"]
    transaction.commit()
    assert proved(site, FORWARD, **{"X-Client-Address": "127.0.0.1"}) == ("filed", "", "gateway")
