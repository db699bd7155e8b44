"""Reads what the address of a list asks for: filters, order and text; what is not understood gets the default and a sentence."""

from dataclasses import dataclass
from dataclasses import field
from datetime import date
from datetime import datetime
from datetime import time
from imio.mailbridge.i18n import _
import re


#: column → index that sorts by it
SORTS = {
    "name": "mailbridge_name",
    "subject": "sortable_title",
    "date": "mailbridge_date",
    "state": "review_state",
    "files": "mailbridge_files",
}
#: what stands for “none” in a filter, and for the current user
NONE, ME = "-", "me"
_MAX_TEXT = 200
_WORD = re.compile(r"\w+")
#: Words that the catalog takes for its own unless they are quoted.
_OPERATORS = ("and", "or", "not")


@dataclass(frozen=True)
class MailQuery:
    """What a list shows. ``problems`` are sentences about what was not understood."""

    text: str = ""
    service: str = ""
    agent: str = ""
    state: str = ""
    answered: str = ""
    first: date | None = None
    last: date | None = None
    sort: str = "date"
    descending: bool = True
    problems: tuple[str, ...] = field(default=(), compare=False)

    def address(self, **changes):
        """Return the fields of the address as a dict, without those that have their default."""
        values = {
            "q": self.text,
            "service": self.service,
            "agent": self.agent,
            "state": self.state,
            "answered": self.answered,
            "from": self.first.isoformat() if self.first else "",
            "to": self.last.isoformat() if self.last else "",
            "sort": self.sort if self.sort != "date" else "",
            "order": "" if self.descending == (self.sort == "date") else "desc" if self.descending else "asc",
            **changes,
        }
        return {name: value for name, value in values.items() if value}


def read_query(form, services, agents, states):
    """Return the ``MailQuery`` of a form; ``services``, ``agents`` and ``states`` are the values that can be chosen."""
    problems = []

    def chosen(name, known, problem):
        value = _text(form.get(name))
        if value and value not in known:
            problems.append(problem)
            return ""
        return value

    service = chosen(
        "service", {NONE, *services}, _("There is no such service; mail for all services is shown.")
    )
    agent = chosen("agent", {NONE, ME, *agents}, _("There is no such agent; everyone's mail is shown."))
    state = chosen("state", states, _("There is no such state; mail in all states is shown."))
    answered = chosen("answered", ("yes", "no"), _("“Answered” can be yes or no; all mail is shown."))
    sort = (
        chosen("sort", SORTS, _("The list cannot be sorted by this; the newest mail comes first.")) or "date"
    )
    order = chosen("order", ("asc", "desc"), _("There is no such order; the usual one was used."))
    days = []
    for name in ("from", "to"):
        try:
            days.append(date.fromisoformat(value) if (value := _text(form.get(name))) else None)
        except ValueError:
            problems.append(_("A date cannot be read; choose it in the calendar."))
            days.append(None)
    text = _text(form.get("q"))[:_MAX_TEXT]
    if text and not _WORD.search(text):
        problems.append(_("Only letters and digits can be searched for; all mail is shown."))
        text = ""
    return MailQuery(
        text,
        service,
        agent,
        state,
        answered,
        *days,
        sort,
        order == "desc" if order else sort == "date",
        tuple(dict.fromkeys(problems)),
    )


def _text(value):
    return " ".join(value.split()) if isinstance(value, str) else ""


def catalog_query(query, own_agents, answered):
    """Return the conditions for the catalog.

    ``own_agents`` are what stands there for the current user, ``answered()`` returns the uids of the mails with an answer.
    """
    found = {
        "sort_on": SORTS[query.sort],
        "sort_order": "descending" if query.descending else "ascending",
    }
    if query.text:
        found["SearchableText"] = " AND ".join(map(_beginning, _WORD.findall(query.text)))
    if query.service:
        found["mailbridge_service"] = "" if query.service == NONE else query.service
    if query.agent:
        found["mailbridge_agent"] = {NONE: "", ME: own_agents}.get(query.agent, query.agent)
    if query.state:
        found["review_state"] = query.state
    if query.answered:
        uids = answered()
        found["UID"] = {"query": uids} if query.answered == "yes" else {"not": uids}
    if query.first or query.last:
        first = datetime.combine(query.first, time.min) if query.first else None
        last = datetime.combine(query.last, time.max) if query.last else None
        bounds = [each for each in (first, last) if each is not None]
        found["mailbridge_date"] = {
            "query": bounds if len(bounds) > 1 else bounds[0],
            "range": "min:max" if len(bounds) > 1 else "min" if first else "max",
        }
    return found


def _beginning(word):
    """Return a term of the catalog for the words that begin like this one."""
    return f'"{word}"' if word.lower() in _OPERATORS else f"{word}*"
