"""Fixtures of a running demo; ``iadocs`` is one process for all tests, as Plone is for all agents."""

from pathlib import Path
from playwright.sync_api import sync_playwright
from tests.servers.instance import Instance
from tests.servers.instance import PASSWORD
from tests.servers.required import required
import pytest


SCREENSHOTS = Path(__file__).resolve().parent.parent.parent / "screenshots"


@pytest.fixture(scope="session")
def iadocs(tmp_path_factory):
    """The demo, running; without time to undo, which tests about it set."""
    instance = Instance(tmp_path_factory.mktemp("iadocs"))
    instance.make()
    instance.start()
    instance.set(undo_seconds=0)
    yield instance
    instance.stop()


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=required("chromium", "chromium"),
            args=[
                "--no-sandbox",
                "--disable-background-networking",
                "--disable-component-update",
                "--no-first-run",
            ],
        )
        yield browser
        browser.close()


class Person:
    """Somebody at a browser: ``page`` is Playwright's; ``open`` takes a path below the site."""

    def __init__(self, iadocs, context, name):
        self.iadocs = iadocs
        self.page = context.new_page()
        self.page.set_default_timeout(15_000)
        self.name = name
        self.errors = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def login(self, password=PASSWORD):
        self.open("/login")
        self.page.fill("[name=__ac_name]", self.name)
        self.page.fill("[name=__ac_password]", password)
        self.page.click("[name='buttons.login']")
        self.page.wait_for_selector("body.userrole-authenticated")

    def open(self, path):
        self.page.goto(f"{self.iadocs.url}{path}")

    def screenshot(self, name):
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


@pytest.fixture
def person(iadocs, browser):
    """``person("agent")`` is logged in, in a French browser of their own."""
    contexts = []

    def person(name, **kwargs):
        context = browser.new_context(locale="fr-BE", viewport={"width": 1280, "height": 900})
        contexts.append(context)
        someone = Person(iadocs, context, name)
        someone.login(**kwargs)
        return someone

    yield person
    for context in contexts:
        context.close()
