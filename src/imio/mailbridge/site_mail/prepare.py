"""Turns a mail of Plone into a draft for the Outbox: removes the header fields that the bridge writes itself, keeps the rest.

Its From is treated like an agent's: under ``login`` the login address sends, and answers go to the address that Plone wrote.
"""

from dataclasses import replace
from email import message_from_bytes
from email.header import decode_header
from email.header import make_header
from email.policy import compat32
from imio.mailbridge.message.address import can_be_sent_to
from imio.mailbridge.message.address import mailbox_key
from imio.mailbridge.message.composition.compose import message_id
from imio.mailbridge.message.composition.compose import sender_headers
from imio.mailbridge.message.composition.compose import thread_fields
from imio.mailbridge.message.one_line import one_line
from imio.mailbridge.message.syntax.address_list import header_addresses
from imio.mailbridge.message.syntax.message_id import parse_message_ids
from imio.mailbridge.outbox.draft import Draft
from imio.mailbridge.outbox.sender import sender_for
from imio.mailbridge.ports.directory import Identity
from imio.mailbridge.settings.read import settings
import re
import secrets
import uuid


MAX_SUBJECT = 998

RESET_LINK = b"/passwordreset/"

#: Header fields that the bridge writes itself, or that nobody may see: they name blind copies, or recipients on the way.
_OURS = re.compile(
    r"from|reply-to|message-id|in-reply-to|references|return-path|(.*-)?bcc(-.*)?|(x-)?(envelope|original|delivered|rcpt)-to",
    re.IGNORECASE,
)


class Unusable(Exception):
    """The bridge cannot send this mail; the text says why."""


def prepare_site_mail(author, recipients, message):
    """Return the ``Draft`` of a message (bytes) that Plone wants to send; None where no account serves its author.

    ``author`` is the From that Plone chose, ``recipients`` are texts with an address each. Errors: ``Unusable``, ``SenderRefused``.
    """
    values = settings()
    written = message_from_bytes(_tidy(message), policy=compat32.clone(linesep="\r\n"))
    own = next(iter(_addresses([str(author)])), None) or next(
        iter(_addresses(written.get_all("From") or [])), None
    )
    account = values.account_for(own.addr_spec) if own is not None else None
    if account is None:
        return None
    to, cc = _addresses(written.get_all("To") or []), _addresses(written.get_all("Cc") or [])
    everyone = [address for text in recipients for address in _recipients(text)]
    if not everyone:
        raise Unusable("there is no recipient")
    id = uuid.uuid4().hex
    sender, fallback = sender_for(Identity("", "site", own), account, values, id)
    answers = next(iter(_addresses(written.get_all("Reply-To") or [])), None)
    subject = one_line(_text(written.get("Subject", "")))[:MAX_SUBJECT]
    new_message_id = message_id(secrets.token_hex(16), sender.author.domain)
    theirs = written.get("Message-ID")
    answered = _ids(written, "In-Reply-To")
    thread = [*(id for id in _ids(written, "References") if id not in answered), *answered]
    for name in filter(_OURS.fullmatch, written.keys()):
        del written[name]
    head = f"Message-ID: {new_message_id}\r\n"
    head += f"Original-Message-ID: {one_line(str(theirs))}\r\n" if theirs else ""
    body = head.encode("ascii", "replace") + thread_fields(thread) + written.as_bytes()
    sender, fallback = _with_reply_to(sender, answers), _with_reply_to(fallback, answers)
    return Draft(
        id=id,
        userid="",
        document="",
        account=account.name,
        message_id=new_message_id,
        sender=sender,
        fallback=fallback,
        subject=subject,
        body=body,
        size=len(body) + len(sender_headers(sender)),
        origin="site",
        **_by_field(everyone, to, cc),
    )


def _tidy(message):
    """Return a message with CRLF, and no space before the colon of a header field (RFC 5322 §4.5), which would end the header."""
    head, blank, body = re.sub(rb"\r?\n", b"\r\n", message).partition(b"\r\n\r\n")
    return re.sub(rb"^([!-9;-~]+)[ \t]+:", rb"\1:", head, flags=re.MULTILINE) + blank + body


def has_reset_link(message):
    """Tell whether a message (bytes) holds a link of Plone that sets a password."""
    parts = message_from_bytes(message, policy=compat32).walk()
    return any(RESET_LINK in (part.get_payload(decode=True) or b"") for part in parts)


def _by_field(everyone, to, cc):
    """Return the recipients by field; those in no header field are blind copies."""
    wanted = {mailbox_key(each.addr_spec): each for each in everyone}
    fields = {}
    for field, shown in (("to", to), ("cc", cc)):
        keys = dict.fromkeys(mailbox_key(each.addr_spec) for each in shown if can_be_sent_to(each.addr_spec))
        fields[field] = tuple(wanted.pop(key) for key in keys if key in wanted)
    return {**fields, "bcc": tuple(wanted.values())}


def _with_reply_to(sender, answers):
    """Return a sender with the Reply-To that Plone wrote, and with none that only repeats From."""
    if sender is None:
        return None
    reply_to = answers or sender.reply_to
    if reply_to is not None and reply_to.addr_spec.lower() == sender.author.addr_spec.lower():
        reply_to = None
    return replace(sender, reply_to=reply_to)


def _addresses(texts):
    return [address for text in texts for address in header_addresses(one_line(str(text)))]


def _recipients(text):
    found = _addresses([text])
    if str(text).strip() and not (found and all(can_be_sent_to(each.addr_spec) for each in found)):
        raise Unusable(f"{one_line(str(text))!r} is not an e-mail address")
    return found


def _ids(written, name):
    values = (str(value).encode("utf-8", "surrogateescape") for value in written.get_all(name) or ())
    return [id for value in values for id in parse_message_ids(value)]


def _text(value):
    """Return a header value without encoded-words; what cannot be decoded stays as it is."""
    try:
        return str(make_header(decode_header(str(value))))
    except (LookupError, ValueError):
        return str(value)
