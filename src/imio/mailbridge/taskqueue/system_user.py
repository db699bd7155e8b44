"""Lets the bridge itself write: as a user who may do everything, for the time of one step."""

from AccessControl.SecurityManagement import getSecurityManager
from AccessControl.SecurityManagement import newSecurityManager
from AccessControl.SecurityManagement import setSecurityManager
from AccessControl.users import UnrestrictedUser
from contextlib import contextmanager
from zope.component.hooks import getSite


NAME = "mailbridge"


@contextmanager
def system_user(userid=""):
    """Act without restrictions; what is written names ``userid`` (the agent for whom it is done) or else the bridge."""
    before = getSecurityManager()
    user = UnrestrictedUser(userid or NAME, "", ["Manager", "Authenticated"], ())
    newSecurityManager(None, user.__of__(getSite().acl_users))
    try:
        yield
    finally:
        setSecurityManager(before)
