"""Who hears that an account stopped? The log, the managers on their pages (from ``Outbox.holds``), and one e-mail.

The e-mail leaves by something that is not broken: another account of ours, or Plone's own mail server when that is another one.
An account that stops, works and stops again within ``QUIET`` is reported once.
"""

from BTrees.OOBTree import OOBTree
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import partial
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import translatable
from imio.mailbridge.message.address import is_addr_spec
from imio.mailbridge.message.compose import html_to_text
from imio.mailbridge.message.one_line import one_line
from imio.mailbridge.outbound.mailhost import plones_own
from imio.mailbridge.outbound.notice import paragraphs
from imio.mailbridge.outbound.notice import send_notice
from imio.mailbridge.outbound.outbox import outbox
from imio.mailbridge.outbound.states import WAITING
from imio.mailbridge.settings.account import accounts
from imio.mailbridge.settings.clock import local_time
from imio.mailbridge.settings.read import settings
from imio.mailbridge.store.store import now
from imio.mailbridge.store.store import stored
from plone import api
from plone.registry.interfaces import IRegistry
from transaction.interfaces import TransientError
from zope.component import getUtility
from zope.component.hooks import getSite
from zope.i18n import translate
import logging
import transaction


KEY = "imio.mailbridge.alarms"
QUIET = timedelta(hours=6)

logger = logging.getLogger(__name__)


def stopped(name, hold):
    """Raise the alarm: called once, in the transaction that stops the account."""
    logger.error("the SMTP account %s is stopped: %s %s", name, hold["code"] or "", hold["text"])
    last = _alarms().get(name)
    if last is not None and hold["at"] < last[0] + QUIET:
        logger.warning("no alarm is sent about the SMTP account %s: one was, at %s", name, last[0])
        return
    if _send(name, partial(_alarm, name, hold)):
        _alarms()[name] = (hold["at"], True)


def released(name):
    """Say that the account works again, to whom the alarm was sent."""
    logger.warning("the SMTP account %s works again", name)
    at, is_open = _alarms().get(name, (None, False))
    if is_open:
        _alarms()[name] = (at, False)
        if name in accounts(settings()):  # not when it was removed
            _send(name, partial(_all_clear, name))


def waiting(name):
    """Return how many messages wait for an account."""
    return sum(record.account == name for record in outbox().waiting_in(*WAITING))


def _alarms():
    """Return account name → (when the last alarm was sent, whether its all-clear is still to come)."""
    return stored(KEY, OOBTree)


def _send(name, write):
    """Send what ``write()`` returns, subject and HTML, by something else than an account; return whether a way was found.

    Only conflicts are raised: an alarm that cannot be sent must not undo what the server said.
    """
    registry = getUtility(IRegistry)
    site_address = registry.get("plone.email_from_address") or ""
    to = settings().alarm_address or site_address
    if not is_addr_spec(to):
        logger.error("no alarm is sent: neither an alarm address nor an address of the site is set")
        return False
    try:
        known = accounts(settings())
        broken = known[name].host, known[name].port
        others = [each for each in known.values() if each.name != name and each.name not in outbox().holds]
        if others:
            other = min(
                others, key=lambda each: (each.host, each.port) == broken
            )  # by another server, if there is one
            send_notice(other, other.login_address or to, to, *write())
            return True
        theirs = registry.get("plone.smtp_host") or "", registry.get("plone.smtp_port") or 25
        if not theirs[0] or theirs == broken:
            logger.error("no alarm is sent: no other SMTP account works, and Plone has no other mail server")
            return False
        _send_by_plone(site_address or to, to, *write())
    except TransientError:
        raise
    except Exception:  # noqa: BLE001 - see above
        logger.exception("no alarm is sent")
        return False
    return True


def _send_by_plone(author, to, subject, html):
    """Send by Plone's own mail server once the transaction is committed; a failure is only logged."""
    message = EmailMessage(SMTP)
    message["From"], message["To"], message["Subject"] = author, to, one_line(subject)
    message["Date"], message["Auto-Submitted"] = format_datetime(now()), "auto-generated"
    message.set_content(html_to_text(html))
    transaction.get().addAfterCommitHook(_send_now, args=(plones_own(), message.as_string(), author, to))


def _send_now(committed, mailhost, message, author, to):
    if not committed:
        return
    try:
        mailhost.send(message, mto=to, mfrom=author, immediate=True)
    except Exception:  # noqa: BLE001 - whatever the server or the network does
        logger.exception("the alarm could not be sent by the mail server of Plone")


def _alarm(name, hold):
    return _say(_("iA.docs sends no e-mail: the account ${name} is stopped"), name=name), paragraphs(
        _say(_("The SMTP account ${name} is stopped since ${at}."), name=name, at=_time(hold["at"])),
        _say(translatable(hold["explanation"])),
        _say(_("The server said: ${words}"), words=f"{hold['code'] or ''} {hold['text']}".strip()),
        _say(_("What to do: ${remedy}"), remedy=_say(translatable(hold.get("remedy")))),
        _say(
            _("Messages that wait: ${count}. None is lost; they leave once the account works again."),
            count=waiting(name),
        ),
        _say(_("The accounts, with a diagnosis:")),
        [_page()],
    )


def _all_clear(name):
    return _say(_("iA.docs sends e-mail again: the account ${name} works"), name=name), paragraphs(
        _say(
            _("The SMTP account ${name} works again. What waited leaves now: ${count}."),
            name=name,
            count=waiting(name),
        ),
        [_page()],
    )


def _say(msgid, **mapping):
    """Return a sentence in the language of the site: the e-mail is for no person in particular."""
    return (
        translate(_(msgid, mapping=mapping), target_language=api.portal.get_default_language())
        if msgid
        else ""
    )


def _time(moment):
    return local_time(moment).strftime("%d/%m/%Y %H:%M")


def _page():
    """Return title and URL of the accounts page, under the address where the agents of the waiting messages saw the site."""
    seen = (record.site_url for record in outbox().waiting_in(*WAITING) if record.site_url)
    base = next(seen, getSite().absolute_url())
    return _say(_("SMTP accounts")), f"{base}/@@mailbridge-accounts"
