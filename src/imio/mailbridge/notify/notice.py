"""Notices: e-mails of the bridge that tell agents what became of their messages. They leave through the Outbox like any other.

A notice belongs to no document and to no user, so it is on no timeline; when it fails, nobody is told.
"""

from html import escape
from imio.mailbridge.i18n import _
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.address import can_be_sent_to
from imio.mailbridge.message.composition.compose import compose
from imio.mailbridge.message.composition.compose import message_id
from imio.mailbridge.message.composition.sender_policy import Sender
from imio.mailbridge.message.one_line import one_line
from imio.mailbridge.outbox.explained import explained
from imio.mailbridge.outbox.submit import submit_own
from imio.mailbridge.ports.directory import IDirectory
from imio.mailbridge.settings.read import settings
from imio.mailbridge.store.store import now
from plone import api
from plone.app.uuid.utils import uuidToObject
from transaction.interfaces import TransientError
from zope.component.hooks import getSite
from zope.i18n import translate
import logging
import secrets


#: The display name of the bridge as an author.
NAME = "iA.docs"
MAX_SUBJECT = 200

SUBJECTS = {
    "failed": _("Not sent: ${subject}"),
    "bounced": _("Came back: ${subject}"),
    "replied": _("Answered: ${subject}"),
    "passed-on": _("Passed on: ${subject}"),
    "by-other": _("Answered by somebody else: ${subject}"),
}
SENT_TO_NOBODY = _("Your message “${subject}” could not be sent.")
FIRST_SENTENCES = {
    "failed": _("Your message “${subject}” could not be sent to everybody."),
    "bounced": _("Your message “${subject}” was sent, but it came back."),
    "replied": _("Your message “${subject}” was answered by ${author}."),
    "passed-on": _(
        "Your message “${subject}” was passed on by ${author}, who is not one of its recipients. They have not answered it."
    ),
    "by-other": _(
        "${author}, whose address is not that of any recipient, wrote to the reply address of your message “${subject}”. No "
        "recipient counts as having answered."
    ),
}
SEND_AGAIN = _("To send again to those who did not get the message, open the document.")
WHAT_TO_DO = {
    "failed": SEND_AGAIN,
    "bounced": SEND_AGAIN,
    "replied": _("The answer was filed in iA.docs as incoming mail:"),
    "passed-on": _("It was filed in iA.docs as incoming mail:"),
    "by-other": _("It was filed in iA.docs as incoming mail:"),
}
BY_ADMIN = _("Once your IT service has fixed this, open the document to send again.")
UNPROVEN = _(
    "Not proven: anyone may have written this answer in the name of this agent. Ask the agent before you rely on it."
)
logger = logging.getLogger(__name__)


def tell_agent(record, kind, author="", items=(), is_proven=True, by_admin=False):
    """Tell the agent of a message that it ``failed``, ``bounced``, was ``replied`` or ``passed-on`` by ``author``, or that
    its reply address was used by an author who is not among its recipients (``by-other``); each once.

    ``items`` are the uids of what was filed. ``is_proven`` is False where another may have answered in the name of an agent,
    ``by_admin`` True where only the IT service can set right what failed.

    In the current transaction, which has more important things to write: an error is only logged, a conflict is raised.
    """
    values = settings()
    if record.origin != "agent" or kind in record.told or not values.notify_agent:
        return
    record.told = (*record.told, kind)
    try:
        address, language = agent_address(record.userid), agent_language(record.userid)
        account = values.accounts.get(record.account) or values.account_for(address)
        if not address or account is None:
            return
        subject, html = _text(record, kind, author, items, is_proven, by_admin, language)
        send_notice(account, account.login_address or record.sender.author.addr_spec, address, subject, html)
    except TransientError:
        raise
    except Exception:  # noqa: BLE001 - what became of the message must be written, with a notice or without
        logger.exception("the agent of message %s could not be told that it %s", record.id, kind)


def send_notice(account, author, to, subject, html, in_reply_to=""):
    """Put a notice into the Outbox, from the address ``author`` by ``account`` to the address ``to``; return its record.

    With ``in_reply_to``, a Message-ID, it is an automatic answer (RFC 3834).
    """
    sender = Sender("login", Address(NAME, author), None, author)
    new_message_id = message_id(secrets.token_hex(16), author.rpartition("@")[2])
    subject = one_line(subject)[:MAX_SUBJECT]
    body = compose(
        message_id=new_message_id,
        date=now(),
        to=[Address("", to)],
        cc=[],
        subject=subject,
        html=html,
        references=[in_reply_to],
        auto_submitted="auto-replied" if in_reply_to else "auto-generated",
    )
    return submit_own(account, sender, to, subject, new_message_id, body, "notice")


def agent_addresses(userid):
    """Return the usable addresses of an agent, those of the positions before that of the user."""
    own = IDirectory(getSite()).identities(userid, ())
    user = api.user.get(userid=userid)
    found = [identity.address.addr_spec for identity in own]
    found += [user.getProperty("email") or ""] if user is not None else []
    return tuple(dict.fromkeys(filter(can_be_sent_to, found)))


def agent_address(userid):
    """Return the first of the addresses of an agent, or an empty string."""
    return next(iter(agent_addresses(userid)), "")


def agent_language(userid):
    """Return the language that a user chose, else that of the site."""
    user = api.user.get(userid=userid) if userid else None
    return (user is not None and user.getProperty("language")) or api.portal.get_default_language()


def language_at(address):
    """Return the language of the person who reads what goes to ``address``: what its user chose, else that of the site."""
    found = api.portal.get_tool("acl_users").searchUsers(email=address)
    userids = [IDirectory(getSite()).agent_userid(address), *(each["userid"] for each in found)]
    known = (userid for userid in filter(None, userids) if address.lower() in _addresses(userid))
    return agent_language(next(known, ""))


def _addresses(userid):
    return {address.lower() for address in agent_addresses(userid)}


def words_said(code, text, is_reported=False):
    """Return the words that come with a failure, as a msgid; without a code they are those of our own side.

    ``is_reported``: by a report, which may be forged, so that they are quoted.
    """
    mapping = {"words": f"{code or ''} {text}".strip()}
    if is_reported:
        return _("A report from the recipient’s mail server says: “${words}”", mapping=mapping)
    if code:
        return _("The server said: ${words}", mapping=mapping)
    return _("Technical detail: ${words}", mapping=mapping)


def paragraphs(*blocks):
    """Return plain texts as HTML; a list of (text, URL or an empty string) becomes a list, what is empty is left out."""
    return "".join(
        f"<ul>{''.join(map(_item, block))}</ul>" if isinstance(block, list) else f"<p>{escape(block)}</p>"
        for block in blocks
        if block
    )


def _item(item):
    text, url = item
    return f'<li><a href="{escape(url)}">{escape(text)}</a></li>' if url else f"<li>{escape(text)}</li>"


def _text(record, kind, author, items, is_proven, by_admin, language):
    """Return the subject and the HTML of a notice."""

    def say(msgid, **mapping):
        return translate(_(msgid, mapping=mapping) if mapping else msgid, target_language=language)

    if kind in ("replied", "passed-on", "by-other"):
        details = [say(WHAT_TO_DO[kind]), _links(record, items)]
    else:
        details = [_failures(record, kind, say), say(BY_ADMIN if by_admin else WHAT_TO_DO[kind])]
    document = _links(record, [record.document])
    is_for_nobody = kind == "failed" and set(record.recipients.values()) == {"failed"}
    first = SENT_TO_NOBODY if is_for_nobody else FIRST_SENTENCES[kind]
    return say(SUBJECTS[kind], subject=record.subject), paragraphs(
        say(first, subject=record.subject, author=one_line(author)),
        not is_proven and say(UNPROVEN),
        *details,
        document and say(_("The document that it was written from:")),
        document,
        say(_("iA.docs wrote this message automatically. Nobody reads answers to it.")),
    )


def _failures(record, state, say):
    """Return what happened to each recipient in a state, in the words of the bridge and of the server."""
    found = []
    for address in record.in_state(state):
        lines = [line for line in record.history if line["recipient"] == address and line["state"] == state]
        line = lines[-1] if lines else {"explanation": "", "follows": "", "code": None, "text": ""}
        text = address
        if why := explained(line):
            text = say(_("${address}: ${explanation}"), address=address, explanation=say(why))
        if line["code"] or line["text"]:
            text += f" {say(words_said(line['code'], line['text'], is_reported=state == 'bounced'))}"
        found.append((text, ""))
    return found


def _links(record, uids):
    """Return (title, URL) of content, under the address at which the agent saw the site; what is gone is left out."""
    site = getSite()
    start, base = len(site.getPhysicalPath()), record.site_url or site.absolute_url()
    found = filter(None, (uuidToObject(uid, unrestricted=True) for uid in uids if uid))
    return [
        (item.Title() or item.getId(), "/".join((base, *item.getPhysicalPath()[start:]))) for item in found
    ]
