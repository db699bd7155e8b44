"""Steps of the profiles that XML cannot express: installation and removal."""

from imio.mailbridge.controlpanel.setup import answers as setup_answers
from imio.mailbridge.delivery import account_alarm as alarm
from imio.mailbridge.desk import columns
from imio.mailbridge.desk import opened
from imio.mailbridge.diagnosis import knowledge
from imio.mailbridge.i18n import _
from imio.mailbridge.iadocs import removal
from imio.mailbridge.iadocs import rendition
from imio.mailbridge.inbound import cases
from imio.mailbridge.inbound import imap_reading as mailboxes
from imio.mailbridge.inbound import inbox
from imio.mailbridge.inbound import looking
from imio.mailbridge.inbound.forwarding import store as forwarding
from imio.mailbridge.outbox import bounce_address
from imio.mailbridge.outbox import draft_files
from imio.mailbridge.outbox import mail_templates
from imio.mailbridge.outbox import record as outbox
from imio.mailbridge.outbox import saved_drafts as drafts
from imio.mailbridge.outbox import send_as
from imio.mailbridge.restapi.mailin.authenticate import PLUGIN_ID as TOKENS
from imio.mailbridge.restapi.mailin.authenticate import TokenPlugin
from imio.mailbridge.settings import history
from imio.mailbridge.settings import rules
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.settings import tokens
from imio.mailbridge.site_mail import mailhost
from imio.mailbridge.store.store import discard_empty
from imio.mailbridge.taskqueue import authenticate
from imio.mailbridge.taskqueue.authenticate import PLUGIN_ID as TASKS
from imio.mailbridge.taskqueue.authenticate import TaskUserPlugin
from plone import api
from plone.base.interfaces.installable import INonInstallable
from zope.annotation.interfaces import IAnnotations
from zope.globalrequest import getRequest
from zope.interface import implementer
import logging


ROLES = ("Mail Gateway", "Mail Manager")

logger = logging.getLogger(__name__)


@implementer(INonInstallable)
class HiddenProfiles:
    """Profiles that the add-ons control panel does not offer by themselves."""

    def getNonInstallableProfiles(self):
        return ["imio.mailbridge:uninstall", "imio.mailbridge:demo"]


def installed(tool):
    """Let tasks run as the user who queued them, and mail hosts log in; make the stores, so that reading never writes."""
    for plugin in (TaskUserPlugin(), TokenPlugin()):
        authenticate.install(api.portal.get(), plugin)
    outbox.outbox()
    inbox.inbox()
    drafts.saved_drafts()
    history.store()
    send_as.store()
    bounce_address.signing_key()


def uninstalled(tool):
    """Remove what the uninstall profile cannot; name what is kept because it is not empty."""
    site = api.portal.get()
    for plugin_id in (TASKS, TOKENS):
        authenticate.uninstall(site, plugin_id)
    mailhost.give_back()
    kept = [*removal.remove(site)]
    kept += [key for key in (outbox.KEY, inbox.KEY, drafts.KEY, draft_files.KEY) if discard_empty(key)]
    annotations = IAnnotations(site)
    for key in (
        password.KEY,
        password.OTHERS,
        tokens.KEY,
        send_as.KEY,
        knowledge.KEY,
        alarm.KEY,
        cases.KEY,
        mailboxes.KEY,
        forwarding.KEY,
        looking.KEY,
        rendition.WAITING,
        columns.KEY,
        opened.KEY,
        mail_templates.KEY,
        rules.KEY,
        setup_answers.KEY,
        history.KEY,
        *([] if outbox.KEY in kept else [bounce_address.KEY]),
    ):
        annotations.pop(key, None)
    _remove_roles(site)
    if kept:
        logger.warning(
            "the mail bridge is uninstalled; kept, because they hold something: %s", ", ".join(kept)
        )
        if (request := getRequest()) is not None:
            message = _(
                "The mail bridge is uninstalled. Kept, because they hold something: ${kept}",
                mapping={"kept": ", ".join(kept)},
            )
            api.portal.show_message(message, request, "warning")


def _remove_roles(site):
    for name in ("Deliver mail", "Hand in mail", "Manage mail", "Send email"):
        attribute = f"_imio_mailbridge__{name.replace(' ', '_')}_Permission"
        if attribute in site.__dict__:
            delattr(site, attribute)
    site.__ac_roles__ = tuple(role for role in site.__ac_roles__ if role not in ROLES)
    roles = site.acl_users.portal_role_manager  # takes over the roles of the site each time it is asked
    for role in set(ROLES) & set(roles.listRoleIds()):
        roles.removeRole(role)
