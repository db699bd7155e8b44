"""``GET <site>/@mail-in`` lists, ``/<id>`` gives one, ``/<id>/source`` its original bytes."""

from imio.mailbridge.i18n import _
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.source import DELETED
from imio.mailbridge.inbound.source import source
from imio.mailbridge.restapi.listing import batch
from imio.mailbridge.restapi.mailin.serialize import record_json
from imio.mailbridge.restapi.path_service import PathService
from imio.mailbridge.restapi.path_service import Refusal


class MailInGet(PathService):
    """For managers of mail."""

    def render(self):
        """Stream the source without the JSON renderer."""
        if len(self.params) == 2 and self.params[1] == "source":
            record = inbox().get(self.params[0])
            if record is not None and record.raw is not None:
                return source(record, self.request.response)
        return super().render()

    def answer(self):
        """Return the list or the record."""
        if not self.params:
            return self._list()
        record = inbox().get(self.params[0])
        if record is not None and self.params[1:] == ["source"]:
            raise Refusal(410, DELETED)
        if record is None or len(self.params) > 1:
            raise Refusal(404, _("There is no such message."))
        return record_json(record, self.request)

    def _list(self):
        box = inbox()
        form = self.request.form
        wanted = (form.get("state"), form.get("transfer"))
        cells = box.listing.cells(where=lambda cell: all(map(_fits, cell, wanted)))
        found = box.in_cells(cells) if any(wanted) else box.everything()
        return batch(self.request, found, lambda record: record_json(record, self.request))


def _fits(facet, wanted):
    return not wanted or facet == wanted
