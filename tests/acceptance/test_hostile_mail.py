"""Mails that stopped sites come in; an agent's e-mail leaves, the process stays small, and each of them ends in a state."""

from pathlib import Path
from tests import hostile
from tests.mails import redirected
from tests.mails import TRUSTED
from tests.servers.instance import copied
from tests.servers.waiting import wait_for
import pytest


pytestmark = pytest.mark.slow

#: One of each kind; tests/message/test_hostile_structure.py reads them all.
KINDS = (
    "calendar that stopped sending",
    "image 40,000 times, that ended the process",
    "nested lists that took 72 s",
    "six tables that delayed sending",
    "fonts that are repeated in each block",
    "millions of brackets",
)


@pytest.fixture
def town(demo, tmp_path, catcher):
    instance = copied(demo, tmp_path / "town")
    instance.start()
    instance.set(smtp_host="127.0.0.1", smtp_port=catcher.port, smtp_security="none", undo_seconds=0)
    yield instance
    instance.stop()


def resident(town):
    """Return the memory of the process that answers people, in kB, at its highest."""
    (line,) = (
        each
        for each in Path(f"/proc/{town.process_id}/status").read_text().splitlines()
        if each.startswith("VmHWM:")
    )
    return int(line.split()[1])


def test_mails_that_stopped_a_site(town, catcher):
    # What an ordinary message and a look at it take.
    answer = town.post("/@@mail-in", "gateway", data=redirected(), headers=TRUSTED)
    ordinary = answer.json()["items"][0]["@id"].removeprefix(town.url)
    wait_for(lambda: "en préparation" not in frame(town, ordinary))
    idle = resident(town)

    documents = []
    for name in KINDS:
        raw, _is_limited = hostile.MAILS[name]
        answer = town.post("/@@mail-in", "gateway", data=raw, headers=TRUSTED)
        assert answer.status_code == 201, (name, answer.text)
        documents += [item["@id"].removeprefix(town.url) for item in answer.json()["items"]]
    assert len(documents) == len(KINDS)

    data = {"to": ["jeanne.dupont@citizen.test"], "subject": "Votre permis", "body": "<p>Bonjour</p>"}
    assert town.post("/outgoing-mail/permis-durbanisme/@send-email", "agent", json=data).status_code == 202
    wait_for(lambda: catcher.messages)
    assert "en préparation" in frame(town, documents[-1]), "the e-mail left while they were being prepared"
    wait_for(
        lambda: all("en préparation" not in frame(town, document) for document in documents), timeout=900
    )
    assert resident(town) <= 2 * idle


def frame(town, document):
    answer = town.get(f"{document}/mail/@@mailbridge-frame", "agent", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    return answer.text
