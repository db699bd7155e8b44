"""Finds the identities of an agent, and the sender of a message under the settings of its account."""

from imio.mailbridge.message.composition.sender_policy import choose_sender
from imio.mailbridge.message.composition.sender_policy import Sender
from imio.mailbridge.outbox import send_as
from imio.mailbridge.outbox.bounce_address import own_bounce_address
from imio.mailbridge.outbox.reply_address import own_reply_address
from imio.mailbridge.ports.directory import Identity
from imio.mailbridge.ports.directory import IDirectory
from imio.mailbridge.settings.read import Settings
from imio.mailbridge.settings.smtp import Account
from typing import Any
from zope.component.hooks import getSite


#: Stands for the id of a message that is not begun: the line above the form says where its answers will go.
ANY_ID = "0" * 32


def identities(userid: str, values: Settings) -> tuple[Identity, ...]:
    """Return the identities that a user may send under, by the settings ``values``."""
    directory: Any = IDirectory(getSite())
    found: tuple[Identity, ...] = directory.identities(userid, values.service_senders)
    return found


def sender_for(
    identity: Identity, account: Account, values: Settings, id: str = ""
) -> tuple[Sender, Sender | None]:
    """Return (sender, fallback) for an identity under an account; errors: ``SenderRefused``.

    ``id`` is that of the message, whose error reports get an address of their own under ``envelope_sender`` = ``bounce``, and its
    answers under ``own_reply_address``; mail of the site, which nobody wrote, is not answered there.
    """
    address = identity.address
    known = send_as.verdict(account.name, address.addr_spec)
    allowed = known.allowed if known is not None else identity.may_send_as
    common = values.sender_options(account)
    if id and common["envelope_sender"] == "bounce":
        common["bounce_address"] = own_bounce_address(id, values)
    if account.own_reply_address and identity.kind != "site":
        common["reply_address"] = own_reply_address(id or ANY_ID, values)
    own_bounce = send_as.verdict(account.name, send_as.BOUNCE)
    if common["envelope_sender"] == "bounce" and own_bounce is not None and not own_bounce.allowed:
        common["envelope_sender"] = "login"
    sender = choose_sender(address, policy=account.sender_policy, send_as_allowed=allowed, **common)
    fallback = None
    if account.sender_policy == "auto" and sender.policy == "send_as":
        fallback = choose_sender(address, policy="login", **common)
    return sender, fallback
