"""Checks what an agent wants to send: a draft comes of it, or the list of all that is wrong with it."""

from datetime import datetime
from datetime import timedelta
from datetime import UTC
from functools import partial
from imio.mailbridge.i18n import _
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.address import mailbox_key
from imio.mailbridge.message.composition.compose import compose
from imio.mailbridge.message.composition.compose import File
from imio.mailbridge.message.composition.compose import message_id
from imio.mailbridge.message.composition.compose import sender_headers
from imio.mailbridge.message.composition.sender_policy import Sender
from imio.mailbridge.message.composition.sender_policy import SenderRefused
from imio.mailbridge.message.one_line import has_control
from imio.mailbridge.message.one_line import is_encodable
from imio.mailbridge.message.one_line import one_line
from imio.mailbridge.message.secret_address import masked
from imio.mailbridge.message.syntax.address_list import typed_addresses
from imio.mailbridge.message.syntax.limits import TooComplex
from imio.mailbridge.outbox import draft_files
from imio.mailbridge.outbox import merge_fields
from imio.mailbridge.outbox.draft import Draft
from imio.mailbridge.outbox.draft import Entered
from imio.mailbridge.outbox.sender import identities
from imio.mailbridge.outbox.sender import sender_for
from imio.mailbridge.outbox.site_addresses import MAX_IMAGES
from imio.mailbridge.outbox.site_addresses import SiteAddresses
from imio.mailbridge.ports.sending import FileReference
from imio.mailbridge.ports.sending import ISendingContext
from imio.mailbridge.settings.read import Settings
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.smtp import Account
from imio.mailbridge.store.store import now
from plone.uuid.interfaces import IUUID
from typing import Any
from ZODB.POSException import POSKeyError
from zope.component.hooks import getSite
import secrets
import uuid


MAX_RECIPIENTS = 100
MAX_SUBJECT = 998  # RFC 5322 §2.1.1, before encoding
MAX_DELAY = timedelta(days=366)

#: (field or an empty string, what is wrong with it).
Errors = list[tuple[str, str]]

#: What is stored of a submission, to edit and send again.
WRITTEN = ("to", "cc", "bcc", "subject", "body", "attachments", "sender", "send_at")


class Invalid(Exception):
    """The request cannot be sent; ``errors`` says why, ``entered`` holds what could be read of it."""

    def __init__(self, errors: Errors, entered: Entered) -> None:
        super().__init__(errors)
        self.errors = errors
        self.entered = entered


def available(values: Settings) -> bool:
    """Tell whether sending is set up at all."""
    return bool(values.accounts)


def prepare(context: Any, userid: str, data: dict[str, Any], id: str = "") -> Draft:
    """Return the ``Draft`` of what a user wants to send from ``context``.

    ``data`` is a dict with the keys of ``POST @send-email``, ``id`` what the message will be known by (``submission``).
    Errors: ``Invalid``, with every error of every field.
    """
    data = {
        **data,
        **{name: masked(data[name]) for name in ("subject", "body") if isinstance(data.get(name), str)},
    }
    values = settings()
    errors: Errors = []
    if not available(values):
        errors.append(
            ("", _("Sending e-mails is not available: no SMTP server is set in the control panel."))
        )
    recipients = _once({field: _addresses(data, field, errors) for field in ("to", "cc", "bcc")})
    if not recipients["to"] and not any(field == "to" for field, _message in errors):
        errors.append(("to", _("Enter at least one recipient.")))
    if (count := sum(map(len, recipients.values()))) > MAX_RECIPIENTS:
        mapping = {"count": count, "limit": MAX_RECIPIENTS}
        errors.append(("to", _(TOO_MANY, mapping=mapping)))
    subject: Any = data.get("subject")
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
    if not isinstance(html, str) or "\0" in html or not is_encodable(html):
        errors.append(("body", _("The text of the message cannot be read.")))
    errors += _fields_left(context, userid, data, recipients["to"], values)
    sending: Any = ISendingContext(context)
    files = _files(sending, userid, IUUID(context), data.get("attachments"), errors)
    new_id = id or uuid.uuid4().hex
    account, sender, fallback = _sender(userid, data.get("sender"), new_id, values, errors)
    _check_size(files, account, errors)
    send_at = _send_at(data.get("send_at"), values.undo_seconds if data.get("undo") else 0, errors)
    written = {key: data[key] for key in WRITTEN if data.get(key)}
    entered = Entered(
        userid=userid,
        document=IUUID(context),
        subject=one_line(subject) if isinstance(subject, str) else "",
        written={**written, "body": html if isinstance(html, str) else ""},
        to=recipients["to"],
        cc=recipients["cc"],
        bcc=recipients["bcc"],
    )
    if errors or account is None or sender is None:
        raise Invalid(errors, entered)
    if lost := _lost(files, sending, userid, IUUID(context)):
        raise Invalid(lost, entered)
    new_message_id = message_id(secrets.token_hex(16), sender.author.domain)
    addresses = SiteAddresses(context, _room(files, account))
    try:
        body = compose(
            message_id=new_message_id,
            date=send_at or now(),
            to=recipients["to"],
            cc=recipients["cc"],
            subject=one_line(subject),
            html=html,
            files=[
                File(
                    file.filename,
                    file.content_type,
                    file.size,
                    partial(_open, sending, userid, IUUID(context), file.uid),
                )
                for file in files
            ],
            references=sending.thread,
            link=addresses.absolute,
            image=addresses.image,
        )
    except TooComplex:
        raise Invalid([("body", TOO_COMPLEX)], entered) from None
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
        written=written,
        to=recipients["to"],
        cc=recipients["cc"],
        bcc=recipients["bcc"],
        left_out=tuple(dict.fromkeys(addresses.left_out)),
    )


TOO_MANY = _(
    "There are ${count} recipients, but one e-mail goes to at most ${limit}. Remove some, and send them an e-mail of their own."
)

LOST = _(
    "The file “${name}” is lost: its bytes are missing on the server. Tell the administrators of the site."
)

NO_ADDRESS = _(
    "“${address}” is not an e-mail address. Choose a contact from the list, or type an address such as name@example.org."
)

TOO_COMPLEX = _(
    "The layout of this text is too complex to be sent. Paste it without its formatting, or attach it as a file."
)


def _fields_left(
    context: Any, userid: str, data: dict[str, Any], to: tuple[Address, ...], values: Settings
) -> Errors:
    """Return an error for each field of a template that was not filled in: nothing leaves with a hole."""
    texts = {name: data[name] for name in ("subject", "body") if isinstance(data.get(name), str)}
    left = [(place, name) for place, text in texts.items() for name in merge_fields.standing(text)]
    if not left:
        return []
    own = identities(userid, values)
    chosen = next((each for each in own if each.uid == data.get("sender")), own[0] if own else None)
    known = merge_fields.values(context, chosen, to)
    return [(place, merge_fields.problem_of(name, known)) for place, name in left]


def _send_at(text: Any, undo_seconds: int, errors: Errors) -> datetime | None:
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
        errors.append(("send_at", _("An e-mail can go out a year from now at the latest.")))
        return None
    wanted = wanted.astimezone(UTC).replace(microsecond=0)
    return max(wanted, soonest) if soonest else (wanted if wanted > now() else None)


def _room(files: list[FileReference], account: Account) -> int:
    """Return how many bytes the images in the text may have beside the attachments."""
    limit = account.attachment_limit
    return limit - sum(file.size for file in files) if limit else MAX_IMAGES


def _check_size(files: list[FileReference], account: Account | None, errors: Errors) -> None:
    limit = account.attachment_limit if account is not None else 0
    size = sum(file.size for file in files)
    if limit and size > limit:
        mapping = {"size": str(size), "limit": str(limit)}
        errors.append(
            (
                "attachments",
                _(
                    "The attachments total ${size} bytes; at most ${limit} are allowed.",
                    mapping=mapping,
                ),
            )
        )


def _addresses(data: dict[str, Any], field: str, errors: Errors) -> list[Address]:
    texts = data.get(field) or []
    if not isinstance(texts, list):
        errors.append((field, _("A list of addresses is expected here.")))
        return []
    found: list[Address | str] = []
    for text in texts:
        whole = isinstance(text, str) and not has_control(text)
        found += typed_addresses(text) if whole else [str(text)]
    bad = next((each for each in found if isinstance(each, str)), None)
    if bad is not None:
        mapping = {"address": one_line(bad)[:100]}
        errors.append((field, _(NO_ADDRESS, mapping=mapping)))
    return [each for each in found if isinstance(each, Address)]


def _once(fields: dict[str, list[Address]]) -> dict[str, tuple[Address, ...]]:
    """Return the recipients by field, each mailbox once: in the first field that names it."""
    seen: dict[str, Address] = {}
    return {
        field: tuple(each for each in addresses if seen.setdefault(mailbox_key(each.addr_spec), each) is each)
        for field, addresses in fields.items()
    }


def _open(sending: Any, userid: str, document: str, uid: str) -> Any:
    """Return a stream of a file that the user attached, or of one in the document."""
    file = draft_files.file_of(userid, document, uid)
    return file.blob.open("r") if file is not None else sending.open(uid)


def _lost(files: list[FileReference], sending: Any, userid: str, document: str) -> Errors:
    """Return an error for each file whose bytes are missing on the server."""
    errors: Errors = []
    for file in files:
        try:
            _open(sending, userid, document, file.uid).close()
        except POSKeyError:
            errors.append(("attachments", _(LOST, mapping={"name": file.filename})))
    return errors


def _files(sending: Any, userid: str, document: str, uids: Any, errors: Errors) -> list[FileReference]:
    uids = uids or []
    if not isinstance(uids, list):
        errors.append(("attachments", _("A list of files is expected here.")))
        return []
    own = (file.reference for file in draft_files.files_of(userid, document, also=uids))
    present = {file.uid: file for file in (*sending.files(), *own)}
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


def _sender(
    userid: str, uid: Any, id: str, values: Settings, errors: Errors
) -> tuple[Account, Sender, Sender | None] | tuple[None, None, None]:
    """Return (account, sender, fallback), or Nones and an error."""
    own = identities(userid, values)
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
