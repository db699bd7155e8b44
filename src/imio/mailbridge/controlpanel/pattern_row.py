"""Add rules with patterns, or edit one with ``?row=N``: ``@@mailbridge-expert-rule`` and ``@@mailbridge-state``.

The page ``@@mailbridge-rules`` lists, moves and deletes them. Patterns and expressions are for administrators.
"""

from imio.mailbridge.browser.rule_form import CHANGED
from imio.mailbridge.browser.rule_form import CHECK_AGAIN
from imio.mailbridge.browser.rule_form import place_terms
from imio.mailbridge.controlpanel.groups import FieldGroup
from imio.mailbridge.controlpanel.row_form import RowPage
from imio.mailbridge.controlpanel.settings_form import SettingsForm
from imio.mailbridge.i18n import _
from imio.mailbridge.settings import rules
from imio.mailbridge.settings.read import rows_of
from imio.mailbridge.settings.routing import IRoutingRow
from imio.mailbridge.settings.routing import IStateRow
from imio.mailbridge.settings.routing import RoutingRow
from imio.mailbridge.settings.routing import StateRow
from imio.mailbridge.settings.server import filled_in
from plone import api
from z3c.form import button
from z3c.form import form
from z3c.form.field import Fields
from z3c.form.group import GroupForm
from zExceptions import NotFound
from zope import schema
from zope.interface import Interface
from zope.interface import provider
from zope.schema import getFieldNamesInOrder
from zope.schema.interfaces import IContextSourceBinder


@provider(IContextSourceBinder)
def places(content):
    """List the places among the rules of today."""
    return place_terms(content["count"], content["place"] == "same")


class IPlace(Interface):
    """Where the rule stands."""

    place = schema.Choice(
        title=_("Position among the rules"),
        description=_("The first rule whose conditions all hold decides."),
        source=places,
    )


def _groups(outcome, *fields):
    return (
        FieldGroup(
            "conditions",
            _("Conditions"),
            _("Which mail is it for? Everything that is filled in must hold."),
            ("forward", "original_email_pat", "recipient_pat", "subject_pat"),
            ("transfer_email_pat", "tal_condition_1", "tal_condition_2"),
        ),
        FieldGroup("outcome", _("Outcome"), outcome, (*fields, "place")),
    )


class PatternForm(SettingsForm, GroupForm, form.Form):
    """A rule of the routing, with all its columns; ``number`` is that of the rule that is edited, or 0."""

    table, schema, row_class = rules.ROUTING, IRoutingRow, RoutingRow
    field_groups = _groups(_("Who handles it?"), "tg_value", "user_value")
    enable_form_tabbing = False
    list_page = "mailbridge-rules"

    @property
    def label(self):
        if self.number:
            return _("Rule ${number}", mapping={"number": str(self.number)})
        return _("New rule with patterns")

    def update(self):
        """Read the rule of the address, which may be gone; errors: ``NotFound``."""
        row, rows = self.request.form.get("row"), rows_of(self.table)
        if row is not None and not (isinstance(row, str) and row.isdecimal() and len(row) < 10):
            raise NotFound("row")
        self.number = int(row or 0)
        if row is not None and not 1 <= self.number <= len(rows):
            self.leave(CHANGED, "warning")
            return
        self.content = {"count": len(rows), "place": "same" if self.number else "last"}
        self.content |= rows[self.number - 1] if self.number else self.beginning()
        self.now = rules.digest(table=self.table)
        self.put_into_groups(Fields(self.schema) + Fields(IPlace))
        super().update()

    def beginning(self):
        """Return the values of a new rule."""
        return {name: self.schema[name].default for name in getFieldNamesInOrder(self.schema)}

    def getContent(self):
        return self.content

    @property
    def seen(self):
        """Return what tells which rules there were when the form was opened."""
        sent = self.request.form.get("seen")
        return sent if isinstance(sent, str) else self.now

    def updateActions(self):
        super().updateActions()
        self.actions["save"].addClass("btn-primary")

    @button.buttonAndHandler(_("Save"), name="save")
    def handle_save(self, action):
        """Keep the rule, unless the rules are others meanwhile."""
        data, errors = self.extractData()
        if errors:
            self.status = self.formErrorsMessage
        elif self.seen != self.now:
            self.status = CHANGED if self.number else CHECK_AGAIN
            if not self.number:  # a number may be that of another rule now, a place is there to be checked
                self.request.form["seen"] = self.now
        else:
            row = self.row_class(**filled_in(data, self.row_class.__dataclass_fields__))
            rules.save(row, data["place"], self.seen, self.number, self.table)
            self.leave(_("The rule has been saved."))

    @button.buttonAndHandler(_("Cancel"), name="cancel")
    def handle_cancel(self, action):
        """Go back to the list."""
        self.leave()

    def leave(self, message=None, kind="info"):
        """Show the list."""
        if message is not None:
            api.portal.show_message(message, self.request, kind)
        self.request.response.redirect(f"{api.portal.get().absolute_url()}/@@{self.list_page}")

    @property
    def action(self):
        """Return the address of this form."""
        return self.request.getURL() + (f"?row={self.number}" if self.number else "")


class StateForm(PatternForm):
    """A rule of the states."""

    table, schema, row_class = rules.STATES, IStateRow, StateRow
    field_groups = _groups(_("Which state does the document get?"), "state_value")

    @property
    def label(self):
        if self.number:
            return _("Rule ${number} for the state", mapping={"number": str(self.number)})
        return _("New rule for the state")


class ExpertRule(RowPage):
    """``@@mailbridge-expert-rule``."""

    form = PatternForm


class State(RowPage):
    """``@@mailbridge-state``."""

    form = StateForm
