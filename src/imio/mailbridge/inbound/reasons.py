"""Reason codes in words, from the table of the message layer."""

from imio.mailbridge.message.classification.reason import REASONS


def reason_texts(code):
    """Return (sentence, remedy) for a code, or two empty strings for none."""
    reason = REASONS.get(code)
    return (reason.sentence, reason.remedy) if reason else ("", "")
