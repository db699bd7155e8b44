"""The settings of the current site: a snapshot to read, and the registry records to write."""

from dataclasses import dataclass
from datetime import tzinfo
from imio.mailbridge.settings import delivery
from imio.mailbridge.settings import imap
from imio.mailbridge.settings import mailin
from imio.mailbridge.settings import routing
from imio.mailbridge.settings import smtp
from imio.mailbridge.settings import trust
from imio.mailbridge.settings.clock import site_zone
from imio.mailbridge.settings.interfaces import IMailbridgeSettings
from imio.mailbridge.settings.interfaces import PREFIX
from plone.registry.interfaces import IRegistry
from typing import Any
from zoneinfo import ZoneInfo
from zope.component import getUtility
from zope.schema import getFields


@dataclass(frozen=True)
class Settings(
    smtp.SmtpSettings,
    delivery.DeliverySettings,
    mailin.MailinSettings,
    imap.ImapSettings,
    routing.RoutingSettings,
    trust.TrustSettings,
):
    """A snapshot of all settings, typed and normalised: read once in a request or task, and passed down.

    ``zone`` is the time zone of the town.
    """

    zone: tzinfo = ZoneInfo("Europe/Brussels")

    @property
    def first_mailin_address(self) -> str:
        """Return the address that reports and answers with an address of their own go to, or an empty string."""
        return next(iter(self.mailin_addresses), "")

    @property
    def bounce_address(self) -> str:
        """Return the address that error reports go to under ``envelope_sender`` = ``bounce``, or an empty string."""
        return self.first_mailin_address

    def sender_options(self, account: smtp.Account) -> dict[str, Any]:
        """Return the keyword arguments of ``choose_sender`` that follow from an account and the settings."""
        return {
            "login_address": account.login_address,
            "reply_to_agent": self.reply_to_agent,
            "envelope_sender": self.envelope_sender,
            "bounce_address": self.bounce_address,
        }


def stored_settings() -> Any:
    """Return the registry records, to be written: an attribute for each field of ``IMailbridgeSettings``."""
    return getUtility(IRegistry).forInterface(IMailbridgeSettings, prefix=PREFIX, check=False)


def rows_of(table: str) -> list[dict[str, Any]]:
    """Return copies of the rows of a table, with the default of each column that is younger than the row."""
    columns = getFields(getFields(IMailbridgeSettings)[table].value_type.schema)
    defaults = {name: column.default for name, column in columns.items()}
    return [defaults | dict(row) for row in getattr(stored_settings(), table) or ()]


def settings() -> Settings:
    """Return the ``Settings`` of the current site."""
    records = stored_settings()
    return Settings(
        **smtp.read(records),
        **delivery.read(records),
        **mailin.read(records),
        **imap.read(records),
        **routing.read(records),
        **trust.read(records),
        zone=site_zone(),
    )
