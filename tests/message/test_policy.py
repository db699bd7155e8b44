"""The sender policy, row by row of its table."""

from imio.mailbridge.message.address import Address
from imio.mailbridge.message.composition.sender_policy import choose_sender
from imio.mailbridge.message.composition.sender_policy import SenderRefused
import pytest


AGENT = Address("Al Bert", "al.bert@maville.be")
LOGIN = "administration@maville.be"
AS_LOGIN = Address("Al Bert", LOGIN)


@pytest.mark.parametrize(
    ("policy", "allowed", "author", "reply_to", "envelope_sender"),
    [
        ("send_as", False, AGENT, None, AGENT.addr_spec),
        ("login", True, AS_LOGIN, AGENT, LOGIN),
        ("auto", True, AGENT, None, AGENT.addr_spec),
        ("auto", False, AS_LOGIN, AGENT, LOGIN),
    ],
)
def test_table(policy, allowed, author, reply_to, envelope_sender):
    sender = choose_sender(AGENT, LOGIN, policy, send_as_allowed=allowed)
    assert (sender.author, sender.reply_to, sender.envelope_sender) == (author, reply_to, envelope_sender)
    assert sender.policy == ("send_as" if author == AGENT else "login")


@pytest.mark.parametrize(
    ("setting", "expected"), [("from", AGENT.addr_spec), ("login", LOGIN), ("bounce", "in@bridge.test")]
)
def test_envelope_sender_setting(setting, expected):
    sender = choose_sender(AGENT, LOGIN, "send_as", envelope_sender=setting, bounce_address="in@bridge.test")
    assert sender.envelope_sender == expected


def test_bounce_without_a_bounce_address_is_the_author():
    assert choose_sender(AGENT, LOGIN, "send_as", envelope_sender="bounce").envelope_sender == AGENT.addr_spec


def test_reply_to_has_its_own_switch():
    assert choose_sender(AGENT, LOGIN, "login", reply_to_agent=False).reply_to is None


@pytest.mark.parametrize(
    "address",
    ["", "al.bert", "al.bert@maville", "al bert@maville.be", "a@b.be\r\nBcc: x@y.be", "al@ﬁ.be"],
)
@pytest.mark.parametrize("policy", ["send_as", "login", "auto"])
def test_agent_without_a_usable_address_is_refused(policy, address):
    with pytest.raises(SenderRefused):
        choose_sender(Address("Al Bert", address), LOGIN, policy)


def test_agent_without_an_address_may_send_under_login_when_reply_to_is_off():
    sender = choose_sender(Address("Al Bert", ""), LOGIN, "login", reply_to_agent=False)
    assert sender.author == AS_LOGIN
    assert sender.reply_to is None


@pytest.mark.parametrize(
    ("policy", "envelope_sender"), [("login", "from"), ("auto", "from"), ("send_as", "login")]
)
def test_without_a_login_address_nothing_leaves(policy, envelope_sender):
    with pytest.raises(SenderRefused):
        choose_sender(AGENT, "", policy, envelope_sender=envelope_sender)


def test_unknown_policy():
    with pytest.raises(ValueError, match="unknown sender policy"):
        choose_sender(AGENT, LOGIN, "sendas")
