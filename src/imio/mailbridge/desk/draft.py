"""Shows the e-mail that stands in the fields of an outgoing mail, as a received one is shown: nothing remote, nothing executed."""

from Acquisition import aq_base
from email.message import EmailMessage
from email.utils import format_datetime
from imio.mailbridge.browser.preview import lock
from imio.mailbridge.browser.preview import preview
from imio.mailbridge.desk.letter import text_heights
from imio.mailbridge.i18n import _
from imio.mailbridge.iadocs import names
from imio.mailbridge.message.parsing.parse import parse
from imio.mailbridge.outbox.visibility import is_manager
from imio.mailbridge.store.store import now
from io import BytesIO
from plone import api
from Products.Five.browser import BrowserView
from zExceptions import NotFound


_FIELDS = (
    ("email_sender", _("From")),
    ("email_recipient", _("To")),
    ("email_cc", _("Copy to")),
    ("email_bcc", _("Blind copy to")),
)


class Draft:
    """The e-mail fields of an outgoing mail."""

    def __init__(self, document):
        self.document = document
        self.subject = self._field("email_subject") or ""
        self.body = self._field("email_body")
        self.url = f"{document.absolute_url()}/@@mailbridge-draft"

    def _field(self, name):
        return getattr(aq_base(self.document), name, None)

    @property
    def exists(self):
        """Tell whether anything was written."""
        return bool(self.subject or self.has_text or self._field("email_recipient"))

    @property
    def has_text(self):
        """Tell whether there is a text."""
        return self.body is not None and bool((self.body.raw or "").strip())

    @property
    def rows(self):
        """Return (label, text) of sender and recipients; blind copies only for who may change them, and managers of mail."""
        hidden = () if self._sees_blind_copies() else ("email_bcc",)
        return [
            (label, self._field(name)) for name, label in _FIELDS if self._field(name) and name not in hidden
        ]

    def _sees_blind_copies(self):
        return is_manager() or api.user.has_permission("Modify portal content", obj=self.document)

    @property
    def attachments(self):
        """Return the uids of the files that are to go along."""
        return tuple(self._field("email_attachments") or ())

    @property
    def heights(self):
        """Return how many lines the text is high, about, on a screen and on a phone."""
        return text_heights((self.body.raw or "").encode("utf-8", "replace"))


class Frame(BrowserView):
    """The text of the e-mail, as an HTML document that fetches nothing."""

    def __call__(self):
        draft = Draft(self.context)
        if self.context.portal_type != names.OUTGOING_MAIL or not draft.has_text:
            raise NotFound("mailbridge-draft")
        message = EmailMessage()
        # what a message without these would be told of
        message["Date"], message["Message-ID"] = format_datetime(now()), "<draft@localhost>"
        message["Subject"] = " ".join((draft.subject or self.context.Title()).split())
        message.set_content(draft.body.output_relative_to(self.context), "html", cte="base64")
        lock(self.request)
        return preview(parse(BytesIO(message.as_bytes())))
