"""Words for what is known of how a message came in: on its page, on the Proof tab and in the dry run."""

from imio.mailbridge.browser import titles
from imio.mailbridge.browser.message_summary import user_name
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import translatable
from imio.mailbridge.iadocs import reading
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.reasons import reason_texts
from imio.mailbridge.inbound.review import WHY
from imio.mailbridge.message.secret_address import masked
from imio.mailbridge.ports.directory import IDirectory
from imio.mailbridge.settings.clock import readable_time
from imio.mailbridge.settings.size import readable_size
from plone.uuid.interfaces import IUUID
from Products.Five.browser import BrowserView
from zExceptions import NotFound
from zope.component.hooks import getSite


METHODS = {
    "gateway": _("Trusted mail server"),
    "tag": _("Secret address"),
    "arc": _("Seal (ARC)"),
    "dkim": _("Signature (DKIM)"),
    "dmarc": _("DMARC, by your mail server"),
    "spf": _("SPF, by your mail server"),
    "message": _("Message"),
}
RESULTS = {
    "pass": _("good"),
    "fail": _("not good"),
    "none": _("none"),
    "policy": _("good, but not acceptable"),
    "permerror": _("cannot be read"),
    "temperror": _("could not be verified: DNS did not answer"),
}
STRENGTHS = {
    "proof": _("proof"),
    "strong": _("strong sign"),
    "weak": _("weak sign"),
    "note": _("remark"),
}
DETECTORS = {
    "agent": _("The author is an agent"),
    "mailbox": _("The author is a source mailbox"),
    "attached": _("A message is attached"),
    "handed-in": _("Handed in by a person who was logged in"),
    "forwarded-text": _("The text is a forward"),
    "reply": _("It answers an e-mail of iA.docs"),
    "reply-address": _("It came to the reply address of an e-mail of iA.docs"),
    "not-a-recipient": _("Not written by a recipient of that e-mail"),
    "tag": _("Secret address of the mailbox"),
    "bulk": _("Mass mailing or list"),
    "auto-submitted": _("Sent by a program"),
    "client": _("Written with"),
    "too-many": _("Many messages from one author"),
    "too-many-replies": _("Many answers to one e-mail"),
    "unproven-author": _("In the name of an agent, not proven"),
    "same-message-id": _("Another document has the same Message-ID but different content"),
    "gmail-confirmation": _("Google asks for confirmation"),
    "sender-reply-to": _("Proposed as sender: the person to answer (Reply-To)"),
    "sender-x-original-from": _("Proposed as sender: the author before a list (X-Original-From)"),
    "sender-from": _("Proposed as sender: the address in the author’s name"),
    "sender-sender": _("Proposed as sender: there is no author (Sender)"),
    "to": _("Addressed to a source mailbox (To)"),
    "cc": _("Addressed to a source mailbox (Cc)"),
    "delivered-to": _("Delivered to a source mailbox"),
    "x-original-to": _("Delivered to a source mailbox"),
    "resent-by-agent": _("Redirected from the address of an agent (Resent-From)"),
    "resent-from": _("Redirected by (Resent-From)"),
    **reading.DOUBTS,
}
#: What a person had done, as the history keeps it.
ACTIONS = {"replay": _("to be replayed"), "accept": _("to be filed as instructed")}


class Words(BrowserView):
    """The macros ``@@mailbridge-evidence``; not a page of its own."""

    def __call__(self):
        raise NotFound("mailbridge-evidence")


def seen(evidence):
    """Return what the detectors saw."""
    return [
        {
            "detector": DETECTORS.get(name, name),
            "saw": masked(saw),
            "strength": STRENGTHS[strength],
        }
        for name, saw, strength in evidence
    ]


def verdicts(found):
    """Return the verdicts on signatures and seals."""
    return [
        {
            "method": METHODS.get(each["method"], each["method"]),
            "result": RESULTS.get(each["result"], each["result"]),
            "good": each["result"] == "pass",
            "about": masked(each["about"]),
            "detail": masked(each["detail"]),
        }
        for each in found
    ]


def facts(record):
    """Return label and text of each fact that is kept with a message."""
    rows = (
        (_("Received"), readable_time(record.created)),
        (_("How it came in"), titles.transfer(record)),
        (_("Handed in by"), depositor(record)),
        (_("Forwarded by"), "" if record.handed_in_by else agent(record.transferred_by)),
        (_("Wrote when passing it on"), record.words),
        (_("Source mailbox"), record.source_mailbox),
        (_("Envelope sender"), _envelope_sender(record)),
        (_("Envelope recipient"), record.envelope_recipient),
        (_("Handed over by"), record.client_address),
        (_("Proof"), titles.PROOF[record.proof].sentence),
        (_("Size"), readable_size(record.size)),
        ("SHA-256", record.sha256),
    )
    return [{"label": label, "text": masked(text)} for label, text in rows if text]


def _envelope_sender(record):
    if record.null_sender:
        return "<>"
    return "" if record.handed_in_by else record.envelope_sender


def depositor(record):
    """Return the name and address of who handed a message in, or an empty string."""
    name, address = user_name(record.handed_in_by), record.envelope_sender
    return f"{name} <{address}>" if record.handed_in_by and address else name


def words_beside(document):
    """Return who passed the message of a document on with words, and these line by line."""
    return [
        {"who": agent(record.transferred_by), "lines": record.words.split("\n")}
        for record in inbox().transfers(IUUID(document))
        if record.words
    ]


def agent(address):
    """Return the name and address of an agent, or the address alone."""
    directory = IDirectory(getSite(), None)
    userid = directory.agent_userid(address) if directory is not None and address else ""
    name = user_name(userid)
    return f"{name} <{address}>" if name and name != userid else address


def history(record):
    """Return the lines of the history."""
    return [
        {
            "at": readable_time(line["at"]),
            "state": titles.INCOMING.get(line["state"], line["state"]),
            "by": user_name(line["by"]),
            "why": WHY.get(line.get("why"), ""),
            "text": ACTIONS.get(line["text"])
            or translatable(reason_texts(line["text"])[0])
            or masked(translatable(line["text"])),
        }
        for line in record.history
    ]


def decided(row, state_row):
    """Return a sentence for each row that decided; 0 stands for none."""
    found = []
    if row:
        found.append(_("Row ${row} of the routing decided.", mapping={"row": str(row)}))
    if state_row:
        found.append(_("Row ${row} of the states decided.", mapping={"row": str(state_row)}))
    return found


def routes(record, item=""):
    """Return a sentence for each row that decided on the items of a record, or on the one with the uid ``item``."""
    return [
        sentence
        for uid, row, state_row in record.route
        if item in ("", uid)
        for sentence in decided(row, state_row)
    ]
