"""Keeps what an agent is writing, until it is sent or deleted: one draft for each user and document.

A draft is the user's own: nobody else reads it, whatever the role. It holds the fields as they stand in the form, so that a
half-typed address survives too. ``revision`` names its present content: who saves says on which revision the change is based, and
is refused when another window saved in between.
"""

from BTrees.OOBTree import OOBTree
from BTrees.OOBTree import OOTreeSet
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from imio.mailbridge.outbox.draft_files import forget_files
from imio.mailbridge.outbox.draft_files import purge_files
from imio.mailbridge.store.commit import committed
from imio.mailbridge.store.store import existing_store
from imio.mailbridge.store.store import now
from imio.mailbridge.store.store import SCHEMA
from imio.mailbridge.store.store import site_store
from persistent import Persistent
import re
import secrets


KEY = "imio.mailbridge.saved_drafts"

#: The fields of the form that are kept.
FIELDS = ("sender", "to", "cc", "bcc", "subject", "body", "attachments", "send_at")
#: Characters of all fields together.
MAX_SIZE = 2_000_000
#: Days after the last change.
KEPT_FOR = timedelta(days=90)
#: Drafts of one user: the oldest go first.
MAX_DRAFTS = 200
#: Drafts deleted in one transaction.
STEP = 100

_REVISION = re.compile(r"[0-9a-f]{16,64}")

#: Field → text, or the texts of a field with several.
Fields = Mapping[str, str | tuple[str, ...]]


class TooLarge(ValueError):
    """The fields have more than ``MAX_SIZE`` characters."""


class ChangedElsewhere(Exception):
    """The draft is not the one that the change is based on; ``draft`` is the present one, None if it was deleted."""

    def __init__(self, draft: "SavedDraft | None") -> None:
        super().__init__(draft)
        self.draft = draft


class SavedDraft(Persistent):
    """What ``userid`` is writing from ``document`` (a uid); ``saved_at`` is aware, ``fields`` maps names to ``Fields`` values."""

    def __init__(self, userid: str, document: str) -> None:
        self.userid = userid
        self.document = document
        self.fields: dict[str, str | tuple[str, ...]] = {}
        self.saved_at = now()
        self.revision = ""

    @property
    def day_key(self) -> tuple[str, str, str]:
        """Return the key in ``SavedDrafts.by_day``."""
        return (self.saved_at.date().isoformat(), self.userid, self.document)


class SavedDrafts(Persistent):
    """All drafts of a site: ``by_user`` maps a userid to a tree of document uid → draft.

    ``by_day`` holds (day of the last change, userid, document), so that old drafts are found without loading any. It changes once
    a day for each draft: people who write at the same time are not in each other's way.
    """

    def __init__(self) -> None:
        self.schema = SCHEMA
        self.by_user = OOBTree()
        self.by_day = OOTreeSet()

    def __len__(self) -> int:
        return len(self.by_day)

    def put(self, draft: SavedDraft, fields: Fields, revision: str) -> None:
        """Write the fields into a draft, a new one included."""
        own = self.by_user.get(draft.userid)
        if own is None:
            own = self.by_user[draft.userid] = OOBTree()
        before = draft.day_key
        draft.fields, draft.saved_at, draft.revision = dict(fields), now(), revision
        if draft.document not in own:
            own[draft.document] = draft
        elif before != draft.day_key:
            self.by_day.remove(before)
        self.by_day.insert(draft.day_key)
        if len(own) > MAX_DRAFTS:
            self.remove(min(own.values(), key=lambda each: each.saved_at))

    def remove(self, draft: SavedDraft) -> None:
        """Forget a draft, and the files beside it."""
        forget_files(draft.userid, draft.document)
        del self.by_user[draft.userid][draft.document]
        self.by_day.remove(draft.day_key)


def saved_drafts() -> SavedDrafts:
    """Return the drafts of the current site, to write."""
    found: SavedDrafts = site_store(KEY, SavedDrafts)
    return found


def draft_of(userid: str, document: str) -> SavedDraft | None:
    """Return the draft of a user and document, or None."""
    return _of(userid).get(document)


def drafts_of(userid: str) -> list[SavedDraft]:
    """Return the drafts of a user, the last changed first; those of documents that are gone included."""
    return sorted(_of(userid).values(), key=lambda draft: draft.saved_at, reverse=True)


def save_draft(
    userid: str, document: str, fields: Fields, based_on: str = "", revision: str = ""
) -> SavedDraft:
    """Save what a user writes from a document; return the draft.

    ``based_on`` is the revision that the form began from or saved last, empty for none; ``revision`` names the new content, and
    is made up unless it is 16 to 64 hexadecimal digits. Errors: ``ChangedElsewhere``; ``TooLarge``.
    """
    kept = {name: _plain(value) for name, value in fields.items() if name in FIELDS}
    if sum(len(str(part)) for value in kept.values() for part in _parts(value)) > MAX_SIZE:
        raise TooLarge(document)
    present = draft_of(userid, document)
    if (present.revision if present is not None else "") != based_on:
        raise ChangedElsewhere(present)
    draft = present if present is not None else SavedDraft(str(userid), str(document))
    made = str(revision) if _REVISION.fullmatch(revision) else secrets.token_hex(16)
    saved_drafts().put(draft, kept, made)
    return draft


def delete_draft(userid: str, document: str, *revisions: str) -> bool:
    """Delete the draft of a user and document, only in one of ``revisions`` if any is given; tell whether it was deleted."""
    draft = draft_of(userid, document)
    if draft is None or (revisions and draft.revision not in revisions):
        return False
    saved_drafts().remove(draft)
    return True


def purge_drafts() -> int:
    """Delete the drafts that nobody changed for ``KEPT_FOR``, and old files; return how many drafts. Commits by itself."""
    store = existing_store(KEY)
    before = (now() - KEPT_FOR).date().isoformat()
    old = list(store.by_day.keys(max=(before, "", ""))) if store else []
    count = sum(committed(partial(_purge, old[at : at + STEP])) for at in range(0, len(old), STEP))
    purge_files((userid, document) for _day, userid, document in (store.by_day.keys() if store else ()))
    return count


def _purge(keys: list[tuple[str, str, str]]) -> int:
    store, count = saved_drafts(), 0
    for key in keys:
        draft = draft_of(*key[1:])
        if draft is not None and draft.day_key == key:
            store.remove(draft)
            count += 1
    return count


def _of(userid: str) -> Mapping[str, SavedDraft]:
    store = existing_store(KEY)
    found: Mapping[str, SavedDraft] = store.by_user.get(userid, {}) if store else {}
    return found


def _plain(value: object) -> str | tuple[str, ...]:
    return _text(value) if isinstance(value, str) else tuple(map(_text, _parts(value)))


def _parts(value: object) -> tuple[object, ...]:
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list | tuple) else ()


def _text(value: object) -> str:
    return str(value).encode(errors="replace").decode()  # half of a surrogate pair could not be shown again
