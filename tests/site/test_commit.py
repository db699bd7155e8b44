"""A change is made again after a conflict, in turn."""

from imio.mailbridge.inbound import process as processing
from imio.mailbridge.inbound import receive as receiving
from imio.mailbridge.store import commit
from imio.mailbridge.store.commit import committed
from tests.mails import redirected
from ZODB.POSException import ConflictError
import pytest


@pytest.fixture
def turns():
    """What happened, in order, and a turn that writes into it."""

    class Turn:
        happened = []

        def __enter__(self):
            self.happened.append("begins")

        def __exit__(self, *error):
            self.happened.append("ends")

    return Turn.happened, Turn()


def test_nobody_waits_for_who_waits_after_a_conflict(turns, monkeypatch):
    happened, turn = turns
    monkeypatch.setattr(commit.time, "sleep", lambda seconds: happened.append("waits"))

    def change():
        happened.append("changes")
        if happened.count("changes") < 3:
            raise ConflictError
        return "done"

    assert committed(change, turn) == "done"
    assert happened == [*["begins", "changes", "ends", "waits"] * 2, "begins", "changes", "ends"]


def test_an_error_ends_the_turn(turns):
    happened, turn = turns
    with pytest.raises(ZeroDivisionError):
        committed(lambda: 1 / 0, turn)
    assert happened == ["begins", "ends"]


def test_a_conflict_is_logged_with_its_object(caplog, monkeypatch):
    monkeypatch.setattr(commit.time, "sleep", lambda seconds: None)
    left = [ConflictError(oid=b"\0" * 7 + b"\x2a")]

    def change():
        if left:
            raise left.pop()

    with caplog.at_level("INFO", logger=commit.__name__):
        committed(change)
    assert "try 1" in caplog.text
    assert "oid 0x2a" in caplog.text


def test_a_message_is_stored_and_filed_in_turn_and_read_beside(site, turns, monkeypatch):
    happened, turn = turns
    monkeypatch.setattr(processing, "FILING_TURN", turn)
    monkeypatch.setattr(receiving, "FILING_TURN", turn)
    read = processing.read
    monkeypatch.setattr(processing, "read", lambda record: happened.append("reads") or read(record))
    assert site.mail_in(redirected()).status_code == 201
    assert happened == ["begins", "ends", "reads", "begins", "ends"]
