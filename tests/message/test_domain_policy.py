"""SPF, DKIM and DMARC records as towns really write them."""

from imio.mailbridge.message.authentication.domain_policy import aligned
from imio.mailbridge.message.authentication.domain_policy import dkim_key
from imio.mailbridge.message.authentication.domain_policy import Dmarc
from imio.mailbridge.message.authentication.domain_policy import organizational_domain
from imio.mailbridge.message.authentication.domain_policy import provider_of
from imio.mailbridge.message.authentication.domain_policy import read_dmarc
from imio.mailbridge.message.authentication.domain_policy import read_spf
from imio.mailbridge.message.authentication.domain_policy import spf_allows
from imio.mailbridge.message.authentication.domain_policy import spf_records
from imio.mailbridge.message.authentication.domain_policy import spf_tree
from imio.mailbridge.message.authentication.domain_policy import spf_with
from imio.mailbridge.message.authentication.domain_policy import txt_value
import pytest


@pytest.mark.parametrize(
    ("text", "is_spf"),
    [
        ("v=spf1 -all", True),
        ("v=spf1", True),
        ("V=SPF1 a", True),
        ("v=spf10 a", False),
        ("google-site-verification=v=spf1", False),
        ("v=spf2.0/pra -all", False),
    ],
)
def test_which_records_are_spf(text, is_spf):
    assert bool(spf_records([text])) == is_spf


@pytest.mark.parametrize(
    ("text", "rest", "followed", "lookups", "unknown"),
    [
        ("v=spf1 include:spf.protection.outlook.com -all", "-", ("spf.protection.outlook.com",), 1, ()),
        ("v=spf1 a mx ip4:192.0.2.0/24 ip6:2001:db8::/32 ~all", "~", (), 2, ()),
        ("v=spf1 a:mail.x.be/28 mx/24//64 ?all", "?", (), 2, ()),
        ("v=spf1 redirect=_spf.X.be.", "", ("_spf.x.be",), 1, ()),
        ("v=spf1 -all redirect=_spf.x.be", "-", (), 0, ()),
        ("v=spf1 exists:%{i}.x.be include:%{d}.y.be -all", "-", (), 2, ()),
        ("v=spf1 -all include:after.all.be", "-", (), 0, ()),
        ("v=spf1 include spf.x.be -all", "-", (), 0, ("include", "spf.x.be")),
        ("v=spf1 ipv4:192.0.2.1 -all", "-", (), 0, ("ipv4:192.0.2.1",)),
        ("v=spf1 exp=explain.x.be mx", "", (), 1, ()),
        ("v=spf1", "", (), 0, ()),
    ],
)  # fmt: skip
def test_spf(text, rest, followed, lookups, unknown):
    spf = read_spf(text)
    assert (spf.rest, spf.followed, spf.lookups, spf.unknown) == (rest, followed, lookups, unknown)


def test_look_ups_of_a_tree():
    records = {
        "x.be": ["hello", "v=spf1 mx include:a.be include:b.be -all"],
        "a.be": ["v=spf1 a a:www.a.be include:b.be ~all"],
        "b.be": ["v=spf1 ip4:192.0.2.1 include:x.be include:gone.be ~all"],
        "two.be": ["v=spf1 -all", "v=spf1 ~all"],
        "to.be": ["v=spf1 redirect=a.be"],
        "to-two.be": ["v=spf1 include:two.be -all"],
        "bad.be": ["v=spf1 nonsense -all"],
    }
    tree = spf_tree("x.be", records)
    assert tree.lookups == 3 + 3 + 2  # a loop is not followed
    assert tree.names == {"a.be", "b.be", "gone.be"}
    assert (tree.broken, tree.rest) == (("gone.be",), "-")
    assert spf_tree("to.be", records).rest == "~"
    assert spf_tree("to-two.be", records).broken == ("two.be",)


def test_a_deep_tree_ends():
    records = {f"d{n}.be": [f"v=spf1 include:d{n + 1}.be -all"] for n in range(50)}
    assert spf_tree("d0.be", records).lookups == 50


@pytest.mark.parametrize(
    ("record", "allowed"),
    [
        ("v=spf1 mx -all", True),
        ("v=spf1 a:mail.x.be -all", True),
        ("v=spf1 ip4:192.0.2.0/24 -all", True),
        ("v=spf1 ip4:192.0.2.9 ip6:2001:db8::/32 -all", True),
        ("v=spf1 a ip4:192.0.2.9 ip4:bogus/99 -all", False),
        ("v=spf1 -mx ?a:mail.x.be -all", False),
        ("v=spf1 mx:other.be -all", False),
    ],
)
def test_which_hosts_a_record_allows_by_itself(record, allowed):
    addresses = ("192.0.2.1", "2001:db8::1")
    assert spf_allows(read_spf(record), "x.be", "mail.x.be", ["mail.x.be"], addresses) == allowed


@pytest.mark.parametrize(
    ("records", "include", "merged"),
    [
        ([], "a.be", "v=spf1 include:a.be ~all"),
        (["v=spf1 mx ip4:192.0.2.0/24 -all"], "a.be", "v=spf1 mx ip4:192.0.2.0/24 include:a.be -all"),
        (["v=spf1 include:A.be ~all"], "a.be", "v=spf1 include:A.be ~all"),
        (["v=spf1 mx ?all"], "a.be", "v=spf1 mx include:a.be ~all"),
        (["v=spf1 mx +all gone"], "a.be", "v=spf1 mx include:a.be ~all"),
        (["v=spf1 mx"], "", "v=spf1 mx ~all"),
        (["v=spf1 bogus mx -all"], "a.be", "v=spf1 mx include:a.be -all"),
        (["v=spf1 redirect=b.be"], "a.be", "v=spf1 include:a.be redirect=b.be"),
        (["v=spf1 mx redirect=b.be -all"], "a.be", "v=spf1 mx include:a.be -all"),
        (["v=spf1 mx -all", "v=spf1 include:b.be ~all"], "a.be", "v=spf1 mx include:b.be include:a.be ~all"),
        (["v=spf1 mx -all", "v=spf1 redirect=b.be"], "", "v=spf1 mx include:b.be ~all"),
    ],
)  # fmt: skip
def test_one_record_with_what_is_missing(records, include, merged):
    assert spf_with(records, include) == merged


def test_a_long_record_is_written_in_strings():
    text = "v=spf1 " + " ".join(f"ip4:192.0.2.{number}" for number in range(40)) + " -all"
    strings = txt_value(text).removeprefix('"').removesuffix('"').split('" "')
    assert "".join(strings) == text
    assert max(map(len, strings)) == 255
    assert txt_value("v=spf1 -all") == '"v=spf1 -all"'


@pytest.mark.parametrize(
    ("texts", "verdict"),
    [
        ([], "none"),
        (["hello"], "none"),
        (["v=DKIM1; k=rsa; p=" + "A" * 392], "ok"),
        (["k=rsa; p=" + "A" * 216], "ok"),
        (["v=DKIM1; p=" + "A" * 128], "weak"),
        (["v=DKIM1; k=ed25519; p=" + "A" * 44], "ok"),
        (["v=DKIM1; p="], "revoked"),
        (["v=DKIM2; p=" + "A" * 392], "none"),
    ],
)
def test_dkim(texts, verdict):
    assert dkim_key(texts) == verdict


@pytest.mark.parametrize(
    ("texts", "dmarc"),
    [
        ([], None),
        (["v=spf1 -all"], None),
        (["v=DMARC1; p=none"], Dmarc("none", "none")),
        (
            ["v=DMARC1; p=reject; sp=quarantine; adkim=s; aspf=S; pct=50; rua=mailto:d@x.be"],
            Dmarc("reject", "quarantine", "s", "s", 50, True),
        ),
        (["v=DMARC1;p=Quarantine;pct=lots"], Dmarc("quarantine", "quarantine")),
    ],
)
def test_dmarc(texts, dmarc):
    assert read_dmarc(texts) == dmarc


@pytest.mark.parametrize(
    ("text", "demand", "of_subdomains"),
    [
        ("v=DMARC1; p=reject", "reject", "reject"),
        ("v=DMARC1; p=reject; pct=0; sp=quarantine", "quarantine", "none"),
        ("v=DMARC1; p=none; sp=reject; pct=1", "none", "reject"),
        ("v=DMARC1; p=reject; sp=maybe", "reject", "none"),
    ],
)
def test_what_receivers_shall_do(text, demand, of_subdomains):
    dmarc = read_dmarc([text])
    assert (dmarc.demand, dmarc.for_subdomains().demand) == (demand, of_subdomains)


@pytest.mark.parametrize(
    "texts", [["v=DMARC1; p=none", "v=DMARC1; p=reject"], ["v=DMARC1"], ["v=DMARC1; p=maybe"]]
)
def test_dmarc_that_nobody_follows(texts):
    with pytest.raises(ValueError):
        read_dmarc(texts)


@pytest.mark.parametrize(
    ("author", "other", "mode", "fits"),
    [
        ("maville.be", "maville.be", "s", True),
        ("maville.be", "mail.maville.be", "s", False),
        ("maville.be", "mail.MAVILLE.be.", "r", True),
        ("cpas.maville.be", "mail.maville.be", "r", True),
        ("maville.be", "maville.onmicrosoft.com", "r", False),
        ("a.co.uk", "b.co.uk", "r", False),
        ("ville.test", "sub.ville.test", "r", True),
    ],
)
def test_alignment(author, other, mode, fits):
    assert aligned(author, other, mode) == fits


def test_organizational_domain():
    assert organizational_domain("a.b.maville.be") == "maville.be"
    assert organizational_domain("be") == "be"


@pytest.mark.parametrize(
    ("host", "include"),
    [
        ("smtp.office365.com", "spf.protection.outlook.com"),
        ("smtp.gmail.com.", "_spf.google.com"),
        ("office365.com.evil.test", None),
        ("notoffice365.com", None),
    ],
)
def test_provider(host, include):
    assert (provider_of(host) or (None, None))[1] == include
