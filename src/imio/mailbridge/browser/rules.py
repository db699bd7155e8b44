"""The page ``@@mailbridge-rules`` for managers of mail: the rules as sentences, in their order."""

from functools import cached_property
from imio.mailbridge.browser.button_page import ButtonPage
from imio.mailbridge.browser.button_page import may
from imio.mailbridge.browser.button_page import SET_UP
from imio.mailbridge.browser.rule_form import CHANGED
from imio.mailbridge.browser.rule_words import RuleWords
from imio.mailbridge.i18n import _
from imio.mailbridge.settings import rules
from zExceptions import NotFound


class RulesView(ButtonPage):
    """The list; each rule can be moved, deleted and edited, and the one that was deleted last put back."""

    buttons = {
        "up": "_up",
        "down": "_down",
        "delete": "_delete",
        "put_back": "_put_back",
        "state_up": "_state_up",
        "state_down": "_state_down",
        "state_delete": "_state_delete",
    }
    permissions = dict.fromkeys(("state_up", "state_down", "state_delete"), SET_UP)
    #: What a button acted on: the browser goes there.
    at = ""

    @property
    def url(self):
        """Return the address of this page."""
        return f"{self.context.absolute_url()}/@@mailbridge-rules"

    @property
    def next_url(self):
        """Return this page, at the rule that was moved or put back."""
        return self.url + (f"#{self.at}" if self.at else "")

    @property
    def seen(self):
        """Return what tells whether the rules have changed since the page was opened."""
        return rules.digest(self.settings.iemail_routing)

    def rules(self):
        """Return what the page shows of each rule."""
        rows = self.settings.iemail_routing
        return [
            self._shown(number, row)
            | {
                "first": number == 1,
                "last": number == len(rows),
                "edit": f"{self._form}?row={number}",
                "expert": self._page("mailbridge-expert-rule", f"?row={number}"),
            }
            for number, row in enumerate(rows, 1)
        ]

    def deleted(self):
        """Return what the page shows of the rule that can be put back, or None."""
        found = rules.deleted()
        return self._shown(*found) if found else None

    @property
    def states_seen(self):
        """Return what tells whether the rules of the states have changed since the page was opened."""
        return rules.digest(self.settings.iemail_state_set, rules.STATES)

    def states(self):
        """Return what the page shows of the rules of the states."""
        rows = self.settings.iemail_state_set
        return [
            self._shown(number, row, self._words.state)
            | {
                "first": number == 1,
                "last": number == len(rows),
                "expert": self._page("mailbridge-state", f"?row={number}"),
            }
            for number, row in enumerate(rows, 1)
        ]

    @property
    def new_url(self):
        """Return the address of the form of a new rule."""
        return self._form

    def set_up_urls(self):
        """Return the pages for who may change patterns and states: the settings, a new rule of each kind; or nothing."""
        pages = ("mailbridge-controlpanel", "mailbridge-expert-rule", "mailbridge-state")
        return [self._page(name) for name in pages] if may(SET_UP) else []

    @property
    def _form(self):
        return self._page("mailbridge-rule")

    def _page(self, name, query=""):
        return f"{self.context.absolute_url()}/@@{name}{query}"

    @cached_property
    def _words(self):
        return RuleWords(self.settings, self.request)

    def _shown(self, number, row, outcome=None):
        conditions = self._words.conditions(row)
        return {
            "number": number,
            "conditions": conditions,
            "outcome": (outcome or self._words.outcome)(row),
            "patterns": self._words.patterns(row) if conditions is None else [],
        }

    def _press(self, name):
        try:
            return super()._press(name)
        except rules.Changed:
            self._say(CHANGED, "warning")

    def _number(self, button):
        number = self.entered(button)
        if not number.isdecimal() or len(number) > 9:
            raise NotFound(button)
        return int(number)

    def _up(self):
        self.at = f"rule-{rules.move(self._number('up'), -1, self.entered('seen'))}"

    def _down(self):
        self.at = f"rule-{rules.move(self._number('down'), 1, self.entered('seen'))}"

    def _delete(self):
        rules.delete(self._number("delete"), self.entered("seen"))
        self._say(_("The rule has been deleted. It can be put back where it was until the rules change."))

    def _put_back(self):
        self.at = f"rule-{rules.put_back(self.entered('seen'))}"
        self._say(_("The rule is back where it was."))

    def _state_up(self):
        self._move_state("state_up", -1)

    def _state_down(self):
        self._move_state("state_down", 1)

    def _move_state(self, button, by):
        number = rules.move(self._number(button), by, self.entered("seen"), rules.STATES)
        self.at = f"state-{number}"

    def _state_delete(self):
        rules.delete(self._number("state_delete"), self.entered("seen"), rules.STATES)
        self._say(_("The rule has been deleted."))
