"""A change is made again after a conflict."""

from imio.mailbridge.store import commit
from imio.mailbridge.store.commit import committed
from ZODB.POSException import ConflictError


def test_a_change_is_made_again_after_each_conflict(monkeypatch):
    happened = []
    monkeypatch.setattr(commit.time, "sleep", lambda seconds: happened.append("waits"))

    def change():
        happened.append("changes")
        if happened.count("changes") < 3:
            raise ConflictError
        return "done"

    assert committed(change) == "done"
    assert happened == [*["changes", "waits"] * 2, "changes"]


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
