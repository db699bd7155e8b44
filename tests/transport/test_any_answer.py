"""Whatever a server says, at any stage, cut anywhere: an answer that has a row, never an exception.

"Sent" is said only after 2yz to the dot. The seconds bound servers that leave an answer unfinished; nothing depends on them.
"""

from imio.mailbridge.delivery.answer_table import Outcome
from imio.mailbridge.delivery.answers import answer_to
from imio.mailbridge.inbound.imap_answers import imap_answer
from imio.mailbridge.transport.fetch import Deferred
from imio.mailbridge.transport.fetch import fetch
from imio.mailbridge.transport.fetch import PassHooks
from imio.mailbridge.transport.fetch_state import FetchState
from imio.mailbridge.transport.fetch_state import KEPT
from imio.mailbridge.transport.imap_account import ImapAccount
from imio.mailbridge.transport.imap_connection import CannotOpen
from imio.mailbridge.transport.imap_connection import CONNECTION_ERRORS
from imio.mailbridge.transport.imap_connection import server_text
from imio.mailbridge.transport.imap_connection import stage_of
from imio.mailbridge.transport.imap_folder import selected_folder
from imio.mailbridge.transport.smtp import SmtpConnection
from imio.mailbridge.transport.smtp_login import by_password
from tests.servers.peer import Peer
from tests.servers.smtp_peer import AnyAnswer
from types import SimpleNamespace
import pytest
import random


TO = ["b@citizen.test", "c@citizen.test"]
GREETINGS = (
    b"* OK ready",
    b"* OK [CAPABILITY IMAP4rev1] x",
    b"* PREAUTH x",
    b"* BYE",
    b"220 x",
    b"+OK x",
    b"",
)
MESSAGE = b"Subject: s\r\n\r\nx\r\n"


@pytest.mark.parametrize("seed", range(12))
def test_smtp(seed):
    chance = random.Random(seed)
    for number in range(8):
        server = AnyAnswer(chance, TO, (b"SIZE 0", b"AUTH PLAIN LOGIN"))
        with Peer(server) as peer:
            where = SimpleNamespace(host="localhost", port=peer.port, security="none", ca_file="")
            connection = SmtpConnection(where, by_password("login", "secret"), 2, 4)
            for _message in range(2):
                server.took = False
                replies = connection.deliver("a@maville.test", TO, [MESSAGE])
                assert set(replies) == set(TO)
                for reply in replies.values():
                    row = answer_to(reply)
                    assert row.outcome is not Outcome.SENT or server.took, (seed, number, server.odd, reply)
            connection.close()


@pytest.mark.parametrize("seed", range(4))
def test_imap(seed, certificates):
    chance, rows = random.Random(seed), []
    for _number in range(5):

        def serve(talk, chance=chance):
            talk.say(chance.choice(GREETINGS))
            while line := talk.hear():
                tag = line.split(b" ")[0]
                for _line in range(chance.randrange(3)):
                    talk.say(
                        chance.choice(
                            (
                                b"* CAPABILITY IMAP4rev1",
                                b"* 2 EXISTS",
                                b"* SEARCH 1 2",
                                b"* OK [UIDVALIDITY 1]",
                                b"+ go",
                                b"* 1 FETCH (UID 1 BODY[] {3}",
                                b"* " + chance.randbytes(9).replace(b"\n", b""),
                                b"* BYE x",
                            )
                        )  # fmt: skip
                    )
                talk.say(
                    tag
                    + b" "
                    + chance.choice((b"OK x", b"OK x", b"OK x", b"NO [UNAVAILABLE] x", b"BAD x", b""))
                )
                if chance.random() < 0.2:
                    talk.end()

        with Peer(serve, tls=certificates.server_context()) as peer:
            account = ImapAccount(
                "test", "localhost", "login", "in@bridge.test", "secret", port=peer.port, security="tls",
                ca_file=str(certificates.ca_file),
            )  # fmt: skip
            try:
                with selected_folder(account, 2) as folder:
                    fetch(folder, account, FetchState(), lambda message, given: KEPT, PassHooks())
            except Deferred:
                continue
            except (CannotOpen, *CONNECTION_ERRORS) as error:
                rows.append(imap_answer(stage_of(error), server_text(error)).name)
    assert rows, "a server like this breaks some passes"
