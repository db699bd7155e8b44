"""A login that is refused is tried again at growing intervals: servers lock accounts."""

from imio.mailbridge.gateway.fetch_command import _keep_running
from imio.mailbridge.transport.imap_account import ImapAccount
from tests.servers.peer import Peer
from types import SimpleNamespace
import threading


class Stop(threading.Event):
    """Notes how long somebody would wait, and ends it after six times."""

    def __init__(self):
        super().__init__()
        self.waits = []

    def wait(self, timeout=None):
        self.waits.append(timeout)
        if len(self.waits) == 6:
            self.set()


def refuse(talk):
    talk.say(b"* OK [CAPABILITY IMAP4rev1] ready")
    while line := talk.hear():
        tag, word = line.split(b" ")[:2]
        talk.say(tag + (b" NO [AUTHENTICATIONFAILED] no" if word.upper() == b"LOGIN" else b" OK done"))


def test_refused_login(tmp_path, certificates):
    stop = Stop()
    with Peer(refuse, tls=certificates.server_context()) as peer:
        account = ImapAccount(
            "test", "localhost", "login", "in@bridge.test", "wrong", port=peer.port, security="tls",
            ca_file=str(certificates.ca_file),
        )  # fmt: skip
        _keep_running(account, SimpleNamespace(state=tmp_path), None, stop, False, [])
    assert stop.waits == [300, 600, 1200, 2400, 3600, 3600]
