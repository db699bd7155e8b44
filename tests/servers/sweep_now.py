"""Run by ``zconsole run``: has a worker sweep now. With the argument ``end`` it ends the leases of the Outbox before, as half an
hour would.
"""

from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.store.store import now
from imio.mailbridge.taskqueue import add
from zope.component.hooks import setSite
import sys
import transaction


if "app" in globals():  # given by zconsole
    setSite(globals()["app"]["iadocs"])
    if "end" in sys.argv:
        for record in list(outbox().waiting_in("sending")):
            record.lease_until = now()
    add("/@@mailbridge-sweep-sites", "POST")
    transaction.commit()
