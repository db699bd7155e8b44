"""Tries, undo, notices and retention of outgoing mail: fields and values."""

from dataclasses import dataclass
from imio.mailbridge.i18n import _
from imio.mailbridge.settings import validate
from imio.mailbridge.settings.terms import terms
from typing import Any
from zope import schema
from zope.interface import Interface


BCC = terms(
    agent_email=_("The agent's own address"),
    service_email=_("The address of the agent's service"),
)


class IDelivery(Interface):
    """What happens around sending."""

    undo_seconds = schema.Int(
        title=_("Undo time (seconds)"),
        description=_(
            "How long an e-mail waits before it leaves, so that its agent can still take it back. 0: it leaves at once."
        ),
        min=0,
        max=600,
        default=30,
    )
    retry_minutes = schema.List(
        title=_("Retry delays (minutes)"),
        description=_("One per line, for a server that asks to try again later; the last one repeats."),
        value_type=schema.Int(min=1, max=1440),
        min_length=1,
        default=[1, 5, 15, 60],
    )
    give_up_hours = schema.Int(
        title=_("Give up after (hours)"),
        description=_("The message has then failed, and its agent is told."),
        min=1,
        max=240,
        default=48,
    )
    notify_agent = schema.Bool(
        title=_("Notify the agent by e-mail"),
        description=_("When a message fails, comes back or is answered."),
        default=True,
        required=False,
    )
    alarm_address = schema.TextLine(
        title=_("Alarm address"),
        description=_(
            "Is told when an account stops or a mailbox falls silent. Empty: the address of the site."
        ),
        constraint=validate.address,
        required=False,
    )
    signature = schema.Text(
        title=_("Signature"),
        description=_(
            "HTML below each new e-mail, as a TAL template: sender is the position (its name, address and service), user "
            "the agent. An agent's record may have its own."
        ),
        constraint=validate.template,
        required=False,
    )
    bcc_default = schema.List(
        title=_("Default blind copies"),
        value_type=schema.Choice(vocabulary=BCC),
        default=[],
        missing_value=[],
        required=False,
    )
    dns_resolver = schema.TextLine(
        title=_("DNS server"),
        description=_(
            "IP address, with :port if it is not 53, of the server that diagnosis and proofs (DKIM, ARC) ask. Empty: that of "
            "the machine."
        ),
        constraint=validate.resolver,
        required=False,
    )
    keep_sent_days = schema.Int(
        title=_("Keep sent messages (days)"),
        description=_(
            "Afterwards the message itself is deleted, and its timeline stays. 0: messages are kept forever."
        ),
        min=0,
        max=36500,
        default=0,
    )
    whole_site = schema.Bool(
        title=_("Mail of the whole site"),
        description=_(
            "What Plone itself sends, such as password resets, leaves by the bridge too, with the same tries, timeline and "
            "outbox."
        ),
        default=False,
        required=False,
    )


@dataclass(frozen=True)
class DeliverySettings:
    """What happens around sending; see ``IDelivery``."""

    undo_seconds: int = 30
    retry_minutes: tuple[int, ...] = (1, 5, 15, 60)
    give_up_hours: int = 48
    notify_agent: bool = True
    alarm_address: str = ""
    signature: str = ""
    bcc_default: tuple[str, ...] = ()
    dns_resolver: str = ""
    keep_sent_days: int = 0
    whole_site: bool = False


def read(records: Any) -> dict[str, Any]:
    """Return the values of ``DeliverySettings`` from the registry records."""
    return {
        "undo_seconds": records.undo_seconds or 0,
        "retry_minutes": tuple(records.retry_minutes or (60,)),
        "give_up_hours": records.give_up_hours,
        "notify_agent": bool(records.notify_agent),
        "alarm_address": records.alarm_address or "",
        "signature": records.signature or "",
        "bcc_default": tuple(records.bcc_default or ()),
        "dns_resolver": records.dns_resolver or "",
        "keep_sent_days": records.keep_sent_days or 0,
        "whole_site": bool(records.whole_site),
    }
