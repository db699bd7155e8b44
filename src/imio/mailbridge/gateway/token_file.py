"""Keeps the refresh token of a mailbox in its file, where the provider replaces it with each use.

Who asks the provider holds a lock on a file beside it, which ends with its process. Killed between the answer of the provider and
the replacement of the file, a process takes the new token with it; the next one shows the former.
"""

from contextlib import ExitStack
from imio.mailbridge.transport.oauth import TokenUnreachable
from pathlib import Path
import fcntl
import logging
import os


logger = logging.getLogger(__name__)


class TokenFile:
    """The file at ``path`` (``transport.oauth.TokenKeeper``)."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._turn = ExitStack()

    def begin(self) -> str:
        """Wait for a turn; return the token to show. Errors: ``TokenUnreachable``."""
        try:
            lock = self._turn.enter_context(open(f"{self._path}.lock", "w"))  # noqa: SIM115 - until the end of the turn
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:  # a folder that is only read: the token was not replaced so far
            logger.debug("no lock on %s: %s", self._path, error)
        try:
            return self._path.read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            self._turn.close()
            raise TokenUnreachable(f"the file of the refresh token: {error}") from error

    def end(self, new: str) -> None:
        """End the turn; keep a new token, if there is one."""
        with self._turn:
            if not new:
                return
            beside = Path(f"{self._path}.new")
            try:
                with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                    file.write(f"{new}\n")
                    file.flush()
                    os.fsync(file.fileno())
                beside.replace(self._path)
            except OSError:
                logger.exception(
                    "the provider replaced the refresh token, which cannot be kept in %s", self._path
                )
