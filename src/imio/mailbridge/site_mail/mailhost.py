"""Puts a MailHost of ours in place of the site's, so that Plone's own mail goes through the Outbox, and puts the original back.

Code finds the MailHost by its name and as a utility, so both are exchanged. The original is kept unchanged.
"""

from imio.mailbridge.delivery.mailer import AccountMailer
from imio.mailbridge.message.composition.compose import sender_headers
from imio.mailbridge.message.composition.sender_policy import SenderRefused
from imio.mailbridge.notify.plone_mail import IBridgeMailHost
from imio.mailbridge.notify.plone_mail import ID
from imio.mailbridge.notify.plone_mail import KEY
from imio.mailbridge.notify.plone_mail import plones_mailhost
from imio.mailbridge.notify.plone_mail import site_mailhost
from imio.mailbridge.outbox.submit import submit
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.secrets import PasswordUnreadable
from imio.mailbridge.site_mail.prepare import has_reset_link
from imio.mailbridge.site_mail.prepare import prepare_site_mail
from imio.mailbridge.site_mail.prepare import Unusable
from plone import api
from Products.MailHost.interfaces import IMailHost
from Products.MailHost.MailHost import MailHost
from Products.MailHost.MailHost import MailHostError
from zope.annotation.interfaces import IAnnotations
from zope.component.hooks import getSite
from zope.interface import implementer
import logging


logger = logging.getLogger(__name__)


@implementer(IBridgeMailHost)
class BridgeMailHost(MailHost):
    """Hands messages to the Outbox; ``immediate`` ones, and links that set a password, leave at once by the same account, unstored.

    Of Products.MailHost this keeps ``send``, which prepares a message, and replaces ``_send``. An ``immediate`` message raises what
    smtplib raises, as it does with zope.sendmail's mailer. Mail that no account of ours serves is sent by the original MailHost,
    carried by its own data manager or queue of zope.sendmail.
    """

    meta_type = "Mail Host of the mail bridge"
    smtp_queue = True  # content rules ask for ``immediate`` where there is no queue

    def _send(self, mfrom, mto, messageText, immediate=False):
        message = (
            messageText
            if isinstance(messageText, bytes)
            else str(messageText).encode("utf-8", "surrogateescape")
        )
        try:
            draft = prepare_site_mail(mfrom, [mto] if isinstance(mto, str) else mto, message)
        except (Unusable, SenderRefused) as error:
            raise MailHostError(str(error)) from error
        if draft is None:
            plones_mailhost()._send(mfrom, mto, messageText, immediate)
        elif immediate or has_reset_link(draft.body):
            _send_now(draft)
        else:
            submit(draft).history[0]["by"] = api.user.get_current().getId() or ""


def _send_now(draft):
    """Send at once. Errors: ``smtplib.SMTPException`` when every recipient is refused, ``MailHostError``."""
    recipients = [each.addr_spec for each in (*draft.to, *draft.cc, *draft.bcc)]
    mailer = AccountMailer(settings().accounts[draft.account])
    try:
        mailer.send(draft.sender.envelope_sender, recipients, sender_headers(draft.sender) + draft.body)
    except PasswordUnreadable as error:
        raise MailHostError(str(error)) from error


# exchanging the MailHost of a site


def switch(values, event):
    """Take over the mail of the site, or give it back (subscriber of the registry record ``whole_site``)."""
    if event.record.fieldName == "whole_site":
        take_over() if event.newValue else give_back()


def is_ours():
    """Tell whether the mail of the site goes through the Outbox."""
    return IBridgeMailHost.providedBy(site_mailhost())


def take_over():
    """Put our MailHost in place of the site's."""
    original = site_mailhost()
    if original is None:
        logger.error("this site has no MailHost: its mail is not taken over")
    elif not is_ours():
        ours = BridgeMailHost(ID)
        ours.__dict__.update(original.__dict__)
        del ours.smtp_queue
        IAnnotations(getSite())[KEY] = original
        _exchange(ours)


def give_back():
    """Put the original back, unless somebody has replaced ours."""
    original = IAnnotations(getSite()).pop(KEY, None)
    if original is not None and is_ours():
        _exchange(original)


def _exchange(mailhost):
    site = getSite()
    site._delOb(ID)
    site._setOb(ID, mailhost)
    manager = site.getSiteManager()
    manager.unregisterUtility(provided=IMailHost)
    manager.registerUtility(mailhost, IMailHost)
