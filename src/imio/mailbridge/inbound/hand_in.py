"""Takes a message file that a person hands in on a page: the same path as mail-in, but the log-in says who brings it.

What is no message, or cannot be read, is refused before anything is kept: the person still has the file, and is told why.
"""

from imio.mailbridge.i18n import _
from imio.mailbridge.inbound.envelope import Envelope
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.process import process
from imio.mailbridge.inbound.process import Review
from imio.mailbridge.inbound.receive import keep
from imio.mailbridge.inbound.receive import Refused
from imio.mailbridge.message.parsing.parse import parse
from imio.mailbridge.settings.size import readable_size
from transaction.interfaces import TransientError
import os
import transaction


NO_MESSAGE = _(
    "This is not an e-mail, so it was not filed. Save the message in your mail program as .eml or .msg, and hand in that file."
)
TOO_COMPLEX = _(
    "The structure of this e-mail is too complicated to be read, so it was not filed. Save its attachments and add them to a "
    "document by hand."
)
ENCRYPTED = _(
    "This e-mail is encrypted, so nobody else could read it, and it was not filed. Ask its author to send it without encryption."
)
_DEFECTS = {"unreadable": NO_MESSAGE, "too-complex": TOO_COMPLEX}


def hand_in(stream, userid, address, values):
    """Keep and file the message in ``stream`` (seekable); return its record, and whether it was known before. Commits by itself.

    ``address`` is that of the person, or empty. What waited for a decision is processed another time. Errors: ``Refused``.
    """
    _check(stream, values)
    envelope = Envelope(envelope_sender=address, handed_in_by=userid)
    status, record = keep(stream, envelope, values)
    if status == 200 and record.state in ("quarantined", "failed"):
        try:
            process(record, Review(userid, "replay"))
        except TransientError:
            transaction.abort()
    return record, status == 200 or _was_filed_before(record)


def _was_filed_before(record):
    """Tell whether other transfers had brought all items of a record before it did."""
    firsts = [inbox().transfers(uid)[0].id for uid in record.items]
    return bool(firsts) and record.id not in firsts


def _check(stream, values):
    size = stream.seek(0, os.SEEK_END) or stream.tell()
    stream.seek(0)
    if size > values.max_size:
        words = {"limit": readable_size(values.max_size)}
        raise Refused(413, _("This file is larger than ${limit}, so it was not filed.", mapping=words))
    if not size:
        raise Refused(400, _("This file is empty, so there was nothing to file."))
    message = parse(stream)
    if message.defect is not None:
        raise Refused(422, _DEFECTS[message.defect])
    if message.is_encrypted:
        raise Refused(422, ENCRYPTED)
