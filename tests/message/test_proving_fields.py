"""Fields that prove something are read as their verifier reads them; each form that is refused has a near miss that stays good."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding
from imio.mailbridge.message.authentication.proving_field import has_plain_author
from imio.mailbridge.message.authentication.results import own_results
from imio.mailbridge.message.authentication.results import sealed_results
from imio.mailbridge.message.authentication.results import vouches
from imio.mailbridge.message.authentication.signatures import ambiguity
from imio.mailbridge.message.authentication.signatures import arc_verdict
from imio.mailbridge.message.parsing.parse import parse
from tests.message.signing import key
from tests.message.signing import MESSAGE
from tests.message.signing import OWN
from tests.message.signing import sealed
from tests.message.signing import signed
import base64
import pytest
import re


def lookup(name):
    return [key()[1]]


def relaxed(field):
    name, _colon, value = field.partition(b":")
    return name.lower() + b":" + b" ".join(value.split(b" ")).strip()


def with_results(results, raw=MESSAGE):
    """Return ``raw`` sealed by evil.test, whose ARC-Authentication-Results is ``results``, sealed with a good signature."""
    fields = re.sub(rb"\r\n[\t ]+", b" ", sealed(raw, b"evil.test")[: -len(raw)]).split(b"\r\n")
    seal, signature = fields[0], fields[1]
    results = b"ARC-Authentication-Results: " + results
    unsigned = seal[: seal.rindex(b" b=") + 3]
    compressed = [re.sub(rb"[\t ]+", b" ", relaxed(field)) for field in (results, signature, unsigned)]
    private = serialization.load_pem_private_key(key()[0], None)
    octets = private.sign(b"\r\n".join(compressed), padding.PKCS1v15(), hashes.SHA256())
    return b"\r\n".join([unsigned + base64.b64encode(octets), signature, results, raw])


PASS = b"mx.evil.test; dmarc=pass header.from=maville.test"


def believed(raw):
    """Tell whether a chain passes and its newest sealer vouches for the agent's domain."""
    message = parse(raw)
    return (
        not ambiguity(message)
        and arc_verdict(message, lookup).result == "pass"
        and vouches(sealed_results(message), "maville.test", "r")
    )


@pytest.mark.parametrize("number", [b"i=1;", b"i = 1;", b" i=1 ;", b"i=1; (i=9;)", b'i=1; "mx"; x=y (z);'])
def test_set_that_the_sealer_numbered_is_believed(number):
    assert believed(with_results(number + b" " + PASS))


@pytest.mark.parametrize(
    "number",
    [
        b"i\x1c=9; i=1;",
        b"i\xc2\x85=9; i=1;",
        b"i\xe2\x80\x8b=9; i=1;",
        b"i\x00=9; i=1;",
        b"(i=9;) i=1;",
        b'"i=9;" i=1;',
        b"x; i=1;",
        b"I=1;",
        b"i=01;",
        b"i=1 x;",
        b"i=1;\r ",
        b"i=1;\xc2\xad",
        b"",
    ],
)
def test_set_that_reads_otherwise_is_not_believed(number):
    assert not believed(with_results(number + b" " + PASS))
    # the newest sealer, who is listed, saw another domain
    assert not believed(sealed(with_results(number + b" " + PASS), cv="pass", verified=b"evil.test"))


@pytest.mark.parametrize(
    "field",
    [
        b"ARC-Authentication-Results: i=1; mx.evil.test; dmarc=pass header.from=maville.test",
        b"ARC-Authentication-Results: i=2; mx.evil.test; dmarc=pass header.from=maville.test",
        b"ARC-Authentication-Results: mx.evil.test; dmarc=pass header.from=maville.test",
        b"ARC-Authentication-Results: i\x1c=9; mx.evil.test; dmarc=pass header.from=maville.test",
        b"ARC-Seal: a=rsa-sha256",
        b"ARC-Message-Signature: x; i=1; d=maville.test",
    ],
)
def test_field_that_is_of_no_set_spoils_the_chain(field):
    good = with_results(b"i=1; " + PASS)
    assert believed(good)
    assert not believed(field + b"\r\n" + good)
    assert not believed(good.replace(b"From:", field + b"\r\nFrom:", 1))


# characters that do not belong

CHARACTERS = [
    *(bytes([number]) for number in (0, 1, 0x0B, 0x0C, 0x0D, 0x1B, 0x1C, 0x1F, 0x7F)),
    *(each.encode() for each in "\x80\x85\xad\u200b\u200f\u2028\u202a\u202b\u202c\u202d\u202e\u2066\ufeff"),
]
FIELDS = [
    b"Authentication-Results: mx.ma%sville.test; dmarc=pass header.from=maville.test",
    b"Authentication-Results: mx.maville.test; dmarc=pass header.from=ma%sville.test",
    b"DKIM-Signature: v=1; d=ma%sville.test",
    b"ARC-Seal: i=1; d=ma%sville.test",
    b"ARC-Message-Signature: i=1; d=ma%sville.test",
    b"ARC-Authentication-Results: i%s=1; mx.maville.test; dmarc=pass header.from=maville.test",
    b"From: Al <al.bert@ma%sville.test>",
    b"From: A%sl <al.bert@maville.test>",
]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("character", CHARACTERS, ids=bytes.hex)
def test_field_with_such_a_character_proves_nothing(field, character):
    rest = b"\r\nSubject: x\r\n\r\n"
    assert "characters" in ambiguity(parse(field % character + rest))
    assert not ambiguity(parse(field % b"" + rest))
    # at the boundary of the town's own server, also without the doubt about the whole message
    own = field % character + rest
    assert not own_results(parse(own), "mx.maville.test")


@pytest.mark.parametrize("character", CHARACTERS, ids=bytes.hex)
def test_server_whose_name_holds_such_a_character_is_not_ours(character):
    received = b"Received: from x (y) by in.ma%sville.test with ESMTP\r\n" + OWN + MESSAGE
    assert own_results(parse(received % b""), "mx.maville.test")
    assert not own_results(parse(received.replace(b"%s", character)), "mx.maville.test")


@pytest.mark.parametrize(
    ("fold", "is_good"),
    [
        (b"\r\n ", True),
        (b"\n\t", True),
        (b"\r\n   \t ", True),
        (b"\t", True),
        (b"\r\r\n ", False),
        (b"\r\n \r\n ", False),
        (b"\n\t\n\t", False),
        (b" \r ", False),
    ],
)
def test_only_plain_folds_are_read(fold, is_good):
    raw = OWN.replace(b"; dmarc", b";" + fold + b"dmarc") + MESSAGE
    assert bool(own_results(parse(raw), "mx.maville.test")) is is_good
    assert (not ambiguity(parse(raw))) is is_good


@pytest.mark.parametrize(
    ("received", "is_ours"),
    [
        (b"from a (b [192.0.2.1]) by in.maville.test (Postfix) with LMTP id 1", True),
        (b"by in.maville.test (Postfix, from userid 0) id 1", True),
        (b"FROM [192.0.2.1] (helo=by) BY MX.Maville.Test; Mon, 23 Nov 2026 09:00:01 +0100", True),
        (b"from a by in.maville.test(Postfix)", True),
        (b"from x (by in.maville.test) by mx.evil.test", False),
        (b"(by in.maville.test) from x by mx.evil.test", False),
        (b"from by in.maville.test by mx.evil.test", False),
        (b'from "by in.maville.test" by mx.evil.test', False),
        (b"from x by in.maville.test,mx.evil.test", False),
        (b"from x by in(.evil.test).maville.test", False),
        (b"from x (by mx.evil.test by in.maville.test", False),
    ],
)
def test_server_of_a_received_field(received, is_ours):
    raw = b"Received: " + received + b"\r\n" + OWN + MESSAGE
    assert bool(own_results(parse(raw), "mx.maville.test")) is is_ours


@pytest.mark.parametrize(
    ("value", "is_proof"),
    [
        (b"dmarc=pass header.from=maville.test", True),
        (b"dmarc=pass(p=reject) header.from=MAVILLE.test", True),
        (b"DMARC = Pass header.from = maville.test", True),
        (b"dmarc=pass reason=ok header.from=maville.test", True),
        (b'dmarc=pass header.from="maville.test"', True),
        (b"dmarc=pass-not header.from=maville.test", False),
        (b"dmarc=pa(x)ss header.from=maville.test", False),
        (b"dmarc=pass x-header.from=maville.test", False),
        (b"dmarc=pass header.from=evil.test header.from=maville.test", False),
        (b"dmarc=pass header.from=maville.test header.from=evil.test", False),
        (b"dmarc=pass header.from=maville(x).test", False),
    ],
)
def test_results_are_read_exactly(value, is_proof):
    raw = b"Authentication-Results: mx.maville.test; " + value + b"\r\n" + MESSAGE
    assert vouches(own_results(parse(raw), "mx.maville.test"), "maville.test", "r") is is_proof


# the author


@pytest.mark.parametrize(
    "value",
    [
        "al.bert@maville.test",
        "<Al.Bert@maville.test>",
        "Al Bert <al.bert@maville.test>",
        "Éric <al.bert@maville.test>",
        '"al.bert@other.test" <al.bert@maville.test>',
        "al.bert@maville.test <al.bert@maville.test>",
        "al.bert@maville.test (x@y.test)",
        "=?utf-8?q?x@y.test?= <al.bert@maville.test>",
        "Al\r\n Bert\r\n <al.bert@maville.test>",
    ],
)
def test_author_that_reads_one_way(value):
    message = parse(f"From: {value}\r\nSubject: x\r\n\r\n".encode())
    assert has_plain_author(message)
    assert not ambiguity(message)


@pytest.mark.parametrize(
    "value",
    [
        "al.bert@maville.test <x@evil.test>",
        "<x@evil.test> <al.bert@maville.test>",
        "al.bert@maville.test, x@evil.test",
        "<@evil.test:al.bert@maville.test>",
        "=?utf-8?q?al.bert=40maville.test?=",
        "al.bert@maville.test@evil.test",
        "(<x@evil.test>(al.bert@maville.test)",
        "al.bert@\N{KELVIN SIGN}aville.test",
        "al.bert@maville\N{FULLWIDTH FULL STOP}test",
        "ál.bert@maville.test",
        "",
    ],
)
def test_author_that_reads_several_ways(value):
    assert not has_plain_author(parse(f"From: {value}\r\nSubject: x\r\n\r\n".encode()))


def test_signed_mail_with_other_letters_elsewhere_is_good():
    raw = "Subject: é\u200b\r\nTo: Éric <in@bridge.test>\r\n".encode() + MESSAGE.replace(
        b"Subject: TR\r\n", b""
    )
    raw = signed(raw.replace(b"To: in@bridge.test\r\n", b"", 1))
    assert not ambiguity(parse(raw))
