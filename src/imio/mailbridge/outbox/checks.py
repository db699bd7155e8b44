"""Finds what may be a mistake in an e-mail that could be sent. Such doubts warn, they never forbid."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from imio.mailbridge.i18n import _
from imio.mailbridge.message.composition.checks import mentions_attachment
from imio.mailbridge.message.composition.checks import typo_of
from imio.mailbridge.message.composition.letter import html_to_text
from imio.mailbridge.outbox.draft import Draft
from imio.mailbridge.outbox.draft import Entered
from imio.mailbridge.outbox.prefill import signature
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.record import OutgoingMessage
from imio.mailbridge.outbox.returned import times_of
from imio.mailbridge.outbox.sender import identities
from imio.mailbridge.outbox.states import TAKEN
from imio.mailbridge.outbox.states import WAITING
from imio.mailbridge.ports.directory import IDirectory
from imio.mailbridge.ports.sending import ISendingContext
from imio.mailbridge.settings.clock import readable_time
from imio.mailbridge.settings.read import settings
from imio.mailbridge.store.store import now
from typing import Any
from zope.component.hooks import getSite
import re


#: An e-mail like one that was sent so shortly before is probably the same one, sent twice.
TWICE_WITHIN = timedelta(minutes=10)
#: What a reader sees as text: no spaces, invisible characters and marks of empty quotes, lists, tables and lines.
_WORD = re.compile(r"[^\s>|\-\xad\u200b-\u200f\u2060\ufeff]+")


@dataclass(frozen=True)
class Doubt:
    """``message`` (a msgid) says what the check ``name`` saw at ``field``; ``suggestion`` is what ``address`` may have meant."""

    name: str
    field: str
    message: str
    address: str = ""
    suggestion: str = ""

    @property
    def key(self) -> str:
        """Return what identifies this doubt among those about the same message."""
        return f"{self.name} {self.address}".strip()


def doubts(context: Any, draft: Draft | Entered) -> tuple[Doubt, ...]:
    """Return the doubts about a draft written from ``context``, check by check."""
    return tuple(doubt for check in CHECKS for doubt in check(context, draft))


def missing_attachment(context: Any, draft: Draft | Entered) -> Iterator[Doubt]:
    """The text speaks of an attachment, and there is none."""
    written = draft.written or {}
    if not written.get("attachments") and mentions_attachment(draft.subject, written.get("body") or ""):
        yield Doubt(
            "missing-attachment", "attachments", _("Your message mentions an attachment, but none is chosen.")
        )


def typo(context: Any, draft: Draft | Entered) -> Iterator[Doubt]:
    """The domain of a recipient looks like a well-known one."""
    for field, addr_spec in _recipients(draft):
        if meant := typo_of(addr_spec):
            mapping = {"address": addr_spec, "suggestion": meant}
            message = _("${address}: did you mean ${suggestion}?", mapping=mapping)
            yield Doubt("typo", field, message, addr_spec, meant)


def came_back(context: Any, draft: Draft | Entered) -> Iterator[Doubt]:
    """Mail to a recipient keeps coming back."""
    for field, addr_spec in _recipients(draft):
        if found := times_of(addr_spec):
            mapping = {"address": addr_spec, "count": str(found.times), "date": readable_time(found.at)}
            message = _(
                "E-mails to ${address} came back ${count} times, the last on ${date}.", mapping=mapping
            )
            yield Doubt("came-back", field, message, addr_spec)


def outside_contacts(context: Any, draft: Draft | Entered) -> Iterator[Doubt]:
    """A recipient is no contact of the document, and no colleague."""
    sending: Any = ISendingContext(context)
    known = sending.known_addresses()
    if not known:
        return
    directory: Any = IDirectory(getSite())
    own = identities(draft.userid, settings())
    known = known.union(
        address.lower() for each in own for address in (each.address.addr_spec, each.service_address)
    )
    for field, addr_spec in _recipients(draft):
        if addr_spec.lower() not in known and not directory.agent_userid(addr_spec):
            message = _(
                "${address} is not among the contacts of this document.", mapping={"address": addr_spec}
            )
            yield Doubt("outside-contacts", field, message, addr_spec)


def sent_already(context: Any, draft: Draft | Entered) -> Iterator[Doubt]:
    """The same user sent the same e-mail from the same document a few minutes ago."""
    box = outbox()
    for id in box.newest_ids_of_user(draft.userid, since=now() - TWICE_WITHIN):
        record = box.get(id)
        if (
            record.document == draft.document
            and record.subject == draft.subject
            and _addr_specs(record) == _addr_specs(draft)
            and record.in_state(*TAKEN, *WAITING)
        ):
            yield Doubt(
                "sent-already",
                "subject",
                _("You sent an e-mail with this subject to the same recipients less than ten minutes ago."),
            )
            return


def image_left_out(context: Any, draft: Draft | Entered) -> Iterator[Doubt]:
    """The text shows an image of the site that does not go along."""
    if draft.left_out:
        names = ", ".join(address.partition("/@@")[0].rpartition("/")[2] for address in draft.left_out)
        message = _(
            "An image in the text stays in iA.docs, and recipients will not see it: ${images}. It is too large, you may not see "
            "it, or it is no longer there. Take it out, or attach it as a file.",
            mapping={"images": names},
        )
        yield Doubt("image-left-out", "body", message)


def no_text(context: Any, draft: Draft | Entered) -> Iterator[Doubt]:
    """There is no text, or only the signature; an image counts by its description."""
    values = settings()
    signatures = (signature(each, values) for each in identities(draft.userid, values))
    if _words((draft.written or {}).get("body") or "") in ("", *map(_words, signatures)):
        yield Doubt("no-text", "body", _("Your message has no text."))


CHECKS = (typo, came_back, outside_contacts, missing_attachment, image_left_out, no_text, sent_already)


def _recipients(draft: Draft | Entered | OutgoingMessage) -> list[tuple[str, str]]:
    return [(field, address.addr_spec) for field in ("to", "cc", "bcc") for address in getattr(draft, field)]


def _words(html: str) -> str:
    return " ".join(_WORD.findall(html_to_text(html)))


def _addr_specs(message: Draft | Entered | OutgoingMessage) -> set[str]:
    return {addr_spec.lower() for _field, addr_spec in _recipients(message)}
