"""Run by ``zconsole run``: make the demo site, once. Arguments: the port of the mail catcher."""

from AccessControl.SecurityManagement import newSecurityManager
from AccessControl.users import UnrestrictedUser
from imio.mailbridge.settings.read import stored_settings
from plone.distribution.api import site as sites
from Testing.makerequest import makerequest
from zope.component.hooks import setSite
from zope.globalrequest import setRequest
import sys
import transaction


SITE_ID = "iadocs"


def configure(smtp_port):
    """Set what the demo needs: a catcher for outgoing mail, which takes all at once, one mail-in address, one source mailbox."""
    values = stored_settings()
    values.smtp_host = "127.0.0.1"
    values.smtp_port = smtp_port
    values.smtp_security = "none"
    values.smtp_rate = 0
    values.login_address = "administration@maville.test"
    values.sender_policy = "login"
    values.mailin_addresses = [{"address": "in@bridge.test", "service": None, "mailbox": None}]
    values.mailboxes = [{"address": "info@maville.test", "service": None}]
    values.agent_patterns = [r".+@maville\.test"]
    values.trusted_gateways = ["127.0.0.0/8"]


def main(app, smtp_port):
    """Create the site with the profiles of the add-on and its demo content."""
    app = makerequest(app)
    setRequest(app.REQUEST)
    newSecurityManager(None, UnrestrictedUser("admin", "", ["Manager"], []).__of__(app.acl_users))
    site = sites.create(
        app,
        "classic",
        {
            "site_id": SITE_ID,
            "title": "iA.docs",
            "description": "Commune de Maville",
            "default_language": "fr",
            "portal_timezone": "Europe/Brussels",
            "setup_content": False,
        },
    )
    app.acl_users.userFolderAddUser(
        "admin", "admin", ["Manager"], []
    )  # not before: the first site replaces this folder
    setSite(site)
    for profile in ("imio.mailbridge:default", "imio.mailbridge:iadocs", "imio.mailbridge:demo"):
        site.portal_setup.runAllImportStepsFromProfile(f"profile-{profile}")
    configure(smtp_port)
    transaction.commit()


if "app" in globals():  # given by zconsole
    main(globals()["app"], int(sys.argv[-1]))
