"""What all forms of settings share: groups of fields with advanced options, errors beside their fields, nobody's change undone."""

from functools import partial
from imio.mailbridge.browser.form_token import TokenForm
from imio.mailbridge.controlpanel import numbers
from imio.mailbridge.controlpanel import seen
from imio.mailbridge.i18n import _
from plone.z3cform.fieldsets.group import Group
from plone.z3cform.fieldsets.group import GroupFactory
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from z3c.form.field import Fields
from z3c.form.interfaces import IDataConverter
from z3c.form.interfaces import IErrorViewSnippet
from z3c.form.interfaces import INPUT_MODE
from zope.component import getMultiAdapter
from zope.interface import Invalid
from zope.schema.interfaces import IInt


#: Settings in bytes, which are entered in megabytes.
SIZES = ("max_size", "attachment_limit")


class SettingsGroup(Group):
    """A group whose ``advanced`` fields are folded until one of them needs to be seen."""

    advanced = ()

    def at_once(self):
        """Return the widgets that are seen at once."""
        return [widget for name, widget in self.widgets.items() if name not in self.advanced]

    def folded(self):
        """Return the widgets under "Advanced options"."""
        return [widget for name, widget in self.widgets.items() if name in self.advanced]

    def has_error(self):
        """Tell whether a field of the group has an error."""
        return any(widget.error is not None for widget in self.widgets.values())

    def is_open(self):
        """Tell whether a folded field has an error or a value other than its default."""
        return any(widget.error is not None or not _has_default(widget) for widget in self.folded())


class _Factory(GroupFactory):
    advanced = ()

    def __call__(self, context, request, parentForm):  # noqa: N803 - of z3c.form
        group = super().__call__(context, request, parentForm)
        group.advanced = self.advanced
        return group


class SettingsForm(TokenForm):
    """Mixin of the forms; ``field_groups`` are their groups."""

    template = ViewPageTemplateFile("templates/settings_form.pt")
    group_class = SettingsGroup
    field_groups = ()

    def put_into_groups(self, fields):
        """Make the groups of these fields."""
        for name, field in fields.items():
            if IInt.providedBy(field.field):
                field.widgetFactory[INPUT_MODE] = numbers.size if name in SIZES else numbers.number
                field.showDefault = self.ignoreContext or field.field.required  # one left empty stays empty
        self.fields, self.groups = Fields(), []
        for group in self.field_groups:
            names = [name for name in (*group.fields, *group.advanced) if name in fields]
            factory = _Factory(group.name, fields.select(*names), group.title, group.question)
            factory.advanced = group.advanced
            self.groups.append(factory)

    def first_wrong(self):
        """Return the group whose tab is to be seen because it has an error, or None."""
        return next((group for group in self.groups if group.has_error()), None)

    def widget_managers(self):
        """Return the widgets of the form and of each of its groups."""
        return [each.widgets for each in (self, *self.groups) if getattr(each, "widgets", None)]

    def widget(self, name):
        """Return the widget of a field, whatever group it is in."""
        return next(widgets[name] for widgets in self.widget_managers() if name in widgets)

    def complain(self, name, message):
        """Show an error beside a field; return it as ``extractData`` does."""
        widget = self.widget(name)
        error = getMultiAdapter(
            (Invalid(message), self.request, widget, widget.field, self, self.getContent()), IErrorViewSnippet
        )
        error.update()
        widget.error = error
        return error

    # what others do meanwhile

    def stored(self):
        """Return name → value of the settings that the form shows, as they are now."""
        names = [
            name
            for widgets in self.widget_managers()
            for name, widget in widgets.items()
            if not widget.ignoreContext
        ]
        content = self.getContent() if names else {}
        read = content.get if isinstance(content, dict) else partial(getattr, content)
        return {name: read(name) for name in names}

    @property
    def seen(self):
        """Return the marks for the page: those that it came with, except of what its person was told."""
        told = getattr(self, "_told", {})
        return seen.text({**seen.marks(self.stored()), **self._sent, **told})

    @property
    def _sent(self):
        return seen.read(self.request.form.get("seen"))

    def merge(self, data):
        """Return the data with what others have changed meanwhile, and the errors where both changed the same."""
        present = self.stored()
        data, both = seen.merged(data, present, self._sent)
        self._told = seen.marks({name: present[name] for name in both})
        return data, tuple(self.complain_of_change(name, present[name]) for name in both)

    def complain_of_change(self, name, value):
        """Say what another person has entered meanwhile."""
        widget = self.widget(name)
        shown = IDataConverter(widget).toWidgetValue(value)
        text = ", ".join(map(str, shown)) if isinstance(shown, list | tuple) else str(shown or "")
        mapping = {"value": text or "–"}
        return self.complain(
            name,
            _(
                "Somebody else has changed this since you opened the page, to: ${value}. To put yours in its place, save again.",
                mapping=mapping,
            ),
        )


def _has_default(widget):
    default = widget.field.default
    shown = IDataConverter(widget).toWidgetValue(widget.field.missing_value if default is None else default)
    return _plain(widget.value) == _plain(shown)


def _plain(value):
    """Return a value of a widget as it compares, whoever made it: browsers end lines otherwise, and send nothing of what is off."""
    if isinstance(value, str):
        return value.splitlines()
    return [each for each in value or () if each != "unselected"]
