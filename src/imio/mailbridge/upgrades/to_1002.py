"""Version 1002: the rows of the tables in the settings have a field of this package; permissions as in a new site."""

from imio.mailbridge.settings.interfaces import IMailbridgeSettings
from imio.mailbridge.settings.interfaces import PREFIX
from plone.registry.interfaces import IPersistentField
from plone.registry.interfaces import IRegistry
from plone.registry.record import Record
from zope.component import getUtility
from zope.schema import getFieldsInOrder


def upgrade(setup):
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
    setup.runImportStepFromProfile("profile-imio.mailbridge:default", "rolemap", run_dependencies=False)
