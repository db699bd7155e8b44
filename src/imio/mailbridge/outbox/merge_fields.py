"""The fields that a template can hold, such as ``{recipient.name}``: a closed list of names, filled in with plain text.

A field is a name in braces. There are no expressions, and a value is never looked through for fields again.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from html import unescape
from imio.mailbridge.i18n import _
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.one_line import one_line
from imio.mailbridge.message.secret_address import masked
from imio.mailbridge.message.syntax.address_list import typed_addresses
from imio.mailbridge.outbox.prefill import QUOTE_CLASS
from imio.mailbridge.ports.directory import Identity
from imio.mailbridge.ports.sending import ISendingContext
from imio.mailbridge.settings.clock import local_time
from imio.mailbridge.settings.clock import written_date
from imio.mailbridge.store.store import now
from plone import api
from typing import Any
import re


#: Name → what it means.
FIELDS = {
    "recipient.title": _("Title of the recipient, as the contact has it: Mrs, Mr"),
    "recipient.firstname": _("First name of the recipient"),
    "recipient.lastname": _("Last name of the recipient"),
    "recipient.name": _("Name of the recipient, or of the organization"),
    "recipient.organization": _("Organization in which the recipient has a position"),
    "recipient.address": _("E-mail address of the recipient"),
    "document.title": _("Subject of the document"),
    "document.reference": _("Our reference of the document"),
    "document.date": _("Date of the document: of the e-mail that came in, or of the mail that is sent"),
    "answered.title": _("Subject of the e-mail that is answered"),
    "answered.reference": _("Our reference of the e-mail that is answered"),
    "answered.date": _("Date on which the e-mail that is answered was written"),
    "answered.received": _("Date on which the e-mail that is answered came in"),
    "agent.name": _("Name of the sender"),
    "agent.function": _("Function of the sender"),
    "agent.phone": _("Phone of the sender"),
    "agent.address": _("E-mail address of the sender"),
    "service.name": _("Service of the sender"),
    "service.address": _("E-mail address of that service"),
    "today": _("Today's date"),
}

_BRACES = re.compile(r"\{([^{}]{0,80})\}")
#: What may stand in an e-mail only by mistake: what somebody else wrote may hold other braces.
_FIELD = re.compile(r"\{((?:recipient|document|answered|agent|service)\.\w{1,30}|today)\}")
_TAG = re.compile(r"""(<(?:"[^"]*"|'[^']*'|[^"'<>])*>)""")
_QUOTE = re.compile(rf"""<div\b[^<>]*\bclass="[^"<>]*\b{QUOTE_CLASS}\b""")


@dataclass(frozen=True)
class Missing:
    """Why a field cannot be filled in: a sentence with ``${field}``, and the values of its other variables."""

    sentence: str
    variables: tuple[tuple[str, str], ...] = ()

    def of(self, name: str) -> str:
        """Return the sentence about the field ``name``."""
        sentence: str = _(self.sentence, mapping={**dict(self.variables), "field": written(name)})
        return sentence


NO_RECIPIENT = _("The field ${field} needs a recipient: choose one recipient or remove the field.")
SEVERAL_RECIPIENTS = _(
    "The field ${field} needs one recipient, and there are several: choose one recipient or remove the field."
)
NOT_SAID = _(
    "The field ${field} is empty: there is no contact with the address ${address} that you may see, or it does not say this."
)
SEVERAL_CONTACTS = _("The field ${field} is not clear: several contacts have the address ${address}.")
NOT_IN_DOCUMENT = _("The field ${field} is empty in this document.")
NOTHING_ANSWERED = _("The field ${field} is empty: this document answers no e-mail that says it.")
SEVERAL_ANSWERED = _(
    "The field ${field} is not clear: this document answers several e-mails. Choose by hand what to write."
)
NOT_IN_RECORD = _("The field ${field} is empty: the record of the sender does not have it.")
UNKNOWN = _("There is no field ${field}. The list of fields is on this page.")
IN_LAYOUT = _(
    "The field ${field} is in a link, or part of it is formatted differently. Type it again, with the same formatting "
    "throughout."
)
STANDS = _("The field ${field} is still to be filled in: press “Fill in the fields”, or remove it.")

Value = str | Missing


def written(name: str) -> str:
    """Return a field as it stands in a text."""
    return f"{{{name}}}"


def typed_recipients(texts: Iterable[str]) -> list[Address]:
    """Return the recipients that stand in what was typed; what is no address is left out."""
    return [each for text in texts for each in typed_addresses(text) if isinstance(each, Address)]


def values(context: Any, identity: Identity | None, recipients: Iterable[Address]) -> dict[str, Value]:
    """Return what each field stands for in an e-mail from ``context``, written under ``identity`` to ``recipients``."""
    to = list(recipients)
    address = to[0] if len(to) == 1 else None
    sending: Any = ISendingContext(context)
    facts: Mapping[str, Iterable[str]] = sending.facts(address)
    said = {
        name: sorted({one_line(masked(text)).strip() for text in facts.get(name, ())} - {""})
        for name in FIELDS
    }
    for name, text in _of_sender(identity).items():
        said[name] = [text] if text else []
    said["today"] = [written_date(local_time(now()), language())]
    if address is not None:
        said["recipient.address"] = [address.addr_spec]
        said["recipient.name"] = (
            said["recipient.name"] or [address.display_name][: bool(address.display_name)]
        )
    return {
        name: said[name][0] if len(said[name]) == 1 else _missing(name, said[name], to) for name in FIELDS
    }


def fill_html(html: str, known: Mapping[str, Value]) -> tuple[str, list[str]]:
    """Return (the HTML with its fields filled in, a sentence for each that cannot be); the quoted message stays as it is."""
    own, quoted = _parted(html)
    problems: dict[str, str] = {}
    parts = [
        part
        if part.startswith("<")
        else _FIELD.sub(lambda found: _filled(found, known, problems, True), part)
        for part in _TAG.split(own)
    ]
    return "".join(parts) + quoted, list(problems.values())


def fill_text(text: str, known: Mapping[str, Value]) -> tuple[str, list[str]]:
    """Return the same of a plain text."""
    problems: dict[str, str] = {}
    return _FIELD.sub(lambda found: _filled(found, known, problems, False), text), list(problems.values())


def filled(subject: str, html: str, known: Mapping[str, Value]) -> tuple[str, str, list[str]]:
    """Return subject and HTML with their fields filled in, and a sentence, once, for each field that cannot be."""
    subject, missing = fill_text(subject, known)
    html, others = fill_html(html, known)
    return subject, html, list(dict.fromkeys((*missing, *others)))


def standing(text: str) -> list[str]:
    """Return the names of the fields that stand in a text or in HTML, but for the quoted message."""
    return list(dict.fromkeys(_FIELD.findall(_parted(text)[0])))


def blanked(text: str) -> str:
    """Return a text or HTML with an ellipsis for each field, to be measured before it is known who gets it."""
    return _FIELD.sub("…", text)


def problem_of(name: str, known: Mapping[str, Value]) -> str:
    """Return why a field that still stands in an e-mail keeps it from leaving."""
    value = known.get(name)
    return (
        value.of(name)
        if isinstance(value, Missing)
        else Missing(STANDS if name in FIELDS else UNKNOWN).of(name)
    )


def template_problems(text: str, *, is_html: bool = False) -> list[str]:
    """Return what is wrong with the fields of a template."""
    parts = _TAG.split(text) if is_html else [text]
    texts = [part for part in parts if not (is_html and part.startswith("<"))]
    names = dict.fromkeys(_BRACES.findall(unescape("".join(texts)) if is_html else text))
    whole = {name for part in texts for name in _FIELD.findall(part)}
    in_tags = [name for part in parts if part not in texts for name in _FIELD.findall(part)]
    in_layout = [name for name in names if name in FIELDS and name not in whole]
    return [
        *(Missing(UNKNOWN).of(name) for name in names if name not in FIELDS),
        *(Missing(IN_LAYOUT).of(name) for name in dict.fromkeys((*in_layout, *in_tags))),
    ]


def language() -> str:
    """Return the language in which dates are written: that of the site."""
    return str(api.portal.get_default_language())


def _of_sender(identity: Identity | None) -> dict[str, str]:
    if identity is None:
        return dict.fromkeys((name for name in FIELDS if name.startswith(("agent.", "service."))), "")
    return {
        "agent.name": identity.address.display_name,
        "agent.function": identity.function,
        "agent.phone": identity.phone,
        "agent.address": identity.address.addr_spec,
        "service.name": identity.service,
        "service.address": identity.service_address,
    }


def _missing(name: str, said: list[str], to: list[Address]) -> Missing:
    group = name.partition(".")[0]
    if group == "recipient":
        if len(to) != 1:
            return Missing(SEVERAL_RECIPIENTS if to else NO_RECIPIENT)
        return Missing(SEVERAL_CONTACTS if said else NOT_SAID, (("address", to[0].addr_spec),))
    if group == "answered" and said:
        return Missing(SEVERAL_ANSWERED)
    return Missing({"document": NOT_IN_DOCUMENT, "answered": NOTHING_ANSWERED}.get(group, NOT_IN_RECORD))


def _filled(found: re.Match[str], known: Mapping[str, Value], problems: dict[str, str], is_html: bool) -> str:
    value = known.get(found[1])
    if not isinstance(value, str):
        problems[found[1]] = problem_of(found[1], known)
        return found[0]
    return escape(value) if is_html else value


def _parted(html: str) -> tuple[str, str]:
    quote = _QUOTE.search(html)
    return (html[: quote.start()], html[quote.start() :]) if quote else (html, "")
