"""Deletes the bytes of sent mail after the time in the settings. Who got what, and when, stays for ever."""

from datetime import datetime
from datetime import timedelta
from datetime import UTC
from imio.mailbridge.i18n import _
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.states import WAITING
from imio.mailbridge.settings.read import settings
from imio.mailbridge.store.steps import in_steps
from imio.mailbridge.store.store import key_at


def purge() -> int:
    """Delete the bytes of messages that nothing happened to for long enough; return how many. Commits by itself."""
    days = settings().keep_sent_days
    if not days:
        return 0
    before = datetime.now(UTC) - timedelta(days=days)
    old = list(outbox().with_bytes.keys(key_at(before)))  # the keys of older messages are larger
    return in_steps(old, lambda keys: _delete_bytes(keys, before))


def _delete_bytes(keys: list[int], before: datetime) -> int:
    box, count = outbox(), 0
    for key in keys:
        record = box.get(box.ids[key])
        if key in box.with_bytes and record.history[-1]["at"] < before and not record.in_state(*WAITING):
            box.delete_bytes(record)
            record.note(
                None,
                record.state,
                explanation=_("The message itself was deleted at the end of its retention period."),
            )
            count += 1
    return count
