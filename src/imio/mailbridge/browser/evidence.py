"""What is known of how a message came in? The same words on the page of a message, on the Proof tab and in the dry run."""

from imio.mailbridge.browser import titles
from imio.mailbridge.browser.local_date import readable_time
from imio.mailbridge.browser.message_view import name_of
from imio.mailbridge.browser.size import readable_size
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import translatable
from imio.mailbridge.inbound.destination import masked
from imio.mailbridge.inbound.reasons import reason_texts
from imio.mailbridge.outbox.visibility import is_manager
from imio.mailbridge.ports.directory import IDirectory
from Products.Five.browser import BrowserView
from zExceptions import NotFound
from zope.component.hooks import getSite


PROOFS = {
    "": _("nothing proves where it comes from"),
    "gateway": _("it came from a trusted mail server"),
    "tag": _("it came to a secret address"),
    "arc": _("a listed mail provider sealed it (ARC)"),
    "dkim": _("the agent's domain signed it (DKIM)"),
    "results": _("your own mail server verified the agent's domain"),
}
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
    "forwarded-text": _("The text is a forward"),
    "reply": _("It answers an e-mail of iA.docs"),
    "tag": _("Secret address of the mailbox"),
    "bulk": _("Mass mailing or list"),
    "auto-submitted": _("Sent by a program"),
    "client": _("Written with"),
    "too-many": _("Many messages of one author"),
    "gmail-confirmation": _("Google asks for a confirmation"),
    "to": _("Addressed to a source mailbox (To)"),
    "cc": _("Addressed to a source mailbox (Cc)"),
    "delivered-to": _("Delivered to a source mailbox"),
    "x-original-to": _("Delivered to a source mailbox"),
    "resent-from": _("Redirected by (Resent-From)"),
}


class Words(BrowserView):
    """The macros that show all this; no page by itself."""

    def __call__(self):
        raise NotFound("mailbridge-evidence")


def seen(evidence):
    """Return what detectors saw, for people; old records have no strength."""
    return [
        {
            "detector": DETECTORS.get(name, name),
            "saw": saw,
            "strength": STRENGTHS.get(next(iter(rest), ""), ""),
        }
        for name, saw, *rest in evidence
    ]


def verdicts(found):
    """Return what verifying signatures gave, for people."""
    return [
        {
            "method": METHODS.get(each["method"], each["method"]),
            "result": RESULTS.get(each["result"], each["result"]),
            "good": each["result"] == "pass",
            "about": _shown_address(each["about"]),
            "detail": each["detail"],
        }
        for each in found
    ]


def facts(record):
    """Return (label, text) of what is kept with a message."""
    rows = (
        (_("Received"), readable_time(record.created)),
        (_("How it came in"), titles.TRANSFER.get(record.transfer, "")),
        (_("Forwarded by"), _agent(record.transferred_by)),
        (_("Source mailbox"), record.source_mailbox),
        (_("Envelope sender"), "<>" if record.null_sender else record.envelope_sender),
        (_("Envelope recipient"), _shown_address(record.envelope_recipient)),
        (_("Handed over by"), record.client_address),
        (_("Proof"), PROOFS.get(record.proof, record.proof)),
        (_("Size"), readable_size(record.size)),
        ("SHA-256", record.sha256),
    )
    return [{"label": label, "text": text} for label, text in rows if text]


def _agent(address):
    """Return the address of an agent with the name, or the address alone."""
    directory = IDirectory(getSite(), None)
    userid = directory.agent_userid(address) if directory is not None and address else ""
    name = name_of(userid)
    return f"{name} <{address}>" if name and name != userid else address


def _shown_address(address):
    """Return an address, without its secret part for who does not manage mail."""
    return address if is_manager() else masked(address)


def history(record):
    """Return the lines of the history, for people."""
    return [
        {
            "at": readable_time(line["at"]),
            "state": titles.INCOMING.get(line["state"], line["state"]),
            "by": name_of(line["by"]),
            "text": translatable(reason_texts(line["text"])[0]) or translatable(line["text"]),
        }
        for line in record.history
    ]


def decided(row, state_row):
    """Return which rows decided, a sentence each; 0 is none."""
    found = []
    if row:
        found.append(_("Row ${row} of the routing decided.", mapping={"row": str(row)}))
    if state_row:
        found.append(_("Row ${row} of the states decided.", mapping={"row": str(state_row)}))
    return found


def routes(record, item=""):
    """Return which rows decided, of all items of a record or of the one with the uid ``item``."""
    return [
        sentence
        for uid, row, state_row in record.route or ()
        if item in ("", uid)
        for sentence in decided(row, state_row)
    ]
