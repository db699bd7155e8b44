"""The files of blobs are missing, as after a restore without them: each page says so, and the rest goes on."""

from datetime import datetime
from datetime import timedelta
from datetime import UTC
from tests.acceptance.pages import fill
from tests.acceptance.pages import PAGES
from tests.mails import redirected
from tests.servers.instance import copied
from tests.servers.load import sent
from tests.servers.waiting import wait_for
import pytest
import re


pytestmark = pytest.mark.slow
DOCUMENT = "/outgoing-mail/permis-durbanisme"
SAYS = re.compile("bytes are missing|bytes are lost|manque sur le serveur|octets conservés sont perdus")
#: Who asks for bytes that are gone, and where.
GONE = [
    ("chef", "/@mail-in/{waiting}/source"),
    ("chef", "/@outbox/{sent}/source"),
    ("chef", "/@@mailbridge-inbox?state=all&id={waiting}"),
    ("chef", "/@@mailbridge-inbox-message?id={waiting}"),
    ("chef", "/@@mailbridge-inbox-rule?id={waiting}"),
    ("chef", "/@@mailbridge-outbox-source?id={sent}"),
    ("chef", "/@@mailbridge-source?id={waiting}"),
    ("agent", "/@@mailbridge-sent-message?id={sent}"),
    ("agent", "{item}/view"),
    ("agent", "{item}/mail/@@download/file"),
    ("agent", "{item}/appendix-1/@@download/file"),
    ("agent", f"{DOCUMENT}/permis/@@download/file"),
]


@pytest.fixture
def town(demo, tmp_path, catcher):
    instance = copied(demo, tmp_path / "town", pdf=False)
    instance.start()
    instance.set(smtp_port=catcher.port, undo_seconds=0)
    yield instance
    instance.stop()


def outgoing(town, path=DOCUMENT, **data):
    data = {"to": ["jeanne.dupont@citizen.test"], "subject": "Votre permis", "body": "x", **data}
    return town.post(f"{path}/@send-email", "agent", json=data)


def state(town, id):
    return town.get(f"/@outbox/{id}", "agent").json()["state"]


def test_pages_say_what_is_lost_and_the_rest_goes_on(town, catcher):
    """Users read that the text or the file is lost, and whom to tell. An e-mail whose text is lost is "failed" with that reason;
    a message that waits can be discarded. A message that a mail host hands over another time mends its record. New mail is filed
    and sent as ever.
    """
    found = fill(town)
    wait_for(lambda: state(town, found["sent"]) == "sent")
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    lost = outgoing(town, send_at=later).json()["id"]
    wait_for(lambda: town.get(f"{found['item']}/mail", "admin").ok)
    for path in (town.home / "var/blobstorage").rglob("*.blob"):
        path.unlink()

    def page(user, path):
        accept = "application/json" if "/@" in path and "/@@" not in path else "text/html"
        return town.get(path.format(**found), user, headers={"Accept": accept})

    broken = [path for user, path in PAGES + GONE if page(user, path).status_code >= 500]
    assert not broken
    assert [path for user, path in GONE if not SAYS.search(page(user, path).text)] == []

    answer = town.post(f"/@outbox/{lost}/send-now", "agent")
    assert answer.status_code == 404
    assert SAYS.search(answer.json()["message"])
    assert state(town, lost) == "scheduled"
    files = [item["UID"] for item in town.get(f"{DOCUMENT}?fullobjects=1", "admin").json()["items"]]
    answer = outgoing(town, attachments=files)
    assert answer.status_code == 400
    assert all(
        error["field"] == "attachments" and SAYS.search(error["message"]) for error in answer.json()["errors"]
    )

    waiting = f"/@mail-in/{found['waiting']}"
    assert town.post(f"{waiting}/replay", "chef", json={}).json()["state"] == "failed"
    assert SAYS.search(town.get(waiting, "chef").json()["error"])
    assert town.post(f"{waiting}/discard", "chef", json={"reason": "lost"}).json()["state"] == "discarded"

    before = len(catcher.messages)
    again = town.mail_in(redirected("Une", **{"From": "inconnue@autre.test"}))
    assert (again.status_code, again.json()["state"]) == (200, "filed")
    assert town.get(f"/@mail-in/{again.json()['id']}/source", "chef").ok
    assert town.mail_in(redirected("Nouveau")).json()["state"] == "filed"
    assert outgoing(town, "/outgoing-mail/invitation", subject="Nouveau").status_code == 202
    wait_for(lambda: sent(catcher)[0]["Nouveau"])
    assert len(catcher.messages) == before + 1


def test_an_e_mail_whose_text_is_lost_fails_in_words(town, catcher):
    """The agent reads in the list of e-mails that this one could not be sent and why; the e-mails beside it leave."""
    catcher.answers["mail"] = "451 4.3.0 try later"
    ids = {}
    for subject in ("Perdu", "Entier"):
        ids[subject] = outgoing(town, subject=subject).json()["id"]
        wait_for(lambda id=ids[subject]: state(town, id) == "deferred")
    for path in (town.home / "var/blobstorage").rglob("*.blob"):
        if b"Subject: Perdu" in path.read_bytes():
            path.unlink()
    del catcher.answers["mail"]
    for id in ids.values():
        assert town.post(f"/@outbox/{id}/retry", "agent").ok
    wait_for(lambda: [state(town, id) for id in ids.values()] == ["failed", "sent"])
    last = town.get(f"/@outbox/{ids['Perdu']}", "agent").json()["timeline"][-1]
    assert "n’a pas pu être lu" in last["explanation"], last
    subjects = sent(catcher)[0]  # beside a notice to the agent
    assert (subjects.get("Entier"), subjects.get("Perdu")) == (1, None)


def test_an_answer_leaves_although_the_letter_that_it_answers_is_lost(town):
    """The agent sends the answer; only the thread of mail programs is missing."""
    for path in (town.home / "var/blobstorage").rglob("*.blob"):
        path.unlink()
    assert outgoing(town).status_code == 202
