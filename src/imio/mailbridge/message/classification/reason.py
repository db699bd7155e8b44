"""Defines the reason codes: why a message was not filed, and what a person can do about it."""

from collections.abc import Mapping
from dataclasses import dataclass


def _(text: str) -> str:
    return text


@dataclass(frozen=True)
class Reason:
    """What a person reads (msgids): ``sentence`` says what happened and what it means, ``remedy`` what to do.

    ``label`` is the same in two or three words, for a line of a list.
    """

    label: str
    sentence: str
    remedy: str


#: The evidence that an address of an agent redirected a message, and what ``undeclared-mailbox`` means if the agent exists.
RESENT_BY_AGENT = "resent-by-agent"
REDIRECTED_BY_AGENT = Reason(
    _("Redirected by an agent"),
    _(
        "An agent redirected this message as if it had just been sent (“Redirect” in the mail program). Anyone can write such a "
        "mark, and it is not the forward of an agent, so no document was made."
    ),
    _(
        "If the message looks right, accept it. Ask the agent to forward as attachment from now on: then it is filed at once, with "
        "the agent’s name. No need to add the agent’s address to the source mailboxes."
    ),
)

#: Reason code → texts. A new code is added here and nowhere else.
REASONS: Mapping[str, Reason] = {
    "no-recipient": Reason(
        _("No recipient given"),
        _(
            "The mail server did not say for which mail-in address this message came, "
            "and several addresses are possible. It was kept, but no document was made."
        ),
        _(
            "Choose the service and accept the message. So that it does not happen again, ask whoever runs the mail "
            "server to pass the envelope recipient to the mail bridge."
        ),
    ),
    "unproven-redirect": Reason(
        _("Redirected, not proven"),
        _(
            "The message says that one of your mailboxes passed it on, but nothing proves it. "
            "Anyone can write such a line, so no document was made."
        ),
        _(
            "If the message looks right, accept it. If all mail from this mailbox ends up here, add the address of the mail "
            "server that passes it on to the trusted mail servers, or have it redirect to a mail-in address with a secret "
            "part, then replay the message."
        ),
    ),
    "unproven-agent": Reason(
        _("Agent not proven"),
        _(
            "The message bears an agent's address as its sender, but nothing proves that this agent sent it. "
            "An address is easy to forge, so no document was made."
        ),
        _(
            "Ask the agent whether they forwarded this message; if so, accept it. If forwards from all agents end up here, add "
            "your mail server to the trusted mail servers, then replay the message."
        ),
    ),
    "undeclared-mailbox": Reason(
        _("Unknown mailbox"),
        _(
            "A mailbox that is not among the source mailboxes in the settings passed this message on. "
            "The bridge does not know which service it belongs to, so no document was made."
        ),
        _(
            "If the mailbox is one of yours, add it to the source mailboxes in the settings, then replay the message. "
            "If not, ask its owner to stop forwarding, and discard the message."
        ),
    ),
    "inline-forward": Reason(
        _("Forward as text"),
        _(
            "This message was forwarded as text: the original is only quoted in it, so its sender and date cannot be "
            "trusted. What could be read from the text is kept as a proposal; no document was made."
        ),
        _(
            "Check the proposal and accept it, or forward the original again as an attachment. If a mailbox does this "
            "automatically, change its rule from “forward” to “redirect”."
        ),
    ),
    "direct": Reason(
        _("Written directly"),
        _(
            "This message was written to the mail-in address itself, which is meant for forwarded mail only. "
            "No document was made."
        ),
        _(
            "If it is real mail for the town, accept it as direct mail. Tell its author the public address to use, "
            "and keep the mail-in address to yourselves."
        ),
    ),
    "unmatched-report": Reason(
        _("Report that matches no e-mail of ours"),
        _(
            "This is an automatic report (a delivery failure, a read receipt or an absence message), but it is about no "
            "message that the mail bridge sent. It was kept so that nothing is lost."
        ),
        _(
            "Usually it can be discarded. If it answers a colleague's letter, send it on to them. If it brings a document, "
            "such as an acknowledgment from an administration, accept it. If there are many, someone may be sending mail in "
            "your name: tell whoever runs the mail server."
        ),
    ),
    "loop": Reason(
        _("Came back to us"),
        _(
            "This message was sent by the mail bridge itself and has come back to it, or it was passed on too many times. "
            "Filing it could make mail go round in circles, so no document was made."
        ),
        _(
            "Check that no mailbox that forwards to the mail bridge is also a recipient of the mail that it sends, "
            "correct the forwarding rule, then discard the message."
        ),
    ),
    "too-many": Reason(
        _("Too many from one author"),
        _(
            "Its author sent more messages within an hour than the settings allow. Programs that answer each other do this, so no "
            "document was made of what is over the limit."
        ),
        _(
            "Look at a few of them. If they are real mail, for instance from a form on your web site, raise the limit in the "
            "settings and replay them; if not, stop whoever sends them and discard them."
        ),
    ),
    "too-many-replies": Reason(
        _("Too many answers"),
        _(
            "The e-mail that it answers was answered more often within an hour than its recipients would. Programs that answer "
            "each other do this, and so do forgers, so no document was made of what is over the limit."
        ),
        _(
            "Look at a few of them. If they are real answers, replay them: they are filed. If not, discard them and stop "
            "whoever sends them. This limit is not a setting; after an hour there is room again."
        ),
    ),
    "forwarding-confirmation": Reason(
        _("Google asks"),
        _(
            "Google asks whether a mailbox may forward its mail to this address. It forwards nothing before somebody confirms."
        ),
        _(
            "If the mailbox is one of yours, follow the link below or give its code to whoever set up the forwarding. "
            "If you do not know the mailbox, discard the message."
        ),
    ),
    "stand-in": Reason(
        _("Notice in place of a message"),
        _(
            "The mail server could not read a message in its mailbox and handed over this notice in its place. "
            "The message itself is still in the mailbox; no document was made."
        ),
        _(
            "Open the mailbox in Outlook, look for the message that the notice names, and forward it as an attachment. "
            "Then discard the notice."
        ),
    ),
    "too-complex": Reason(
        _("Too unusual in structure"),
        _(
            "The structure of this message is unusual: far too many headers, parts or levels. Real mail does not look like "
            "this and reading it could block the mail bridge, so it was not opened."
        ),
        _(
            "If you know the author, ask for the message in a simpler form, for example the file alone. "
            "Otherwise discard it."
        ),
    ),
    "unreadable": Reason(
        _("Not an e-mail"),
        _(
            "What came in is not an e-mail: it has neither sender, subject nor date, or it is empty. "
            "The bytes were kept as they came, but no document was made."
        ),
        _(
            "Download the original to see what it is. If your mail server delivers such content again, "
            "tell whoever runs it; otherwise discard the message."
        ),
    ),
    "encrypted": Reason(
        _("Encrypted"),
        _(
            "The content of this message is encrypted and the mail bridge has no key to open it. "
            "A document would hold nothing that anyone could read, so none was made."
        ),
        _(
            "Open the message in the mail program of the person it is meant for, "
            "or ask its author to send it again without encryption. You may also accept it as it is."
        ),
    ),
    "filing-error": Reason(
        _("Filing failed"),
        _(
            "The message was read without difficulty, but making the document failed. The message itself is safe."
        ),
        _(
            "Read the error below and correct its cause, often a missing service or folder, then replay the message. If it "
            "happens again, send the error to the support desk."
        ),
    ),
}
