"""Version 1001: a history is part of its record, and what is still to be written on documents waits with the rest."""

from imio.mailbridge.inbound.inbox import KEY as INBOX
from imio.mailbridge.outbox.record import KEY as OUTBOX
from imio.mailbridge.store.store import former_store
import transaction


def upgrade(setup):
    """Put each history into its record, and what is still to be written on documents into the records; commits nothing.

    The indexes are made anew by the step to 1003.
    """
    for key in (OUTBOX, INBOX):
        if (store := former_store(key, 1)) is None:
            continue
        for number, record in enumerate(store.records.values(), 1):
            record.history = tuple(record.history)
            if number % 1000 == 0:
                transaction.savepoint(optimistic=True)  # lets go of what was changed
        for id in vars(store).pop("unwritten", ()):
            if (record := store.get(id)) is not None:
                record.unwritten = True
        store.schema = 2
