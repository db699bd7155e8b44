"""Writes down each change of the settings: who, when, from what to what. Of a secret it keeps only that it was changed.

Whatever one person changes in one transaction is one entry. Entries are plain values in an annotation of the site, each an object
of its own, by a key that begins with its time: what two administrators write at once are two keys of a tree, which merge.
"""

from AccessControl import getSecurityManager
from BTrees.OOBTree import OOBTree
from collections.abc import Mapping
from datetime import datetime
from datetime import UTC
from persistent.mapping import PersistentMapping
from typing import Any
from zope.annotation.interfaces import IAnnotations
from zope.component.hooks import getSite
import re
import secrets
import transaction


#: Annotation of the site: id → entry.
KEY = "imio.mailbridge.history"

#: How many entries are kept, the newest.
KEPT = 1000
#: Characters (of ``repr``) of a value above which only the change is kept.
LONGEST = 50_000

#: The kind of a secret that is the token of a mail host; the others are those of ``settings.secrets``.
MAIL_HOST = "mail_host"

#: What a change kept of a value: all of it, all but the passwords in its URLs, or nothing.
WHOLE, MASKED, TOO_LONG = "whole", "masked", "too long"
#: From what loses least to what loses most.
_LOSS = (WHOLE, MASKED, TOO_LONG)

#: What stands before the host of a URL: a user, a password, or a token.
_USERINFO = re.compile(r"(?<=://)[^\s/?#\"'<>]+(?=@)")

#: What the transaction notes under: (path of the site, userid) → id of the entry.
_OPEN = object()


def store() -> Any:
    """Return the entries of the site, made on first use."""
    annotations = IAnnotations(getSite())
    if KEY not in annotations:
        annotations[KEY] = OOBTree()
    return annotations[KEY]


def ids() -> list[str]:
    """Return the ids of the entries, the newest first; writes nothing."""
    return list(_existing())[::-1]


def entry(id: str) -> Mapping[str, Any] | None:
    """Return an entry, or None.

    ``at`` is an aware datetime, ``by`` a userid, empty where nobody was logged in; ``undo_of`` is the id of the entry that this
    one takes back, or empty. ``changes`` maps a setting to ``old``, ``new`` and what was ``kept`` of them (``WHOLE``, …);
    ``secrets`` maps kind and owner of a secret to whether there was one before and is one after.
    """
    found: Mapping[str, Any] | None = _existing().get(id)
    return found


def note_change(proxy: Any, event: Any) -> None:
    """Write down that a record was changed (subscriber of the registry records)."""
    old, new = plain(event.oldValue), plain(event.newValue)
    if old == new and type(old) is type(new):
        return
    name = str(event.record.fieldName)
    kept = _open_entry()
    earlier = kept["changes"].get(name)
    change = _change(old, new)
    if earlier:
        change |= {"old": earlier["old"], "kept": max(earlier["kept"], change["kept"], key=_LOSS.index)}
    changes = {key: value for key, value in kept["changes"].items() if key != name}
    if change["kept"] != WHOLE or change["old"] != change["new"]:
        changes[name] = change
    kept["changes"] = changes
    _drop_empty()


def note_secret(kind: str, owner: str, before: bool, after: bool) -> None:
    """Write down that a secret of an account, or the token of a mail host, was entered, changed or removed."""
    kept = _open_entry()
    before = kept["secrets"].get((kind, owner), (before, after))[0]
    others = {key: value for key, value in kept["secrets"].items() if key != (kind, owner)}
    kept["secrets"] = others | ({(kind, owner): (before, after)} if before or after else {})
    _drop_empty()


def mark_as_undo(id: str) -> None:
    """Say that what the present transaction changed takes back the entry ``id``."""
    if (kept := _existing().get(_noted())) is not None:
        kept["undo_of"] = id


def plain(value: Any) -> Any:
    """Return a copy of a value of the registry in lists, dicts, strings, numbers, booleans and None."""
    if value is None or type(value) in (bool, int, float):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, set | frozenset):
        return sorted(plain(each) for each in value)
    return str(value)


def without_passwords(value: Any) -> Any:
    """Return a plain value whose URLs name no user and no password: ``https://…@host``."""
    if isinstance(value, str):
        return _USERINFO.sub("…", value)
    if isinstance(value, dict):
        return {key: without_passwords(each) for key, each in value.items()}
    if isinstance(value, list):
        return [without_passwords(each) for each in value]
    return value


def _change(old: Any, new: Any) -> dict[str, Any]:
    if max(len(repr(old)), len(repr(new))) > LONGEST:
        return {"old": None, "new": None, "kept": TOO_LONG}
    masked = {"old": without_passwords(old), "new": without_passwords(new)}
    return {**masked, "kept": WHOLE if masked == {"old": old, "new": new} else MASKED}


def _open_entry() -> Any:
    """Return the entry of the present transaction, site and person, made on first use; forget the oldest ones."""
    entries = store()
    found = entries.get(_noted())
    if found is None:
        at = datetime.now(UTC)
        id = f"{at:%Y%m%d%H%M%S%f}{secrets.token_hex(4)}"
        found = PersistentMapping({"at": at, "by": _whose()[1], "undo_of": "", "changes": {}, "secrets": {}})
        entries[id] = found
        _notes()[_whose()] = id
        while len(entries) > KEPT:
            del entries[entries.minKey()]
    return found


def _drop_empty() -> None:
    """Forget the entry of the present transaction where all is as it was before it."""
    found = _existing().get(_noted())
    if found is not None and not found["changes"] and not found["secrets"]:
        del store()[_noted()]


def _noted() -> str:
    """Return the id of the entry of the present transaction, or an empty string; a savepoint may have taken the entry away."""
    return _notes().get(_whose(), "")


def _notes() -> dict[tuple[str, str], str]:
    present = transaction.get()
    try:
        notes: dict[tuple[str, str], str] = present.data(_OPEN)
    except KeyError:
        notes = {}
        present.set_data(_OPEN, notes)
    return notes


def _whose() -> tuple[str, str]:
    """Return the path of the site and the userid of the person, empty where nobody is logged in."""
    site: Any = getSite()
    return "/".join(site.getPhysicalPath()), getSecurityManager().getUser().getId() or ""


def _existing() -> Any:
    return IAnnotations(getSite()).get(KEY) or {}
