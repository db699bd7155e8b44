"""The control panel ``@@mailbridge-controlpanel``: all settings of the bridge."""

from functools import partial
from imio.mailbridge.controlpanel import groups
from imio.mailbridge.controlpanel import trial_mail
from imio.mailbridge.controlpanel.account_fields import AccountForm
from imio.mailbridge.controlpanel.account_fields import FILL_IN
from imio.mailbridge.controlpanel.account_fields import gaps
from imio.mailbridge.controlpanel.account_fields import IForget
from imio.mailbridge.controlpanel.account_fields import IPassword
from imio.mailbridge.controlpanel.account_fields import IPreset
from imio.mailbridge.controlpanel.account_fields import ITokenSecrets
from imio.mailbridge.controlpanel.account_fields import ITrustPreset
from imio.mailbridge.controlpanel.account_fields import write_secrets
from imio.mailbridge.controlpanel.navigation import Navigation
from imio.mailbridge.delivery.answer_table import Outcome
from imio.mailbridge.delivery.answers import answer_to
from imio.mailbridge.delivery.trial import send_trial
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import translatable
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.settings.interfaces import IMailbridgeSettings
from imio.mailbridge.settings.interfaces import PREFIX
from imio.mailbridge.settings.moved_secrets import enter_again
from imio.mailbridge.settings.moved_secrets import has_moved
from imio.mailbridge.settings.moved_secrets import OWNERS
from imio.mailbridge.settings.presets import OF_DEFAULT
from imio.mailbridge.settings.presets import TRUST
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.smtp import DEFAULT
from imio.mailbridge.settings.smtp import why_no_reply_address
from plone import api
from plone.app.registry.browser.controlpanel import ControlPanelFormWrapper
from plone.app.registry.browser.controlpanel import RegistryEditForm
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from z3c.form import button
from z3c.form.field import Fields
from zope import schema
import transaction


class MailbridgeForm(AccountForm, RegistryEditForm):
    """The settings in fieldsets, and a test mail."""

    setting_names = OF_DEFAULT | {
        "login": "smtp_login",
        "password": "smtp_password",
        "client_secret": "smtp_client_secret",
    }

    id = "mailbridge-controlpanel"
    label = _("Mail bridge")
    schema = IMailbridgeSettings
    schema_prefix = PREFIX
    field_groups = groups.SETTINGS

    @property
    def kept_elsewhere(self):
        """Return ``environment`` or ``file`` where the password comes from there, else an empty string."""
        found = password.source()
        return found if found in ("environment", "file") else ""

    def notes(self):
        """Yield kind and text of what the admin should know first."""
        values = self.getContent()
        if not values.smtp_host:
            yield (
                "info",
                _(
                    "Sending e-mails is not available yet: agents do not see the action until an SMTP server is set below."
                ),
            )
        if self.kept_elsewhere and values.smtp_host and not password.is_given_for(settings().default_account):
            yield "warning", password.FOR_ANOTHER
        if self.kept_elsewhere == "environment":
            yield (
                "info",
                _(
                    "The SMTP password comes from the environment variable ${name} of the server; it cannot be changed here.",
                    mapping={"name": password.ENVIRONMENT},
                ),
            )
        elif self.kept_elsewhere == "file":
            yield (
                "info",
                _(
                    "The SMTP password comes from the file that the environment variable ${name} of the server names; it cannot be "
                    "changed here.",
                    mapping={"name": password.FILE},
                ),
            )

    def updateFields(self):
        """Add the presets and the secrets, the password only if this site keeps it, and make the groups."""
        super().updateFields()
        fields = sum((group.fields for group in self.groups), Fields())
        for each in (IPreset, ITokenSecrets, ITrustPreset):
            fields += Fields(each, ignoreContext=True)
        if not self.kept_elsewhere:
            fields += Fields(IPassword, ignoreContext=True)
        if password.read(DEFAULT, "refresh_token"):
            fields += Fields(IForget, ignoreContext=True)
        self.put_into_groups(fields)

    def extractData(self, setErrors=True):  # noqa: N803 - of z3c.form
        """Add what others have changed meanwhile, and the errors of OAuth 2.0 and of answers that can come to no address."""
        data, errors = super().extractData(setErrors)
        if not errors:
            data, errors = self.merge(data)
        if errors:
            return data, errors
        if data["own_reply_address"] and (why := why_no_reply_address(list(settings().mailin_addresses))):
            return data, (self.complain("own_reply_address", why),)
        if not data["smtp_host"]:
            return data, errors
        values = {
            name: data[self.setting_names.get(name, name)] for name in ("auth", *OWNERS, "oauth_client_id")
        }
        values |= {kind: data.get(f"smtp_{kind}") for kind in password.KINDS}
        present = self.getContent()
        moved = has_moved(
            {name: getattr(present, self.setting_names.get(name, name)) for name in OWNERS}, values
        )
        again = list(enter_again(values, partial(password.is_kept, DEFAULT))) if moved else []
        given = values["client_secret"] or values["refresh_token"]
        kept = not moved and (
            password.read(DEFAULT, "client_secret")
            or (password.read(DEFAULT, "refresh_token") and not data.get("forget_refresh_token"))
        )
        problems = [*again, *gaps(values, again or given or kept)]
        return data, tuple(self.complain(*problem) for problem in problems)

    def save(self):
        """Write the settings; return whether they were right."""
        data, errors = self.extractData()
        if errors:
            self.status = self.formErrorsMessage
            return False
        data.update(TRUST.get(data.pop("trust_preset", None), {}))
        self.applyChanges({name: value for name, value in data.items() if name in IMailbridgeSettings})
        write_secrets(data, DEFAULT, "smtp_")
        outbox().retry_held()
        return True

    @button.buttonAndHandler(_("Save"), name="save")
    def handle_save(self, action):
        """Save and reload the form."""
        if self.save():
            self.say(_("The settings are saved."))
            self.request.response.redirect(self.request.getURL())

    @button.buttonAndHandler(_("Save and send a test e-mail"), name="test")
    def handle_test(self, action):
        """Save, send a message to the admin, say what the server answered."""
        if not self.save():
            return
        transaction.commit()  # a conflict after the message is sent would send it again
        if not self.getContent().smtp_host:
            self.say(_("Enter an SMTP server first."), "warning")
        else:
            self.send_test()
        self.request.response.redirect(self.request.getURL())

    def send_test(self):
        """Send the test mail and say what happened."""
        account = settings().default_account
        to = trial_mail.first_address([*trial_mail.admin_addresses(), account.login_address])
        if not to:
            self.say(trial_mail.NO_RECIPIENT, "warning")
            return
        text = f"<p>{trial_mail.translated(trial_mail.TEXT)}</p>"
        try:
            reply = send_trial(account, to, trial_mail.translated(trial_mail.SUBJECT), text)
        except password.PasswordUnreadable as error:
            self.say(trial_mail.password_unreadable(error), "error")
            return
        answer = answer_to(reply)
        mapping = {"address": to, "answer": f"{reply.code or ''} {reply.text}".strip()}
        if answer.outcome is Outcome.SENT:
            self.say(
                _(
                    "The server accepted the test e-mail for ${address}. Its answer: ${answer}",
                    mapping=mapping,
                )
            )
        else:
            self.say(translatable(answer.explanation), "error")
            self.say(
                _("The test e-mail was not sent. The server's answer: ${answer}", mapping=mapping), "error"
            )

    @button.buttonAndHandler(_("Copy from Plone's mail settings"), name="copy")
    def handle_copy(self, action):
        """Copy host, port, login and password of Plone's own mail settings."""
        record = api.portal.get_registry_record
        values = self.getContent()
        host = record("plone.smtp_host", default="") or ""
        if not host:
            self.say(_("Plone's own mail settings name no server."), "warning")
        else:
            try:
                values.smtp_host = host
                values.smtp_port = record("plone.smtp_port", default=25)
                values.smtp_login = record("plone.smtp_userid", default=None) or None
            except schema.ValidationError:
                self.say(_("Plone's own mail settings contain a value that cannot be used here."), "error")
            else:
                if (secret := record("plone.smtp_pass", default=None)) and not self.kept_elsewhere:
                    password.write(secret)
                self.say(
                    _(
                        "Server, port, login and password are copied. Check the encryption, then send a test e-mail."
                    )
                )
        self.request.response.redirect(self.request.getURL())

    @button.buttonAndHandler(_("Cancel"), name="cancel")
    def handle_cancel(self, action):
        """Go back to the list of control panels."""
        self.request.response.redirect(f"{api.portal.get().absolute_url()}/{self.control_panel_view}")

    @button.buttonAndHandler(FILL_IN, name="preset")  # the last: Enter presses the first
    def handle_preset(self, action):
        """Say what is still to be entered."""
        self.say_preset()

    def say(self, message, kind="info"):
        """Show a message on the next page."""
        api.portal.show_message(message, self.request, kind)


class MailbridgeControlPanel(Navigation, ControlPanelFormWrapper):
    """The page around the form."""

    form = MailbridgeForm
    page_name = "mailbridge-controlpanel"
    index = ViewPageTemplateFile("templates/form.pt")

    def update(self):
        """Show what the admin should know above the form."""
        super().update()
        if self.request.response.getStatus() not in (302, 303):
            for kind, message in self.form_instance.notes():
                api.portal.show_message(message, self.request, kind)
