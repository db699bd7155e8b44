"""Makes one message of a form, however often it is sent: double click, two windows, back button, a request that is repeated.

The form carries the id that its message will have. All windows that a user opened on a document since the last message from there
have the same one. It cannot be guessed, and the Outbox takes an id once.
"""

from imio.mailbridge.outbox.bounce_address import signing_key
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.record import OutgoingMessage
from imio.mailbridge.store.listing import common
import hashlib
import hmac


def next_submission(userid: str, document: str) -> str:
    """Return the id of the next message of a user from a document."""
    return _id(userid, document, len(_keys(userid, document)))


def known_submission(userid: str, document: str, given: object) -> str:
    """Return the id that a form carries if it was made for this user and document, else that of the next message."""
    latest = len(_keys(userid, document))
    made = (_id(userid, document, number) for number in range(latest, -1, -1))
    return next((id for id in made if id == given), None) or _id(userid, document, latest)


def submitted(id: str) -> OutgoingMessage | None:
    """Return the message that was made of a form, or None."""
    record: OutgoingMessage | None = outbox().get(id)
    return record


def submitted_ids(userid: str, document: str, limit: int = 20) -> list[str]:
    """Return the ids of the last messages of a user from a document, the newest first."""
    return [outbox().ids[key] for key in _keys(userid, document)[:limit]]


def _keys(userid: str, document: str) -> list[int]:
    box = outbox()
    of_document = [box.by_document[document]] if document in box.by_document else []
    return list(common(of_document, box.by_user.of(box.by_user.cells(userid))))


def _id(userid: str, document: str, number: int) -> str:
    text = f"submission\0{userid}\0{document}\0{number}"
    return hmac.new(signing_key(), text.encode(), hashlib.sha256).hexdigest()[:32]
