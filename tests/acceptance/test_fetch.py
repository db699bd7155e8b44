"""150 messages by IMAP while Plone is killed twice and the connection to the mail server drops: each is exactly one record."""

from pathlib import Path
from tests.mails import redirected
from tests.servers.cutting import Cutting
from tests.servers.dovecot import Dovecot
from tests.servers.fixtures import open_folder
from tests.servers.instance import copied
from tests.servers.waiting import TIMEOUT
from tests.servers.waiting import wait_for
import contextlib
import pytest
import subprocess
import sys


pytestmark = pytest.mark.slow
COUNT = 150  # three batches of transport/fetch.py, each of them interrupted
SECRET = "in+h7qm4tvx2kpzabcdefghj@bridge.test"
CONFIG = """
url = "{url}"
token_file = "{home}/token"
state = "{home}/state"
[[mailbox]]
name = "town"
host = "localhost"
port = {port}
ca_file = "{ca_file}"
login = "{login}"
password_file = "{home}/password"
address = "{address}"
"""


@pytest.fixture
def town(demo, tmp_path):
    instance = copied(demo, tmp_path / "town", pdf=False)
    instance.start()
    instance.set(
        mailin_addresses=[
            {"address": "in@bridge.test", "service": None, "mailbox": None},
            {"address": SECRET, "service": None, "mailbox": "info@maville.test"},
        ],
        max_deliveries=0,
    )
    yield instance
    instance.stop()


def taken(town):
    return town.get("/@mail-in?b_size=1", "chef").json()["items_total"]


def inbox(town):
    found, start = [], 0
    while True:
        page = town.get(f"/@mail-in?b_size=200&b_start={start}", "chef").json()
        found += page["items"]
        start += 200
        if start >= page["items_total"]:
            return [each for each in found if each["subject"].startswith("Message ")]


def test_each_is_one_record(town, tmp_path, certificates):
    with contextlib.ExitStack() as stack:
        dovecot = stack.enter_context(Dovecot(stack.enter_context(open_folder("dovecot")), certificates))
        proxy = stack.enter_context(Cutting(dovecot.port))
        with dovecot.client() as client:
            for number in range(COUNT):
                client.append("INBOX", redirected(f"Message {number}").replace(b"\n", b"\r\n"))
        for name, text in (("token", "gateway:demo-iadocs"), ("password", dovecot.PASSWORD)):
            (tmp_path / name).write_text(text)
            (tmp_path / name).chmod(0o600)
        config = tmp_path / "fetch.toml"
        config.write_text(
            CONFIG.format(
                url=town.url,
                home=tmp_path,
                port=proxy.port,
                ca_file=certificates.ca_file,
                login=dovecot.LOGIN,
                address=SECRET,
            )
        )
        log = stack.enter_context((tmp_path / "fetch.log").open("w"))
        command = [Path(sys.executable).with_name("mailbridge-fetch"), "--config", config]
        fetcher = subprocess.Popen(command, stderr=log)
        stack.callback(fetcher.kill)
        said = (tmp_path / "fetch.log").read_text
        for limit, kill in ((20, True), (60, False)):
            wait_for(lambda limit=limit: taken(town) >= limit, what=said)
            proxy.cut()
            town.stop(kill=kill)
            town.start()
        wait_for(lambda: taken(town) >= 100, what=said)
        proxy.cut()
        fetcher.kill()
        fetcher.wait()
        fetcher = subprocess.Popen(command, stderr=log)
        stack.callback(fetcher.kill)

        def state():
            return [
                (path.name, path.read_text()) for path in (tmp_path / "state").rglob("*") if path.is_file()
            ]

        def here():
            with dovecot.client() as client:
                client.select_folder("INBOX", readonly=True)
                return len(client.search("ALL"))

        wait_for(lambda: here() == 0, what=lambda: f"{said()}\n{state()}")
        wait_for(
            lambda: all(each["state"] == "filed" for each in inbox(town)), what=lambda: str(town.log[-3000:])
        )
        fetcher.terminate()
        assert fetcher.wait(TIMEOUT) == 0
    records = inbox(town)
    assert sorted(each["subject"] for each in records) == sorted(
        f"Message {number}" for number in range(COUNT)
    )
    assert {(each["transfer"], each["envelope_recipient"]) for each in records} == {
        ("redirect", "in+…@bridge.test")
    }
    titles = town.get(
        "/@search?portal_type=dmsincoming_email&b_size=1000&metadata_fields=Title&SearchableText=Message",
        "admin",
    ).json()["items"]
    assert len([each for each in titles if each["title"].startswith("Message ")]) == COUNT
    assert "Traceback" not in said()
