"""The page ``@@mailbridge-diagnosis``: tests an SMTP account step by step, in plain words and as text for the mail provider."""

from functools import cached_property
from imio.mailbridge.browser.button_page import ButtonPage
from imio.mailbridge.controlpanel import foretold
from imio.mailbridge.controlpanel import trial_mail
from imio.mailbridge.controlpanel.navigation import Navigation
from imio.mailbridge.diagnosis import diagnose as diagnosis
from imio.mailbridge.diagnosis import foreseen
from imio.mailbridge.diagnosis import knowledge
from imio.mailbridge.diagnosis.dns_entries import entries
from imio.mailbridge.i18n import _
from imio.mailbridge.message.address import can_be_sent_to
from imio.mailbridge.settings.clock import local_time
from imio.mailbridge.settings.smtp import name_in_words
from imio.mailbridge.settings.validate import host as check_host
from imio.mailbridge.store.store import now
from imio.mailbridge.transport.imap_account import ImapAccount
from plone import api
from zExceptions import NotFound
from zope.i18n import translate
from zope.interface import Invalid
import re
import socket


VERDICTS = {
    "ok": (_("good"), "success", "✓"),
    "warning": (_("warning"), "warning", "!"),
    "bad": (_("does not work"), "danger", "✗"),
    "skipped": (_("not tried"), "secondary", "–"),
}


class DiagnosisView(Navigation, ButtonPage):
    """What receivers will find, a form, and after a POST the steps that were taken."""

    page_name = "mailbridge-diagnosis"
    buttons = {"run": "_run", "check": "_check"}
    steps = ()

    def __call__(self):
        self.errors = []
        self.known = self.settings.accounts
        self.account = self.known.get(self.entered("account")) or next(iter(self.known.values()), None)
        return super().__call__()

    @property
    def recipient(self):
        """Return the recipient of the test: as entered, else the admin, else the login address."""
        if "run" in self.request.form:
            return self.entered("recipient")
        own = api.user.get_current().getProperty("email") or ""
        return own or (self.account.login_address if self.account else "")

    def _find_target(self, name):
        if self.account is None:
            raise NotFound(self.page_name)

    def _run(self):
        options = self._options()
        if not self.errors:
            self.steps = diagnosis.diagnose(self.account, options, self.settings.dns_resolver)
        return self._show()

    def _check(self):
        if self.entered("reports") and not can_be_sent_to(self.entered("reports")):
            mapping = {"address": self.entered("reports")[:100]}
            self._wrong("reports", _("“${address}” is not an e-mail address.", mapping=mapping))
        elif not foreseen.ask(self.account, self.settings):
            self._wrong("check", _("No DNS server answers."))
        return self._show()

    @cached_property
    def foreseen(self):
        """What is kept about mail of the account; read after a check."""
        return foreseen.foreseen(self.account, self.settings)

    def forecasts(self):
        """Return what the page shows of each kind of mail."""
        return [
            {
                "policy": each.case.policy,
                "domain": each.case.author,
                "parts": [
                    (name.upper(), foretold.mark(part.verdict), part.sentence)
                    for name, part in (("spf", each.spf), ("dkim", each.dkim), ("dmarc", each.dmarc))
                ],
            }
            for each in self.foreseen.forecasts
        ]

    def to_enter(self):
        """Return the records that the DNS operator must enter."""
        reports = "" if self.errors else self.entered("reports")
        return entries(self.foreseen.forecasts, self.account.host, knowledge.Known(), reports)

    def _options(self):
        for name in ("recipient", "agent"):
            if self.entered(name) and not can_be_sent_to(self.entered(name)):
                self._wrong(
                    name,
                    _(
                        "“${address}” is not an e-mail address.",
                        mapping={"address": self.entered(name)[:100]},
                    ),
                )
        send = bool(self.entered("send"))
        if send and not self.entered("recipient"):
            self._wrong("recipient", _("Enter at least one recipient."))
        if self.entered("selector") and not re.fullmatch(
            r"[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?", self.entered("selector")
        ):
            self._wrong("selector", _("This is not a DKIM selector. Example: selector1"))
        return diagnosis.Options(
            recipient=self.entered("recipient"),
            agent=self.entered("agent"),
            send=send,
            subject=self._translated(trial_mail.SUBJECT),
            text=self._translated(trial_mail.TEXT),
            selector=self.entered("selector"),
            imap_account=self._imap_account(),
            envelope_sender=self.settings.envelope_sender,
            bounce_address=self.settings.bounce_address,
        )

    def _imap_account(self):
        if not self.entered("imap_host"):
            return None
        try:
            check_host(self.entered("imap_host"))
        except Invalid as error:
            self._wrong("imap_host", error.args[0])
        port = self.entered("imap_port") or "993"
        if not port.isascii() or not port.isdecimal() or not 0 < int(port[:6]) < 65536:
            self._wrong("imap_port", _("This is not a port."))
            return None
        secret = self.request.form.get("imap_password")
        secret = secret if isinstance(secret, str) else ""
        for name, value in (("imap_login", self.entered("imap_login")), ("imap_password", secret)):
            if not value or not value.isprintable():
                self._wrong(name, _("Enter login and password of the mailbox."))
        return ImapAccount(
            "diagnosis",
            self.entered("imap_host"),
            self.entered("imap_login"),
            self.entered("recipient"),
            secret,
            port=int(port),
            ca_file=self.account.ca_file,
        )

    def _wrong(self, field, message):
        self.errors.append((field, message))

    def results(self):
        """Return what the page shows of each step."""
        for step in self.steps:
            word, colour, sign = VERDICTS[step.verdict]
            yield {
                "title": step.title,
                "word": word,
                "colour": colour,
                "sign": sign,
                "verdict": step.verdict,
                "sentence": step.sentence,
                "notes": step.notes,
                "ask": step.ask,
                "dialogue": "\n".join(step.dialogue),
                "seconds": f"{step.seconds:.1f} s",
            }

    in_words = staticmethod(name_in_words)

    def text(self):
        """Return the diagnosis as text for the provider."""
        name = self._translated(name_in_words(self.account.name))
        lines = [
            self._translated(_("Diagnosis of the SMTP account ${name}", mapping={"name": name})),
            f"{self.account.host}:{self.account.port} ({self.account.security}), {self.account.login or '-'}",
            f"{local_time(now()):%Y-%m-%d %H:%M %Z}, {socket.gethostname()}",
        ]
        for step in self.results():
            lines += [
                "",
                f"[{self._translated(step['word'])}] {self._translated(step['title'])} ({step['seconds']})",
            ]
            lines += [f"  {self._translated(each)}" for each in (step["sentence"], *step["notes"]) if each]
            if step["ask"]:
                lines.append(f"  ? {self._translated(step['ask'])}")
            lines += [f"    {line}" for line in step["dialogue"].splitlines()]
        return "\n".join(lines)

    def _translated(self, message):
        return translate(message, context=self.request)
