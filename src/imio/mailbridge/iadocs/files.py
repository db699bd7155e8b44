"""Schema of the three types of files in a document."""

from imio.mailbridge.i18n import _
from plone.namedfile.field import NamedBlobFile
from plone.supermodel import model
from zope import schema


class IDmsFile(model.Schema):
    """A file in a document."""

    title = schema.TextLine(title=_("Title"), required=False)
    model.primary("file")
    file = NamedBlobFile(title=_("File"))
