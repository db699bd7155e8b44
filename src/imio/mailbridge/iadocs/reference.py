"""Gives numbers to incoming e-mails, for their references: each once, in the order in which they are asked for.

A number is drawn in a transaction of its own, of some milliseconds, so that those who file at once do not conflict. ::

    draw ── commit ── the filing ── vote ── commit
         ✝1        ✝2                    ✝3
    ✝1 nothing is counted
    ✝2 the number is missing from the register; the filing is done another time, with the next one
    ✝3 the process does not see whether the document is there: the number is not given again

A transaction that is aborted, or rolled back to before the draw, gives its number back: the next draw of this process gets it.
"""

from imio.mailbridge.store.commit import TRIES
from persistent.mapping import PersistentMapping
from transaction import TransactionManager
from transaction.interfaces import ISavepointDataManager
from ZODB.utils import z64
from zope.annotation.interfaces import IAnnotations
from zope.interface import implementer
import heapq
import threading


KEY = "imio.mailbridge.iadocs.incoming_number"


def next_number(site):
    """Return the next number, for the current transaction of ``site``. Errors: ``ConflictError`` after many."""
    site._p_activate()  # what is not loaded has no serial either
    if site._p_jar is None or site._p_serial == z64:
        return _count(site)  # nobody else sees the site before it is committed
    number, unused = _draws.draw(site)
    manager = site._p_jar.transaction_manager
    manager.get().join(_Drawn(manager, unused, number))
    return number


def _count(site):
    annotations = IAnnotations(site)
    counter = annotations.get(KEY)
    if counter is None:
        counter = annotations[KEY] = PersistentMapping(last=0)
    counter["last"] += 1
    return counter["last"]


class _Unused:
    """Numbers that were drawn and not used; nobody waits here for more than a moment."""

    def __init__(self):
        self._lock = threading.Lock()
        self._numbers = []

    def push(self, number):
        with self._lock:
            heapq.heappush(self._numbers, number)

    def pop(self):
        """Take the smallest out; return None where there is none."""
        with self._lock:
            return heapq.heappop(self._numbers) if self._numbers else None


class _Draws:
    """What this process draws from the counters of one database, by a connection that holds nothing else.

    Who draws may wait for a commit of another thread, so a transaction that ends must not wait for who draws.
    """

    def __init__(self):
        self._drawing = threading.Lock()
        self.connection, self.unused = None, {}

    def draw(self, site):
        """Return a number, and what takes it back where it is not used."""
        with self._drawing:
            self._connect(site._p_jar.db())
            unused = self.unused.setdefault(site._p_oid, _Unused())
            number = unused.pop()
            if number is None:
                counted = self.connection.get(site._p_oid)
                number = self.connection.transaction_manager.run(lambda: _count(counted), tries=TRIES)
            return number, unused

    def _connect(self, database):
        if self.connection is not None and self.connection.db() is database:
            return
        if self.connection is not None:
            self.connection.close()
        self.connection, self.unused = database.open(TransactionManager()), {}


_draws = _Draws()


@implementer(ISavepointDataManager)
class _Drawn:
    """A number that a transaction holds until it ends."""

    def __init__(self, transaction_manager, unused, number):
        self.transaction_manager = transaction_manager
        self._unused, self._number = unused, number

    def sortKey(self):
        """Sort behind the storages: when this one votes, all of them did."""
        return "~~imio.mailbridge"

    def abort(self, transaction):
        if self._number is not None:
            self._unused.push(self._number)
            self._number = None

    tpc_abort = abort

    def tpc_vote(self, transaction):
        self._number = None

    def tpc_begin(self, transaction):
        pass

    commit = tpc_finish = tpc_begin

    def savepoint(self):
        """Return what a rollback to a point after the draw does: nothing."""
        return self

    def rollback(self):
        pass
