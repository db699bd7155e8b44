"""The form ``@@mailbridge-inbox-rule?id=``: makes a row of the routing from a message."""

from imio.mailbridge.browser import titles
from imio.mailbridge.browser.form_token import TokenForm
from imio.mailbridge.browser.inbox_access import visible_record
from imio.mailbridge.browser.inbox_list import review_url
from imio.mailbridge.i18n import _
from imio.mailbridge.inbound import review
from imio.mailbridge.inbound.inbox import OPEN
from imio.mailbridge.inbound.process import decision_on
from imio.mailbridge.inbound.process import read
from imio.mailbridge.inbound.rule_trial import try_row
from imio.mailbridge.message.secret_address import masked_data
from imio.mailbridge.message.secret_address import without_secret
from imio.mailbridge.settings import validate
from imio.mailbridge.settings.clock import readable_time
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.routing import FORWARD
from imio.mailbridge.settings.routing import IRoutingRow
from imio.mailbridge.settings.routing import RoutingRow
from imio.mailbridge.settings.server import filled_in
from imio.mailbridge.settings.terms import terms
from plone import api
from plone.autoform.form import AutoExtensibleForm
from plone.supermodel import model
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from z3c.form import button
from z3c.form import form
from zope import schema
from zope.i18n import translate
from zope.schema import getFieldNamesInOrder
import re


WHOSE = terms(author=_("of this address"), domain=_("of everybody in its domain"), anybody=_("of anybody"))
PLACE = terms(last=_("After all other rows"), first=_("Before all other rows"))


class IRule(model.Schema):
    """The fields, whose titles read as one sentence; names are those of ``IRoutingRow`` where they mean the same."""

    subject = schema.TextLine(
        title=_("If the subject contains"),
        description=_("Words as they stand in it, capitals or not. Empty: any subject."),
        constraint=validate.one_line,
        max_length=200,
        required=False,
    )
    whose = schema.Choice(
        title=_("and it is the mail"),
        description=_("Do not choose the domain of a provider where everybody can have an address."),
        vocabulary=WHOSE,
        default="author",
    )
    forward = schema.Choice(
        title=_("and it came in so:"),
        description=_(
            "Anyone can write a foreign address as author: a rule for mail to the mail-in address itself also files what others "
            "write in this name."
        ),
        vocabulary=FORWARD,
        required=False,
    )
    this_recipient = schema.Bool(
        title=_("and at the mail-in address that this message came to"), default=False, required=False
    )
    this_mailbox = schema.Bool(
        title=_("and by the source mailbox that passed this message on"), default=False, required=False
    )
    tg_value = schema.Choice(
        title=_("then the treating service is"),
        vocabulary="imio.mailbridge.route_services",
        default="_empty_",
    )
    user_value = schema.Choice(
        title=_("and the assigned agent is"), vocabulary="imio.mailbridge.route_users", default="_empty_"
    )
    place = schema.Choice(
        title=_("Place in the routing"),
        description=_("The first row whose conditions all hold decides."),
        vocabulary=PLACE,
        default="last",
    )


class RoutingRule(TokenForm, AutoExtensibleForm, form.Form):
    """The form, filled in from the message."""

    schema = IRule
    ignoreContext = True  # noqa: N815 - of z3c.form
    label = _("Make a rule from this message")
    template = ViewPageTemplateFile("templates/routing_rule.pt")
    trial = None

    def update(self):
        """Find the message and the author that the rule is about; errors: ``NotFound``."""
        self.record = visible_record(self.request)
        candidates = decision_on(self.record, read(self.record), settings()).candidates
        self.candidate = next((each for each in candidates if each.facts.author is not None), None)
        if self.candidate is not None:
            super().update()
            return
        api.portal.show_message(_("The message has no author to make a rule of."), self.request, "warning")
        self._leave()

    @property
    def action(self):
        """Return the address of this form."""
        return f"{self.request.getURL()}?id={self.record.id}"

    @property
    def description(self):
        """Return whose mail the rule is about, and which row decides on it today."""
        about = _(
            "For mail like that of ${author}. The rule is a row of the routing: it can be changed and removed in the settings.",
            mapping={"author": self.candidate.facts.author.addr_spec},
        )
        row = self.candidate.route.row
        if not row:
            return about
        decides = _(
            "Row ${row} of the routing decides about it now: only a rule before that row changes anything.",
            mapping={"row": str(row)},
        )
        return " ".join(translate(text, context=self.request) for text in (about, decides))

    def updateFields(self):  # noqa: N802 - of z3c.form
        """Leave out the recipient and the source mailbox where the message has none."""
        super().updateFields()
        if not self.record.envelope_recipient:
            self.fields = self.fields.omit("this_recipient")
        if not self.record.source_mailbox:
            self.fields = self.fields.omit("this_mailbox")

    def updateWidgets(self, prefix=None):  # noqa: N802 - of z3c.form
        """Fill in what the message says."""
        super().updateWidgets(prefix)
        if self.request.method == "POST":
            return
        facts = self.candidate.facts
        if facts.forward in FORWARD.by_value:
            self.widgets["forward"].value = [facts.forward]
        if facts.service in self.widgets["tg_value"].terms.terms.by_value:
            self.widgets["tg_value"].value = [facts.service]
        if self.candidate.route.row:
            self.widgets["place"].value = ["first"]

    @button.buttonAndHandler(_("Try on the last messages"), name="try")
    def handle_try(self, action):
        """Show which of the last messages the rule would decide about."""
        data = self._entered()
        if data is not None:
            row = filled_in(self._row(data), RoutingRow.__dataclass_fields__)
            self.trial = try_row(RoutingRow(**row), data["place"], settings())

    @button.buttonAndHandler(_("Save the rule"), name="save")
    def handle_save(self, action):
        """Keep the rule."""
        self._save()

    @button.buttonAndHandler(
        _("Save the rule and treat the message again"),
        name="replay",
        condition=lambda form: form.record.state in OPEN,
    )
    def handle_replay(self, action):
        """Keep the rule and apply it."""
        if self._save():
            review.replay(self.record, {})

    @button.buttonAndHandler(_("Cancel"), name="cancel")
    def handle_cancel(self, action):
        """Go back to the message."""
        self._leave()

    def found(self):
        """Return what the page shows of the messages that the trial found."""
        return masked_data(
            [
                {
                    "url": review_url(record.id),
                    "subject": record.subject or "—",
                    "author": record.author,
                    "received": readable_time(record.created),
                    "state": titles.INCOMING[record.state],
                    "files": record.id in self.trial.files,
                }
                for record in self.trial.found
            ]
        )

    def _entered(self):
        """Return what was entered, or None when it is no rule."""
        data, errors = self.extractData()
        if errors:
            self.status = self.formErrorsMessage
            return None
        data["subject"] = (data["subject"] or "").strip()
        if data["whose"] == "anybody" and not (
            data["subject"] or data.get("this_recipient") or data.get("this_mailbox")
        ):
            self.status = _("Enter a condition: without any, the rule would take the mail of everybody.")
            return None
        return data

    def _save(self):
        data = self._entered()
        if data is None:
            return False
        records, row = stored_settings(), self._row(data)
        rows = records.iemail_routing or ()
        records.iemail_routing = [row, *rows] if data["place"] == "first" else [*rows, row]
        api.portal.show_message(_("The rule is part of the routing now."), self.request)
        self._leave()
        return True

    def _row(self, data):
        author = self.candidate.facts.author.addr_spec.lower()
        patterns = {
            "author": re.escape(author),
            "domain": r"[^@]+@" + re.escape(author.rpartition("@")[2]),
            "anybody": None,
        }
        recipient = (
            re.escape(without_secret(self.record.envelope_recipient)) if data.get("this_recipient") else None
        )
        return dict.fromkeys(getFieldNamesInOrder(IRoutingRow)) | {
            "forward": data["forward"],
            "original_email_pat": patterns[data["whose"]],
            "recipient_pat": recipient,
            "subject_pat": re.escape(data["subject"]) or None,
            "tal_condition_1": f"python: mailbox == {self.record.source_mailbox!r}"
            if data.get("this_mailbox")
            else None,
            "tg_value": data["tg_value"],
            "user_value": data["user_value"],
        }

    def _leave(self):
        url = f"{api.portal.get().absolute_url()}/@@mailbridge-inbox-message?id={self.record.id}"
        self.request.response.redirect(url)
