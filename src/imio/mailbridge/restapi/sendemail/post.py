"""``POST <content>/@send-email``: send, or say what would be sent (``dry_run``)."""

from imio.mailbridge.i18n import _
from imio.mailbridge.outbox.checks import doubts
from imio.mailbridge.outbox.permission import check_may_send
from imio.mailbridge.outbox.prepare import Invalid
from imio.mailbridge.outbox.prepare import prepare
from imio.mailbridge.outbox.submit import submit
from imio.mailbridge.restapi.busy import answer_busy
from imio.mailbridge.restapi.outbox.serialize import draft_json
from imio.mailbridge.restapi.outbox.serialize import message_json
from imio.mailbridge.store.commit import committed
from plone import api
from plone.protect.interfaces import IDisableCSRFProtection
from plone.restapi.deserializer import json_body
from plone.restapi.exceptions import DeserializationError
from plone.restapi.services import Service
from transaction.interfaces import TransientError
from zope.i18n import translate
from zope.interface import alsoProvides


class SendEmailPost(Service):
    """Store the message and answer; the worker sends it."""

    def reply(self):
        """Return 202 and the message, 200 for ``dry_run``, both with warnings, or 400 with every error."""
        check_may_send(self.context)
        alsoProvides(self.request, IDisableCSRFProtection)
        try:
            data = json_body(self.request)
        except DeserializationError:
            return self._refuse([("", _("The body of the request is not JSON."))])
        if not isinstance(data, dict):
            return self._refuse([("", _("The body of the request is not a JSON object."))])
        try:
            draft, found, record = (
                self._send(data) if data.get("dry_run") else committed(lambda: self._send(data))
            )
        except Invalid as invalid:
            return self._refuse(invalid.errors)
        except TransientError:
            return {"message": answer_busy(self.request)}
        warnings = [
            {
                "name": doubt.name,
                "field": doubt.field,
                "message": translate(doubt.message, context=self.request),
            }
            for doubt in found
        ]
        if record is None:
            return {**draft_json(draft), "warnings": warnings}
        self.request.response.setStatus(202)
        return {**message_json(record), "warnings": warnings}

    def _send(self, data):
        """Return the draft, the doubts about it, and its record; None for ``dry_run``."""
        draft = prepare(self.context, api.user.get_current().getId(), data)
        found = doubts(self.context, draft)
        return draft, found, None if data.get("dry_run") else submit(draft)

    def _refuse(self, errors):
        self.request.response.setStatus(400)
        return {
            "errors": [
                {"field": field, "message": translate(message, context=self.request)}
                for field, message in errors
            ]
        }
