"""How does Plone's own mail get into the Outbox? By a MailHost of ours in place of the site's, and the original back afterwards.

Code finds the MailHost by its name and as a utility, so both are exchanged. What was there is kept as it is.
"""

from contextlib import closing
from imio.mailbridge.message.compose import sender_headers
from imio.mailbridge.message.policy import SenderRefused
from imio.mailbridge.outbound.connect import mailer_for
from imio.mailbridge.outbound.site_mail import prepare_site_mail
from imio.mailbridge.outbound.site_mail import Unusable
from imio.mailbridge.outbound.submit import submit
from imio.mailbridge.settings.account import accounts
from imio.mailbridge.settings.password import PasswordUnreadable
from imio.mailbridge.settings.read import settings
from plone import api
from Products.MailHost.interfaces import IMailHost
from Products.MailHost.MailHost import MailHost
from Products.MailHost.MailHost import MailHostError
from zope.annotation.interfaces import IAnnotations
from zope.component.hooks import getSite
import logging
import smtplib


ID = "MailHost"
KEY = "imio.mailbridge.mailhost"

logger = logging.getLogger(__name__)


class BridgeMailHost(MailHost):
    """Hands messages to the Outbox; what is to leave at once leaves by the same account, and fails as loudly as before."""

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
        if draft is None:  # no account of ours: Plone's own server, as before
            super()._send(mfrom, mto, messageText, immediate)
        elif immediate:
            _send_now(draft)
        else:
            submit(draft).history[0]["by"] = api.user.get_current().getId() or ""


def _send_now(draft):
    """Send at once; errors: those of smtplib, when no recipient was taken."""
    recipients = list(dict.fromkeys(each.addr_spec for each in (*draft.to, *draft.cc, *draft.bcc)))
    message = sender_headers(draft.sender) + draft.body
    try:
        connection = mailer_for(accounts(settings())[draft.account])
    except PasswordUnreadable as error:
        raise MailHostError(str(error)) from error
    with closing(connection):
        replies = connection.deliver(
            draft.sender.envelope_sender, recipients, [message], len(message), not message.isascii()
        )
    refused = {address: reply for address, reply in replies.items() if reply.code // 100 != 2}
    if len(refused) == len(recipients):
        raise _failure(draft, refused)
    for address, reply in refused.items():
        logger.error("mail of the site was refused for %s: %s", address, reply)


def _failure(draft, refused):
    reply = next(iter(refused.values()))
    if not reply.code:
        return smtplib.SMTPServerDisconnected(reply.text)
    if reply.stage == "rcpt":
        return smtplib.SMTPRecipientsRefused(
            {address: (each.code, each.text) for address, each in refused.items()}
        )
    if reply.stage == "mail":
        return smtplib.SMTPSenderRefused(reply.code, reply.text, draft.sender.envelope_sender)
    kinds = {
        "auth": smtplib.SMTPAuthenticationError,
        "oauth": smtplib.SMTPAuthenticationError,
        "data": smtplib.SMTPDataError,
    }
    return kinds.get(reply.stage, smtplib.SMTPConnectError)(reply.code, reply.text)


# exchanging the MailHost of a site


def switch(values, event):
    """Take over the mail of the site, or give it back (subscriber of the registry record ``whole_site``)."""
    if event.record.fieldName == "whole_site":
        take_over() if event.newValue else give_back()


def is_ours():
    """Tell whether the mail of the site goes through the Outbox."""
    return isinstance(_present(), BridgeMailHost)


def plones_own():
    """Return the MailHost that sends by Plone's own mail settings, or None: the original where ours stands in its place."""
    found = IAnnotations(getSite()).get(KEY) if is_ours() else _present()
    return found.__of__(getSite()) if found is not None else None


def take_over():
    """Put our MailHost in place of the site's."""
    original = _present()
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


def _present():
    return getSite().aq_base.__dict__.get(ID) or getSite().aq_base.get(ID)


def _exchange(mailhost):
    site = getSite()
    site._delOb(ID)
    site._setOb(ID, mailhost)
    manager = site.getSiteManager()
    manager.unregisterUtility(provided=IMailHost)
    manager.registerUtility(mailhost, IMailHost)
