"""Gives the registry of a site the settings of this version."""

from imio.mailbridge.settings.interfaces import IMailbridgeSettings
from imio.mailbridge.settings.interfaces import PREFIX
from plone.registry.interfaces import IPersistentField
from plone.registry.interfaces import IRegistry
from plone.registry.record import Record
from zope.component import getUtility
from zope.schema import getFieldsInOrder


def update_settings():
    """Give each setting the field that its schema has now; its value stays as it is, even where it would not be taken today."""
    records = getUtility(IRegistry).records
    for name, field in getFieldsInOrder(IMailbridgeSettings):
        kept = IPersistentField(field)
        kept.interfaceName, kept.fieldName = IMailbridgeSettings.__identifier__, name
        record = f"{PREFIX}.{name}"
        if record in records:
            records[record].field = kept
        else:
            records[record] = Record(kept)
