"""What tests of the quarantine share: a stranger's mail host, what was filed, what a page says."""

from imio.mailbridge.iadocs.demo import PASSWORD
from plone import api
from plone.app.uuid.utils import uuidToObject
from tests.site.panel import HTML


STRANGER = {"X-Client-Address": "203.0.113.9"}


def item(record):
    """Return the one document that was made of a message."""
    (uid,) = record.items
    return uuidToObject(uid, unrestricted=True)


def mail_manager(name):
    """Make a user who has the role Mail Manager and no other right on the site."""
    users = api.portal.get_tool("acl_users")  # the password policy is for people, not for tests
    users.userFolderAddUser(name, PASSWORD, ["Member", "Mail Manager"], [])


def said(site, answer):
    """Return the page that a person sees after pressing a button."""
    cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in answer.cookies.items())}
    return site.get(answer.headers["Location"], "chef", headers={**HTML, **cookies}).text
