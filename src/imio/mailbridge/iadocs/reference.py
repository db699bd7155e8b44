"""Counts incoming e-mails, for their references."""

from persistent.mapping import PersistentMapping
from zope.annotation.interfaces import IAnnotations


KEY = "imio.mailbridge.iadocs.incoming_number"


def next_number(site):
    """Count up and return the number.

    The counter is a persistent object that merges nothing: two transactions that count at the same time
    conflict, one of them is tried another time, and no number is given twice.
    """
    annotations = IAnnotations(site)
    counter = annotations.get(KEY)
    if counter is None:
        counter = annotations[KEY] = PersistentMapping(last=0)
    counter["last"] += 1
    return counter["last"]
