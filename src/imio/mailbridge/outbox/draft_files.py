"""Keeps the files that a user attaches to an e-mail from their own computer, beside the draft: in blobs, never in its record.

They are the user's own, as the draft is. They go with the draft; what was sent along is no longer offered, and its bytes stay for
``SENT_FOR``, so that a message that is taken back or did not arrive can be edited and sent again. The attachments of a draft or a
message name them by ``uid``, as they name files of the document.
"""

from BTrees.OOBTree import OOBTree
from BTrees.OOBTree import OOTreeSet
from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from imio.mailbridge.message.syntax.filename import safe_filename
from imio.mailbridge.message.syntax.filename import type_by_name
from imio.mailbridge.ports.sending import FileReference
from imio.mailbridge.store.commit import committed
from imio.mailbridge.store.store import existing_store
from imio.mailbridge.store.store import now
from imio.mailbridge.store.store import SCHEMA
from imio.mailbridge.store.store import site_store
from persistent import Persistent
from shutil import copyfileobj
from time import time_ns
from typing import BinaryIO
from ZODB.blob import Blob
import secrets


KEY = "imio.mailbridge.draft_files"
#: How a uid begins: those of content are hexadecimal.
PREFIX = "file-"
#: Files of one e-mail, and their bytes together.
MAX_FILES, MAX_SIZE = 50, 200 * 1024**2
#: Days that a file without draft is kept, and one that was sent along.
KEPT_FOR, SENT_FOR = timedelta(days=90), timedelta(days=14)
#: Files deleted in one transaction.
STEP = 100


class TooMuch(ValueError):
    """The e-mail has ``MAX_FILES`` files already, or more than ``MAX_SIZE`` bytes with this one."""


class DraftFile(Persistent):
    """One file of ``size`` bytes; ``message`` is the id of the e-mail it was sent with, ``since`` (aware) when it came or left.

    ``order`` are nanoseconds since the epoch: files are listed as they came.
    """

    def __init__(self, userid: str, document: str, filename: str, stream: BinaryIO) -> None:
        self.uid = f"{PREFIX}{secrets.token_hex(16)}"
        self.userid, self.document = str(userid), str(document)
        self.message, self.since, self.order = "", now(), time_ns()
        beginning = stream.read(4096)
        stream.seek(0)
        self.filename = safe_filename(str(filename), "", beginning)
        self.blob = Blob()
        with self.blob.open("w") as target:
            copyfileobj(stream, target)
            self.size = target.tell()

    @property
    def day_key(self) -> tuple[str, str, str]:
        """Return the key in ``DraftFiles.by_day``."""
        return (self.since.date().isoformat(), self.userid, self.uid)

    @property
    def reference(self) -> FileReference:
        """Return what a form and a message need to know."""
        return FileReference(self.uid, self.filename, type_by_name(self.filename), self.size)


class DraftFiles(Persistent):
    """All such files of a site: ``by_user`` maps a userid to a tree of uid → file; ``by_day`` finds old ones, loading none."""

    def __init__(self) -> None:
        self.schema = SCHEMA
        self.by_user = OOBTree()
        self.by_day = OOTreeSet()

    def __len__(self) -> int:
        return len(self.by_day)

    def add(self, file: DraftFile) -> None:
        """Keep a new file."""
        own = self.by_user.get(file.userid)
        if own is None:
            own = self.by_user[file.userid] = OOBTree()
        own[file.uid] = file
        self.by_day.insert(file.day_key)

    def remove(self, file: DraftFile) -> None:
        """Forget a file."""
        del self.by_user[file.userid][file.uid]
        self.by_day.remove(file.day_key)

    def sent(self, file: DraftFile, message: str) -> None:
        """Note the message that a file was sent with."""
        self.by_day.remove(file.day_key)
        file.message, file.since = str(message), now()
        self.by_day.insert(file.day_key)


def files_of(userid: str, document: str, also: Iterable[object] = ()) -> list[DraftFile]:
    """Return the files of a user's e-mail from a document, the first attached first; of those sent only the ones named ``also``."""
    named = {uid for uid in also if isinstance(uid, str)}
    found = [
        file
        for file in _of(userid).values()
        if file.document == document and (not file.message or file.uid in named)
    ]
    return sorted(found, key=lambda file: file.order)


def file_of(userid: str, document: str, uid: object) -> DraftFile | None:
    """Return one file of a user's e-mail from a document, or None."""
    found = _of(userid).get(uid) if isinstance(uid, str) else None
    return found if found is not None and found.document == document else None


def add_file(userid: str, document: str, filename: str, stream: BinaryIO) -> DraftFile:
    """Keep a file from its beginning; return it. Errors: ``TooMuch``."""
    stream.seek(0)
    file = DraftFile(userid, document, filename, stream)
    present = files_of(userid, document)
    if len(present) >= MAX_FILES or sum(each.size for each in present) + file.size > MAX_SIZE:
        raise TooMuch(file.filename)
    site_store(KEY, DraftFiles).add(file)
    return file


def forget_files(userid: str, document: str) -> int:
    """Forget the files of a user's e-mail that were not sent; return how many."""
    found = files_of(userid, document)
    for file in found:
        site_store(KEY, DraftFiles).remove(file)
    return len(found)


def note_sent(userid: str, document: str, uids: Iterable[object], message: str) -> None:
    """Note that these files, as far as they are the user's own, were sent with a message."""
    for uid in uids:
        if (file := file_of(userid, document, uid)) is not None:
            site_store(KEY, DraftFiles).sent(file, message)


def purge_files(has_draft: Iterable[tuple[str, str]]) -> int:
    """Forget what was sent long enough ago, and old files that belong to none of these (userid, document); commits by itself."""
    store, drafts = existing_store(KEY), frozenset(has_draft)
    before = (now() - SENT_FOR).date().isoformat()
    old = list(store.by_day.keys(max=(before, "", ""))) if store else []
    return sum(committed(partial(_purge, old[at : at + STEP], drafts)) for at in range(0, len(old), STEP))


def _purge(keys: list[tuple[str, str, str]], drafts: frozenset[tuple[str, str]]) -> int:
    store, count = site_store(KEY, DraftFiles), 0
    for key in keys:
        file = _of(key[1]).get(key[2])
        if file is None or file.day_key != key:
            continue
        is_old = now() - file.since > KEPT_FOR and (file.userid, file.document) not in drafts
        if file.message or is_old:
            store.remove(file)
            count += 1
    return count


def _of(userid: str) -> "OOBTree | dict[str, DraftFile]":
    store = existing_store(KEY)
    return store.by_user.get(userid, {}) if store else {}
