"""Mail arrives through a real Postfix and mailbridge-pipe; Plone may be down, and nothing is lost or made twice."""

from concurrent.futures import ThreadPoolExecutor
from tests.mails import citizen
from tests.mails import forwarded
from tests.mails import redirected
from tests.mails import TEXT_FORWARD
from tests.servers.instance import copied
from tests.servers.waiting import TIMEOUT
from tests.servers.waiting import wait_for
import pytest
import smtplib


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def instance(demo, tmp_path_factory, shared_postfix):
    """A demo of this module alone, and a Postfix that hands mail over to it."""
    instance = copied(demo, tmp_path_factory.mktemp("town"), pdf=False)
    instance.start()
    before = {"url": shared_postfix.url, "token": shared_postfix.token}
    shared_postfix.bridge_to(instance.url, token="gateway:demo-iadocs")
    yield instance
    instance.stop()
    shared_postfix.bridge_to(**before)


@pytest.fixture
def town(instance, postfix):
    """The demo and what it held before the test: ``inbox`` and ``filed`` return what came in since."""
    instance.known = set()
    instance.known = {item["@id"] for item in inbox(instance) + filed(instance)}
    return instance


def bring(postfix, raw, sender="al.bert@maville.test", recipient="in@bridge.test"):
    with smtplib.SMTP("127.0.0.1", postfix.smtp_port, timeout=TIMEOUT) as smtp:
        smtp.sendmail(sender, recipient, raw)


def inbox(town):
    return _new(town, town.get("/@mail-in?b_size=500", "chef"))


def filed(town):
    path = "/@search?portal_type=dmsincoming_email&b_size=500&metadata_fields=_all"
    return _new(town, town.get(path, "admin"))


def _new(town, answer):
    return [item for item in answer.json()["items"] if item["@id"] not in town.known]


def test_forward_redirect_and_text_forward(town, postfix):
    bring(postfix, forwarded(citizen("Première"), citizen("Deuxième")))
    bring(postfix, redirected("Redirigée"), sender="bounces+srs@maville.test")
    bring(postfix, TEXT_FORWARD)
    wait_for(lambda: len(inbox(town)) == 3 and not postfix.queue(), what=postfix.log_text)
    states = {
        record["subject"]: (record["state"], record["transfer"], record["reason"]) for record in inbox(town)
    }
    assert states == {
        "Première": ("filed", "forward", None),
        "Redirigée": ("filed", "redirect", None),
        "Demande en texte": ("quarantined", "inline-forward", "inline-forward"),
    }
    items = {
        item["title"]: town.get(item["@id"].removeprefix(town.url), "admin").json() for item in filed(town)
    }
    assert set(items) == {"Première", "Deuxième", "Redirigée"}
    assert {item["orig_sender_email"] for item in items.values()} == {
        '"Jeanne Dupont" <jeanne.dupont@citizen.test>'
    }
    assert items["Première"]["assigned_user"]["token"] == "agent"
    redirect = next(record for record in inbox(town) if record["subject"] == "Redirigée")
    assert redirect["envelope_sender"] == "bounces+srs@maville.test"
    assert redirect["envelope_recipient"] == "in@bridge.test"


@pytest.mark.parametrize("kill", [False, True])
def test_plone_is_down_and_comes_back(town, postfix, kill):
    town.stop(kill=kill)
    titles = [f"Pendant l'arrêt {kill} {number}" for number in range(5)]
    for title in titles:
        bring(postfix, redirected(title))
    wait_for(lambda: len(postfix.queue()) == 5 and "deferred" in postfix.log_text(), what=postfix.log_text)
    assert "bounced" not in postfix.log_text().partition("Pendant")[2]
    town.start()
    postfix.flush()
    wait_for(lambda: not postfix.queue(), what=postfix.log_text)
    assert sorted(item["title"] for item in filed(town)) == titles
    assert len(inbox(town)) == 5


def test_killed_while_mail_comes_in(town, postfix):
    """Plone is killed again and again in the middle of deliveries: each message is one record and one document."""
    count = 40
    sent = lambda: postfix.log_text().count("status=sent")  # noqa: E731
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(bring, postfix, redirected(f"Message {number}")) for number in range(count)]
        for _ in range(2):
            before = sent()
            wait_for(lambda before=before: postfix.flush() or sent() > before)
            town.stop(kill=True)
            town.start()
        for job in jobs:
            job.result()
    wait_for(lambda: postfix.flush() or not postfix.queue(), what=postfix.log_text)
    wait_for(
        lambda: all(record["state"] == "filed" for record in inbox(town)), what=lambda: str(town.log[-3000:])
    )
    assert len(inbox(town)) == count
    assert sorted(item["title"] for item in filed(town)) == sorted(
        f"Message {number}" for number in range(count)
    )


def test_many_pipes_at_once(town):
    """The same mail by eight pipes is one record; eight different ones at once are all filed."""

    same = redirected("Huit fois")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(town.mail_in, [same] * 8))
    assert {answer.status_code for answer in answers} <= {200, 201}, [answer.text for answer in answers]
    assert {answer.json()["state"] for answer in answers} == {"filed"}
    others = [redirected(f"Autre {number}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(town.mail_in, others))
    # A pipe that met too many conflicts is told to try later, and does.
    assert {answer.status_code for answer in answers} <= {201, 500, 503}
    again = [
        town.mail_in(raw) for raw, answer in zip(others, answers, strict=True) if answer.status_code != 201
    ]
    assert {answer.status_code for answer in again} <= {200, 201}
    assert sorted(item["title"] for item in filed(town)).count("Huit fois") == 1
    assert len(filed(town)) == 1 + 8
    numbers = [
        town.get(item["@id"].removeprefix(town.url), "admin").json()["internal_reference_no"]
        for item in filed(town)
    ]
    assert len(set(numbers)) == len(numbers)


def test_refused_recipient_bounces_and_a_message_too_large_too(town, postfix):
    bring(
        postfix,
        citizen("Personne").as_bytes(),
        sender="jeanne.dupont@citizen.test",
        recipient="nobody@bridge.test",
    )
    limit = town.settings()["max_size"]
    town.set(max_size=2000)
    bring(postfix, redirected("Grand") + b"x" * 5000 + b"\n", sender="jeanne.dupont@citizen.test")
    reports = lambda: postfix.messages("jeanne.dupont@citizen.test")  # noqa: E731
    wait_for(lambda: len(reports()) == 2, what=postfix.log_text)
    town.set(max_size=limit)
    text = b"".join(report.content for report in reports())
    assert b"5.1.1" in text
    assert b"5.3.4" in text
    assert inbox(town) == []
