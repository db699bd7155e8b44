"""What does a person do with an own message? The buttons of timelines and lists, ``POST @@mailbridge-message``."""

from imio.mailbridge.browser.resubmit import may_act
from imio.mailbridge.i18n import _
from imio.mailbridge.outbox import actions as decide
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.visibility import is_manager
from imio.mailbridge.outbox.visibility import visible_content
from plone import api
from plone.protect import CheckAuthenticator
from Products.Five.browser import BrowserView
from zExceptions import NotFound


TOO_LATE = _("Too late: the e-mail is already leaving, or has left.")
#: name → what it does, what is said when it is done, what when it cannot be done
ACTIONS = {
    "undo": (
        decide.cancel,
        _("The e-mail did not leave. Change it and send it again, or leave this page."),
        TOO_LATE,
    ),
    "send_now": (decide.send_now, _("The e-mail leaves now."), TOO_LATE),
    "retry": (
        decide.retry,
        _("The e-mail is on its way again."),
        _("There is no recipient left to try again."),
    ),
    "cancel": (decide.cancel, _("The e-mail is cancelled for all who did not get it yet."), TOO_LATE),
}


class Act(BrowserView):
    """Only a POST with a token changes anything; who may not know of a message is told that there is none."""

    def __call__(self):
        form = self.request.form
        name = next((name for name in ACTIONS if name in form), None)
        record = outbox().get(form[name]) if name and isinstance(form[name], str) else None
        if self.request.method != "POST" or record is None or not may_act(record):
            raise NotFound("mailbridge-message")
        CheckAuthenticator(self.request)
        act, done, impossible = ACTIONS[name]
        possible = act(record)
        if possible:
            api.portal.show_message(done, self.request)
        else:
            api.portal.show_message(impossible, self.request, "warning")
        document = next((brain.getURL() for brain in visible_content([record.document])), "")
        site = api.portal.get().absolute_url()
        if form.get("back") == "outbox" and is_manager():
            return self.request.response.redirect(f"{site}/@@mailbridge-outbox-message?id={record.id}")
        mine = f"{site}/@@my-emails"
        if possible and name == "undo" and document and record.written is not None:
            return self.request.response.redirect(f"{document}/@@send-email?edit={record.id}")
        back = f"{document}/view" if document and form.get("back") != "mine" else mine
        return self.request.response.redirect(back)
