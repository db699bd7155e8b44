"""Saves what an agent is writing: ``@@mailbridge-save-draft``, which the compose page posts its fields to."""

from imio.mailbridge.browser.beginning import posted_fields
from imio.mailbridge.browser.form_token import has_token
from imio.mailbridge.i18n import _
from imio.mailbridge.outbox.permission import check_may_send
from imio.mailbridge.outbox.saved_drafts import ChangedElsewhere
from imio.mailbridge.outbox.saved_drafts import draft_of
from imio.mailbridge.outbox.saved_drafts import save_draft
from imio.mailbridge.outbox.saved_drafts import TooLarge
from imio.mailbridge.outbox.submission import known_submission
from imio.mailbridge.outbox.submission import next_submission
from imio.mailbridge.outbox.submission import submitted
from imio.mailbridge.settings.clock import readable_time
from plone import api
from plone.uuid.interfaces import IUUID
from Products.Five.browser import BrowserView
from zExceptions import NotFound
from zope.i18n import translate
import json


TOO_LARGE = _(
    "Not saved as a draft: the text is too large. Attach large images as files instead of pasting them into it."
)


def saved_message(draft):
    """Return the line that says that a draft is saved."""
    return _("Draft saved: ${time}.", mapping={"time": readable_time(draft.saved_at)})


class SaveDraft(BrowserView):
    """Answers in JSON: 200 with ``revision``, 409 if the draft changed elsewhere or was sent, 403, 413; all with ``message``."""

    def __call__(self):
        check_may_send(self.context)
        if self.request.method != "POST":
            raise NotFound("mailbridge-save-draft")
        if not has_token(self.request):
            return self._answer(403, _("Not saved: your session had changed."))
        form = self.request.form
        userid, document = api.user.get_current().getId(), IUUID(self.context)
        given = _text(form, "mailbridge.submission")
        sent = submitted(known_submission(userid, document, given)) if given else None
        based_on = _text(form, "mailbridge.revision").partition(" ")[0]
        try:
            if sent is not None:
                message = _(
                    "This e-mail was sent at ${time}. What has been written here since then is not saved as a draft.",
                    mapping={"time": readable_time(sent.created)},
                )
                present = draft_of(userid, document)
                return self._changed(message, present.revision if present else "", userid, document)
            draft = save_draft(
                userid, document, posted_fields(form), based_on, _text(form, "mailbridge.next")
            )
        except ChangedElsewhere as changed:
            present = changed.draft
            if present is None:
                message = _(
                    "This draft was deleted or sent in another window. What is written here is not saved."
                )
                return self._changed(message, "", userid, document)
            message = _(
                "This draft was changed in another window: ${time}. What is written here is not saved.",
                mapping={"time": readable_time(present.saved_at)},
            )
            return self._changed(message, present.revision, userid, document)
        except TooLarge:
            return self._answer(413, TOO_LARGE)
        return self._answer(200, saved_message(draft), revision=draft.revision)

    def _changed(self, message, revision, userid, document):
        """Answer 409, with what a save that is to replace the present draft has to be based on."""
        submission = next_submission(userid, document)
        return self._answer(409, message, revision=revision, submission=submission)

    def _answer(self, status, message, **values):
        self.request.response.setStatus(status)
        self.request.response.setHeader("Content-Type", "application/json")
        self.request.response.setHeader("Cache-Control", "no-store")
        return json.dumps({"message": translate(message, context=self.request), **values})


def _text(form, name):
    value = form.get(name)
    return value if isinstance(value, str) else ""
