"""Alarms: e-mails that tell an administrator that mail no longer leaves or comes in.

An alarm leaves by something that works: the account that serves the alarm address, another account that is not stopped, or Plone's
own mail server.
"""

from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from imio.mailbridge.i18n import _
from imio.mailbridge.message.address import can_be_sent_to
from imio.mailbridge.message.composition.letter import html_to_text
from imio.mailbridge.message.one_line import one_line
from imio.mailbridge.notify.notice import language_at
from imio.mailbridge.notify.notice import paragraphs
from imio.mailbridge.notify.notice import send_notice
from imio.mailbridge.notify.plone_mail import plones_mailhost
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings.read import settings
from imio.mailbridge.store.store import now
from plone import api
from plone.registry.interfaces import IRegistry
from transaction.interfaces import TransientError
from zope.component import getUtility
from zope.component.hooks import getSite
from zope.i18n import translate
from zope.i18nmessageid import Message
import logging
import transaction


logger = logging.getLogger(__name__)


def tell_admin(subject, *sentences, page, page_title=None, base_url="", stopped=None):
    """Send an alarm in the language of who reads it; return whether a way to send it was found.

    Texts are msgids; an empty sentence is left out. ``page`` is where more can be seen, below ``base_url``. ``stopped`` is the
    account that the alarm is about and that cannot carry it. In the current transaction: an error is logged, a conflict is raised.
    """
    values = settings()
    to = values.alarm_address or _site_address()
    if not can_be_sent_to(to):
        logger.error(
            "no alarm is sent, neither an alarm address nor an address of the site is set: %s",
            say(subject, api.portal.get_default_language()),
        )
        return False
    language = language_at(to)
    link = (say(page_title or _("See more"), language), f"{base_url or getSite().absolute_url()}/@@{page}")
    with errors_logged():
        texts = [say(sentence, language) for sentence in filter(None, sentences)]
        return _send(to, say(subject, language), paragraphs(*texts, [link]), stopped, values)
    return False


@contextmanager
def errors_logged():
    """Log the errors of an alarm, which must not undo what the alarm is about; a conflict is raised."""
    try:
        yield
    except TransientError:
        raise
    except Exception:  # noqa: BLE001 - see above
        logger.exception("no alarm is sent")


def say(message, language):
    """Return a msgid, with the msgids in its mapping, in a language; any other text as it is."""
    if isinstance(message, Message) and message.mapping:
        mapping = {key: say(value, language) for key, value in message.mapping.items()}
        message = Message(message, message.domain, message.default, mapping)
    return translate(message, target_language=language) if isinstance(message, Message) else str(message)


def _site_address():
    return getUtility(IRegistry).get("plone.email_from_address") or ""


def _send(to, subject, html, stopped, values):
    account = _working_account(to, stopped, values)
    if account is not None:
        send_notice(account, account.login_address or to, to, subject, html)
        return True
    registry = getUtility(IRegistry)
    host, port = registry.get("plone.smtp_host") or "", registry.get("plone.smtp_port") or 25
    if not host or (stopped is not None and (host, port) == (stopped.host, stopped.port)):
        logger.error("no alarm is sent: no other SMTP account works, and Plone has no other mail server")
        return False
    _send_by_plone(_site_address() or to, to, subject, html)
    return True


def _working_account(to, stopped, values):
    """Return an account that is not stopped: the one of ``to`` first, then one with another server; None if there is none."""
    broken = {*outbox().holds, *outbox().troubles}
    working = [
        each
        for each in values.accounts.values()
        if each.name not in broken and (stopped is None or each.name != stopped.name)
    ]
    own = values.account_for(to)
    return min(
        working,
        key=lambda each: (
            stopped is not None and (each.host, each.port) == (stopped.host, stopped.port),
            own is None or each.name != own.name,
        ),
        default=None,
    )


def _send_by_plone(author, to, subject, html):
    """Send by the mail server of Plone once the transaction is committed; a failure is only logged."""
    message = EmailMessage(SMTP)
    message["From"], message["To"], message["Subject"] = author, to, one_line(subject)
    message["Date"], message["Auto-Submitted"] = format_datetime(now()), "auto-generated"
    message.set_content(html_to_text(html))
    transaction.get().addAfterCommitHook(_send_now, args=(plones_mailhost(), message.as_string(), author, to))


def _send_now(committed, mailhost, message, author, to):
    if not committed:
        return
    try:
        mailhost.send(message, mto=to, mfrom=author, immediate=True)
    except Exception:  # noqa: BLE001 - whatever the server or the network does
        logger.exception("the alarm could not be sent by the mail server of Plone")
