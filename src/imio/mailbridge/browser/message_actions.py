"""``POST @@mailbridge-message``: the buttons of outgoing messages, in timelines and lists."""

from imio.mailbridge.browser.button_page import ButtonPage
from imio.mailbridge.browser.resubmit import may_decide
from imio.mailbridge.i18n import _
from imio.mailbridge.outbox import actions
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.visibility import is_manager
from imio.mailbridge.outbox.visibility import visible_content
from plone import api
from zExceptions import NotFound


TOO_LATE = _("Too late: the e-mail is already going out, or has gone.")


class MessageActions(ButtonPage):
    """The buttons; a message that the user may not know of is not found."""

    #: name → the function that it calls, the message when it is done, the message when it is impossible
    buttons = {
        "undo": (
            actions.cancel,
            _("The e-mail did not go out. Change it and send it again, or leave this page."),
            TOO_LATE,
        ),
        "send_now": (actions.send_now, _("The e-mail is going out now."), TOO_LATE),
        "retry": (
            actions.retry,
            _("The e-mail is on its way again."),
            _("There is no recipient left to retry."),
        ),
        "cancel": (
            actions.cancel,
            _("The e-mail has been cancelled for everyone it had not been sent to yet."),
            TOO_LATE,
        ),
    }

    def _show(self):
        raise NotFound("mailbridge-message")

    def _find_target(self, name):
        self.record = outbox().get(self.entered(name))
        if self.record is None or not may_decide(self.record):
            raise NotFound("mailbridge-message")

    def _give_back(self):
        return self.request.response.redirect(self._url_after(undone=False))

    def _press(self, name):
        action, done, impossible = self.buttons[name]
        if possible := action(self.record):
            self._say(done)
        else:
            self._say(impossible, "warning")
        return self.request.response.redirect(self._url_after(undone=possible and name == "undo"))

    def _url_after(self, undone):
        record = self.record
        site, back = api.portal.get().absolute_url(), self.entered("back")
        if back == "outbox" and is_manager():
            return f"{site}/@@mailbridge-outbox-message?id={record.id}"
        document = next((brain.getURL() for brain in visible_content([record.document])), "")
        if undone and document and record.written is not None:
            return f"{document}/@@send-email?edit={record.id}"
        return f"{document}/view" if document and back != "mine" else f"{site}/@@my-emails"
