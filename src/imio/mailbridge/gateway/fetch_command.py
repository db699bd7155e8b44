"""``mailbridge-fetch``: reads mailboxes by IMAP and hands their messages over to the site for as long as it runs.

Each mailbox has a thread: one pass, then IDLE until something comes. What fails is tried again after a growing pause.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from imio.mailbridge.gateway.fetch_config import Config
from imio.mailbridge.gateway.fetch_config import read
from imio.mailbridge.gateway.fetch_config import WrongConfig
from imio.mailbridge.gateway.site import ACCEPTED
from imio.mailbridge.gateway.site import LEFT as LEFT_STATE
from imio.mailbridge.gateway.site import Site
from imio.mailbridge.gateway.site import Temporary
from imio.mailbridge.gateway.site import UNKNOWN_RECIPIENT
from imio.mailbridge.transport.fetch import Deferred
from imio.mailbridge.transport.fetch import Envelope
from imio.mailbridge.transport.fetch import fetch
from imio.mailbridge.transport.fetch import PassHooks
from imio.mailbridge.transport.fetch_state import FetchState
from imio.mailbridge.transport.fetch_state import KEPT
from imio.mailbridge.transport.fetch_state import LEFT
from imio.mailbridge.transport.fetch_state import REFUSED
from imio.mailbridge.transport.imap_account import ImapAccount
from imio.mailbridge.transport.imap_account import LOGIN
from imio.mailbridge.transport.imap_connection import CannotOpen
from imio.mailbridge.transport.imap_connection import CONNECTION_ERRORS
from imio.mailbridge.transport.imap_connection import server_text
from imio.mailbridge.transport.imap_connection import stage_of
from imio.mailbridge.transport.imap_folder import Folder
from imio.mailbridge.transport.imap_folder import selected_folder
from pathlib import Path
from tqdm import tqdm
from typing import BinaryIO
import argparse
import fcntl
import json
import logging
import os
import signal
import sys
import threading


#: Seconds before the next try, after the first and after many failures.
SHORTEST_PAUSE, LONGEST_PAUSE = 1, 300
#: Seconds before a refused login is tried again, twice as many each time: servers lock accounts.
LOGIN_PAUSE, LONGEST_LOGIN_PAUSE = 300, 3600
#: From so many messages on, progress is shown.
BACKLOG = 20

logger = logging.getLogger("mailbridge-fetch")


def main() -> None:
    """Run the command. Status 2: the configuration cannot be used; 1, with ``--once``: something failed."""
    options = _options()
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        config = read(options.config)
        site = Site(config.url, config.token_file, config.ca_file, config.timeout)
        if options.check:
            sys.exit(_check(config, site))
        _make_folder(config.state)
    except (WrongConfig, Temporary, OSError) as error:
        print(f"mailbridge-fetch: {error}", file=sys.stderr)
        sys.exit(2)
    failed: list[str] = []
    threads = [
        threading.Thread(
            target=_keep_running, args=(account, config, site, stop, options.once, failed), daemon=True
        )
        for account in config.imap_accounts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(1)  # so that signals are seen
    sys.exit(1 if failed else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="mailbridge-fetch",
        description="Read mailboxes by IMAP and hand their messages over to the site.",
    )
    parser.add_argument(
        "--config", default="/etc/mailbridge/fetch.toml", help="TOML file, default %(default)s"
    )
    parser.add_argument("--once", action="store_true", help="one pass over each account, then end")
    parser.add_argument("--check", action="store_true", help="try site and mailboxes, fetch nothing")
    return parser.parse_args()


def _make_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _check(config: Config, site: Site) -> int:
    """Print whether the site and each mailbox can be reached; return the exit status."""
    failed = 0
    for account in config.imap_accounts:
        try:
            limit = site.max_size(account.address)
            with selected_folder(account) as folder:
                number = len(folder.pending())
        except CannotOpen as error:
            failed, words = 1, f"{error.stage}: {error.text}"
        except (Temporary, *CONNECTION_ERRORS) as error:
            failed, words = 1, server_text(error)[:500]
        else:
            words = f"{number} messages in {account.folder}; the site takes up to {limit} bytes"
        print(f"{account.name}: {words}")
    return failed


def _keep_running(
    account: ImapAccount, config: Config, site: Site, stop: threading.Event, once: bool, failed: list[str]
) -> None:
    pause, login_pause = SHORTEST_PAUSE, LOGIN_PAUSE
    try:
        with _locked(config.state / f"{account.name}.lock"):
            state_file = _StateFile(config.state / f"{account.name}.json")
            while not stop.is_set():
                hooks = PassHooks(save=state_file.save, stopped=stop.is_set)
                try:
                    with selected_folder(account) as folder:
                        while not stop.is_set():
                            _pass(folder, account, state_file.state, site, hooks)
                            pause, login_pause = SHORTEST_PAUSE, LOGIN_PAUSE
                            if once:
                                failed += [account.name] if hooks.counts.get("failed") else []
                                return
                            folder.wait(stop, state_file.state.seconds_to_next())
                except Exception as error:  # noqa: BLE001 - a mailbox must not stay unread because of one surprise
                    if not isinstance(error, (CannotOpen, Deferred, *CONNECTION_ERRORS)):
                        logger.exception("%s: an error of our own", account.name)
                    stage = "site" if isinstance(error, Deferred) else stage_of(error)
                    logger.error("%s: %s: %s", account.name, stage, server_text(error)[:500])
                    if once:
                        failed.append(account.name)
                        return
                    if stage == "login":
                        stop.wait(login_pause)
                        login_pause = min(login_pause * 2, LONGEST_LOGIN_PAUSE)
                    else:
                        stop.wait(pause)
                        pause = min(pause * 2, LONGEST_PAUSE)
    except OSError as error:
        logger.error("%s: %s", account.name, error)
        failed.append(account.name)


def _pass(folder: Folder, account: ImapAccount, state: FetchState, site: Site, hooks: PassHooks) -> None:
    hooks.counts.clear()
    with _progress(account, hooks):
        fetch(folder, account, state, partial(_deliver, site, account), hooks)
    if hooks.counts:
        words = ", ".join(f"{number} {word}" for word, number in sorted(hooks.counts.items()))
        logger.info("%s: %s", account.name, words)


def _deliver(site: Site, account: ImapAccount, message: BinaryIO, envelope: Envelope) -> str:
    """Hand a message over and log a final refusal; return the outcome. Errors: ``Deferred``."""
    try:
        answer = site.post(message, envelope.recipient, envelope.sender, may_leave=account.role == LOGIN)
    except Temporary as error:
        raise Deferred(str(error), affects_all=error.passes) from error
    if answer.status == ACCEPTED:
        return LEFT if answer.state == LEFT_STATE else KEPT
    if answer.status == UNKNOWN_RECIPIENT:  # of the settings, not of this message
        raise Deferred(answer.text, affects_all=True)
    logger.error("%s: %s", account.name, answer.text)
    return REFUSED


@contextmanager
def _progress(account: ImapAccount, hooks: PassHooks) -> Iterator[None]:
    """Show a progress bar on a terminal, or a line now and then in a log, while a backlog is worked off."""
    bars: list[tqdm[None]] = []

    def begin(number: int) -> None:
        if number >= BACKLOG:
            logger.info("%s: %s messages are waiting", account.name, number)
            bars.append(tqdm(total=number, desc=account.name, unit="mail", disable=None, file=sys.stderr))

    def step() -> None:
        for bar in bars:
            bar.update()

    hooks.begin, hooks.step = begin, step
    try:
        yield
    finally:
        for bar in bars:
            bar.close()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Lock the mailbox for this process. Errors: ``OSError`` when another process has it."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise OSError(f"{path}: another mailbridge-fetch reads this mailbox") from None
        yield


class _StateFile:
    """Keeps a ``FetchState`` in a file. A file that cannot be read is ignored: the site knows which messages it has."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.state = FetchState()
        try:
            self.state = FetchState.from_json(json.loads(path.read_text("ascii")))
        except FileNotFoundError:
            pass
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            logger.error("%s cannot be read, all messages are read again: %s", path, error)

    def save(self) -> None:
        """Write the state to disk; the old file stays if that fails."""
        new = self._path.with_suffix(".new")
        try:
            with new.open("w", encoding="ascii") as file:
                json.dump(self.state.as_json(), file)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
        except OSError as error:  # the site knows what it has; nothing is lost
            logger.error("%s: %s", self._path, error)


if __name__ == "__main__":
    main()
