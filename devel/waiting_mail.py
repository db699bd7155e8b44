"""Run by ``zconsole run`` for ``bench_throughput``: makes mail that waits for a worker.

Arguments: ``out`` or ``in``, how many; for ``out`` the port of the server and the file of its authority.
With ``profile`` at the end the mail is also sent, or filed, in this process; then the last line is JSON, group → seconds.
"""

from devel.bench_outbox import set_up
from devel.bench_outbox import submit_all
from devel.profile_groups import groups
from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.inbound.envelope import Envelope
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.process import process
from imio.mailbridge.inbound.receive import keep
from imio.mailbridge.interfaces import IMailbridgeLayer
from imio.mailbridge.settings.read import settings
from io import BytesIO
from Testing.makerequest import makerequest
from tests.mails import redirected
from zope.component.hooks import setSite
from zope.globalrequest import setRequest
from zope.interface import alsoProvides
import cProfile
import json
import sys
import transaction
import uuid


#: Messages before those whose work is profiled.
FIRST = 10


def outgoing(app, count, port, ca_file):
    """Submit messages; return what a worker does with them."""
    submit_all(set_up(app, int(port), ca_file, count), count)
    return deliver


def incoming(app, count):
    """Accept redirected messages with an attachment; return what a worker does with them."""
    app = makerequest(app)
    alsoProvides(app.REQUEST, IMailbridgeLayer)
    setRequest(app.REQUEST)
    setSite(app["iadocs"])
    ids = []
    for _number in range(count):
        author = f"{uuid.uuid4().hex}@citizen.test"  # of many by one author some are not filed
        raw = BytesIO(redirected(f"Demande {uuid.uuid4()}", From=author))
        envelope = Envelope("in@bridge.test", author, "127.0.0.1")
        ids.append(keep(raw, envelope, settings(), asynchronous=True)[1].id)
        transaction.commit()

    def file_all():
        for id in ids:
            process(inbox().get(id))
            transaction.commit()

    return file_all


def main(app, direction, count, *arguments):
    """Make the mail."""
    rest = [each for each in arguments if each != "profile"]
    make = {"out": outgoing, "in": incoming}[direction]
    if "profile" in arguments:
        make(app, FIRST, *rest)()  # fills caches, and imports what is imported when it is used
    work = make(app, int(count), *rest)
    if "profile" in arguments:
        profiler = cProfile.Profile()
        profiler.runcall(work)
        print(json.dumps(groups(profiler)))


if "app" in globals():  # given by zconsole
    main(globals()["app"], *sys.argv[sys.argv.index("--") + 1 :])
