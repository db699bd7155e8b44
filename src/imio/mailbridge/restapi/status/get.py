"""``GET <site>/@mailbridge-status``: whether the bridge works."""

from datetime import datetime
from datetime import UTC
from imio.mailbridge.i18n import translatable
from imio.mailbridge.inbound.imap_answers import imap_answer
from imio.mailbridge.inbound.imap_reading import status_of
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.restapi.status.oldest import oldest_waiting
from imio.mailbridge.settings.read import settings
from imio.mailbridge.taskqueue.workers import processes
from imio.mailbridge.taskqueue.workers import unserved
from plone.restapi.services import Service
from zope.i18n import translate


class StatusGet(Service):
    """For monitoring: the worker, counts, the oldest waiting record, what stops an account."""

    def reply(self):
        """Return the status; a queue that cannot be reached is one of its ``errors``, not an exception."""
        errors = []
        try:
            workers = processes()
        except Exception as error:  # noqa: BLE001 - the queue's client raises many kinds
            workers = []
            errors.append(f"queue: {error}")
        for name, trouble in sorted(outbox().troubles.items()):
            words = f"{trouble['code'] or ''} {trouble['text']}".strip()
            explanation = translate(translatable(trouble["explanation"]), context=self.request)
            errors.append(f"{name}: {explanation} ({words})")
        oldest = oldest_waiting()
        hold = next(iter(outbox().holds.values()), None)
        return {
            "@id": f"{self.context.absolute_url()}/@mailbridge-status",
            "worker": {
                "alive": bool(workers) and not unserved(workers),
                "last_seen": _iso(max(each.seen for each in workers)) if workers else None,
            },
            "workers": [_worker(each) for each in workers],
            "outbox": outbox().counts(),
            "inbox": inbox().counts(),
            "oldest_waiting": oldest.isoformat() if oldest else None,
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


def _worker(process):
    return {
        "name": process.name,
        "kind": process.kind,
        "since": _iso(process.since),
        "last_seen": _iso(process.seen),
        "alive": process.is_alive,
        "queues": {
            name: {"threads": beat.threads, "busy": len(beat.busy), "hanging": beat.hanging}
            for name, beat in process.queues.items()
        },
    }


def _iso(seconds):
    return datetime.fromtimestamp(seconds, UTC).isoformat()
