"""A screen of the set-up: one question, its fields, and what its buttons do."""

from dataclasses import dataclass
from imio.mailbridge.controlpanel.setup import answers as kept
from imio.mailbridge.i18n import _
from imio.mailbridge.settings.read import settings
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from zope.interface import Invalid


NEXT = _("Next")


@dataclass(frozen=True)
class Field:
    """A field: ``kind`` is that of an HTML input, or ``textarea`` or ``radio`` with ``options`` (value, title, help)."""

    name: str
    label: str
    help: str = ""
    value: str = ""
    kind: str = "text"
    options: tuple[tuple[str, str, str], ...] = ()
    autocomplete: str = "off"


class Screen:
    """A question. ``buttons`` are names of methods, which return None once the next question may come, else the page itself.

    ``actions`` are the buttons of the form with their titles, the one that Enter presses first; ``skip`` is the title of the button
    that leaves the question out, or empty.
    """

    name = title = lead = skip = ""
    buttons = ("go_on",)
    actions = (("go_on", NEXT),)
    commits = False  #: whether an answer that was tried is committed at once: a conflict would repeat the try
    part = None  #: a template of what stands between question and fields

    def __init__(self, page):
        self.page = page
        self.request = page.request
        self.context = page.context
        self.answers = kept.answers()

    @property
    def settings(self):
        """Return the settings as they are now."""
        return settings()

    def fields(self):
        """Return the fields of the screen."""
        return []

    def shown_part(self):
        """Return the HTML of ``part``, or an empty string."""
        return self.part(screen=self) if self.part else ""

    def entered(self, name):
        """Return what was entered, or an empty string."""
        return self.page.entered(name)

    def wrong(self, field, message):
        """Show an error at a field, and the page again."""
        self.page.errors[field] = message
        return self.page._show()

    def check(self, field, constraint, value=None):
        """Tell whether what was entered satisfies a constraint of the settings; else note the error."""
        try:
            return constraint(self.entered(field) if value is None else value)
        except Invalid as error:
            self.page.errors[field] = error.args[0]
            return False

    def failed(self, account, step):
        """Show the page again, with the step that failed."""
        self.page.failure = (account, step)
        return self.page._show()


class Templated(Screen):
    """A screen with a part of its own, ``templates/NAME.pt``."""

    def __init_subclass__(cls):
        cls.part = ViewPageTemplateFile(f"templates/{cls.name}.pt")
