"""``mailbridge-fetch``: read mailboxes by IMAP and hand their messages over to the site, as long as it runs.

A thread for each mailbox: a pass, then IDLE until something comes. What breaks is tried again, later each time.
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
from imio.mailbridge.message.one_line import readable
from imio.mailbridge.transport.fetch import Course
from imio.mailbridge.transport.fetch import Envelope
from imio.mailbridge.transport.fetch import fetch
from imio.mailbridge.transport.fetch import Later
from imio.mailbridge.transport.fetch_state import KEPT
from imio.mailbridge.transport.fetch_state import LEFT
from imio.mailbridge.transport.fetch_state import REFUSED
from imio.mailbridge.transport.fetch_state import State
from imio.mailbridge.transport.imap import BROKEN
from imio.mailbridge.transport.imap import Folder
from imio.mailbridge.transport.imap import NotOpened
from imio.mailbridge.transport.imap import opened
from imio.mailbridge.transport.imap_account import LOGIN
from imio.mailbridge.transport.imap_account import Mailbox
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
#: A refused login is not tried again sooner: servers lock accounts.
LOGIN_PAUSE = 300
#: So many messages are a backlog, whose progress is shown.
BACKLOG = 20

logger = logging.getLogger("mailbridge-fetch")


def main() -> None:
    """Run the command; ends with status 2 for a configuration that cannot be used, with ``--once`` 1 when something failed."""
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
            target=_keep_running, args=(mailbox, config, site, stop, options.once, failed), daemon=True
        )
        for mailbox in config.mailboxes
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
    parser.add_argument("--once", action="store_true", help="one pass over each mailbox, then end")
    parser.add_argument("--check", action="store_true", help="try site and mailboxes, fetch nothing")
    return parser.parse_args()


def _make_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _check(config: Config, site: Site) -> int:
    """Say whether the site and each mailbox can be reached; return the exit status."""
    failed = 0
    for mailbox in config.mailboxes:
        try:
            limit = site.max_size(mailbox.address)
            with opened(mailbox) as folder:
                number = len(folder.present())
        except NotOpened as error:
            failed, words = 1, f"{error.stage}: {error.text}"
        except (Temporary, *BROKEN) as error:
            failed, words = 1, readable(error)
        else:
            words = f"{number} messages in {mailbox.folder}; the site takes up to {limit} bytes"
        print(f"{mailbox.name}: {words}")
    return failed


def _keep_running(
    mailbox: Mailbox, config: Config, site: Site, stop: threading.Event, once: bool, failed: list[str]
) -> None:
    pause: float = SHORTEST_PAUSE
    try:
        with _locked(config.state / f"{mailbox.name}.lock"):
            keeper = _Keeper(config.state / f"{mailbox.name}.json")
            while not stop.is_set():
                course = Course(save=keeper.save, stopped=stop.is_set)
                try:
                    with opened(mailbox) as folder:
                        while not stop.is_set():
                            _pass(folder, mailbox, keeper.state, site, course)
                            pause = SHORTEST_PAUSE
                            if once:
                                failed += [mailbox.name] if course.counts.get("failed") else []
                                return
                            folder.wait(stop)
                except Exception as error:  # noqa: BLE001 - a mailbox must not stay unread because of one surprise
                    if not isinstance(error, (NotOpened, Later, *BROKEN)):
                        logger.exception("%s: an error of our own", mailbox.name)
                    stage = getattr(error, "stage", "site" if isinstance(error, Later) else "imap")
                    logger.error("%s: %s: %s", mailbox.name, stage, readable(error))
                    if once:
                        failed.append(mailbox.name)
                        return
                    stop.wait(LOGIN_PAUSE if stage == "login" else pause)
                    pause = min(pause * 2, LONGEST_PAUSE)
    except OSError as error:
        logger.error("%s: %s", mailbox.name, error)
        failed.append(mailbox.name)


def _pass(folder: Folder, mailbox: Mailbox, state: State, site: Site, course: Course) -> None:
    course.counts.clear()
    with _progress(mailbox, course):
        fetch(folder, mailbox, state, partial(_deliver, site, mailbox), course)
    if course.counts:
        words = ", ".join(f"{number} {word}" for word, number in sorted(course.counts.items()))
        logger.info("%s: %s", mailbox.name, words)


def _deliver(site: Site, mailbox: Mailbox, message: BinaryIO, envelope: Envelope) -> str:
    """Hand a message over; an answer that is final is logged. Errors: ``Later``."""
    try:
        answer = site.post(message, envelope.recipient, envelope.sender, may_leave=mailbox.role == LOGIN)
    except Temporary as error:
        raise Later(str(error), all_alike=error.passes) from error
    if answer.status == ACCEPTED:
        return LEFT if answer.state == LEFT_STATE else KEPT
    if answer.status == UNKNOWN_RECIPIENT:  # of the settings, not of this message
        raise Later(answer.text, all_alike=True)
    logger.error("%s: %s", mailbox.name, answer.text)
    return REFUSED


@contextmanager
def _progress(mailbox: Mailbox, course: Course) -> Iterator[None]:
    """Show a bar on a terminal, and a line now and then in a log, while a backlog is worked through."""
    bars: list[tqdm[None]] = []

    def begin(number: int) -> None:
        if number >= BACKLOG:
            logger.info("%s: %s messages are waiting", mailbox.name, number)
            bars.append(tqdm(total=number, desc=mailbox.name, unit="mail", disable=None, file=sys.stderr))

    def step() -> None:
        for bar in bars:
            bar.update()

    course.begin, course.step = begin, step
    try:
        yield
    finally:
        for bar in bars:
            bar.close()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the mailbox for this process. Errors: ``OSError`` when another one has it."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise OSError(f"{path}: another mailbridge-fetch reads this mailbox") from None
        yield


class _Keeper:
    """Keeps a ``State`` in a file; one that cannot be read is put aside: the site knows what it has."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.state = State()
        try:
            self.state = State.read(json.loads(path.read_text("ascii")))
        except FileNotFoundError:
            pass
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            logger.error("%s cannot be read, all messages are looked at again: %s", path, error)

    def save(self) -> None:
        """Write the state to disk, or leave the old one."""
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
