"""``POST <site>/@mail-in`` and ``POST <site>/@@mail-in`` deliver a message; ``POST <site>/@mail-in/<id>/…`` decides on one."""

from AccessControl import getSecurityManager
from contextlib import suppress
from imio.mailbridge.i18n import _
from imio.mailbridge.inbound import rate
from imio.mailbridge.inbound import review
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.receive import client_address
from imio.mailbridge.inbound.receive import Left
from imio.mailbridge.inbound.receive import receive
from imio.mailbridge.inbound.receive import Refused
from imio.mailbridge.inbound.receive import stated_size
from imio.mailbridge.outbox.visibility import is_manager
from imio.mailbridge.restapi.mailin.authenticate import token_id
from imio.mailbridge.restapi.mailin.serialize import delivery_json
from imio.mailbridge.restapi.mailin.serialize import items_json
from imio.mailbridge.restapi.mailin.serialize import left_json
from imio.mailbridge.restapi.mailin.serialize import record_json
from imio.mailbridge.restapi.path_service import PathService
from imio.mailbridge.restapi.path_service import Refusal
from imio.mailbridge.settings import tokens
from imio.mailbridge.settings.clock import local_time
from imio.mailbridge.settings.read import settings
from imio.mailbridge.store.commit import committed
from imio.mailbridge.store.store import now
from plone import api
from plone.protect.interfaces import IDisableCSRFProtection
from plone.restapi.deserializer import json_body
from plone.restapi.exceptions import DeserializationError
from Products.Five.browser import BrowserView
from transaction.interfaces import TransientError
from zope.interface import alsoProvides
import json


DELIVER = "imio.mailbridge: Deliver mail"
ACTIONS = {
    "replay": review.replay,
    "accept": review.accept,
    "discard": review.discard,
    "restore": review.restore,
}


def deliver(context, request):
    """Take a delivery; return (status, JSON). Errors: ``Refusal``.

    No form can send ``message/rfc822`` across sites, so no token is required.
    """
    if not getSecurityManager().checkPermission(DELIVER, context):
        raise _not_allowed(request)
    alsoProvides(request, IDisableCSRFProtection)
    values = settings()
    if seconds := _wait(context, request, values):
        request.response.setHeader("Retry-After", str(seconds))
        raise Refusal(429, _("Too much was handed over at once. Try again later."))
    day = local_time(now()).date()
    if (id := token_id(request)) and tokens.is_used_first(id, day):
        with suppress(TransientError):  # the next delivery notes it
            committed(lambda: tokens.note_use(id, day))
    try:
        status, record = receive(request, values)
    except Refused as refused:
        raise Refusal(refused.status, refused.message, **refused.facts) from refused
    if isinstance(record, Left):
        return status, left_json(record)
    return status, delivery_json(record, items_json(record.items))


def _wait(context, request, values):
    """Return in how many seconds this user or client may deliver again; 0 is now."""
    size = stated_size(request)
    return rate.wait(
        "/".join(context.getPhysicalPath()),
        getSecurityManager().getUser().getId(),
        rate.network(client_address(request)) or rate.network(request.getClientAddr()),
        values.max_size if size is None else min(size, values.max_size),
        values,
    )


def _not_allowed(request):
    if not api.user.is_anonymous():
        return Refusal(403, _("This user may not do this."))
    request.response.setHeader("WWW-Authenticate", 'Basic realm="iA.docs", charset="UTF-8"')
    return Refusal(401, _("Log in to do this: user name or password is missing or wrong."))


class MailInView(BrowserView):
    """``@@mail-in``, which pipes call: the same as the service, whatever the Accept header is."""

    def __call__(self):
        response = self.request.response
        response.setHeader("Content-Type", "application/json")
        try:
            if self.request.method != "POST":
                response.setHeader("Allow", "POST")
                raise Refusal(405, _("Only POST delivers a message."))
            status, body = deliver(self.context, self.request)
        except Refusal as refusal:
            status, body = refusal.status, refusal.body(self.request)
        response.setStatus(status, lock=True)
        return json.dumps(body)


class MailInPost(PathService):
    """Deliver, or decide on a record."""

    def answer(self):
        """Return the answer to a pipe, or the record after the decision."""
        if self.params:
            return self._decide()
        status, body = deliver(self.context, self.request)
        self.request.response.setStatus(status)
        return body

    def _decide(self):
        if not is_manager():
            raise _not_allowed(self.request)
        record = inbox().get(self.params[0])
        if len(self.params) != 2 or record is None or self.params[1] not in ACTIONS:
            raise Refusal(404, _("There is no such message."))
        alsoProvides(self.request, IDisableCSRFProtection)
        try:
            data = json_body(self.request)
        except DeserializationError:
            data = None
        if not isinstance(data, dict):
            raise Refusal(400, _("The body of the request is not a JSON object."))
        try:
            ACTIONS[self.params[1]](record, data)
        except review.NotPossible as error:
            raise Refusal(error.status, error.message) from error
        return record_json(record, self.request)
