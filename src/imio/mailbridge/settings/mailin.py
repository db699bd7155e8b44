"""Mail-in addresses and the source mailboxes that forward to them: fields and values."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from imio.mailbridge.i18n import _
from imio.mailbridge.settings import validate
from imio.mailbridge.settings.rows import Row
from typing import Any
from zope import schema
from zope.interface import Interface
from zope.schema.vocabulary import SimpleTerm
from zope.schema.vocabulary import SimpleVocabulary


INLINE_FORWARD = SimpleVocabulary(
    [
        SimpleTerm("quarantine", "quarantine", _("Quarantine it and explain how to forward as attachment")),
        SimpleTerm("file-proposal", "file-proposal", _("File what could be read from the text")),
    ]
)


class IMailinAddressRow(Interface):
    """One address whose mail the bridge files."""

    address = schema.TextLine(
        title=_("Mail-in address"),
        description=_(
            "A part after a plus sign that you write yourself (in+administration@maville.be) proves nothing: secret "
            "addresses, which are made on the page Addresses, prove where mail comes from."
        ),
        constraint=validate.address,
    )
    service = schema.Choice(
        title=_("Service"),
        description=_("Handles what arrives here."),
        vocabulary="imio.mailbridge.services",
        required=False,
    )
    mailbox = schema.TextLine(
        title=_("Source mailbox"),
        description=_("The only mailbox that forwards to this address, if there is just one."),
        constraint=validate.address,
        required=False,
    )


class IMailboxRow(Interface):
    """One mailbox of the town that forwards to a mail-in address."""

    address = schema.TextLine(title=_("Address"), constraint=validate.address)
    service = schema.Choice(
        title=_("Service"),
        description=_("Handles what was written to this mailbox."),
        vocabulary="imio.mailbridge.services",
        required=False,
    )


class IIncoming(Interface):
    """How mail arrives."""

    mailin_addresses = schema.List(
        title=_("Mail-in addresses"),
        description=_(
            "Every mail that your mail server hands over for one of these addresses is filed, or the bridge says why not."
        ),
        value_type=Row(title=_("Mail-in address"), schema=IMailinAddressRow),
        default=[],
        missing_value=[],
        required=False,
    )
    mailboxes = schema.List(
        title=_("Source mailboxes"),
        description=_(
            "Mailboxes of the town that forward all their mail to a mail-in address, for instance info@maville.be."
        ),
        value_type=Row(title=_("Source mailbox"), schema=IMailboxRow),
        default=[],
        missing_value=[],
        required=False,
    )
    inline_forward = schema.Choice(
        title=_("Mail forwarded as text"),
        description=_(
            "The original sender of such a mail is only a guess; forwarding as attachment keeps the original."
        ),
        vocabulary=INLINE_FORWARD,
        default="quarantine",
    )
    ask_sender = schema.Bool(
        title=_("Explanation of forwarding"),
        description=_(
            "An agent who forwarded as text gets an e-mail with the steps to forward as attachment in their own mail program,"
            " at most once a day."
        ),
        default=True,
        required=False,
    )
    reply_transition = schema.Choice(
        title=_("Transition after an answer"),
        description=_(
            "How the state of an incoming e-mail changes once, when the first answer has left, where that can be done. Empty:"
            " the state stays."
        ),
        vocabulary="imio.mailbridge.incoming_transitions",
        required=False,
    )
    max_per_sender = schema.Int(
        title=_("Messages per author (per hour)"),
        description=_("More than that is the sign of a loop and is kept in the quarantine. 0: no limit."),
        min=0,
        max=100000,
        default=300,
    )
    digest_address = schema.TextLine(
        title=_("Daily summary address"),
        description=_("Gets a summary once a day, while mail waits for a decision. Empty: no summary."),
        constraint=validate.address,
        required=False,
    )
    silence_alarm = schema.Bool(
        title=_("Alarm for silent mailboxes"),
        description=_(
            "The alarm address is told when a source mailbox that usually brings mail has brought none for much longer than "
            "ever."
        ),
        default=True,
        required=False,
    )
    forwarding_canary = schema.Bool(
        title=_("Weekly forwarding check"),
        description=_(
            "For each source mailbox, as on the page “Forwarding”; the alarm address is told when something is wrong."
        ),
        default=False,
        required=False,
    )
    max_size = schema.Int(
        title=_("Largest message"),
        description=_("A larger one is refused, and the mail server tells its sender."),
        min=1024,
        max=1024**3,
        default=40 * 1024**2,
    )
    max_deliveries = schema.Int(
        title=_("Deliveries per user (per minute)"),
        description=_(
            "What exceeds it is put off: the mail server keeps it and tries again later. For one client address the limit is "
            "half as high; each instance counts on its own. 0: no limit."
        ),
        min=0,
        max=100000,
        default=600,
    )
    max_volume = schema.Int(
        title=_("Volume per user (MB in ten minutes)"),
        description=_("As above, for the size of all messages together. 0: no limit."),
        min=0,
        max=1000000,
        default=2048,
    )
    keep_received_days = schema.Int(
        title=_("Keep received messages (days)"),
        description=_(
            "Afterwards the message as it arrived is deleted; the document with all its files and the history stay, and what "
            "waits for a decision is kept. What must be kept by law, and for how long, is for the town to decide. 0: messages are "
            "kept forever."
        ),
        min=0,
        max=36500,
        default=0,
    )


@dataclass(frozen=True)
class MailinAddress:
    """A mail-in address, in lower case; ``service`` is a uid or empty, ``source_mailbox`` in lower case or empty."""

    address: str
    service: str = ""
    source_mailbox: str = ""


@dataclass(frozen=True)
class MailinSettings:
    """How mail arrives. ``mailin_addresses`` keep their order; ``source_mailboxes`` maps an address to a service uid or "".

    ``max_size`` is in bytes. 0 is no limit for ``max_per_sender`` (messages an hour), ``max_deliveries`` (messages a minute) and
    ``max_volume`` (MiB in ten minutes), and for ever for ``keep_received_days``.
    """

    mailin_addresses: Mapping[str, MailinAddress] = field(default_factory=dict)
    source_mailboxes: Mapping[str, str] = field(default_factory=dict)
    inline_forward: str = "quarantine"
    ask_sender: bool = True
    reply_transition: str = ""
    max_per_sender: int = 300
    digest_address: str = ""
    silence_alarm: bool = True
    forwarding_canary: bool = False
    max_size: int = 40 * 1024**2
    max_deliveries: int = 600
    max_volume: int = 2048
    keep_received_days: int = 0


def read(records: Any) -> dict[str, Any]:
    """Return the values of ``MailinSettings`` from the registry records."""
    addresses = [
        MailinAddress(row["address"].lower(), row.get("service") or "", (row.get("mailbox") or "").lower())
        for row in records.mailin_addresses or ()
    ]
    return {
        "mailin_addresses": {each.address: each for each in addresses},
        "source_mailboxes": {
            row["address"].lower(): row.get("service") or "" for row in records.mailboxes or ()
        },
        "inline_forward": records.inline_forward,
        "ask_sender": bool(records.ask_sender),
        "reply_transition": records.reply_transition or "",
        "max_per_sender": records.max_per_sender or 0,
        "digest_address": records.digest_address or "",
        "silence_alarm": bool(records.silence_alarm),
        "forwarding_canary": bool(records.forwarding_canary),
        "max_size": records.max_size,
        "max_deliveries": records.max_deliveries or 0,
        "max_volume": records.max_volume or 0,
        "keep_received_days": records.keep_received_days or 0,
    }
