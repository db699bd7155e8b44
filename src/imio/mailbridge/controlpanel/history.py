"""The page ``@@mailbridge-history``: who changed which settings, and the button that takes a change back."""

from functools import cached_property
from imio.mailbridge.browser.batch import batch_of
from imio.mailbridge.browser.button_page import ButtonPage
from imio.mailbridge.browser.message_summary import user_name
from imio.mailbridge.controlpanel.navigation import Navigation
from imio.mailbridge.controlpanel.setting_words import SettingWords
from imio.mailbridge.i18n import _
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings import history
from imio.mailbridge.settings import set_back
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from zExceptions import NotFound


PAGE = 25

NOT_SHOWN = {
    history.MASKED: _("It contains a password in an address; it cannot be undone."),
    history.TOO_LONG: _("The values are too long to be kept; it cannot be undone."),
}


class HistoryView(Navigation, ButtonPage):
    """The list of changes; with ``entry`` in its address, what undoing one would do, and the button."""

    page_name = "mailbridge-history"
    buttons = {"undo": "_undo"}
    confirmation = ViewPageTemplateFile("templates/history_undo.pt")
    shown = ViewPageTemplateFile("templates/history_changes.pt")

    def _show(self):
        if "entry" not in self.request.form:
            return self.index()
        if self._entry is None:
            raise NotFound(self.page_name)
        return self.confirmation()

    def _find_target(self, name):
        if self._entry is None:
            raise NotFound(name)

    def _undo(self):
        if self.entered("seen") != self.seen():
            self._say(
                _("The settings have changed in the meantime. Look again at what would be undone."), "warning"
            )
            return self._show()
        done = [step for step in self._steps if not step.obstacle]
        if not done:
            return self._show()
        accounts = self.accounts()
        set_back.set_back(self.entry_id, done)
        outbox().retry_held()
        self._say(
            _("The change has been undone.") if self.is_whole() else _("The change has been partly undone.")
        )
        if accounts:
            mapping = {"names": ", ".join(accounts)}
            self._say(
                _(
                    "Enter the password, or the OAuth 2.0 secret, of these accounts again: ${names}",
                    mapping=mapping,
                ),
                "warning",
            )
        return None

    @property
    def entry_id(self):
        """Return the id of the entry that the page is asked for."""
        return self.entered("entry")

    @cached_property
    def _entry(self):
        return history.entry(self.entry_id)

    @cached_property
    def _steps(self):
        steps = {step.setting: step for step in set_back.steps(self._entry)}
        return [steps[name] for name in self._words.in_order(steps)]

    @cached_property
    def _words(self):
        return SettingWords(self.request)

    # what the list shows

    def batch(self):
        """Return one page of the ids of the entries."""
        return batch_of(history.ids(), PAGE, self.request)

    def row(self, id):
        """Return what the list shows of an entry."""
        entry = history.entry(id)
        return {
            "id": id,
            **self._about(entry),
            "changes": self._changes(entry) + self._words.secrets(entry["secrets"]),
            "undo": f"{self.url}?entry={id}" if entry["changes"] else "",
        }

    def _about(self, entry):
        undone = history.entry(entry["undo_of"]) if entry["undo_of"] else None
        return {
            "at": self.time(entry["at"]),
            "by": user_name(entry["by"]),
            "is_undo": bool(entry["undo_of"]),
            "undone": self.time(undone["at"]) if undone else "",
        }

    def _changes(self, entry):
        found = []
        for name in self._words.in_order(entry["changes"]):
            change = entry["changes"][name]
            if change["kept"] == history.TOO_LONG:
                shown = {"title": self._words.title(name), "old": "", "new": "", "rows": []}
            else:
                shown = self._words.change(name, change["old"], change["new"])
            found.append({**shown, "note": NOT_SHOWN.get(change["kept"], "")})
        return found

    # what the confirmation shows

    def about(self):
        """Return who changed the settings, and when."""
        return self._about(self._entry)

    def doable(self):
        """Return the changes that would be made."""
        return [
            {
                **self._words.change(step.setting, step.before, step.after),
                "note": _(
                    "Stays as it is, since it was changed again: ${names}",
                    mapping={"names": ", ".join(map(self._words.row_name, step.left))},
                )
                if step.left
                else "",
            }
            for step in self._steps
            if not step.obstacle
        ]

    def obstacles(self):
        """Return the settings that stay as they are, and why."""
        return [
            {"title": self._words.title(step.setting), "why": step.obstacle}
            for step in self._steps
            if step.obstacle
        ]

    def is_whole(self):
        """Tell whether all of the change can be taken back."""
        return not any(step.obstacle or step.left for step in self._steps)

    def accounts(self):
        """Return the names of the accounts whose secrets are to be entered again afterwards."""
        return [self._words.account(name) for name in set_back.accounts_without_secret(self._steps)]

    def has_secrets(self):
        """Tell whether the change was also one of secrets, which are not kept."""
        return bool(self._entry["secrets"])

    def seen(self):
        """Return what tells whether the settings have changed since the page was opened."""
        return set_back.digest(self._steps)
