"""Rows of the settings that tests write."""

from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.smtp import ISmtpAccountRow
from zope.schema import getFieldNames
import transaction


EMPTY_ROW = dict.fromkeys(
    (
        "forward",
        "transfer_email_pat",
        "original_email_pat",
        "recipient_pat",
        "subject_pat",
        "tal_condition_1",
        "tal_condition_2",
    )
)


def row(name="cpas", senders=("cpas.test",), **values):
    """Return the row of an SMTP account."""
    plain = {
        "host": "127.0.0.1",
        "security": "none",
        "auth": "password",
        "sender_policy": "login",
        "port": 25,
    }
    return (
        dict.fromkeys(getFieldNames(ISmtpAccountRow))
        | plain
        | {"name": name, "senders": list(senders)}
        | values
    )


def keep(*rows):
    """Write the rows of the SMTP accounts."""
    stored_settings().smtp_accounts = list(rows)
    transaction.commit()
