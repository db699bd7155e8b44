"""The screens about mail that comes in: which mailboxes forward, the check of each, and the login mailbox."""

from dataclasses import replace
from datetime import date
from imio.mailbridge.browser.guide import guide_url
from imio.mailbridge.controlpanel.addresses import secret_address
from imio.mailbridge.controlpanel.forwarding import LANGUAGES
from imio.mailbridge.controlpanel.mailboxes import tried
from imio.mailbridge.controlpanel.row_form import rows_of
from imio.mailbridge.controlpanel.setup import answers as kept
from imio.mailbridge.controlpanel.setup.screen import Field
from imio.mailbridge.controlpanel.setup.screen import Templated
from imio.mailbridge.controlpanel.setup.sending import as_pem
from imio.mailbridge.controlpanel.setup.sending import is_address
from imio.mailbridge.controlpanel.setup.sending import is_port
from imio.mailbridge.controlpanel.setup.sending import secrets_in
from imio.mailbridge.diagnosis.step import BAD
from imio.mailbridge.i18n import _
from imio.mailbridge.inbound.forwarding import check
from imio.mailbridge.inbound.forwarding.outcomes import OUTCOMES
from imio.mailbridge.inbound.forwarding.store import forwardings
from imio.mailbridge.inbound.imap_reading import wake
from imio.mailbridge.message.secret_address import is_secret
from imio.mailbridge.message.secret_address import without_secret
from imio.mailbridge.settings import secrets
from imio.mailbridge.settings import validate
from imio.mailbridge.settings.imap import IImapMailboxRow
from imio.mailbridge.settings.imap import ImapMailbox
from imio.mailbridge.settings.imap import secrets_of
from imio.mailbridge.settings.providers import provider
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.secrets import TRIAL
from imio.mailbridge.store.commit import committed
from plone import api
from zExceptions import NotFound
from zope.schema import getFieldsInOrder
import re


#: How many mailboxes one may enter at once.
MOST = 50


class MailboxesScreen(Templated):
    """The mailboxes that forward, and the address that they forward to."""

    name = "mailboxes"
    title = _("Which mailboxes forward to iA.docs?")
    lead = _(
        "For instance info@maville.be: it forwards what citizens write, and iA.docs files it as incoming mail."
    )
    skip = _("None for now")

    def fields(self):
        values = self.settings
        present = next((each for each in values.mailin_addresses if not is_secret(each)), "")
        boxes = self.answers.mailboxes or tuple(values.source_mailboxes)
        return [
            Field(
                "mailin_address",
                _("Mail-in address"),
                _("The address at which iA.docs receives e-mails; whoever runs iA.docs for you knows it."),
                self.answers.mailin_address or present,
                "email",
            ),
            Field(
                "mailboxes",
                _("Mailboxes that forward"),
                _("One address per line."),
                "\n".join(boxes),
                "textarea",
            ),
        ]

    def leave_out(self):
        """Go on without mailboxes."""
        kept.keep(mailboxes=())

    def go_on(self):
        """Declare the mailboxes, and make a secret address for each that has none."""
        address = self.entered("mailin_address").lower()
        self.check("mailin_address", validate.address, address)
        if "mailin_address" not in self.page.errors and (is_secret(address) or not secret_address(address)):
            self.page.errors["mailin_address"] = _("Enter the address without the part after the plus sign.")
        boxes = tuple(dict.fromkeys(self.entered("mailboxes").lower().split()))
        wrong = next((each for each in boxes if not is_address(each)), None)
        if not boxes or len(boxes) > MOST:
            self.page.errors["mailboxes"] = _("Enter at least one address, or skip the question.")
        elif wrong is not None:
            self.page.errors["mailboxes"] = _(
                "“${address}” is not an e-mail address.", mapping={"address": wrong[:100]}
            )
        elif address in boxes:
            self.page.errors["mailboxes"] = _("The mail-in address cannot forward to itself.")
        if self.page.errors:
            return self.page._show()
        declare(address, boxes)
        kept.keep(mailin_address=address, mailboxes=boxes)
        return None


def declare(address, boxes):
    """Write mailboxes into the settings, and a secret form of the mail-in address for each that has none."""
    records, mailins, sources = stored_settings(), rows_of("mailin_addresses"), rows_of("mailboxes")
    known = {row["address"].lower() for row in mailins}
    if address not in known:
        mailins.append({"address": address, "service": None, "mailbox": None})
    declared = {row["address"].lower() for row in sources}
    sources += [{"address": each, "service": None} for each in boxes if each not in declared]
    for each in boxes:
        if not secret_of(address, each, mailins):
            mailins.append({"address": secret_address(address), "service": None, "mailbox": each})
    records.mailin_addresses, records.mailboxes = mailins, sources
    if "tag" not in (records.proofs or ()):
        records.proofs = ["tag", *(records.proofs or ())]


def secret_of(address, mailbox, rows):
    """Return the present secret address of a mailbox at a mail-in address, or an empty string."""
    found = [
        row["address"].lower()
        for row in rows
        if (row.get("mailbox") or "").lower() == mailbox
        and is_secret(row["address"])
        and without_secret(row["address"].lower()) == address
    ]
    return found[-1] if found else ""


#: How a mailbox is made to forward at each provider, and the guide with all steps.
STEPS = {
    "microsoft365": (
        "microsoft-365",
        (
            _(
                "In the Microsoft 365 admin center (admin.microsoft.com), under Users, Active users, choose the "
                "mailbox; for a shared "
                "one, under Teams & groups, Shared mailboxes."
            ),
            _(
                "Mail, Manage email forwarding: select Forward all emails sent to this mailbox, and enter the address below."
            ),
            _(
                "Forwarding to the outside is forbidden by default. Allow it for these mailboxes in an outbound policy "
                "(security.microsoft.com/antispam): Automatic forwarding rules, On."
            ),
        ),
    ),
    "google": (
        "google-workspace",
        (
            _(
                "In Gmail of the mailbox: Settings, See all settings, Forwarding and POP/IMAP, Add a forwarding "
                "address: the one below."
            ),
            _(
                "Google sends a code to this address. It waits in iA.docs, in the list of incoming e-mails: open it "
                "and follow its link."
            ),
            _("Choose Forward a copy of incoming mail to, then Save changes."),
        ),
    ),
    "exchange": (
        "exchange",
        (
            _(
                "In the Exchange admin center, under Recipients, Contacts: add a mail contact with the address below, hidden from "
                "address lists."
            ),
            _(
                "Recipients, Mailboxes, the mailbox, Mailbox features, Mail flow, View details: select Enable forwarding and "
                "choose this contact."
            ),
            _("Forwarding to the outside must be allowed: AutoForwardEnabled of the remote domain."),
        ),
    ),
    "zimbra": (
        "zimbra",
        (
            _("In the mailbox: Preferences, Mail, Receiving messages, Forward a copy to: the address below."),
            _("If this is grayed out, the administrator must allow forwarding in the class of service."),
        ),
    ),
    "bluemind": (
        "bluemind",
        (
            _(
                "In the mailbox: Settings, Mail, Forwarding: select Forward incoming messages, and enter the address below."
            ),
            _("The administrator must allow forwarding outside the domain."),
        ),
    ),
    "own": (
        "postfix",
        (
            _(
                "In the mail server, an alias or a filter passes each mail on to the address below, unchanged: "
                "redirect, not forward."
            ),
            _("It must hand over the address as it is, including what follows the plus sign."),
        ),
    ),
}


class ForwardScreen(Templated):
    """What each mailbox must forward to, how, and whether it does."""

    name = "forward"
    title = _("Have the mailboxes forward to iA.docs")
    lead = _(
        "Each mailbox has a secret address of its own: it proves where the mail comes from. Show it only to "
        "whoever sets up the forwarding."
    )
    buttons = ("go_on", "check_now")

    @property
    def steps(self):
        """Return how it is done at this provider."""
        return STEPS[self.answers.provider][1]

    @property
    def guide(self):
        """Return the address of the guide."""
        spoken = (api.portal.get_current_language() or "")[:2]
        return guide_url(f"{spoken if spoken in LANGUAGES else 'en'}/{STEPS[self.answers.provider][0]}")

    def rows(self):
        """Return what the table shows of each mailbox."""
        rows, known = rows_of("mailin_addresses"), forwardings()
        for each in self.answers.mailboxes:
            yield {
                "mailbox": each,
                "secret": secret_of(self.answers.mailin_address, each, rows),
                **outcome(known.get(each)),
            }

    def is_running(self):
        """Tell whether a check has not come back yet."""
        return any(row["running"] for row in self.rows())

    def check_now(self):
        """Send the message of a check to a mailbox."""
        mailbox = self.entered("check_now").lower()
        if mailbox not in self.answers.mailboxes or mailbox not in check.declared():
            raise NotFound(self.name)
        try:
            check.start(mailbox)
        except check.CannotCheck as error:
            self.page._say(error.args[0], "warning")
        return self.page.again()

    def go_on(self):
        """Go on; what has not come back stands on the last page."""


def outcome(status):
    """Return what the last check of a mailbox brought: ``good`` is None while nothing is known."""
    last = status.results[0] if status is not None and status.results else None
    found = OUTCOMES[last["outcome"]] if last else None
    return {
        "running": bool(status is not None and status.running),
        "outcome": last["outcome"] if last else "",
        "good": found.good if found else None,
        "sentence": found.sentence if found else "",
        "remedy": found.remedy if found else "",
        "words": last["text"] if last else "",
    }


class WatchScreen(Templated):
    """The mailbox of the login address, read by IMAP."""

    name = "watch"
    title = _("May iA.docs read the mailbox of the login address?")
    skip = _("No, somebody reads it")
    commits = True

    @property
    def lead(self):
        """Say which mailbox, and why."""
        return _(
            "Error reports and answers come to ${address}. iA.docs can file them where they belong, so that nobody needs to look "
            "there.",
            mapping={"address": self.account.login_address},
        )

    @property
    def account(self):
        """Return the account that sends."""
        return self.settings.default_account

    @property
    def known(self):
        """Return (host, port, security) of the IMAP server that the provider or DNS names, or an empty host."""
        preset = provider(self.answers.provider).preset
        if preset is not None and preset.imap["host"]:
            return tuple(preset.imap[name] for name in ("host", "port", "security"))
        return tuple(self.answers.imap) or ("", 993, "tls")

    @property
    def has_secrets(self):
        """Tell whether the secrets of sending may be used: at one provider, whose servers are those of its preset."""
        preset = provider(self.answers.provider).preset
        return bool(
            preset is not None
            and preset.imap["host"]
            and preset.values["host"] == self.account.host
            and (self.account.auth == "oauth2" or secrets.source() == "site")
        )

    def fields(self):
        host, port, _security = self.known
        found = []
        if not host or self.page.errors or self.page.problem:
            found += [
                Field("host", _("IMAP server"), _("Example: imap.maville.be"), host or self.account.host),
                Field("port", _("Port"), _("993, or 143 with STARTTLS."), str(port)),
            ]
        found.append(Field("login", _("Login"), "", self.account.login or self.account.login_address))
        if not self.has_secrets:
            found += [Field(kind, SECRETS[kind], "", "", "password") for kind in self._kinds()]
        if self.page.problem:
            text = _(
                "Only if its certificate could not be verified: the text of the certificate of your authority."
            )
            found.append(Field("pem", _("Certificate of your own authority"), text, "", "textarea"))
        return found

    def _kinds(self):
        return ("client_secret", "refresh_token") if self.account.auth == "oauth2" else ("password",)

    def leave_out(self):
        """Leave the mailbox to people."""
        kept.keep(left_out=(self.name,))

    def go_on(self):
        """Open the mailbox, and have it read from now on."""
        mailbox, given = self._mailbox(), secrets_in(self, () if self.has_secrets else self._kinds())
        if not self.page.errors and not self.has_secrets and not given:
            self.page.errors[self._kinds()[0]] = _("Enter login and password of the mailbox.")
        if self.page.errors:
            return self.page._show()
        if self.has_secrets:
            given = {kind: secrets.read(kind=kind) for kind in secrets.KINDS}
        committed(lambda: _write(secrets_of(TRIAL), given))
        try:
            sentence, kind = tried(mailbox)
            if kind != "error":
                committed(lambda: (save(mailbox), kept.keep(left_out=())))
        finally:
            committed(lambda: secrets.forget(secrets_of(TRIAL)))
        if kind == "error":
            kept.note(self.name, BAD, sentence)
            self.page.problem = sentence
            return self.page._show()
        self.page._say(sentence)
        return None

    def _mailbox(self):
        host, port, security = self.known
        if "host" in self.request.form:
            host, port = self.entered("host"), self.entered("port") or "993"
            self.check("host", validate.host)
            if not is_port(port):
                self.page.errors["port"] = _("This is not a port.")
                port = 993
            security = "starttls" if int(port) == 143 else security
        self.check("login", validate.one_line)
        if not self.entered("login"):
            self.page.errors["login"] = _("Enter the login: usually the address of the mailbox.")
        account, authority = self.account, self.account.ca_file
        if pem := self.entered("pem"):
            authority = as_pem(pem.encode())
            if not authority:
                self.page.errors["pem"] = _("No certificate can be read in it.")
        with_token = account.auth == "oauth2"
        return ImapMailbox(
            TRIAL,
            host,
            int(port),
            security,
            authority,
            account.auth,
            self.entered("login"),
            account.oauth_token_url if with_token else "",
            account.oauth_client_id if with_token else "",
            account.oauth_scope if with_token else "",
            address=account.login_address.lower(),
            role="login",
        )


SECRETS = {
    "password": _("Password"),
    "client_secret": _("Client secret"),
    "refresh_token": _("Refresh token"),
}


def _write(name, given):
    for kind, secret in given.items():
        secrets.write(secret, name, kind)


def save(mailbox):
    """Write a mailbox that can be read into the settings, in place of one with its address, and its secrets beside it."""
    rows = rows_of("imap_mailboxes")
    former = next((row for row in rows if row["address"].lower() == mailbox.address), None)
    name = former["name"] if former else new_name(mailbox.address, {row["name"].lower() for row in rows})
    row = former or {each: field.default for each, field in getFieldsInOrder(IImapMailboxRow)}
    row |= {"since": row["since"] if former else date.today().isoformat(), "name": name}
    named = replace(mailbox, name=name)
    for each in ("host", "port", "security", "ca_file", "auth", "login", "address", "role", *TOKEN):
        row[each] = getattr(named, each) or None
    values = {kind: secrets.read(secrets_of(TRIAL), kind) for kind in (*secrets.KINDS, secrets.ROTATED)}
    stored_settings().imap_mailboxes = [row if each is former else each for each in rows] + (
        [] if former else [row]
    )
    secrets.forget(secrets_of(name))
    _write(secrets_of(name), values)
    wake(name)


TOKEN = ("oauth_token_url", "oauth_client_id", "oauth_scope")


def new_name(address, taken):
    """Return a short name for the mailbox of an address that no other one has."""
    base = re.sub(r"[^a-z0-9-]", "-", address.partition("@")[0]).strip("-")[:20] or "login"
    base = "login" if base == "default" else base
    return next(
        name
        for number in range(1, 1000)
        if (name := base if number == 1 else f"{base}-{number}") not in taken
    )
