"""The widget for a list of addresses, and its completion ``@@mailbridge-complete`` from the directory."""

from imio.mailbridge.outbox.permission import check_may_send
from imio.mailbridge.ports.directory import IDirectory
from plone import api
from plone.app.z3cform.widgets.select import AjaxSelectWidget
from Products.Five.browser import BrowserView
from z3c.form.interfaces import IFieldWidget
from z3c.form.widget import FieldWidget
from zope.interface import implementer
import json


def widget_text(address):
    """Return ``addr-spec (name)``: the select2 pattern drops text in angle brackets and ends a value at ``;``."""
    if not address.display_name:
        return address.addr_spec
    name = address.display_name.translate(str.maketrans("()<>;\\", "[][],/"))
    return f"{address.addr_spec} ({name})"


def readable(address):
    """Return ``name <addr-spec>`` without the quotation marks and escapes of a header field."""
    name = address.display_name
    return f"{name} <{address.addr_spec}>" if name else address.addr_spec


class AddressesWidget(AjaxSelectWidget):
    """Any address may be typed; those of the directory are offered."""

    def get_vocabulary(self):
        """Return None: every text is accepted until the form is checked."""

    def get_pattern_options(self):
        """Return the options that make the select2 pattern ask our completion."""
        url = f"{self.form.context.absolute_url()}/@@mailbridge-complete"
        return {
            "separator": self.separator,
            "vocabularyUrl": url,
            "allowNewItems": "true",
            "selectOnBlur": True,
        }


@implementer(IFieldWidget)
def AddressesFieldWidget(field, request):
    """Return the widget for a field."""
    return FieldWidget(field, AddressesWidget(request))


class Complete(BrowserView):
    """Addresses of the directory that contain the query, in the format of the select2 pattern.

    The query itself comes last, marked ``typed``: the pattern would put it before the contacts.
    """

    def __call__(self):
        check_may_send(self.context)
        text = self.request.form.get("query", "")
        text = text.strip() if isinstance(text, str) else ""
        found = IDirectory(api.portal.get()).complete(text[:100]) if len(text) >= 2 else ()
        self.request.response.setHeader("Content-Type", "application/json")
        results = [{"id": item, "text": item} for item in map(widget_text, found)]
        total = len(results)
        if text and all(each["id"] != text for each in results):
            results.append({"id": text, "text": text, "typed": True})
        return json.dumps({"results": results, "total": total})
