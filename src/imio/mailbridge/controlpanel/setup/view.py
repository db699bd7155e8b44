"""The page ``@@mailbridge-setup``: shows the question that is next, and goes on once its answer was tried."""

from imio.mailbridge.browser.button_page import ButtonPage
from imio.mailbridge.controlpanel.addresses import SETTINGS_CHANGED
from imio.mailbridge.controlpanel.navigation import Navigation
from imio.mailbridge.controlpanel.setup import answers as kept
from imio.mailbridge.controlpanel.setup import ending
from imio.mailbridge.controlpanel.setup import receiving
from imio.mailbridge.controlpanel.setup import sending
from imio.mailbridge.controlpanel.trial_mail import translated
from imio.mailbridge.i18n import _
from imio.mailbridge.settings.providers import provider
from imio.mailbridge.store.commit import committed


SCREENS = {
    screen.name: screen
    for screen in (
        sending.AddressScreen,
        sending.ProviderScreen,
        sending.WayScreen,
        sending.ServerScreen,
        sending.AuthorityScreen,
        sending.LoginScreen,
        sending.SenderScreen,
        receiving.MailboxesScreen,
        receiving.ForwardScreen,
        receiving.WatchScreen,
        ending.TestScreen,
        ending.EndScreen,
    )
}
#: A new answer to one of these makes what follows a question again.
FOUNDATION = ("address", "provider", "way", "server", "authority", "login")
#: Seconds after which the page looks whether something came back.
LOOK_AGAIN = "5"


def path(given):
    """Return the names of the screens that these answers lead through."""
    asked = {
        "way": bool(given.provider) and len(provider(given.provider).logins) > 1,
        "server": given.asks_server,
        "authority": given.asks_authority,
        "forward": bool(given.mailboxes),
    }
    return [name for name in SCREENS if asked.get(name, True)]


class SetupView(Navigation, ButtonPage):
    """One screen at a time; ``step`` names one that was reached before."""

    page_name = "mailbridge-setup"
    buttons = {
        button: button
        for screen in SCREENS.values()
        for button in (*screen.buttons, *(["leave_out"] if screen.skip else []))
    }  #: each is a method of its screen
    failure = None  #: (account, ``Step``) of a try that failed just now
    problem = ""  #: what went wrong in a try that has no steps
    next_step = ""  #: the screen that the browser is redirected to

    def __call__(self):
        self.errors = {}
        self._open(self.entered("step"))
        return super().__call__()

    def _open(self, name):
        """Show the screen with this name, or else the one that was reached."""
        self.answers = kept.answers()
        self.path = path(self.answers)
        reached = self.answers.step if self.answers.step in self.path else self.path[0]
        may_open = name in self.path and self.path.index(name) <= self.path.index(reached)
        self.screen = SCREENS[name if may_open else reached](self)

    def _pressed(self):
        """Return the name of the button of this screen, or None."""
        names = (*self.screen.buttons, *(["leave_out"] if self.screen.skip else []))
        return next((name for name in names if name in self.request.form), None)

    def _press(self, name):
        if self.entered("step") != self.screen.name:
            self._say(SETTINGS_CHANGED, "warning")
            return None
        answer = getattr(self.screen, name)()
        if answer is None and name != "restart":
            committed(self._go_on) if self.screen.commits and name == "go_on" else self._go_on()
        return answer

    def _go_on(self):
        given, name = kept.answers(), self.screen.name
        names = path(given)
        following = names[names.index(name) + 1]
        is_new = name in FOUNDATION or given.step not in names
        if is_new or names.index(following) > names.index(given.step):
            kept.keep(step=following)
        self.next_step = following

    @property
    def next_url(self):
        """Return the address of the next question."""
        return f"{self.url}?step={self.next_step}" if self.next_step else self.url

    def again(self):
        """Redirect to the same screen, with the answers as they are now."""
        self.next_step = self.screen.name
        return self.request.response.redirect(self.next_url)

    def _show(self):
        if getattr(self.screen, "is_running", bool)():
            self.request.response.setHeader("Refresh", f"{LOOK_AGAIN};url={self.url}?step={self.screen.name}")
        return self.index()

    # what the page shows

    @property
    def number(self):
        """Return how many questions were asked, this one included."""
        return self.path.index(self.screen.name) + 1

    @property
    def percent(self):
        """Return how much of the way is done."""
        return round(100 * self.number / len(self.path))

    @property
    def back(self):
        """Return the address of the question before, or an empty string."""
        before = self.path.index(self.screen.name) - 1
        return f"{self.url}?step={self.path[before]}" if before >= 0 else ""

    def fields(self):
        """Return the fields, with what was entered just now; secrets are never shown."""
        for field in self.screen.fields():
            value = field.value
            if field.kind not in ("password", "file"):
                value = self.filled_in(field.name, value)
            yield {**field.__dict__, "value": value, "error": self.errors.get(field.name, "")}

    def letter(self):
        """Return what to send to the mail provider about the try that failed."""
        account, step = self.failure
        server = f"{account.host}:{account.port} ({account.security})"
        lines = [
            translated(_("iA.docs cannot use this mail server: ${server}", mapping={"server": server})),
            "",
            f"{translated(step.title)}: {translated(step.sentence)}",
            *map(translated, step.notes),
        ]
        if step.ask:
            lines += ["", translated(step.ask)]
        return "\n".join([*lines, "", *step.dialogue])
