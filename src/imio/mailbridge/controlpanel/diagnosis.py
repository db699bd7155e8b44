"""Where does an account stop? The page ``@@mailbridge-diagnosis``: steps in plain words, and as text for the mail provider."""

from imio.mailbridge.controlpanel.navigation import Navigation
from imio.mailbridge.diagnosis import diagnose as diagnosis
from imio.mailbridge.i18n import _
from imio.mailbridge.message.address import can_be_sent_to
from imio.mailbridge.settings.clock import local_time
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.validate import host as check_host
from imio.mailbridge.store.store import now
from imio.mailbridge.transport.imap_account import ImapAccount
from plone import api
from plone.protect import CheckAuthenticator
from Products.Five.browser import BrowserView
from zExceptions import NotFound
from zope.i18n import translate
from zope.interface import Invalid
import re
import socket


VERDICTS = {
    "ok": (_("good"), "success", "✓"),
    "warning": (_("attention"), "warning", "!"),
    "bad": (_("does not work"), "danger", "✗"),
    "skipped": (_("not tried"), "secondary", "–"),
}


class DiagnosisView(Navigation, BrowserView):
    """A form, and after a POST what was found."""

    page_name = "mailbridge-diagnosis"
    steps = ()

    def __call__(self):
        self.errors = []
        self.known = settings().accounts
        self.account = self.known.get(self.entered("account")) or next(iter(self.known.values()), None)
        if "run" in self.request.form:
            if self.request.method != "POST" or self.account is None:
                raise NotFound(self.page_name)
            CheckAuthenticator(self.request)
            self._run()
        return self.index()

    def entered(self, name):
        """Return what was entered in a field."""
        value = self.request.form.get(name)
        return value.strip() if isinstance(value, str) else ""

    @property
    def recipient(self):
        """Return whom the test goes to: as entered, else the admin, else the login address."""
        if "run" in self.request.form:
            return self.entered("recipient")
        own = api.user.get_current().getProperty("email") or ""
        return own or (self.account.login_address if self.account else "")

    def _run(self):
        options = self._options()
        if not self.errors:
            self.steps = diagnosis.diagnose(self.account, options, settings().dns_resolver or "")

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
            subject=self._say(_("Test of the iA.docs mail bridge")),
            text=self._say(_("If you can read this, iA.docs can send e-mails.")),
            selector=self.entered("selector"),
            imap_account=self._imap_account(),
            envelope_sender=settings().envelope_sender,
            bounce_address=settings().bounce_address,
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

    def shown(self):
        """Return what is shown of each step."""
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

    def text(self):
        """Return the whole as text, to be sent to the provider."""
        lines = [
            self._say(_("Diagnosis of the SMTP account ${name}", mapping={"name": self.account.name})),
            f"{self.account.host}:{self.account.port} ({self.account.security}), {self.account.login or '-'}",
            f"{local_time(now()):%Y-%m-%d %H:%M %Z}, {socket.gethostname()}",
        ]
        for step in self.shown():
            lines += ["", f"[{self._say(step['word'])}] {self._say(step['title'])} ({step['seconds']})"]
            lines += [f"  {self._say(each)}" for each in (step["sentence"], *step["notes"]) if each]
            if step["ask"]:
                lines.append(f"  ? {self._say(step['ask'])}")
            lines += [f"    {line}" for line in step["dialogue"].splitlines()]
        return "\n".join(lines)

    def _say(self, message):
        return translate(message, context=self.request)
