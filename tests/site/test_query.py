"""The filters of the outbox."""

from datetime import datetime
from datetime import timedelta
from datetime import UTC
from imio.mailbridge.outbox.query import BadQuery
from imio.mailbridge.outbox.query import find
from imio.mailbridge.outbox.query import read_query
from imio.mailbridge.outbox.record import outbox
import pytest
import transaction


@pytest.fixture
def messages(site):
    """Four messages, the oldest first, a day apart, at noon UTC."""
    made = []
    for number, (user, subject, to) in enumerate(
        (
            ("agent", "Permis", "jeanne@citizen.test"),
            ("agent2", "Facture", "paul@citizen.test"),
            ("agent", "Rappel", "paul@other.test"),
            ("agent", "Permis bis", "anne@citizen.test"),
        )
    ):
        data = {"to": [to], "subject": subject, "body": "x"}
        answer = site.post("/contacts/jeanne-dupont/@send-email", user, json=data)
        assert answer.status_code == 202, answer.text
        box = outbox()
        record = box.get(answer.json()["id"])
        box.remove(record)
        record.created = datetime(2026, 11, 1, 12, tzinfo=UTC) + timedelta(days=number)
        box.add(record)
        transaction.commit()
        made.append(record)
    outbox().update(made[1], {"paul@citizen.test": "failed"})
    made[2].account = "cpas"
    outbox().reindex(made[2])
    outbox().remove(made[3])
    made[3].origin = "site"
    outbox().add(made[3])
    transaction.commit()
    return made


@pytest.mark.parametrize(
    ("form", "numbers"),
    [
        ({}, [3, 2, 1, 0]),
        ({"state": "failed"}, [1]),
        ({"state": "queued"}, [3, 2, 0]),
        ({"state": "bounced"}, []),
        ({"agent": "agent"}, [2, 0]),
        ({"agent": "agent", "state": "failed"}, []),
        ({"agent": "nobody"}, []),
        ({"account": "cpas"}, [2]),
        ({"origin": "site"}, [3]),
        ({"from": "2026-11-02"}, [3, 2, 1]),
        ({"to": "2026-11-02"}, [1, 0]),
        ({"from": "2026-11-02", "to": "2026-11-03"}, [2, 1]),
        ({"from": "2026-11-09", "to": "2026-11-01"}, []),
        ({"q": "PERMIS"}, [3, 0]),
        ({"q": "paul@"}, [2, 1]),
        ({"q": "paul@citizen.test", "state": "queued"}, []),
        ({"q": "nothing like it"}, []),
    ],
)
def test_filters(messages, form, numbers):
    assert list(find(read_query(form))) == [messages[number].id for number in numbers]


def test_message_id(messages):
    wanted = messages[1]
    assert list(find(read_query({"q": f" {wanted.message_id} "}))) == [wanted.id]
    assert not find(read_query({"q": wanted.message_id, "state": "queued"}))
    assert list(find(read_query({"q": wanted.message_id, "agent": "agent2"}))) == [wanted.id]
    assert not find(read_query({"q": wanted.message_id, "to": "2026-11-01"}))


@pytest.mark.parametrize(
    "form",
    [
        {"state": "gone"},
        {"origin": "x"},
        {"from": "1/11/2026"},
        {"to": "2026-13-01"},
        {"q": ["a", "b"]},
        {"to": "99999-01-01"},
    ],
)
def test_bad_filters(site, form):
    with pytest.raises(BadQuery) as raised:
        read_query(form)
    assert raised.value.field == next(iter(form))
