"""``make start`` for real: two weeks of mail in every state, times that agree, a page that says what to try, few lines."""

from datetime import datetime
from datetime import timedelta
from datetime import UTC
from devel import start
from devel.letters import LETTERS
from email import message_from_bytes
from imio.mailbridge.message.classification.classify import Transfer
from imio.mailbridge.message.classification.reason import REASONS
from imio.mailbridge.outbox.states import ORDER
from pathlib import Path
from tests.acceptance.conftest import SCREENSHOTS
from tests.client import Client
from tests.servers.instance import PASSWORD
from tests.servers.waiting import free_port
from tests.servers.waiting import wait_for
import collections
import contextlib
import html
import os
import pytest
import re
import requests
import subprocess
import sys


pytestmark = pytest.mark.slow

ROOT = Path(start.__file__).resolve().parent.parent
#: Not shown: a second mail-in address, or more mail than a demo should have, would be needed.
NOT_MADE = {"no-recipient", "too-many", "too-many-replies"}
#: Between two commits only.
PASSING = {"queued", "sending"}


class Town(Client):
    """The demo as ``make start`` runs it in ``folder``."""

    def __init__(self, folder):
        self.folder, self.output = folder, folder / "output"
        self.ports = {"PORT": str(free_port()), "SMTP_PORT": str(free_port())}
        self.url = f"http://localhost:{self.ports['PORT']}/iadocs"

    @contextlib.contextmanager
    def started(self, until="is up"):
        """Run it; the block begins when a text was printed."""
        command = [sys.executable, "-m", "devel.start", str(self.folder)]
        with self.output.open("w") as output:
            process = subprocess.Popen(
                command, cwd=ROOT, env=os.environ | self.ports, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            wait_for(lambda: until in self.printed or process.poll() is not None, timeout=300)
            assert process.poll() is None, self.printed
            yield process
        finally:
            process.terminate()
            process.wait(60)

    @property
    def printed(self):
        return self.output.read_text()

    def request(self, method, path, user=None, **options):
        options["headers"] = {"Accept": "application/json", **options.get("headers", {})}
        auth = user and (user, "admin" if user == "admin" else PASSWORD)
        return requests.request(method, f"{self.url}{path}", auth=auth, timeout=60, **options)

    def page(self, path, user=None):
        answer = self.get(path, user, headers={"Accept": "text/html", "Accept-Language": "fr"})
        assert answer.status_code == 200, path
        return answer.text

    def all(self, path):
        return self.get(f"{path}?b_size=500", "chef").json()["items"]

    def in_store(self):
        return sorted(each["id"] for path in ("/@mail-in", "/@outbox") for each in self.all(path))


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """It was interrupted once while it was made, and is in its second run, on other ports."""
    town = Town(tmp_path_factory.mktemp("town"))
    with town.started("Making the demo"):
        wait_for(lambda: list(town.folder.glob("mail/new/*")), timeout=300)
    with town.started():
        town.first, town.printed_first = town.in_store(), town.printed
    town.ports = {name: str(free_port()) for name in town.ports}
    town.url = f"http://localhost:{town.ports['PORT']}/iadocs"
    with town.started():
        yield town


def test_a_second_start_adds_nothing_and_sends_to_its_own_port(town):
    assert town.in_store() == town.first
    data = {"to": ["jeanne.dupont@citizen.test"], "subject": "Second jour", "body": "<p>Bonjour</p>"}
    path = "/outgoing-mail/permis-durbanisme/@send-email"
    id = town.post(path, "agent", json=data).json()["message_id"]
    kept = town.folder / "mail/new"
    wait_for(lambda: any(id in path.read_text(errors="replace") for path in kept.glob("*")))


def test_mail_came_in_every_way_and_state(town):
    records = town.all("/@mail-in")
    assert {each["transfer"] for each in records} == set(Transfer)
    assert {each["state"] for each in records} == {"filed", "recorded", "quarantined", "discarded"}
    assert {each["reason"] for each in records if each["reason"]} == REASONS.keys() - NOT_MADE
    documents = town.get(
        "/@search?portal_type=dmsincoming_email&metadata_fields=review_state&b_size=500", "chef"
    )
    states = collections.Counter(each["review_state"] for each in documents.json()["items"])
    assert states.keys() == {"created", "proposed_to_manager", "proposed_to_agent", "in_treatment", "closed"}
    assert documents.json()["items_total"] > len(LETTERS)


def test_mail_left_and_met_every_fate(town):
    states = {each["state"] for message in town.all("/@outbox") for each in message["recipients"]}
    assert states == {*ORDER, "cancelled"} - PASSING
    status = town.get("/@mailbridge-status", "chef").json()
    assert status["worker"]["alive"]
    assert status["errors"] == []


def test_nothing_failed_that_was_not_meant_to(town):
    log = (town.folder / "instance/var/log/make-site.log").read_text()
    errors = [line for line in log.splitlines() if line.startswith(("ERROR", "CRITICAL", "Traceback"))]
    assert [line for line in errors if "the SMTP account cpas is stopped" not in line] == []
    assert not any(each["state"] == "failed" for each in town.all("/@mail-in"))


def test_what_was_sent_was_taken_by_the_mail_server(town):
    taken = {message_from_bytes(path.read_bytes())["Message-ID"] for path in town.folder.glob("mail/new/*")}
    sent = {
        each["message_id"]
        for each in town.all("/@outbox")
        if {"sent", "replied", "bounced"} & {line["state"] for line in each["recipients"]}
    }
    assert sent <= taken


def test_it_is_of_the_last_two_weeks(town):
    now = datetime.now(UTC)
    times = [datetime.fromisoformat(each["created"]) for each in town.all("/@outbox")]
    times += [datetime.fromisoformat(each["received"]) for each in town.all("/@mail-in")]
    assert all(now - timedelta(days=17) < each <= now for each in times)
    assert len({each.date() for each in times}) >= 8


def test_plone_and_the_bridge_say_the_same_time(town):
    """The bridge writes on a document when it was sent, and Plone in its history when it became *sent*."""
    found = town.get("/@search?portal_type=dmsoutgoingmail&review_state=sent&fullobjects=1", "chef").json()[
        "items"
    ]
    document = next(each for each in found if each["email_status"])
    day, time = re.search(r"(\d\d/\d\d/\d{4}) à (\d\d:\d\d)", document["email_status"]).groups()
    path = document["@id"].removeprefix(town.url)
    page = html.unescape(town.page(f"{path}/@@historyview", "chef"))
    history = page[page.index('id="history-list"') :]  # above it are times of ours
    assert f"{day} {time}" in history
    utc = datetime.fromisoformat(document["modified"]).astimezone(UTC)
    assert f"{utc:%H:%M}" != time, "a town at UTC would show nothing"


def test_the_front_page_says_what_to_try(town):
    page = town.page("/")
    for name in ("agent", "agent2", "chef", "admin", "gateway"):
        assert f"<code>{name}</code>" in page
    assert f"{town.url}/@@mail-in" in page
    links = set(
        re.findall(
            r'href="(/iadocs/[^"]+)"', page[page.index("Comme agent") : page.index("Voir ce qui est parti")]
        )
    )
    assert len(links) > 8
    for link in links:
        town.page(link.removeprefix("/iadocs").replace("&amp;", "&"), "admin")
    command = re.search(r"--data-binary @(\S+)", page)[1]
    answer = town.mail_in((ROOT / command).read_bytes())
    assert (answer.status_code, answer.json()["state"]) == (201, "filed")


def test_the_terminal_stays_short(town):
    for printed in (town.printed_first, town.printed):
        lines = [line for line in printed.splitlines() if "still at it" not in line]
        assert len(lines) < 15, printed
        assert "/iadocs" in printed


def test_what_people_see_first(town, browser):
    for user in ("agent", "chef"):
        context = browser.new_context(
            locale="fr-BE", timezone_id="Europe/Brussels", viewport={"width": 1366, "height": 768}
        )
        page = context.new_page()
        page.goto(f"{town.url}/login")
        page.fill("[name=__ac_name]", user)
        page.fill("[name=__ac_password]", PASSWORD)
        page.click("[name='buttons.login']")
        page.wait_for_selector("body.userrole-authenticated")
        assert page.url == f"{town.url}/@@my-mail"
        page.screenshot(path=SCREENSHOTS / f"demo-{user}.png", full_page=True)
        full = [each for each in page.locator("main section").all() if each.locator("li a").count()]
        assert len(full) >= 4
        context.close()
