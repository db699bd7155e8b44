"""Where does an admin set up the bridge? The control panel ``@@mailbridge-controlpanel``."""

from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import translatable
from imio.mailbridge.message.address import is_addr_spec
from imio.mailbridge.outbound.answers import answer_to
from imio.mailbridge.outbound.answers import Outcome
from imio.mailbridge.outbound.outbox import outbox
from imio.mailbridge.outbound.submit import wake_outbox
from imio.mailbridge.outbound.trial import send_trial
from imio.mailbridge.settings import password
from imio.mailbridge.settings.account import default_account
from imio.mailbridge.settings.interfaces import IMailbridgeSettings
from imio.mailbridge.settings.interfaces import PREFIX
from imio.mailbridge.settings.read import login_address
from plone import api
from plone.app.registry.browser.controlpanel import ControlPanelFormWrapper
from plone.app.registry.browser.controlpanel import RegistryEditForm
from plone.z3cform.fieldsets.utils import move
from z3c.form import button
from z3c.form.field import Fields
from zope import schema
from zope.interface import Interface


class IPassword(Interface):
    """The one field that is not a registry record."""

    smtp_password = schema.Password(
        title=_("Password"),
        description=_("Is never shown again. Leave empty to keep the present one."),
        required=False,
    )


class MailbridgeForm(RegistryEditForm):
    """All settings in three fieldsets, and a test mail."""

    id = "mailbridge-controlpanel"
    label = _("Mail bridge")
    schema = IMailbridgeSettings
    schema_prefix = PREFIX

    @property
    def kept_elsewhere(self):
        """Return ``environment`` or ``file`` when the password does not come from this form."""
        found = password.source()
        return found if found in ("environment", "file") else ""

    def notes(self):
        """Return what the admin should know before reading on."""
        values = self.getContent()
        if not values.smtp_host:
            yield (
                "info",
                _(
                    "Sending e-mails is not available yet: agents do not see the action until an SMTP server is set below."
                ),
            )
        for hold in outbox().holds.values():
            yield "warning", translatable(hold["explanation"])
            yield "warning", translatable(hold["remedy"])
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
        """Put the password below the login, if it is kept by this site."""
        super().updateFields()
        if self.kept_elsewhere:
            return
        outgoing = next(group for group in self.groups if group.__name__ == "outgoing")
        outgoing.fields += Fields(IPassword, ignoreContext=True)
        move(self, "smtp_password", after="smtp_login")

    def update(self):
        """Show numbers as one types them: 2525, not 2 525."""
        super().update()
        for group in self.groups:
            for name in {"smtp_port", "max_size"} & set(group.widgets or ()):
                widget = group.widgets[name]
                if widget.error is None:
                    widget.value = "".join(filter(str.isdigit, widget.value))

    def save(self):
        """Write the settings; return whether they were right."""
        data, errors = self.extractData()
        if errors:
            self.status = self.formErrorsMessage
            return False
        secret = data.pop("smtp_password", None)
        self.applyChanges(data)
        if secret:
            password.write(secret)
        wake_outbox()
        return True

    @button.buttonAndHandler(_("Save"), name="save")
    def handle_save(self, action):
        """Save and show the form again."""
        if self.save():
            self.say(_("The settings are saved."))
            self.request.response.redirect(self.request.getURL())

    @button.buttonAndHandler(_("Save and send a test e-mail"), name="test")
    def handle_test(self, action):
        """Save, send a message to the admin, say what the server answered."""
        if not self.save():
            return
        if not self.getContent().smtp_host:
            self.say(_("Enter an SMTP server first."), "warning")
        else:
            self.send_test()
        self.request.response.redirect(self.request.getURL())

    def own_addresses(self):
        """Yield where a test could go: to the admin, to the site's address, to the account itself."""
        yield api.user.get_current().getProperty("email") or ""
        yield api.portal.get_registry_record("plone.email_from_address", default="") or ""
        yield login_address(self.getContent())

    def send_test(self):
        """Send the test mail and say what happened."""
        to = next(filter(is_addr_spec, self.own_addresses()), "")
        if not to:
            self.say(
                _("There is no address to send the test to: enter an e-mail address in your user profile."),
                "warning",
            )
            return
        try:
            reply = send_trial(
                default_account(self.getContent()),
                to,
                self.translated(_("Test of the iA.docs mail bridge")),
                f"<p>{self.translated(_('If you can read this, iA.docs can send e-mails.'))}</p>",
            )
        except password.PasswordUnreadable as error:
            self.say(
                _("The password file cannot be read: ${problem}", mapping={"problem": str(error)}), "error"
            )
            return
        answer = answer_to(reply)
        mapping = {"address": to, "answer": f"{reply.code or ''} {reply.text}".strip()}
        if answer.outcome is Outcome.SENT:
            self.say(
                _("The server took the test e-mail for ${address}. Its answer: ${answer}", mapping=mapping)
            )
        else:
            self.say(translatable(answer.explanation), "error")
            self.say(
                _("The test e-mail was not sent. The server's answer: ${answer}", mapping=mapping), "error"
            )

    @button.buttonAndHandler(_("Copy from Plone's mail settings"), name="copy")
    def handle_copy(self, action):
        """Take over host, port, login and password of Plone's own mail settings."""
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
                self.say(_("Plone's own mail settings hold a value that cannot be used here."), "error")
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

    def translated(self, message):
        """Return a message in the language of the request."""
        return api.portal.translate(message, domain="imio.mailbridge")

    def say(self, message, kind="info"):
        """Show a message on the next page."""
        api.portal.show_message(message, self.request, kind)


class MailbridgeControlPanel(ControlPanelFormWrapper):
    """The page around the form."""

    form = MailbridgeForm

    def update(self):
        """Show what the admin should know above the form."""
        super().update()
        if self.request.response.getStatus() not in (302, 303):
            for kind, message in self.form_instance.notes():
                api.portal.show_message(message, self.request, kind)
