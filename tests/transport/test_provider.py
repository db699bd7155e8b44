"""A provider is recognised from DNS alone, each conclusion says where from, and nothing is claimed that DNS does not say."""

from imio.mailbridge.diagnosis.bounds import Deadline
from imio.mailbridge.diagnosis.dialogue import Dialogue
from imio.mailbridge.diagnosis.dns import Lookup
from imio.mailbridge.diagnosis.provider import recognise
from imio.mailbridge.diagnosis.provider import Recognised
from imio.mailbridge.diagnosis.provider import Server
from imio.mailbridge.settings.providers import provider
from imio.mailbridge.settings.providers import PROVIDERS
from pathlib import Path
from tests.servers.resolver import Resolver
from zope.i18n import interpolate
import pytest
import re


TOWN = "maville.test"
OUTLOOK = {("maville.test", "MX"): ["0 maville-test.mail.protection.outlook.com."]}
FILTER = {("maville.test", "MX"): ["10 mx1-eu1.ppe-hosted.com.", "20 mx2-eu1.ppe-hosted.com."]}
OWN = {("maville.test", "MX"): ["10 mail.maville.test."]}
TO_OUTLOOK = {("autodiscover.maville.test", "CNAME"): ["autodiscover.outlook.com."]}


def said(records, domain=TOWN):
    """Return what is recognised, and its sentences as one text."""
    with Resolver(records) as server:
        found = recognise(domain, Lookup(server.address, Deadline(30), Dialogue()))
    return found, " | ".join(interpolate(each, each.mapping) for each in found.sources)


def spf(text):
    return {("maville.test", "TXT"): [text]}


@pytest.mark.parametrize(
    ("records", "name", "words"),
    [
        (OUTLOOK, "microsoft365", "MX record of maville.test is maville-test.mail.protection.outlook.com."),
        ({("maville.test", "MX"): ["0 maville-test.o-v1.mx.microsoft."]}, "microsoft365", "mx.microsoft"),
        ({("maville.test", "MX"): ["1 SMTP.GOOGLE.COM."]}, "google", "is smtp.google.com."),
        ({("maville.test", "MX"): ["5 alt1.aspmx.l.google.com.", "1 aspmx.l.google.com."]}, "google", "is aspmx.l"),
        ({("maville.test", "MX"): ["1 mail.protection.outlook.com.evil.test."]}, "", "evil.test"),
        ({("maville.test", "MX"): ["5 gmail-smtp-in.l.google.com."]}, "", "gmail-smtp-in"),
        (FILTER, "", "Proofpoint, a filter"),
        (FILTER | TO_OUTLOOK, "microsoft365", "leads to autodiscover.outlook.com"),
        (FILTER | spf("v=spf1 include:spf.protection.outlook.com -all"), "microsoft365", "includes spf.protection"),
        (FILTER | spf("v=spf1 include:_spf.google.com include:spf.protection.outlook.com -all"), "", "contradict"),
        (FILTER | TO_OUTLOOK | spf("v=spf1 include:_spf.google.com -all"), "microsoft365", "autodiscover"),
        (OWN | spf("v=spf1 include:spf.protection.outlook.com -all"), "", "is mail.maville.test"),
        (OUTLOOK | {("maville.test", "MX"): ["1 aspmx.l.google.com."]} | TO_OUTLOOK, "", "contradict"),
        ({("maville.test", "MX"): ["1 aspmx.l.google.com.", "9 x.mail.protection.outlook.com."]}, "", "contradict"),
        (OWN | {("autodiscover.maville.test", "A"): ["192.0.2.1"]}, "exchange", "of your own: perhaps Exchange"),
        (OWN | {("autodiscover.maville.test", "CNAME"): ["mail.maville.test."]}, "exchange", "perhaps Exchange"),
        (OWN | {("_autodiscover._tcp.maville.test", "SRV"): ["0 0 443 mail.maville.test."]}, "exchange", "perhaps"),
        (
            OWN
            | {("autodiscover.maville.test", "A"): ["192.0.2.1"], ("autoconfig.maville.test", "A"): ["192.0.2.1"]},
            "",
            "is mail.maville.test",
        ),
        (OWN | {("autodiscover.maville.test", "CNAME"): ["autodiscover.host.example."]}, "", "leads to autodiscover.host"),
        (OUTLOOK | {("autodiscover.maville.test", "A"): ["192.0.2.1"]}, "", "contradict"),
        ({("maville.test", "MX"): ["10 zimbra.maville.test."]}, "zimbra", "suggests Zimbra; DNS does not prove it"),
        ({("maville.test", "MX"): ["10 mta.bluemind.example."]}, "bluemind", "suggests BlueMind"),
        (
            {("maville.test", "MX"): ["10 zimbra.maville.test."], ("autodiscover.maville.test", "A"): ["192.0.2.1"]},
            "zimbra",
            "suggests Zimbra",
        ),
        ({("maville.test", "MX"): ["0 ."]}, "", "accepts no mail"),
        ({}, "", "no MX record"),
    ],
)  # fmt: skip
def test_who_it_is_and_where_from(records, name, words):
    found, text = said(records)
    assert (found.provider, words in text) == (name, True), text
    assert found.answered
    assert "${" not in text


@pytest.mark.parametrize(
    ("records", "smtp", "imap", "words"),
    [
        (
            {
                ("_submission._tcp.maville.test", "SRV"): ["20 0 587 b.maville.test.", "10 0 587 a.maville.test."],
                ("_imap._tcp.maville.test", "SRV"): ["0 1 143 light.maville.test.", "0 9 143 heavy.maville.test."],
            },
            Server("a.maville.test", 587, "starttls"),
            Server("heavy.maville.test", 143, "starttls"),
            "_submission._tcp.maville.test names a.maville.test, port 587.",
        ),
        (
            {
                ("_submissions._tcp.maville.test", "SRV"): ["0 1 465 mail.maville.test."],
                ("_submission._tcp.maville.test", "SRV"): ["0 1 587 mail.maville.test."],
                ("_imaps._tcp.maville.test", "SRV"): ["10 1 993 mail.maville.test."],
                ("_imap._tcp.maville.test", "SRV"): ["0 1 143 mail.maville.test."],
            },
            Server("mail.maville.test", 465, "tls"),
            Server("mail.maville.test", 143, "starttls"),
            "port 465",
        ),
        (
            {
                ("_submissions._tcp.maville.test", "SRV"): ["0 0 0 ."],
                ("_imaps._tcp.maville.test", "SRV"): ["0 0 0 ."],
            },
            None,
            None,
            "_imaps._tcp.maville.test says that this is not offered.",
        ),
    ],
)  # fmt: skip
def test_servers(records, smtp, imap, words):
    found, text = said(OWN | records)
    assert (found.smtp, found.imap) == (smtp, imap)
    assert words in text


HOSTILE = [
    "",
    "10",
    "x y",
    "10 <script>.mail.protection.outlook.com",
    "-1 aspmx.l.google.com.",
    "٣ aspmx.l.google.com.",
    "10 a\\032b.aspmx.l.google.com.",
    "0 0 70000 smtp.google.com.",
    "0 0 0 mail.maville.test.",
    "x" * 70000,
    "10 " + "a." * 300,
]


def test_hostile_answers():
    answers = HOSTILE + [f"{number} mx{number}.maville.test." for number in range(1000)]
    found = recognise(TOWN, lambda name, kind: answers)
    assert (found.provider, found.smtp, found.imap, found.answered) == ("", None, None, True)
    assert len(found.sources) < 10
    assert all(len(interpolate(each, each.mapping)) < 700 for each in found.sources)


@pytest.mark.parametrize(
    "domain", ["", ".", "x", "a b.test", "a..test", "\ud800.be", "x" * 300 + ".be", "a\r\n.be"]
)
def test_what_is_no_domain_is_not_asked_for(domain):
    def refuse(name, kind):
        raise AssertionError(name)

    assert recognise(domain, refuse) == Recognised()


def test_a_domain_with_accents():
    found, text = said({("xn--lige-6oa.test", "MX"): ["1 smtp.google.com."]}, "Liège.test")
    assert (found.provider, "xn--lige-6oa.test" in text) == ("google", True)


def test_no_server_answers():
    found = recognise(TOWN, Lookup("127.0.0.1:9", Deadline(1), Dialogue()))
    assert found == Recognised(answered=False)


def test_each_provider_says_how_one_logs_in():
    assert [each.name for each in PROVIDERS] == [
        "microsoft365",
        "google",
        "exchange",
        "zimbra",
        "bluemind",
        "own",
    ]
    for each in PROVIDERS:
        assert each.logins[0].advised
        assert {way.kind for way in each.logins} <= {"password", "oauth2"}
        assert each.preset is not None
        assert each.preset.values["auth"] == each.logins[0].kind
    assert provider("nobody") is None


def test_the_guides_say_the_same_dates():
    note = provider("microsoft365").logins[1].note
    guide = " ".join(Path("docs/guides/en/microsoft-365.rst").read_text("utf-8").split())
    dates = re.findall(r"(?:\d\d )?(?:end of|half of|November|December)(?: \w+)? \d{4}", note)
    assert len(dates) == 3
    assert [date for date in dates if date not in guide] == []
