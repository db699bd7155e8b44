"""The form of a rule; ``@@mailbridge-rule``: a new one or, with ``?row=N``, the one with this number."""

from imio.mailbridge.browser import titles
from imio.mailbridge.browser.form_token import TokenForm
from imio.mailbridge.browser.inbox_list import review_url
from imio.mailbridge.i18n import _
from imio.mailbridge.inbound.rule_trial import try_rule
from imio.mailbridge.message.secret_address import masked_data
from imio.mailbridge.message.secret_address import without_secret
from imio.mailbridge.settings import rules
from imio.mailbridge.settings import validate
from imio.mailbridge.settings.clock import readable_time
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.routing import FORWARD
from imio.mailbridge.settings.routing import RoutingRow
from imio.mailbridge.settings.rule_sentence import conditions
from imio.mailbridge.settings.rule_sentence import MAX_WORDS
from imio.mailbridge.settings.rule_sentence import sender
from imio.mailbridge.settings.rule_sentence import Sentence
from imio.mailbridge.settings.rule_sentence import sentence
from plone import api
from plone.autoform import directives
from plone.autoform.form import AutoExtensibleForm
from plone.supermodel import model
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from z3c.form import button
from z3c.form import form
from zExceptions import NotFound
from zope import schema
from zope.interface import provider
from zope.schema.interfaces import IContextSourceBinder
from zope.schema.vocabulary import SimpleTerm
from zope.schema.vocabulary import SimpleVocabulary


CHANGED = _(
    "The rules have changed in the meantime, so nothing was done. Open the list of rules to see them as they are now."
)
CHECK_AGAIN = _(
    "The rules have changed in the meantime, so nothing was done. Check the position of yours, then press the button again."
)

FOR_EXPERTS = _("This rule has patterns or expressions: only an administrator can change it.")
#: What the fields begin with.
EMPTY = {
    "subject": "",
    "sender": "",
    "forward": None,
    "recipient": None,
    "mailbox": None,
    "tg_value": "_empty_",
    "user_value": "_empty_",
    "place": "last",
}
#: Choices that leave nothing out when they are empty.
MAY_BE_EMPTY = ("forward", "recipient", "mailbox")


def _kept(titles, value):
    """Return the choices of a mapping value → title; what the rule has and the site has no more stays one of them."""
    if value and value not in titles:
        titles = titles | {value: _("${value} (no longer available)", mapping={"value": value})}
    return SimpleVocabulary([SimpleTerm(value, value, title) for value, title in titles.items()])


@provider(IContextSourceBinder)
def recipients(content):
    """List the mail-in addresses without their secret parts, as rules see them."""
    addresses = map(without_secret, settings().mailin_addresses)
    return _kept({address: address for address in addresses}, content["recipient"])


@provider(IContextSourceBinder)
def mailboxes(content):
    """List the source mailboxes."""
    return _kept({address: address for address in settings().source_mailboxes}, content["mailbox"])


def place_terms(count, may_stay):
    """Return the places among so many rules; one that is edited can stay where it is."""
    found = {"same": _("Where it is now")} if may_stay else {}
    found |= {"last": _("After all other rules"), "first": _("Before all other rules")}
    for number in range(2, count + 1):
        found[f"before-{number}"] = _("Before rule ${number}", mapping={"number": str(number)})
    return _kept(found, "")


@provider(IContextSourceBinder)
def places(content):
    """List the places among the rules of today."""
    return place_terms(len(settings().iemail_routing), content["place"] == "same")


def is_sender(value):
    """Accept an address or a domain."""
    try:
        sender(value)
    except ValueError:
        return validate.sender(value)
    return True


class IRule(model.Schema):
    """The fields, whose titles read as one sentence; names are those of ``Sentence`` and ``RoutingRow``."""

    subject = schema.TextLine(
        title=_("If the subject contains"),
        description=_("Words as they appear in it; capitals make no difference. Empty: any subject."),
        constraint=validate.one_line,
        max_length=MAX_WORDS,
        required=False,
    )
    sender = schema.TextLine(
        title=_("and the sender is"),
        description=_(
            "An address, or a domain for everyone in it: @maville.be. Empty: anyone. Do not enter the domain of a provider "
            "where anyone can get an address."
        ),
        constraint=is_sender,
        max_length=320,
        required=False,
    )
    forward = schema.Choice(
        title=_("and it came in this way:"),
        description=_(
            "Anyone can put someone else's address as author: a rule for mail to the mail-in address itself also files what "
            "others write in that name."
        ),
        vocabulary=FORWARD,
        required=False,
    )
    recipient = schema.Choice(title=_("and at the mail-in address"), source=recipients, required=False)
    mailbox = schema.Choice(title=_("and by the source mailbox"), source=mailboxes, required=False)
    tg_value = schema.Choice(
        title=_("then the handling service is"), vocabulary="imio.mailbridge.route_services"
    )
    user_value = schema.Choice(title=_("and the assigned agent is"), vocabulary="imio.mailbridge.route_users")
    place = schema.Choice(
        title=_("Position among the rules"),
        description=_("The first rule whose conditions all hold decides."),
        source=places,
    )
    directives.mode(seen="hidden")
    seen = schema.ASCIILine(title=_("Rules as they were when the form was opened"), required=False)


class RuleForm(TokenForm, AutoExtensibleForm, form.Form):
    """The form; ``number`` is that of the rule that it changes, or 0. Subclasses say what it begins with."""

    schema = IRule
    template = ViewPageTemplateFile("templates/rule_form.pt")
    description = ""
    number = 0
    trial = None

    def beginning(self):
        """Return the values of fields that are not empty, or None where there is no form: the browser goes elsewhere."""
        return {}

    def update(self):
        """Fill in the form."""
        beginning = self.beginning()
        if beginning is not None:
            self.content = EMPTY | {"seen": rules.digest()} | beginning
            super().update()

    def getContent(self):  # noqa: N802 - of z3c.form
        """Return what the form begins with."""
        return self.content

    def updateWidgets(self, prefix=None):  # noqa: N802 - of z3c.form
        """Say that an empty choice leaves nothing out."""
        super().updateWidgets(prefix)
        for name in MAY_BE_EMPTY:
            self.widgets[name].noValueMessage = _("does not matter")

    @button.buttonAndHandler(_("Try it on the latest messages"), name="try")
    def handle_try(self, action):
        """Show which of the last messages the rule would decide about."""
        data = self._entered()
        if data is not None:
            values = settings()
            placed = rules.placed(values.iemail_routing, self._row(data), data["place"], self.number)
            self.trial = try_rule(*placed, values)

    @button.buttonAndHandler(_("Save the rule"), name="save")
    def handle_save(self, action):
        """Keep the rule."""
        self._save()

    @button.buttonAndHandler(_("Cancel"), name="cancel")
    def handle_cancel(self, action):
        """Go back."""
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
        """Return what was entered, or None when it is no rule, or the rules are others meanwhile."""
        data, errors = self.extractData()
        if errors:
            self.status = self.formErrorsMessage
        elif any(data[name] is None and self._is_chosen(name) for name in MAY_BE_EMPTY):
            self.status = _(
                "What you chose is no longer available. Check the form, then press the button again."
            )
        elif data["seen"] != self.content["seen"]:
            self.status = CHANGED if self.number else CHECK_AGAIN
            if not self.number:  # a number may be that of another rule now, a place is there to be checked
                self.widgets["seen"].value = self.content["seen"]
        elif not self._sentence(data).has_condition():
            self.status = _("Enter a condition: without one, the rule would apply to everyone's mail.")
        else:
            return data
        return None

    def _is_chosen(self, name):
        """Tell whether the browser sent a choice; ``z3c.form`` takes one that it does not know for none."""
        widget = self.widgets[name]
        return any(token != widget.noValueToken for token in self.request.form.get(widget.name) or ())

    def _save(self):
        data = self._entered()
        if data is None:
            return False
        rules.save(self._row(data), data["place"], data["seen"], self.number)
        self._leave(_("The rule has been saved."))
        return True

    def _sentence(self, data):
        return Sentence(
            subject=(data["subject"] or "").strip(),
            sender=sender(data["sender"] or ""),
            **{name: data[name] or "" for name in MAY_BE_EMPTY},
        )

    def _row(self, data):
        outcome = {name: data[name] for name in ("tg_value", "user_value")}
        return RoutingRow(**conditions(self._sentence(data)), **outcome)

    def _leave(self, message=None, kind="info"):
        if message is not None:
            api.portal.show_message(message, self.request, kind)
        self.request.response.redirect(self.next_url)


class Rule(RuleForm):
    """A new rule, or the one that the address names."""

    label = _("New rule")

    def beginning(self):
        """Return what the rule of the address says; errors: ``NotFound``."""
        row = self.request.form.get("row")
        if row is None:
            return {}
        if not isinstance(row, str) or not row.isdecimal() or len(row) > 9:
            raise NotFound("row")
        self.number, rows = int(row), settings().iemail_routing
        if not 1 <= self.number <= len(rows):
            return self._leave(CHANGED, "warning")
        found = rows[self.number - 1]
        parts = sentence(found)
        if parts is None:
            return self._leave(FOR_EXPERTS, "warning")
        self.label = _("Rule ${number}", mapping={"number": str(self.number)})
        values = vars(parts) | {"tg_value": found.tg_value, "user_value": found.user_value, "place": "same"}
        return {name: value for name, value in values.items() if value}

    @property
    def action(self):
        """Return the address of this form."""
        return self.request.getURL() + (f"?row={self.number}" if self.number else "")

    @property
    def next_url(self):
        """Return where the browser goes after the form."""
        return f"{api.portal.get().absolute_url()}/@@mailbridge-rules"
