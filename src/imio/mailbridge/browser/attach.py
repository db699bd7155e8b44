"""Attaches files from the agent's own computer: ``@@mailbridge-attach``, or the file field of the compose form without scripts.

A file goes with the message only, or becomes an appendix of the document where the user may add one.
"""

from AccessControl import Unauthorized
from functools import cached_property
from functools import partial
from imio.mailbridge.browser.beginning import own_identity
from imio.mailbridge.browser.form_token import has_token
from imio.mailbridge.browser.form_token import STALE
from imio.mailbridge.i18n import _
from imio.mailbridge.message.syntax.filename import safe_filename
from imio.mailbridge.message.syntax.filename import type_by_name
from imio.mailbridge.outbox.draft_files import add_file
from imio.mailbridge.outbox.draft_files import MAX_FILES
from imio.mailbridge.outbox.draft_files import MAX_SIZE
from imio.mailbridge.outbox.draft_files import TooMuch
from imio.mailbridge.outbox.permission import check_may_send
from imio.mailbridge.outbox.sender import identities
from imio.mailbridge.ports.sending import ISendingContext
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.size import name_and_size
from imio.mailbridge.settings.size import readable_size
from imio.mailbridge.store.commit import committed
from plone import api
from plone.uuid.interfaces import IUUID
from Products.Five.browser import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from transaction.interfaces import TransientError
from zExceptions import NotFound
from zope.i18n import translate
import json


FIELD = "form.widgets.attachments"
#: Where a file is kept that also becomes an appendix; otherwise it goes with the message only.
DOCUMENT = "document"
BUSY = _("${name} was not attached: too much was being saved at the same time. Try again in a moment.")
NOT_ALLOWED = _(
    "${name} was not attached: you may not add files to this document. Attach it to the message only."
)
TOO_MUCH = _("${name} was not attached: one e-mail may carry at most ${count} files and ${size}.")
TOO_LARGE = _(
    "${name} was not attached: its size is ${size}, and e-mails from this sender may carry at most ${limit}."
)
EMPTY = _("${name} was not attached: it is empty.")


class NotAttached(Exception):
    """A file was refused; ``sentence`` says why."""

    def __init__(self, sentence, **variables):
        super().__init__(sentence)
        self.sentence = _(sentence, mapping=variables)


def limit_of(identity, values):
    """Return how many bytes of files an e-mail under an identity takes; 0: no limit is known."""
    account = values.account_for(identity.address.addr_spec) if identity is not None else None
    return account.attachment_limit if account is not None else 0


def uploads(value):
    """Return the files of a form field: browsers send an empty one where none is chosen."""
    files = value if isinstance(value, list | tuple) else (value,)
    return [file for file in files if hasattr(file, "read") and (file.filename or "").strip()]


def attach(context, userid, file, place, limit):
    """Keep one uploaded file and commit; return its ``FileReference``. Errors: ``NotAttached``."""
    name = safe_filename(str(file.filename))
    size = file.seek(0, 2) or file.tell()
    if not size:
        raise NotAttached(EMPTY, name=name)
    if limit and size > limit:
        raise NotAttached(TOO_LARGE, name=name, size=readable_size(size), limit=readable_size(limit))
    try:
        return committed(partial(_keep, context, userid, file, place))
    except Unauthorized:
        raise NotAttached(NOT_ALLOWED, name=name) from None
    except TooMuch:
        raise NotAttached(TOO_MUCH, name=name, count=MAX_FILES, size=readable_size(MAX_SIZE)) from None
    except TransientError:
        raise NotAttached(BUSY, name=name) from None


def _keep(context, userid, file, place):
    file.seek(0)
    if place != DOCUMENT:
        return add_file(userid, IUUID(context), file.filename, file).reference
    name = safe_filename(str(file.filename), "", file.read(4096))
    file.seek(0)
    return ISendingContext(context).add_file(name, type_by_name(name), file)


class FileForm:
    """Mixin of the form: files that are posted with it are kept and ticked, whichever button was pressed."""

    file_problems = ()
    file_choice = ViewPageTemplateFile("templates/attach.pt")

    def take_files(self):
        """Keep the files that the form was posted with; what was refused keeps the e-mail from leaving."""
        form = self.request.form
        files = uploads(form.pop("mailbridge.file", None))
        if not files or not has_token(self.request):
            return
        sender = form.get("form.widgets.sender")
        identity = own_identity(
            self.own_identities, sender[0] if isinstance(sender, list) and sender else sender
        )
        ticked = form.get(FIELD) or []
        ticked = [ticked] if isinstance(ticked, str) else list(ticked)
        problems = []
        for file in files:
            try:
                place, limit = form.get("mailbridge.place"), limit_of(identity, self.settings)
                ticked.append(attach(self.context, self.userid, file, place, limit).uid)
            except NotAttached as refused:
                problems.append(translate(refused.sentence, context=self.request))
        form[FIELD], form[f"{FIELD}-empty-marker"] = ticked, "1"
        self.file_problems = problems

    @cached_property
    def may_add_file(self):
        """Whether the user may add a file to the document."""
        return ISendingContext(self.context).may_add_file()

    def file_limits(self):
        """Return uid of a sender → ``limit_of`` and how it is said, as JSON, for the script of the page."""
        limits = {each.uid: limit_of(each, self.settings) for each in self.own_identities}
        return json.dumps(
            {uid: {"bytes": limit, "says": self.says_limit(limit)} for uid, limit in limits.items()}
        )

    def says_limit(self, limit=None):
        """Return the sentence on how large the files may be."""
        if limit is None:
            sender = self.widgets["sender"].value
            limit = limit_of(own_identity(self.own_identities, next(iter(sender or ()), "")), self.settings)
        mapping = {"limit": readable_size(limit or MAX_SIZE)}
        return translate(_("At most ${limit} in total.", mapping=mapping), context=self.request)


class Attach(BrowserView):
    """Answers in JSON: 200 with ``uid`` and ``title`` of the file; 400, 403 with ``message``."""

    def __call__(self):
        check_may_send(self.context)
        if self.request.method != "POST":
            raise NotFound("mailbridge-attach")
        if not has_token(self.request):
            return self._answer(403, message=STALE)
        form, userid = self.request.form, api.user.get_current().getId()
        files = uploads(form.get("file"))
        if len(files) != 1:
            return self._answer(400, message=_("Choose a file first."))
        values = settings()
        identity = own_identity(identities(userid, values), form.get("sender"))
        try:
            file = attach(self.context, userid, files[0], form.get("place"), limit_of(identity, values))
        except NotAttached as refused:
            return self._answer(400, message=refused.sentence)
        return self._answer(200, uid=file.uid, title=name_and_size(file.filename, file.size))

    def _answer(self, status, message="", **values):
        self.request.response.setStatus(status)
        self.request.response.setHeader("Content-Type", "application/json")
        self.request.response.setHeader("Cache-Control", "no-store")
        return json.dumps({"message": translate(message, context=self.request), **values})
