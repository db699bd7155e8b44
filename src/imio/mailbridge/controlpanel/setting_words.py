"""The words of a change of the settings: titles of fields and choices, units, rows that were added, changed, moved or removed."""

from collections.abc import Iterator
from difflib import SequenceMatcher
from imio.mailbridge.i18n import _
from imio.mailbridge.iadocs.vocabularies import former_title
from imio.mailbridge.message.secret_address import masked
from imio.mailbridge.message.secret_address import masked_pattern
from imio.mailbridge.settings.history import MAIL_HOST
from imio.mailbridge.settings.history import without_passwords
from imio.mailbridge.settings.imap import secrets_of
from imio.mailbridge.settings.interfaces import IMailbridgeSettings
from imio.mailbridge.settings.set_back import NAMED_ROWS
from imio.mailbridge.settings.size import readable_size
from imio.mailbridge.settings.smtp import DEFAULT
from zope.component.hooks import getSite
from zope.i18n import translate
from zope.schema import getFieldNamesInOrder
from zope.schema import getFields
from zope.schema.interfaces import IBool
from zope.schema.interfaces import IChoice
from zope.schema.interfaces import ICollection


#: Characters of a value that are shown.
LONGEST = 300

#: Settings in bytes.
SIZES = ("attachment_limit", "max_size")
#: Settings of which 0 means as much as one likes.
LIMITS = (
    "attachment_limit",
    "keep_received_days",
    "keep_sent_days",
    "max_deliveries",
    "max_per_sender",
    "max_volume",
    "rate",
    "smtp_rate",
)
UNITS = {
    "undo_seconds": _("${count} s"),
    "retry_minutes": _("${count} min"),
    "give_up_hours": _("${count} h"),
    "keep_received_days": _("${count} d"),
    "keep_sent_days": _("${count} d"),
}

SECRETS = {
    "password": _("Password"),
    "client_secret": _("Client secret"),
    "refresh_token": _("Refresh token"),
    MAIL_HOST: _("Token of a mail host"),
}
#: Whether there was a secret before, and is one after → what became of it.
OF_SECRET = {
    (False, True): _("Entered: ${name}"),
    (True, True): _("Changed: ${name}"),
    (True, False): _("Removed: ${name}"),
}
#: The same of the token of a mail host.
OF_TOKEN = {(False, True): _("Made: ${name}"), (True, False): _("Revoked: ${name}")}

ADDED, CHANGED, REMOVED = _("Added: ${name}"), _("Changed: ${name}"), _("Removed: ${name}")
MOVED = _("Moved: ${name}")


class SettingWords:
    """The words of settings in the language of a request."""

    def __init__(self, request):
        self.request = request
        self.fields = getFields(IMailbridgeSettings)

    def in_order(self, settings):
        """Return names of settings in the order of the form."""
        order = getFieldNamesInOrder(IMailbridgeSettings)
        return sorted(settings, key=lambda name: order.index(name) if name in order else len(order))

    def change(self, setting, old, new):
        """Return ``title``, and ``old`` and ``new`` or, of a table, ``rows`` with ``text``, ``fields``, ``folded``."""
        field = self.fields.get(setting)
        found = {"title": self.title(setting), "old": "", "new": "", "rows": []}
        if _row_schema(field) is not None and _is_table(old) and _is_table(new):
            return {**found, "rows": list(self._rows(setting, field, old or [], new or []))}
        return found | self._pair(setting, field, old, new)

    def title(self, setting):
        """Return the title of a setting, or its name where it does not exist any more."""
        field = self.fields.get(setting)
        return setting if field is None else self._say(field.title)

    def secrets(self, changed):
        """Return the changes of secrets, as ``change`` does those of a table."""
        found = {}
        for (kind, owner), outcome in changed.items():
            words, name = (OF_TOKEN, owner) if kind == MAIL_HOST else (OF_SECRET, self.account(owner))
            found.setdefault(kind, []).append(
                {"text": self._say(words[outcome], name=name), "fields": [], "folded": False}
            )
        return [
            {"title": self._say(SECRETS[kind]), "old": "", "new": "", "rows": found[kind]}
            for kind in SECRETS
            if kind in found
        ]

    def account(self, name):
        """Return what the account is called whose secrets are kept under a name."""
        if name == DEFAULT:
            return self._say(_("Default account"))
        mailbox = name.removeprefix(secrets_of(""))
        return self._say(_("Mailbox ${name}"), name=mailbox) if mailbox != name else name

    def row_name(self, name):
        """Return the name of a row as it may be shown."""
        return masked(name)

    def _rows(self, setting, field, old, new):
        columns, key = getFields(_row_schema(field)), NAMED_ROWS.get(setting, "")
        found = False
        for text, name, before, after in self._named(old, new, key) if key else self._numbered(old, new):
            found = True
            whole = text != CHANGED
            pairs = [
                self._pair(column, columns.get(column), before.get(column), after.get(column))
                | {"title": self._column(columns.get(column), column)}
                for column in [*columns, *sorted({*before, *after} - {*columns})]
                if (before.get(column) or None) != (after.get(column) or None)
                and not (whole and column == key)
            ]
            for pair in pairs if whole else ():
                pair["new"] = pair["new"] if text == ADDED else pair["old"]
                pair["old"] = ""
            yield {"text": self._say(text, name=name), "fields": pairs, "folded": whole and bool(pairs)}
        if not found:
            yield {"text": self._say(_("In another order")), "fields": [], "folded": False}

    def _column(self, field, name):
        """Return the title of a column as it stands before a value."""
        title = name if field is None else self._say(field.title).rstrip("? \u00a0\u202f")
        return self._say(_("${title}:"), title=title)

    def _named(self, old, new, key):
        """Yield what happened to each row that has a name: a msgid, the name, the row before and after."""
        was, became = ({row.get(key): row for row in rows} for rows in (old, new))
        for name in {**was, **became}:
            before, after = was.get(name), became.get(name)
            if before != after:
                text = ADDED if before is None else REMOVED if after is None else CHANGED
                yield text, self.row_name(str(name)), before or {}, after or {}

    def _numbered(self, old, new) -> Iterator:
        """Yield the same of rows that have a number."""
        was, became = ([repr(sorted(row.items())) for row in rows] for rows in (old, new))
        removed, added = [], []
        for kind, old_from, old_to, new_from, new_to in SequenceMatcher(
            None, was, became, False
        ).get_opcodes():
            if kind == "replace" and old_to - old_from == new_to - new_from:
                for before, after in zip(range(old_from, old_to), range(new_from, new_to), strict=True):
                    yield CHANGED, self._rule(after), old[before], new[after]
            elif kind != "equal":
                removed += range(old_from, old_to)
                added += range(new_from, new_to)
        for number in removed:
            there = next((other for other in added if became[other] == was[number]), None)
            if there is None:
                yield REMOVED, self._rule(number), old[number], {}
            else:
                added.remove(there)
                name = self._say(_("rule ${old}, now ${new}"), old=str(number + 1), new=str(there + 1))
                yield MOVED, name, old[number], new[there]
        for number in added:
            yield ADDED, self._rule(number), {}, new[number]

    def _rule(self, index):
        return self._say(_("rule ${number}"), number=str(index + 1))

    def _pair(self, name, field, old, new):
        before, after = self.value(name, field, old), self.value(name, field, new)
        if before == after:  # the secret part of an address, the end of a long text
            after = self._say(_("${value} (another one)"), value=after)
        return {"old": before, "new": after}

    def value(self, name, field, value):
        """Return the words of a plain value of a field; ``field`` is None where it does not exist any more."""
        if name in LIMITS and not value:
            return self._say(_("no limit"))
        if value in (None, "", []):
            return self._say(_("(empty)"))
        if isinstance(value, list):
            inner = field.value_type if ICollection.providedBy(field) else None
            return _shortened(", ".join(self.value(name, inner, each) for each in value))
        if isinstance(value, bool) or IBool.providedBy(field):
            return self._say(_("yes") if value else _("no"))
        if name in SIZES and isinstance(value, int):
            return readable_size(value)
        if name in UNITS:
            return self._say(UNITS[name], count=str(value))
        if IChoice.providedBy(field):
            return self._choice(field, value)
        text = without_passwords(str(value))
        is_pattern = name.endswith(("_pat", "_patterns", "_1", "_2"))
        return _shortened(masked_pattern(text) if is_pattern else masked(text))

    def _choice(self, field, value):
        try:
            return self._say(field.bind(getSite()).vocabulary.getTerm(value).title or value)
        except LookupError:
            name = former_title(value) or value
            return self._say(_("${value} (no longer available)"), value=_shortened(masked(name)))

    def _say(self, text, **mapping):
        return translate(_(text, mapping=mapping) if mapping else text, context=self.request)


def _row_schema(field):
    """Return the schema of the rows of a table, or None for another setting."""
    return getattr(getattr(field, "value_type", None), "schema", None)


def _is_table(value):
    """Tell whether a value has the shape of a table; what was kept before an upgrade may have another."""
    return value is None or (isinstance(value, list) and all(isinstance(row, dict) for row in value))


def _shortened(text):
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
