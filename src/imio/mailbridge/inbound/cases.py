"""Test cases of the dry run: a message, its envelope, and its result when the case was kept.

They are run after a change of the settings: a result that differs is an effect of the change.
"""

from BTrees.OOBTree import OOBTree
from dataclasses import asdict
from imio.mailbridge.inbound.dry_run import dry_run
from imio.mailbridge.inbound.envelope import Envelope
from imio.mailbridge.store.commit import committed
from imio.mailbridge.store.store import now
from persistent import Persistent
from ZODB.blob import Blob
from zope.annotation.interfaces import IAnnotations
from zope.component.hooks import getSite
import hashlib


KEY = "imio.mailbridge.cases"
MAX_CASES = 200


class TooMany(Exception):
    """There are ``MAX_CASES`` already."""


class Case(Persistent):
    """``raw`` is a blob, ``envelope`` and ``result`` are plain values, ``created`` is aware."""

    def __init__(self, name, raw, envelope, result):
        self.name, self.envelope, self.result, self.created = name, envelope, result, now()
        self.raw = Blob(raw)

    def today(self):
        """Return the result under the present settings."""
        with self.raw.open("r") as stream:
            return dry_run(stream.read(), Envelope(**self.envelope)).result()


def cases():
    """Return (id, case) of all, the oldest first."""
    found = IAnnotations(getSite()).get(KEY) or {}
    return sorted(found.items(), key=lambda item: item[1].created)


def keep(name, raw, envelope):
    """Keep a message with its present result, in place of the same message in the same envelope. Errors: ``TooMany``.

    Commits by itself: the result may come from DNS, which is not asked another time because of a conflict.
    """
    result = dry_run(raw, envelope).result()
    id = hashlib.sha256(raw + repr(envelope).encode()).hexdigest()

    def write():
        annotations = IAnnotations(getSite())
        if KEY not in annotations:
            annotations[KEY] = OOBTree()
        kept = annotations[KEY]
        if len(kept) >= MAX_CASES and id not in kept:
            raise TooMany(MAX_CASES)
        kept[id] = Case(name or id[:12], raw, asdict(envelope), result)

    committed(write)


def forget(id):
    """Drop a case; tell whether there was one."""
    return (IAnnotations(getSite()).get(KEY) or {}).pop(id, None) is not None


def differences(before, today):
    """Yield (key, before, today) where two results differ; messages are compared where there are as many as before."""
    messages, others = before["messages"], today["messages"]
    for key in ("state", "transfer", "reason"):
        if before[key] != today[key]:
            yield key, before[key], today[key]
    if len(messages) != len(others):
        yield "count", len(messages), len(others)
        return
    for one, other in zip(messages, others, strict=True):
        for key in one:
            if one[key] != other[key]:
                yield key, one[key], other[key]
