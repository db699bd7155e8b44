"""Who hears that an account stopped? The log, the managers on their pages (from ``Outbox.holds``), and one e-mail.

The e-mail leaves by something that is not broken: another account of ours, or Plone's own mail server when that is another one.
"""

import logging


logger = logging.getLogger(__name__)


def stopped(name, hold):
    """Raise the alarm: called once, in the transaction that stops the account."""
    logger.error("the SMTP account %s is stopped: %s %s", name, hold["code"] or "", hold["text"])


def released(name):
    """Say that the account works again."""
    logger.warning("the SMTP account %s works again", name)
