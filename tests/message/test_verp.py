"""The signed envelope sender of one message."""

from imio.mailbridge.message.address import is_addr_spec
from imio.mailbridge.message.composition.verp import is_verp
from imio.mailbridge.message.composition.verp import verp_address
from imio.mailbridge.message.composition.verp import verp_id
import pytest


ID = "0123456789abcdef0123456789abcdef"
KEY = b"k" * 32


@pytest.mark.parametrize("bounce_address", ["in@bridge.test", "in+h7Qm4tVx2LpZ@bridge.test"])
def test_made_and_read(bounce_address):
    address = verp_address(bounce_address, ID, KEY)
    assert is_addr_spec(address)
    assert address.startswith("in+b.")
    assert address.endswith("@bridge.test")
    assert address == address.lower()
    assert "h7qm" not in address, "the secret of a mailbox is not for recipients"
    assert is_verp(address)
    assert verp_id(address, KEY) == ID[:20]


def test_case_may_be_folded():
    assert verp_id(verp_address("in@bridge.test", ID, KEY).upper(), KEY) == ID[:20]


def test_other_message_other_address():
    other = ID[::-1]
    assert verp_address("in@bridge.test", ID, KEY) != verp_address("in@bridge.test", other, KEY)


def test_wrong_signature_names_no_message():
    address = verp_address("in@bridge.test", ID, KEY)
    token, _, signature = address.partition("@")[0].rpartition(".")
    for forged in (
        f"{token}.{signature[::-1]}@bridge.test",
        f"{token}.{'a' * 16}@bridge.test",
        f"{token[:5]}{'b' if token[5] == 'a' else 'a'}{token[6:]}.{signature}@bridge.test",
    ):
        assert is_verp(forged)
        assert verp_id(forged, KEY) == ""
    assert verp_id(address, b"another key") == ""


@pytest.mark.parametrize(
    "address",
    [
        "in@bridge.test",
        "in+h7Qm4tVx2LpZ@bridge.test",
        "in+b.short.tag@bridge.test",
        "in+b." + "1" * 16 + "." + "a" * 16 + "@bridge.test",
        "b." + "a" * 16 + "." + "a" * 16 + "@bridge.test",
        "",
    ],
)
def test_other_addresses_are_none(address):
    assert not is_verp(address)
    assert verp_id(address, KEY) == ""


def test_long_address_goes_without_tag():
    long = "x" * 28
    assert len(verp_address(f"{long}@bridge.test", ID, KEY).partition("@")[0]) == 64
    assert verp_address(f"{long}y+tag@bridge.test", ID, KEY) == f"{long}y@bridge.test"
