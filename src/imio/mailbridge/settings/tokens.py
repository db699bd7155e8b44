"""The tokens that mail hosts log in with: random, shown once, kept as a hash outside the registry.

Several are valid at once, so that a new one can be brought to a mail host before the old one is revoked.
"""

from datetime import date
from datetime import datetime
from datetime import UTC
from imio.mailbridge.settings import history
from persistent.mapping import PersistentMapping
from typing import Any
from zope.annotation.interfaces import IAnnotations
from zope.component.hooks import getSite
import hashlib
import hmac
import re
import secrets


KEY = "imio.mailbridge.tokens"
#: How a token begins: JSON Web Tokens, which use the same header, never do.
BEGIN = "mb1_"
_TOKEN = re.compile(BEGIN + r"[A-Za-z0-9_-]{43}", re.ASCII)


def make(label: str) -> str:
    """Return a new token (256 random bits); only its hash is kept."""
    token = BEGIN + secrets.token_urlsafe(32)
    annotations = IAnnotations(getSite())
    if KEY not in annotations:
        annotations[KEY] = PersistentMapping()
    annotations[KEY][secrets.token_hex(8)] = {
        "hash": _hash(token),
        "label": label,
        "created": datetime.now(UTC),
        "used": "",
    }
    history.note_secret(history.MAIL_HOST, label, before=False, after=True)
    return token


def revoke(id: str) -> bool:
    """Let a token open nothing any more; return whether there was one."""
    if (revoked := _tokens().pop(id, None)) is None:
        return False
    history.note_secret(history.MAIL_HOST, revoked["label"], before=True, after=False)
    return True


def identify(token: str) -> str:
    """Return the id of a valid token, or an empty string."""
    if not _TOKEN.fullmatch(token):
        return ""
    wanted = _hash(token)
    matches = [id for id, each in _tokens().items() if hmac.compare_digest(each["hash"], wanted)]
    return matches[0] if matches else ""


def is_used_first(id: str, day: date) -> bool:
    """Tell whether a token has not been used yet on a day."""
    each = _tokens().get(id)
    return each is not None and each["used"] != day.isoformat()


def note_use(id: str, day: date) -> None:
    """Note when a token was used last."""
    if is_used_first(id, day):
        tokens = _tokens()
        tokens[id] = {**tokens[id], "used": day.isoformat()}


def listed() -> list[dict[str, Any]]:
    """Return ``id``, ``label``, ``created`` (aware) and ``used`` (ISO day or empty) of each token, the newest first."""
    rows = [
        {"id": id, **{name: each[name] for name in ("label", "created", "used")}}
        for id, each in _tokens().items()
    ]
    return sorted(rows, key=lambda row: row["created"], reverse=True)


def _tokens() -> Any:
    return IAnnotations(getSite()).get(KEY) or {}


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
