"""As whom does each account let its login send? The page ``@@mailbridge-send-as``: what was learned, to forget or to try."""

from imio.mailbridge.controlpanel.navigation import Navigation
from imio.mailbridge.delivery.trial import probe_sender
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import translatable
from imio.mailbridge.message.address import can_be_sent_to
from imio.mailbridge.message.address import is_addr_spec
from imio.mailbridge.message.composition.sender_policy import SenderRefused
from imio.mailbridge.outbox import send_as
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.secrets import PasswordUnreadable
from imio.mailbridge.settings.smtp import SENDER_POLICY
from plone import api
from plone.protect import CheckAuthenticator
from Products.Five.browser import BrowserView
from zExceptions import NotFound


SOURCES = {"answer": _("answer to a message"), "probe": _("test")}


class SendAsView(Navigation, BrowserView):
    """A table an account, and the buttons reset, reset all and try."""

    page_name = "mailbridge-send-as"

    def __call__(self):
        act = next((name for name in ("reset", "reset_all", "try") if name in self.request.form), None)
        if act is None:
            return self.index()
        account = settings().accounts.get(self._entered("account"))
        if self.request.method != "POST" or account is None:
            raise NotFound(self.page_name)
        CheckAuthenticator(self.request)
        if act == "try":
            self._try(account)
        else:
            self._forget(account, self._entered("reset") if act == "reset" else None)
        return self.request.response.redirect(f"{self.page_url(self.page_name)}#account-{account.name}")

    def _entered(self, name):
        value = self.request.form.get(name)
        return value.strip() if isinstance(value, str) else ""

    def _forget(self, account, name):
        count = send_as.forget(account.name, name)
        self._say(_("Forgotten: ${count}. The next message or test decides anew.", mapping={"count": count}))

    def _try(self, account):
        address = self._entered("address")
        to = next(filter(is_addr_spec, self._recipients(account)), "")
        if not can_be_sent_to(address):
            shown = {"address": address[:100]}
            self._say(_("“${address}” is not an e-mail address.", mapping=shown), "error")
        elif not to:
            self._say(
                _("There is no address to send the test to: enter an e-mail address in your user profile."),
                "warning",
            )
        else:
            self._probe(account, address, to, bool(self.request.form.get("whole_domain")))

    def _probe(self, account, address, to, whole_domain):
        subject = self._translated(
            _("Test of the iA.docs mail bridge: sending as ${address}", mapping={"address": address})
        )
        text = self._translated(
            _(
                "This message was sent to find out whether the mail server lets iA.docs send under this address."
            )
        )
        try:
            probe = probe_sender(account, address, to, subject, f"<p>{text}</p>", whole_domain)
        except SenderRefused as refused:
            self._say(translatable(refused.args[0]), "error")
            return
        except PasswordUnreadable as error:
            self._say(
                _("The password file cannot be read: ${problem}", mapping={"problem": str(error)}), "error"
            )
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

    def _recipients(self, account):
        """Yield where a test could go: to the account itself, to the admin, to the address of the site."""
        yield account.login_address
        yield api.user.get_current().getProperty("email") or ""
        yield api.portal.get_registry_record("plone.email_from_address", default="") or ""

    def accounts(self):
        """Return what is shown of each account."""
        known = {}
        for (account, name), verdict in send_as.verdicts().items():
            known.setdefault(account, []).append(self._entry(name, verdict))
        return [
            {
                "name": account.name,
                "policy": SENDER_POLICY.getTerm(account.sender_policy).title,
                "uses_it": account.sender_policy == "auto",
                "entries": known.get(account.name, []),
            }
            for account in settings().accounts.values()
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

    def _translated(self, message):
        return api.portal.translate(message, domain="imio.mailbridge")

    def _say(self, message, kind="info"):
        if message:
            api.portal.show_message(message, self.request, kind)
