"""Signatures made with keys of the tests: what passes, what is refused and why."""

from imio.mailbridge.message.authentication.results import own_results
from imio.mailbridge.message.authentication.results import sealed_results
from imio.mailbridge.message.authentication.results import vouches
from imio.mailbridge.message.authentication.signatures import ambiguity
from imio.mailbridge.message.authentication.signatures import arc_verdict
from imio.mailbridge.message.authentication.signatures import dkim_verdicts
from imio.mailbridge.message.authentication.signatures import Unanswered
from imio.mailbridge.message.authentication.signatures import Verdict
from imio.mailbridge.message.parsing.parse import parse
from tests.message.signing import key
from tests.message.signing import MESSAGE
from tests.message.signing import OWN
from tests.message.signing import sealed
from tests.message.signing import SHORT_RECORD
from tests.message.signing import signed
import pytest
import time


def records(**more):
    known = {
        f"s._domainkey.{domain}": [key()[1]]
        for domain in ("maville.test", "provider.test", "mail.maville.test")
    }
    known |= more

    def lookup(name):
        found = known.get(name, [])
        if found is None:
            raise Unanswered("no answer")
        return found

    return lookup


def results(raw, lookup=None):
    return [(each.result, each.domain) for each in dkim_verdicts(parse(raw), lookup or records())]


@pytest.mark.parametrize("ends", [b"\r\n", b"\n"])
@pytest.mark.parametrize("canonical", [b"relaxed", b"simple"])
def test_good_signature_passes_with_both_line_ends(ends, canonical):
    raw = signed(canonicalize=(canonical, canonical)).replace(b"\r\n", ends)
    assert results(raw) == [("pass", "maville.test")]


def test_trace_fields_above_do_not_matter():
    assert results(b"Received: from x by y; Mon, 23 Nov 2026 09:00:01 +0100\r\n" + signed()) == [
        ("pass", "maville.test")
    ]


def test_several_signatures_have_a_verdict_each():
    raw = signed(signed(), domain=b"provider.test")
    assert results(raw) == [("pass", "provider.test"), ("pass", "maville.test")]


def test_more_signatures_than_mail_has_are_not_looked_at():
    field = signed()[: -len(MESSAGE)]
    assert len(results(field * 50 + MESSAGE)) == 5


@pytest.mark.parametrize(
    ("raw", "result", "said"),
    [
        (lambda: signed().replace(b"Bonjour", b"Bonsoir"), "fail", "body was changed"),
        (lambda: signed().replace(b"Al Bert", b"Al Capone"), "fail", "not good"),
        (lambda: b"From: evil@maville.test\r\n" + signed(), "fail", "not good"),
        (lambda: signed(signature_algorithm=b"rsa-sha1"), "policy", "sha1"),
        (lambda: signed(length=True) + b"More\r\n", "policy", "part of the body"),
        (lambda: signed(size=768), "fail", "small"),
        (lambda: signed().replace(b"d=maville.test", b"d=other.test"), "fail", ""),
        (lambda: signed().replace(b"s=s;", b"s=t;"), "fail", ""),
        (lambda: signed().replace(b"v=1;", b"v=1; x=%d;" % (time.time() - 60)), "policy", "expired"),
        (lambda: signed().replace(b"h=from :", b"h="), "policy", "From is not signed"),
        (lambda: b"DKIM-Signature: v=1; a=rsa-sha256; d=maville.test\r\n" + MESSAGE, "policy", "From"),
        (lambda: signed(include_headers=[b"from", *(b"x",) * 300]), "fail", "too many fields"),
        (lambda: b"DKIM-Signature: b=A" + b" " * 50_000 + b"!\r\n" + MESSAGE, "permerror", "too long"),
        (lambda: b"DKIM-Signature: h=" + b"x:" * 50_000 + b"!\r\n" + MESSAGE, "permerror", "too long"),
        (lambda: b"DKIM-Signature: nonsense\r\n" + MESSAGE, "fail", ""),
        (lambda: b"DKIM-Signature: d=\xff\xfe; h=from; a=rsa-sha256\r\n" + MESSAGE, "fail", ""),
    ],
)
def test_what_is_refused_and_why(raw, result, said):
    lookup = records(**{"s._domainkey.maville.test": [SHORT_RECORD]}) if said == "small" else records()
    (verdict,) = dkim_verdicts(parse(raw()), lookup)
    assert verdict.result == result, verdict
    assert said in verdict.detail


def test_body_of_spaces_takes_no_time():
    # dkimpy by itself would need a day
    raw = signed(MESSAGE + b" " * 10_000_000 + b"!\r\n", canonicalize=(b"relaxed", b"simple"))
    raw = raw.replace(b"c=relaxed/simple", b"c=relaxed/relaxed")
    (verdict,) = dkim_verdicts(parse(raw), records())
    assert verdict.detail == "the body was changed"


def test_tampered_body_asks_no_dns():
    assert results(signed().replace(b"Bonjour", b"Bonsoir"), lambda name: 1 / 0) == [("fail", "maville.test")]


def test_first_record_that_is_a_key_counts():
    assert results(signed(), lambda name: [b"v=spf1 -all", key()[1]]) == [("pass", "maville.test")]


def test_endless_key_is_none():
    assert results(signed(), lambda name: [key()[1] + b" " * 3000]) == [("fail", "maville.test")]


def test_what_stands_before_the_header_does_not_matter():
    assert results(b"From x@y Mon Nov 23 09:00:00 2026\r\n" + signed()) == [("pass", "maville.test")]


MULTIPART = (
    b"From: al.bert@maville.test\nContent-Type: multipart/mixed; boundary=b\n\n"
    b"This is a multi-part message in MIME format.\n\n--b\n\nVoir annexe\n--b\n"
    b"Content-Type: message/rfc822\n\nFrom: x@y.test\n\nx\n--b--\n"
)


def test_multipart_reads_as_it_was_signed():
    assert ambiguity(parse(MULTIPART)) == ""
    assert ambiguity(parse(MESSAGE)) == ""


@pytest.mark.parametrize(
    "raw",
    [
        # the agent answered a text that holds delimiters; only the header is new
        MULTIPART.replace(b"This is a multi", b"Bonjour,\n\nMerci.\n\nThis is a multi"),
        MULTIPART.replace(b"This is", b"x" * 10_000),
        b"Content-Type: multipart/mixed; boundary=c\n" + MULTIPART,
        b"Subject: a\n" + MESSAGE,
        b"From: Al Bert <al.bert@maville.test>\n" + MESSAGE,
    ],
)
def test_message_that_could_read_otherwise_is_told(raw):
    assert ambiguity(parse(raw))


def test_dns_that_does_not_answer_is_no_verdict():
    assert results(signed(), records(**{"s._domainkey.maville.test": None})) == [
        ("temperror", "maville.test")
    ]


def test_key_that_does_not_exist_is_a_fail():
    assert results(signed(), lambda name: []) == [("fail", "maville.test")]


def test_message_without_signature_asks_nobody():
    assert dkim_verdicts(parse(MESSAGE), lambda name: 1 / 0) == ()
    assert arc_verdict(parse(MESSAGE), lambda name: 1 / 0).result == "none"


# ARC


def test_chain_passes_and_names_the_newest_sealer():
    assert (
        arc_verdict(parse(sealed()), records()).result,
        arc_verdict(parse(sealed()), records()).domain,
    ) == (
        "pass",
        "provider.test",
    )
    again = sealed(sealed(), b"maville.test", "pass")
    verdict = arc_verdict(parse(again.replace(b"\r\n", b"\n")), records())
    assert (verdict.result, verdict.domain) == ("pass", "maville.test")


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.replace(b"Bonjour", b"Bonsoir"),
        lambda raw: raw.replace(b"Al Bert", b"Al Capone"),
        lambda raw: raw.replace(b"cv=none", b"cv=fail"),
        lambda raw: raw.replace(b"d=provider.test", b"d=other.test"),
        lambda raw: b"".join(
            line + b"\r\n"
            for line in raw.replace(b"\r\n ", b" ").split(b"\r\n")[:-1]
            if not line.startswith(b"ARC-Message")
        ),
        lambda raw: raw.replace(b"ARC-Seal: i=1", b"ARC-Seal: i=2"),
    ],
)
def test_chain_that_is_damaged_or_cut_fails(change):
    raw = change(sealed())
    assert raw != sealed()
    assert arc_verdict(parse(raw), records()).result in ("fail", "permerror")


def test_chain_that_lost_its_first_set_fails():
    again = sealed(sealed(), b"maville.test", "pass").replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ")
    cut = b"\r\n".join(
        line for line in again.split(b"\r\n") if not (line.startswith(b"ARC-") and b" i=1;" in line)
    )
    assert cut.count(b"ARC-Seal") == 1
    assert arc_verdict(parse(cut), records()).result == "fail"


def test_arc_without_dns_is_no_verdict():
    lookup = records(**{"s._domainkey.provider.test": None})
    verdict = arc_verdict(parse(sealed()), lookup)
    assert (verdict.result, verdict.domain) == ("temperror", "provider.test")


def test_seal_says_what_its_server_verified():
    again = sealed(sealed(), b"maville.test", "pass")
    found = sealed_results(parse(again))
    assert [(each.method, each.result) for each in found] == [("arc", "pass"), ("dkim", "pass")]
    assert vouches(found, "maville.test", "s")
    assert not vouches(found, "other.test", "r")
    assert sealed_results(parse(MESSAGE)) == ()


def test_endless_chain_is_refused():
    raw = (
        b"".join(
            b"ARC-Seal: i=%d; a=rsa-sha256; cv=pass; d=x.test; s=s; b=AAAA\r\n" % n for n in range(1, 60)
        )
        + MESSAGE
    )
    assert arc_verdict(parse(raw), lambda name: 1 / 0).result == "permerror"


# Authentication-Results


def seen(raw, authserv_id="mx.maville.test"):
    return [(each.method, each.result, each.domain) for each in own_results(parse(raw), authserv_id)]


def test_own_field_counts():
    assert seen(OWN + MESSAGE) == [("dmarc", "pass", "maville.test"), ("spf", "fail", "y.test")]
    below_own = b"Received: from a (b [192.0.2.1])\r\n by in.maville.test (Postfix) with LMTP id 1\r\n" + OWN
    assert len(seen(below_own + MESSAGE)) == 2


@pytest.mark.parametrize(
    "raw",
    [
        OWN.replace(b"mx.maville.test;", b"mx.evil.test;"),
        OWN.replace(b"mx.maville.test;", b"(mx.maville.test) mx.evil.test;"),
        b"Received: from x by mx.evil.test with ESMTP\r\n" + OWN,
        b"Received: something that names no server\r\n" + OWN,
        b"X-Authentication-Results: mx.maville.test; dmarc=pass header.from=maville.test\r\n",
        b"Authentication-Results: mx.maville.test\r\n",
        b"Authentication-Results: mx.maville.test; none\r\n",
    ],
)
def test_other_fields_do_not_count(raw):
    assert seen(raw + MESSAGE) == []


def test_only_the_topmost_own_field_counts():
    real = b"Authentication-Results: mx.maville.test; dmarc=fail header.from=maville.test\r\n"
    assert seen(real + OWN + MESSAGE) == [("dmarc", "fail", "maville.test")]


def test_pass_in_a_comment_is_no_pass():
    raw = b"Authentication-Results: mx.maville.test; dmarc=fail (dmarc=pass (header.from=maville.test)) header.from=x.test\r\n"
    assert seen(raw + MESSAGE) == [("dmarc", "fail", "x.test")]


def test_mail_handed_over_inside_the_machine_is_ours():
    assert (
        len(seen(b"Received: from mail ([127.0.0.1]) by localhost (mx [127.0.0.1])\r\n" + OWN + MESSAGE)) == 2
    )


@pytest.mark.parametrize(
    "value",
    [
        # what a stranger wrote into the envelope or the header, quoted by our own server
        b'spf=pass smtp.mailfrom="a; dmarc=pass header.from=maville.test; x"@evil.test',
        b'spf=pass (domain of "a) ; dmarc=pass header.from=maville.test (b"@evil.test is good) smtp.mailfrom=x@evil.test',
        b'spf=pass smtp.mailfrom="a; dmarc=pass header.from=maville.test',
        b"spf=pass (a; dmarc=pass header.from=maville.test",
        b"spf=pass a) ; dmarc=pass header.from=maville.test",
        b"dmarc=pass header.from=maville.test; dmarc=fail header.from=maville.test",
        b"dmarc=fail header.from=maville.test; dkim=pass header.d=maville.test",
        b"dkim=pass header.d=evil.test; spf=pass smtp.mailfrom=x@maville.test",
        b"dmarc=pass",
        b"dmarc=pass (" + b"a" * 30_000 + b") header.from=maville.test",
    ],
)
def test_results_that_could_be_put_in_do_not_vouch(value):
    raw = b"Authentication-Results: mx.maville.test; " + value + b"\r\n" + OWN + MESSAGE
    assert not vouches(own_results(parse(raw), "mx.maville.test"), "maville.test", "r")


def test_quoted_values_and_comments_of_honest_servers():
    raw = (
        b"Authentication-Results: mx.maville.test;\r\n\tdkim=pass (2048-bit key; unprotected) header.d=maville.test"
        b' header.i=@maville.test header.b="ab/C+"; spf=pass reason="it is ok"\r\n'
    )
    assert seen(raw + MESSAGE) == [("dkim", "pass", "maville.test"), ("spf", "pass", "")]
    assert vouches([Verdict("dkim", "pass", "mail.maville.test")], "maville.test", "r")
    assert not vouches([Verdict("dkim", "pass", "mail.maville.test")], "maville.test", "s")


def test_nothing_counts_without_a_name():
    assert seen(OWN + MESSAGE, "") == []
