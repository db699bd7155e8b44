"""Version 1003: stores find records by the facets of a listing, and by their words, however many there are; a setting for how long
received mail is kept."""

from imio.mailbridge.inbound.inbox import KEY as INBOX
from imio.mailbridge.outbox.record import KEY as OUTBOX
from imio.mailbridge.store.store import former_store
from imio.mailbridge.store.store import key_at
from imio.mailbridge.store.store import now
from imio.mailbridge.store.words import catch_up
from imio.mailbridge.upgrades.registry import update_settings
import transaction


#: Records between two savepoints.
STEP = 1000


def upgrade(setup):
    """Add the setting, and make the indexes of each store from its records; commits nothing."""
    update_settings()
    for key in (OUTBOX, INBOX):
        if (store := former_store(key, 2)) is None:
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
