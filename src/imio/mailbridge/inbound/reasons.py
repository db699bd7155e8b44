"""Reason codes in words, from the table of the message layer."""

from imio.mailbridge.message.classification.reason import REASONS
from imio.mailbridge.message.classification.reason import REDIRECTED_BY_AGENT
from imio.mailbridge.message.classification.reason import RESENT_BY_AGENT
from imio.mailbridge.ports.directory import IDirectory
from zope.component.hooks import getSite


def is_redirected_by_agent(evidence):
    """Tell whether an agent of the directory redirected a message; the patterns of agents can match a mailbox too."""
    directory = IDirectory(getSite(), None)
    agents = [saw for detector, saw, _strength in evidence if detector == RESENT_BY_AGENT]
    return directory is not None and any(map(directory.agent_userid, agents))


def reason_label(code, evidence=()):
    """Return the short label of a code for lists, or an empty string for none."""
    reason = _reason(code, evidence)
    return reason.label if reason else ""


def reason_texts(code, evidence=()):
    """Return (sentence, remedy) for a code, or two empty strings for none.

    ``evidence`` are (detector, what it saw, strength) of the message, where it is known.
    """
    reason = _reason(code, evidence)
    return (reason.sentence, reason.remedy) if reason else ("", "")


def _reason(code, evidence):
    if code == "undeclared-mailbox" and is_redirected_by_agent(evidence):
        return REDIRECTED_BY_AGENT
    return REASONS.get(code)
