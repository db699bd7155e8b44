"""The words of a rule: its conditions and what follows from them, with the names of services and agents of today."""

from functools import cached_property
from imio.mailbridge.i18n import _
from imio.mailbridge.iadocs.vocabularies import former_title
from imio.mailbridge.message.secret_address import masked
from imio.mailbridge.message.secret_address import masked_pattern
from imio.mailbridge.message.secret_address import without_secret
from imio.mailbridge.settings.routing import IRoutingRow
from imio.mailbridge.settings.routing import IStateRow
from imio.mailbridge.settings.rule_sentence import sentence
from zope.component import getUtility
from zope.i18n import translate
from zope.schema import getFieldsInOrder
from zope.schema.interfaces import IVocabularyFactory


FORWARD = {
    "agent": _("an agent forwarded the e-mail"),
    "server": _("a mailbox of the town forwarded the e-mail"),
    "direct": _("somebody wrote to the mail-in address itself"),
}
ANY = _("the e-mail was forwarded, or answers one of ours")
SERVICES = {
    "": _("the handling service is that of the mailbox or mail-in address"),
    "_empty_": _("the handling service is that of the mailbox or mail-in address"),
    "_primary_org_": _("the handling service is the agent's primary service"),
    "_hp_": _("the handling service is that of the agent's position with the address that forwarded"),
    "_uni_org_only_": _("the handling service is the agent's, where there is only one"),
}
AGENTS = {"_transferer_": _("the assigned agent is whoever forwarded the e-mail")}
NOBODY = ("", "_empty_")


def choices(name):
    """Return value → title of a vocabulary of ours."""
    return {
        term.value: term.title for term in getUtility(IVocabularyFactory, f"imio.mailbridge.{name}")(None)
    }


class RuleWords:
    """The words of rows under ``Settings``, for one page; names are looked up once."""

    def __init__(self, settings, request):
        self.settings = settings
        self.request = request

    def conditions(self, row):
        """Return the clauses of a row's conditions, or None for a row with patterns or expressions."""
        parts = sentence(row)
        if parts is None:
            return None
        found = []
        if parts.subject:
            found.append(self._clause(_("the subject contains “${value}”"), parts.subject))
        if parts.sender.startswith("@"):
            found.append(self._clause(_("the address of the sender ends in ${value}"), parts.sender))
        elif parts.sender:
            found.append(self._clause(_("the sender is ${value}"), parts.sender))
        if parts.forward:
            found.append(self._clause(FORWARD[parts.forward]))
        if parts.recipient:
            gone = parts.recipient.lower() not in map(without_secret, self.settings.mailin_addresses)
            found.append(
                self._clause(_("the e-mail arrived at the mail-in address ${value}"), parts.recipient, gone)
            )
        if parts.mailbox:
            gone = parts.mailbox not in self.settings.source_mailboxes
            found.append(self._clause(_("the source mailbox ${value} passed it on"), parts.mailbox, gone))
        return found or [self._clause(ANY)]

    def outcome(self, row):
        """Return the clauses of what follows from a ``RoutingRow``: its service, its agent."""
        found = [
            self._clause(SERVICES[row.tg_value])
            if row.tg_value in SERVICES
            else self._named(_("the handling service is ${value}"), row.tg_value, self._services)
        ]
        if row.user_value in AGENTS:
            found.append(self._clause(AGENTS[row.user_value]))
        elif row.user_value not in NOBODY:
            found.append(self._named(_("the assigned agent is ${value}"), row.user_value, self._agents))
        return found

    def state(self, row):
        """Return the clause of what follows from a ``StateRow``."""
        return [self._named(_("the document gets the state “${value}”"), row.state_value, self._states)]

    def patterns(self, row):
        """Return title and text of what only experts read in a row."""
        fields = getFieldsInOrder(IRoutingRow if hasattr(row, "tg_value") else IStateRow)
        return [
            {"title": field.title, "pattern": masked_pattern(getattr(row, name))}
            for name, field in fields
            if name.endswith(("_pat", "_1", "_2")) and getattr(row, name)
        ]

    @cached_property
    def _services(self):
        return choices("services")

    @cached_property
    def _agents(self):
        return choices("agents")

    @cached_property
    def _states(self):
        return choices("incoming_states")

    def _named(self, text, value, titles):
        title = titles.get(value)
        if title is None:
            return self._clause(text, former_title(value) or value, gone=True)
        return self._clause(text, translate(title, context=self.request))

    def _clause(self, text, value="", gone=False):
        """Return a clause in three parts, for its value to be marked."""
        before, _sep, after = translate(text, context=self.request).partition("${value}")
        return {"before": before, "value": masked(value), "after": after, "gone": gone}
