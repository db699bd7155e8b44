"""Whether SPF, DKIM and DMARC will hold: many towns as small zones, what each sender policy comes to, and what is to be entered."""

from datetime import datetime
from datetime import UTC
from imio.mailbridge.diagnosis.bounds import Deadline
from imio.mailbridge.diagnosis.dialogue import Dialogue
from imio.mailbridge.diagnosis.dns import Lookup
from imio.mailbridge.diagnosis.dns import Unreachable
from imio.mailbridge.diagnosis.dns_entries import entries
from imio.mailbridge.diagnosis.forecast import advised_policy
from imio.mailbridge.diagnosis.forecast import Case
from imio.mailbridge.diagnosis.forecast import failing
from imio.mailbridge.diagnosis.forecast import forecast
from imio.mailbridge.diagnosis.knowledge import Returned
from imio.mailbridge.diagnosis.returned import Shown
from imio.mailbridge.diagnosis.returned import shown_by
from tests.servers.resolver import Resolver
from zope.i18n import interpolate
import pytest


MICROSOFT, OWN = "smtp.office365.com", "mail.maville.test"
KEY = ["v=DKIM1; k=rsa; p=" + "A" * 230]
#: A town that has all that Microsoft 365 wants.
ZONE = {
    ("maville.test", "MX"): ["0 mail.maville.test."],
    ("mail.maville.test", "A"): ["192.0.2.7"],
    ("maville.test", "TXT"): ["v=spf1 include:spf.protection.outlook.com -all"],
    ("spf.protection.outlook.com", "TXT"): ["v=spf1 ip4:203.0.113.0/24 -all"],
    ("selector1._domainkey.maville.test", "TXT"): KEY,
    ("_dmarc.maville.test", "TXT"): ["v=DMARC1; p=reject"],
}


def zone(spf=None, dmarc=None, key=True, **more):
    """Return a zone with another SPF and DMARC record of maville.test, or without DKIM."""
    changed = dict(ZONE)
    if spf is not None:
        changed["maville.test", "TXT"] = spf if isinstance(spf, list) else [spf]
    if dmarc is not None:
        changed["_dmarc.maville.test", "TXT"] = [dmarc] if dmarc else []
    if not key:
        del changed["selector1._domainkey.maville.test", "TXT"]
    return changed | more


def told(records, host=MICROSOFT, case=None, **options):
    """Return the forecast of a case, by default of an agent who sends."""
    with Resolver(records) as server:
        lookup = Lookup(server.address, Deadline(30), Dialogue())
        return forecast(
            case or Case.of("send_as", "al@maville.test", "al@maville.test"), host, lookup, **options
        )


def words(*sentences):
    return " | ".join(interpolate(each, getattr(each, "mapping", None)) for each in sentences)


P, F, U = "passes", "fails", "unknown"
STRICT = "v=DMARC1; p=reject; aspf=s; adkim=s"


@pytest.mark.parametrize(
    ("records", "host", "verdicts", "says"),
    [
        (ZONE, MICROSOFT, (P, P, P), "SPF allows Microsoft 365 to send for maville.test."),
        (zone(key=False), MICROSOFT, (P, F, P), "none of the keys that Microsoft 365 signs with (selector1, selector2)"),
        (zone("v=spf1 mx -all"), MICROSOFT, (F, P, P), "include:spf.protection.outlook.com is missing"),
        (zone("v=spf1 mx -all", key=False), MICROSOFT, (F, F, F), "asks receivers to refuse such mail"),
        (zone("v=spf1 mx -all", "v=DMARC1; p=quarantine", False), MICROSOFT, (F, F, F), "to treat such mail as spam"),
        (zone("v=spf1 mx -all", "v=DMARC1; p=none", False), MICROSOFT, (F, F, F), "asks for nothing yet"),
        (zone("v=spf1 mx -all", "v=DMARC1; p=reject; pct=0", False), MICROSOFT, (F, F, F), "to treat such mail as spam"),
        (zone("v=spf1 mx -all", "", False), MICROSOFT, (F, F, U), "has no DMARC record"),
        (zone("v=spf1 mx -all", "v=DMARC1; p=maybe", False), MICROSOFT, (F, F, U), "cannot be read"),
        (zone([]), MICROSOFT, (F, P, P), "maville.test has no SPF record"),
        (zone(["v=spf1 -all", "v=spf1 ~all"]), MICROSOFT, (F, P, P), "several SPF records"),
        (zone("v=spf1 bogus include:spf.protection.outlook.com -all"), MICROSOFT, (F, P, P), "cannot read: bogus"),
        (zone("v=spf1 " + "mx " * 10 + "include:spf.protection.outlook.com -all"), MICROSOFT, (F, P, P), "11 look-ups"),
        (zone("v=spf1 mx -all", key=False), OWN, (P, U, P), "allows mail.maville.test, as long as mail leaves from there"),
        (zone("v=spf1 ip4:192.0.2.0/29 -all", key=False), OWN, (P, U, P), "DMARC passes, by SPF of maville.test"),
        (zone("v=spf1 ip4:192.0.2.99 -all"), OWN, (U, U, U), "only a test message shows whether the server signs"),
        (zone("v=spf1 ip4:192.0.2.99 -all", key=False), OWN, (U, U, U), "depends on a signature"),
        (
            zone(key=False) | {("selector1._domainkey.maville.test", "TXT"): ["v=DKIM1; p="]},
            MICROSOFT,
            (P, F, P),
            "the key of the selector selector1 cannot be used",
        ),
        ({}, MICROSOFT, (F, F, U), "has no SPF record"),
    ],
)  # fmt: skip
def test_what_receivers_will_find(records, host, verdicts, says):
    found = told(records, host)
    parts = (found.spf, found.dkim, found.dmarc)
    assert (tuple(each.verdict for each in parts), says in words(*(each.sentence for each in parts))) == (
        verdicts,
        True,
    ), found


SUB = {
    ("sub.maville.test", "TXT"): ["v=spf1 include:spf.protection.outlook.com -all"],
    ("town.example", "TXT"): ["v=spf1 include:spf.protection.outlook.com -all"],
}


@pytest.mark.parametrize(
    ("author", "envelope", "dmarc", "verdict", "demand"),
    [
        ("maville.test", "maville.test", STRICT, P, "reject"),
        ("maville.test", "sub.maville.test", "v=DMARC1; p=reject", P, "reject"),
        ("maville.test", "sub.maville.test", STRICT, F, "reject"),
        ("maville.test", "town.example", "v=DMARC1; p=quarantine", F, "quarantine"),
        ("sub.maville.test", "sub.maville.test", "v=DMARC1; p=reject; sp=none", P, "none"),
        ("sub.maville.test", "town.example", "v=DMARC1; p=none; sp=reject", F, "reject"),
    ],
)
def test_domains_that_fit_together(author, envelope, dmarc, verdict, demand):
    found = told(zone(dmarc=dmarc, key=False) | SUB, case=Case("send_as", author, envelope))
    assert (found.dmarc.verdict, found.demand) == (verdict, demand), found


def test_a_selector_that_the_admin_knows():
    records = zone("v=spf1 -all") | {("k9._domainkey.maville.test", "TXT"): KEY}
    assert told(records, OWN, selector="k9").dkim.verdict == "passes"
    assert told(records, OWN, selector="k8").dkim.verdict == "unknown"


class Then(Returned):
    time = "24/11/2026"


def returned(**values):
    shown = {"signers": (), "server": "mx.citizen.test", "envelope": "", "spf": "", "dkim": ()} | values
    outside, newer = shown.pop("outside", True), shown.pop("newer", True)
    mail = Then(datetime(2026, 11, 24, tzinfo=UTC), outside, newer, **shown)
    return lambda host, author: mail


@pytest.mark.parametrize(
    ("records", "host", "mail", "verdicts"),
    [
        (zone([], key=False), OWN, {"signers": ("maville.test",)}, (F, P, P)),
        (zone([], key=False), OWN, {"signers": ("maville.onmicrosoft.com",)}, (F, F, F)),
        (zone([], key=False), OWN, {"signers": ("maville.onmicrosoft.com",), "outside": False}, (F, U, U)),
        (zone([], key=False), OWN, {"signers": ("maville.test",), "dkim": (("fail", "maville.test"),)}, (F, F, F)),
        (zone([], key=False), OWN, {"dkim": (("pass", "sub.maville.test"),)}, (F, P, P)),
        (zone([], STRICT, key=False), OWN, {"dkim": (("pass", "sub.maville.test"),)}, (F, F, F)),
        (zone("v=spf1 ip4:192.0.2.99 -all"), OWN, {"spf": "pass", "envelope": "maville.test"}, (P, F, P)),
        (zone("v=spf1 ip4:192.0.2.99 -all"), OWN, {"spf": "pass", "envelope": "other.test"}, (U, F, F)),
        (ZONE, MICROSOFT, {"spf": "fail", "envelope": "maville.test"}, (F, F, F)),
        (ZONE, MICROSOFT, {"spf": "fail", "envelope": "maville.test", "newer": False}, (P, P, P)),
    ],
)  # fmt: skip
def test_what_a_test_message_showed(records, host, mail, verdicts):
    found = told(records, host, returned=returned(**mail))
    told_of = tuple(each.verdict for each in (found.spf, found.dkim, found.dmarc))
    if verdicts[:2] == (U, F):  # SPF may still hold
        assert told_of == (U, F, U)
    else:
        assert told_of == verdicts, found


def test_dns_that_does_not_answer():
    def silent(name, kind):
        raise Unreachable

    found = forecast(Case("login", "maville.test", "maville.test"), OWN, silent)
    assert {each.verdict for each in (found.spf, found.dkim, found.dmarc)} == {"unknown"}
    assert "DNS did not answer for maville.test." in words(found.dmarc.sentence)


GOOD, BAD = ZONE, zone("v=spf1 -all", key=False)


@pytest.mark.parametrize(
    ("login", "agent", "preferred", "advised"),
    [
        (GOOD, GOOD, "login", "login"),
        (GOOD, GOOD, "auto", "auto"),
        (GOOD, BAD, "send_as", "login"),
        (GOOD, BAD, "auto", "login"),
        (BAD, GOOD, "login", "send_as"),
        (BAD, GOOD, "auto", "send_as"),
        (BAD, BAD, "login", ""),
    ],
)
def test_no_policy_that_must_fail_is_proposed(login, agent, preferred, advised):
    found = [
        told(records, case=Case(policy, "maville.test", "maville.test"))
        for policy, records in (("login", login), ("send_as", agent))
    ]
    assert advised_policy(found, preferred) == advised
    assert (failing(found, "auto") is None) == (login is GOOD and agent is GOOD)
    assert advised_policy([], preferred) == preferred


def entered(records, host=MICROSOFT, reports="", domain="maville.test"):
    with Resolver(records) as server:
        lookup = Lookup(server.address, Deadline(30), Dialogue())
        cases = [Case(policy, domain, domain) for policy in ("login", "send_as")]
        return entries([forecast(case, host, lookup) for case in cases], host, lookup, reports)


LONG = "v=spf1 " + " ".join(f"ip4:192.0.2.{number}" for number in range(20)) + " -all"


@pytest.mark.parametrize(
    ("records", "host", "expected"),
    [
        (ZONE, MICROSOFT, []),
        (
            zone("v=spf1 mx ip4:192.0.2.0/24 -all"),
            MICROSOFT,
            [("maville.test", "TXT", "v=spf1 mx ip4:192.0.2.0/24 include:spf.protection.outlook.com -all")],
        ),
        (zone([]), MICROSOFT, [("maville.test", "TXT", "v=spf1 include:spf.protection.outlook.com ~all")]),
        (
            zone(["v=spf1 mx -all", "v=spf1 a -all"]),
            MICROSOFT,
            [("maville.test", "TXT", "v=spf1 a mx include:spf.protection.outlook.com ~all")],
        ),
        (zone("v=spf1 " + " ".join(f"a:a{n}.test" for n in range(10)) + " -all"), MICROSOFT, [("", "", "")]),
        (
            zone(dmarc="", key=False),
            MICROSOFT,
            [
                ("selector1._domainkey.maville.test", "CNAME", ""),
                ("selector2._domainkey.maville.test", "CNAME", ""),
                ("_dmarc.maville.test", "TXT", "v=DMARC1; p=none"),
            ],
        ),
        (zone(dmarc="v=DMARC1; p=maybe"), MICROSOFT, [("_dmarc.maville.test", "TXT", "v=DMARC1; p=none")]),
        (zone([], key=False), OWN, [("", "", ""), ("", "", "")]),
    ],
)  # fmt: skip
def test_what_is_to_be_entered(records, host, expected):
    assert [(each.name, each.kind, each.value) for each in entered(records, host)] == expected


def test_a_long_record_to_enter_is_in_strings():
    (entry,) = entered(zone(LONG[:200] + '" "' + LONG[200:]))
    assert entry.value.startswith('"v=spf1 ip4:192.0.2.0 ')
    assert all(len(each) <= 255 for each in entry.value.strip('"').split('" "'))
    assert entry.value.replace('" "', "").endswith('include:spf.protection.outlook.com -all"')


@pytest.mark.parametrize(
    ("reports", "names"),
    [
        ("d@sub.maville.test", ["_dmarc.maville.test"]),
        ("d@reports.example", ["_dmarc.maville.test", "maville.test._report._dmarc.reports.example"]),
    ],
)
def test_reports_go_where_the_admin_says(reports, names):
    found = entered(zone(dmarc=""), reports=reports)
    assert [each.name for each in found] == names
    assert found[0].value == f"v=DMARC1; p=none; rua=mailto:{reports}"


def test_the_record_of_a_subdomain_is_that_of_the_domain():
    (entry,) = [each for each in entered(SUB, domain="sub.maville.test") if each.name.startswith("_dmarc")]
    assert entry.name == "_dmarc.maville.test"


HEADER = b"""Received: from b.eurprd04.prod.outlook.com by a.eurprd04.prod.outlook.com with HTTPS; Tue, 24 Nov 2026 09:00:00 +0000
Authentication-Results: spf=pass (sender IP is 192.0.2.7)
 smtp.mailfrom=maville.test; dkim=pass (signature was verified)
 header.d=maville.test;dmarc=pass action=none header.from=maville.test;
Received: from mail.maville.test (192.0.2.7) by c.mail.protection.outlook.com with Microsoft SMTP Server
DKIM-Signature: v=1; a=rsa-sha256; d=maville.test; s=k9;
 h=From:Subject; bh=x; b=y
From: Al <al@Maville.test>
Subject: test

"""


def test_a_header_that_came_back():
    expected = Shown(
        "maville.test", ("maville.test",), "outlook.com", "maville.test", "pass", (("pass", "maville.test"),)
    )
    assert shown_by(HEADER) == expected
    named = HEADER.replace(b"Results: ", b"Results: mx.citizen.test; ")
    assert shown_by(named).server == "", "a server of another organization passed it on"
    named = named.replace(b"a.eurprd04.prod.outlook.com", b"imap.citizen.test")
    assert (shown_by(named).server, shown_by(named).spf) == ("mx.citizen.test", "pass")


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"\0" * 100,
        b"From: \xff\r\nDKIM-Signature: d=<script>; d=x\r\nAuthentication-Results: ;;;\r\n\r\n",
        b"From: a@" + b"x" * 400 + b".be\r\n\r\n",
        b"Authentication-Results: (((((\r\n" * 50 + b"\r\n",
        b"DKIM-Signature: d=maville.test\r\n" * 1000 + b"\r\n",
    ],
)
def test_a_hostile_header_shows_little(header):
    shown = shown_by(header)
    assert (shown.server, shown.spf, shown.dkim) == ("", "", ())
    assert len(shown.signers) <= 10
    assert not any("<" in each for each in shown.signers)
