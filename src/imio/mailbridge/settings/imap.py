"""Mailboxes read by IMAP: their fields in the control panel, and their values."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from datetime import date
from imio.mailbridge.i18n import _
from imio.mailbridge.settings import secrets
from imio.mailbridge.settings import server
from imio.mailbridge.settings import validate
from imio.mailbridge.settings.rotated_token import RotatedToken
from imio.mailbridge.settings.rows import Row
from imio.mailbridge.settings.server import filled_in
from imio.mailbridge.settings.server import ServerLogin
from imio.mailbridge.settings.terms import terms
from imio.mailbridge.transport.imap_account import ImapAccount
from imio.mailbridge.transport.imap_account import LOGIN
from imio.mailbridge.transport.imap_account import MAIL_IN
from imio.mailbridge.transport.oauth import Grant
from typing import Any
from zope import schema
from zope.interface import Interface
from zope.schema.vocabulary import SimpleTerm
from zope.schema.vocabulary import SimpleVocabulary


FILE, LEAVE = "file", "leave"

IMAP_SECURITY = terms(
    tls=_("TLS from the start (usual with port 993)"),
    starttls=_("STARTTLS (usual with port 143)"),
)

ROLE = SimpleVocabulary(
    [
        SimpleTerm("mail-in", "mail-in", _("File its mail, as if it was sent to a mail-in address")),
        SimpleTerm("login", "login", _("Mailbox of the login address: answers and reports arrive here")),
    ]
)

DONE = terms(
    move=_("Move it to a folder of the mailbox"),
    flag=_("Leave it in place, with a mark that people do not see"),
)

NEW_MAIL = terms(
    quarantine=_("Keep it in the quarantine, where a person decides"),
    file=_("File it as incoming mail"),
    leave=_("Leave it in the mailbox, untouched"),
)


class IImapMailboxRow(Interface):
    """One mailbox that the bridge reads by IMAP; the keys are those of ``ImapMailbox``."""

    name = schema.TextLine(
        title=_("Name"),
        description=_("Short, without spaces, for lists and reports. Example: administration"),
        constraint=validate.account_name,
    )
    role = schema.Choice(title=_("Use"), vocabulary=ROLE, default="mail-in")
    address = schema.TextLine(
        title=_("Address"),
        description=_("The mail-in address that its mail is for, or the login address of outgoing mail."),
        constraint=validate.address,
    )
    host = schema.TextLine(
        title=_("IMAP server"),
        description=_(
            "For instance outlook.office365.com. Empty: another machine delivers the mail of this mailbox (mailbridge-fetch "
            "or a mail server)."
        ),
        constraint=validate.host,
        required=False,
    )
    port = server.port(993)
    security = server.security(IMAP_SECURITY, "tls", _("The server's certificate is always verified."))
    ca_file = server.ca_file()
    auth = server.auth()
    login = server.login(_("Usually the address of the mailbox."))
    oauth_token_url = server.token_url()
    oauth_client_id = server.client_id()
    oauth_scope = server.scope()
    folder = schema.TextLine(title=_("Folder to read"), constraint=validate.one_line, default="INBOX")
    since = schema.TextLine(
        title=_("Mail since"),
        description=_("A day such as 2026-11-24; older mail is left alone. Empty: everything is read."),
        constraint=validate.day,
        required=False,
    )
    done = schema.Choice(title=_("Messages that iA.docs has received"), vocabulary=DONE, default="move")
    done_folder = schema.TextLine(
        title=_("Folder for received messages"),
        description=_("Created if it is missing."),
        constraint=validate.one_line,
        default="iA.docs",
    )
    recipient_header = schema.TextLine(
        title=_("Recipient header"),
        description=_(
            "For secret addresses only: where your server writes the address that the mail was sent to, for instance "
            "Delivered-To."
        ),
        constraint=validate.header_name,
        required=False,
    )
    new_mail = schema.Choice(
        title=_("Other messages"),
        description=_(
            "For the login address: what happens to a message that is neither an answer nor a report."
        ),
        vocabulary=NEW_MAIL,
        default="quarantine",
    )
    service = schema.Choice(
        title=_("Service"),
        description=_("For the login address: the service that handles what is filed."),
        vocabulary="imio.mailbridge.services",
        required=False,
    )
    copy_to_agent = schema.Bool(
        title=_("Copies of answers to the agent"),
        description=_(
            "For the login address: the agent who wrote the e-mail also gets the answer in their own mailbox, and can reply "
            "to the citizen from there."
        ),
        default=True,
        required=False,
    )


class IImap(Interface):
    """Mailboxes read by IMAP."""

    imap_mailboxes = schema.List(
        title=_("Mailboxes read over IMAP"),
        value_type=Row(title=_("Mailbox"), schema=IImapMailboxRow),
        constraint=validate.mailboxes,
        default=[],
        missing_value=[],
        required=False,
    )


@dataclass(frozen=True)
class LoginRule:
    """What becomes of mail to a login address: ``new_mail`` is ``quarantine``, ``FILE`` or ``LEAVE``; ``service`` may be empty."""

    new_mail: str
    service: str
    copy_to_agent: bool


@dataclass(frozen=True)
class ImapMailbox(ServerLogin):
    """A mailbox that the bridge reads by IMAP; without ``host`` another machine brings its mail.

    ``address`` is in lower case: the mail-in address that its mail is for, or the login address. ``since`` is a day or None.
    """

    port: int = 993
    security: str = "tls"
    address: str = ""
    role: str = MAIL_IN
    folder: str = "INBOX"
    since: date | None = None
    done: str = "move"
    done_folder: str = "iA.docs"
    recipient_header: str = ""
    new_mail: str = "quarantine"
    service: str = ""
    copy_to_agent: bool = True

    @property
    def is_login(self) -> bool:
        """Tell whether it is the mailbox of the login address."""
        return self.role == LOGIN


@dataclass(frozen=True)
class ImapSettings:
    """Mailboxes read by IMAP, by name."""

    imap_mailboxes: Mapping[str, ImapMailbox] = field(default_factory=dict)

    @property
    def login_rules(self) -> dict[str, LoginRule]:
        """Return address → ``LoginRule`` of the login addresses whose mail the bridge gets."""
        return {
            each.address: LoginRule(each.new_mail, each.service, each.copy_to_agent)
            for each in self.imap_mailboxes.values()
            if each.is_login
        }


def read(records: Any) -> dict[str, Any]:
    """Return the values of ``ImapSettings`` from the registry records."""
    return {"imap_mailboxes": {row["name"]: mailbox_of(row) for row in records.imap_mailboxes or ()}}


def mailbox_of(row: Mapping[str, Any]) -> ImapMailbox:
    """Return the ``ImapMailbox`` of a row of the registry."""
    given = filled_in(row, ImapMailbox.__dataclass_fields__)
    given["address"] = given["address"].lower()
    given["since"] = date.fromisoformat(row["since"]) if row.get("since") else None
    return ImapMailbox(**{name: value for name, value in given.items() if value != ""})


def secrets_of(name: str) -> str:
    """Return the name under which the secrets of a mailbox are kept."""
    return f"imap:{name}"


def account_of(mailbox: ImapMailbox) -> ImapAccount | None:
    """Return the IMAP account of a mailbox, with its secrets, or None when another machine reads it."""
    if not mailbox.host:
        return None
    secrets_name = secrets_of(mailbox.name)
    with_token = mailbox.auth == "oauth2"
    refresh_token = secrets.read(secrets_name, "refresh_token")
    grant = Grant(
        mailbox.login,
        mailbox.oauth_token_url,
        mailbox.oauth_client_id,
        mailbox.oauth_scope,
        secrets.read(secrets_name, "client_secret"),
        refresh_token,
        RotatedToken(secrets_name, refresh_token) if refresh_token else None,
    )
    return ImapAccount(
        name=mailbox.name,
        host=mailbox.host,
        login=mailbox.login,
        address=mailbox.address,
        password="" if with_token else secrets.read(secrets_name),
        grant=grant if with_token else None,
        port=mailbox.port,
        security=mailbox.security,
        ca_file=mailbox.ca_file,
        folder=mailbox.folder,
        role=mailbox.role,
        done=mailbox.done,
        done_folder=mailbox.done_folder,
        recipient_header=mailbox.recipient_header,
        since=mailbox.since,
    )
