"""What is kept of a message that leaves? The record of the Outbox.

Life of a recipient::

    queued ─→ sending ─→ sent ─→ bounced | replied
      ↑  ↑       ├─→ deferred ─→ sending …        next try after 1, 5, 15, 60 min, then hourly for 48 h, then failed
      │  │       ├─→ failed                        the server refused for good; a person may retry
      │  └── held ←── configuration error: the whole account waits, released by a probe that succeeds
      └── retry by a person                        cancelled: by a person, before it was taken
"""

from BTrees.OOBTree import OOTreeSet
from datetime import timedelta
from imio.mailbridge.outbound.states import message_state
from imio.mailbridge.outbound.states import TAKEN
from imio.mailbridge.outbound.states import WAITING
from imio.mailbridge.store.store import now
from imio.mailbridge.store.store import Record
from imio.mailbridge.store.store import Store
from imio.mailbridge.store.store import stored
from persistent.mapping import PersistentMapping
from ZODB.blob import Blob
import uuid


KEY = "imio.mailbridge.outbox"

#: How long a worker may hold a message. Longer than any dialogue with our timeouts.
LEASE = timedelta(minutes=30)
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
GIVE_UP_AFTER = timedelta(hours=48)


class OutgoingMessage(Record):
    """A message as it was submitted, the bytes without sender headers, and what became of each recipient.

    ``history`` is the timeline: dicts of ``at`` (aware datetime), ``recipient`` (or None for all), ``state``, ``code``, ``text``
    and ``explanation`` (a msgid or an empty string).
    """

    def __init__(self, draft):
        super().__init__(uuid.uuid4().hex, "queued")
        self.userid = draft.userid
        self.document = draft.document
        self.message_id = draft.message_id
        self.sender = draft.sender
        self.fallback = draft.fallback
        self.to, self.cc, self.bcc = draft.to, draft.cc, draft.bcc
        self.subject = draft.subject
        self.size = draft.size
        self.body = Blob(draft.body)
        self.lease_until = None
        addresses = [address.addr_spec for address in (*self.to, *self.cc, *self.bcc)]
        self.recipients = PersistentMapping(dict.fromkeys(dict.fromkeys(addresses), "queued"))
        self.start_trying()
        self.note(None, "queued")

    def start_trying(self):
        """Let the tries, and the time after which they end, begin now."""
        self.next_try = None
        self.tries = 0
        self.trying_since = now()

    def note(self, recipient, state, code=None, text="", explanation=""):
        """Add a line to the timeline."""
        self.history.append(
            {
                "at": now(),
                "recipient": recipient,
                "state": state,
                "code": code,
                "text": text,
                "explanation": explanation,
            }
        )

    def in_state(self, *states):
        """Return the recipients in one of ``states``."""
        return [address for address, state in self.recipients.items() if state in states]

    @property
    def taken(self):
        """Return how many recipients a server took the message for."""
        return len(self.in_state(*TAKEN))


class Outbox(Store):
    """All outgoing messages of a site.

    ``by_document`` maps a content uid to its message keys, ``by_message_id`` a Message-ID to its message id. ``unwritten``
    holds the ids whose document does not say yet what was sent. ``waiting`` holds the keys of messages with a recipient that
    the bridge still means to send to (the state of a message is its worst recipient's, so it does not tell). ``hold`` is why
    the account is stopped, or None.
    """

    def __init__(self):
        super().__init__()
        self.by_document = type(self.records)()
        self.by_message_id = type(self.records)()
        self.unwritten = OOTreeSet()
        self.waiting = OOTreeSet()
        self.hold = None

    def add(self, record):
        super().add(record)
        self.waiting.insert(record.sort_key)
        self.by_message_id[record.message_id] = record.id
        if record.document not in self.by_document:
            self.by_document[record.document] = OOTreeSet()
        self.by_document[record.document].insert(record.sort_key)

    def of_document(self, uid):
        """Return the messages written from a document, the newest first."""
        return [self.records[id] for _created, id in reversed(list(self.by_document.get(uid, ())))]

    def sent_by_us(self, message_id):
        """Tell whether this whole Message-ID, its unguessable part included, is one of ours."""
        return message_id in self.by_message_id

    def update(self, record, states):
        """Set the states of recipients (a dict) and, from all of them, the state of the message."""
        record.recipients.update(states)
        self.set_state(record, message_state(record.recipients.values()))
        if record.in_state(*WAITING):
            self.waiting.insert(record.sort_key)
        elif record.sort_key in self.waiting:
            self.waiting.remove(record.sort_key)

    def waiting_in(self, *states):
        """Return the messages with a recipient in one of ``states`` (which are all ones of waiting), the oldest first."""
        records = (self.records[id] for _created, id in list(self.waiting))
        return (record for record in records if record.in_state(*states))


def outbox():
    """Return the Outbox of the current site."""
    return stored(KEY, Outbox)
