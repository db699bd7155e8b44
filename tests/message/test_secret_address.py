"""The secret part of a mail-in address: recognised and masked in texts, whatever stands around it."""

from imio.mailbridge.message.secret_address import is_secret
from imio.mailbridge.message.secret_address import masked
from imio.mailbridge.message.secret_address import masked_data
from imio.mailbridge.message.secret_address import masked_pattern
from imio.mailbridge.message.secret_address import secret_part
from imio.mailbridge.message.secret_address import without_secret
import base64
import pytest
import random


SECRET = "abcdefgh23jkmnpqrstuv"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"in+{SECRET}@bridge.test", "in+…@bridge.test"),
        (f"in+label+{SECRET}@bridge.test", "in+label+…@bridge.test"),
        (f"In+{SECRET.upper()}@Bridge.test", "In+…@Bridge.test"),
        (f"for <in+{SECRET}>; Mon", "for <in+…>; Mon"),
        (f"info+caf_=in+{SECRET}=bridge.test@gmail.com", "info+caf_=in+…=bridge.test@gmail.com"),
        (f"SRS0=a+b=C=bridge.test=in+{SECRET}@srs.test", "SRS0=a+b=C=bridge.test=in+…@srs.test"),
        (f"mailto:in%2B{SECRET}%40bridge.test", "mailto:in%2B…%40bridge.test"),
        (f"in+{SECRET}@x.test, in+{SECRET}@y.test", "in+…@x.test, in+…@y.test"),
    ],
)
def test_masked_in_any_text(text, shown):
    assert masked(text) == shown
    assert masked(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "in@bridge.test",
        "in+administration@bridge.test",
        "in+abcdefghjkmnpqrstuvwx@bridge.test",
        "in+ab3defghjkmnpqrstuvwx@bridge.test",
        f"in+{SECRET}a@bridge.test",
        f"in+a{SECRET}@bridge.test",
        f"in-{SECRET}@bridge.test",
        f"{SECRET} 23",
    ],
)
def test_nothing_else_is_masked(text):
    assert masked(text) == text


def test_the_base64_of_signatures_holds_no_secret_parts():
    octets = random.Random(7).randbytes(3_000_000)  # noqa: S311 - the same every time
    text = base64.encodebytes(octets).decode()
    assert masked(text) == text


def test_what_is_made_is_recognised():
    for _number in range(200):
        address = f"in+{secret_part()}@bridge.test"
        assert is_secret(address)
        assert masked(address) == "in+…@bridge.test"
        assert without_secret(address) == "in@bridge.test"


def test_what_holds_none_stays_the_same_object():
    class Msgid(str):
        __slots__ = ()

    text = Msgid("filed")
    assert masked(text) is text
    assert masked_data({"state": text, "at": 3})["state"] is text


def test_plain_data():
    data = {
        "to": [SECRET, f"in+{SECRET}@x.test"],
        "seen": ({"saw": f"in+{SECRET}@x.test"},),
        "size": 3,
        "none": None,
    }
    shown = {"to": [SECRET, "in+…@x.test"], "seen": ({"saw": "in+…@x.test"},), "size": 3, "none": None}
    assert masked_data(data) == shown


def test_only_the_secret_part_is_taken_away():
    assert without_secret(f"in+label+{SECRET}@bridge.test") == "in+label@bridge.test"
    assert without_secret("in+label@bridge.test") == "in+label@bridge.test"
    assert without_secret("") == ""


@pytest.mark.parametrize(
    ("pattern", "shown"),
    [
        (rf"in\+{SECRET}@bridge\.test", r"in\+…@bridge\.test"),
        (rf"in[+]{SECRET.upper()}@.*", "in[+]…@.*"),
        (rf"in.(?:{SECRET}|x)@", "in.(?:…|x)@"),
        (f"python: recipient == 'in+{SECRET}@x.test'", "python: recipient == 'in+…@x.test'"),
        (r"permis (de|d') urbanisme \d{4}", r"permis (de|d') urbanisme \d{4}"),
    ],
)
def test_masked_in_patterns(pattern, shown):
    assert masked_pattern(pattern) == shown
    assert SECRET[2:] not in masked_pattern(rf"in\x2b{SECRET}@")
