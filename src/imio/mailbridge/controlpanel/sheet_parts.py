"""The parts of the set-up sheet: what a town's mail server and the bridge must know of each other, from the settings, in words.

A part never holds a secret of an account or a token. Secret addresses are masked unless the reader asks for them.
"""

from dataclasses import dataclass
from dataclasses import field
from imio.mailbridge.browser import titles
from imio.mailbridge.browser.rule_words import choices
from imio.mailbridge.browser.rule_words import RuleWords
from imio.mailbridge.controlpanel.forwarding import FORMS
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import plural
from imio.mailbridge.iadocs import names
from imio.mailbridge.inbound.forwarding.outcomes import OUTCOMES
from imio.mailbridge.inbound.forwarding.store import forwardings
from imio.mailbridge.inbound.imap_reading import status_of
from imio.mailbridge.message.composition.letter import html_to_text
from imio.mailbridge.message.secret_address import is_secret
from imio.mailbridge.message.secret_address import masked
from imio.mailbridge.notify.notice import NAME
from imio.mailbridge.outbox import send_as
from imio.mailbridge.settings import secrets
from imio.mailbridge.settings import tokens
from imio.mailbridge.settings.clock import readable_time
from imio.mailbridge.settings.imap import IMAP_SECURITY
from imio.mailbridge.settings.imap import ROLE
from imio.mailbridge.settings.imap import secrets_of
from imio.mailbridge.settings.server import AUTH
from imio.mailbridge.settings.signature import EXAMPLE
from imio.mailbridge.settings.signature import render
from imio.mailbridge.settings.size import readable_size
from imio.mailbridge.settings.smtp import DEFAULT
from imio.mailbridge.settings.smtp import ENVELOPE_SENDER
from imio.mailbridge.settings.smtp import name_in_words
from imio.mailbridge.settings.smtp import SECURITY
from imio.mailbridge.settings.smtp import SENDER_POLICY
from imio.mailbridge.settings.trust import PROOFS
from plone import api
from Products.CMFCore.utils import getToolByName
from zope.component.hooks import getSite
from zope.i18n import translate


#: Addresses and rows that are named one by one; of more only the number.
NAMED = 6
#: Lines of the signature.
SIGNATURE_LINES = 12
NONE = _("none")
NOT_YET = _("not yet")
HIDDEN = _("secret part hidden")
SECRET_MISSING = _("secret missing")


@dataclass(frozen=True)
class Entry:
    """A label and the lines of its value; an asked value without lines is to be filled in by hand."""

    label: str
    lines: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Cells are texts; an empty one is to be filled in by hand. Without rows ``empty`` stands in its place.

    ``name`` is that of its class in the style sheet.
    """

    name: str
    caption: str
    heads: tuple[str, ...]
    rows: list[tuple[str, ...]]
    empty: str = ""


@dataclass(frozen=True)
class Part:
    """A heading with entries and tables."""

    title: str
    entries: list[Entry] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)


class Parts:
    """The parts of the sheet under ``Settings``; with ``show_secrets`` secret addresses are not masked."""

    def __init__(self, settings, request, show_secrets):
        self.settings = settings
        self.request = request
        self.show_secrets = show_secrets

    def all(self):
        """Return all parts, in the order of the sheet."""
        accounts = self.settings.accounts.values() or [self.settings.default_account]
        return [
            *map(self._account, accounts),
            self._incoming(),
            self._trust(),
            self._documents(),
            self._limits(),
        ]

    # outgoing mail

    def _account(self, account):
        title = _("Outgoing mail")
        if account.name != DEFAULT:
            mapping = {"name": self._text(name_in_words(account.name)), "senders": ", ".join(account.senders)}
            title = _("Outgoing mail of ${senders} (account ${name})", mapping=mapping)
        entries = [
            self._entry(_("SMTP server"), account.host),
            self._entry(_("Port"), str(account.port) if account.host else ""),
            self._entry(_("Encryption"), SECURITY.getTerm(account.security).title if account.host else ""),
            self._entry(_("Login"), account.login, *self._log_in(account)),
            self._entry(_("Login address"), account.login_address),
            self._entry(
                _("May it send as the agents?"),
                SENDER_POLICY.getTerm(account.sender_policy).title,
                *self._known(account.name),
            ),
            self._entry(_("Error reports go to"), self._error_reports(account)),
        ]
        return Part(title, entries)

    def _log_in(self, account):
        if not account.login:
            return ()
        with_password = account.auth == "password"
        kinds = ["password"] if with_password else ["client_secret", "refresh_token"]
        kept = any(secrets.read(account.name, kind) for kind in kinds) or (
            with_password and account.name == DEFAULT and secrets.source() != ""
        )
        auth = self._text(AUTH.getTerm(account.auth).title)
        state = _("${auth}: kept, never shown") if kept else _("${auth}: still missing")
        return (_(state, mapping={"auth": auth}),)

    def _error_reports(self, account):
        if self.settings.envelope_sender == "bounce" and (own := self.settings.bounce_address):
            return self._address(own)
        if account.sender_policy == "login" or self.settings.envelope_sender == "login":
            return account.login_address
        return ENVELOPE_SENDER.getTerm("from").title

    def _known(self, account):
        known = {name: each for (of, name), each in send_as.verdicts().items() if of == account}
        known.pop(send_as.BOUNCE, None)
        if not known:
            yield _("Nothing is known from real sending yet.")
        for allowed, text in (
            (True, _("The server allowed it for: ${names}")),
            (False, _("The server refused it for: ${names}")),
        ):
            found = sorted(name for name, each in known.items() if each.allowed is allowed)
            more = [f"+ {len(found) - NAMED}"] if len(found) > NAMED else []
            if found:
                yield _(text, mapping={"names": ", ".join([*found[:NAMED], *more])})

    # incoming mail

    def _incoming(self):
        services = choices("services")
        named = lambda uid: services.get(uid, "–")  # noqa: E731
        addresses = Table(
            "addresses",
            _("Mail-in addresses"),
            (_("Address"), _("Service"), _("Only for the mailbox")),
            [
                (self._address(row.address), named(row.service), row.source_mailbox or "–")
                for row in self.settings.mailin_addresses.values()
            ]
            or [("", "", "–")],
        )
        mailboxes = Table(
            "mailboxes",
            _("Source mailboxes"),
            (_("Mailbox"), _("Service"), _("Forwards to"), _("How it arrives"), _("Last proven")),
            [
                (address, named(service), self._target(address), *self._arrival(address))
                for address, service in self.settings.source_mailboxes.items()
            ]
            or [("", "–", "", "–", "–")],
        )
        return Part(_("Incoming mail"), tables=[addresses, mailboxes, self._imap()])

    def _target(self, mailbox):
        rows = [row for row in self.settings.mailin_addresses.values() if row.source_mailbox in ("", mailbox)]
        secret = [row for row in rows if is_secret(row.address) and row.source_mailbox == mailbox]
        # without a secret address of its own, a trusted mail server must prove that the mailbox passed it on
        open_ones = [row for row in rows if not is_secret(row.address) and self.settings.trusted_gateways]
        found = secret[-1:] or open_ones[:1]
        return self._address(found[0].address) if found else ""

    def _arrival(self, mailbox):
        about = forwardings().get(mailbox)
        good = (
            next((each for each in about.results if OUTCOMES[each["outcome"]].good), None) if about else None
        )
        if good is None:
            return "–", self._text(NOT_YET)
        seen = good["fingerprint"] or {"form": "unchanged", "proof": ""}
        how = ", ".join((self._text(FORMS[seen["form"]]), self._text(titles.PROOF[seen["proof"]].noun)))
        return how, readable_time(good["at"])

    def _imap(self):
        rows = []
        for each in self.settings.imap_mailboxes.values():
            status = status_of(each.name)
            read = readable_time(status.checked) if status is not None and status.checked else NOT_YET
            security = self._text(IMAP_SECURITY.getTerm(each.security).title) if each.host else ""
            server = f"{each.host}:{each.port}, {security}" if each.host else _("another machine")
            kept = any(secrets.read(secrets_of(each.name), kind) for kind in secrets.KINDS)
            login = each.login if kept or not each.host else f"{each.login} ({self._text(SECRET_MISSING)})"
            row = (self._address(each.address), server, login or "–", ROLE.getTerm(each.role).title, read)
            rows.append(tuple(map(self._text, row)))
        heads = (_("Address"), _("IMAP server"), _("Login"), _("What is it for?"), _("Last read"))
        return Table("imap", _("Mailboxes read over IMAP"), heads, rows, _("no mailbox"))

    def _trust(self):
        values = self.settings
        hosts = [
            _(
                "${label} (token made on ${time})",
                mapping={"label": each["label"], "time": readable_time(each["created"])},
            )
            for each in tokens.listed()
        ]
        entries = [
            self._entry(_("Trusted mail servers"), *map(str, values.trusted_gateways)),
            self._entry(_("Mail hosts that hand mail over"), *self._few(hosts)),
            self._entry(
                _("What proves where a mail comes from"),
                *(term.title for term in PROOFS if term.value in values.proofs),
            ),
            self._entry(_("Addresses of agents"), *(each.pattern for each in values.agent_patterns)),
        ]
        optional = [
            (_("Mail providers whose seal counts"), sorted(values.arc_sealers)),
            (_("Name of your mail server in Authentication-Results"), [values.authserv_id]),
        ]
        entries += [self._entry(label, *found) for label, found in optional if any(found)]
        return Part(_("Who may bring mail in"), entries)

    # iA.docs

    def _documents(self):
        values = self.settings
        site = api.portal.get_registry_record("plone.email_from_address", default="") or ""
        sender = values.default_account.login_address
        return Part(
            _("In iA.docs"),
            [
                self._entry(_("State on arrival"), *self._states()),
                self._entry(_("Sender of alarms and notices"), f"{NAME} <{sender}>" if sender else ""),
                self._entry(_("Alarms go to"), values.alarm_address or site),
                self._entry(_("Daily summary goes to"), values.digest_address or NONE),
                self._entry(_("Signature"), *self._signature(), note=_("Al Bert is an example.")),
            ],
        )

    def _states(self):
        workflows = getToolByName(getSite(), "portal_workflow")
        titles_of = choices("incoming_states")
        chain = workflows.getChainForPortalType(names.INCOMING_EMAIL)
        if chain:
            state = workflows[chain[0]].initial_state
            yield self._text(titles_of.get(state, state))
        rows = self.settings.iemail_state_set
        words = RuleWords(self.settings, self.request)
        found = [self._rule(words.conditions(row), words.state(row)) for row in rows]
        yield from self._few(found)

    def _rule(self, conditions, outcome):
        said = ["".join((each["before"], each["value"], each["after"])) for each in conditions or ()]
        if conditions is None:
            said = [self._text(_("a condition for experts holds"))]
        outcomes = ["".join((each["before"], each["value"], each["after"])) for each in outcome]
        joined = f", {self._text(_('and if'))} ".join(said)
        return f"{self._text(_('If'))} {joined}, {self._text(_('then'))} {', '.join(outcomes)}."

    def _signature(self):
        if not self.settings.signature:
            return ()
        try:
            text = html_to_text(render(self.settings.signature, EXAMPLE))
        except Exception:  # noqa: BLE001 - an administrator typed it, or the registry editor took it
            return (_("The signature cannot be read."),)
        lines = [line for line in text.splitlines() if line.strip()]
        return (*lines[:SIGNATURE_LINES], *(["…"] if len(lines) > SIGNATURE_LINES else []))

    # limits

    def _limits(self):
        values, account = self.settings, self.settings.default_account
        number = lambda count: str(count) if count else self._text(_("no limit"))  # noqa: E731
        size = lambda count: readable_size(count) if count else self._text(_("no limit"))  # noqa: E731
        return Part(
            _("Limits"),
            [
                self._entry(_("Largest incoming mail"), readable_size(values.max_size)),
                self._entry(_("Attachments of one e-mail"), size(account.attachment_limit)),
                self._entry(_("E-mails sent in a minute"), number(account.rate)),
                self._entry(_("E-mails from one author in an hour"), number(values.max_per_sender)),
                self._entry(_("E-mails handed over in a minute"), number(values.max_deliveries)),
                self._entry(
                    _("A delayed e-mail is given up after"),
                    plural(values.give_up_hours, _("1 hour"), _("${count} hours")),
                ),
            ],
        )

    # words

    def _entry(self, label, *lines, note=""):
        found = tuple(filter(None, map(self._text, lines)))
        return Entry(label, found, note if found else "")

    def _address(self, address):
        shown = address if self.show_secrets else masked(address)
        return shown if shown == address else f"{shown} ({self._text(HIDDEN)})"

    def _few(self, found):
        more = (
            [plural(len(found) - NAMED, _("and 1 more"), _("and ${count} more"))]
            if len(found) > NAMED
            else []
        )
        return [*found[:NAMED], *more]

    def _text(self, message):
        return translate(message, context=self.request)
