"""Whatever a server says: delivery, site mail and diagnosis end in words, and nobody reads words about another recipient."""

from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.delivery.mailer import AccountMailer
from imio.mailbridge.diagnosis.bounds import Limits
from imio.mailbridge.diagnosis.diagnose import diagnose
from imio.mailbridge.diagnosis.diagnose import Options
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from tests.servers.peer import Peer
from tests.servers.smtp_peer import AnyAnswer
from tests.servers.smtp_peer import Smtp
import contextlib
import pytest
import random
import smtplib
import transaction


TO, BLIND = ["jeanne@citizen.test", "paul@citizen.test"], "cachee@ailleurs.test"
EVERYBODY = [*TO, BLIND]


@pytest.fixture
def served(site):
    """``served(seed)`` gives a server that says what a chance likes, and the account on it."""
    with contextlib.ExitStack() as stack:

        def served(seed):
            server = AnyAnswer(random.Random(seed), EVERYBODY)
            peer = stack.enter_context(Peer(server))
            stored_settings().smtp_port = peer.port
            transaction.commit()
            return server, settings().default_account

        yield served


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Servers that leave an answer unfinished are not waited for; nothing depends on the time."""
    monkeypatch.setattr("imio.mailbridge.transport.smtp.TIMEOUT", 2)


@pytest.mark.parametrize("seed", range(30))
def test_delivery(send, served, seed):
    server, _account = served(seed)
    other = send("marie@citizen.test", run=False)
    record = send(*TO, bcc=[BLIND], run=False)
    deliver()
    transaction.begin()
    states = {*record.recipients.values(), *other.recipients.values()}
    assert states <= {"sent", "deferred", "failed", "held", "queued"}, server.odd
    assert server.took or "sent" not in states
    for line in record.history:
        if line["recipient"]:
            assert not [each for each in EVERYBODY if each in line["text"] and each != line["recipient"]]
            assert "cachee" not in line["text"] or line["recipient"] == BLIND
    assert not [each for each in EVERYBODY if each in repr(other.history)]
    for hold in outbox().holds.values():
        assert hold["explanation"]
        assert hold["stage"] != "rcpt" or "Helo command rejected" in hold["text"]


@pytest.mark.parametrize("seed", range(100, 115))
def test_site_mail(served, seed):
    server, account = served(seed)
    try:
        AccountMailer(account).send("a@maville.test", TO, "Subject: s\r\n\r\nx")
        is_taken = True
    except smtplib.SMTPException:
        is_taken = False
    assert server.took or not is_taken


@pytest.mark.parametrize("seed", range(200, 220))
def test_diagnosis(served, seed):
    server, account = served(seed)
    options = Options(recipient=TO[0], agent="al.bert@maville.test", send=True, dns=False)
    steps = {
        step.name: step for step in diagnose(account, options, limits=Limits(answer=2, smtp=10, connect=5))
    }
    assert all(step.sentence or step.verdict == "skipped" for step in steps.values())
    assert server.took or steps["message"].verdict != "ok"


@pytest.mark.parametrize(
    ("step", "script"),
    [
        ("message", {"data": (b"354 go on", b"250 2.0.0 taken"), "end": (b"554 5.7.1 no",)}),
        ("message", {"end": (b"554-no", b"250 2.0.0 taken")}),
        ("recipient", {"rcpt": (b"550-no", b"250 ok")}),
        ("sender", {"mail": (b"550-no", b"250 ok")}),
        ("connect", {"greeting": (b"554-no", b"220 ok")}),
    ],
)
def test_the_diagnosis_finds_nothing_good_in_what_is_no_answer(site, step, script):
    say = {stage: lambda talk, lines=lines: talk.say(*lines) for stage, lines in script.items()}
    with Peer(Smtp(**say)) as peer:
        stored_settings().smtp_port = peer.port
        transaction.commit()
        options = Options(recipient=TO[0], send=True, dns=False)
        found = diagnose(settings().default_account, options, limits=Limits(answer=2, smtp=10, connect=5))
    verdicts = {each.name: each.verdict for each in found}
    assert verdicts[step] == "bad"
    assert verdicts["message"] != "ok"
