"""Renders the signature that an administrator typed: a page template, with the rights of nobody.

It is shown to others, who may have more rights than the administrator: so it reaches only what it is given, and what anybody may
see.
"""

from AccessControl.SecurityManagement import getSecurityManager
from AccessControl.SecurityManagement import newSecurityManager
from AccessControl.SecurityManagement import setSecurityManager
from AccessControl.SpecialUsers import nobody
from collections.abc import Mapping
from Products.PageTemplates.ZopePageTemplate import ZopePageTemplate
from typing import Any
from zope.component.hooks import getSite


#: What a template can name, with an example of each value.
EXAMPLE = {
    "sender": {
        "name": "Al Bert",
        "address": "al.bert@maville.be",
        "function": "Employé",
        "service": "Administration générale",
        "service_address": "administration@maville.be",
        "phone": "081 12 34 56",
    },
    "user": {"id": "albert", "fullname": "Al Bert", "email": "al.bert@maville.be"},
}


def render(template: str, names: Mapping[str, Any]) -> str:
    """Return the HTML of ``template``; ``names`` has the keys of ``EXAMPLE``. Errors: whatever the template raises."""
    rights = getSecurityManager()
    newSecurityManager(None, nobody)
    try:
        return str(ZopePageTemplate("signature", template).__of__(getSite()).pt_render(extra_context=names))
    finally:
        setSecurityManager(rights)
