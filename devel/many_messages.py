"""Run by ``zconsole run`` for ``bench_pages``: fill the Inbox and the Outbox, cheaply. Argument: how many of each.

Of the incoming messages every fifth waits for a decision, and every tenth was forwarded by the agent. Of the outgoing ones half are
the agent's, and ``MAILS`` were written from one document of the demo. On the way a plain page of Plone is made to compare with.
"""

from devel.bench_incoming import with_attachments
from imio.mailbridge.inbound.envelope import Envelope
from imio.mailbridge.inbound.inbox import InboundMessage
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.inbox import receive_bytes
from imio.mailbridge.inbound.inbox import record_id
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.composition.sender_policy import Sender
from imio.mailbridge.outbox.draft import Draft
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.record import OutgoingMessage
from io import BytesIO
from plone import api
from plone.uuid.interfaces import IUUID
from Testing.makerequest import makerequest
from tests.mails import citizen
from zope.component.hooks import setSite
from zope.globalrequest import setRequest
import datetime
import sys
import transaction


MAILS = 20
DOCUMENT = "outgoing-mail/permis-durbanisme"
AGENT = Address("Al Bert", "al.bert@maville.test")
STEP = 500
MINUTES = 7


def _minutes_ago(number):
    return datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=MINUTES * number)


def _incoming(box, number):
    """Add a message that waits, or one that was filed."""
    raw = citizen(f"Demande {number}").as_bytes() if number % 50 else with_attachments(number)[:20_000]
    blob, sha256, size = receive_bytes(BytesIO(raw), len(raw))
    envelope = Envelope("in@bridge.test", f"citizen{number % 500}@citizen.test", "192.0.2.1")
    record = InboundMessage(record_id(sha256, envelope), blob, sha256, size, envelope)
    record.created = _minutes_ago(number)
    record.author, record.subject = f"Jeanne Dupont <jeanne{number % 500}@citizen.test>", f"Demande {number}"
    record.transfer, record.source_mailbox = "redirect", "info@maville.test"
    if number % 10 == 0:
        record.transfer, record.transferred_by = "forward", AGENT.addr_spec
    if number % 5 == 0:
        record.state, record.reason = "quarantined", ("unproven-redirect", "direct")[number % 2]
    else:
        record.state = "filed"
    record.note(record.state)
    box.add(record)
    box.index_transferrer(record)


def _outgoing(box, number, document):
    """Add a message that was sent, one of each hundred to nobody."""
    address = f"citizen{number % 500}@citizen.test"
    record = OutgoingMessage(
        Draft(
            id=f"{number:032x}",
            userid="agent" if number % 2 == 0 else "agent2",
            document=document,
            account="default",
            message_id=f"<bench.{number}@maville.test>",
            sender=Sender("login", AGENT, None, "administration@maville.test"),
            fallback=None,
            to=(Address("", address),),
            cc=(),
            bcc=(),
            subject=f"Réponse {number}",
            body=citizen(f"Réponse {number}").as_bytes(),
            size=2_000,
            written={"to": [address], "subject": f"Réponse {number}", "body": "<p>Bonjour</p>"},
            send_at=datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1),  # queues no task
        )
    )
    record.created = _minutes_ago(number)
    state = "failed" if number % 100 == 0 else "replied" if number % 10 == 2 else "sent"
    for each in ("queued", "sending", state):
        record.note(address, each, 250, "2.0.0 Ok")
    box.add(record)
    box.update(record, {address: state})


def main(app, count):
    """Make the messages, the newest of today."""
    app = makerequest(app)
    site = app["iadocs"]
    setSite(site)
    setRequest(app.REQUEST)
    with api.env.adopt_roles(["Manager"]):
        page = api.content.create(site, "Document", "bench-page", title="Une page")
        api.content.transition(page, "publish")
    uid = IUUID(site.unrestrictedTraverse(DOCUMENT))
    for number in range(count):
        _incoming(inbox(), number)
        _outgoing(outbox(), number, uid if number < 2 * MAILS and number % 2 == 0 else f"none-{number}")
        if number % STEP == STEP - 1:
            transaction.commit()
            app._p_jar.cacheMinimize()
    transaction.commit()


if "app" in globals():  # given by zconsole
    main(globals()["app"], int(sys.argv[sys.argv.index("--") + 1]))
