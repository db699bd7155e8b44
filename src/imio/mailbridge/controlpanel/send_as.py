"""The page ``@@mailbridge-send-as``: under which addresses each account lets its login send, to forget or to test."""

from imio.mailbridge.browser.button_page import ButtonPage
from imio.mailbridge.controlpanel.navigation import Navigation
from imio.mailbridge.controlpanel.trial_mail import admin_addresses
from imio.mailbridge.controlpanel.trial_mail import first_address
from imio.mailbridge.controlpanel.trial_mail import NO_RECIPIENT
from imio.mailbridge.controlpanel.trial_mail import password_unreadable
from imio.mailbridge.controlpanel.trial_mail import translated
from imio.mailbridge.delivery.trial import probe_sender
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import translatable
from imio.mailbridge.message.address import can_be_sent_to
from imio.mailbridge.message.composition.sender_policy import SenderRefused
from imio.mailbridge.outbox import send_as
from imio.mailbridge.settings.secrets import PasswordUnreadable
from imio.mailbridge.settings.smtp import name_in_words
from imio.mailbridge.settings.smtp import SENDER_POLICY
from zExceptions import NotFound


SOURCES = {"answer": _("answer to a message"), "probe": _("test")}


class SendAsView(Navigation, ButtonPage):
    """A table for each account, and the buttons reset, reset all and try."""

    page_name = "mailbridge-send-as"
    buttons = {"reset": "_reset", "reset_all": "_reset_all", "try": "_try"}

    @property
    def next_url(self):
        """Return the part of the page about the account."""
        return f"{self.url}#account-{self.account.name}"

    def _find_target(self, name):
        self.account = self.settings.accounts.get(self.entered("account"))
        if self.account is None:
            raise NotFound(self.page_name)

    def _reset(self):
        self._forget(self.entered("reset"))

    def _reset_all(self):
        self._forget(None)

    def _forget(self, name):
        count = send_as.forget(self.account.name, name)
        self._say(
            _("Forgotten: ${count}. The next message or test will decide again.", mapping={"count": count})
        )

    def _try(self):
        account, address = self.account, self.entered("address")
        to = first_address([account.login_address, *admin_addresses()])
        if not can_be_sent_to(address):
            mapping = {"address": address[:100]}
            self._say(_("“${address}” is not an e-mail address.", mapping=mapping), "error")
        elif not to:
            self._say(NO_RECIPIENT, "warning")
        else:
            self._probe(account, address, to, bool(self.request.form.get("whole_domain")))

    def _probe(self, account, address, to, whole_domain):
        subject = translated(
            _("Test of the iA.docs mail bridge: sending as ${address}", mapping={"address": address})
        )
        text = translated(
            _(
                "This message was sent to find out whether the mail server lets iA.docs send from this address."
            )
        )
        try:
            probe = probe_sender(account, address, to, subject, f"<p>{text}</p>", whole_domain)
        except SenderRefused as refused:
            self._say(translatable(refused.args[0]), "error")
            return
        except PasswordUnreadable as error:
            self._say(password_unreadable(error), "error")
            return
        mapping = {"address": address, "to": to, "answer": str(probe.reply)}
        if probe.allowed:
            self._say(
                _(
                    "The server lets iA.docs send as ${address}; the test is on its way to ${to}. Its answer: ${answer}",
                    mapping=mapping,
                )
            )
        elif probe.allowed is False:
            self._say(
                _(
                    "The server does not let iA.docs send as ${address}. Its answer: ${answer}",
                    mapping=mapping,
                ),
                "warning",
            )
            self._say(translatable(probe.answer.remedy), "warning")
        else:
            self._say(
                _(
                    "This answer says nothing about sending as ${address}, and nothing is noted. The server's answer: ${answer}",
                    mapping=mapping,
                ),
                "warning",
            )
            self._say(translatable(probe.answer.explanation), "warning")

    def accounts(self):
        """Return what the page shows of each account."""
        known = {}
        for (account, name), verdict in send_as.verdicts().items():
            known.setdefault(account, []).append(self._entry(name, verdict))
        return [
            {
                "name": account.name,
                "words": name_in_words(account.name),
                "policy": SENDER_POLICY.getTerm(account.sender_policy).title,
                "uses_it": account.sender_policy == "auto",
                "entries": known.get(account.name, []),
            }
            for account in self.settings.accounts.values()
        ]

    def _entry(self, name, verdict):
        is_bounce = name == send_as.BOUNCE
        return {
            "key": name,
            "name": _("the bridge's own address for error reports") if is_bounce else name,
            "allowed": verdict.allowed,
            "at": self.time(verdict.at),
            "text": verdict.text,
            "source": SOURCES.get(verdict.source, verdict.source),
        }

    def _say(self, message, kind="info"):
        if message:
            super()._say(message, kind)
