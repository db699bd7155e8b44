"""``GET <site>/@mailbridge-status``: whether the bridge works."""

from datetime import datetime
from datetime import UTC
from imio.mailbridge.i18n import translatable
from imio.mailbridge.inbound.imap_answers import imap_answer
from imio.mailbridge.inbound.imap_reading import status_of
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings.read import settings
from imio.mailbridge.taskqueue import queue
from plone.restapi.services import Service
from zope.i18n import translate


#: Seconds; the worker notes once a minute that it is alive.
ALIVE_FOR = 180


class StatusGet(Service):
    """For monitoring: the worker, counts, the oldest waiting record, what stops an account."""

    def reply(self):
        """Return the status; a queue that cannot be reached is one of its ``errors``, not an exception."""
        errors = []
        try:
            seen = queue.last_seen()
        except Exception as error:  # noqa: BLE001 - the queue's client raises many kinds
            seen = None
            errors.append(f"queue: {error}")
        for name, trouble in sorted(outbox().troubles.items()):
            words = f"{trouble['code'] or ''} {trouble['text']}".strip()
            explanation = translate(translatable(trouble["explanation"]), context=self.request)
            errors.append(f"{name}: {explanation} ({words})")
        hold = next(iter(outbox().holds.values()), None)
        return {
            "@id": f"{self.context.absolute_url()}/@mailbridge-status",
            "worker": {
                "alive": seen is not None and datetime.now(UTC).timestamp() - seen < ALIVE_FOR,
                "last_seen": datetime.fromtimestamp(seen, UTC).isoformat() if seen else None,
            },
            "outbox": outbox().counts(),
            "inbox": inbox().counts(),
            "oldest_waiting": self._oldest_waiting(),
            "held": translate(translatable(hold["explanation"]), context=self.request) if hold else None,
            "mailboxes": [self._mailbox(name) for name in settings().imap_mailboxes],
            "errors": errors,
        }

    def _mailbox(self, name):
        about = status_of(name)
        problem = about.problem if about is not None else None
        checked = about.checked if about is not None else None
        sentence = imap_answer(problem["stage"], problem["text"]).explanation if problem else ""
        return {
            "name": name,
            "checked": checked.isoformat() if checked else None,
            "waiting": about.waiting if about is not None else 0,
            "problem": translate(sentence, context=self.request) if problem else None,
        }

    def _oldest_waiting(self):
        times = [time for time in (outbox().oldest_waiting(), inbox().oldest("received")) if time]
        return min(times).isoformat() if times else None
