"""Fixtures of a running demo and of people at their browsers."""

from pathlib import Path
from playwright.sync_api import expect
from playwright.sync_api import sync_playwright
from tests.servers.instance import copied
from tests.servers.instance import Instance
from tests.servers.instance import PASSWORD
from tests.servers.required import required
from tests.servers.town import Town
from tests.servers.waiting import TIMEOUT
from tests.site.compose import token
import fcntl
import os
import pytest
import random


#: Names the seed of the tests with faults at random moments; without it each run has another one, which it prints.
SEED = "FAULT_SEED"
SCREENSHOTS = Path(__file__).resolve().parent.parent.parent / "screenshots"


@pytest.fixture(scope="session")
def demo(tmp_path_factory, worker_id):
    """The demo, made once for all workers and never started; tests start copies of it."""
    folder = tmp_path_factory.getbasetemp()
    if worker_id != "master":  # without pytest-xdist's workers
        folder = folder.parent
    instance = Instance(folder / "demo")
    made = folder / "demo-made"
    with (folder / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            instance.make()
            made.touch()
    return instance


@pytest.fixture
def chance():
    """A source of chance; its seed is printed, and can be given."""
    seed = int(os.environ.get(SEED) or random.randrange(10**6))
    print(f"{SEED}={seed}")
    return random.Random(seed)


@pytest.fixture
def processes(demo, tmp_path, catcher):
    """A town of many processes; no worker runs, and mail goes to ``catcher``."""
    with Town(demo, tmp_path) as town:
        town.one.set(smtp_port=catcher.port, undo_seconds=0)
        yield town


@pytest.fixture(scope="session")
def iadocs(demo, tmp_path_factory):
    """The demo, running, one process for all tests of a worker; without time to undo, which tests about it set."""
    instance = copied(demo, tmp_path_factory.mktemp("iadocs"))
    instance.start()
    instance.set(undo_seconds=0)
    yield instance
    instance.stop()


@pytest.fixture(scope="session")
def first_settings(iadocs):
    """The settings of ``iadocs`` before any test."""
    return iadocs.settings()


@pytest.fixture(autouse=True)
def leave_nothing(request):
    """Put back the settings of ``iadocs`` that a test changed, and cancel what it left to be sent: any test may be next."""
    if "iadocs" not in request.fixturenames:
        yield
        return
    iadocs, before = request.getfixturevalue("iadocs"), request.getfixturevalue("first_settings")
    yield
    after = iadocs.settings()
    if changed := {name: value for name, value in before.items() if value != after[name]}:
        iadocs.set(**changed)
    for state in ("scheduled", "queued", "deferred", "held"):
        for message in iadocs.get(f"/@outbox?state={state}&b_size=500", "chef").json()["items"]:
            iadocs.post(f"/@outbox/{message['id']}/cancel", "chef")


@pytest.fixture(scope="package")
def browser():
    """Debian's Chromium; not for the session: where Playwright runs, ``asyncio.run`` of other tests fails."""
    expect.set_options(timeout=TIMEOUT * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=required("chromium", "chromium"),
            args=[
                "--no-sandbox",
                "--disable-background-networking",
                "--disable-component-update",
                "--no-first-run",
            ],
            env={**os.environ, "LANGUAGE": "fr"},  # its own words in fields, with Debian's chromium-l10n
        )
        yield browser
        browser.close()


#: Whose drafts are deleted once more before the next test.
LEFT = []


class Person:
    """Somebody at a browser: ``page`` is Playwright's; ``open`` takes a path below the site, or a URL."""

    def __init__(self, iadocs, context, name):
        self.iadocs = iadocs
        self.page = context.new_page()
        self.page.set_default_timeout(TIMEOUT * 1000)
        self.name = name
        self.errors = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.drafts = set()  #: pages on which a draft may have been begun
        context.on("request", self._note_draft)
        self.page.on("framenavigated", self._note_draft)

    def leave(self):
        """Close all pages; return the context, in which somebody else can begin."""
        context = self.page.context
        for page in context.pages:
            page.close()
        context.remove_listener("request", self._note_draft)
        return context

    def _note_draft(self, seen):
        page, found, _query = seen.url.replace("mailbridge-save-draft", "send-email").partition(
            "/@@send-email"
        )
        if found:
            self.drafts.add(f"{page}{found}")

    def delete_drafts(self):
        """Delete the drafts that were begun: the next test begins anew."""
        for url in self.drafts:
            path = url.removeprefix(self.iadocs.url)
            html = {"Accept": "text/html"}
            page = self.iadocs.get(path, self.name, headers=html)
            if page.status_code != 200 or "form.buttons.delete_draft" not in page.text:
                continue  # nobody writes there any more
            data = {"form.buttons.delete_draft": "1", "_authenticator": token(page.text)}
            assert self.iadocs.post(path, self.name, data=data, headers=html).status_code == 302

    def login(self, password=PASSWORD):
        self.open("/login")
        self.page.fill("[name=__ac_name]", self.name)
        self.page.fill("[name=__ac_password]", password)
        self.page.click("[name='buttons.login']")
        self.page.wait_for_selector("body.userrole-authenticated")

    def open(self, path):
        """Go to a page; return when its scripts have started, editors included."""
        self.page.goto(path if path.startswith("http") else f"{self.iadocs.url}{path}")
        self.page.wait_for_selector("body.patterns-loaded")
        if self.page.locator("#content textarea.pat-tinymce").count():
            self.page.wait_for_selector("iframe.tox-edit-area__iframe", state="attached")

    def screenshot(self, name, of=None):
        """Keep the page as it is seen, or the part of it that the selector ``of`` finds."""
        SCREENSHOTS.mkdir(exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        if of is None:
            self.page.screenshot(path=path, full_page=True)
        else:
            self.page.locator(of).screenshot(path=path)


@pytest.fixture(scope="session")
def logins():
    """User name → what the browser keeps of a log-in."""
    return {}


@pytest.fixture(scope="package")
def contexts(browser):
    """(URL of the site, user name) → a context that nobody uses: a new one would load and compile all scripts of Plone again."""
    return {}


def as_new(context, origin, login):
    """Leave nothing in a context but its cache and a log-in."""
    page = context.new_page()
    storage = {"origin": origin, "storageTypes": "local_storage"}
    context.new_cdp_session(page).send("Storage.clearDataForOrigin", storage)
    page.close()
    context.clear_permissions()
    context.clear_cookies()
    context.add_cookies(login["cookies"])
    return context


@pytest.fixture
def person(iadocs, browser, logins, contexts):
    """``person("agent")`` is logged in, in a French browser of their own; a second one of the same name in another browser."""
    people = []
    # a page that closes saves what is written: it may reach a busy server after the drafts were deleted
    while LEFT:
        LEFT.pop().delete_drafts()

    def person(name, **kwargs):
        context = contexts.pop((iadocs.url, name), None)
        if context and name in logins:
            context = as_new(context, iadocs.url.removesuffix("/iadocs"), logins[name])
        else:
            context = browser.new_context(
                locale="fr-BE", viewport={"width": 1280, "height": 900}, storage_state=logins.get(name)
            )
        someone = Person(iadocs, context, name)
        people.append(someone)
        if name not in logins:
            someone.login(**kwargs)
            logins[name] = context.storage_state()
        return someone

    yield person
    for someone in people:
        key, context = (iadocs.url, someone.name), someone.leave()
        if key in contexts:
            context.close()
        else:
            contexts[key] = context
    for someone in people:
        someone.delete_drafts()
    LEFT.extend(people)
