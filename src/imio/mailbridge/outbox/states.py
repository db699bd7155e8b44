"""In which state is a message, given the states of its recipients?"""

#: The worst first; a message is in the worst state of its recipients.
ORDER = ("failed", "bounced", "held", "deferred", "sending", "queued", "scheduled", "sent", "replied")

#: A server took the message for this recipient.
TAKEN = frozenset({"sent", "bounced", "replied"})

#: The message did not reach this recipient, and no further try is meant.
LOST = frozenset({"failed", "bounced"})

#: The bridge still means to send to this recipient.
WAITING = frozenset({"scheduled", "queued", "sending", "deferred", "held"})


def message_state(recipient_states):
    """Return the state of a message; cancelled recipients count only when there is no other."""
    present = set(recipient_states)
    return next((state for state in ORDER if state in present), "cancelled")
