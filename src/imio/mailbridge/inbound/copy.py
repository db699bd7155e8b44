"""Copies a citizen's answer to the agent's mailbox, from where the agent can answer the citizen.

From is the login address, as the agent's server would take another for a forgery, or what our message was sent from where there
is none; Reply-To is the citizen: what the agent answers from the own mailbox does not pass through the bridge. References keep our
Message-IDs, so that the next answer of the citizen is recognised where it comes to us, whichever of the two wrote in between.
"""

from imio.mailbridge.message.address import Address
from imio.mailbridge.message.composition.compose import copied_headers
from imio.mailbridge.message.composition.compose import message_id
from imio.mailbridge.message.composition.masked_copy import masked_copy
from imio.mailbridge.message.composition.sender_policy import Sender
from imio.mailbridge.message.one_line import one_line
from imio.mailbridge.message.secret_address import masked
from imio.mailbridge.notify.notice import agent_address
from imio.mailbridge.notify.notice import agent_addresses
from imio.mailbridge.outbox.submit import submit_own
from imio.mailbridge.store.store import now
from transaction.interfaces import TransientError
import logging
import secrets
import transaction


#: A larger answer is not copied, the agent gets a notice with a link: many mailboxes refuse more, in bytes.
LARGEST = 20 * 1024**2
WRITTEN_BY_AGENTS = ("agent", "copy")
VIA = "{} (iA.docs)"

logger = logging.getLogger(__name__)


def copy_to_agent(answered, answer, values):
    """Send ``answer``, a parsed message, to the agent who wrote our message ``answered``; return whether that is done.

    In the current transaction, which files the answer: an error is logged, a conflict is raised.
    """
    before = transaction.savepoint(optimistic=True)
    try:
        return _copy(answered, answer, values)
    except TransientError:
        raise
    except Exception:  # noqa: BLE001 - that the answer is filed is what counts
        before.rollback()
        logger.exception("the answer to message %s could not be copied to its agent", answered.id)
        return False


def _copy(answered, answer, values):
    to = agent_address(answered.userid) if answered.origin in WRITTEN_BY_AGENTS else ""
    has_it = {each.addr_spec.lower() for each in (*answer.to, *answer.cc, *answer.authors)}
    if (
        not to
        or answer.author is None
        or has_it & {each.lower() for each in agent_addresses(answered.userid)}
    ):
        return False
    account = values.accounts.get(answered.account) or values.account_for(to)
    if account is None or answer.defect:
        return False
    own = account.login_address or answered.sender.author.addr_spec
    with masked_copy(answer.open) as stream:
        head, _empty, body = stream.read(LARGEST + 1).replace(b"\r\n", b"\n").partition(b"\n\n")
    if len(head) + len(body) >= LARGEST:
        return False
    sender = Sender(
        "login",
        Address(VIA.format(answer.author.display_name or answer.author.addr_spec), own),
        next(iter(answer.addresses("reply-to")), answer.author),
        own,
    )
    id = message_id(secrets.token_hex(16), own.rpartition("@")[2])
    subject = masked(one_line(answer.subject or ""))
    header = copied_headers(
        head,
        message_id=id,
        date=answer.date or now(),
        to=Address("", to),
        subject=subject,
        references=(*answer.references, *filter(None, [answer.message_id])),
    )
    content = header + body.replace(b"\n", b"\r\n")
    submit_own(
        account,
        sender,
        to,
        subject,
        id,
        content,
        "copy",
        answered.userid,
        about=answered.about or answered.id,
    )
    return True
