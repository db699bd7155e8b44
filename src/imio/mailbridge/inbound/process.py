"""Processes a kept message, from its bytes to its next state. Commits by itself.

::

    parse ── decide ── (ask DNS ── commit what it said) ── decide, apply ── commit
                    ✝1                                  ✝2              ✝3
    ✝1 ✝2 the record is still ``received``: the next delivery of the same bytes, or the sweep, goes on with it
    ✝3 done. A conflict runs "decide, apply" again, never the question to DNS

"decide, apply" is done in turn (``taskqueue/turn``), so that there are few conflicts; what other requests of the process wait for
meanwhile is committed with it. One that raises is undone with the others, and all are done again, its error being its outcome.
"""

from dataclasses import dataclass
from dataclasses import replace
from datetime import timedelta
from imio.mailbridge.inbound import flood
from imio.mailbridge.inbound import signatures
from imio.mailbridge.inbound.apply import apply
from imio.mailbridge.inbound.apply import apply_check
from imio.mailbridge.inbound.apply import fail
from imio.mailbridge.inbound.apply import NotFiled
from imio.mailbridge.inbound.decide import Choice
from imio.mailbridge.inbound.decide import chosen
from imio.mailbridge.inbound.decide import decide
from imio.mailbridge.inbound.decide import NOTHING_SENT
from imio.mailbridge.inbound.decide import Sent
from imio.mailbridge.inbound.forwarding import check as forwarding
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.inbox import OPEN
from imio.mailbridge.inbound.proof import UNPROVEN
from imio.mailbridge.logs import about
from imio.mailbridge.message.parsing.parse import parse
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.reply_address import message_id_at
from imio.mailbridge.settings.read import settings
from imio.mailbridge.store.commit import committed
from imio.mailbridge.store.store import now
from imio.mailbridge.taskqueue.turn import Turn
from imio.mailbridge.transport.txt_lookup import TxtLookup
from transaction.interfaces import TransientError
from zope.component.hooks import getSite
import logging
import transaction


#: Messages that are filed in one transaction.
MOST_TOGETHER = 8
#: What has to be done before a record can be settled.
ASK_DNS = "ask DNS"
#: How long a message waits for a DNS server that does not answer; then it goes to the quarantine.
PATIENCE = timedelta(hours=4)
LATER = "later: DNS does not answer, so the signatures of this message cannot be verified"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Review:
    """A person's decision: ``action`` is ``replay`` or ``accept``, ``by`` a userid; ``choice`` comes with ``accept``."""

    by: str
    action: str
    choice: Choice | None = None


@dataclass(frozen=True)
class _Job:
    """What is to be done with the record ``id``; ``message`` is None where it could not be read.

    ``error`` is what happened when it was tried before, and was undone.
    """

    id: str
    message: object
    review: Review | None
    verified: bool = False
    error: Exception | None = None


class _Undone(Exception):
    """What was done for ``job``, and for those with it, is to be undone and done again without what raised the cause."""

    def __init__(self, job):
        super().__init__(job.id)
        self.job = job


def coming():
    """Return a context in which this thread is about to process a message: what others file now waits for it, a moment."""
    return FILING_TURN.coming(_group())


def process(record, review=None):
    """Bring ``record`` into its next state; return whether it was still to be processed.

    Every error but a conflict becomes a state. A person's decision is never put off and counts for no limit.
    """
    if not _is_open(record, review):
        return False
    with about(record=record.id):
        return _process(record, review)


def _process(record, review):
    try:
        message = read(record)
    except TransientError:
        raise
    except Exception as error:  # noqa: BLE001 - kept, and shown to a person
        return _settled(_Job(record.id, None, review, error=error))
    settled = _settled(_Job(record.id, message, review))
    if settled is not ASK_DNS:
        return settled
    try:
        found = signatures.verify(message, TxtLookup(settings().dns_resolver))
    except TransientError:
        raise
    except Exception as error:  # noqa: BLE001 - kept, and shown to a person
        return _settled(_Job(record.id, message, review, error=error))
    committed(lambda: _keep_signatures(record, found, review))
    return _settled(_Job(record.id, message, review, verified=True))


def read(record):
    """Return the parsed message of a record."""
    with record.raw.open("r") as stream:
        return parse(stream)


def decision_on(record, message, values, sent=None, too_many=""):
    """Return the decision on the message of a record by today's rules, with the signatures that were verified before."""
    known = signatures.restored(record.signatures)
    return decide(message, record.envelope, values, sent or sent_messages(), known, too_many)


def sent_messages():
    """Return the identifiers of the messages in the Outbox."""
    box = outbox()
    return Sent(box.sent_by_us, box.__contains__, message_id_at)


def _is_open(record, review):
    return record.state in (OPEN if review else ("received",))


def _keep_signatures(record, found, review):
    """Keep what DNS said, unless the record was filed meanwhile; no answer at all does not replace an earlier answer."""
    before = signatures.restored(record.signatures)
    if _is_open(record, review) and (before is None or before.are_unanswered or not found.are_unanswered):
        record.signatures = signatures.stored(found)


def _settled(job):
    """Have a job done; return what ``_settle`` returns."""
    # what a person decides is committed alone
    settled = FILING_TURN.done(object() if job.review else _group(), job)
    transaction.begin()  # sees what another thread committed
    return settled


def _group():
    return getSite().getPhysicalPath()


def _settle_together(jobs):
    """Settle jobs in one transaction; return what each came to."""
    try:
        return committed(lambda: [_settle(job) for job in jobs])
    except _Undone as undone:
        failed = replace(undone.job, error=undone.__cause__)
        return _settle_together([failed if job is undone.job else job for job in jobs])
    except TransientError:
        raise
    except Exception:  # the commit itself failed
        if len(jobs) == 1:
            raise
        logger.exception("%d messages could not be settled together; each is settled alone", len(jobs))
        return [_settle_alone(job) for job in jobs]


def _settle_alone(job):
    try:
        return _settle_together([job])[0]
    except Exception as error:  # noqa: BLE001 - raised where the job is waited for
        return error


#: A conflict costs a whole filing, as Plone's catalog merges little of what is written at the same time, and half of what a filing
#: costs is to commit what it shares with the next one.
FILING_TURN = Turn("filing", _settle_together, MOST_TOGETHER)


def _settle(job):
    """Decide on a record and apply the decision, unless it is dealt with already; return whether it was open.

    Return ``ASK_DNS`` where DNS is to be asked before; nothing is changed then. Errors: ``_Undone``.
    """
    record = inbox().get(job.id)
    if record is None or not _is_open(record, job.review):
        return False
    with about(record=record.id):
        try:
            return _apply(record, job)
        except TransientError:
            raise
        except Exception as error:
            if job.error is not None:
                raise
            raise _Undone(job) from error


def _apply(record, job):
    message, review = job.message, job.review
    if job.error is not None and not isinstance(job.error, NotFiled):
        _note_review(record, review)
        fail(record, job.error)
        return True
    values = settings()
    # a check that a person hands in says nothing about how it was passed on
    check = None if record.handed_in_by else forwarding.recognise(message)
    author = message.author.addr_spec.lower() if message.author else ""
    counts = not (review or check or record.handed_in_by)
    too_many = ""
    if counts and flood.is_too_many(author, record.created, values.max_per_sender):
        too_many = "too-many"
    decision = decision_on(record, message, values, NOTHING_SENT if check else None, too_many)
    answered, limit = _answered(decision)
    if counts and not too_many and flood.is_too_many(answered, record.created, limit):
        too_many = "too-many-replies"
        decision = decision_on(record, message, values, too_many=too_many)
    # the DNS of the town may have been mended before a person replays an unproven message
    if not job.verified and (
        decision.asks_signatures
        or decision.unanswered
        or (review and record.signatures and decision.reason in UNPROVEN)
    ):
        return ASK_DNS
    _note_review(record, review)
    if check:
        apply_check(record, message, decision, *check)
        return True
    if review and review.choice is not None:
        decision = chosen(decision, message, review.choice, values.zone)
    elif decision.unanswered and not review and now() < record.created + PATIENCE:
        _put_off(record)
        return True
    if counts and not too_many:
        flood.count(author if values.max_per_sender else "", record.created)
        flood.count(answered, record.created)
    apply(record, message, decision, values, by_person=review is not None, not_filed=job.error)
    return True


def _note_review(record, review):
    if review:
        record.note("received", by=review.by, text=review.action)


def _answered(decision):
    """Return the name under which the replies to the answered message are counted, and how many may come in an hour."""
    if not decision.found.answered:
        return "", 0
    message = outbox().answered(decision.found.answered)
    return f"reply:{message.id}", flood.MAX_REPLIES + len(message.recipients)


def _put_off(record):
    """Let the record wait for DNS; the sweep tries it later, after a longer time each time."""
    waited = sum(1 for line in record.history if line["text"] == LATER)
    record.not_before = now() + timedelta(minutes=min(2**waited, 30))
    record.note("received", text=LATER)
