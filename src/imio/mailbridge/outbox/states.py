"""The states of recipients, and the state of a message that follows from them."""

from collections.abc import Iterable


#: The worst first; a message is in the worst state of its recipients.
ORDER = ("failed", "bounced", "held", "deferred", "sending", "queued", "scheduled", "sent", "replied")

#: A server took the message for this recipient.
TAKEN = frozenset({"sent", "bounced", "replied"})

#: The message did not reach this recipient, and the bridge will not try again.
LOST = frozenset({"failed", "bounced"})

#: The bridge still means to send to this recipient.
WAITING = frozenset({"scheduled", "queued", "sending", "deferred", "held"})

#: No server has taken the message for this recipient, and it is to be sent as soon as its time has come.
DUE = frozenset({"scheduled", "queued", "deferred"})


def message_state(recipient_states: Iterable[str]) -> str:
    """Return the state of a message; cancelled recipients count only when there is no other."""
    present = set(recipient_states)
    return next((state for state in ORDER if state in present), "cancelled")
