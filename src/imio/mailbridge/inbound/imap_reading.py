"""Reads the IMAP mailboxes of the settings: a worker makes a pass over each once a minute, each message in transactions of its own.

The status of a mailbox is written when it changes, otherwise every ten minutes: an idle mailbox must not fill the database.
"""

from BTrees.OOBTree import OOBTree
from datetime import timedelta
from imio.mailbridge.i18n import _
from imio.mailbridge.inbound.envelope import Envelope
from imio.mailbridge.inbound.imap_answers import imap_answer
from imio.mailbridge.inbound.imap_answers import Outcome
from imio.mailbridge.inbound.receive import Left
from imio.mailbridge.inbound.receive import Refused
from imio.mailbridge.inbound.receive import take
from imio.mailbridge.notify.alarm import tell_admin
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.settings.imap import account_of
from imio.mailbridge.settings.imap import secrets_of
from imio.mailbridge.settings.read import settings
from imio.mailbridge.store.commit import committed
from imio.mailbridge.store.store import existing_store
from imio.mailbridge.store.store import now
from imio.mailbridge.store.store import site_store
from imio.mailbridge.taskqueue import add
from imio.mailbridge.taskqueue.queue import NETWORK
from imio.mailbridge.transport.fetch import Deferred
from imio.mailbridge.transport.fetch import fetch
from imio.mailbridge.transport.fetch import PassHooks
from imio.mailbridge.transport.fetch_state import FetchState
from imio.mailbridge.transport.fetch_state import KEPT
from imio.mailbridge.transport.fetch_state import LEFT
from imio.mailbridge.transport.fetch_state import REFUSED
from imio.mailbridge.transport.imap_connection import CannotOpen
from imio.mailbridge.transport.imap_connection import CONNECTION_ERRORS
from imio.mailbridge.transport.imap_connection import server_text
from imio.mailbridge.transport.imap_connection import stage_of
from imio.mailbridge.transport.imap_folder import selected_folder
from persistent import Persistent
from transaction.interfaces import TransientError
from zope.component.hooks import getSite
from zope.i18n import translate
import logging
import time
import transaction


KEY = "imio.mailbridge.mailboxes"
#: Seconds that one pass may keep a worker; the next one goes on.
LONGEST_PASS = 45
#: Seconds after which the connection of a pass is cut, also in the middle of a message.
LONGEST_CONNECTION = 300
#: How long a worker has a mailbox for itself: longer than the connection of a pass.
LEASE = timedelta(minutes=6)
#: How often it is written down that nothing has changed.
NOTED_EVERY = timedelta(minutes=10)
#: Minutes before a refused login is tried again, more each time; the last one repeats.
LOGIN_PAUSES = (15, 30, 60)
#: How long a mailbox must be out of reach before somebody is told.
QUIET = timedelta(minutes=30)

logger = logging.getLogger(__name__)


class ImapStatus(Persistent):
    """The status of one mailbox: ``state`` of the folder as plain values, ``counts`` by outcome since it was set up, ``waiting``
    after the last pass; ``problem`` is None or a dict of ``stage``, ``text``, ``since``, ``told``,
    ``refused`` (how often the login was, in a row). All times are aware or None.
    """

    def __init__(self):
        self.problem = self.checked = self.lease_until = self.last_message = self.not_before = None
        self.waiting = 0
        self.state = FetchState().as_json()
        self.counts = {}


def ensure_status(name):
    """Return the status of a mailbox, made on first use."""
    store = site_store(KEY, OOBTree)
    if name not in store:
        store[name] = ImapStatus()
    return store[name]


def status_of(name):
    """Return the ``ImapStatus`` of a mailbox, or None; writes nothing."""
    return existing_store(KEY).get(name)


def forget_removed(proxy, event):
    """Forget secrets and state of the mailboxes that left the settings (subscriber of the registry records)."""
    if event.record.fieldName != "imap_mailboxes":
        return
    kept = {row["name"] for row in event.newValue or ()}
    for name in {row["name"] for row in event.oldValue or ()} - kept:
        password.forget(secrets_of(name))
        site_store(KEY, OOBTree).pop(name, None)


def sweep():
    """Queue a pass for each mailbox that is read from here."""
    at = now()
    for name, mailbox in settings().imap_mailboxes.items():
        status = status_of(name)
        busy = status is not None and any(
            time is not None and time > at for time in (status.lease_until, status.not_before)
        )
        if mailbox.host and not busy:
            _queue(name)


def wake(name):
    """Let a mailbox be read at once, also when its login was refused before: its settings are new."""
    if status_of(name) is not None:
        status_of(name).not_before = None
    _queue(name)


def _queue(name):
    add(
        "/".join(getSite().getPhysicalPath()) + "/@@mailbridge-fetch",
        "POST",
        params={"name": name},
        queue=NETWORK,
    )


def read_mailbox(name):
    """Make one pass over a mailbox; commits by itself. What goes wrong is noted, and told when it lasts."""
    mailbox = settings().imap_mailboxes.get(name)
    if mailbox is None or not mailbox.host:
        return
    run = _Pass(mailbox, committed(lambda: FetchState.from_json(ensure_status(name).state)))
    try:
        account = account_of(mailbox)
        with selected_folder(account, LONGEST_CONNECTION) as folder:
            fetch(folder, account, run.state, run.deliver, run.course)
    except _Busy:
        return
    except password.PasswordUnreadable as error:
        run.end("secret", str(error))
    except (CannotOpen, *CONNECTION_ERRORS) as error:
        run.end(stage_of(error), server_text(error))
    except Deferred as error:
        run.end("bridge", str(error))
    except TransientError:
        raise
    except Exception as error:  # noqa: BLE001 - one mailbox must not stay unread without a word
        logger.exception("the pass over the mailbox %s met an error", name)
        run.end("bridge", f"{type(error).__name__}: {error}")
    else:
        run.end()


class _Busy(Exception):
    """Another worker reads the mailbox."""


class _Pass:
    """A pass in progress: what it has settled, and since when."""

    def __init__(self, mailbox, state):
        self._name, self._is_login = mailbox.name, mailbox.is_login
        self.state = state
        self._before = state.as_json()
        self._end = time.monotonic() + LONGEST_PASS
        self._todo = 0
        self._has_lease = False
        self.course = PassHooks(save=self._save, begin=self._begin, stopped=self._stopped)

    def deliver(self, message, given):
        """Keep and process one message; returns once that is committed. Errors: ``Deferred``."""
        sender = given.sender or ""
        envelope = Envelope(given.recipient, sender, "", given.sender == "")
        message.seek(0)
        try:
            _http_status, record = take(message, envelope, settings(), may_leave=self._is_login)
        except Refused as refused:
            transaction.abort()
            if refused.status == 413:
                return REFUSED
            text = translate(refused.message, target_language="en")
            raise Deferred(text, affects_all=refused.status == 422) from refused
        except TransientError as error:
            raise Deferred("too many conflicts") from error
        except Exception as error:
            transaction.abort()
            logger.exception("a message of the mailbox %s could not be kept", self._name)
            raise Deferred(f"{type(error).__name__}: {error}") from error
        return LEFT if isinstance(record, Left) else KEPT

    def _begin(self, number):
        self._todo = number
        if not number:
            return

        def lease():
            status = ensure_status(self._name)
            if status.lease_until is not None and status.lease_until > now():
                raise _Busy
            status.lease_until = now() + LEASE
            status.waiting = number

        committed(lease)
        self._has_lease = True

    def _stopped(self):
        return time.monotonic() > self._end

    def _save(self):
        committed(lambda: setattr(ensure_status(self._name), "state", self.state.as_json()))

    def end(self, stage="", text=""):
        """Write down how it went, where that is news."""
        counts = self.course.counts
        status = status_of(self._name)
        if status is None:
            return  # the mailbox left the settings meanwhile
        news = (
            stage
            or self._has_lease
            or self.state.as_json() != self._before
            or status.problem is not None
            or status.checked is None
            or status.checked + NOTED_EVERY < now()
        )
        if news:
            committed(lambda: self._note(ensure_status(self._name), stage, text, counts))

    def _note(self, status, stage, text, counts):
        status.state = self.state.as_json()
        status.counts = {
            word: status.counts.get(word, 0) + counts.get(word, 0) for word in {*status.counts, *counts}
        }
        status.waiting = max(0, self._todo - sum(counts.values()))
        if self._has_lease:
            status.lease_until = None
        status.last_message = now() if counts else status.last_message
        status.not_before = None
        if not stage:
            status.checked, status.problem = now(), None
            return
        before = status.problem or {"since": now(), "told": False, "refused": 0}
        since, told, refused = before["since"], before["told"], 0
        if imap_answer(stage, text).outcome is Outcome.PAUSE:
            refused = before["refused"] + 1
            pause = LOGIN_PAUSES[min(refused, len(LOGIN_PAUSES)) - 1]
            status.not_before = now() + timedelta(minutes=pause)
        if not told and now() > since + QUIET:
            told = tell(self._name, stage, text)
        status.problem = {
            "stage": stage,
            "text": text[:500],
            "since": since,
            "told": told,
            "refused": refused,
        }
        logger.error("the mailbox %s cannot be read: %s: %s", self._name, stage, text)


def tell(name, stage, text):
    """Tell the admin by e-mail that a mailbox is not read; return whether somebody could be told."""
    row = imap_answer(stage, text)
    return tell_admin(
        _("iA.docs cannot read the mailbox ${name}", mapping={"name": name}),
        row.explanation,
        _("The server said: ${words}", mapping={"words": text[:300]}),
        _("What to do: ${remedy}", mapping={"remedy": row.remedy}),
        page="mailbridge-mailboxes",
    )
