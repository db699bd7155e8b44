"""Messages of a real Dovecot reach the site, each once, whatever breaks; nothing is marked as read."""

from datetime import date
from datetime import datetime
from imio.mailbridge.transport import fetch as fetching
from imio.mailbridge.transport import imap_connection
from imio.mailbridge.transport import imap_folder
from imio.mailbridge.transport.fetch import Deferred
from imio.mailbridge.transport.fetch import envelope
from imio.mailbridge.transport.fetch import fetch
from imio.mailbridge.transport.fetch import grouped
from imio.mailbridge.transport.fetch import PassHooks
from imio.mailbridge.transport.fetch_state import Failure
from imio.mailbridge.transport.fetch_state import FetchState
from imio.mailbridge.transport.fetch_state import KEPT
from imio.mailbridge.transport.fetch_state import LEFT
from imio.mailbridge.transport.fetch_state import REFUSED
from imio.mailbridge.transport.imap_account import FLAG
from imio.mailbridge.transport.imap_account import ImapAccount
from imio.mailbridge.transport.imap_connection import CannotOpen
from imio.mailbridge.transport.imap_connection import CONNECTION_ERRORS
from imio.mailbridge.transport.imap_folder import KEYWORD
from imio.mailbridge.transport.imap_folder import selected_folder
from imio.mailbridge.transport.oauth import Grant
from tests.gateway.mailbox_content import DONE
from tests.gateway.mailbox_content import raw
from tests.gateway.mailbox_content import subjects
from tests.gateway.mailbox_content import there
from tests.servers.cutting import Cutting
from tests.servers.dovecot import Dovecot
from tests.servers.fixtures import open_folder
from tests.servers.token_endpoint import TokenEndpoint
from tests.servers.waiting import wait_for
from unittest.mock import Mock
import dataclasses
import io
import math
import pytest
import subprocess
import threading
import time


@pytest.fixture(scope="module")
def dovecot(certificates):
    with open_folder("dovecot") as folder, Dovecot(folder, certificates) as server:
        yield server


@pytest.fixture
def mailbox(dovecot):
    """The mailbox, empty."""
    with dovecot.client() as client:
        for _flags, _delimiter, name in client.list_folders():
            client.select_folder(name)
            if uids := client.search("ALL"):
                client.delete_messages(uids)
                client.expunge()
            client.unselect_folder()
            if name not in ("INBOX", "Junk"):
                client.delete_folder(name)
    return ImapAccount(
        "test",
        "localhost",
        dovecot.LOGIN,
        "in@bridge.test",
        password=dovecot.PASSWORD,
        port=dovecot.port,
        ca_file=str(dovecot.certificates.ca_file),
    )


class Taker:
    """A site that keeps what it gets; ``script`` maps a subject to a word, or to an exception."""

    def __init__(self, **script):
        self.script = script
        self.taken = []
        self.envelopes = []

    def __call__(self, message, given):
        content = message.read()
        subject = next(
            (
                line.partition(b": ")[2].decode()
                for line in content.splitlines()
                if line.startswith(b"Subject: ")
            ),
            "",
        )
        word = self.script.get(subject, KEPT)
        if isinstance(word, Exception):
            raise word
        self.taken.append(content)
        self.envelopes.append(given)
        return word


def one_pass(mailbox, state, deliver, **course):
    with selected_folder(mailbox) as folder:
        fetch(folder, mailbox, state, deliver, PassHooks(**course))


def test_taken_byte_for_byte_unread_and_moved(dovecot, mailbox):
    sent = [raw(f"N{number}") for number in range(3)]
    for each in sent:
        dovecot.append(each)
    taker, state = Taker(), FetchState()
    one_pass(mailbox, state, taker)
    assert taker.taken == sent
    assert subjects(dovecot) == []
    assert subjects(dovecot, DONE) == ["N0", "N1", "N2"]
    assert not any(b"\\Seen" in flags for _subject, flags in there(dovecot, DONE))
    one_pass(mailbox, state, taker)
    assert len(taker.taken) == 3
    assert state.settled == {}, "what is gone is forgotten"


def test_flagged_instead_of_moved(dovecot, mailbox):
    mailbox = dataclasses.replace(mailbox, done=FLAG)
    dovecot.append(raw("Un"))
    taker = Taker()
    one_pass(mailbox, FetchState(), taker)
    one_pass(mailbox, FetchState(), taker)
    assert len(taker.taken) == 1, "the mark is enough, the state may be lost"
    assert there(dovecot) == [("Un", {KEYWORD.encode(), b"\\Recent"})] or [
        flags - {b"\\Recent"} for _subject, flags in there(dovecot)
    ] == [{KEYWORD.encode()}]


def test_no_keywords_no_move_the_state_is_enough(dovecot, mailbox, monkeypatch):
    monkeypatch.setattr(imap_folder.Folder, "mark_done", lambda *_: None)
    dovecot.append(raw("Un"))
    taker, state = Taker(), FetchState()
    one_pass(mailbox, state, taker)
    one_pass(mailbox, FetchState.from_json(state.as_json()), taker)
    assert len(taker.taken) == 1


@pytest.mark.parametrize("missing", [{"MOVE"}, {"MOVE", "UIDPLUS"}])
def test_server_without_move(dovecot, mailbox, monkeypatch, missing):
    real = imap_folder.IMAPClient.has_capability
    monkeypatch.setattr(
        imap_folder.IMAPClient, "has_capability", lambda self, name: name not in missing and real(self, name)
    )
    dovecot.append(raw("Un"))
    taker, state = Taker(), FetchState()
    one_pass(mailbox, state, taker)
    one_pass(mailbox, FetchState(), taker)
    assert len(taker.taken) == 1
    assert subjects(dovecot, DONE) == ["Un"]


def test_left_and_refused_stay_untouched(dovecot, mailbox):
    for subject in ("Gauche", "Grand", "Bon"):
        dovecot.append(raw(subject))
    taker, state = Taker(Gauche=LEFT, Grand=REFUSED), FetchState()
    one_pass(mailbox, state, taker)
    one_pass(mailbox, state, taker)
    assert len(taker.taken) == 3
    assert [(subject, flags - {b"\\Recent"}) for subject, flags in there(dovecot)] == [
        ("Gauche", set()),
        ("Grand", set()),
    ]


def test_one_that_the_site_cannot_take_keeps_no_other_waiting(dovecot, mailbox):
    for subject in ("Mauvais", "Bon"):
        dovecot.append(raw(subject))
    taker, state = Taker(Mauvais=Deferred("500")), FetchState()
    one_pass(mailbox, state, taker)
    assert [b"Subject: Bon" in content for content in taker.taken] == [True]
    assert [(failure.tries, failure.subject) for failure in state.failed.values()] == [(1, "Mauvais")]
    taker.script.clear()
    one_pass(mailbox, state, taker)
    assert len(taker.taken) == 1, "it waits"
    one_pass(mailbox, later(state), taker)
    assert len(taker.taken) == 2
    assert subjects(dovecot) == []


def test_a_site_that_takes_nothing_is_left_alone(dovecot, mailbox):
    for number in range(6):
        dovecot.append(raw(f"N{number}"))
    asked = []

    def deliver(message, given):
        asked.append(given)
        raise Deferred("401")

    with pytest.raises(Deferred):
        one_pass(mailbox, FetchState(), deliver)
    assert len(asked) == fetching.MAX_FAILURES_IN_A_ROW
    asked.clear()

    def away(message, given):
        asked.append(given)
        raise Deferred("no connection", affects_all=True)

    state = FetchState()
    with pytest.raises(Deferred):
        one_pass(mailbox, state, away)
    assert len(asked) == 1
    assert not state.failed


def test_what_was_kept_before_the_site_went_away_is_marked_done_by_the_next_pass(dovecot, mailbox):
    for subject in ("Un", "Deux"):
        dovecot.append(raw(subject))
    taker, state = Taker(Deux=Deferred("away", affects_all=True)), FetchState()
    with pytest.raises(Deferred):
        one_pass(mailbox, state, taker)
    assert subjects(dovecot) == ["Deux", "Un"]
    with pytest.raises(Deferred):
        one_pass(mailbox, FetchState.from_json(state.as_json()), taker)
    assert subjects(dovecot) == ["Deux"]
    assert len(taker.taken) == 1


def test_a_folder_that_cannot_be_moved_to_stops_no_mail(dovecot, mailbox):
    mailbox = dataclasses.replace(mailbox, done_folder="x" * 300)
    dovecot.append(raw("Un"))
    taker, state = Taker(), FetchState()
    one_pass(mailbox, state, taker)
    dovecot.append(raw("Deux"))
    one_pass(mailbox, state, taker)
    assert len(taker.taken) == 2
    assert subjects(dovecot) == ["Deux", "Un"]


def test_large_message_in_pieces(dovecot, mailbox, monkeypatch):
    monkeypatch.setattr(imap_folder, "PIECE", 10_000)
    content = raw("Grand") + b"0123456789abcde\r\n" * 2500
    dovecot.append(content)
    exact = content[:20_000]  # a multiple of the piece
    dovecot.append(exact)
    taker = Taker()
    one_pass(mailbox, FetchState(), taker)
    assert taker.taken == [content, exact]


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_folder_that_is_searched_in_parts(dovecot, mailbox, monkeypatch, count):
    monkeypatch.setattr(imap_folder, "PART", 2)
    for number in range(count):
        dovecot.append(raw(f"N{number}"))
    with selected_folder(mailbox) as folder:
        assert len(folder.pending()) == count
        dovecot.append(raw("Plus tard"))
        folder.pending()  # after it the server tells what is new
        assert len(folder.pending()) == count + 1
    taker = Taker(N0=LEFT)
    one_pass(mailbox, FetchState(), taker)
    assert len(taker.taken) == count + 1
    with selected_folder(mailbox) as folder:
        assert len(folder.pending()) == 1


def test_stop_in_the_middle(dovecot, mailbox):
    for number in range(5):
        dovecot.append(raw(f"N{number}"))
    taker, state = Taker(), FetchState()
    one_pass(mailbox, state, taker, stopped=lambda: len(taker.taken) == 2)
    assert len(taker.taken) == 2
    one_pass(mailbox, state, taker)
    assert len(taker.taken) == 5
    assert subjects(dovecot, DONE) == [f"N{number}" for number in range(5)]


def test_only_since(dovecot, mailbox):
    with dovecot.client() as client:
        client.append("INBOX", raw("Vieux"), msg_time=datetime(2020, 1, 1))
    dovecot.append(raw("Neuf"))
    taker = Taker()
    one_pass(dataclasses.replace(mailbox, since=date.today()), FetchState(), taker)
    assert [b"Subject: Neuf" in content for content in taker.taken] == [True]


def later(state):
    """Return the state as it was saved, its pauses over."""
    failed = {uid: failure._replace(not_before=0.0) for uid, failure in state.failed.items()}
    return dataclasses.replace(FetchState.from_json(state.as_json()), failed=failed)


@pytest.mark.parametrize("swallow_answer", [False, True])
def test_connection_cut_in_every_command(dovecot, mailbox, swallow_answer, monkeypatch):
    """However the connection breaks, the next passes bring each message once to the site (by its bytes), and all are moved."""
    monkeypatch.setattr(imap_folder, "PIECE", 2000)
    with Cutting(dovecot.port) as proxy:
        mailbox = dataclasses.replace(mailbox, port=proxy.port)
        proxy.swallow_answer = swallow_answer
        cut, number, first_whole = 0, 1, None
        while first_whole is None:
            contents = {raw("A"), raw("B"), raw("Long") + b"x" * 70 + b"\r\n" + b"y" * 3000 + b"\r\n"}
            for each in contents:
                dovecot.append(each)
            taker, state = Taker(), FetchState()
            proxy.cut_after = number
            try:
                one_pass(mailbox, state, taker)
                first_whole = number
            except (CannotOpen, *CONNECTION_ERRORS):
                cut += 1
            proxy.cut_after = None
            assert len(state.failed) <= 1
            one_pass(mailbox, later(state), taker)
            assert set(taker.taken) == contents
            assert subjects(dovecot) == []
            number += 1
    print(f"cut in {cut} places")
    assert cut > 12


def test_message_that_was_announced_before_is_not_waited_for(dovecot, mailbox, monkeypatch):
    monkeypatch.setattr(
        imap_folder.IMAPClient, "idle", Mock(side_effect=AssertionError("nobody announces it again"))
    )
    with selected_folder(mailbox) as folder:
        assert folder.pending() == []
        dovecot.append(raw("Un"))
        folder._client.noop()  # whose answer announces it
        folder.wait(threading.Event())
        assert len(folder.pending()) == 1


def test_wait_ends_when_a_message_that_failed_is_due(dovecot, mailbox, monkeypatch):
    monkeypatch.setattr(imap_folder, "IDLE", 3600)
    state = FetchState()
    assert state.seconds_to_next() == math.inf
    state.fail(1, "x")
    state.failed[1] = state.failed[1]._replace(not_before=0)
    assert state.seconds_to_next() == 1
    with selected_folder(mailbox) as folder:
        folder.wait(threading.Event(), state.seconds_to_next())


def test_uidvalidity_changes(dovecot, mailbox):
    mailbox = dataclasses.replace(mailbox, folder="Boite", done=FLAG)
    taker, state = Taker(Deux=LEFT), FetchState()
    with dovecot.client() as client:
        client.create_folder("Boite")
    dovecot.append(raw("Un"), "Boite")
    one_pass(mailbox, state, taker)
    before = state.uidvalidity
    with dovecot.client() as client:
        client.delete_folder("Boite")
    wait_for(lambda: time.time() >= before + 1)  # Dovecot's UIDVALIDITY is the time in seconds
    with dovecot.client() as client:
        client.create_folder("Boite")
    dovecot.append(raw("Deux"), "Boite")  # has the UID of the first one
    one_pass(mailbox, state, taker)
    assert state.uidvalidity != before
    assert [b"Subject: Un" in content for content in taker.taken] == [True, False]


def test_two_at_once_on_one_mailbox(dovecot, mailbox):
    """The second one comes while the first one has read a message and not marked it as done."""
    for number in range(3):
        dovecot.append(raw(f"N{number}"))
    first, second = Taker(), Taker()

    def deliver(message, given):
        if not first.taken:
            one_pass(mailbox, FetchState(), second)
        return first(message, given)

    one_pass(mailbox, FetchState(), deliver)
    assert first.taken == second.taken[:1], "the site tells that they are the same"
    assert len(second.taken) == 3
    assert subjects(dovecot) == []
    assert set(subjects(dovecot, DONE)) == {"N0", "N1", "N2"}


@pytest.mark.parametrize(
    ("change", "stage"),
    [
        ({"port": 9}, "connect"),
        ({"host": "no-such-host.invalid"}, "connect"),
        ({"ca_file": ""}, "tls"),
        ({"ca_file": "/no/such/file"}, "tls"),
        ({"password": "wrong"}, "login"),
        ({"password": "é\0"}, "login"),
        ({"folder": "Nulle part"}, "folder"),
        ({"security": "starttls"}, "connect"),
    ],
)
def test_what_does_not_open_says_where(mailbox, change, stage, monkeypatch):
    monkeypatch.setattr(imap_connection, "CONNECT_TIMEOUT", 3)
    monkeypatch.setattr(imap_connection, "READ_TIMEOUT", 3)
    with pytest.raises(CannotOpen) as raised, selected_folder(dataclasses.replace(mailbox, **change)):
        pass
    assert raised.value.stage == stage
    assert mailbox.password not in str(raised.value)


def test_starttls(certificates):
    with (
        open_folder("dovecot-starttls") as folder,
        Dovecot(folder, certificates, starttls=True) as server,
        selected_folder(
            ImapAccount(
                "starttls",
                "localhost",
                server.LOGIN,
                "in@bridge.test",
                server.PASSWORD,
                port=server.starttls_port,
                security="starttls",
                ca_file=str(certificates.ca_file),
            )
        ) as opened_folder,
    ):
        assert opened_folder.pending() == []


def test_token_that_was_good_and_is_refused_is_asked_for_anew(certificates):
    with (
        TokenEndpoint() as endpoint,
        open_folder("dovecot-oauth2") as folder,
        Dovecot(folder, certificates, tokens=endpoint.url) as server,
    ):
        endpoint.owner = server.LOGIN
        grant = Grant(server.LOGIN, endpoint.url, "bridge", "scope", endpoint.client_secret, "")
        mailbox = ImapAccount(
            "oauth",
            "localhost",
            server.LOGIN,
            "in@bridge.test",
            grant=grant,
            port=server.port,
            ca_file=str(certificates.ca_file),
        )
        for _ in range(2):
            with selected_folder(mailbox) as opened_folder:
                assert opened_folder.pending() == []
        assert len(endpoint.asked) == 1, "one token serves many connections"
        endpoint.tokens.clear()
        subprocess.run(
            ["doveadm", "-c", folder / "dovecot.conf", "auth", "cache", "flush"], capture_output=True
        )
        with selected_folder(mailbox) as opened_folder:
            assert opened_folder.pending() == []
        assert len(endpoint.asked) == 2
        endpoint.owner = "other@maville.test"
        with pytest.raises(CannotOpen) as raised, selected_folder(mailbox):
            pass
        assert raised.value.stage == "login"
        assert "token-" not in raised.value.text


HEAD = b"Return-Path: <%s>\r\nDelivered-To: in+secret-part-123@bridge.test\r\nDelivered-To: in+later@bridge.test\r\n\r\nx"


@pytest.mark.parametrize(
    ("content", "header", "expected"),
    [
        (HEAD % b"Jeanne@citizen.test", "", ("in@bridge.test", "jeanne@citizen.test")),
        (HEAD % b"", "", ("in@bridge.test", "")),
        (HEAD % b"not an address", "", ("in@bridge.test", None)),
        (b"Subject: x\r\n\r\nReturn-Path: <a@b.test>\r\n", "", ("in@bridge.test", None)),
        (HEAD % b"", "Delivered-To", ("in+secret-part-123@bridge.test", "")),
        (b"Delivered-To: in@other.test\r\n\r\n", "Delivered-To", ("in@bridge.test", None)),
        (b"Delivered-To: \xff\r\n\r\n", "Delivered-To", ("in@bridge.test", None)),
        (b"", "Delivered-To", ("in@bridge.test", None)),
    ],
)
def test_envelope(content, header, expected):
    mailbox = ImapAccount("n", "h", "l", "in@bridge.test", recipient_header=header)
    assert dataclasses.astuple(envelope(io.BytesIO(content), mailbox)) == expected


def test_batches():
    mega = 1 << 20
    assert [list(group) for group in grouped([(1, mega), (2, 3 * mega), (3, 1), (4, 9 * mega), (5, 1)])] == [
        [1, 2],
        [3],
        [4],
        [5],
    ]
    assert [len(group) for group in grouped((uid, 1) for uid in range(101))] == [50, 50, 1]


def test_state_survives_as_plain_values():
    state = FetchState(
        7, {1: KEPT, 2: KEPT, 3: KEPT, 9: LEFT, 10: REFUSED}, {12: Failure(2, 1234.5, "500", "Permis", "Ann")}
    )
    assert state.as_json() == {
        "uidvalidity": 7,
        "settled": {"kept": "1:3", "left": "9", "refused": "10"},
        "failed": {"12": [2, 1234.5, "500", "Permis", "Ann"]},
    }
    assert FetchState.from_json(state.as_json()) == state
