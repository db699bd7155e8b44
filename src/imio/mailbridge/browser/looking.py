"""``POST @@mailbridge-looking``: a page says which message a manager looks at, and learns who else does.

``waits`` is 1 where the page shows the buttons of a message that waits for a decision.
"""

from imio.mailbridge.browser.form_token import has_token
from imio.mailbridge.browser.message_summary import user_name
from imio.mailbridge.i18n import _
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.looking import look
from imio.mailbridge.inbound.looking import others_looking
from imio.mailbridge.inbound.review import first_decision
from plone import api
from Products.Five.browser import BrowserView
from zExceptions import Forbidden
from zExceptions import NotFound
import json


class Looking(BrowserView):
    """Answers with the sentences of ``said_of`` as a JSON list. Errors: ``NotFound``, ``Forbidden`` without a token."""

    def __call__(self):
        id = self.request.form.get("id")
        record = inbox().get(id) if isinstance(id, str) else None
        if record is None or self.request.method != "POST":
            raise NotFound("id")
        if not has_token(self.request):
            raise Forbidden("token")
        look(api.user.get_current().getId(), record.id)
        self.request.response.setHeader("Content-Type", "application/json")
        language = api.portal.get_current_language()
        said = said_of(record, self.request.form.get("waits") == "1")
        return json.dumps([api.portal.translate(text, lang=language) for text in said])


def said_of(record, waited):
    """Return in sentences who else looks at a message and, where it waited on the page, what was decided about it since."""
    users = others_looking(record.id, api.user.get_current().getId())
    said = [_("${who} is looking at this message.", mapping={"who": user_name(user)}) for user in users]
    first = first_decision(record) if waited else ""
    return [*said, first] if first else said
