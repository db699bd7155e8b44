"""Keeps which columns a user wants in lists of mail."""

from BTrees.OOBTree import OOBTree
from imio.mailbridge.i18n import _
from plone import api
from zope.annotation.interfaces import IAnnotations


#: annotation of the site: userid → the names of the columns
KEY = "imio.mailbridge.columns"
#: name → title of incoming and of outgoing mail, None where it has no such column; the subject is always shown
COLUMNS = {
    "unread": (_("Unread"), None),
    "name": (_("From"), _("To")),
    "subject": (_("Subject"), _("Subject")),
    "date": (_("Received"), _("Sent")),
    "service": (_("Service"), _("Service")),
    "agent": (_("Agent"), _("Agent")),
    "state": (_("State"), _("State")),
    "files": (_("Attachments"), _("Attachments")),
}


def columns_of(userid):
    """Return the names of the columns that a user has chosen, in their order; all without a choice."""
    chosen = IAnnotations(api.portal.get()).get(KEY, {}).get(userid)
    return [name for name in COLUMNS if chosen is None or name in chosen or name == "subject"]


def choose_columns(userid, names):
    """Keep the columns of a user; unknown names are left out, and without any the user gets all again."""
    annotations = IAnnotations(api.portal.get())
    if KEY not in annotations:
        annotations[KEY] = OOBTree()
    known = tuple(name for name in COLUMNS if name in names)
    if known:
        annotations[KEY][userid] = known
    else:
        annotations[KEY].pop(userid, None)
