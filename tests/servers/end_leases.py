"""Run by ``zconsole run``: ends the leases of the Outbox, as half an hour would."""

from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.store.store import now
from zope.component.hooks import setSite
import transaction


if "app" in globals():  # given by zconsole
    setSite(globals()["app"]["iadocs"])
    for record in list(outbox().waiting_in("sending")):
        record.lease_until = now()
    transaction.commit()
