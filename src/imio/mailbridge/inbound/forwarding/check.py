"""Forwarding checks: a message with a code goes to a source mailbox; it comes back by the mail-in address, as a bounce, or never.

::

    start ─▶ Outbox ─▶ SMTP ─▶ mailbox ─▶ its server forwards ─▶ mail-in ─▶ recognised ─▶ result
                 └─ not-sent     └─ bounced, bounced-external        └─ lost after ``PATIENCE``

The Message-ID, or the code in the subject, is as hard to guess as a key; who shows it has the message.
"""

from datetime import timedelta
from imio.mailbridge.i18n import _
from imio.mailbridge.inbound.decide import UNPROVEN_AUTHOR
from imio.mailbridge.inbound.forwarding.outcomes import OUTCOMES
from imio.mailbridge.inbound.forwarding.silence import is_silent
from imio.mailbridge.inbound.forwarding.silence import noted
from imio.mailbridge.inbound.forwarding.store import forwarding
from imio.mailbridge.inbound.forwarding.store import forwardings
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.classification.classify import Transfer
from imio.mailbridge.message.composition.compose import compose
from imio.mailbridge.message.composition.compose import message_id
from imio.mailbridge.message.composition.sender_policy import Sender
from imio.mailbridge.message.parsing.attached_messages import attached_messages
from imio.mailbridge.message.secret_address import masked
from imio.mailbridge.notify.alarm import tell_admin
from imio.mailbridge.notify.notice import NAME
from imio.mailbridge.notify.notice import paragraphs
from imio.mailbridge.outbox.bounce_address import own_bounce_address
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.submit import submit_own
from imio.mailbridge.settings.clock import local_time
from imio.mailbridge.settings.read import settings
from imio.mailbridge.store.store import now
from plone import api
from zope.i18n import translate
import re
import secrets
import uuid


ORIGIN = "check"
#: How long a message may be on its way.
PATIENCE = timedelta(minutes=30)
CANARY_EVERY = timedelta(days=7)
#: Characters of a text that a code is looked for in.
LOOK_AT = 20_000
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_CODE = re.compile(r"\[([A-HJ-NP-Z2-9]{16})\]")
_EXTERNAL = re.compile(r"5\.7\.520|AS\(7555\)|external forwarding", re.IGNORECASE)

SUBJECT = _("iA.docs checks the forwarding of this mailbox [${code}]")
TEXT = _(
    "This message checks whether mail to ${mailbox} reaches iA.docs. Nobody needs to do anything; it can be deleted."
)


class CannotCheck(Exception):
    """No message can be sent; the argument says why (a msgid)."""


def declared():
    """Return the lower-case addresses of the declared mailboxes, in the order of the settings."""
    return list(settings().source_mailboxes)


def start(source_mailbox, canary=False):
    """Send a message to a declared mailbox, in the current transaction. Errors: ``CannotCheck``."""
    status, values = forwarding(source_mailbox), settings()
    if status.running is not None:
        raise CannotCheck(_("A check of this mailbox is already running."))
    if not values.mailin_addresses:
        raise CannotCheck(_("No mail-in address is set in the control panel yet."))
    account = values.account_for(source_mailbox)
    if account is None or not account.login_address:
        raise CannotCheck(_("iA.docs has no SMTP account with an address to send from."))
    code = "".join(secrets.choice(ALPHABET) for _number in range(16))
    status.running = {
        "id": _send(source_mailbox, code, account, values).id,
        "code": code,
        "begun": now(),
        "canary": canary,
    }


def _send(source_mailbox, code, account, values):
    author, id, language = account.login_address, uuid.uuid4().hex, api.portal.get_default_language()
    bounces = own_bounce_address(id, values) if values.envelope_sender == "bounce" else ""
    sender = Sender("login", Address(NAME, author), None, bounces or author)
    subject = translate(_(SUBJECT, mapping={"code": code}), target_language=language)
    text = translate(_(TEXT, mapping={"mailbox": source_mailbox}), target_language=language)
    new_message_id = message_id(secrets.token_hex(16), author.rpartition("@")[2])
    body = compose(
        message_id=new_message_id,
        date=now(),
        to=[Address("", source_mailbox)],
        cc=[],
        subject=subject,
        html=paragraphs(text, f"[{code}]"),
    )
    return submit_own(account, sender, source_mailbox, subject, new_message_id, body, ORIGIN, id=id)


# what comes back


def recognise(message):
    """Return (id of the outgoing message, ``unchanged``, ``attachment`` or ``text``) for a message of a check, else None."""
    if id := _checked(message.message_id):
        return id, "unchanged"
    codes = {
        status.running["code"]: status.running["id"] for status in forwardings().values() if status.running
    }
    if not codes:
        return None
    for attached in attached_messages(message):
        if id := _checked(attached.message.message_id):
            return id, "attachment"
    for text in (message.subject or "", (message.text or "")[:LOOK_AT], (message.html or "")[:LOOK_AT]):
        for code in _CODE.findall(text):
            if code in codes:
                return codes[code], "text"
    return None


def _checked(message_id):
    box = outbox()
    id = box.by_message_id.get(message_id) if message_id else None
    record = box.get(id) if id else None
    return id if record is not None and record.origin == ORIGIN else None


def arrived(record, decision, id, form):
    """Note that the message ``id`` came back as ``record``, in this form; ``decision`` is that on a citizen's mail like it."""
    sent = outbox().get(id)
    source_mailbox = sent.to[0].addr_spec.lower()
    status = forwarding(source_mailbox)
    name = _outcome(decision, form, source_mailbox)
    fingerprint = {
        "form": form,
        "marks": tuple(sorted({each.detector for each in decision.found.evidence} - {UNPROVEN_AUTHOR})),
        "proof": decision.proof.value if decision.proof else "",
        "arrived": masked(record.envelope_recipient),
    }
    if status.running is None or status.running["id"] != id:
        return  # it came late, or twice: the first result stays
    seconds = int((record.created - sent.created).total_seconds())
    _end(source_mailbox, status, name, fingerprint, seconds=seconds, record=record.id)


def _outcome(decision, form, source_mailbox):
    found, state, reason = decision.found, decision.state, decision.reason
    if form == "text":
        return "text"
    if form == "attachment":
        return "attachment" if state == "filed" else "attachment-unproven"
    if found.transfer is Transfer.DIRECT and reason == "direct":
        return "unmarked"
    if found.transfer is not Transfer.REDIRECT:
        return "quarantined"
    if reason == "undeclared-mailbox" or (found.source_mailbox or source_mailbox) != source_mailbox:
        return "redirect-undeclared"
    if state == "filed":
        return "redirect"
    return "redirect-unproven" if reason == "unproven-redirect" else "quarantined"


def _end(source_mailbox, status, name, fingerprint=None, seconds=None, text="", record=""):
    canary, before = status.running["canary"], status.expected
    outcome = OUTCOMES[name]
    differs = bool(outcome.good and before and before != fingerprint)
    status.running = None
    status.add(
        {
            "at": now(),
            "outcome": name,
            "fingerprint": fingerprint,
            "seconds": seconds,
            "text": text[:500],
            "record": record,
            "differs": differs,
        }
    )
    if outcome.good and not differs:
        status.expected = fingerprint
    if canary and (not outcome.good or differs):
        changed = _("It no longer arrives as before.") if differs else ""
        tell_admin(
            _("The forwarding of ${mailbox} needs attention", mapping={"mailbox": source_mailbox}),
            outcome.sentence,
            *filter(None, [changed, outcome.remedy]),
            page="mailbridge-forwarding",
        )


def accept(source_mailbox):
    """Take how the last good message arrived for what is expected from now on; tell whether there was one."""
    status = forwardings().get(source_mailbox)
    found = (
        next((each for each in status.results if OUTCOMES[each["outcome"]].good), None) if status else None
    )
    if found is None:
        return False
    status.expected = found["fingerprint"]
    status.results = tuple({**each, "differs": False} for each in status.results)
    return True


# what does not come back, and what falls silent


def sweep():
    """End the checks that brought nothing, begin those that are due, report silence."""
    statuses, values, mailboxes = forwardings(), settings(), declared()
    for source_mailbox in [source_mailbox for source_mailbox in statuses if source_mailbox not in mailboxes]:
        del statuses[source_mailbox]
    for source_mailbox in mailboxes:
        status = statuses.get(source_mailbox)
        if status is not None and status.running is not None:
            _look(source_mailbox, status)
        elif values.forwarding_canary and _is_due(status):
            _begin_canary(source_mailbox)
        if status is not None and values.silence_alarm:
            _listen(source_mailbox, status)


def _look(source_mailbox, status):
    sent = outbox().get(status.running["id"])
    state = sent.state if sent is not None else "cancelled"
    answer = next((line["text"] for line in reversed(sent.history) if line["text"]), "") if sent else ""
    if state == "bounced":
        _end(
            source_mailbox, status, "bounced-external" if _EXTERNAL.search(answer) else "bounced", text=answer
        )
    elif state in ("failed", "cancelled"):
        _end(source_mailbox, status, "not-sent", text=answer)
    elif now() > status.running["begun"] + PATIENCE:
        _end(source_mailbox, status, "lost" if state == "sent" else "not-sent", text=answer)


def _is_due(status):
    """Tell whether the last check is a week old, and it is the time of day when somebody reads alarms."""
    last = status.results[0]["at"] if status is not None and status.results else None
    return 7 <= local_time(now()).hour < 17 and (last is None or now() > last + CANARY_EVERY)


def _begin_canary(source_mailbox):
    try:
        start(source_mailbox, canary=True)
    except CannotCheck:
        return  # the page says so; the alarm of the account has been raised


def note_arrival(source_mailbox, at):
    """Note that mail came through a mailbox at a time (aware); written once an hour."""
    status = forwarding(source_mailbox)
    times = noted(status.seen, int(at.timestamp()))
    if times is not status.seen:
        status.seen = times


def _listen(source_mailbox, status):
    last = status.seen[-1] if status.seen else None
    if last is None or status.silent_since == last or not is_silent(status.seen, int(now().timestamp())):
        return
    status.silent_since = last
    tell_admin(
        _("No more mail is coming through ${mailbox}", mapping={"mailbox": source_mailbox}),
        _(
            "This mailbox usually brings mail, and has now brought none for longer than ever before. Its forwarding may have "
            "been switched off."
        ),
        _("Start a forwarding check: it shows what became of it."),
        page="mailbridge-forwarding",
    )
