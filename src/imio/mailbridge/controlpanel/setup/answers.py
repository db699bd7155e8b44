"""Keeps what was answered in the set-up, and what the tries brought: plain values in an annotation of the site, never a secret."""

from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from imio.mailbridge.settings.smtp import login_address
from imio.mailbridge.store.commit import committed
from imio.mailbridge.store.store import existing_store
from imio.mailbridge.store.store import site_store
from persistent.mapping import PersistentMapping
from typing import Any
from zope.annotation.interfaces import IAnnotations
from zope.component.hooks import getSite
from zope.i18nmessageid import Message


KEY = "imio.mailbridge.setup"


@dataclass(frozen=True)
class Answers:
    """The answers so far. ``step`` is the screen that was reached.

    ``smtp`` and ``imap`` are (host, port, security) that DNS named, or empty. ``sources``, and the texts in ``found``, are what
    ``stored`` makes of messages. ``found`` maps what was tried to its outcome: ``verdict``, ``sentences`` and ``ask``.
    """

    step: str = "address"
    address: str = ""
    recognised: str = ""
    provider: str = ""
    sources: tuple[Any, ...] = ()
    smtp: tuple[Any, ...] = ()
    imap: tuple[Any, ...] = ()
    asks_server: bool = False
    asks_authority: bool = False
    host: str = ""
    port: int = 0
    security: str = ""
    ca_file: str = ""
    auth: str = "password"
    login: str = ""
    login_address: str = ""
    oauth_token_url: str = ""
    oauth_client_id: str = ""
    mailin_address: str = ""
    mailboxes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    test: str = ""
    found: dict[str, Any] = field(default_factory=dict)

    @property
    def domain(self):
        """Return the domain of the agent's address."""
        return self.address.rpartition("@")[2]

    @property
    def sending_address(self):
        """Return the address that logs in."""
        return login_address(self.login_address, self.login)


def answers():
    """Return the ``Answers`` of the site."""
    known = existing_store(KEY)
    return Answers(**{name: value for name, value in known.items() if name in Answers.__dataclass_fields__})


def keep(**changes):
    """Keep answers."""
    site_store(KEY, PersistentMapping).update(asdict(replace(answers(), **changes)))


def keep_now(**changes):
    """Keep answers for good, before a try that commits by itself: it would undo what is not committed yet."""
    committed(lambda: keep(**changes))


def note(name, verdict, *sentences, ask=""):
    """Keep what a try brought: ``verdict`` is that of a ``Step``."""
    outcome = {
        "verdict": verdict,
        "sentences": tuple(map(stored, filter(None, sentences))),
        "ask": stored(ask),
    }
    keep(found={**answers().found, name: outcome})


def forget():
    """Forget all answers; the settings stay."""
    IAnnotations(getSite()).pop(KEY, None)


def stored(text):
    """Return a message as plain values, with those that it maps to."""
    if not isinstance(text, Message):
        return str(text)
    mapping = {name: stored(value) for name, value in (text.mapping or {}).items()}
    return {"msgid": str(text), "domain": text.domain, "mapping": mapping}


def message(kept):
    """Return the message of which ``stored`` made plain values."""
    if isinstance(kept, str):
        return kept
    mapping = {name: message(value) for name, value in kept["mapping"].items()}
    return Message(kept["msgid"], domain=kept["domain"], mapping=mapping)
