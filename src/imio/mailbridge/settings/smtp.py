"""SMTP accounts: their fields in the control panel, and their values."""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from imio.mailbridge.i18n import _
from imio.mailbridge.message.address import is_addr_spec
from imio.mailbridge.message.composition.reply_address import has_room
from imio.mailbridge.message.composition.reply_address import MAX_BARE
from imio.mailbridge.settings import server
from imio.mailbridge.settings import validate
from imio.mailbridge.settings.rows import Row
from imio.mailbridge.settings.server import filled_in
from imio.mailbridge.settings.server import ServerLogin
from imio.mailbridge.settings.terms import terms
from typing import Any
from zope import schema
from zope.interface import Interface
from zope.schema.vocabulary import SimpleTerm
from zope.schema.vocabulary import SimpleVocabulary


#: Name of the account of the main settings.
DEFAULT = "default"


def name_in_words(name: str) -> str:
    """Return how the account ``name`` is called in a sentence, as a msgid."""
    return _("default") if name == DEFAULT else name


SECURITY = terms(
    starttls=_("STARTTLS (usual with port 587)"),
    tls=_("TLS from the start (usual with port 465)"),
    none=_("No encryption (only for a server on the same machine or network)"),
)

SENDER_POLICY = terms(
    login=_("The login address sends (works with every server)"),
    send_as=_("The agent's own address sends (the server must allow it)"),
    auto=_("The agent's own address where the server is known to allow it, else the login address"),
)

ENVELOPE_SENDER = SimpleVocabulary(
    [
        SimpleTerm("from", "from", _("The address shown in From")),
        SimpleTerm("login", "login", _("The login address")),
        SimpleTerm(
            "bounce", "bounce", _("The first mail-in address (the bridge reads the error reports itself)")
        ),
    ]
)


def _own_reply_address() -> schema.Bool:
    """Return the field that gives each message a reply address of its own."""
    return schema.Bool(
        title=_("Replies come back to iA.docs"),
        description=_(
            "Each e-mail gets a reply address of its own at the first mail-in address, in place of the agent's: the answer is "
            "filed as incoming mail that answers the document, and the agent gets a copy. Your mail server must hand over what "
            "follows a plus sign (in+…@maville.be). Off: answers go to the agent, and iA.docs sees them only where it reads "
            "that mailbox."
        ),
        default=False,
        required=False,
    )


def _rate() -> schema.Int:
    """Return the field of the speed."""
    return schema.Int(
        title=_("Messages per minute"),
        description=_(
            "The bridge sends no faster; the rest waits its turn. Microsoft 365 allows 30. 0: no limit."
        ),
        min=0,
        max=100000,
        default=30,
        required=False,
    )


def _attachment_limit() -> schema.Int:
    """Return the field of the size of all files together."""
    return schema.Int(
        title=_("Attachment limit"),
        description=_("For all files of one message together; on the way they grow by a third. 0: no limit."),
        min=0,
        max=1024**3,
        default=25 * 1024**2,
        required=False,
    )


def why_no_reply_address(mailin_addresses: Sequence[str]) -> str:
    """Return why e-mails can get no reply address of their own at the first of these addresses (a msgid), or an empty string."""
    why: str = ""
    if not mailin_addresses:
        why = _("Answers need a mail-in address to come to. Enter one first.")
    elif not has_room(mailin_addresses[0]):
        why = _(
            "The part before the @ of the first mail-in address is too long for answers to come to, or contains letters with "
            "accents. It may have ${count} characters, not counting what follows a plus sign.",
            mapping={"count": MAX_BARE},
        )
    return why


class ISmtpAccountRow(Interface):
    """One more SMTP account, beside the default one; the keys are those of ``Account``."""

    name = schema.TextLine(
        title=_("Name"),
        description=_("Short, without spaces, for lists and reports. Example: cpas"),
        constraint=validate.account_name,
    )
    senders = schema.List(
        title=_("Sender addresses and domains"),
        description=_(
            "Mail from these leaves by this account, one per line: an address (info@cpas.be) or a domain (cpas.be). An "
            "address comes before a domain, a domain before the default account."
        ),
        value_type=schema.TextLine(constraint=validate.sender),
        min_length=1,
    )
    host = schema.TextLine(title=_("SMTP server"), constraint=validate.host)
    port = server.port(587)
    security = server.security(SECURITY, "starttls")
    ca_file = server.ca_file()
    auth = server.auth()
    login = server.login()
    login_address = schema.TextLine(title=_("Login address"), constraint=validate.address, required=False)
    sender_policy = schema.Choice(title=_("Sender address"), vocabulary=SENDER_POLICY, default="login")
    own_reply_address = _own_reply_address()
    oauth_token_url = server.token_url()
    oauth_client_id = server.client_id()
    oauth_scope = server.scope()
    rate = _rate()
    attachment_limit = _attachment_limit()


class IOutgoing(Interface):
    """How mail leaves."""

    smtp_host = schema.TextLine(
        title=_("SMTP server"),
        description=_(
            "Name of the server that takes your outgoing mail, for instance smtp.office365.com. While this is empty, "
            "agents cannot send e-mails from iA.docs and do not see the action."
        ),
        constraint=validate.host,
        required=False,
    )
    smtp_port = server.port(
        587, _("587 for STARTTLS, 465 for TLS from the start, 25 inside your own network.")
    )
    smtp_security = server.security(
        SECURITY,
        "starttls",
        _(
            "Protects the password and the mail on the way to the server. The server's certificate is always verified; "
            "if the server does not offer the chosen encryption, nothing is sent."
        ),
    )
    smtp_ca_file = server.ca_file(
        _(
            "Path, on the iA.docs server, of a PEM file with the certificate authority of your town. Leave empty for a "
            "server with a public certificate."
        )
    )
    smtp_login = server.login(
        _("Name of the account on the SMTP server, usually an e-mail address. Empty: no login.")
    )
    smtp_auth = server.auth(
        _(
            "Microsoft and Google stop accepting passwords: with OAuth 2.0 the bridge gets a token from the provider instead."
        )
    )
    oauth_token_url = server.token_url(
        _("For OAuth 2.0: https://login.microsoftonline.com/TENANT/oauth2/v2.0/token")
    )
    oauth_client_id = server.client_id(
        _("For OAuth 2.0: the application that your mail provider registered for iA.docs.")
    )
    oauth_scope = server.scope(_("For OAuth 2.0: https://outlook.office365.com/.default"))
    login_address = schema.TextLine(
        title=_("Login address"),
        description=_("E-mail address of that account, if the login is not an address."),
        constraint=validate.address,
        required=False,
    )
    sender_policy = schema.Choice(
        title=_("Sender address"),
        description=_(
            "Some servers let the login send in the name of every agent, others refuse it. When in doubt, let the login "
            "address send."
        ),
        vocabulary=SENDER_POLICY,
        default="login",
    )
    reply_to_agent = schema.Bool(
        title=_("Replies to the agent"),
        description=_("When the login address sends, the agent's address stands in Reply-To."),
        default=True,
        required=False,
    )
    own_reply_address = _own_reply_address()
    envelope_sender = schema.Choice(
        title=_("Address for error reports"),
        description=_("Is told when a mail cannot be delivered (envelope sender)."),
        vocabulary=ENVELOPE_SENDER,
        default="from",
    )
    smtp_rate = _rate()
    attachment_limit = _attachment_limit()
    ehlo_name = schema.TextLine(
        title=_("Name of this server"),
        description=_(
            "The full name by which iA.docs presents itself to mail servers (EHLO), as it stands in DNS. Empty: the name in the "
            "address of the site, else the domain of the login address."
        ),
        constraint=validate.full_name,
        required=False,
    )
    smtp_accounts = schema.List(
        title=_("Other SMTP accounts"),
        value_type=Row(title=_("SMTP account"), schema=ISmtpAccountRow),
        constraint=validate.accounts,
        default=[],
        missing_value=[],
        required=False,
    )
    close_on_send = schema.Bool(
        title=_("Mark the document as sent"),
        description=_("Once the server has taken the message for all recipients, never before."),
        default=True,
        required=False,
    )
    service_senders = schema.List(
        title=_("Services with their own address"),
        description=_("Members of these services may send from the address of the service."),
        value_type=schema.Choice(vocabulary="imio.mailbridge.services"),
        default=[],
        missing_value=[],
        required=False,
    )


@dataclass(frozen=True)
class Account(ServerLogin):
    """An SMTP account: where mail leaves and as whom.

    ``senders`` are lower-case addresses and domains (without @) that this account serves. ``rate`` is in messages a minute,
    ``attachment_limit`` in bytes of files before encoding; 0 means none. ``own_reply_address``: answers come to the bridge.
    """

    port: int = 587
    security: str = "starttls"
    login_address: str = ""
    sender_policy: str = "login"
    senders: tuple[str, ...] = ()
    rate: int = 0
    attachment_limit: int = 0
    own_reply_address: bool = False


@dataclass(frozen=True)
class SmtpSettings:
    """How mail leaves. ``accounts`` maps a name to its account, the default one first; without a server that is missing there."""

    default_account: Account = Account(DEFAULT)
    accounts: Mapping[str, Account] = field(default_factory=dict)
    reply_to_agent: bool = True
    envelope_sender: str = "from"
    close_on_send: bool = True
    ehlo_name: str = ""
    service_senders: tuple[str, ...] = ()

    def account_for(self, addr_spec: str) -> Account | None:
        """Return the account that mail from an address leaves by: that of the address, of its domain, the default, or None."""
        address = addr_spec.lower()
        for key in (address, address.rpartition("@")[2]):
            for account in self.accounts.values():
                if key in account.senders:
                    return account
        return self.accounts.get(DEFAULT)


def read(records: Any) -> dict[str, Any]:
    """Return the values of ``SmtpSettings`` from the registry records."""
    default = Account(
        name=DEFAULT,
        host=records.smtp_host or "",
        port=records.smtp_port,
        security=records.smtp_security,
        ca_file=records.smtp_ca_file or "",
        auth=records.smtp_auth,
        login=records.smtp_login or "",
        oauth_token_url=records.oauth_token_url or "",
        oauth_client_id=records.oauth_client_id or "",
        oauth_scope=records.oauth_scope or "",
        login_address=login_address(records.login_address, records.smtp_login),
        sender_policy=records.sender_policy,
        rate=records.smtp_rate or 0,
        attachment_limit=records.attachment_limit or 0,
        own_reply_address=bool(records.own_reply_address),
    )
    others = map(_account, records.smtp_accounts or ())
    return {
        "default_account": default,
        "accounts": {each.name: each for each in (*([default] if default.host else []), *others)},
        "reply_to_agent": bool(records.reply_to_agent),
        "envelope_sender": records.envelope_sender,
        "close_on_send": bool(records.close_on_send),
        "ehlo_name": records.ehlo_name or "",
        "service_senders": tuple(records.service_senders or ()),
    }


def login_address(address: str | None, login: str | None) -> str:
    """Return the address of an account: as set, else the login when that is an address, else an empty string."""
    return address or (login if login and is_addr_spec(login) else "")


def _account(row: Mapping[str, Any]) -> Account:
    given = filled_in(row, Account.__dataclass_fields__)
    given["login_address"] = login_address(row.get("login_address"), row.get("login"))
    given["senders"] = tuple(each.strip().lower().removeprefix("@") for each in row.get("senders") or ())
    return Account(**given)
