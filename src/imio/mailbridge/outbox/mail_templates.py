"""Keeps the texts that a town writes once for its e-mails: templates of whole e-mails, and blocks of text.

Managers of mail write them. One of a service is offered to its agents, one of no service to all. ``revision`` names the present
content: who saves says on which revision the change is based, and is refused when somebody else saved in between.
"""

from BTrees.OOBTree import OOBTree
from dataclasses import dataclass
from imio.mailbridge.i18n import _
from imio.mailbridge.message.one_line import has_control
from imio.mailbridge.message.one_line import is_encodable
from imio.mailbridge.message.rendition.sanitise import clean_html
from imio.mailbridge.message.syntax.limits import TooComplex
from imio.mailbridge.outbox.merge_fields import template_problems
from imio.mailbridge.ports.directory import IDirectory
from imio.mailbridge.store.store import existing_store
from imio.mailbridge.store.store import now
from imio.mailbridge.store.store import SCHEMA
from imio.mailbridge.store.store import site_store
from persistent import Persistent
from typing import Any
from zope.component.hooks import getSite
import secrets


KEY = "imio.mailbridge.mail_templates"
TEMPLATE, BLOCK = KINDS = ("template", "block")
#: Characters of a name, a subject and a text.
MAX_NAME, MAX_SUBJECT, MAX_BODY = 100, 200, 200_000
MAX_TEMPLATES = 1000


class ChangedElsewhere(Exception):
    """The template is not the one that the change is based on; ``template`` is the present one, None if it was deleted."""

    def __init__(self, template: "MailTemplate | None") -> None:
        super().__init__(template)
        self.template = template


class Invalid(Exception):
    """The text cannot be saved; ``errors`` are (field, what is wrong with it)."""

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        super().__init__(errors)
        self.errors = errors


@dataclass(frozen=True)
class Content:
    """What a manager writes: ``service`` is a uid or empty, ``body`` HTML; a block has no subject."""

    kind: str
    name: str
    service: str
    subject: str
    body: str


class MailTemplate(Persistent):
    """One template or block; ``changed_at`` is aware, ``changed_by`` a userid."""

    def __init__(self, id: str) -> None:
        self.id = id
        self.revision = ""

    def put(self, content: Content, userid: str) -> None:
        """Take over what was written."""
        self.kind, self.name, self.service = str(content.kind), str(content.name), str(content.service)
        self.subject, self.body = str(content.subject), str(content.body)
        self.changed_at, self.changed_by = now(), str(userid)
        self.revision = secrets.token_hex(16)


class MailTemplates(Persistent):
    """All templates of a site, by id."""

    def __init__(self) -> None:
        self.schema = SCHEMA
        self.by_id = OOBTree()

    def __len__(self) -> int:
        return len(self.by_id)


def mail_template(id: object) -> MailTemplate | None:
    """Return a template or block, or None."""
    store = existing_store(KEY)
    found: MailTemplate | None = store.by_id.get(id) if store and isinstance(id, str) else None
    return found


def mail_templates() -> list[MailTemplate]:
    """Return all, templates before blocks, by name."""
    store = existing_store(KEY)
    found = list(store.by_id.values()) if store else []
    return sorted(found, key=lambda each: (KINDS.index(each.kind), each.name.casefold()))


def offered(userid: str) -> list[MailTemplate]:
    """Return those that a user may use: of no service, or of one that the user belongs to."""
    directory: Any = IDirectory(getSite())
    found = mail_templates()
    services = {each.service for each in found} - {""}
    own = {uid for uid in services if directory.is_member(userid, uid)}
    return [each for each in found if not each.service or each.service in own]


def save(content: Content, userid: str, id: str = "", based_on: str = "") -> MailTemplate:
    """Keep a new template, or change the one with this ``id``; return it. Errors: ``Invalid``; ``ChangedElsewhere``."""
    present = mail_template(id) if id else None
    if id and (present is None or present.revision != based_on):
        raise ChangedElsewhere(present)
    content = checked(content, id)
    store: MailTemplates = site_store(KEY, MailTemplates)
    template = present
    if template is None:
        template = MailTemplate(secrets.token_hex(8))
        store.by_id[template.id] = template
    template.put(content, userid)
    return template


def delete(id: str) -> bool:
    """Forget a template; tell whether there was one."""
    found = mail_template(id) is not None
    if found:
        del site_store(KEY, MailTemplates).by_id[id]
    return found


def checked(content: Content, id: str = "") -> Content:
    """Return what is kept of a text, with harmless HTML alone; errors: ``Invalid``, with all that is wrong."""
    errors: list[tuple[str, str]] = []
    name = content.name.strip()
    subject = content.subject.strip() if content.kind == TEMPLATE else ""
    others = [each for each in mail_templates() if each.id != id]
    if not name or has_control(name) or len(name) > MAX_NAME:
        errors.append(
            ("name", _("Enter a name of one line, at most ${count} characters.", mapping={"count": MAX_NAME}))
        )
    elif name.casefold() in {each.name.casefold() for each in others}:
        errors.append(("name", _("There is already a template or block with this name.")))
    elif not id and len(others) >= MAX_TEMPLATES:
        errors.append(("name", _("There are too many templates. Delete some first.")))
    if has_control(subject) or len(subject) > MAX_SUBJECT:
        mapping = {"count": MAX_SUBJECT}
        errors.append(
            ("subject", _("The subject must be one line of at most ${count} characters.", mapping=mapping))
        )
    errors += [("subject", problem) for problem in template_problems(subject)]
    body = _clean(content.body, errors)
    errors += [("body", problem) for problem in template_problems(body, is_html=True)]
    if errors:
        raise Invalid(errors)
    return Content(content.kind, name, content.service, subject, body)


def _clean(html: str, errors: list[tuple[str, str]]) -> str:
    if len(html) > MAX_BODY:
        errors.append(("body", _("The text is too large. Attach large images as files instead.")))
        return ""
    if "\0" in html or not is_encodable(html):
        errors.append(("body", _("The text of the message cannot be read.")))
        return ""
    try:
        body = clean_html(html).strip()
    except TooComplex:
        errors.append(("body", _("The layout of this text is too complex. Paste it without its formatting.")))
        return ""
    if not body:
        errors.append(("body", _("Enter a text.")))
    return body
