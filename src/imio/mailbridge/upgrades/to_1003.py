"""Version 1003: stores find records by the facets of a listing, and by their words, however many there are."""

from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.store.store import key_at
from imio.mailbridge.store.words import catch_up
from imio.mailbridge.store.store import now
import transaction


#: Records between two savepoints.
STEP = 1000


def upgrade(setup):
    """Make the indexes of each store from its records; commits nothing."""
    for store in (outbox(), inbox()):
        if store.schema > 2:
            continue
        store.begin()
        vars(store).pop("waiting", None)
        for number, record in enumerate(store.records.values(), 1):
            store.index(record)
            if number % STEP == 0:
                transaction.savepoint(optimistic=True)  # lets go of what was changed
        store.schema = 3
        while catch_up(store, key_at(now())):
            transaction.savepoint(optimistic=True)
