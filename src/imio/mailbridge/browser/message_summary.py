"""Summarizes an outgoing message for the current user: recipients, timeline, and the buttons that may be pressed."""

from datetime import timedelta
from imio.mailbridge.browser import titles
from imio.mailbridge.browser.resubmit import can_be_edited
from imio.mailbridge.browser.resubmit import may_decide
from imio.mailbridge.delivery.answers import answer_named
from imio.mailbridge.delivery.send import LEASE
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import translatable
from imio.mailbridge.outbox.explained import explained
from imio.mailbridge.outbox.permission import may_send
from imio.mailbridge.outbox.states import WAITING
from imio.mailbridge.outbox.visibility import is_manager
from imio.mailbridge.outbox.visibility import visible_content
from imio.mailbridge.outbox.visibility import visible_lines
from imio.mailbridge.outbox.visibility import visible_recipients
from imio.mailbridge.outbox.visibility import visible_state
from imio.mailbridge.settings.clock import local_time
from imio.mailbridge.settings.clock import readable_time
from imio.mailbridge.store.per_request import once_a_request
from imio.mailbridge.store.store import now
from plone import api
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile


#: The page reloads itself while something is due within this time, in seconds.
SOON = 300

#: Sending that lasts longer was perhaps interrupted.
LONG = timedelta(minutes=5)
#: The sweep that takes up what was interrupted comes as often.
SWEEP = timedelta(minutes=1)

FIELDS = {"to": _("To"), "cc": _("Cc"), "bcc": _("Bcc")}

#: Button: name → title, states of a recipient in which it is offered.
BUTTONS = {
    "undo": (_("Undo"), ("scheduled",)),
    "send_now": (_("Send now"), ("scheduled",)),
    "retry": (_("Try again now"), ("failed", "deferred")),
    "cancel": (_("Cancel"), ("queued", "deferred", "held")),
}


def summary_of(record):
    """Return the parts of a message that the current user may see."""
    visible = visible_recipients(record)
    lines = list(map(_line, visible_lines(record)))
    state = visible_state(record)
    document = next((brain.getObject() for brain in visible_content([record.document])), None)
    return {
        "id": record.id,
        "subject": record.subject,
        "created": record.created,
        "from": str(record.sender.author),
        "state": state,
        "title": titles.OUTGOING[state],
        "colour": titles.colour(state),
        "recipients": [_recipient(record, address, state, lines) for address, state in visible.items()],
        "timeline": lines,
        "waiting": _is_waiting(record),
        "leaves": record.next_try if "scheduled" in visible.values() else None,
        "seconds": _seconds_left(record) if "scheduled" in visible.values() else None,
        "buttons": _buttons(record),
        "document": document,
        "edit": _edit_url(record, document),
    }


def version_of(messages):
    """Return a text that changes whenever one of the summaries does."""
    return " ".join(f"{each['id'][:8]}.{len(each['timeline'])}.{each['state']}" for each in messages)


def _recipient(record, address, state, lines):
    """Return one recipient with the last line of the timeline about it."""
    about = [
        line
        for line in lines
        if line["recipient"] == address or (not line["recipient"] and line["state"] == state)
    ]
    last = about[-1] if about else None
    return {
        "address": address,
        "state": state,
        "field": next(
            title
            for field, title in FIELDS.items()
            if any(each.addr_spec == address for each in getattr(record, field))
        ),
        "title": titles.OUTGOING[state],
        "colour": titles.colour(state),
        "last": last,
        "next_try": record.next_try if state == "deferred" else None,
        "progress": _progress(record) if state == "sending" else "",
    }


def _progress(record):
    """Return since when a message is being sent and, if that is long ago, when the bridge goes on at the latest."""
    if record.lease_until is None:
        return ""
    begun, latest = record.lease_until - LEASE, record.lease_until + SWEEP
    times = {"since": f"{local_time(begun):%H:%M}", "latest": f"{local_time(latest):%H:%M}"}
    if now() < begun + LONG:
        return _("Sending since ${since}.", mapping=times)
    return _(
        "Sending since ${since}. This may have been interrupted; if so, iA.docs resumes by itself, at ${latest} at the latest.",
        mapping=times,
    )


def _line(line):
    row = answer_named(line["answer"]) if line["answer"] else None
    return {
        "at": line["at"],
        "recipient": line["recipient"],
        "state": line["state"],
        "title": titles.OUTGOING[line["state"]],
        "explanation": explained(line),
        "said": f"{line['code'] or ''} {line['text']}".strip(),
        "remedy": translatable(row.remedy) if row is not None and is_manager() else "",
        "by": user_name(line["by"]),
        "filed": visible_content(line["items"]),
    }


@once_a_request(key=lambda userid: userid)
def user_name(userid):
    """Return the full name of a user, or the userid where there is none."""
    user = api.user.get(userid=userid) if userid else None
    return (user is not None and user.getProperty("fullname")) or userid


def _seconds_left(record):
    return max(0, int((record.next_try - now()).total_seconds())) if record.next_try else 0


def _is_waiting(record):
    """Tell whether something will happen soon."""
    return bool(record.in_state("queued", "sending")) or (
        bool(record.in_state(*WAITING)) and record.next_try is not None and _seconds_left(record) <= SOON
    )


def _buttons(record):
    if not may_decide(record):
        return []
    return [
        {"name": name, "title": title}
        for name, (title, states) in BUTTONS.items()
        if record.in_state(*states) and (name != "retry" or record.body is not None)
    ]


def _edit_url(record, document):
    """Return the address where the message can be edited and sent again, or an empty string."""
    if document is None or not may_decide(record) or not can_be_edited(record) or not may_send(document):
        return ""
    return f"{document.absolute_url()}/@@send-email?edit={record.id}"


class SummaryPage:
    """Mixin of pages that show summaries: their buttons and times."""

    time = staticmethod(readable_time)

    _template = ViewPageTemplateFile("templates/buttons.pt")

    def buttons(self, message, back):
        """Return the HTML of a message's buttons; they lead back to ``document``, ``mine`` or ``outbox``."""
        return self._template(message=message, back=back, site_url=api.portal.get().absolute_url())
