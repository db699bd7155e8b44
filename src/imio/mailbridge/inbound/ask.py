"""Tells an agent who forwarded as text how to forward as attachment: one answer, with the steps for their mail program.

A forged From makes nobody receive one: the message must be proven, or its address belong to an agent in the directory, who gets one
such answer a day at most. A source mailbox never gets one: its rule would forward the answer, and so on without end. There the
administrator is told, once a day, that the mailbox forwards as text.
"""

from datetime import timedelta
from imio.mailbridge.i18n import _
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.message.address import can_be_sent_to
from imio.mailbridge.message.classification.answerable import may_be_answered
from imio.mailbridge.message.classification.client import client_of
from imio.mailbridge.message.one_line import one_line
from imio.mailbridge.notify.alarm import tell_admin
from imio.mailbridge.notify.notice import language_at
from imio.mailbridge.notify.notice import paragraphs
from imio.mailbridge.notify.notice import send_notice
from imio.mailbridge.ports.directory import IDirectory
from imio.mailbridge.store.store import now
from transaction.interfaces import TransientError
from zope.component.hooks import getSite
from zope.i18n import translate
import logging
import transaction


PERIOD = timedelta(days=1)

#: Name of the mail program (``classification.client``) → its name for people, and the steps in it.
STEPS = {
    "outlook": (
        _("Outlook"),
        _(
            "Select the message in the list, then Home, More (in the group Respond), Forward as Attachment, or Ctrl+Alt+F."
        ),
    ),
    "outlook-mac": (
        _("Outlook for Mac"),
        _("Select the message in the list, then Message, Forward as Attachment."),
    ),
    "outlook-web": (
        _("Outlook (new, or on the web)"),
        _("Select the message in the list, then the three dots, Other reply actions, Forward as attachment."),
    ),
    "outlook-mobile": (
        _("Outlook on a phone"),
        _("This app cannot forward as attachment. Do it on a computer, in Outlook or in Outlook on the web."),
    ),
    "gmail": (_("Gmail"), _("Select the message in the list, then the three dots, Forward as attachment.")),
    "apple": (_("Apple Mail"), _("Select the message, then Message, Forward as Attachment.")),
    "apple-ios": (
        _("Mail on iPhone or iPad"),
        _("This app cannot forward as attachment. Do it on a computer, or in the webmail of your mailbox."),
    ),
    "thunderbird": (_("Thunderbird"), _("Select the message, then Message, Forward As, Attachment.")),
    "k9": (_("K-9 Mail"), _("Open the message, then the menu, Forward as attachment.")),
    "roundcube": (
        _("Roundcube"),
        _("Select the message, then the arrow beside Forward, Forward as attachment."),
    ),
    "zimbra": (
        _("Zimbra"),
        _("Select the message, then Actions, Forward as attachment, or drag it into a new message."),
    ),
    "bluemind": (
        _("BlueMind"),
        _("Select the message, then the arrow beside Forward, Forward as attachment."),
    ),
    "notes": (
        _("Notes"),
        _("Save the message as a file (.eml) by File, Save As, and attach it to a new message."),
    ),
    "samsung": (
        _("Samsung Email"),
        _("This app cannot forward as attachment. Do it on a computer, or in the webmail of your mailbox."),
    ),
}
ANY = _(
    "Look for “Forward as attachment” in the menu of the message. Where there is none, write a new message and drag the "
    "original into it from the list."
)

logger = logging.getLogger(__name__)


class CannotAsk(Exception):
    """Nobody can be written to; the argument says why (a msgid)."""


def ask_to_attach(record, message, proof, values):
    """Answer the agent who forwarded as text, if that is safe; the quarantine does not depend on it."""
    if _asked_lately(record.transferred_by):
        return
    if proof is None and not IDirectory(getSite()).agent_userid(record.transferred_by):
        return
    before = transaction.savepoint(optimistic=True)
    try:
        ask(record, message, values)
    except TransientError:
        raise
    except CannotAsk as error:
        logger.info("message %s: the agent is not told how to forward: %s", record.id, error)
    except Exception:  # noqa: BLE001 - that the message is kept is what counts
        before.rollback()
        logger.exception("message %s: the agent could not be told how to forward", record.id)


def tell_of_mailbox(mailbox):
    """Tell the administrator that a source mailbox forwards as text by itself, so that nothing of it is filed; once a day."""
    if _asked_lately(mailbox):
        return
    inbox().asked[mailbox] = now()
    tell_admin(
        _("${mailbox} forwards as text: its mail is not filed", mapping={"mailbox": mailbox}),
        _(
            "The mailbox ${mailbox} forwards its mail to iA.docs as text. The sender, the date and the attachments are lost on "
            "the way, so its mail waits for a decision and no document is made.",
            mapping={"mailbox": mailbox},
        ),
        _(
            "Set the mailbox to redirect instead of forward. The page below has the steps for each mail server, and checks the "
            "result."
        ),
        page="mailbridge-forwarding",
        page_title=_("Forwarding"),
    )


def ask(record, message, values):
    """Send the answer now. Errors: ``CannotAsk``."""
    to = record.transferred_by
    if not can_be_sent_to(to) or to in values.source_mailboxes or to in values.mailin_addresses:
        raise CannotAsk(_("No agent forwarded this message."))
    if not may_be_answered(message, record.null_sender):
        raise CannotAsk(_("This message was sent by a program or to a list: it must not be answered."))
    account = values.account_for(to)
    author = account and account.login_address
    if not author:
        raise CannotAsk(_("iA.docs has no SMTP account with an address to answer from."))
    subject, html = _answer(record, message, language_at(to))
    send_notice(account, author, to, subject, html, in_reply_to=message.message_id or "")
    inbox().asked[to] = record.asked = now()


def _asked_lately(address):
    at = inbox().asked.get(address)
    return at is not None and now() < at + PERIOD


def _answer(record, message, language):
    def say(msgid, **mapping):
        return translate(_(msgid, mapping=mapping), target_language=language)

    subject = one_line(message.subject or "")
    client, steps = STEPS.get(client_of(message), ("", ANY))
    return say(_("Please forward as attachment: ${subject}"), subject=subject), paragraphs(
        say(_("Hello,")),
        say(
            _(
                "You forwarded the message “${subject}” to iA.docs as text. In such a forward the original is only quoted: its "
                "sender, its date and its attachments are lost. It was kept, but no document was made from it."
            ),
            subject=subject,
        ),
        say(_("Please forward the original again, as attachment. In ${program}:"), program=say(client))
        if client
        else say(_("Please forward the original again, as attachment:")),
        [(say(steps), "")],
        say(_("You need not do anything else: the first forward waits until a mail manager discards it.")),
        say(_("iA.docs wrote this message automatically. Nobody reads answers to it.")),
    )
