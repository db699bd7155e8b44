"""May this e-mail be sent, and as what? From a request to a record in the Outbox, or to the list of all that is wrong with it."""

from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from functools import partial
from imio.mailbridge.i18n import _
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.composition.compose import compose
from imio.mailbridge.message.composition.compose import Composition
from imio.mailbridge.message.composition.compose import File
from imio.mailbridge.message.composition.compose import message_id
from imio.mailbridge.message.composition.compose import sender_headers
from imio.mailbridge.message.composition.sender_policy import choose_sender
from imio.mailbridge.message.composition.sender_policy import Sender
from imio.mailbridge.message.composition.sender_policy import SenderRefused
from imio.mailbridge.message.one_line import has_control
from imio.mailbridge.message.one_line import one_line
from imio.mailbridge.message.syntax.address_list import typed_addresses
from imio.mailbridge.outbox import send_as
from imio.mailbridge.outbox.bounce_address import own_bounce_address
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.record import OutgoingMessage
from imio.mailbridge.ports.directory import IDirectory
from imio.mailbridge.ports.sending import ISendingContext
from imio.mailbridge.settings.read import settings
from imio.mailbridge.store.store import now
from imio.mailbridge.taskqueue import add
from plone.uuid.interfaces import IUUID
from zope.component.hooks import getSite
import secrets
import uuid


MAX_RECIPIENTS = 100
MAX_SUBJECT = 998  # RFC 5322 §2.1.1, before encoding
MAX_DELAY = timedelta(days=366)

#: A task waits this long in the queue, in seconds; a longer wait is left to the sweep, which comes once a minute.
MAX_WAIT = 600

#: What is kept of a submission, to edit and send again.
WRITTEN = ("to", "cc", "bcc", "subject", "body", "attachments", "sender", "send_at")


class Invalid(Exception):
    """The request cannot be sent; ``errors`` is a list of (field, message)."""

    def __init__(self, errors):
        super().__init__(errors)
        self.errors = errors


@dataclass(frozen=True)
class Draft:
    """A message that is ready to be stored; ``body`` are the bytes without sender headers, ``size`` counts those too.

    ``fallback`` is the sender to use when the server refuses ``sender`` (policy ``auto``), or None.
    """

    id: str
    userid: str
    document: str
    account: str
    message_id: str
    sender: Sender
    fallback: Sender | None
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    bcc: tuple[Address, ...]
    subject: str
    body: bytes | Composition
    size: int
    origin: str = "agent"
    about: str = ""
    site_url: str = ""
    send_at: datetime | None = None
    written: dict | None = None


def available(values):
    """Tell whether sending is set up at all."""
    return bool(values.accounts)


def identities(userid):
    """Return the identities that a user may send under."""
    return IDirectory(getSite()).identities(userid, settings().service_senders)


def sender_for(identity, account, values, id=""):
    """Return (sender, fallback) for an identity under an account; errors: ``SenderRefused``.

    ``id`` is that of the message, whose error reports get an address of their own under ``envelope_sender`` = ``bounce``.
    """
    address = identity.address
    known = send_as.verdict(account.name, address.addr_spec)
    allowed = known.allowed if known is not None else identity.may_send_as
    common = values.sender_options(account)
    if id and common["envelope_sender"] == "bounce":
        common["bounce_address"] = own_bounce_address(id, values)
    own_bounce = send_as.knowledge().get((account.name, send_as.BOUNCE))
    if common["envelope_sender"] == "bounce" and own_bounce is not None and not own_bounce.allowed:
        common["envelope_sender"] = "login"
    sender = choose_sender(address, policy=account.sender_policy, send_as_allowed=allowed, **common)
    fallback = None
    if account.sender_policy == "auto" and sender.policy == "send_as":
        fallback = choose_sender(address, policy="login", **common)
    return sender, fallback


def prepare(context, userid, data):
    """Return the ``Draft`` of what a user wants to send from ``context``.

    ``data`` is a dict with the keys of ``POST @send-email``. Errors: ``Invalid``, with every error of every field.
    """
    values = settings()
    errors = []
    if not available(values):
        errors.append(
            ("", _("Sending e-mails is not available: no SMTP server is set in the control panel."))
        )
    recipients = {field: _addresses(data, field, errors) for field in ("to", "cc", "bcc")}
    if not recipients["to"] and not any(field == "to" for field, _message in errors):
        errors.append(("to", _("Enter at least one recipient.")))
    if sum(map(len, recipients.values())) > MAX_RECIPIENTS:
        errors.append(("to", _("At most ${count} recipients at once.", mapping={"count": MAX_RECIPIENTS})))
    subject = data.get("subject")
    if not isinstance(subject, str) or not subject.strip():
        errors.append(("subject", _("Enter a subject.")))
    elif has_control(subject) or len(subject) > MAX_SUBJECT:
        errors.append(
            (
                "subject",
                _(
                    "The subject must be one line of at most ${count} characters.",
                    mapping={"count": MAX_SUBJECT},
                ),
            )
        )
    html = data.get("body") or ""
    if not isinstance(html, str) or "\0" in html:
        errors.append(("body", _("The text of the message cannot be read.")))
    sending = ISendingContext(context)
    files = _files(sending, data.get("attachments"), errors)
    new_id = uuid.uuid4().hex
    account, sender, fallback = _sender(userid, data.get("sender"), new_id, values, errors)
    _check_size(files, account, errors)
    send_at = _send_at(data.get("send_at"), values.undo_seconds if data.get("undo") else 0, errors)
    if errors:
        raise Invalid(errors)
    new_message_id = message_id(
        secrets.token_hex(16), (account.login_address or sender.author.addr_spec).rpartition("@")[2]
    )
    body = compose(
        message_id=new_message_id,
        date=send_at or now(),
        to=recipients["to"],
        cc=recipients["cc"],
        subject=one_line(subject),
        html=html,
        files=[
            File(file.filename, file.content_type, file.size, partial(sending.open, file.uid))
            for file in files
        ],
        in_reply_to=sending.reply_to_message_id,
    )
    return Draft(
        id=new_id,
        userid=userid,
        document=IUUID(context),
        account=account.name,
        message_id=new_message_id,
        sender=sender,
        fallback=fallback,
        subject=one_line(subject),
        body=body,
        size=len(body) + len(sender_headers(sender)),
        site_url=getSite().absolute_url(),
        send_at=send_at,
        written={key: data[key] for key in WRITTEN if data.get(key)},
        **{field: tuple(addresses) for field, addresses in recipients.items()},
    )


def submit(draft):
    """Store the message in the current transaction and queue its delivery for after the commit; return the record."""
    record = OutgoingMessage(draft)
    outbox().add(record)
    wake(record)
    return record


def submit_own(account, sender, to, subject, message_id, body, origin, userid="", about="", id=""):
    """Submit a message that the bridge itself writes to one address, by an ``Account`` and as a ``Sender``; return the record."""
    return submit(
        Draft(
            id=id or uuid.uuid4().hex,
            userid=userid,
            document="",
            account=account.name,
            message_id=message_id,
            sender=sender,
            fallback=None,
            to=(Address("", to),),
            cc=(),
            bcc=(),
            subject=subject,
            body=body,
            size=len(body) + len(sender_headers(sender)),
            origin=origin,
            about=about,
        )
    )


def wake(record, delay=0):
    """Queue the delivery of a record for after the commit, ``delay`` seconds later, and not before its next try."""
    wait = max(delay, (record.next_try - now()).total_seconds()) if record.next_try else delay
    if wait <= MAX_WAIT:  # what is later is found by the sweep
        _wake("mailbridge-deliver", delay=wait, params={"id": record.id})


def wake_outbox():
    """Queue a sweep of the Outbox for after the commit: the settings changed, and what was held may be able to leave."""
    if outbox().holds:
        _wake("mailbridge-sweep-outbox")


def _wake(view, **options):
    add("/".join(getSite().getPhysicalPath()) + f"/@@{view}", "POST", **options)


def _send_at(text, undo_seconds, errors):
    """Return when the message is to leave: the time that was asked for, at least the time to undo from now, or None for at once."""
    soonest = now() + timedelta(seconds=undo_seconds) if undo_seconds else None
    if not text:
        return soonest
    try:
        wanted = datetime.fromisoformat(text)
        if wanted.tzinfo is None:
            raise ValueError(text)
    except (TypeError, ValueError):
        errors.append(("send_at", _("This is not a time with an offset, such as 2026-12-01T08:30:00+01:00.")))
        return None
    if wanted > now() + MAX_DELAY:
        errors.append(("send_at", _("An e-mail can leave a year from now at the latest.")))
        return None
    wanted = wanted.astimezone(timezone.utc).replace(microsecond=0)
    return max(wanted, soonest) if soonest else (wanted if wanted > now() else None)


def _check_size(files, account, errors):
    limit = account.attachment_limit if account is not None else 0
    size = sum(file.size for file in files)
    if limit and size > limit:
        mapping = {"size": str(size), "limit": str(limit)}
        errors.append(
            (
                "attachments",
                _(
                    "The attachments have ${size} bytes together; at most ${limit} are allowed.",
                    mapping=mapping,
                ),
            )
        )


def _addresses(data, field, errors):
    texts = data.get(field) or []
    if not isinstance(texts, list):
        errors.append((field, _("A list of addresses is expected here.")))
        return []
    found = []
    for text in texts:
        whole = isinstance(text, str) and not has_control(text)
        found += typed_addresses(text) if whole else [str(text)]
    bad = next((each for each in found if isinstance(each, str)), None)
    if bad is not None:
        mapping = {"address": one_line(bad)[:100]}
        errors.append((field, _("“${address}” is not an e-mail address.", mapping=mapping)))
    return [each for each in found if isinstance(each, Address)]


def _files(sending, uids, errors):
    uids = uids or []
    if not isinstance(uids, list):
        errors.append(("attachments", _("A list of files is expected here.")))
        return []
    present = {file.uid: file for file in sending.files()}
    missing = [uid for uid in uids if not isinstance(uid, str) or uid not in present]
    if missing:
        errors.append(
            (
                "attachments",
                _(
                    "An attachment is not in this document, or you may not see it. Reload the page and choose again."
                ),
            )
        )
        return []
    return [present[uid] for uid in dict.fromkeys(uids)]


def _sender(userid, uid, id, values, errors):
    """Return (account, sender, fallback), or Nones after an error."""
    own = identities(userid)
    chosen = [identity for identity in own if identity.uid == uid] if uid else list(own[:1])
    try:
        if chosen:
            account = values.account_for(chosen[0].address.addr_spec)
            if account is not None:
                return account, *sender_for(chosen[0], account, values, id)
            if values.accounts:
                errors.append(("sender", _("No SMTP account serves the address of this sender.")))
        elif own:
            errors.append(("sender", _("You may not send as this sender.")))
        else:
            errors.append(
                ("sender", _("You have no position in the contacts, so there is no address to send from."))
            )
    except SenderRefused as refused:
        errors.append(("sender", _(refused.args[0])))
    return None, None, None
