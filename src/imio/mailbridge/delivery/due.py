"""Tells which recipients of a message are due: no server has taken it for them, and the time of the next try has come."""

from imio.mailbridge.outbox.states import DUE
from imio.mailbridge.store.store import now


def due_recipients(record):
    """Return the addresses to send a message to now; none while a worker is sending it."""
    is_early = record.next_try is not None and record.next_try > now()
    return [] if is_early or record.in_state("sending") else record.in_state(*DUE)
