"""``@@my-mail``: what waits for the current user and what became of it, each line one click from its thing.

The catalog and the stores count what they list; of messages those of the last ``DAYS`` days.
"""

from AccessControl import Unauthorized
from datetime import datetime
from datetime import time
from datetime import timedelta
from functools import cached_property
from imio.mailbridge.browser import titles
from imio.mailbridge.browser.alarm import AlarmViewlet
from imio.mailbridge.browser.button_page import may
from imio.mailbridge.browser.button_page import SET_UP
from imio.mailbridge.browser.inbox_access import own_addresses
from imio.mailbridge.desk.mail_query import NONE
from imio.mailbridge.i18n import _
from imio.mailbridge.iadocs import names
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.summary import WAITING
from imio.mailbridge.message.secret_address import masked
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.saved_drafts import drafts_of
from imio.mailbridge.outbox.visibility import is_manager
from imio.mailbridge.outbox.visibility import visible_content
from imio.mailbridge.outbox.visibility import visible_recipients
from imio.mailbridge.ports.directory import IDirectory
from imio.mailbridge.settings.clock import local_time
from imio.mailbridge.settings.clock import readable_time
from imio.mailbridge.settings.clock import site_zone
from imio.mailbridge.store.store import now
from itertools import islice
from plone import api
from plone.base.interfaces import IRedirectAfterLogin
from Products.Five.browser import BrowserView
from urllib.parse import urlencode
from zope.i18n import translate
from zope.interface import implementer
import json


#: Lines that are shown of each list, days that a list of messages goes back, records that are looked at for it.
SHOWN, DAYS = 8, 30


class MyMail(BrowserView):
    """The lists of the page: each a dict of ``key``, ``title``, ``count``, ``lines``, ``empty`` and ``url`` (of the whole list)."""

    def __call__(self):
        if api.user.is_anonymous():
            raise Unauthorized("Log in to see your mail.")
        self.request.set("disable_plone.leftcolumn", True)
        return self.index()

    @cached_property
    def userid(self):
        """The userid of the current user."""
        return api.user.get_current().getId()

    @cached_property
    def url(self):
        """The address of the site."""
        return api.portal.get().absolute_url()

    @property
    def is_manager(self):
        """Whether the user decides on mail that was not filed."""
        return is_manager()

    @cached_property
    def sections(self):
        """The lists, what is to do first; those for managers where the user is one."""
        found = [self._decide(), self._of_nobody(), self._stopped()] if is_manager() else []
        found += [self._mine(), self._of_service(), self._lost(), self._drafts(), self._waiting_forwards()]
        return [*found, self._answered(), self._sent()]

    def counts(self):
        """Return key → count of all lists."""
        return {each["key"]: each["count"] for each in self.sections}

    # mail to treat, from the catalog

    def _mine(self):
        return self._mail(
            "mine",
            _("To handle: mine"),
            _("No mail is waiting for you."),
            {"agent": "me"},
            mailbridge_agent=self.userid,
        )

    def _of_service(self):
        services = IDirectory(api.portal.get()).services_of(self.userid)
        title, empty = _("To handle: my service's"), _("None of your service's mail is waiting for an agent.")
        filters = {"service": services[0]} if len(services) == 1 else {}
        return self._mail(
            "service",
            title,
            empty,
            {**filters, "agent": NONE},
            mailbridge_agent="",
            mailbridge_service=list(services) or ["-"],
        )

    def _of_nobody(self):
        return self._mail(
            "nobody",
            _("To handle: without a service"),
            _("All mail to handle has a service or an agent."),
            {"service": NONE, "agent": NONE},
            mailbridge_agent="",
            mailbridge_service="",
        )

    def _mail(self, key, title, empty, filters, **query):
        catalog = api.portal.get_tool("portal_catalog")
        found, count = (), 0
        if "mailbridge_date" in catalog.indexes():
            found = catalog.searchResults(
                portal_type=names.INCOMING_EMAIL,
                review_state={"not": names.CLOSED},
                sort_on="mailbridge_date",
                sort_order="descending",
                sort_limit=SHOWN,
                **query,
            )
            count = found.actual_result_count
        lines = [self._mail_line(brain) for brain in islice(found, SHOWN)]
        url = f"{self.url}/{names.INCOMING_FOLDER}?{urlencode(filters)}"
        return _section(key, title, empty, count, lines, url)

    def _mail_line(self, brain):
        line = brain.mailbridge_line or {}
        when = line.get("date")
        return {
            "url": f"{brain.getURL()}/view",
            "title": brain.Title or names.EMPTY_SUBJECT,
            "about": line.get("name", ""),
            "when": api.portal.get_localized_time(when, long_format=True) if when is not None else "",
            "state": None,
        }

    # what was sent, from the Outbox

    def _lost(self):
        records = self._recent("failed", "bounced", "held")
        return self._messages("lost", _("Not sent or returned"), _("Nothing came back."), records)

    def _answered(self):
        records = self._recent("replied")
        return self._messages(
            "answered", _("Answers received"), _("No answer in the last 30 days."), records, "replied"
        )

    def _sent(self):
        midnight = datetime.combine(local_time(now()).date(), time.min, site_zone())
        found = outbox().newest_ids_of_user(self.userid, since=midnight)
        return self._messages("sent", _("Written today"), _("Nothing was written today."), found)

    def _recent(self, *states):
        return outbox().newest_ids_of_user(self.userid, *states, since=now() - timedelta(days=DAYS))

    def _messages(self, key, title, empty, found, state=""):
        lines = [
            {
                "url": f"{self.url}/@@mailbridge-sent-message?id={record.id}",
                "title": record.subject,
                "about": ", ".join(islice(visible_recipients(record), 3)),
                "when": readable_time(record.created),
                "state": titles.OUTGOING[record.state],
                "colour": titles.colour(record.state),
            }
            for record in islice(found.records(), SHOWN)
        ]
        url = f"{self.url}/@@my-emails" + (f"?state={state}" if state else "")
        return _section(key, title, empty, len(found), lines, url)

    # what is not finished

    def _drafts(self):
        found = drafts_of(self.userid)
        documents = {brain.UID: brain for brain in visible_content([draft.document for draft in found])}
        lines = [
            {
                "url": f"{documents[draft.document].getURL()}/@@send-email",
                "title": masked(str(draft.fields.get("subject") or "")) or documents[draft.document].Title,
                "about": documents[draft.document].Title,
                "when": readable_time(draft.saved_at),
                "state": None,
            }
            for draft in found
            if draft.document in documents
        ]
        return _section(
            "drafts", _("Drafts"), _("No draft is waiting to be sent."), len(lines), lines[:SHOWN], None
        )

    def _waiting_forwards(self):
        waiting = inbox().forwarded_by(own_addresses(), *WAITING)
        title, empty = _("Forwards waiting"), _("None of your forwards is waiting for a decision.")
        return _section(
            "forwards",
            title,
            empty,
            len(waiting),
            self._incoming(islice(waiting.records(), SHOWN)),
            f"{self.url}/@@my-forwards",
        )

    def _decide(self):
        ids = inbox().newest_ids(*WAITING)
        records = islice(ids.records(), SHOWN)
        title, empty = _("To decide"), _("No message is waiting for a decision.")
        url = f"{self.url}/@@mailbridge-inbox?state=open"
        return _section("decide", title, empty, len(ids), self._incoming(records), url)

    def _stopped(self):
        lines = [
            {
                "url": f"{self.url}/{each['page']}" if may(SET_UP) else None,
                "title": each["name"],
                "about": translate(each["explanation"], context=self.request),
                "when": each["since"],
                "state": None,
            }
            for each in AlarmViewlet(self.context, self.request, self, None).alarms()
        ]
        title, empty = _("Stopped accounts and mailboxes"), _("All accounts and mailboxes work.")
        return _section("stopped", title, empty, len(lines), lines, None)

    def _incoming(self, records):
        return [
            {
                "url": f"{self.url}/@@mailbridge-inbox-message?id={record.id}",
                "title": masked(record.subject) or names.EMPTY_SUBJECT,
                "about": record.author,
                "when": readable_time(record.created),
                "state": titles.INCOMING[record.state],
                "colour": titles.colour(record.state),
            }
            for record in records
        ]


class Counts(MyMail):
    """The counts as JSON: the page stays current without being loaded again."""

    def index(self):
        """Return the counts."""
        self.request.response.setHeader("Content-Type", "application/json")
        return json.dumps(self.counts())


def _section(key, title, empty, count, lines, url):
    return {"key": key, "title": title, "empty": empty, "count": count, "lines": lines, "url": url}


@implementer(IRedirectAfterLogin)
class AfterLogin:
    """Where a log-in leads that began on no page of its own: to the user's mail, where the profile ``iadocs`` is installed."""

    def __init__(self, context, request):
        self.request = request

    def __call__(self, came_from=None, is_initial_login=False):
        """Return the address of the next page."""
        site = api.portal.get()
        home = {site.absolute_url(), f"{site.absolute_url()}/"}
        if (came_from and came_from not in home) or names.INCOMING_FOLDER not in site:
            return came_from
        return f"{site.absolute_url()}/@@my-mail"
