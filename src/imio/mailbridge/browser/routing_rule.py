"""The form ``@@mailbridge-inbox-rule?id=``: the form of a rule, filled in from a message."""

from imio.mailbridge.browser.inbox_access import visible_record
from imio.mailbridge.browser.inbox_list import review_url
from imio.mailbridge.browser.rule_form import RuleForm
from imio.mailbridge.i18n import _
from imio.mailbridge.inbound import review
from imio.mailbridge.inbound.inbox import OPEN
from imio.mailbridge.inbound.process import decision_on
from imio.mailbridge.inbound.process import read
from imio.mailbridge.inbound.source import DELETED
from imio.mailbridge.message.secret_address import without_secret
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.routing import FORWARD
from z3c.form import button


class RoutingRule(RuleForm):
    """The form, filled in from the message."""

    label = _("Make a rule from this message")
    buttons = RuleForm.buttons.omit("cancel")
    handlers = RuleForm.handlers.copy()

    def beginning(self):
        """Return what the message says, and the place before the rule that decides about it; errors: ``NotFound``."""
        self.record = visible_record(self.request)
        if self.record.raw is None:
            return self._leave(DELETED, "warning")
        candidates = decision_on(self.record, read(self.record), settings()).candidates
        found = next((each for each in candidates if each.facts.author is not None), None)
        if found is None:
            return self._leave(_("The message has no author to make a rule from."), "warning")
        facts, number = found.facts, found.route.row
        if number:
            self.description = _(
                "Rule ${number} decides it now: only a rule placed before it would change anything.",
                mapping={"number": str(number)},
            )
        return {
            "sender": without_secret(facts.author.addr_spec.lower()),
            "forward": facts.forward if facts.forward in FORWARD.by_value else None,
            "tg_value": facts.service or "_empty_",
            "place": {0: "last", 1: "first"}.get(number, f"before-{number}"),
        }

    @button.buttonAndHandler(
        _("Save the rule and replay the message"),
        name="replay",
        condition=lambda form: form.record.state in OPEN,
    )
    def handle_replay(self, action):
        """Keep the rule and apply it."""
        if self._save():
            review.replay(self.record, {})

    buttons += RuleForm.buttons.select("cancel")

    @property
    def action(self):
        """Return the address of this form."""
        return f"{self.request.getURL()}?id={self.record.id}"

    @property
    def next_url(self):
        """Return the address of the message."""
        return review_url(self.record.id)
