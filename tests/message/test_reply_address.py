"""The signed reply address of one message."""

from imio.mailbridge.message.address import Address
from imio.mailbridge.message.address import is_addr_spec
from imio.mailbridge.message.composition.reply_address import has_room
from imio.mailbridge.message.composition.reply_address import is_reply_address
from imio.mailbridge.message.composition.reply_address import MAX_BARE
from imio.mailbridge.message.composition.reply_address import reply_address
from imio.mailbridge.message.composition.reply_address import reply_id
from imio.mailbridge.message.composition.sender_policy import choose_sender
from imio.mailbridge.message.composition.verp import is_verp
from imio.mailbridge.message.composition.verp import verp_address
from imio.mailbridge.message.composition.verp import verp_id
import pytest


ID = "0123456789abcdef0123456789abcdef"
KEY = b"k" * 32
AGENT = Address("Al Bert", "al.bert@maville.be")
LOGIN = "administration@maville.be"


@pytest.mark.parametrize("mailin_address", ["in@bridge.test", "in+h7Qm4tVx2LpZ@bridge.test"])
def test_made_and_read(mailin_address):
    address = reply_address(mailin_address, ID, KEY)
    assert is_addr_spec(address)
    assert (address.startswith("in+r."), address.endswith("@bridge.test")) == (True, True)
    assert "h7qm" not in address, "the secret of a mailbox is not for recipients"
    assert is_reply_address(address)
    assert reply_id(address.upper(), KEY) == reply_id(address, KEY) == ID[:20]


def test_bounce_address_is_no_reply_address_and_the_reverse():
    bounce, reply = verp_address("in@bridge.test", ID, KEY), reply_address("in@bridge.test", ID, KEY)
    assert (is_verp(reply), verp_id(reply, KEY), is_reply_address(bounce), reply_id(bounce, KEY)) == (
        False,
        "",
        False,
        "",
    )
    as_reply, as_bounce = bounce.replace("+b.", "+r."), reply.replace("+r.", "+b.")
    assert is_reply_address(as_reply)
    assert reply_id(as_reply, KEY) == ""
    assert is_verp(as_bounce)
    assert verp_id(as_bounce, KEY) == ""


def test_wrong_signature_names_no_message():
    address = reply_address("in@bridge.test", ID, KEY)
    head, _, signature = address.partition("@")[0].rpartition(".")
    assert reply_id(f"{head}.{signature[::-1]}@bridge.test", KEY) == ""
    assert reply_id(address, b"another key") == ""


def test_room():
    longest = f"{'x' * MAX_BARE}@bridge.test"
    assert len(reply_address(longest, ID, KEY).partition("@")[0]) == 64
    assert has_room(longest)
    for address in ("", f"x{longest}", "é@bridge.test", f"in@{'.'.join(('x' * 57,) * 4)}.test"):
        assert not has_room(address), address
        assert reply_address(address, ID, KEY) == ""


@pytest.mark.parametrize(
    ("policy", "allowed", "author"),
    [("send_as", False, AGENT), ("login", True, Address("Al Bert", LOGIN)), ("auto", True, AGENT)],
)
@pytest.mark.parametrize("reply_to_agent", [True, False])
def test_every_policy_has_it_in_reply_to(policy, allowed, author, reply_to_agent):
    own = reply_address("in@bridge.test", ID, KEY)
    sender = choose_sender(
        AGENT,
        LOGIN,
        policy,
        send_as_allowed=allowed,
        reply_to_agent=reply_to_agent,
        reply_address=own,
    )
    assert (sender.author, sender.reply_to, sender.agent) == (author, Address("Al Bert", own), AGENT)


def test_agent_without_an_address_can_be_answered_there():
    agent = Address("Al Bert", "")
    assert choose_sender(agent, LOGIN, "login", reply_address="in+r.x@bridge.test").agent == agent
