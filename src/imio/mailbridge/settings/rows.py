"""The rows of the tables in the settings, as fields: what a row may hold, and how plone.registry keeps that.

A schema is shared by all threads: a persistent field in it would belong to the ZODB connection that saw it first, and fail in the
others. So the registry gets a persistent copy, as it does of every other field.
"""

from collections.abc import Mapping
from plone.registry.field import DisallowedProperty
from plone.registry.field import PersistentField
from plone.registry.field import StubbornProperty
from plone.registry.interfaces import IPersistentField
from typing import Any
from zope.component import adapter
from zope.interface import implementer
from zope.schema import getFields
from zope.schema import Object
from zope.schema.interfaces import IObject
from zope.schema.interfaces import RequiredMissing
from zope.schema.interfaces import WrongContainedType
from zope.schema.interfaces import WrongType


class IRow(IObject):
    """A row of a table: a mapping with a value for each field of ``schema``."""


@implementer(IRow)
class Row(Object):
    """See ``IRow``."""

    def _validate(self, value: Any) -> None:
        """Check the value of each column; errors: ``ValidationError``, also for a column that is missing."""
        if not isinstance(value, Mapping):
            raise WrongType(value, dict, self.__name__).with_field_and_value(self, value)
        columns = getFields(self.schema)
        if missing := [RequiredMissing(name) for name in columns if name not in value]:
            raise WrongContainedType(missing, self.__name__).with_field_and_value(self, value)
        for name, column in columns.items():
            column.bind(self.context).validate(value[name])


class PersistentRow(PersistentField, Row):
    """What plone.registry keeps of a ``Row``."""


@implementer(IPersistentField)
@adapter(IRow)
def persistent_row(field: Any) -> Any:
    """Return a persistent field with the properties of ``field`` that plone.registry keeps."""
    if IPersistentField.providedBy(field):
        return field
    dropped = {*DisallowedProperty.uses, *StubbornProperty.uses}
    copy = PersistentRow.__new__(PersistentRow)
    copy.__dict__.update({name: value for name, value in field.__dict__.items() if name not in dropped})
    return copy
