"""Lets plone.registry keep tables: a row is stored with a persistent copy of its field.

collective.z3cform.datagridfield offers a field that is persistent itself, for use in the schema. But a schema is shared by all
threads: the one field would belong to the ZODB connection that saw it first, and fail in the others.
"""

from collective.z3cform.datagridfield.interfaces import IRow
from collective.z3cform.datagridfield.registry import DictRow
from plone.registry.field import DisallowedProperty
from plone.registry.field import StubbornProperty
from plone.registry.interfaces import IPersistentField
from typing import Any
from zope.component import adapter
from zope.interface import implementer


@implementer(IPersistentField)
@adapter(IRow)
def persistent_row(field: Any) -> Any:
    """Return a persistent field with the properties of ``field`` that plone.registry keeps."""
    if IPersistentField.providedBy(field):
        return field
    dropped = {*DisallowedProperty.uses, *StubbornProperty.uses}
    copy = DictRow.__new__(DictRow)
    copy.__dict__.update({name: value for name, value in field.__dict__.items() if name not in dropped})
    return copy
