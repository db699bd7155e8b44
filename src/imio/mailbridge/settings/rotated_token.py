"""Keeps refresh tokens that the provider replaces with each use; one worker of the site asks at a time.

::

    take the turn ──▶ ask the provider ──▶ keep the new token, end the turn ──▶ log in with the access token
       commit   │                      │      commit
                │                      └ killed here: the new token is gone with its worker. Once the turn has expired, another one
                │                        shows the former token. A provider that takes none twice refuses it: the account is
                │                        stopped, and the administrator is told to have it authorised again.
                └ killed here: nothing is lost, the turn expires

Both commits are on a connection of their own: they see the newest token, and stay when the caller's transaction is aborted. The
token that was entered stays as it is: with another one that is entered, what was made of the former is forgotten.
"""

from collections.abc import Callable
from imio.mailbridge.settings import secrets
from imio.mailbridge.transport.oauth import TokenUnreachable
from transaction import TransactionManager
from typing import Any
from typing import TypeVar
from zope.annotation.interfaces import IAnnotations
from zope.component.hooks import getSite
import hashlib
import time


#: Seconds after which a turn expires; a request for a token ends earlier.
TURN = 60

TRIES = 20
PAUSE = 0.2

T = TypeVar("T")


class RotatedToken:
    """The refresh token of an account (``transport.oauth.TokenKeeper``); ``entered`` is the one in the settings."""

    def __init__(self, account: str, entered: str) -> None:
        self._account = account
        self._entered = entered
        self._mark = hashlib.sha256(entered.encode()).hexdigest()
        site: Any = getSite()
        self._database = site._p_jar.db()
        self._path = site.getPhysicalPath()[1:]

    def begin(self) -> str:
        """Wait for a turn; return the token to show. Errors: ``TokenUnreachable``."""
        end = time.monotonic() + 2 * TURN
        while (token := self._changed(self._take)) is None:
            if time.monotonic() > end:
                raise TokenUnreachable("token endpoint: others of the site ask it all the time")
            time.sleep(PAUSE)
        return token

    def end(self, new: str) -> None:
        """End the turn; keep a new token, if there is one."""

        def end(kept: Any) -> None:
            kept.pop((self._account, secrets.TURN), None)
            if new:
                kept[self._account, secrets.ROTATED] = f"{self._mark} {new}"

        self._changed(end)

    def _take(self, kept: Any) -> str | None:
        turn = self._account, secrets.TURN
        if float(kept.get(turn, 0)) > time.time():
            return None
        kept[turn] = str(time.time() + TURN)
        mark, _, token = kept.get((self._account, secrets.ROTATED), "").partition(" ")
        return token if mark == self._mark else self._entered

    def _changed(self, change: Callable[[Any], T]) -> T:
        """Commit a change to the secrets of the site, again after a conflict; return its result."""
        manager = TransactionManager()
        connection = self._database.open(manager)
        try:
            for attempt in manager.attempts(TRIES):
                with attempt:
                    site = connection.root()["Application"].unrestrictedTraverse(self._path)
                    result = change(IAnnotations(site)[secrets.OTHERS])
        finally:
            manager.abort()
            connection.close()
        return result
