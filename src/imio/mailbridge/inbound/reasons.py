"""Reason codes in words, from the table of the message layer."""

from imio.mailbridge.message.classification.reason import REASONS
from imio.mailbridge.message.classification.reason import REDIRECTED_BY_AGENT
from imio.mailbridge.message.classification.reason import RESENT_BY_AGENT


def reason_texts(code, evidence=()):
    """Return (sentence, remedy) for a code, or two empty strings for none.

    ``evidence`` are (detector, what it saw, strength) of the message, where it is known.
    """
    reason = REASONS.get(code)
    if code == "undeclared-mailbox" and any(detector == RESENT_BY_AGENT for detector, *_rest in evidence):
        reason = REDIRECTED_BY_AGENT
    return (reason.sentence, reason.remedy) if reason else ("", "")
