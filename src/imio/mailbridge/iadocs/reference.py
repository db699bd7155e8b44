"""Which number does the next incoming e-mail get?"""

from persistent.mapping import PersistentMapping
from zope.annotation.interfaces import IAnnotations


KEY = "imio.mailbridge.iadocs.incoming_number"


def next_number(site):
    """Count up and return the number.

    A mapping of its own that merges nothing: two transactions that count at the same time conflict, the
    publisher runs one of them again, and no number is handed out twice.
    """
    annotations = IAnnotations(site)
    counter = annotations.get(KEY)
    if counter is None:
        counter = annotations[KEY] = PersistentMapping(last=0)
    counter["last"] += 1
    return counter["last"]
