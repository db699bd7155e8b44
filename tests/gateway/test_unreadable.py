"""A message that the server lists and does not hand over stays in the mailbox, named, and is tried again after growing pauses."""

from imio.mailbridge.transport import fetch_state
from imio.mailbridge.transport import imap_folder
from imio.mailbridge.transport.fetch import fetch
from imio.mailbridge.transport.fetch import PassHooks
from imio.mailbridge.transport.fetch import STAND_IN
from imio.mailbridge.transport.fetch import UNREADABLE
from imio.mailbridge.transport.fetch_state import FetchState
from imio.mailbridge.transport.fetch_state import KEPT
from imio.mailbridge.transport.imap_account import ImapAccount
from imio.mailbridge.transport.imap_folder import selected_folder
from pathlib import Path
from tests.gateway.mailbox_content import raw
from tests.servers.scripted_imap import EMPTY
from tests.servers.scripted_imap import NIL
from tests.servers.scripted_imap import NO
from tests.servers.scripted_imap import NOTHING
from tests.servers.scripted_imap import ScriptedImap
from tests.servers.scripted_imap import WITHOUT
import pytest


STAND_IN_FILE = Path(__file__).parent.parent / "messages" / "stand-in-exchange-imap.eml"
HEADER = b"Subject: =?utf-8?q?V=C3=A9randa?=\r\nFrom: Ann <ann@bureau.test>\r\n"


@pytest.fixture
def server(certificates):
    with ScriptedImap(certificates) as server:
        server.messages[1] = raw("Bon")
        yield server


@pytest.fixture
def read(server):
    """Make a pass; return what was handed over."""
    account = ImapAccount(
        "test", "localhost", "x", "in@bridge.test", password="x",  # noqa: S106
        port=server.port, ca_file=str(server.ca_file),
    )  # fmt: skip

    def read(state):
        taken = []

        def deliver(message, given):
            taken.append(message.read())
            return KEPT

        hooks = PassHooks()
        with selected_folder(account) as folder:
            fetch(folder, account, state, deliver, hooks)
        return taken, hooks.counts

    return read


@pytest.mark.parametrize("piece", [1 << 20, 1], ids=["at once", "in pieces"])
@pytest.mark.parametrize("answer", [NO, NOTHING, WITHOUT, NIL, EMPTY])
def test_listed_and_not_handed_over(server, read, answer, piece, monkeypatch):
    monkeypatch.setattr(imap_folder, "PIECE", piece)
    server.messages[2], server.headers[2] = answer, HEADER
    state = FetchState()
    if piece == 1:
        server.messages.pop(1)
    taken, counts = read(state)
    assert (len(taken), counts["failed"]) == (1 if piece > 1 else 0, 1)
    failure = state.failed[2]
    assert (failure.tries, failure.text) == (1, UNREADABLE)
    assert (failure.subject, failure.author) == ("Véranda", "Ann <ann@bureau.test>")
    assert 2 not in server.moved


def test_pauses_grow(server, read, monkeypatch):
    server.messages = {2: NOTHING}
    state, clock = FetchState(), [1_000_000.0]
    monkeypatch.setattr(fetch_state.time, "time", lambda: clock[0])
    waits = []
    for _number in range(3):
        read(state)
        assert read(state) == ([], {}), "it waits"
        waits.append(state.failed[2].not_before - clock[0])
        clock[0] = state.failed[2].not_before + 1
    assert waits == [60, 120, 240]


def test_handed_over_once_the_server_can(server, read):
    server.messages = {2: NOTHING}
    state = FetchState()
    read(state)
    server.messages[2] = raw("Tard")
    state.failed[2] = state.failed[2]._replace(not_before=0.0)
    taken, _counts = read(state)
    assert b"Subject: Tard" in taken[0]
    assert (state.failed, server.moved) == ({}, [2])


def test_message_without_a_size_is_no_message_that_is_gone(server, read):
    server.messages[2] = NOTHING
    server.without_size = {1, 2}
    state = FetchState()
    taken, _counts = read(state)
    assert b"Subject: Bon" in taken[0]
    assert list(state.failed) == [2]


def test_what_was_expunged_meanwhile_is_no_failure(server, read, monkeypatch):
    server.messages[2] = NOTHING
    before = imap_folder.Folder.sizes

    def sizes(folder, uids):
        found = before(folder, uids)
        del server.messages[2]
        return found

    monkeypatch.setattr(imap_folder.Folder, "sizes", sizes)
    state = FetchState()
    _taken, counts = read(state)
    assert (state.failed, counts) == ({}, {"kept": 1})


def test_notice_in_place_of_a_message_is_not_taken(server, read):
    server.messages[2] = STAND_IN_FILE.read_bytes()
    state = FetchState()
    taken, _counts = read(state)
    assert len(taken) == 1
    assert state.failed[2][2:] == (STAND_IN, "Plan", "Ann (ann@bureau.example)")
    assert server.moved == [1]
