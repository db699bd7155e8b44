"""Deletes the bytes of received mail after the time in the settings. What was decided, proven and filed stays, with all its files.

What a town must keep by law is its own decision: without a time nothing is deleted, and what waits for a decision never is.
"""

from datetime import datetime
from datetime import timedelta
from imio.mailbridge.inbound.inbox import FINAL
from imio.mailbridge.inbound.inbox import InboundMessage
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.source import DELETED
from imio.mailbridge.settings.read import settings
from imio.mailbridge.store.steps import in_steps
from imio.mailbridge.store.store import key_at
from imio.mailbridge.store.store import now


def purge() -> int:
    """Delete the bytes of messages that nothing happened to for long enough; return how many. Commits by itself."""
    days = settings().keep_received_days
    if not days:
        return 0
    before, box = now() - timedelta(days=days), inbox()
    final = box.listing.of(cell for state in FINAL for cell in box.listing.cells(state))
    old = box.with_bytes.keys(key_at(before))  # the keys of older messages are larger
    return in_steps(
        [key for key in old if any(key in each for each in final)],
        lambda keys: sum(_delete_bytes(key, before) for key in keys),
    )


def _delete_bytes(key: int, before: datetime) -> bool:
    """Delete the bytes of a message unless it still needs them; tell whether that was done."""
    box = inbox()
    if key not in box.with_bytes:
        return False
    record: InboundMessage = box.records[box.ids[key]]
    if record.state not in FINAL or record.history[-1]["at"] >= before or record.id in box.unverified:
        return False
    box.delete_bytes(record)
    record.note(record.state, text=DELETED)
    return True
