"""Measures each way in: messages a second through pipe, LMTP and IMAP, beside the limit of the endpoint.

Once into a site that only says yes, which shows what the way itself costs, and once into a Plone that files each message. Run by
``make bench``; alone: ``python -m devel.bench_gateway``.
"""

from concurrent.futures import ThreadPoolExecutor
from devel.bench_incoming import HEADERS
from devel.bench_incoming import row
from pathlib import Path
from tests.mails import redirected
from tests.servers.certificates import Certificates
from tests.servers.dovecot import Dovecot
from tests.servers.fake_site import FakeSite
from tests.servers.fixtures import open_folder
from tests.servers.instance import BIN
from tests.servers.instance import Instance
from tests.servers.lmtp import Lmtp
import contextlib
import itertools
import requests
import smtplib
import subprocess
import tempfile
import threading
import time


COUNT, AT_ONCE = 100, 4
TOKEN = "gateway:demo-iadocs"
SECRET = "in+h7qm4tvx2kpzabcdefghj@bridge.test"

_numbers = itertools.count()


def _mails():
    return [redirected(f"Message {next(_numbers)}") for _ in range(COUNT)]


def _rate(deliver, mails, at_once=AT_ONCE):
    """Return messages a second of ``deliver(mail)`` in threads, each with its own connection."""
    start = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(deliver, mails))
    return len(mails) / (time.perf_counter() - start)


def _poster(url):
    own = threading.local()

    def post(mail):
        if not hasattr(own, "session"):
            own.session = requests.Session()
        for _ in range(5):  # a conflict is answered with "later", as to a mail host
            answer = own.session.post(
                f"{url}/@@mail-in", data=mail, headers=HEADERS, auth=tuple(TOKEN.split(":")), timeout=60
            )
            if answer.ok:
                return
        raise AssertionError(answer.text)

    return post


def _pipe(url, home):
    token = home / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    command = [BIN / "mailbridge-pipe", "--url", url, "--token-file", token]
    command += ["--recipient", "in@bridge.test", "--client-address", "127.0.0.1"]

    def deliver(mail):
        for _ in range(5):  # as a mail host does after status 75
            done = subprocess.run(command, input=mail, capture_output=True)
            if done.returncode == 0:
                return
        raise AssertionError(done.stdout)

    return deliver


def _lmtp(server):
    own = threading.local()

    def deliver(mail):
        if not hasattr(own, "client"):
            own.client = smtplib.LMTP("127.0.0.1", server.port)
        for _ in range(5):
            with contextlib.suppress(smtplib.SMTPDataError, smtplib.SMTPRecipientsRefused):
                own.client.sendmail("a@citizen.test", ["in@bridge.test"], mail)
                return
        raise AssertionError(server.log)

    return deliver


def _fetch(url, home, dovecot, mails, address):
    with dovecot.client() as client:
        for mail in mails:
            client.append("INBOX", mail.replace(b"\n", b"\r\n"))
    (home / "password").write_text(dovecot.PASSWORD)
    (home / "password").chmod(0o600)
    (home / "fetch.toml").write_text(
        f'url = "{url}"\ntoken_file = "{home}/token"\nstate = "{home}/state"\n[[mailbox]]\nname = "bench"\n'
        f'host = "localhost"\nport = {dovecot.port}\nca_file = "{dovecot.certificates.ca_file}"\n'
        f'login = "{dovecot.LOGIN}"\npassword_file = "{home}/password"\naddress = "{address}"\n'
    )
    command = [BIN / "mailbridge-fetch", "--config", home / "fetch.toml", "--once"]
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return len(mails) / (time.perf_counter() - start)


def _ways(url, name, address):
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder = stack.enter_context(open_folder("bench"))
        certificates = Certificates(folder)
        (folder / "imap").mkdir()
        dovecot = stack.enter_context(Dovecot(folder / "imap", certificates))
        _poster(url)(redirected("warm"))
        one = _rate(_poster(url), _mails(), 1)
        limit = _rate(_poster(url), _mails())
        row(f"{name}: POST, one connection", f"{one:.0f}", "messages/s", "the endpoint's own limit")
        row(f"{name}: POST, 2 at once", f"{_rate(_poster(url), _mails(), 2):.0f}", "messages/s")
        row(f"{name}: POST, {AT_ONCE} at once", f"{limit:.0f}", "messages/s")
        options = ("--max-size", "41943040", "--client-address", "127.0.0.1", "--concurrency", str(AT_ONCE))
        server = stack.enter_context(Lmtp(url, *options, token=TOKEN))
        for way, found, against in (
            (f"pipe, {AT_ONCE} processes at once", _rate(_pipe(url, home), _mails()), limit),
            (f"LMTP, {AT_ONCE} connections", _rate(_lmtp(server), _mails()), limit),
            ("fetch, one mailbox", _fetch(url, home, dovecot, _mails(), address), one),
        ):
            row(f"  {way}", f"{found:.0f}", "messages/s", f"{found / against:.2f} of POST")


def main():
    """Print the part of the table."""
    with FakeSite() as site:
        _ways(site.url, "a site that says yes", "in@bridge.test")
    with tempfile.TemporaryDirectory() as folder:
        instance = Instance(Path(folder))
        instance.make()
        instance.start()
        try:
            open_address = {"address": "in@bridge.test", "service": None, "mailbox": None}
            secret = {"address": SECRET, "service": None, "mailbox": "info@maville.test"}
            instance.set(mailin_addresses=[open_address, secret], max_per_sender=0, max_deliveries=0)
            _ways(instance.url, "Plone, filing", SECRET)
        finally:
            instance.stop()


if __name__ == "__main__":
    main()
