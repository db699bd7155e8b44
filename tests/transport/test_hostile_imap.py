"""IMAP servers that break the protocol: bounded in time and memory, told in words, and nothing of ours is lost."""

from dataclasses import replace
from imio.mailbridge.transport import imap_connection
from imio.mailbridge.transport import imap_folder
from imio.mailbridge.transport.fetch import BROKEN
from imio.mailbridge.transport.fetch import fetch
from imio.mailbridge.transport.fetch import PassHooks
from imio.mailbridge.transport.fetch import UNREADABLE
from imio.mailbridge.transport.fetch_state import Failure
from imio.mailbridge.transport.fetch_state import FetchState
from imio.mailbridge.transport.fetch_state import KEPT
from imio.mailbridge.transport.imap_account import ImapAccount
from imio.mailbridge.transport.imap_connection import CannotOpen
from imio.mailbridge.transport.imap_connection import CONNECTION_ERRORS
from imio.mailbridge.transport.imap_connection import server_text
from imio.mailbridge.transport.imap_connection import stage_of
from imio.mailbridge.transport.imap_folder import selected_folder
from tests.servers.imap import Imap
from tests.servers.imap import MAIL
from tests.servers.peer import Peer
import pytest
import threading


def say(*lines):
    """Return an answer of lines; ``TAG`` in them is the tag."""
    return lambda talk, tag: talk.say(*(line.replace(b"TAG", tag) for line in lines))


def flood(data):
    return lambda talk, tag: talk.flood(data)


def drip(data=b"x"):
    return lambda talk, tag: talk.drip(data)


@pytest.fixture
def opened(certificates):
    """``opened(imap)`` starts a server and returns the account on it."""
    peers = []

    def opened(imap, security="tls"):
        peer = Peer(imap, tls=certificates.server_context() if security == "tls" else None)
        peers.append(peer.__enter__())
        return ImapAccount(
            "test",
            "localhost",
            "login",
            "in@bridge.test",
            "secret",
            port=peer.port,
            security=security,
            ca_file=str(certificates.ca_file),
        )

    opened.peers = peers
    yield opened
    for peer in peers:
        peer.__exit__()


def one_pass(account, state=None, seconds=60.0):
    """Make a pass; return what was handed over, the state, and the error that ended it, as (stage, text)."""
    taken, ended = [], None
    state = state or FetchState()

    def deliver(message, given):
        taken.append(message.read())
        return KEPT

    try:
        with selected_folder(account, seconds) as folder:
            fetch(folder, account, state, deliver, PassHooks())
    except (CannotOpen, *CONNECTION_ERRORS) as error:
        ended = stage_of(error), server_text(error)
    return taken, state, ended


def test_server_that_keeps_to_the_protocol(opened):
    taken, state, ended = one_pass(opened(Imap()))
    assert (taken, state.settled, ended) == ([MAIL], {5: KEPT}, None)


LITERAL = b"{2147483648}"
FAR_TOO_LONG = b"{" + b"9" * 40 + b"}"


@pytest.mark.parametrize("literal", [LITERAL, FAR_TOO_LONG], ids=["2 GB", "40 digits"])
@pytest.mark.parametrize(
    ("stage", "lines"),
    [
        ("greeting", (b"* OK ",)),
        ("capability", (b"* CAPABILITY ",)),
        ("login", (b"* OK ",)),
        ("select", (b"* FLAGS ",)),
        ("search", (b"* SEARCH ",)),
        ("fetch", (b"* 1 FETCH (UID 5 BODY[] ",)),
    ],
)
def test_literal_of_2_gigabytes_is_not_waited_for(opened, stage, lines, literal):
    imap = Imap(**{stage: say(*(line + literal for line in lines))})
    taken, state, ended = one_pass(opened(imap))
    assert not taken
    assert not state.settled
    assert ended[0] == "answer"
    assert f"the server announced {literal[1:-1].decode()} bytes" in ended[1]


@pytest.mark.parametrize("stage", ["greeting", "login", "select", "search", "fetch", "move"])
@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"x" * 65536, "the server sent"),
        (b"* 1 EXISTS\r\n" * 5000, "the server sent more than"),
    ],
    ids=["a line", "answers"],
)
def test_answer_without_end_is_cut(opened, monkeypatch, stage, data, says):
    monkeypatch.setattr(imap_connection, "ANSWER_BYTES", 2_000_000)
    taken, state, ended = one_pass(opened(Imap(**{stage: flood(data)})))
    if (stage, data[:1]) == ("greeting", b"*"):
        assert ended == ("connect", "* 1 EXISTS"), "which is no greeting"
    else:
        assert (ended[0], says in ended[1]) == ("answer", True), ended
    assert (taken, state.settled) == (([MAIL], {5: KEPT}) if stage == "move" else ([], {}))


@pytest.mark.parametrize("stage", ["greeting", "capability", "login", "select", "search", "fetch"])
@pytest.mark.parametrize("data", [b"x", b"* 1 EXISTS\r\n"], ids=["a line", "answers"])
def test_answer_that_drips_has_its_time(opened, monkeypatch, stage, data):
    """Each byte comes long before the server counts as silent."""
    monkeypatch.setattr(imap_connection, "LOGIN_TIME", 2.0)
    monkeypatch.setattr(imap_connection, "ANSWER_TIME", 1.0)
    data = b"*" if (stage, data[:1]) == ("greeting", b"*") else data
    ended = one_pass(opened(Imap(**{stage: drip(data)})))[2]
    assert ended[0] == "answer"
    assert "the server did not end its answer within" in ended[1]


def test_a_connection_has_its_time_too(opened):
    """No command takes long, and there is no end of them."""
    account = opened(Imap())
    with pytest.raises(OSError, match="all the time that there is"), selected_folder(account, 3.0) as folder:
        while True:
            assert folder.pending() == [5]


def test_answer_that_comes_in_time_begins_a_new_one(opened, monkeypatch):
    """The bounds are of one answer, not of all of them together."""
    monkeypatch.setattr(imap_connection, "ANSWER_BYTES", 100_000)
    imap = Imap()
    with selected_folder(opened(imap)) as folder:
        imap.script["search"] = say(*[b"* OK " + b"x" * 500] * 100, b"* SEARCH 5", b"TAG OK done")
        assert [folder.pending() for _ in range(5)] == [[5]] * 5


def test_message_larger_than_the_server_said(opened):
    """It is not read without end, and keeps no other message waiting."""
    imap = Imap()
    imap.size = imap_folder.PIECE + 1
    whole = imap_folder.PIECE

    def endless(talk, tag):
        rest = talk.heard[-1]
        if b"<" not in rest:
            imap.answer(talk, tag, "fetch", rest)
            return
        start = int(rest.partition(b"<")[2].partition(b".")[0])
        talk.send(b"* 1 FETCH (UID 5 BODY[]<%d> {%d}\r\n" % (start, whole) + b"x" * whole + b")\r\n")
        talk.say(tag + b" OK done")

    imap.script["fetch"] = endless
    taken, state, ended = one_pass(opened(imap))
    assert (taken, ended) == ([], None)
    assert [failure.text for failure in state.failed.values()] == [UNREADABLE]


def test_message_of_a_size_that_nobody_takes_is_not_read(opened):
    imap = Imap()
    imap.size = 1 << 40
    account = opened(imap)
    taken, state, ended = one_pass(account)
    assert (taken, ended, list(state.failed)) == ([], None, [5])
    (talk,) = opened.peers[0].talks
    assert not [line for line in talk.heard if b"BODY.PEEK[]" in line]


@pytest.mark.parametrize(
    ("stage", "lines"),
    [
        ("capability", (b"* CAPABILITY IMAP4rev1 \xff", b"TAG OK done")),
        ("capability", (b"* CAPABILITY", b"TAG OK done")),
        ("select", (b"* OK [UIDVALIDITY x] y", b"TAG OK done")),
        ("select", (b"* x EXISTS", b"TAG OK done")),
        ("select", (b"* 4000000000 EXISTS", b"TAG OK done")),
        ("search", (b"* SEARCH -5", b"TAG OK done")),
        ("search", (b"* SEARCH \xe9", b"TAG OK done")),
        ("search", (b"* SEARCH 1", b"* SEARCH 2", b"TAG OK done")),
        ("search", (b"* SEARCH " + b"9" * 5000, b"TAG OK done")),
        ("fetch", (b"* 1 FETCH (UID 5 RFC822.SIZE many)", b"TAG OK done")),
        ("fetch", (b"* 1 FETCH (UID 5 RFC822.SIZE ())", b"TAG OK done")),
        ("fetch", (b"* 1 FETCH " + b"(" * 5000 + b")" * 5000, b"TAG OK done")),
        ("fetch", (b"* 1 FETCH (UID 5 BODYSTRUCTURE " + b"(" * 5000 + b")" * 5000 + b")", b"TAG OK done")),
        ("fetch", (b"* 1 FETCH (UID 5 ENVELOPE NIL)", b"TAG OK done")),
        ("fetch", (b"* 1 FETCH (UID)", b"TAG OK done")),
        ("fetch", (b"* 1 FETCH (NIL NIL)", b"TAG OK done")),
        ("fetch", (b"* 1 FETCH", b"TAG OK done")),
    ],
)
def test_nonsense_is_told_as_such(opened, stage, lines):
    taken, state, ended = one_pass(opened(Imap(**{stage: say(*lines)})))
    assert (taken, state.settled) == ([], {})
    assert ended is None or ended[0] in ("answer", "imap", "connect", "folder"), ended
    assert ended is None or len(ended[1]) < 2000 and "Traceback" not in ended[1]


@pytest.mark.parametrize("greeting", [b"* PREAUTH welcome", b"* BYE go away", b"220 smtp", b"* OK \0\xff"])
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_odd_greeting(opened, greeting, security):
    imap = Imap()
    imap.greeting = greeting
    account = opened(imap, security)
    _taken, _state, ended = one_pass(account)
    if security == "starttls" or not greeting.endswith(b"\xff"):
        assert ended[0] in ("connect", "login")
    if security == "starttls":
        assert not any(b"LOGIN" in line for line in opened.peers[0].talks[0].heard)


def starttls(certificates, *before, after=()):
    """Return a script that begins TLS, and says something in clear before and after it agrees."""

    def agree(talk, tag):
        talk.say(*before, tag + b" OK begin", *(line.replace(b"TAG", tag[:-1]) for line in after))
        talk.encrypt(certificates.server_context())

    return agree


OFFERED = b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hello"


def test_what_was_said_in_clear_is_no_answer_after_starttls(opened, certificates):
    """A person in the middle puts answers before the encryption: none of them counts (RFC 9051 §11.1)."""
    imap = Imap(
        starttls=starttls(certificates, b"* SEARCH 666", b"* CAPABILITY IMAP4rev1 X-EVIL"),
        search=say(b"TAG OK nothing"),
    )
    offer = imap.answer

    def answer(talk, tag, name, rest):
        if name == "capability":
            talk.say(b"* CAPABILITY IMAP4rev1 STARTTLS MOVE")
        offer(talk, tag, "" if name == "capability" else name, rest)

    imap.answer = answer
    with selected_folder(opened(imap, "starttls")) as folder:
        assert folder.pending() == []


@pytest.mark.parametrize("injected", [b"TAG2 OK in", b"* SEARCH 666", b"* CAPABILITY IMAP4rev1"])
def test_what_follows_the_consent_in_clear_ends_the_connection(opened, certificates, injected):
    imap = Imap(starttls=starttls(certificates, after=[injected]), capability=lambda talk, tag: None)
    imap.script["capability"] = say(b"* CAPABILITY IMAP4rev1 STARTTLS", b"TAG OK done")
    _taken, _state, ended = one_pass(opened(imap, "starttls"))
    assert ended[0] in ("connect", "tls")
    assert not any(b"LOGIN" in line for line in opened.peers[0].talks[0].heard)


@pytest.mark.parametrize("answer", [b"TAG NO", b"TAG BAD", b"* BYE"])
def test_starttls_that_is_refused_sends_no_password(opened, answer):
    imap = Imap(
        starttls=say(answer + b" no"), capability=say(b"* CAPABILITY IMAP4rev1 STARTTLS", b"TAG OK done")
    )
    _taken, _state, ended = one_pass(opened(imap, "starttls"))
    assert ended[0] == "connect"
    assert not any(b"LOGIN" in line for line in opened.peers[0].talks[0].heard)


@pytest.mark.parametrize(
    ("stage", "lines", "says"),
    [
        ("login", (b"TAG NO [REFERRAL imap://login@evil.test/] go there",), "go there"),
        ("login", (b"* BYE [REFERRAL imap://login@evil.test/] go there",), "go there"),
        ("login", (b"* BYE " + b"x" * 50_000,), "xxx"),
        ("search", (b"* BYE going down",), "going down"),
        ("search", (b"zzz99 OK not yours",), "unexpected"),
    ],
)
def test_words_of_the_server_are_told(opened, stage, lines, says):
    ended = one_pass(opened(Imap(**{stage: say(*lines)})))[2]
    assert says in ended[1]
    assert "b'" not in ended[1]


def test_only_uids_that_were_asked_for_are_read(opened):
    imap = Imap(search=say(b"* SEARCH 0 5 4294967296 99999999999999999999", b"TAG OK done"))
    imap.script["fetch"] = lambda talk, tag: (
        talk.say(b"* 9 FETCH (UID 6 RFC822.SIZE 4)", b"* 8 FETCH (UID 0 BODY[] {4}", b"evil)"),
        imap.answer(talk, tag, "fetch", talk.heard[-1]),
    )
    taken, state, ended = one_pass(opened(imap))
    assert (taken, state.settled, ended) == ([MAIL], {5: KEPT}, None)


def test_unasked_answers_between_commands_harm_nothing(opened):
    imap = Imap()
    imap.script["search"] = lambda talk, tag: talk.say(
        b"* 1 EXPUNGE", b"* 7 EXISTS", b"* SEARCH 5", tag + b" OK done", b"* 1 EXPUNGE", b"* OK [ALERT] hi"
    )
    taken, state, ended = one_pass(opened(imap))
    assert (taken, state.settled, ended) == ([MAIL], {5: KEPT}, None)


def test_move_that_moves_nothing_files_nothing_twice(opened):
    account = opened(Imap())
    taken, state, _ended = one_pass(account)
    again, state, _ended = one_pass(account, FetchState.from_json(state.as_json()))
    assert (taken, again) == ([MAIL], [])


def test_uids_mean_other_messages_after_a_wait(opened):
    """SELECT tells so in the middle of a connection that lasts for days."""
    imap = Imap()
    imap.script["capability"] = say(b"* CAPABILITY IMAP4rev1 MOVE IDLE", b"TAG OK done")
    account, state, taken = opened(imap), FetchState(), []
    with selected_folder(account) as folder:
        fetch(folder, account, state, lambda *_: KEPT, PassHooks())
        imap.script["select"] = say(
            b"* 1 EXISTS", b"* OK [UIDVALIDITY 8] new", b"* OK [UIDNEXT 6] n", b"TAG OK done"
        )
        folder.wait(threading.Event())
        fetch(
            folder, account, state, lambda message, given: taken.append(message.read()) or KEPT, PassHooks()
        )
    assert (state.uidvalidity, taken) == (8, [MAIL])


@pytest.mark.parametrize("data", [b"* 1 RECENT\r\n" * 5000, b"x" * 65536], ids=["answers", "a line"])
def test_flood_while_waiting_is_cut(opened, monkeypatch, data):
    monkeypatch.setattr(imap_connection, "ANSWER_BYTES", 2_000_000)
    imap = Imap(idle=lambda talk, tag: (talk.say(b"+ idling"), talk.flood(data)))
    imap.script["capability"] = say(b"* CAPABILITY IMAP4rev1 MOVE IDLE", b"TAG OK done")
    stop = threading.Event()
    with pytest.raises(CONNECTION_ERRORS, match="the server sent"), selected_folder(opened(imap)) as folder:
        folder.wait(stop)


@pytest.mark.parametrize("password", ["secret", "sécret"], ids=["LOGIN", "PLAIN"])
def test_login_that_asks_again_for_ever(opened, password):
    def asks(talk, tag):
        talk.flood(b"+ \r\n")

    account = replace(opened(Imap(login=asks, authenticate=asks)), password=password)
    ended = one_pass(account)[2]
    assert ended[0] in ("answer", "login", "connect")


@pytest.mark.parametrize(
    "namespace",
    [
        b'(("" NIL)) NIL NIL',
        b"NIL NIL NIL",
        b'(("a\\"\\\\" "/")) NIL NIL',
        b'(("' + b"x" * 90_000 + b'" "/")) NIL NIL',
    ],
)
def test_odd_names_of_folders(opened, namespace):
    imap = Imap(namespace=say(b"* NAMESPACE " + namespace, b"TAG OK done"))
    imap.script["capability"] = say(b"* CAPABILITY IMAP4rev1 MOVE NAMESPACE", b"TAG OK done")
    taken, state, ended = one_pass(opened(imap))
    assert (taken, state.settled) == ([MAIL], {5: KEPT})
    assert ended is None


def several(count=5):
    return {uid: b"Subject: %d\r\n\r\nUne ligne\r\n" % uid for uid in range(1, count + 1)}


@pytest.mark.parametrize("piece", [imap_folder.PIECE, 10], ids=["whole", "in pieces"])
def test_message_that_breaks_the_connection_keeps_no_other_waiting(opened, monkeypatch, piece):
    monkeypatch.setattr(imap_folder, "PIECE", piece)
    mails = several()
    account = opened(Imap(mails, cuts=[2]))
    first, state, ended = one_pass(account)
    assert ended[0] == "imap"
    second, state, ended = one_pass(account, FetchState.from_json(state.as_json()))
    assert first + second == [mails[1], mails[3], mails[4], mails[5]]
    assert ended is None
    assert {uid: (failure.tries, failure.text) for uid, failure in state.failed.items()} == {2: (1, BROKEN)}


def test_message_that_broke_the_connection_comes_after_the_others_when_it_is_due_again(opened):
    mails = several()
    imap = Imap(mails, cuts=[2])
    account = opened(imap)
    state = FetchState(7, failed={2: Failure(1, 0.0, "it broke"), 1: Failure(2, 0.0, "it broke twice")})
    taken, state, ended = one_pass(account, state)
    assert (taken, ended[0]) == ([mails[3], mails[4], mails[5]], "imap")
    assert [state.failed[uid][0] for uid in (1, 2)] == [2, 2]
    imap.cuts = ()
    state.failed = {uid: failure._replace(not_before=0.0) for uid, failure in state.failed.items()}
    taken, state, ended = one_pass(account, state)
    assert (taken, state.failed, ended) == ([mails[1], mails[2]], {}, None)


def test_answer_beyond_its_bounds_keeps_no_other_message_waiting(opened, monkeypatch):
    """The server sends more for one message than it had said, and than is taken for one answer."""
    monkeypatch.setattr(imap_connection, "ANSWER_BYTES", 100_000)
    mails = several(3) | {2: b"x" * 200_000}
    imap = Imap(mails)
    imap.size = 30
    account = opened(imap)
    first, state, ended = one_pass(account)
    assert ended[0] == "answer"
    second, state, ended = one_pass(account, state)
    assert (first + second, list(state.failed), ended) == ([mails[1], mails[3]], [2], None)


def test_words_of_the_server_are_not_kept_with_the_message(opened):
    """They may repeat a secret of the account."""
    imap = Imap()
    imap.script["fetch"] = lambda talk, tag: (
        imap.answer(talk, tag, "fetch", talk.heard[-1])
        if b"SIZE" in talk.heard[-1]
        else talk.say(b"* BYE secret", tag + b" OK")
    )
    _taken, state, ended = one_pass(opened(imap))
    assert "secret" not in f"{state.failed} {ended}"
