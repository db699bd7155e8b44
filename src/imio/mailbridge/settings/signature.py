"""Renders the signature that an administrator typed: a page template that sees the given names and nothing of Zope.

It is shown to others, who may have more rights than the administrator, and in the midst of their requests.
"""

from collections.abc import Mapping
from imio.mailbridge.settings.expression import ENGINE
from imio.mailbridge.settings.expression import rights_of_nobody
from Products.PageTemplates.PageTemplate import PageTemplate
from typing import Any


#: What a template can name, with an example of each value.
EXAMPLE = {
    "sender": {
        "name": "Al Bert",
        "firstname": "Al",
        "lastname": "Bert",
        "address": "al.bert@maville.be",
        "function": "Employé",
        "service": "Administration générale",
        "service_address": "administration@maville.be",
        "services": ["Administration générale"],
        "phone": "081 12 34 56",
        "street": "Place Communale",
        "number": "1",
        "zip_code": "5000",
        "city": "Maville",
    },
    "user": {"id": "albert", "fullname": "Al Bert", "email": "al.bert@maville.be"},
}


class _Template(PageTemplate):
    """A page template that belongs to no site and no request."""

    def pt_getEngine(self) -> Any:
        """Return the engine of the conditions."""
        return ENGINE

    def pt_getContext(self) -> dict[str, Any]:
        """Return nothing under the names that the template language has of its own."""
        return dict.fromkeys(("macros", "modules", "request", "template"))


def render(template: str, names: Mapping[str, Any]) -> str:
    """Return the HTML of ``template``; ``names`` has the keys of ``EXAMPLE``. Errors: whatever the template raises."""
    if "<?" in template:
        raise ValueError(
            "<? is not allowed"
        )  # Zope takes code blocks out in one pass, which can leave another
    page = _Template()
    page.pt_edit(template, "text/html")
    with rights_of_nobody():
        return str(page.pt_render(extra_context=names))
