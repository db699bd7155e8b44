"""Fields of account forms beside the settings: secrets, which are only written, and presets, which fill the form in."""

from imio.mailbridge.controlpanel import numbers
from imio.mailbridge.controlpanel.settings_form import SettingsForm
from imio.mailbridge.controlpanel.settings_form import SIZES
from imio.mailbridge.i18n import _
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.settings import validate
from imio.mailbridge.settings.presets import preset
from imio.mailbridge.settings.presets import PRESETS
from imio.mailbridge.settings.terms import terms
from plone import api
from zope import schema
from zope.interface import Interface


SECRET_HELP = _("Never shown again. Leave empty to keep the present one.")
TOKEN_HELP = _(
    "For OAuth 2.0. Never shown again. Leave empty to keep the present one; the provider decides when it expires."
)
GOOGLE_HELP = _("For OAuth 2.0 with Google. Never shown again. Leave empty to keep the present one.")
FILL_IN = _("Fill in")
SECRETS_LOST = _("Nothing is saved yet. Enter the passwords and other secrets again: they are never shown.")
PROVIDERS = terms(**{each.name: each.title for each in PRESETS})


def _secret(title, description):
    return schema.Password(title=title, description=description, constraint=validate.one_line, required=False)


class IPreset(Interface):
    """The provider whose settings fill the form in."""

    preset = schema.Choice(
        title=_("Your mail provider"),
        description=_("Choose one and press “Fill in”: the bridge knows most of the settings."),
        vocabulary=PROVIDERS,
        required=False,
    )


class ITrustPreset(Interface):
    """Which proofs are accepted."""

    trust_preset = schema.Choice(
        title=_("Strictness"),
        description=_(
            "Choose and save: it sets the accepted proofs and the DKIM signatures. Without a choice they stay as they are."
        ),
        vocabulary=terms(
            strict=_("Strict: secret addresses, trusted servers, signature of exactly the agent's domain"),
            lenient=_("Lenient: also seals of listed providers and whatever your own server verified"),
        ),
        required=False,
    )


class IPassword(Interface):
    """The password of the default account."""

    smtp_password = _secret(_("Password"), SECRET_HELP)


class ITokenSecrets(Interface):
    """The other secrets of the default account."""

    smtp_client_secret = _secret(_("Client secret"), TOKEN_HELP)
    smtp_refresh_token = _secret(_("Refresh token"), GOOGLE_HELP)


class IAccountSecrets(Interface):
    """The secrets of another account."""

    password = _secret(_("Password"), SECRET_HELP)
    client_secret = _secret(_("Client secret"), TOKEN_HELP)
    refresh_token = _secret(_("Refresh token"), GOOGLE_HELP)


class IForget(Interface):
    """Offered while a refresh token is kept: as long as there is one, the client secret alone is not used."""

    forget_refresh_token = schema.Bool(
        title=_("Forget the stored refresh token"), default=False, required=False
    )


def write_secrets(data, account, prefix=""):
    """Remove the secrets from the data of a form and store those that were entered."""
    if data.pop("forget_refresh_token", False):
        password.write("", account, "refresh_token")
    for kind in password.KINDS:
        if secret := data.pop(f"{prefix}{kind}", None):
            password.write(secret, account, kind)


def gaps(values, has_secret):
    """Yield (name, message) of what is missing for OAuth 2.0; ``values`` have the names of ``settings.smtp.Account``."""
    if values["auth"] != "oauth2":
        return
    if not values["login"]:
        yield "login", _("OAuth 2.0 needs the login: the address of the mailbox.")
    if not values["oauth_token_url"]:
        yield "oauth_token_url", _("OAuth 2.0 needs the token endpoint of the provider.")
    if not values["oauth_client_id"]:
        yield "oauth_client_id", _("OAuth 2.0 needs the client ID of the application.")
    if not has_secret:
        yield "client_secret", _("OAuth 2.0 needs the client secret of the application, or a refresh token.")


class AccountForm(SettingsForm):
    """Mixin of the forms; ``setting_names`` maps a name of ``Account`` to that of the field, where they differ."""

    setting_names = {}

    def update(self):
        """Fill the form in from the preset; never show a secret."""
        if "form.buttons.preset" in self.request.form:
            self._fill_in()
        super().update()
        lost = False
        for widget in (widget for widgets in self.widget_managers() for widget in widgets.values()):
            if isinstance(widget.field, schema.Password):
                lost = lost or bool(widget.value)
                widget.value = ""
        if lost and self.status:
            api.portal.show_message(SECRETS_LOST, self.request, "warning")

    def _fill_in(self):
        chosen = self.chosen_preset()
        for name, value in self.preset_values(chosen).items() if chosen else ():
            field = self.setting_names.get(name, name)
            text = [value] if name in ("security", "auth") else str(value)
            self.request.form[f"form.widgets.{field}"] = numbers.written(value) if field in SIZES else text

    def preset_values(self, chosen):
        """Return the values of a preset."""
        return chosen.values

    def chosen_preset(self):
        """Return the preset that was chosen, or None."""
        chosen = self.request.form.get("form.widgets.preset") or ""
        return preset(chosen[0] if isinstance(chosen, list) else chosen)

    def say_preset(self):
        """Say what is still to be entered; ``update`` has filled the form in."""
        chosen = self.chosen_preset()
        self.status = chosen.note if chosen else _("Choose your mail provider first.")

    def complain(self, name, message):
        """Show an error beside the field of an account's setting."""
        return super().complain(self.setting_names.get(name, name), message)
