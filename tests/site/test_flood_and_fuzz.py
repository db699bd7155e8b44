"""Whatever comes to the endpoint is kept and has a state: mutations of the corpus, and what is too much of one author."""

from datetime import timedelta
from imio.mailbridge.inbound import process as processing
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.signatures import Signatures
from imio.mailbridge.message.authentication.signatures import Verdict
from imio.mailbridge.settings.read import stored_settings
from pathlib import Path
from tests.mails import citizen
from tests.mails import redirected
import hashlib
import pytest
import random
import transaction


MESSAGES = sorted((Path(__file__).parent.parent / "messages").glob("*.eml"))
MUTATIONS = 300
STATES = {"filed", "recorded", "quarantined", "failed"}


def mutated(chance, raw):
    """Return ``raw`` damaged as disks, relays and attackers do."""
    octets = bytearray(raw)
    for _ in range(chance.randint(1, 8)):
        kind, position = chance.randrange(5), chance.randrange(max(1, len(octets)))
        if kind == 0:
            octets[position : position + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            del octets[position:]
        elif kind == 2:
            del octets[position : position + chance.randint(1, 200)]
        elif kind == 3:
            octets[position:position] = octets[: chance.randint(0, 300)]
        else:
            lines = bytes(octets).split(b"\n")
            chance.shuffle(lines)
            octets = bytearray(b"\n".join(lines))
    return bytes(octets) or b"x"


def test_mutations_are_kept_and_have_a_state(site):
    values = stored_settings()
    values.agent_patterns = [r".+@maville\.(be|test)"]
    values.mailboxes = [{"address": "contact@maville.be", "service": None}]
    values.max_per_sender = values.max_deliveries = 0
    transaction.commit()
    chance = random.Random(20261123)
    seen = set()
    for number in range(MUTATIONS):
        path = chance.choice(MESSAGES)
        raw = mutated(chance, path.read_bytes())
        answer = site.mail_in(raw)
        assert answer.status_code in (200, 201, 202), (
            number,
            path.name,
            answer.status_code,
            answer.text[:500],
        )
        body = answer.json()
        assert body["sha256"] == hashlib.sha256(raw).hexdigest()
        record = inbox().get(body["id"])
        with record.raw.open("r") as stream:
            assert stream.read() == raw, (number, path.name)
        assert record.state in STATES, (number, path.name, record.state)
        assert record.state != "failed", (number, path.name, record.error)
        seen.add(record.state)
    assert seen >= {"filed", "quarantined"}


def test_too_many_of_one_author_are_quarantined(site):
    stored_settings().max_per_sender = 2
    transaction.commit()
    raws = [redirected(**{"Message-ID": f"<{number}@c.test>"}) for number in range(3)]
    assert [site.mail_in(raw).json()["state"] for raw in raws] == ["filed", "filed", "quarantined"]
    (record,) = [inbox().records[id] for id in inbox().newest_ids("quarantined")]
    assert record.reason == "too-many"
    assert site.mail_in(citizen("Un autre", sender="x@other.test")).json()["reason"] != "too-many"
    # a person who replays it is not counted
    answer = site.post(f"/@mail-in/{record.id}/replay", "chef", json={})
    assert answer.json()["state"] == "filed", answer.text


def test_old_messages_of_an_author_do_not_count(site):
    stored_settings().max_per_sender = 1
    transaction.commit()
    assert site.mail_in(redirected(**{"Message-ID": "<1@c.test>"})).json()["state"] == "filed"
    (author,) = inbox().recent
    inbox().recent[author] = tuple(time - 3601 for time in inbox().recent[author])
    transaction.commit()
    assert site.mail_in(redirected(**{"Message-ID": "<2@c.test>"})).json()["state"] == "filed"


@pytest.fixture
def no_dns(site, monkeypatch):
    """DNS does not answer for the seal of a listed provider; the list counts how often it was asked."""
    asked = []

    def verify(message, lookup):
        asked.append(message)
        return Signatures(arc=Verdict("arc", "temperror", "provider.test", "no answer"))

    monkeypatch.setattr(processing.signatures, "verify", verify)
    stored_settings().arc_sealers = ["provider.test"]
    transaction.commit()
    return asked


UNTRUSTED = {"X-Client-Address": "203.0.113.9"}
SEALED = redirected(**{"ARC-Seal": "i=1; d=provider.test"})


def test_what_cannot_be_verified_now_waits_and_is_tried_again(site, no_dns):
    answer = site.mail_in(SEALED, **UNTRUSTED)
    assert (answer.status_code, answer.json()["state"]) == (202, "received")
    record = inbox().get(answer.json()["id"])
    assert record.not_before > record.created
    assert "DNS does not answer" in record.history[-1]["text"]
    site.task("@@mailbridge-process", id=record.id)
    assert len(no_dns) == 2
    assert record.state == "received"


def test_patience_ends_in_the_quarantine(site, no_dns, monkeypatch):
    record = inbox().get(site.mail_in(SEALED, **UNTRUSTED).json()["id"])
    monkeypatch.setattr(processing, "PATIENCE", timedelta(seconds=-1))
    site.task("@@mailbridge-process", id=record.id)
    assert (record.state, record.reason) == ("quarantined", "unproven-redirect")
    assert record.verdicts[-1]["result"] == "temperror"


def test_person_does_not_wait_for_dns(site, no_dns):
    record = inbox().get(site.mail_in(SEALED, **UNTRUSTED).json()["id"])
    answer = site.post(f"/@mail-in/{record.id}/accept", "chef", json={})
    assert answer.json()["state"] == "filed", answer.text


def test_sweep_forgets_who_wrote_long_ago(site):
    site.mail_in(redirected(**{"Message-ID": "<1@c.test>"}))
    box = inbox()
    (author,) = box.recent
    box.recent["old@x.test"] = (1,)
    transaction.commit()
    site.task("@@mailbridge-sweep-inbox")
    assert list(box.recent) == [author]
