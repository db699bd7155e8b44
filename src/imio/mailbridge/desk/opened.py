"""Knows which mails a user has opened, and ``@@mailbridge-opened``, by which the page of a mail says that it was shown.

Mail that was received more than ``DAYS`` days ago counts as read: what is kept of a user is bounded by the mail of that time.
"""

from BTrees.OOBTree import OOBTree
from datetime import date
from datetime import timedelta
from imio.mailbridge.browser.form_token import has_token
from imio.mailbridge.iadocs import names
from plone import api
from plone.app.layout.viewlets.common import ViewletBase
from plone.uuid.interfaces import IUUID
from Products.Five.browser import BrowserView
from zExceptions import Forbidden
from zExceptions import NotFound
from zope.annotation.interfaces import IAnnotations


#: annotation of the site: userid → uid of a mail → day on which it was received, as an ordinal
KEY = "imio.mailbridge.opened"
DAYS = 60


def is_unread(opened, uid, received):
    """Tell whether a mail is new to a user; ``opened`` is ``opened_by`` of that user, ``received`` a datetime or None."""
    return received is not None and received.date() >= _first_day() and uid not in opened


def opened_by(userid):
    """Return the mails that a user has opened: uid → day. Writes nothing."""
    return IAnnotations(api.portal.get()).get(KEY, {}).get(userid, {})


def note_opened(userid, uid, received):
    """Keep that a user has opened a mail; forget what is so old that it counts as read."""
    annotations = IAnnotations(api.portal.get())
    if KEY not in annotations:
        annotations[KEY] = OOBTree()
    users, first = annotations[KEY], _first_day().toordinal()
    if userid not in users:
        for other in [other for other, kept in users.items() if kept and max(kept.values()) < first]:
            del users[other]  # who opens nothing for so long may be gone
        users[userid] = OOBTree()
    kept = users[userid]
    for old in [old for old, day in kept.items() if day < first]:
        del kept[old]
    kept[uid] = received.date().toordinal()


def _first_day():
    return date.today() - timedelta(days=DAYS)


def _is_new(mail):
    if mail.portal_type != names.INCOMING_EMAIL or api.user.is_anonymous():
        return False
    userid = api.user.get_current().getId()
    return is_unread(opened_by(userid), IUUID(mail), mail.reception_date)


class OpenedViewlet(ViewletBase):
    """A form that the page of a mail posts once it is shown: a page that is read writes nothing by itself."""

    def render(self):
        """Return nothing for a mail that was opened before."""
        return super().render() if _is_new(self.context) else ""


class Opened(BrowserView):
    """``POST @@mailbridge-opened`` on a mail."""

    def __call__(self):
        if self.request.method != "POST":
            raise NotFound("mailbridge-opened")
        if not has_token(self.request):
            raise Forbidden("This needs the token of the page.")
        if _is_new(self.context):
            note_opened(api.user.get_current().getId(), IUUID(self.context), self.context.reception_date)
        self.request.response.setStatus(204)
        return ""
