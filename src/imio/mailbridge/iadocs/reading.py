"""Prepares a stored message for a reader: labels in the reader's language, dates and sizes in the notation of the site."""

from datetime import datetime
from datetime import timedelta
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import plural
from imio.mailbridge.message.parsing.parse import parse
from imio.mailbridge.message.rendition.html_document import beginning
from imio.mailbridge.message.rendition.html_document import END
from imio.mailbridge.message.rendition.html_document import head
from imio.mailbridge.message.rendition.html_document import Labels
from imio.mailbridge.message.rendition.written import written_plainly
from imio.mailbridge.message.secret_address import masked
from imio.mailbridge.settings.clock import local_time
from imio.mailbridge.settings.clock import readable_time
from imio.mailbridge.settings.clock import site_zone
from plone import api
from zope.i18n import translate


#: Media types of a file that is a message.
MESSAGES = ("message/rfc822", "application/vnd.ms-outlook")

#: What was guessed or is wrong, by the codes of ``message/syntax/doubt``.
DOUBTS = {
    "charset-guessed": _("Some of the text is not in the charset that it names; accents may be wrong"),
    "date-missing": _("The message has no date"),
    "date-repeated": _("The message has several dates; the first that can be read was used"),
    "date-unreadable": _("The date of the message cannot be read"),
    "date-guessed": _("The date is written in an unusual way; check it"),
    "zone-guessed": _("The date has no time zone; the town's was used"),
    "message-id-missing": _("The message has no Message-ID"),
    "header-damaged": _("The header of the message is damaged; what could be read was used"),
    "truncated": _("The message seems incomplete: its end is missing"),
    "attachment-damaged": _("An attachment seems incomplete: its end is missing"),
    "marked-as-unwanted": _(
        "A mail filter marked this message as unwanted mail; check it before you rely on it"
    ),
    "sender-doubted": _(
        "A mail server could not confirm the sender of this message; check before you rely on it"
    ),
}
#: Bytes of a text that is shown before the message is prepared.
MAX_TEXT_ALONE = 200_000

_LABELS = {
    "author": _("From"),
    "reply_to": _("Reply to"),
    "to": _("To"),
    "cc": _("Copy to"),
    "date": _("Date"),
    "subject": _("Subject"),
    "attachments": _("Attachments"),
    "quoted": _("Quoted text"),
}
#: Labels that are the names of what is labelled.
_KEYS = Labels(**{name: name for name in _LABELS})
NO_SUBJECT = _("Message without subject")
EMPTY = _("This message has no text.")
PREPARING = _("This is the text alone: layout and images are being prepared.")
TEXT_ALONE = _("This is the text alone, without layout and images.")
TOO_LARGE = _("The text is being prepared.")
NOT_SHOWN = _("The text was not prepared to be shown. The original is complete.")
_LIMIT = _(
    "This message is too complex or too long to be shown in full: layout, images or appointments are left out. "
    "The original is complete."
)
_UNREADABLE = _("The text of this message cannot be shown. The original is complete.")
_BLOCKED = _("${count} images or other contents from the internet were left out.")
_BLOCKED_ONE = _("One image or other content from the internet was left out.")
_MISSING = _(
    "${count} images of the text cannot be shown here. Those that the message holds are among its attachments."
)
_MISSING_ONE = _(
    "One image of the text cannot be shown here. If the message holds it, it is among its attachments."
)

_METHODS = {"CANCEL": _("Cancelled:"), "REQUEST": _("Invitation:"), "REPLY": _("Answer to an invitation:")}
_APPOINTMENT = _("Appointment:")
_ANSWERS = {"ACCEPTED": _("accepted"), "DECLINED": _("declined"), "TENTATIVE": _("accepted tentatively")}


def labels(language=""):
    """Return the words of a rendition in ``language``, by default that of the reader."""
    language = language or api.portal.get_current_language()
    words = {name: translate(text, target_language=language) for name, text in _LABELS.items()}
    return Labels(language=language, **words)


def around(message, outline, language="", with_head=False):
    """Return what stands before and after the prepared HTML of a message, as bytes, in ``language`` or that of the reader."""
    words = labels(language)
    first = beginning(
        words,
        _title(message, words),
        rows(message, words) if with_head else (),
        files(message, words.language) if with_head else (),
        notes(outline, words.language),
        [_invitation(each, words.language) for each in outline.invitations],
    )
    return first.encode("utf-8", "replace"), END.encode()


def notes(outline, language):
    """Return what a reader is told of a prepared message, with the words of the message that it is about."""
    found = []
    if outline.is_unreadable:
        found.append(_UNREADABLE)
    elif outline.limit:
        found.append(_LIMIT)
    elif outline.is_empty:
        found.append(EMPTY)
    if outline.blocked:
        found.append(plural(outline.blocked, _BLOCKED_ONE, _BLOCKED))
    if outline.missing:
        found.append(plural(outline.missing, _MISSING_ONE, _MISSING))
    doubts = [(DOUBTS[each.code], f" ({masked(each.saw)})" if each.saw else "") for each in outline.doubts]
    return [
        f"{translate(words, target_language=language)}{saw}"
        for words, saw in (*((each, "") for each in found), *doubts)
    ]


def _invitation(invitation, language):
    """Return what is printed bold and what follows for an appointment."""
    kind = translate(_METHODS.get(invitation.method, _APPOINTMENT), target_language=language)
    details = [_period(invitation.start, invitation.end), invitation.place]
    if invitation.attendee and invitation.answer in _ANSWERS:
        details.append(
            f"{invitation.attendee}: {translate(_ANSWERS[invitation.answer], target_language=language)}"
        )
    return f"{kind} {invitation.summary}", " · ".join(filter(None, details))


def _period(start, end):
    if start is None:
        return ""
    if not isinstance(start, datetime):
        last = end - timedelta(days=1) if end is not None and not isinstance(end, datetime) else start
        days = [api.portal.get_localized_time(datetime(*day.timetuple()[:3])) for day in (start, last)]
        return days[0] if last <= start else " – ".join(days)
    if not isinstance(end, datetime) or end <= start:
        return _readable(start)
    same_day = _local(start).date() == _local(end).date()
    return f"{_readable(start)} – {f'{_local(end):%H:%M}' if same_day else _readable(end)}"


def _local(time):
    return local_time(time) if time.tzinfo is not None else time


def _readable(time):
    """Return a time in the notation of the site; one without offset is that of the place."""
    return readable_time(time) if time.tzinfo else str(api.portal.get_localized_time(time, long_format=True))


def text_alone(message, is_waiting=False):
    """Return a document with the text of a message that is not prepared, as bytes: made at once, and bounded."""
    words = labels()
    is_small = message.body_size <= MAX_TEXT_ALONE
    note = (PREPARING if is_waiting else TEXT_ALONE) if is_small else (TOO_LARGE if is_waiting else NOT_SHOWN)
    notes = [translate(note, target_language=words.language)]
    first = beginning(words, _title(message, words), notes=notes)
    return f"{first}{written_plainly(message).html if is_small else ''}{END}".encode("utf-8", "replace")


def _title(message, words):
    return message.subject or translate(NO_SUBJECT, target_language=words.language)


def rows(message, words):
    """Return (label, text) of the header fields that a reader looks at."""
    date = message.date_in(site_zone())
    return head(message, words, readable_time(date) if date is not None else "")


def head_of(message):
    """Return name → text of the header fields that a reader looks at, plain data that a database keeps; the date in ISO 8601."""
    date = message.date_in(site_zone())
    return dict(head(message, _KEYS, date.isoformat() if date is not None else ""))


def stored_rows(kept):
    """Return (label, text) of what ``head_of`` kept but the subject, which is the title of a document."""
    rows = {name: text for name, text in kept.items() if name != "subject"}
    if "date" in rows:
        rows["date"] = readable_time(datetime.fromisoformat(rows["date"]))
    return [(_LABELS[name], text) for name, text in rows.items()]


def files(message, language):
    """Return a line for each attachment: name, size in bytes and digest."""
    unit = translate(_("bytes"), target_language=language)
    return [f"{file.filename} ({file.size} {unit}, SHA-256 {file.sha256})" for file in message.attachments]


def read(file):
    """Return the message that a file of a document holds, or None when it holds no message."""
    blob = getattr(file, "file", None)
    if blob is None or (blob.contentType or "").partition(";")[0].strip().lower() not in MESSAGES:
        return None
    with blob.open() as stream:
        return parse(stream)
