"""The page ``@@mailbridge-hand-in`` and the drop area that other pages include: message files are filed from the desktop."""

from AccessControl import getSecurityManager
from AccessControl import Unauthorized
from imio.mailbridge.browser import titles
from imio.mailbridge.browser.button_page import ButtonPage
from imio.mailbridge.browser.form_token import STALE
from imio.mailbridge.browser.inbox_access import own_addresses
from imio.mailbridge.i18n import _
from imio.mailbridge.iadocs import names
from imio.mailbridge.inbound.hand_in import hand_in
from imio.mailbridge.inbound.reasons import reason_texts
from imio.mailbridge.inbound.receive import Refused
from imio.mailbridge.outbox.visibility import visible_content
from plone import api
from plone.app.layout.viewlets.common import ViewletBase
from Products.Five.browser import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from transaction.interfaces import TransientError
from typing import NamedTuple
from zExceptions import NotFound
from zope.component.hooks import getSite
import logging
import transaction


HAND_IN = "imio.mailbridge: Hand in mail"
NO_FILE = _("Choose at least one file first: a message saved as .eml or .msg.")
BUSY = _(
    "Too much was being saved at the same time, so this file was not filed. Hand it in again in a moment: nothing is filed "
    "twice."
)
FAULT = _(
    "This file was not filed, because of a fault in iA.docs. Hand it in again later; if this happens again, tell an "
    "administrator."
)

logger = logging.getLogger(__name__)


class Link(NamedTuple):
    """A link to what was made of a file."""

    title: str
    url: str


class Result(NamedTuple):
    """What became of one file: ``says`` are words for it, ``kind`` a contextual colour of Bootstrap."""

    name: str
    kind: str
    says: str
    links: tuple[Link, ...] = ()


def incoming_folder():
    """Return the folder of incoming mail if the current user may hand mail in there, or None."""
    folder = getSite().get(names.INCOMING_FOLDER)
    may = folder is not None and getSecurityManager().checkPermission(HAND_IN, folder)
    return folder if may else None


class DropArea(BrowserView):
    """A form for files, as part of another page; an empty text for users who may not hand mail in."""

    area = ViewPageTemplateFile("templates/drop_area.pt")
    results_list = ViewPageTemplateFile("templates/hand_in_results.pt")
    results = ()

    def __call__(self):
        self.folder = incoming_folder()
        return self.area() if self.folder is not None else ""

    @property
    def url(self):
        """Return where files are handed in."""
        return f"{self.folder.absolute_url()}/@@mailbridge-hand-in"

    @property
    def shown_page(self):
        """Return the address of the page around, whose list is shown again when all files are through."""
        query = self.request.get("QUERY_STRING") or ""
        return f"{self.request['ACTUAL_URL']}?{query}" if query else self.request["ACTUAL_URL"]

    @property
    def script(self):
        """Return the address of the script."""
        return f"{api.portal.get().absolute_url()}/++resource++imio.mailbridge/hand_in.js"


class HandIn(ButtonPage):
    """The page: without JavaScript all files come in one request; with it each in its own (``part``), answered by its result."""

    buttons = {"hand_in": "_hand_in"}

    def __call__(self):
        site, place = getSite(), self.context.getPhysicalPath()
        if place not in (site.getPhysicalPath(), (*site.getPhysicalPath(), names.INCOMING_FOLDER)):
            raise NotFound("mailbridge-hand-in")
        if incoming_folder() is None:
            raise Unauthorized(f"This needs the permission “{HAND_IN}” on the folder of incoming mail.")
        self.area = DropArea(self.context, self.request)
        return super().__call__()

    @property
    def is_part(self):
        """Tell whether the script asks, which wants the results alone."""
        return "part" in self.request.form

    def _say(self, message, kind="info"):
        if not self.is_part:
            super()._say(message, kind)

    def _give_back(self):
        self.area.results = [Result(_name(file), "danger", STALE) for file in self._files()]
        return self._show()

    def _show(self):
        return self.area.results_list() if self.is_part else self.index()

    def _files(self):
        found = self.request.form.get("file") or ()
        files = found if isinstance(found, list | tuple) else (found,)
        return [file for file in files if hasattr(file, "read") and (file.filename or "").strip()]

    def _hand_in(self):
        files = self._files()
        if not files:
            self._say(NO_FILE, "warning")
        self.area.results = [self._result(file) for file in files]
        return self._show()

    def _result(self, file):
        """File one message, whatever became of the others; return what became of it."""
        name, addresses = _name(file), own_addresses()
        try:
            record, known = hand_in(
                file, api.user.get_current().getId(), next(iter(addresses), ""), self.settings
            )
        except Refused as refused:
            return Result(name, "danger", refused.message)
        except TransientError:
            transaction.abort()
            return Result(name, "warning", BUSY)
        except Exception:
            transaction.abort()
            logger.exception("a file that was handed in could not be kept")
            return Result(name, "danger", FAULT)
        return self._filed(name, record, known)

    def _filed(self, name, record, known):
        links = tuple(Link(brain.Title, f"{brain.getURL()}/view") for brain in visible_content(record.items))
        if record.state == "filed":
            if known:
                says = _("Already known") if links else _("Already known, in a document that you may not see")
                return Result(name, "info", says, links)
            return Result(
                name,
                "success",
                _("Filed") if links else _("Filed, in a document that you may not see"),
                links,
            )
        if record.state == "recorded":
            return Result(
                name,
                "info" if known else "success",
                _(
                    "Noted on the e-mail that it is about: ${what}",
                    mapping={"what": api.portal.translate(titles.TRANSFER.get(record.transfer, ""))},
                ),
            )
        if record.state == "received":
            return Result(name, "info", _("Received: it is filed in about a minute."))
        if record.state == "discarded":
            return Result(
                name, "warning", _("A mail manager discarded this message, so it was not filed again.")
            )
        sentence = api.portal.translate(reason_texts(record.reason, record.evidence)[0])
        return Result(
            name,
            "warning",
            _(
                "Kept, but not filed: a mail manager decides. ${reason}",
                mapping={"reason": sentence},
            ),
            (
                Link(
                    record.subject or name,
                    f"{api.portal.get().absolute_url()}/@@mailbridge-inbox-message?id={record.id}",
                ),
            ),
        )


class DropViewlet(ViewletBase):
    """The drop area above the list of incoming mail and of its periods."""

    def available(self):
        """Tell whether the list is shown to somebody who may hand mail in."""
        base = (*getSite().getPhysicalPath(), names.INCOMING_FOLDER)
        path = self.context.getPhysicalPath()
        state = self.context.restrictedTraverse("@@plone_context_state")
        return path[: len(base)] == base and len(path) <= len(base) + 1 and state.is_view_template()

    def render(self):
        """Return the drop area, or an empty text."""
        return DropArea(self.context, self.request)() if self.available() else ""


def _name(file):
    """Return the name that the browser gave a file, without its folders, as one short line."""
    name = " ".join(str(file.filename).replace("\\", "/").rpartition("/")[2].split())
    return "".join(letter for letter in name if letter.isprintable())[:150]
