"""Mail providers that a town may have, and how each lets a program log in."""

from dataclasses import dataclass
from imio.mailbridge.i18n import _
from imio.mailbridge.settings.presets import Preset
from imio.mailbridge.settings.presets import preset


@dataclass(frozen=True)
class LoginWay:
    """A way to log in: ``kind`` is ``password`` or ``oauth2``, ``note`` (a msgid) what the provider allows and until when.

    ``advised`` ways are proposed first.
    """

    kind: str
    note: str
    advised: bool


@dataclass(frozen=True)
class Provider:
    """A provider or a kind of mail server: ``title`` is a msgid, ``logins`` begin with the one that is advised."""

    name: str
    title: str
    preset: Preset | None
    logins: tuple[LoginWay, ...]


_PASSWORD = LoginWay(
    "password", _("The server takes the login and its password, over an encrypted connection."), True
)
_OAUTH2_ELSEWHERE = LoginWay(
    "oauth2", _("Only where the provider gives you a token endpoint and a client ID."), False
)

PROVIDERS = (
    Provider(
        "microsoft365",
        _("Microsoft 365"),
        preset("microsoft365"),
        (
            LoginWay(
                "oauth2",
                _(
                    "This way lasts. An administrator registers an application for iA.docs in Microsoft Entra."
                ),
                True,
            ),
            LoginWay(
                "password",
                _(
                    "Passwords for SMTP work until the end of December 2026. Then they are off by default in existing tenants; "
                    "an administrator can turn them on again. Tenants made later have none. The date of their final end is "
                    "to be announced in the second half of 2027. (Microsoft's pages, read on 26 November 2026.)"
                ),
                False,
            ),
        ),
    ),
    Provider(
        "google",
        _("Google Workspace"),
        preset("google"),
        (
            LoginWay(
                "oauth2",
                _(
                    "This way lasts. An administrator makes an OAuth client for iA.docs in the Google Cloud console."
                ),
                True,
            ),
            LoginWay(
                "password",
                _(
                    "Google no longer takes the password of the account. An app password works where two-step verification is on "
                    "and the administrator allows it."
                ),
                False,
            ),
        ),
    ),
    Provider("exchange", _("Exchange on a server of your own"), preset("own"), (_PASSWORD,)),
    Provider("zimbra", _("Zimbra"), preset("own"), (_PASSWORD,)),
    Provider("bluemind", _("BlueMind"), preset("own"), (_PASSWORD,)),
    Provider(
        "own",
        _("A mail server of your own, or of another provider"),
        preset("own"),
        (_PASSWORD, _OAUTH2_ELSEWHERE),
    ),
)


def provider(name: str) -> Provider | None:
    """Return the provider with this name, or None."""
    return next((each for each in PROVIDERS if each.name == name), None)
