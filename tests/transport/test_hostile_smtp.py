"""SMTP servers that break the protocol: bounded in time and memory, and nothing that they say too much counts as "sent"."""

from imio.mailbridge.delivery.answers import answer_to
from imio.mailbridge.transport import smtp
from imio.mailbridge.transport.secret_mask import SecretMask
from imio.mailbridge.transport.smtp import SmtpConnection
from imio.mailbridge.transport.smtp_login import by_password
from tests.servers.peer import Peer
from tests.servers.smtp_peer import Smtp
from tests.servers.smtp_peer import STAGES
from types import SimpleNamespace
import pytest


def say(*lines):
    return lambda talk: talk.say(*lines)


@pytest.fixture
def send(certificates):
    """``send(server)`` sends a message by a server of that kind and returns the reply."""

    def send(server, security="none", login=False, timeout=30, deadline=60, envelope_id=""):
        authenticate = by_password("login", "secret") if login else None
        with Peer(server) as peer:
            send.peer = peer
            where = SimpleNamespace(
                host="localhost", port=peer.port, security=security, ca_file=str(certificates.ca_file)
            )
            connection = SmtpConnection(where, authenticate, timeout, deadline, SecretMask("login", "secret"))
            try:
                message = [b"Subject: s\r\n\r\nx\r\n"]
                replies = connection.deliver(
                    "a@maville.test", ["b@citizen.test"], message, envelope_id=envelope_id
                )
                return replies["b@citizen.test"]
            finally:
                connection.close()

    return send


def test_server_that_keeps_to_the_protocol(send):
    assert str(send(Smtp())) == "250 2.0.0 taken"


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("data", [b"250-more\r\n" * 5000, b"2" * 60_000], ids=["answer", "line"])
def test_answer_without_end_is_cut(send, stage, data):
    reply = send(Smtp((b"AUTH PLAIN",), **{stage: lambda talk: talk.flood(data)}), login=True)
    assert reply.code == 0
    assert "the server sent" in reply.text


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("data", [b"2", b"250-x\r\n"], ids=["line", "answer"])
def test_answer_that_drips_has_its_time(send, stage, data):
    reply = send(Smtp((b"AUTH PLAIN",), **{stage: lambda talk: talk.drip(data)}), login=True, timeout=1)
    assert reply.code == 0
    assert "the server did not end its answer within 1 seconds" in reply.text


@pytest.mark.parametrize("stage", ["greeting", "ehlo", "mail", "rcpt", "data"])
def test_answer_too_many_is_never_sent(send, stage):
    """What comes too much would be taken for the answer to the next command, and in the end for that to the message."""
    positive = b"354 go on" if stage == "data" else b"220 ok" if stage == "greeting" else b"250 ok"
    server = Smtp(**{stage: say(positive, b"250 2.0.0 taken"), "end": say(b"554 5.7.1 no")})
    reply = send(server)
    assert not reply.is_positive
    assert reply.code in (0, 554)


@pytest.mark.parametrize(
    "answer", [b"250 2.0.0 taken", b"220 ok", b"334 login", b"354", b"hello", b"999 x", b"\0\0\0"]
)
@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "end"])
def test_answer_that_is_none_here(send, stage, answer):
    fits = answer.startswith(b"354") if stage == "data" else answer.startswith(b"2")
    reply = send(Smtp(**{stage: say(answer)}))
    assert reply.is_positive == fits
    if not fits:
        assert (reply.code, reply.stage) == (0, "data" if stage == "end" else stage)
        assert "an answer that is none here" in reply.text
        assert reply.text.isprintable()


@pytest.mark.parametrize("stage", STAGES)
def test_server_that_hangs_up_has_sent_nothing(send, stage):
    reply = send(Smtp((b"AUTH PLAIN",), **{stage: lambda talk: talk.end()}), login=True)
    assert reply.code == 0
    assert reply.text


def test_half_an_answer_is_none(send):
    def half(talk):
        talk.send(b"250 2.0")
        talk.end()

    assert send(Smtp(end=half)).code == 0


def test_words_are_cut_and_hold_no_secret(send):
    words = b"\r\n550-".join(b"x" * 990 + b" secret secret" for _ in range(20))
    reply = send(Smtp(rcpt=say(b"550-" + words, b"550 end")))
    assert (reply.code, len(reply.text)) == (550, smtp.KEPT)
    assert "secret" not in reply.text


@pytest.mark.parametrize("challenge", [b"334 abcde", b"334 VXNlcm5hbWU6", b"334 \xff\0"])
def test_login_that_asks_for_ever(send, challenge):
    def ask(talk):
        while True:
            talk.say(challenge)
            talk.hear()

    reply = send(Smtp((b"AUTH PLAIN LOGIN",), auth=ask), login=True)
    assert reply.code in (0, 334, 535)
    assert not reply.is_positive


def test_what_was_said_in_clear_is_no_answer_after_starttls(send, certificates):
    def begin(talk):
        talk.say(b"220 begin", b"250-evil.test", b"250 AUTH PLAIN")
        talk.encrypt(certificates.server_context())

    reply = send(Smtp((b"STARTTLS",), starttls=begin), security="starttls", login=True)
    assert not reply.is_positive
    assert not any(line.lower().startswith(b"auth") for talk in send.peer.talks for line in talk.heard)


@pytest.mark.parametrize("answer", [b"454 no", b"250 no", b"554 no", b"334 no"])
def test_starttls_that_is_refused_sends_no_password(send, answer):
    reply = send(Smtp((b"STARTTLS", b"AUTH PLAIN"), starttls=say(answer)), security="starttls", login=True)
    assert not reply.is_positive
    assert [line[:4].lower() for line in send.peer.talks[0].heard[:2]] == [b"ehlo", b"star"]
    assert not any(line.lower().startswith((b"auth", b"mail")) for line in send.peer.talks[0].heard)


def test_deadline_is_of_connection_and_message(send):
    server = Smtp(ehlo=lambda talk: talk.drip(b"250-x\r\n"))
    reply = send(server, timeout=30, deadline=1)
    assert reply.code == 0


@pytest.mark.parametrize(
    ("features", "row"),
    [
        (b"AUTH GSSAPI NTLM", "windows-login"),
        (b"AUTH XOAUTH2", "no-login-offered"),
        (b"SIZE 0", "no-login-offered"),
    ],
)
def test_no_login_that_we_know(send, features, row):
    reply = send(Smtp((features,)), login=True)
    assert (reply.stage, reply.code, answer_to(reply).name) == ("auth", 502, row)
    assert not [line for line in send.peer.talks[0].heard if line.upper().startswith((b"AUTH", b"MAIL"))]


def test_line_that_is_too_long_after_the_dot_is_no_refusal(send):
    """smtplib makes a 500 of it, which would be final for a message that the server took."""
    reply = send(Smtp(end=say(b"250 " + b"x" * 8200)))
    assert answer_to(reply).name == "in-doubt"


@pytest.mark.parametrize(
    "lines", [(b"250-ok", b"550 no"), (b"550-no", b"250 ok"), (b"250-ok", b"no", b"250 ok")]
)
@pytest.mark.parametrize("stage", ["greeting", "ehlo", "mail", "rcpt", "data", "end"])
def test_answer_whose_lines_disagree_is_none(send, stage, lines):
    """Neither a "sent" nor a refusal can be read from it."""
    reply = send(Smtp(**{stage: say(*lines)}))
    assert reply.code == 0
    assert "the lines of an answer have several codes" in reply.text
    assert answer_to(reply).name == ("in-doubt" if stage == "end" else "not-understood")


def hang_up(talk):
    talk.end()


def closing(talk):
    talk.say(b"421 4.3.2 enough for one connection")
    talk.end()


def one_too_many(talk):
    talk.say(b"250 ok", b"250 ok")


@pytest.mark.parametrize(
    ("stage", "odd"), [("mail", hang_up), ("mail", closing), ("rset", hang_up), ("rset", one_too_many)]
)
def test_used_connection_that_ends_costs_the_next_message_nothing(stage, odd):
    def serve(talk):
        number = len(peer.talks)
        times = 0

        def step(talk):
            nonlocal times
            times += 1
            wanted = 1 if stage == "rset" else 2
            return odd(talk) if number == 1 and times == wanted else talk.say(b"250 ok")

        Smtp(**{stage: step})(talk)

    with Peer(serve) as peer:
        where = SimpleNamespace(host="localhost", port=peer.port, security="none", ca_file="")
        connection = SmtpConnection(where, None, 30, 60)
        replies = [
            connection.deliver("a@maville.test", ["b@citizen.test"], [b"Subject: s\r\n\r\nx\r\n"])
            for _message in range(2)
        ]
        connection.close()
    assert [str(reply["b@citizen.test"]) for reply in replies] == ["250 2.0.0 taken"] * 2
    assert len(peer.talks) == 2


@pytest.mark.parametrize("stage", ["mail", "rcpt"])
def test_server_that_offers_dsn_and_does_not_know_it(send, stage):
    class Lying(Smtp):
        def __call__(self, talk):
            self.script[stage] = lambda talk: talk.say(
                b"555 5.5.4 Unsupported option"
                if b"RET=" in talk.heard[-1] or b"NOTIFY=" in talk.heard[-1]
                else b"250 ok"
            )
            super().__call__(talk)

    assert str(send(Lying((b"DSN",)), envelope_id="id")) == "250 2.0.0 taken"


def test_names_of_logins_in_small_letters(send):
    assert str(send(Smtp((b"auth plain login",)), login=True)) == "250 2.0.0 taken"
