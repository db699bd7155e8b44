"""``@@mailbridge-mail-list``: the mail in a folder and in the periods below it, as a table; from the catalog alone."""

from functools import cached_property
from imio.mailbridge.browser.batch import batch_of
from imio.mailbridge.browser.button_page import ButtonPage
from imio.mailbridge.desk.columns import choose_columns
from imio.mailbridge.desk.columns import COLUMNS
from imio.mailbridge.desk.columns import columns_of
from imio.mailbridge.desk.mail_query import catalog_query
from imio.mailbridge.desk.mail_query import ME
from imio.mailbridge.desk.mail_query import NONE
from imio.mailbridge.desk.mail_query import read_query
from imio.mailbridge.desk.mail_query import SORTS
from imio.mailbridge.desk.opened import is_unread
from imio.mailbridge.desk.opened import opened_by
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import plural
from imio.mailbridge.iadocs import names
from plone import api
from urllib.parse import urlencode
from zExceptions import NotFound
from zope.i18n import translate


PAGE = 30


class MailList(ButtonPage):
    """The table, its filters, and the choice of columns."""

    buttons = {"columns_chosen": "_choose_columns"}

    def __call__(self):
        self.catalog = api.portal.get_tool("portal_catalog")
        if "mailbridge_date" not in self.catalog.indexes():
            raise NotFound("mailbridge-mail-list")  # the profile “iadocs” is not installed
        self.url = self.context.absolute_url()
        self.request.set("disable_plone.leftcolumn", True)  # a table wants the width
        return super().__call__()

    def _choose_columns(self):
        if self.userid:
            choose_columns(self.userid, self._ticked_columns)

    @property
    def _ticked_columns(self):
        ticked = self.request.form.get("columns") or []
        return [ticked] if isinstance(ticked, str) else ticked

    @property
    def next_url(self):
        """Return the list as it was filtered."""
        return self.link()

    @cached_property
    def userid(self):
        """The userid of the current user, or an empty string."""
        return "" if api.user.is_anonymous() else api.user.get_current().getId()

    @cached_property
    def is_outgoing(self):
        """Whether the folder is that of outgoing mail or stands in it."""
        below = self.context.getPhysicalPath()[len(api.portal.get().getPhysicalPath()) :]
        return below[:1] == (names.OUTGOING_FOLDER,)

    @property
    def portal_type(self):
        """The type of the mail in the list."""
        return names.OUTGOING_MAIL if self.is_outgoing else names.INCOMING_EMAIL

    @cached_property
    def query(self):
        """What the address asks for."""
        services = {value for value, _title in self.services}
        agents = {value for value, _title in self.agents}
        return read_query(self.request.form, services, agents, self.states)

    @cached_property
    def services(self):
        """Uid and name of the services that have mail, as far as the user may see them."""
        uids = [uid for uid in self.catalog.uniqueValuesFor("mailbridge_service") if uid]
        return self._choices(UID=uids, portal_type=names.ORGANIZATION) if uids else []

    @cached_property
    def agents(self):
        """Value and name of the agents who have mail: the uid of a position in outgoing mail, else a userid."""
        values = [value for value in self.catalog.uniqueValuesFor("mailbridge_agent") if value]
        if not values:
            return []
        if self.is_outgoing:
            return self._choices(UID=values, portal_type=names.HELD_POSITION)
        return self._choices(mailbridge_userid=values, portal_type=names.PERSON)

    def _choices(self, **query):
        return [
            (self._value(brain), brain.Title)
            for brain in self.catalog.searchResults(sort_on="sortable_title", **query)
        ]

    def _value(self, brain):
        if brain.portal_type != names.PERSON:
            return brain.UID
        return self.catalog.Indexes["mailbridge_userid"].getEntryForObject(brain.getRID())

    @cached_property
    def states(self):
        """State → title, in the order of the workflow."""
        workflows = api.portal.get_tool("portal_workflow")
        found = {}
        for workflow in workflows.getWorkflowsFor(self.portal_type):
            for state in workflow.states.values():
                title = translate(state.title, domain="plone", context=self.request)
                found.setdefault(state.getId(), title or state.getId())
        return found

    @cached_property
    def batch(self):
        """One page of the catalog's brains."""
        return batch_of(self._brains(), PAGE, self.request)

    def counted(self, number):
        """Return how much mail there is, in words."""
        return plural(number, _("1 item"), _("${count} items"))

    def _brains(self):
        conditions = catalog_query(self.query, self._own_agents, self._answered)
        conditions["portal_type"] = self.portal_type
        conditions["path"] = "/".join(self.context.getPhysicalPath())
        return self.catalog.searchResults(**conditions)

    @cached_property
    def _own_agents(self):
        """What stands in the catalog for the current user: the userid, and the uids of their positions."""
        persons = self.catalog.unrestrictedSearchResults(
            portal_type=names.PERSON, mailbridge_userid=self.userid or "-"
        )
        paths = [person.getPath() for person in persons]
        if not self.is_outgoing or not paths:
            return [self.userid]
        positions = self.catalog.unrestrictedSearchResults(portal_type=names.HELD_POSITION, path=paths)
        return [self.userid, *(position.UID for position in positions)]

    def _answered(self):
        return [uid for uid in self.catalog.uniqueValuesFor("mailbridge_answers") if uid]

    def problems(self):
        """Return the sentences about what was not understood."""
        return self.query.problems

    @cached_property
    def columns(self):
        """Name, title and, where the list can be sorted by it, address and direction of each column that is shown."""
        return [
            {"name": name, "title": COLUMNS[name][self.is_outgoing], **self._sorting(name)}
            for name in columns_of(self.userid)
            if COLUMNS[name][self.is_outgoing] is not None
        ]

    def _sorting(self, name):
        if name not in SORTS:
            return {"url": "", "direction": None}
        is_sorted = self.query.sort == name
        descending = not self.query.descending if is_sorted else name in ("date", "files")
        order = "desc" if descending else "asc"
        now = ("descending" if self.query.descending else "ascending") if is_sorted else None
        return {"url": self.link(sort=name, order=order), "direction": now}

    def all_columns(self):
        """Return name, title and whether it is shown of each column that can be chosen."""
        shown = self._ticked_columns if "columns_chosen" in self.request.form else columns_of(self.userid)
        return [
            {"name": name, "title": titles[self.is_outgoing], "shown": name in shown}
            for name, titles in COLUMNS.items()
            if titles[self.is_outgoing] is not None and name != "subject"
        ]

    def link(self, **changes):
        """Return the address of this list with some of its fields changed."""
        fields = self.query.address(**changes)
        return f"{self.url}?{urlencode(fields)}" if fields else self.url

    def views(self):
        """Return the lists that are one click away: title, address and whether it is the present one."""
        views = [
            (_("All mail"), {}),
            (_("Mine"), {"agent": ME}),
            (_("Without service"), {"service": NONE}),
            *([] if self.is_outgoing else [(_("Not answered"), {"answered": "no"})]),
        ]
        present = {key: value for key, value in self.query.address().items() if key not in ("sort", "order")}
        return [
            {
                "title": title,
                "url": f"{self.url}?{urlencode(fields)}" if fields else self.url,
                "active": present == fields,
            }
            for title, fields in views
        ]

    @property
    def is_filtered(self):
        """Whether anything but the order is asked for."""
        return bool(set(self.query.address()) - {"sort", "order"})

    def rows(self):
        """Return what the table shows of each mail on the page; names are looked up once for the page."""
        brains = list(self.batch)
        lines = [brain.mailbridge_line or {} for brain in brains]
        services = self._titles({line.get("service") for line in lines})
        agents = self._agent_names({line.get("agent") for line in lines})
        opened = {} if self.is_outgoing or not self.userid else opened_by(self.userid)
        return [
            {
                "url": f"{brain.getURL()}/view",
                "subject": brain.Title or names.EMPTY_SUBJECT,
                "name": line.get("name", ""),
                "date": self._day(line.get("date")),
                "service": services.get(line.get("service"), ""),
                "agent": agents.get(line.get("agent"), ""),
                "state": self.states.get(brain.review_state, brain.review_state),
                "files": line.get("files", 0),
                "unread": not self.is_outgoing
                and bool(self.userid)
                and is_unread(opened, brain.UID, line.get("date")),
            }
            for brain, line in zip(brains, lines, strict=True)
        ]

    def _day(self, when):
        return api.portal.get_localized_time(when, long_format=True) if when is not None else ""

    def _titles(self, uids):
        uids = [uid for uid in uids if uid]
        brains = self.catalog.unrestrictedSearchResults(UID=uids) if uids else ()
        return {brain.UID: brain.Title for brain in brains}

    def _agent_names(self, values):
        values = [value for value in values if value]
        if self.is_outgoing:
            return self._titles(values)
        persons = self.catalog.unrestrictedSearchResults(mailbridge_userid=values) if values else ()
        found = {self._value(brain): brain.Title for brain in persons if brain.portal_type == names.PERSON}
        for value in values:
            if value not in found:
                user = api.user.get(userid=value)
                found[value] = (user.getProperty("fullname") if user is not None else "") or value
        return found
