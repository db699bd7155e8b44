"""What can an admin set? The registry schema of the bridge (prefix ``imio.mailbridge``)."""

from collective.z3cform.datagridfield.blockdatagridfield import BlockDataGridFieldFactory
from collective.z3cform.datagridfield.datagridfield import DataGridFieldFactory
from collective.z3cform.datagridfield.row import DictRow
from imio.mailbridge.i18n import _
from imio.mailbridge.settings import validate
from plone.autoform import directives
from plone.supermodel import model
from z3c.form.browser.checkbox import CheckBoxFieldWidget
from zope import schema
from zope.interface import Interface
from zope.schema.vocabulary import SimpleTerm
from zope.schema.vocabulary import SimpleVocabulary


PREFIX = "imio.mailbridge"


def _terms(**titles):
    return SimpleVocabulary([SimpleTerm(value, value, title) for value, title in titles.items()])


SECURITY = _terms(
    starttls=_("STARTTLS (usual with port 587)"),
    tls=_("TLS from the start (usual with port 465)"),
    none=_("No encryption (only for a server on the same machine or network)"),
)
SENDER_POLICY = _terms(
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
AUTH = _terms(
    password=_("Password"),
    oauth2=_("OAuth 2.0 (Microsoft 365, Google)"),
)
BCC = _terms(
    agent_email=_("The agent's own address"),
    service_email=_("The address of the agent's service"),
)
PROOFS = _terms(
    tag=_("The secret part of the mail-in address"),
    gateway=_("The address of a trusted mail server"),
    arc=_("A seal (ARC) of a listed mail provider"),
    dkim=_("For agents: a signature (DKIM) of the agent's domain"),
    results=_("For agents: what your own mail server verified (Authentication-Results)"),
)
DKIM_ALIGNMENT = _terms(
    relaxed=_("The domain of the agent's address, or one of the same organization"),
    strict=_("Exactly the domain of the agent's address"),
)
FORWARD = _terms(
    agent=_("An agent forwarded it"),
    server=_("A mailbox of the town forwarded it"),
    direct=_("Somebody wrote to the mail-in address itself"),
)
IMAP_SECURITY = _terms(
    tls=_("TLS from the start (usual with port 993)"),
    starttls=_("STARTTLS (usual with port 143)"),
)
ROLE = SimpleVocabulary(
    [
        SimpleTerm("mail-in", "mail-in", _("Its mail is to be filed, as if sent to a mail-in address")),
        SimpleTerm(
            "login", "login", _("It is the mailbox of the login address: answers and reports come here")
        ),
    ]
)
DONE = _terms(
    move=_("Move it to a folder of the mailbox"),
    flag=_("Leave it in place, with a mark that people do not see"),
)
NEW_MAIL = _terms(
    quarantine=_("Keep it in the quarantine, where a person decides"),
    file=_("File it as incoming mail"),
    leave=_("Leave it in the mailbox, untouched"),
)
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
            "With a long secret part after a plus sign (in+h7Qm4tVx2LpZ@maville.be) the address itself proves where the "
            "mail comes from: give it to one mailbox only."
        ),
        constraint=validate.address,
    )
    service = schema.Choice(
        title=_("Service"),
        description=_("Treats what arrives here."),
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
        description=_("Treats what was written to this mailbox."),
        vocabulary="imio.mailbridge.services",
        required=False,
    )


class IRoutingCondition(Interface):
    """When a row of the routing applies: all that is filled in must hold. The keys are those of iA.docs."""

    forward = schema.Choice(
        title=_("How it came in"),
        description=_(
            "Empty: by an agent or by a mailbox. Mail written to the mail-in address needs a row of its own."
        ),
        vocabulary=FORWARD,
        required=False,
    )
    transfer_email_pat = schema.TextLine(
        title=_("Who forwarded it"),
        description=_(
            "Regular expression for the agent's address; it never matches when nobody forwarded the mail."
        ),
        constraint=validate.pattern,
        required=False,
    )
    original_email_pat = schema.TextLine(
        title=_("Original sender"),
        description=_("Regular expression for the address of who wrote the mail."),
        constraint=validate.pattern,
        required=False,
    )
    recipient_pat = schema.TextLine(
        title=_("Mail-in address"),
        description=_("Regular expression for the address that the mail arrived at (envelope recipient)."),
        constraint=validate.pattern,
        required=False,
    )
    subject_pat = schema.TextLine(
        title=_("Subject"),
        description=_("Regular expression; found anywhere in the subject, in any case."),
        constraint=validate.pattern,
        required=False,
    )
    tal_condition_1 = schema.TextLine(
        title=_("Condition"),
        description=_("TAL expression, for instance python: 'permis' in subject.lower()"),
        constraint=validate.expression,
        required=False,
    )


class IRoutingRow(IRoutingCondition):
    """Who treats a mail that comes in."""

    user_value = schema.Choice(
        title=_("Assigned agent"), vocabulary="imio.mailbridge.route_users", default="_empty_"
    )
    tal_condition_2 = schema.TextLine(
        title=_("Condition on the agent"),
        description=_("TAL expression that knows assigned_user too."),
        constraint=validate.expression,
        required=False,
    )
    tg_value = schema.Choice(
        title=_("Treating service"), vocabulary="imio.mailbridge.route_services", default="_empty_"
    )


class IStateRow(IRoutingCondition):
    """Which state a mail that comes in is put into."""

    state_value = schema.Choice(title=_("State"), vocabulary="imio.mailbridge.incoming_states")


class ISmtpAccountRow(Interface):
    """One more SMTP account, beside the default one; the keys are those of ``settings.account.Account``."""

    name = schema.TextLine(
        title=_("Name"),
        description=_("Short and without spaces; it stands in lists and reports. Example: cpas"),
        constraint=validate.account_name,
    )
    senders = schema.List(
        title=_("Sender addresses and domains"),
        description=_(
            "Mail from these leaves by this account, one a line: an address (info@cpas.be) or a domain (cpas.be). An address "
            "comes before a domain, a domain before the default account."
        ),
        value_type=schema.TextLine(constraint=validate.sender),
        min_length=1,
    )
    host = schema.TextLine(title=_("SMTP server"), constraint=validate.host)
    port = schema.Int(title=_("Port"), min=1, max=65535, default=587)
    security = schema.Choice(title=_("Encryption"), vocabulary=SECURITY, default="starttls")
    ca_file = schema.TextLine(
        title=_("Certificates of your own authority"), constraint=validate.readable_file, required=False
    )
    auth = schema.Choice(title=_("Log in with"), vocabulary=AUTH, default="password")
    login = schema.TextLine(title=_("Login"), constraint=validate.one_line, required=False)
    login_address = schema.TextLine(title=_("Login address"), constraint=validate.address, required=False)
    sender_policy = schema.Choice(title=_("Who is the sender?"), vocabulary=SENDER_POLICY, default="login")
    oauth_token_url = schema.TextLine(
        title=_("Token endpoint"), constraint=validate.token_url, required=False
    )
    oauth_client_id = schema.TextLine(title=_("Client ID"), constraint=validate.one_line, required=False)
    oauth_scope = schema.TextLine(title=_("Scope"), constraint=validate.one_line, required=False)
    rate = schema.Int(title=_("Messages a minute"), min=0, max=100000, default=0, required=False)
    attachment_limit = schema.Int(
        title=_("Attachments, at most (bytes)"), min=0, max=1024**3, default=0, required=False
    )


class IImapMailboxRow(Interface):
    """One mailbox that the bridge reads by IMAP; the keys are those of ``gateway.mailbox.Mailbox``."""

    name = schema.TextLine(
        title=_("Name"),
        description=_("Short and without spaces; it stands in lists and reports. Example: administration"),
        constraint=validate.account_name,
    )
    role = schema.Choice(title=_("What is it for?"), vocabulary=ROLE, default="mail-in")
    address = schema.TextLine(
        title=_("Address"),
        description=_("The mail-in address that its mail is for, or the login address of outgoing mail."),
        constraint=validate.address,
    )
    host = schema.TextLine(
        title=_("IMAP server"),
        description=_(
            "For instance outlook.office365.com. Empty: another machine brings the mail of this mailbox (mailbridge-fetch or "
            "a mail server)."
        ),
        constraint=validate.host,
        required=False,
    )
    port = schema.Int(title=_("Port"), min=1, max=65535, default=993)
    security = schema.Choice(
        title=_("Encryption"),
        description=_("The server's certificate is always verified."),
        vocabulary=IMAP_SECURITY,
        default="tls",
    )
    ca_file = schema.TextLine(
        title=_("Certificates of your own authority"), constraint=validate.readable_file, required=False
    )
    auth = schema.Choice(title=_("Log in with"), vocabulary=AUTH, default="password")
    login = schema.TextLine(
        title=_("Login"),
        description=_("Usually the address of the mailbox."),
        constraint=validate.one_line,
        required=False,
    )
    oauth_token_url = schema.TextLine(
        title=_("Token endpoint"), constraint=validate.token_url, required=False
    )
    oauth_client_id = schema.TextLine(title=_("Client ID"), constraint=validate.one_line, required=False)
    oauth_scope = schema.TextLine(title=_("Scope"), constraint=validate.one_line, required=False)
    folder = schema.TextLine(title=_("Folder of the mailbox"), constraint=validate.one_line, default="INBOX")
    since = schema.TextLine(
        title=_("Only mail that arrived since"),
        description=_("A day like 2026-11-24. What is older is not looked at. Empty: everything."),
        constraint=validate.day,
        required=False,
    )
    done = schema.Choice(
        title=_("What is done with a message that iA.docs has"), vocabulary=DONE, default="move"
    )
    done_folder = schema.TextLine(
        title=_("Folder for what is done"),
        description=_("It is made if it is missing."),
        constraint=validate.one_line,
        default="iA.docs",
    )
    recipient_header = schema.TextLine(
        title=_("Header with the exact recipient"),
        description=_(
            "Only for secret addresses: where your server writes the address that the mail was sent to, for instance Delivered-To."
        ),
        constraint=validate.header_name,
        required=False,
    )
    new_mail = schema.Choice(
        title=_("Mail that answers nothing"),
        description=_(
            "For the login address: what happens to a message that is neither an answer nor a report."
        ),
        vocabulary=NEW_MAIL,
        default="quarantine",
    )
    service = schema.Choice(
        title=_("Service"),
        description=_("For the login address: treats what is filed."),
        vocabulary="imio.mailbridge.services",
        required=False,
    )
    copy_to_agent = schema.Bool(
        title=_("Copy of answers to the agent"),
        description=_(
            "For the login address: the agent who wrote the e-mail gets the answer in the own mailbox too, and can answer "
            "the citizen from there."
        ),
        default=True,
        required=False,
    )


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
    smtp_port = schema.Int(
        title=_("Port"),
        description=_("587 for STARTTLS, 465 for TLS from the start, 25 inside your own network."),
        min=1,
        max=65535,
        default=587,
    )
    smtp_security = schema.Choice(
        title=_("Encryption"),
        description=_(
            "Protects the password and the mail on the way to the server. The server's certificate is always verified; "
            "if the server does not offer the chosen encryption, nothing is sent."
        ),
        vocabulary=SECURITY,
        default="starttls",
    )
    smtp_ca_file = schema.TextLine(
        title=_("Certificates of your own authority"),
        description=_(
            "Path, on the iA.docs server, of a PEM file with the certificate authority of your town. Leave empty for a "
            "server with a public certificate."
        ),
        constraint=validate.readable_file,
        required=False,
    )
    smtp_login = schema.TextLine(
        title=_("Login"),
        description=_("Name of the account on the SMTP server, usually an e-mail address. Empty: no login."),
        constraint=validate.one_line,
        required=False,
    )
    smtp_auth = schema.Choice(
        title=_("Log in with"),
        description=_(
            "Microsoft and Google stop accepting passwords: with OAuth 2.0 the bridge gets a token from the provider instead."
        ),
        vocabulary=AUTH,
        default="password",
    )
    oauth_token_url = schema.TextLine(
        title=_("Token endpoint"),
        description=_("For OAuth 2.0: https://login.microsoftonline.com/TENANT/oauth2/v2.0/token"),
        constraint=validate.token_url,
        required=False,
    )
    oauth_client_id = schema.TextLine(
        title=_("Client ID"),
        description=_("For OAuth 2.0: the application that your mail provider registered for iA.docs."),
        constraint=validate.one_line,
        required=False,
    )
    oauth_scope = schema.TextLine(
        title=_("Scope"),
        description=_("For OAuth 2.0: https://outlook.office365.com/.default"),
        constraint=validate.one_line,
        required=False,
    )
    login_address = schema.TextLine(
        title=_("Login address"),
        description=_("E-mail address of that account, if the login is not an address."),
        constraint=validate.address,
        required=False,
    )
    sender_policy = schema.Choice(
        title=_("Who is the sender?"),
        description=_(
            "Some servers let the login send in the name of every agent, others refuse it. When in doubt, let the login "
            "address send."
        ),
        vocabulary=SENDER_POLICY,
        default="login",
    )
    reply_to_agent = schema.Bool(
        title=_("Answers go to the agent"),
        description=_("When the login address sends, put the agent's address into Reply-To."),
        default=True,
        required=False,
    )
    envelope_sender = schema.Choice(
        title=_("Error reports go to"),
        description=_("The address that gets the message when a mail cannot be delivered (envelope sender)."),
        vocabulary=ENVELOPE_SENDER,
        default="from",
    )
    smtp_rate = schema.Int(
        title=_("Messages a minute"),
        description=_(
            "The bridge sends no faster; the others wait their turn. 0: no limit. Microsoft 365 allows 30."
        ),
        min=0,
        max=100000,
        default=0,
        required=False,
    )
    attachment_limit = schema.Int(
        title=_("Attachments, at most (bytes)"),
        description=_("Together, in one message. 0: no limit. On the way they grow by a third."),
        min=0,
        max=1024**3,
        default=0,
        required=False,
    )
    smtp_accounts = schema.List(
        title=_("Other SMTP accounts"),
        value_type=DictRow(title=_("SMTP account"), schema=ISmtpAccountRow),
        constraint=validate.accounts,
        default=[],
        missing_value=[],
        required=False,
    )
    close_on_send = schema.Bool(
        title=_("Mark the document as sent once it is e-mailed"),
        description=_("Runs when the server took the message for all recipients, never before."),
        default=True,
        required=False,
    )
    service_senders = schema.List(
        title=_("Services with an address of their own"),
        description=_("Members of these services may send from the address of the service."),
        value_type=schema.Choice(vocabulary="imio.mailbridge.services"),
        default=[],
        missing_value=[],
        required=False,
    )


class IDelivery(Interface):
    """What happens around sending."""

    undo_seconds = schema.Int(
        title=_("Time to undo, in seconds"),
        description=_(
            "An e-mail waits this long before it leaves, so that its agent can take it back. 0: it leaves at once."
        ),
        min=0,
        max=600,
        default=30,
    )
    retry_minutes = schema.List(
        title=_("Tries again after, in minutes"),
        description=_("One a line, when the server asks to try later; the last one repeats."),
        value_type=schema.Int(min=1, max=1440),
        min_length=1,
        default=[1, 5, 15, 60],
    )
    give_up_hours = schema.Int(
        title=_("Gives up after, in hours"),
        description=_("Then the message has failed and its agent is told."),
        min=1,
        max=240,
        default=48,
    )
    notify_agent = schema.Bool(
        title=_("Tell the agent by e-mail"),
        description=_("When a message failed, came back, or was answered."),
        default=True,
        required=False,
    )
    alarm_address = schema.TextLine(
        title=_("Alarms go to"),
        description=_("When an account stops. Empty: the address of the site."),
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
        title=_("Blind copies by default"),
        value_type=schema.Choice(vocabulary=BCC),
        default=[],
        missing_value=[],
        required=False,
    )
    dns_resolver = schema.TextLine(
        title=_("DNS server for checks"),
        description=_(
            "IP address, with :port if it is not 53, of the server that the diagnosis and the proofs (DKIM, ARC) ask. Empty: "
            "that of the machine."
        ),
        constraint=validate.resolver,
        required=False,
    )
    keep_sent_days = schema.Int(
        title=_("Keeps the bytes of sent mail, in days"),
        description=_(
            "Afterwards the timeline stays and the message itself is deleted. 0: keeps them for ever."
        ),
        min=0,
        max=36500,
        default=0,
    )
    whole_site = schema.Bool(
        title=_("All mail of the site leaves by the bridge"),
        description=_(
            "Also what Plone itself sends, such as password resets: it gets the same tries, timeline and outbox."
        ),
        default=False,
        required=False,
    )


class IIncoming(Interface):
    """How mail arrives."""

    mailin_addresses = schema.List(
        title=_("Mail-in addresses"),
        description=_(
            "Every mail that your mail server hands over for one of these addresses is filed, or the bridge says why not."
        ),
        value_type=DictRow(title=_("Mail-in address"), schema=IMailinAddressRow),
        default=[],
        missing_value=[],
        required=False,
    )
    mailboxes = schema.List(
        title=_("Source mailboxes"),
        description=_(
            "Mailboxes of the town that forward all their mail to a mail-in address, for instance info@maville.be."
        ),
        value_type=DictRow(title=_("Source mailbox"), schema=IMailboxRow),
        default=[],
        missing_value=[],
        required=False,
    )
    imap_mailboxes = schema.List(
        title=_("Mailboxes read by IMAP"),
        value_type=DictRow(title=_("Mailbox"), schema=IImapMailboxRow),
        constraint=validate.mailboxes,
        default=[],
        missing_value=[],
        required=False,
    )
    inline_forward = schema.Choice(
        title=_("A mail that was forwarded as text"),
        description=_(
            "In a forward as text the original sender is only a guess. Forwarding as attachment keeps the original."
        ),
        vocabulary=INLINE_FORWARD,
        default="quarantine",
    )
    ask_sender = schema.Bool(
        title=_("Explain how to forward as attachment"),
        description=_(
            "An agent who forwarded as text gets an e-mail with the steps for the own mail program, at most one a day."
        ),
        default=True,
        required=False,
    )
    max_per_sender = schema.Int(
        title=_("Mails of one author in an hour, at most"),
        description=_("What is more is kept in the quarantine: it is the sign of a loop. 0: no limit."),
        min=0,
        max=100000,
        default=300,
    )
    digest_address = schema.TextLine(
        title=_("Daily summary goes to"),
        description=_("Once a day, when mail waits for a decision. Empty: no summary."),
        constraint=validate.address,
        required=False,
    )
    silence_alarm = schema.Bool(
        title=_("Alarm when a source mailbox falls silent"),
        description=_(
            "When a mailbox that usually brings mail has brought none for much longer than ever, the alarm address is told."
        ),
        default=True,
        required=False,
    )
    forwarding_canary = schema.Bool(
        title=_("Check the forwarding of each source mailbox once a week"),
        description=_("As on the page “Forwarding”; the alarm address is told when something is wrong."),
        default=False,
        required=False,
    )
    max_size = schema.Int(
        title=_("Largest mail, in bytes"),
        description=_(
            "A larger mail is refused, and its sender is told by the mail server. 41943040 is 40 MiB."
        ),
        min=1024,
        max=1024**3,
        default=40 * 1024**2,
    )


class IRouting(Interface):
    """Who treats what arrives."""

    iemail_routing = schema.List(
        title=_("Routing"),
        description=_(
            "The first row whose conditions all hold decides; where none does, the service of the mailbox or of the mail-in "
            "address treats the mail."
        ),
        value_type=DictRow(title=_("Route"), schema=IRoutingRow),
        default=[],
        missing_value=[],
        required=False,
    )
    iemail_state_set = schema.List(
        title=_("States"),
        description=_(
            "The first row whose conditions all hold decides which state the document is put into."
        ),
        value_type=DictRow(title=_("State"), schema=IStateRow),
        default=[],
        missing_value=[],
        required=False,
    )


class ITrust(Interface):
    """Whom the bridge believes."""

    proofs = schema.List(
        title=_("What proves where a mail comes from"),
        description=_(
            "Without one of these a mail is quarantined. The first two hold for all mail; seals need a list of providers, results "
            "the name of your mail server."
        ),
        value_type=schema.Choice(vocabulary=PROOFS),
        default=["tag", "gateway", "arc", "dkim", "results"],
        missing_value=[],
        required=False,
    )

    trusted_gateways = schema.List(
        title=_("Trusted mail servers"),
        description=_(
            "IP addresses or networks (192.0.2.0/24), one a line, of the servers that hand over mail of your mailboxes. "
            "Anyone can write the marks of a forward into a mail: without such a proof it is quarantined."
        ),
        value_type=schema.TextLine(constraint=validate.network),
        default=[],
        missing_value=[],
        required=False,
    )
    agent_patterns = schema.List(
        title=_("Addresses of agents"),
        description=_(
            "Regular expressions, one a line; the whole address must match. .+@maville[.]be means: everybody of maville.be."
        ),
        value_type=schema.TextLine(constraint=validate.pattern),
        default=[],
        missing_value=[],
        required=False,
    )
    dkim_alignment = schema.Choice(
        title=_("Whose signature counts for an agent"),
        description=_("DKIM: the mail server of the domain signs what leaves it."),
        vocabulary=DKIM_ALIGNMENT,
        default="relaxed",
    )
    arc_sealers = schema.List(
        title=_("Mail providers whose seal counts"),
        description=_(
            "Domains in the ARC seal (d=), one a line, for instance microsoft.com for Microsoft 365. The provider vouches for what "
            "it passed on, also for other customers: list only those that your mailboxes are at."
        ),
        value_type=schema.TextLine(constraint=validate.domain),
        default=[],
        missing_value=[],
        required=False,
    )
    authserv_id = schema.TextLine(
        title=_("Name of your mail server in Authentication-Results"),
        description=_(
            "The word at the beginning of that header as your own incoming mail server writes it (mx.maville.be). It must remove "
            "such headers of others. Empty: these headers prove nothing."
        ),
        constraint=validate.authserv_id,
        required=False,
    )


class IMailbridgeSettings(IOutgoing, IDelivery, IIncoming, IRouting, ITrust, model.Schema):
    """All settings of the bridge."""

    directives.widget("service_senders", CheckBoxFieldWidget)
    directives.widget("bcc_default", CheckBoxFieldWidget)
    directives.omitted("smtp_accounts", "imap_mailboxes")  # have pages of their own
    directives.widget("mailin_addresses", DataGridFieldFactory)
    directives.widget("mailboxes", DataGridFieldFactory)
    directives.widget("iemail_routing", BlockDataGridFieldFactory)
    directives.widget("iemail_state_set", BlockDataGridFieldFactory)
    directives.widget("proofs", CheckBoxFieldWidget)

    model.fieldset("outgoing", label=_("Outgoing mail"), fields=schema.getFieldNamesInOrder(IOutgoing))
    model.fieldset("delivery", label=_("Delivery"), fields=schema.getFieldNamesInOrder(IDelivery))
    model.fieldset("incoming", label=_("Incoming mail"), fields=schema.getFieldNamesInOrder(IIncoming))
    model.fieldset("routing", label=_("Routing"), fields=schema.getFieldNamesInOrder(IRouting))
    model.fieldset("trust", label=_("Trust"), fields=schema.getFieldNamesInOrder(ITrust))
