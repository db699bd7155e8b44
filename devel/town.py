"""Makes the mail of a town by the public methods of the stores. Run by ``zconsole run``; argument: how many messages each way.

Number 0 is the newest message, and each is ``MINUTES`` older than the one before: 100,000 each way are three years. The newest
``FRESH`` are as in a town that has just begun to look at them, so that pages are as full with 100 messages as with 100,000.
"""

from datetime import datetime
from datetime import timedelta
from datetime import UTC
from functools import cache
from imio.mailbridge.iadocs import names
from imio.mailbridge.inbound import duplicates
from imio.mailbridge.inbound.envelope import Envelope
from imio.mailbridge.inbound.inbox import InboundMessage
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.inbox import receive_bytes
from imio.mailbridge.inbound.inbox import record_id
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.composition.sender_policy import Sender
from imio.mailbridge.message.parsing.sameness import Content
from imio.mailbridge.outbox.draft import Draft
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.record import OutgoingMessage
from imio.mailbridge.settings.imap import IImapMailboxRow
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.store.reading import read_words
from io import BytesIO
from plone import api
from plone.uuid.interfaces import IUUID
from Testing.makerequest import makerequest
from tests.mails import redirected
from tests.site.rows import row
from zope.component.hooks import getSite
from zope.component.hooks import setSite
from zope.globalrequest import setRequest
from zope.schema import getFields
import hashlib
import random
import sys
import transaction


MINUTES, FRESH, STEP = 16, 100, 1000
#: Messages that keep bytes of their own; the bytes of older ones are one blob, and those that were sent have none any more.
WITH_BYTES = 300
#: How many of the newest filed messages have a document.
FILED = 20
#: The newest even numbers below this were written from one document of the demo.
FROM_DOCUMENT = 40
DOCUMENT = "outgoing-mail/permis-durbanisme"

#: Of a thousand, of the newest hundred: state, reason, transfer.
INCOMING = (
    (560, 20, "filed", "", "redirect"),
    (230, 26, "filed", "", "forward"),
    (100, 4, "filed", "", "reply"),
    (30, 2, "filed", "", "direct"),
    (15, 2, "recorded", "", "bounce"),
    (20, 3, "recorded", "", "auto-reply"),
    (5, 1, "recorded", "", "receipt"),
    (8, 25, "quarantined", "unproven-redirect", "redirect"),
    (5, 3, "quarantined", "direct", "direct"),
    (3, 2, "quarantined", "inline-forward", "inline-forward"),
    (2, 2, "quarantined", "unproven-agent", "forward"),
    (1, 1, "quarantined", "undeclared-mailbox", "redirect"),
    (1, 1, "quarantined", "unmatched-report", "bounce"),
    (8, 2, "discarded", "unproven-redirect", "redirect"),
    (7, 2, "discarded", "unmatched-report", "bounce"),
    (5, 4, "failed", "filing-error", "redirect"),
)
#: Of a thousand, of the newest hundred: state.
OUTGOING = (
    (900, 60, "sent"),
    (60, 20, "replied"),
    (15, 5, "bounced"),
    (15, 5, "failed"),
    (2, 3, "deferred"),
    (2, 2, "held"),
    (2, 3, "scheduled"),
    (4, 2, "cancelled"),
)
ORIGINS = ("agent",) * 17 + ("site", "notice", "copy")
ACCOUNTS = ("default", "default", "cpas", "ecoles")
HELD = "cpas"
OLD = b"Subject: x\r\n\r\nBonjour\r\n"
MAILBOXES = ("info", "population", "travaux", "cpas", "ecoles")
MAIL_IN = ("in@bridge.test", "cpas@bridge.test", "ecoles@bridge.test")
LOGIN = "administration@maville.test"
SECRET = "in+abcdefghjkmnpqrstu234@bridge.test"
AGENTS = ("agent", "agent2", "agent3", "chef", *(f"agent{number}" for number in range(5, 61)))
AGENT = Address("Al Bert", "al.bert@maville.test")
FIRST = (
    "Jeanne",
    "Zoé",
    "Yvan",
    "Rachida",
    "Jan",
    "Amélie",
    "Mehmet",
    "Françoise",
    "Luc",
    "Ingrid",
    "Noël",
    "Aïcha",
)
LAST = (
    "Dupont",
    "Zénon",
    "Yernaux",
    "Amrani",
    "Peeters",
    "Lefèbvre",
    "Yılmaz",
    "Delvaux",
    "Maes",
    "Schmitz",
    "Onkelinx",
)
#: More than half of the subjects are a request: what is searched for.
SUBJECTS = (
    "Demande de permis d'urbanisme",
    "Demande d'acte de naissance",
    "Demande d'occupation de la voirie",
    "Demande de composition de ménage",
    "Demande de prime communale",
    "Réclamation sur la taxe des déchets",
    "Nid-de-poule devant chez moi",
    "Facture",
    "Inscription à l'école",
)
STREETS = (
    "rue de la Gare",
    "place Communale",
    "chemin des Dames",
    "avenue Albert Ier",
    "Grand-Rue",
    "quai de Meuse",
)


@cache
def _deck(rows):
    """Return the rows of the newest messages and those of a thousand others, each as often as it says, in an order of chance."""
    decks = [[row[2:] for row in rows for _each in range(row[column])] for column in (1, 0)]
    for deck in decks:
        random.Random(1).shuffle(deck)
    return decks


def _drawn(rows, number):
    fresh, others = _deck(rows)
    return fresh[number] if number < FRESH else others[number % len(others)]


def _created(number):
    return datetime.now(UTC) - timedelta(minutes=MINUTES * number)


def _citizen(chance):
    name = f"{chance.choice(FIRST)} {chance.choice(LAST)}"
    return Address(name, f"{name.split()[0].lower()}.{chance.randrange(3000)}@citizen.test")


def _subject(chance, number):
    return f"{chance.choice(SUBJECTS)}, {chance.choice(STREETS)} {chance.randrange(1, 200)} ({number})"


def _dated(record):
    """Let everything have happened to a record when it was made."""
    record.history = tuple({**line, "at": record.created.replace(microsecond=0)} for line in record.history)


def _incoming(box, number, old, documents):
    """Add what came in; ``old`` are the bytes of messages that have none of their own, ``documents`` uids for what was filed."""
    chance = random.Random(number)
    state, reason, transfer = _drawn(INCOMING, number)
    author, subject = _citizen(chance), _subject(chance, number)
    recipient = {1: SECRET, 2: LOGIN}.get(
        number % 50, MAIL_IN[0] if number < FRESH else chance.choice(MAIL_IN)
    )
    envelope = Envelope(
        recipient, "" if transfer == "bounce" else author.addr_spec, "192.0.2.1", transfer == "bounce"
    )
    if number < WITH_BYTES:
        raw = redirected(subject, From=str(author))
        blob, sha256, size = receive_bytes(BytesIO(raw), len(raw))
    else:
        blob, sha256, size = old, hashlib.sha256(b"%d" % number).hexdigest(), 2000
    record = InboundMessage(record_id(sha256, envelope), blob, sha256, size, envelope)
    record.created = _created(number)
    record.transfer, record.reason, record.author, record.subject = transfer, reason, str(author), subject
    record.evidence = (("resent-from", "info@maville.test", "strong"),)
    if transfer in ("redirect", "reply"):
        record.source_mailbox = f"{chance.choice(MAILBOXES)}@maville.test"
    if state in ("filed", "recorded"):
        record.proof = "gateway"
    if transfer in ("forward", "inline-forward"):
        record.transferred_by = AGENT.addr_spec if number < FRESH else f"{chance.choice(AGENTS)}@maville.test"
    if state == "failed":
        record.error = "KeyError: 'contacts'"
    if state == "filed":
        record.items = (documents.pop() if documents else f"{number:032x}",)
    if reason == "" and transfer in ("reply", "bounce", "auto-reply", "receipt"):
        record.about = f"{number:032x}"
    box.add(record)
    if state == "discarded":
        record.note("quarantined")
    record.note(state, by="chef" if state == "discarded" else "")
    _dated(record)
    box.index_transferrer(record)
    for uid in record.items:
        box.index_transfer(uid, record)
        box.filed[uid] = sha256
        duplicates.remember(
            (f"<{number}@citizen.test> {author.addr_spec}", Content(sha256, (sha256,), True)), uid
        )
    box.set_state(record, state)


def _outgoing(box, number, document):
    """Add what was written, or what the bridge wrote itself; ``document`` is the uid of what the newest were written from."""
    chance, (state,) = random.Random(number), _drawn(OUTGOING, number)
    is_of_agent = number % 2 == 0
    is_fresh = number < FRESH
    origin = "agent" if is_fresh and is_of_agent else chance.choice(ORIGINS)
    citizen, subject = _citizen(chance), f"RE: {_subject(chance, number)}"
    address = citizen.addr_spec
    record = OutgoingMessage(
        Draft(
            id=f"{number:032x}",
            userid="agent" if is_fresh and is_of_agent else chance.choice(AGENTS),
            document=document
            if number < FROM_DOCUMENT and is_of_agent
            else f"none-{number}"
            if origin == "agent"
            else "",
            account=HELD if state == "held" else chance.choice(ACCOUNTS),
            message_id=f"<town.{number}.{chance.getrandbits(80):x}@maville.test>",
            sender=Sender("login", AGENT, None, LOGIN),
            fallback=None,
            to=(citizen,),
            cc=(),
            bcc=(),
            subject=subject,
            body=redirected(subject) if number < WITH_BYTES else OLD,
            size=2_000,
            origin=origin,
            site_url="https://maville.test/iadocs",
            written={"to": [address], "subject": subject, "body": "<p>Bonjour</p>"}
            if origin == "agent"
            else None,
            send_at=datetime.now(UTC) + timedelta(days=1),  # queues no task
        )
    )
    record.created = _created(number)
    steps = {"sent": (), "scheduled": None, "cancelled": (), "failed": (), "deferred": (), "held": ()}.get(
        state, ("sent",)
    )
    for each in () if steps is None else ("queued", "sending", *steps, state):
        code = {"sent": 250, "failed": 550, "deferred": 451, "bounced": 550}.get(each)
        record.note(address, each, code, "2.0.0 Ok: queued as 4F1" if code == 250 else "")
    _dated(record)
    box.add(record)
    box.update(record, {address: state})
    if number >= WITH_BYTES and record.body is not None and state not in ("deferred", "held", "scheduled"):
        box.delete_bytes(record)


def declare():
    """Set accounts, mailboxes and mail-in addresses; one of the accounts is stopped for a day. Nothing waits to be undone."""
    values = stored_settings()
    values.undo_seconds = 0
    values.smtp_accounts = [
        row(name, (f"{name}.test",), host="127.0.0.1", port=9) for name in ("cpas", "ecoles")
    ]
    values.mailboxes = [{"address": f"{each}@maville.test", "service": None} for each in MAILBOXES]
    secret = {"address": SECRET, "service": None, "mailbox": "info@maville.test"}
    values.mailin_addresses = [
        *({"address": each, "service": None, "mailbox": None} for each in MAIL_IN),
        secret,
    ]
    plain = {name: field.default for name, field in getFields(IImapMailboxRow).items()}
    mailbox = {
        "name": "admin",
        "role": "login",
        "address": LOGIN,
        "host": "127.0.0.1",
        "port": 9,
        "login": LOGIN,
    }
    values.imap_mailboxes = [plain | mailbox]
    box = outbox()
    box.hold(HELD, 535, "5.7.8 Error", "", "", "auth")
    box.holds[HELD] = {
        **box.holds[HELD],
        "next_try": datetime.now(UTC).replace(microsecond=0) + timedelta(days=1),
    }


def documents():
    """Make the documents of the newest that was filed; return their uids."""
    folder = getSite()[names.INCOMING_FOLDER]
    with api.env.adopt_roles(["Manager"]):
        return [
            api.content.get_uuid(api.content.create(folder, names.INCOMING_EMAIL, title=f"Demande {number}"))
            for number in range(FILED)
        ]


def make(count, documents):
    """Make ``count`` messages each way in the current site, the oldest first, and commit; ``documents`` are uids."""
    declare()
    documents, old = list(documents), receive_bytes(BytesIO(OLD), len(OLD))[0]
    uid = IUUID(getSite().unrestrictedTraverse(DOCUMENT))
    newest_filed = [number for number in range(min(count, FRESH)) if _drawn(INCOMING, number)[0] == "filed"][
        :FILED
    ]
    for number in reversed(range(count)):
        _incoming(inbox(), number, old, documents if number in newest_filed else [])
        _outgoing(outbox(), number, uid)
        if number % STEP == 0:
            transaction.commit()
            for store in (inbox, outbox):
                read_words(store)
            getSite()._p_jar.cacheMinimize()


def main(app, count):
    """Make the mail, and a plain page of Plone to compare with."""
    app = makerequest(app)
    setRequest(app.REQUEST)
    setSite(app["iadocs"])
    with api.env.adopt_roles(["Manager"]):
        page = api.content.create(getSite(), "Document", "bench-page", title="Une page")
        api.content.transition(page, "publish")
    make(count, documents())


if "app" in globals():  # given by zconsole
    main(globals()["app"], int(sys.argv[sys.argv.index("--") + 1]))
