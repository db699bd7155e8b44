"""The alarm about an SMTP account that stopped, and its all-clear.

An account that stops, works and stops again within ``QUIET`` is reported once. Managers also see on every page what is stopped
(``Outbox.holds``).
"""

from BTrees.OOBTree import OOBTree
from datetime import timedelta
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import translatable
from imio.mailbridge.notify.alarm import errors_logged
from imio.mailbridge.notify.alarm import tell_admin
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.states import WAITING
from imio.mailbridge.settings.clock import local_time
from imio.mailbridge.settings.read import settings
from imio.mailbridge.store.store import site_store
import logging


KEY = "imio.mailbridge.alarms"
QUIET = timedelta(hours=6)

logger = logging.getLogger(__name__)


def stopped(name, hold):
    """Raise the alarm; called in the transaction that stops the account."""
    logger.error("the SMTP account %s is stopped: %s %s", name, hold["code"] or "", hold["text"])
    last = _alarms().get(name)
    if last is not None and hold["at"] < last[0] + QUIET:
        logger.warning("no alarm is sent about the SMTP account %s: one was, at %s", name, last[0])
        return
    with errors_logged():
        if _tell_stopped(name, hold):
            _alarms()[name] = (hold["at"], True)


def _tell_stopped(name, hold):
    at = local_time(hold["at"]).strftime("%d/%m/%Y %H:%M")
    words = f"{hold['code'] or ''} {hold['text']}".strip()
    return _tell(
        name,
        _("iA.docs sends no e-mail: the account ${name} is stopped", mapping={"name": name}),
        _("The SMTP account ${name} is stopped since ${at}.", mapping={"name": name, "at": at}),
        translatable(hold["explanation"]),
        _("The server said: ${words}", mapping={"words": words}),
        _("What to do: ${remedy}", mapping={"remedy": translatable(hold["remedy"]) or ""}),
        _(
            "Messages that wait: ${count}. None is lost; they leave once the account works again.",
            mapping={"count": str(waiting(name))},
        ),
    )


def released(name):
    """Send the all-clear, if an alarm was sent."""
    logger.warning("the SMTP account %s works again", name)
    at, is_open = _alarms().get(name, (None, False))
    if is_open:
        _alarms()[name] = (at, False)
        if name in settings().accounts:  # not when it was removed
            with errors_logged():
                _tell_released(name)


def _tell_released(name):
    _tell(
        name,
        _("iA.docs sends e-mail again: the account ${name} works", mapping={"name": name}),
        _(
            "The SMTP account ${name} works again. What waited leaves now: ${count}.",
            mapping={"name": name, "count": str(waiting(name))},
        ),
    )


def waiting(name):
    """Return how many messages wait for an account."""
    return sum(record.account == name for record in outbox().waiting_in(*WAITING))


def _alarms():
    """Return account name → (when the last alarm was sent, whether its all-clear is still to come)."""
    return site_store(KEY, OOBTree)


def _tell(name, subject, *sentences):
    """Send an alarm that does not leave by the account ``name``, with a link under the address that the agents see."""
    seen = (record.site_url for record in outbox().waiting_in(*WAITING) if record.site_url)
    return tell_admin(
        subject,
        *sentences,
        page="mailbridge-accounts",
        page_title=_("SMTP accounts"),
        base_url=next(seen, ""),
        stopped=settings().accounts.get(name),
    )
