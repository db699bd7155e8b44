"""Chooses the sender of a message: From, Reply-To and envelope sender, by the sender policy.

========== ================ ================== ==========================
policy     From             Reply-To           envelope sender
========== ================ ================== ==========================
send_as    agent's address  none               agent's address
login      login address    agent (if set so)  login address
auto       as ``send_as`` if that is known to be allowed, else ``login``
========== ================ ================== ==========================

The setting ``envelope_sender`` replaces the last column by the login address or by a bounce address, ``own_reply_address`` the
Reply-To by the reply address of the message, with the agent's name.
"""

from dataclasses import dataclass
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.address import can_be_sent_to


def _(text: str) -> str:
    return text


class SenderRefused(Exception):
    """No mail can be sent under this policy; the first argument is a sentence for the agent (a msgid)."""


@dataclass(frozen=True)
class Sender:
    """The sender that a message shows; ``policy`` is the one that was applied, ``send_as`` or ``login``.

    ``agent`` is who wrote it where ``reply_to`` is the message's own reply address, else None.
    """

    policy: str
    author: Address
    reply_to: Address | None
    envelope_sender: str
    agent: Address | None = None


def choose_sender(
    agent: Address,
    login_address: str,
    policy: str,
    *,
    reply_to_agent: bool = True,
    envelope_sender: str = "from",
    bounce_address: str = "",
    reply_address: str = "",
    send_as_allowed: bool = False,
) -> Sender:
    """Return the sender of a message written by ``agent``.

    ``policy`` is ``send_as``, ``login`` or ``auto``; ``send_as_allowed`` tells ``auto`` that the server is known to accept the
    agent's address; ``reply_address`` is that of the message, or empty. Errors: ``SenderRefused``.
    """
    if policy not in ("send_as", "login", "auto"):
        raise ValueError(f"unknown sender policy {policy!r}")
    usable = can_be_sent_to(agent.addr_spec)
    needs_login = policy != "send_as" or envelope_sender == "login"
    if needs_login and not can_be_sent_to(login_address):
        raise SenderRefused(
            _(
                "The login address of the mail bridge is not set. Ask the site administrator to enter it in the control panel."
            )
        )
    if policy == "auto":
        policy = "send_as" if send_as_allowed else "login"
    if not usable and (policy == "send_as" or (reply_to_agent and not reply_address)):
        raise SenderRefused(
            _(
                "Your record has no usable e-mail address. Ask the person who maintains the contacts to enter it, then send "
                "again."
            )
        )
    if policy == "send_as":
        author, reply_to = agent, None
    else:
        author = Address(agent.display_name, login_address)
        reply_to = agent if reply_to_agent else None
    if reply_address:
        reply_to = Address(agent.display_name, reply_address)
    choices = {"from": author.addr_spec, "login": login_address, "bounce": bounce_address}
    return Sender(
        policy,
        author,
        reply_to,
        choices[envelope_sender] or author.addr_spec,
        agent if reply_address else None,
    )
