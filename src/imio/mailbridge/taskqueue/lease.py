"""Lets one process at a time do something, with a lock that expires; it is kept in the storage of a queue.

::

    lease 7 (until 12:05) ── released, or 12:05 ──▶ lease 8 (until …)      pointer ──▶ 7 or 8
                   ✝ holder killed: free at 12:05

Each lease has a number, and who writes number n + 1 first has it: storages offer no comparison with what is there, but they write
a key once. The pointer says where to begin to look. The clocks of the machines decide when a lease has expired: they are to agree
within seconds. A holder that lives longer than its lease is not stopped: what it does must bear a second one beside it.
"""

from contextlib import contextmanager
from huey.constants import EmptyData
import time


KEY = "lease:"


@contextmanager
def held(storage, name, seconds):
    """Hold the lease ``name`` for the block, for ``seconds`` at most; yield whether it could be had."""
    lease = acquire(storage, name, seconds)
    try:
        yield lease is not None
    finally:
        if lease is not None:
            release(storage, lease)


def acquire(storage, name, seconds):
    """Take the lease ``name`` for ``seconds``; return what ``release`` needs, or None while somebody has it."""
    number, until = _current(storage, name)
    if until > time.time():
        return None
    mine = _key(name, number + 1)
    if not storage.put_if_empty(mine, str(time.time() + seconds).encode()):
        return None
    storage.put_data(KEY + name, str(number + 1).encode())
    storage.delete_data(_key(name, number - 1))  # the one before stays for who read the old pointer
    return mine


def release(storage, lease):
    """End a lease before its time; no other is touched."""
    if storage.has_data_for_key(lease):
        storage.put_data(lease, b"0")


def clear(storage, name):
    """End the lease ``name``, whoever has it."""
    release(storage, _key(name, _current(storage, name)[0]))


def _current(storage, name):
    """Return the number of the newest lease, and until when it holds, in seconds since the epoch."""
    number = int(_read(storage, KEY + name))
    while storage.has_data_for_key(_key(name, number + 1)):
        number += 1
    return number, _read(storage, _key(name, number))


def _key(name, number):
    return f"{KEY}{name}:{number}"


def _read(storage, key):
    value = storage.peek_data(key)
    return 0.0 if value is EmptyData else float(bytes(value))
