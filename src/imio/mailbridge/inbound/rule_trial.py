"""Tries a rule on the messages that came in last, by the usual decision; writes nothing, asks no DNS."""

from dataclasses import dataclass
from dataclasses import replace
from imio.mailbridge.inbound.inbox import InboundMessage
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.process import decision_on
from imio.mailbridge.inbound.process import read
from imio.mailbridge.inbound.process import sent_messages
from imio.mailbridge.store.blobs import is_readable
from itertools import islice
import time


#: How many messages are tried, the newest first.
TRIED = 200
#: A trial stops after this time, in seconds.
RUN_TIME = 20


@dataclass(frozen=True)
class Trial:
    """``tried`` messages were looked at; the rule would decide about ``found``, of which ``files`` would be filed and wait now."""

    tried: int
    found: tuple[InboundMessage, ...]
    files: frozenset[str]


def try_rule(rows, number, values):
    """Return the ``Trial`` of the rule ``number`` among ``rows`` (``RoutingRow``), with the other settings from ``values``."""
    values = replace(values, iemail_routing=rows)
    box, sent, end = inbox(), sent_messages(), time.monotonic() + RUN_TIME
    tried, found, files = 0, [], set()
    for record in islice(box.everything().records(), TRIED):
        if time.monotonic() > end:
            break
        if not is_readable(record.raw):
            continue
        tried += 1
        decision = decision_on(record, read(record), values, sent)
        if any(each.route.row == number for each in decision.candidates):
            found.append(record)
            if record.state == "quarantined" and decision.state == "filed":
                files.add(record.id)
    return Trial(tried, tuple(found), frozenset(files))
