"""A real Postfix of its own: own configuration, queue, log and ports, nothing shared with the system's.

::

    smtp_port       no login; takes mail for its domains, as from the internet
    open_port       STARTTLS, then login; any envelope sender
    enforcing_port  STARTTLS, then login; another's envelope sender is refused at RCPT TO (553 5.7.1)
                    │
                    ├─ domains (maville.test, citizen.test) ──> virtual(8) ──> messages(address)
                    │     unknown@…: 550 5.1.1 at RCPT TO; later@…: 450 4.2.0 at RCPT TO
                    ├─ bridge.test ──> pipe(8) ──> mailbridge-pipe ──> url
                    ├─ bounces.test ──> accepted, then a DSN goes to the envelope sender
                    └─ any other ──> refused; no name is ever looked up, nothing leaves the machine
"""

from imio.mailbridge.pipe import mailbridge_pipe
from pathlib import Path
from tests.servers.certificates import Certificates
from tests.servers.required import missing
from tests.servers.required import required
from tests.servers.waiting import free_port
from tests.servers.waiting import listens
from tests.servers.waiting import TIMEOUT
from tests.servers.waiting import wait_for
from typing import NamedTuple
import contextlib
import json
import os
import pwd
import re
import shutil
import signal
import subprocess


LOGIN = "administration@maville.test"
PASSWORD = "correct horse"
LIFETIME = 5400  # seconds, after which a Postfix that nobody stopped ends by itself

MAIN_CF = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log/mail.log
maillog_file_prefixes = {folder}
syslog_name = {syslog_name}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.bridge.test
mydestination =
mynetworks =
alias_maps =
alias_database =
local_recipient_maps =
biff = no
append_dot_mydomain = no
message_size_limit = 52428800
mailbox_size_limit = 0
virtual_mailbox_limit = 0
local_header_rewrite_clients =
disable_dns_lookups = yes
smtpd_peername_lookup = no
default_transport = error:5.1.2 this Postfix sends nothing out of the machine

queue_run_delay = 2s
minimal_backoff_time = 2s
maximal_backoff_time = 5s
transport_retry_time = 2s

smtpd_tls_security_level = may
smtpd_tls_cert_file = {cert_file}
smtpd_tls_key_file = {key_file}
smtpd_tls_auth_only = yes
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
cyrus_sasl_config_path = {folder}/etc/sasl
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions = check_recipient_access regexp:{folder}/etc/recipients
smtpd_sender_login_maps = regexp:{folder}/etc/owners
smtpd_error_sleep_time = 0
smtpd_client_connection_rate_limit = 0

virtual_mailbox_domains = {domains}
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_alias_maps = texthash:{folder}/etc/aliases
relay_domains = bridge.test, bounces.test
transport_maps = texthash:{folder}/etc/transports
mailbridge_destination_recipient_limit = 1
"""

MASTER_CF = """
127.0.0.1:{smtp_port}      inet  n - n - - smtpd
127.0.0.1:{open_port}      inet  n - n - - smtpd
  -o smtpd_sasl_auth_enable=yes -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
127.0.0.1:{enforcing_port} inet  n - n - - smtpd
  -o smtpd_sasl_auth_enable=yes -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
  -o smtpd_sender_restrictions=reject_sender_login_mismatch
mailbridge unix - n n - 10 pipe
  user=nobody null_sender= argv={folder}/bin/mailbridge-pipe --url {url} --token-file {folder}/token
  --recipient ${{recipient}} --sender ${{sender}} --client-address ${{client_address}}
bounces unix - n n - 10 pipe
  user=nobody argv=/bin/sh -c {{ echo 5.1.1 no such user here; exit 67 }}
pickup     unix       n - n 60 1 pickup
cleanup    unix       n - n - 0 cleanup
qmgr       unix       n - n 300 1 qmgr
rewrite    unix       - - n - - trivial-rewrite
bounce     unix       - - n - 0 bounce
defer      unix       - - n - 0 bounce
trace      unix       - - n - 0 bounce
verify     unix       - - n - 1 verify
flush      unix       n - n 1000? 0 flush
proxymap   unix       - - n - - proxymap
tlsmgr     unix       - - n 1000? 1 tlsmgr
showq      unix       n - n - - showq
error      unix       - - n - - error
retry      unix       - - n - - error
discard    unix       - - n - - discard
virtual    unix       - n n - - virtual
anvil      unix       - - n - 1 anvil
postlog    unix-dgram n - n - 1 postlogd
"""

SMTPD_CONF = """
pwcheck_method: auxprop
auxprop_plugin: sasldb
mech_list: PLAIN LOGIN
sasldb_path: {database}
"""


class Delivered(NamedTuple):
    """A message in a local mailbox: its bytes without the three lines that virtual(8) puts before them."""

    envelope_sender: str
    recipient: str
    content: bytes


class Postfix:
    """A Postfix in ``folder``, which every user must be able to reach.

    Use it in ``with``, or ``start()`` and ``stop()``. ``url`` and ``token`` are what mailbridge-pipe gets;
    ``bridge_to()`` changes them while it runs. ``logins``: password by login address. ``owners``: by login
    address the other envelope senders that it may use on the enforcing port. ``aliases``: Postfix's virtual
    aliases, address by address. ``transports``: the transport of an address or domain that is not delivered
    here; ``services``: more lines of master.cf, which may name ``{folder}`` and ``{smtp_port}``.
    """

    def __init__(
        self,
        folder,
        url="http://127.0.0.1:9/",
        token="gateway:secret",
        logins=None,
        owners=None,
        aliases=None,
        domains=("maville.test", "citizen.test"),
        transports=None,
        services="",
    ):
        self.folder = Path(folder)
        self.url = url
        self.token = token
        self.logins = dict(logins or {LOGIN: PASSWORD})
        self.owners = dict(owners or {})
        self.aliases = dict(aliases or {})
        self.domains = domains
        self.transports = dict(transports or {})
        self.services = services
        self.smtp_port, self.open_port, self.enforcing_port = free_port(), free_port(), free_port()
        self.certificates = None
        self._master = None

    @property
    def ca_file(self):
        """The certificate authority to trust, a PEM file."""
        return self.certificates.ca_file

    def client_context(self):
        """Return a TLS context for a client that trusts this Postfix."""
        return self.certificates.client_context()

    def __enter__(self):
        return self if self._master else self.start()

    def __exit__(self, *exception):
        self.stop()

    def start(self):
        """Install it on first use, run it, wait for its ports; return itself."""
        master = self._requirements()
        if self.certificates is None:
            self._install()
        self._write_services()
        self._master = subprocess.Popen(
            [master, "-c", self.folder / "etc", "-e", str(LIFETIME)],
            start_new_session=True,  # a group of its own, so that all of it can be ended
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            for port in (self.smtp_port, self.open_port, self.enforcing_port):
                self.wait_for(lambda port=port: listens(port))
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self):
        """End it and all that it started; its queue and mail stay in the folder for another ``start()``."""
        if self._master is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._master.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._master.wait(5)
        self._master = None

    def reload(self):
        """Let it read its configuration again."""
        self._run("postfix", "reload")

    def bridge_to(self, url, token=None):
        """Let mailbridge-pipe deliver to this site, with this token."""
        self.url, self.token = url, token or self.token
        self._write_services()
        self.reload()

    def forward(self, address, target):
        """Let mail to a local address go on to another one from now on."""
        self.aliases[address] = target
        self._write_aliases()
        self.reload()

    def queue(self):
        """Return the waiting messages, each as ``postqueue -j`` has it (``queue_name``, ``recipients``)."""
        return [json.loads(line) for line in self._run("postqueue", "-j").splitlines()]

    def flush(self):
        """Try every deferred message now."""
        self._run("postqueue", "-f")

    def clear(self):
        """Forget queue and delivered mail: for a test that starts from nothing."""
        self._run("postsuper", "-d", "ALL")
        for path in (self.folder / "mail").rglob("new/*"):
            path.unlink(missing_ok=True)

    def messages(self, address):
        """Return what was delivered to this local address, the oldest first."""
        paths = sorted((self.folder / "mail").rglob("new/*"), key=lambda path: path.stat().st_mtime_ns)
        delivered = [_delivered(path.read_bytes()) for path in paths]
        return [message for message in delivered if message.recipient.lower() == address.lower()]

    def log_text(self):
        """Return the mail log."""
        path = self.folder / "log" / "mail.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def wait_for(self, predicate):
        """Return the first true value of ``predicate()``; after ``TIMEOUT`` seconds raise, with the log."""
        return wait_for(predicate, what=lambda: self.log_text()[-6000:])

    def _requirements(self):
        for binary, package in (
            ("postfix", "postfix"),
            ("saslpasswd2", "sasl2-bin"),
            ("/usr/bin/python3", "python3"),
        ):
            required(binary, package)
        if os.getuid() != 0:
            missing("Postfix starts as root only")
        return required("/usr/lib/postfix/sbin/master", "postfix")

    def _run(self, command, *arguments):
        """Run a Postfix command on this instance; return its output. Errors: with what it printed."""
        done = subprocess.run(
            [required(command, "postfix"), "-c", self.folder / "etc", *arguments],
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )
        if done.returncode:
            raise RuntimeError(
                f"{command} {arguments}: {done.stdout}{done.stderr}\n{self.log_text()[-4000:]}"
            )
        return done.stdout

    def _install(self):
        nobody, owner = pwd.getpwnam("nobody"), pwd.getpwnam("postfix")
        for name in ("etc", "etc/sasl", "queue", "data", "log", "mail", "bin", "tls"):
            (self.folder / name).mkdir(mode=0o755)
        shutil.chown(self.folder / "data", owner.pw_uid)
        shutil.chown(self.folder / "mail", nobody.pw_uid)
        for name in (
            "mailbridge-pipe",
            "mailbridge_pipe.py",
        ):  # as docs say: both files, anywhere on the mail host
            shutil.copy(Path(mailbridge_pipe.__file__).with_name(name), self.folder / "bin")
        self.certificates = Certificates(self.folder / "tls")
        values = {
            "folder": self.folder,
            "cert_file": self.certificates.cert_file,
            "key_file": self.certificates.key_file,
            "syslog_name": f"postfix-{self.smtp_port}",
            "domains": ", ".join(self.domains),
            "uid": nobody.pw_uid,
            "gid": nobody.pw_gid,
        }
        owners = [
            f"/^{re.escape(address)}$/ {login}"
            for login, addresses in self.owners.items()
            for address in addresses
        ]
        for name, lines in {
            "main.cf": [MAIN_CF.format(**values)],
            "recipients": ["/^unknown@/ 550 5.1.1 no such user", "/^later@/ 450 4.2.0 greylisted"],
            "owners": [*owners, "/^(.+)$/ ${1}"],
            "transports": [
                *("bridge.test mailbridge:", "bounces.test bounces:"),
                *(f"{address} {transport}" for address, transport in self.transports.items()),
            ],
        }.items():
            (self.folder / "etc" / name).write_text("\n".join(lines) + "\n")
        self._write_aliases()
        self._install_logins(owner)
        self._write_services()
        self._run("postfix", "check")  # makes the folders of the queue

    def _write_aliases(self):
        lines = [f"{address} {target}\n" for address, target in self.aliases.items()]
        (self.folder / "etc" / "aliases").write_text("".join(lines))

    def _install_logins(self, owner):
        database = self.folder / "sasldb2"
        # Debian's Postfix looks into the folder sasl beside main.cf, whatever cyrus_sasl_config_path says.
        (self.folder / "etc" / "sasl" / "smtpd.conf").write_text(SMTPD_CONF.format(database=database))
        for login, password in self.logins.items():
            user, _, domain = login.rpartition("@")
            command = [required("saslpasswd2", "sasl2-bin"), "-p", "-c", "-f", database, "-u", domain, user]
            subprocess.run(command, input=password.encode(), check=True, capture_output=True)
        shutil.chown(database, owner.pw_uid)

    def _write_services(self):
        token = self.folder / "token"
        token.write_text(self.token + "\n")
        token.chmod(0o600)
        shutil.chown(token, "nobody")
        ports = ("folder", "url", "smtp_port", "open_port", "enforcing_port")
        text = MASTER_CF.format(**{name: getattr(self, name) for name in ports})
        text += self.services.format(folder=self.folder, smtp_port=self.smtp_port)
        (self.folder / "etc" / "master.cf").write_text(text)


def _delivered(content):
    head = re.match(rb"Return-Path: <(.*)>\nX-Original-To: .*\nDelivered-To: (.*)\n", content)
    return Delivered(head[1].decode(), head[2].decode(), content[head.end() :])
