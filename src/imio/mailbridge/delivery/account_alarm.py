"""The alarms about an SMTP account: it stopped, nothing leaves by it, or its server refuses what no agent can mend.

Each is told once within ``QUIET``; the all-clear only when the server has taken a message. Managers also see on every page what is
stopped (``Outbox.holds``).
"""

from BTrees.OOBTree import OOBTree
from datetime import timedelta
from imio.mailbridge.delivery.ehlo_name import seen_url
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import plural
from imio.mailbridge.i18n import translatable
from imio.mailbridge.notify.alarm import errors_logged
from imio.mailbridge.notify.alarm import tell_admin
from imio.mailbridge.notify.notice import words_said
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings.clock import local_time
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.smtp import name_in_words
from imio.mailbridge.store.store import existing_store
from imio.mailbridge.store.store import now
from imio.mailbridge.store.store import site_store
import logging


KEY = "imio.mailbridge.alarms"
QUIET = timedelta(hours=6)
#: How long nothing must have left before somebody is told.
PATIENCE = timedelta(minutes=30)

logger = logging.getLogger(__name__)


def stopped(name, hold):
    """Raise the alarm; called in the transaction that stops the account."""
    logger.error("the SMTP account %s is stopped: %s %s", name, hold["code"] or "", hold["text"])
    outbox().troubles.pop(name, None)
    if not _is_quiet(name, now()):
        _tell_stopped(name, hold)


def _tell_stopped(name, hold):
    subject = _(
        "iA.docs is not sending e-mail: the account ${name} is stopped", mapping={"name": name_in_words(name)}
    )
    first = _(
        "The SMTP account ${name} has been stopped since ${at}.",
        mapping={"name": name_in_words(name), "at": _at(hold)},
    )
    with errors_logged():
        count = _(
            "Messages waiting: ${count}. None is lost; they go out once the account works again.",
            mapping={"count": str(waiting(name))},
        )
        if _tell_problem(name, hold, subject, first, count):
            _alarms()[name] = (now(), True)


def put_off(name, reply, row):
    """Note that the server of an account puts off whatever is sent; ``tell_troubles`` tells of it when it lasts."""
    box = outbox()
    if name not in box.troubles and name not in box.holds:
        box.troubles[name] = {
            "at": now(),
            "code": reply.code or None,
            "text": str(reply.text),
            "explanation": str(row.explanation),
            "remedy": str(row.remedy),
            "told": False,
        }


def tell_troubles():
    """Raise the alarm about each account by which nothing has left for ``PATIENCE``, though something waits.

    Also about one that stopped again within ``QUIET`` of the alarm before, once that time is over.
    """
    box = outbox()
    for name, hold in box.holds.items():
        at, is_open = existing_store(KEY).get(name, (None, True))
        if not is_open and at + QUIET <= now():
            _tell_stopped(name, hold)
    for name, trouble in list(box.troubles.items()):
        if name not in settings().accounts or not waiting(name, "deferred"):
            del box.troubles[name]
        elif not trouble["told"] and trouble["at"] + PATIENCE <= now() and not _is_quiet(name, now()):
            _tell_trouble(name, trouble)


def _tell_trouble(name, trouble):
    logger.error("nothing leaves by the SMTP account %s: %s %s", name, trouble["code"] or "", trouble["text"])
    subject = _(
        "iA.docs is not sending e-mail: nothing goes out through the account ${name}",
        mapping={"name": name_in_words(name)},
    )
    first = _(
        "Nothing has gone out through the SMTP account ${name} since ${at}.",
        mapping={"name": name_in_words(name), "at": _at(trouble)},
    )
    with errors_logged():
        count = _("Messages waiting: ${count}", mapping={"count": str(waiting(name))})
        if _tell_problem(name, trouble, subject, first, count, gives_up()):
            _alarms()[name] = (now(), True)
            outbox().troubles[name] = {**trouble, "told": True}


def gives_up():
    """Return what becomes of the messages of an account that is not stopped, though nothing leaves by it."""
    return plural(
        settings().give_up_hours,
        _(
            "Waiting messages go out once the account works again. A message that cannot go out for 1 hour fails, and its agent "
            "is told."
        ),
        _(
            "Waiting messages go out once the account works again. A message that cannot go out for ${count} hours fails, and "
            "its agent is told."
        ),
    )


def refused(name, reply, row):
    """Raise the alarm about a refusal that no agent can mend, by an account that works otherwise."""
    key = f"{name}: {row.name}"
    if _is_quiet(key, now()):
        return
    with errors_logged():
        told = tell_admin(
            _(
                "iA.docs: the mail server refuses e-mails from the account ${name}",
                mapping={"name": name_in_words(name)},
            ),
            translatable(row.explanation),
            words_said(reply.code, str(reply.text)),
            _("What to do: ${remedy}", mapping={"remedy": translatable(row.remedy) or ""}),
            page="mailbridge-accounts",
            page_title=_("SMTP accounts"),
            base_url=seen_url(),
        )
        if told:
            _alarms()[key] = (now(), False)


def _is_quiet(key, at):
    """Tell whether an alarm was sent a short time ago."""
    last = _alarms().get(key)
    if last is None or at >= last[0] + QUIET:
        return False
    logger.warning("no alarm is sent about the SMTP account %s: one was, at %s", key, last[0])
    return True


def _at(problem):
    return local_time(problem["at"]).strftime("%d/%m/%Y %H:%M")


def _tell_problem(name, problem, subject, first, *last):
    return _tell(
        name,
        subject,
        first,
        translatable(problem["explanation"]),
        words_said(problem["code"], problem["text"]),
        _("What to do: ${remedy}", mapping={"remedy": translatable(problem["remedy"]) or ""}),
        *last,
    )


def works(name):
    """Note that the server of an account took a message; send the all-clear, if an alarm was sent."""
    if name in outbox().troubles:
        del outbox().troubles[name]
    at, is_open = existing_store(KEY).get(name, (None, False))
    if is_open:
        logger.warning("the SMTP account %s works again", name)
        _alarms()[name] = (at, False)
        with errors_logged():
            _tell_works(name)


def _tell_works(name):
    _tell(
        name,
        _(
            "iA.docs is sending e-mail again: the account ${name} works",
            mapping={"name": name_in_words(name)},
        ),
        _(
            "The SMTP account ${name} is working again. Messages going out now: ${count}.",
            mapping={"name": name_in_words(name), "count": str(waiting(name))},
        ),
    )


def waiting(name, *states):
    """Return how many messages wait for an account, in ``states`` if any is given."""
    return outbox().number_waiting(*states, account=name)


def _alarms():
    """Return account name, or account name and row of the answers → (time of the last alarm, whether its all-clear is to come)."""
    return site_store(KEY, OOBTree)


def _tell(name, subject, *sentences):
    """Send an alarm that does not leave by the account ``name``, with a link under the address that the agents see."""
    return tell_admin(
        subject,
        *sentences,
        page="mailbridge-accounts",
        page_title=_("SMTP accounts"),
        base_url=seen_url(),
        stopped=settings().accounts.get(name),
    )
