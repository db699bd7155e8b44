"""The page ``@@mailbridge-import``: takes over the mail settings that iA.docs had before the bridge, from an export in JSON.

An export is shown first as what becomes of it; what was seen is what is written. Settings that changed in between are shown again.
"""

from functools import cached_property
from imio.mailbridge.browser.button_page import ButtonPage
from imio.mailbridge.browser.rule_words import choices
from imio.mailbridge.browser.rule_words import RuleWords
from imio.mailbridge.controlpanel.navigation import Navigation
from imio.mailbridge.i18n import _
from imio.mailbridge.iadocs.indexers import contact_email
from imio.mailbridge.message.rendition.sanitise import clean_html
from imio.mailbridge.message.syntax.limits import TooComplex
from imio.mailbridge.settings.interfaces import IMailbridgeSettings
from imio.mailbridge.settings.old_export import MAX_BYTES
from imio.mailbridge.settings.old_export import NotReadable
from imio.mailbridge.settings.old_export import read_export
from imio.mailbridge.settings.old_records import changes
from imio.mailbridge.settings.old_records import lines
from imio.mailbridge.settings.old_records import REFUSED
from imio.mailbridge.settings.old_records import SAME
from imio.mailbridge.settings.old_records import Site
from imio.mailbridge.settings.old_records import TAKEN
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.routing import IRoutingRow
from imio.mailbridge.settings.routing import StateRow
from imio.mailbridge.settings.signature import EXAMPLE
from imio.mailbridge.settings.signature import render
from plone import api
from plone.app.uuid.utils import uuidToObject
from zope.i18n import translate
from zope.schema import Choice
from zope.schema import List
from zope.schema import ValidationError
import hashlib
import hmac


#: Old setting → what the page calls it.
TITLES = {
    "omail_replyto_email_send": _("Send with the sender as reply address"),
    "omail_sender_email_default": _("Default address of the sender"),
    "omail_bcc_email_default": _("Blind copies by default"),
    "omail_close_on_email_send": _("Close the mail once it is e-mailed"),
    "omail_email_signature": _("Signature of e-mails"),
    "iemail_routing": _("Routing of incoming e-mails"),
    "iemail_state_set": _("States of incoming e-mails"),
    "iemail_manual_forward_transition": _("State of e-mails that an agent forwarded"),
}
OUTCOMES = {
    TAKEN: (_("is taken over"), "text-bg-success"),
    SAME: (_("stays as it is"), "text-bg-secondary"),
    REFUSED: (_("cannot be taken over"), "text-bg-warning"),
}
#: Characters of an old value that the page shows.
SHOWN = 2000


class OldSettingsView(Navigation, ButtonPage):
    """A form for the export, the preview, and the button that takes it over."""

    page_name = "mailbridge-import"
    buttons = {"preview": "_preview", "take_over": "_take_over"}
    export = None
    problem = ""

    @property
    def next_url(self):
        """Return the address of the set-up sheet, which says what is still missing."""
        return self.page_url("mailbridge-sheet")

    def _preview(self):
        upload = self.request.form.get("file")
        raw = upload.read(MAX_BYTES + 1) if getattr(upload, "filename", "") else b""
        return self._show_export(raw or self.entered("text").encode("utf-8", "surrogatepass"))

    def _take_over(self):
        given = self.entered("records").encode("utf-8", "surrogatepass")
        answer = self._show_export(given)
        if self.export is None:
            return answer
        if not hmac.compare_digest(self.entered("seen").encode(), self.digest.encode()):
            self._say(
                _("The settings have changed since the preview, so nothing was written. Look at it again."),
                "warning",
            )
            return self.index()
        records, values = stored_settings(), changes(self.lines, self.settings)
        for name, value in values.items():
            setattr(records, name, value)
        count = sum(line.outcome == TAKEN for line in self.lines)
        self._say(_("Old settings and rules that were taken over: ${count}", mapping={"count": str(count)}))
        return None

    def _give_back(self):
        if records := self.entered("records"):
            return self._show_export(records.encode("utf-8", "surrogatepass"))
        return self._show()

    def _show_export(self, raw):
        try:
            export = read_export(raw)
            self.records = export.text()
            self.export = export
        except NotReadable as error:
            self.problem = error.args[0]
        return self.index()

    @cached_property
    def lines(self):
        """What becomes of each old setting."""
        services = choices("services")
        site = Site(
            users=set(choices("agents")),
            services=set(services),
            services_with_address={uid for uid in services if _has_address(uid)},
            states=set(choices("incoming_states")),
            problem=self._problem_of,
        )
        return lines(self.export.records, self.settings, site)

    @property
    def digest(self):
        """Return a text that changes with the preview."""
        seen = [self.lines, changes(self.lines, self.settings), self.settings.iemail_routing]
        return hashlib.sha256(repr([*seen, self.settings.iemail_state_set]).encode()).hexdigest()

    def _problem_of(self, name, value):
        schema = IRoutingRow if name in IRoutingRow else IMailbridgeSettings
        try:
            schema[name].bind(api.portal.get()).validate(value)
        except ValidationError as error:
            return error.doc()
        except ValueError as error:  # of ``settings.validate``
            return error.args[0]
        return ""

    # what the page shows

    def rows(self):
        """Return what the table shows of each line."""
        return [self._row(line) for line in self.lines]

    def _row(self, line):
        outcome, badge = OUTCOMES[line.outcome]
        return {
            "title": TITLES[line.name],
            "name": line.name,
            "number": line.number,
            "old": self._old(line.value),
            "outcome": outcome,
            "badge": badge,
            "text": line.text,
            "rule": self._rule(line.row) if line.row is not None else None,
            "signature": self._signature(line),
            "notes": line.notes,
            "replaced": [self._replaced(setting) for setting, _new in line.changes],
        }

    def _signature(self, line):
        """Return the signature that a line gives, as it is typed and as an example shows it, or None."""
        template = dict(line.changes).get("signature")
        if not template:
            return None
        try:
            return {"template": template, "example": clean_html(render(template, EXAMPLE))}
        except TooComplex:
            return {"template": template, "example": ""}

    def _replaced(self, setting):
        """Return title and text of what a setting has today."""
        field, value = IMailbridgeSettings[setting], getattr(stored_settings(), setting)
        chosen = field.value_type if isinstance(field, List) else field
        values = value if isinstance(value, list) else [value]
        if isinstance(chosen, Choice):
            terms = chosen.bind(api.portal.get()).vocabulary.by_value
            texts = [self.translated(terms[each].title) if each in terms else str(each) for each in values]
            return self._part(field.title, ", ".join(texts))
        return self._part(field.title, value)

    def _old(self, value):
        """Return the parts of an old value: a title, which may be empty, and a text."""
        if isinstance(value, dict):
            return [self._part(key[:100], text) for key, text in value.items() if text not in ("", None)][:20]
        if isinstance(value, list):
            return [self._part("", each) for each in value][:20] or [{"title": "", "text": _("nothing")}]
        return [self._part("", value)]

    def _part(self, title, value):
        text = _("nothing") if value in (None, "") else str(value)
        if isinstance(value, bool):
            text = _("yes") if value else _("no")
        return {"title": title, "text": text if len(text) <= SHOWN else f"{text[:SHOWN]}…"}

    def _rule(self, row):
        words = self._words
        outcome = words.state if isinstance(row, StateRow) else words.outcome
        return {
            "conditions": words.conditions(row) or words.conditions(type(row)(forward=row.forward)),
            "patterns": words.patterns(row) if words.conditions(row) is None else [],
            "outcome": outcome(row),
        }

    @cached_property
    def _words(self):
        return RuleWords(self.settings, self.request)

    def can_take_over(self):
        """Tell whether there is anything to write."""
        return any(line.outcome == TAKEN for line in self.lines)

    def stays(self):
        """Return sentences about what is left as it is."""
        found = []
        if rules := len(self.settings.iemail_routing):
            found.append(
                _(
                    "The rules that the site has stay as they are and decide first. Their number: ${count}",
                    mapping={"count": str(rules)},
                )
            )
        if states := len(self.settings.iemail_state_set):
            found.append(
                _(
                    "Its rows of the states stay as they are and decide first. Their number: ${count}",
                    mapping={"count": str(states)},
                )
            )
        found.append(
            _(
                "Mail server, login, addresses, mailboxes and all other settings of the bridge stay as they are."
            )
        )
        if any(line.name in ("iemail_routing", "iemail_state_set") and line.row for line in self.lines):
            found.append(
                _(
                    "iA.docs did not read the column agent or server, so each row was for both. The bridge reads it: a row that "
                    "says agent is not for mail of mailboxes."
                )
            )
        if self.export.others:
            found.append(
                _(
                    "Other records in the export, which are not about e-mail, are ignored. Their number: ${count}",
                    mapping={"count": str(self.export.others)},
                )
            )
        return found

    def translated(self, message):
        """Return a message in the language of the request."""
        return translate(message, context=self.request)


def _has_address(uid):
    service = uuidToObject(uid, unrestricted=True)
    return service is not None and bool(contact_email(service))
