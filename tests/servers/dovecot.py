"""A real Dovecot of its own: IMAP over TLS on a loopback port, one mailbox, nothing shared with the system's."""

from imapclient import IMAPClient
from tests.servers.required import required
from tests.servers.waiting import free_port
from tests.servers.waiting import TIMEOUT
from tests.servers.waiting import wait_for
import getpass
import grp
import os
import pwd
import shutil
import subprocess


CONFIGURATION = r"""
protocols = imap
base_dir = {folder}/run
log_path = {folder}/dovecot.log
listen = 127.0.0.1
ssl = required
ssl_cert = <{cert_file}
ssl_key = <{key_file}
mail_location = maildir:{folder}/mail
# without a free inotify instance, which a busy machine may lack, Dovecot looks at this interval
mailbox_idle_check_interval = 1 secs
namespace inbox {{
  inbox = yes
  mailbox Junk {{
    auto = create
    special_use = \Junk
  }}
}}
first_valid_uid = 0
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {login_user}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail allow_all_users=yes
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {starttls_port}
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
"""


LMTP = r"""
protocols = imap lmtp
service lmtp {{
  chroot =
  user = {user}
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp_port}
  }}
}}
protocol lmtp {{
  mail_plugins = sieve
  postmaster_address = postmaster@maville.test
  hostname = mx.maville.test
}}
submission_host = 127.0.0.1:{submission_port}
plugin {{
  sieve = file:{folder}/script.sieve
}}
lmtp_save_to_detail_mailbox = no
recipient_delimiter = +
"""


OAUTH2 = r"""
auth_mechanisms = plain xoauth2
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {folder}/oauth2.conf
}}
"""


AUTH = r"""
service auth {{
  inet_listener {{
    address = 127.0.0.1
    port = {auth_port}
  }}
}}
"""


class Dovecot:
    """An IMAP server at ``port`` in ``folder``, which every user must be able to reach; use it in ``with``.

    The password has an accent, which the command LOGIN cannot carry. With a ``sieve`` script it takes mail by LMTP at
    ``lmtp_port``, and what the script redirects goes to the SMTP server at ``submission_port``. With ``tokens``, the URL of a
    ``TokenEndpoint``, it takes those by XOAUTH2. With ``auth`` it answers a Postfix at ``auth_port`` whether a login is right.
    """

    LOGIN, PASSWORD = "jeanne@citizen.test", "Bien gardé 123"

    def __init__(
        self, folder, certificates, starttls=False, sieve="", submission_port=0, tokens="", auth=False
    ):
        self.folder = folder
        self.certificates = certificates
        self.port = free_port()
        self.starttls_port = free_port() if starttls else 0
        self.sieve, self.submission_port, self.tokens = sieve, submission_port, tokens
        self.lmtp_port = free_port() if sieve else 0
        self.auth_port = free_port() if auth else 0
        self._process = None

    def __enter__(self):
        binary = required("dovecot", "dovecot-imapd")
        required("/usr/lib/dovecot/imap", "dovecot-imapd")
        root = os.getuid() == 0
        user = pwd.getpwnam("nobody" if root else getpass.getuser())
        (self.folder / "mail").mkdir()
        if root:
            shutil.chown(self.folder / "mail", user.pw_uid, user.pw_gid)
        (self.folder / "users").write_text(f"{self.LOGIN}:{self.PASSWORD}::::::\n")
        configuration = self.folder / "dovecot.conf"
        configuration.write_text(
            CONFIGURATION.format(
                folder=self.folder,
                cert_file=self.certificates.cert_file,
                key_file=self.certificates.key_file,
                internal="dovecot" if root else user.pw_name,
                group="dovecot" if root else _group(user),
                login_user="dovenull" if root else user.pw_name,
                uid=user.pw_uid,
                gid=user.pw_gid,
                port=self.port,
                starttls_port=self.starttls_port,
            )
        )
        if self.tokens:
            (self.folder / "oauth2.conf").write_text(
                f"tokeninfo_url = {self.tokens}?access_token=\nusername_attribute = email\n"
            )
            with configuration.open("a") as file:
                file.write(OAUTH2.format(folder=self.folder))
        if self.auth_port:
            with configuration.open("a") as file:
                file.write(AUTH.format(auth_port=self.auth_port))
        if self.sieve:
            required("/usr/lib/dovecot/lmtp", "dovecot-lmtpd")
            required("sievec", "dovecot-sieve")
            (self.folder / "script.sieve").write_text(self.sieve)
            shutil.chown(self.folder, user.pw_uid)  # for the compiled script
            with configuration.open("a") as file:
                file.write(
                    LMTP.format(
                        user=user.pw_name,
                        lmtp_port=self.lmtp_port,
                        submission_port=self.submission_port,
                        folder=self.folder,
                    )
                )
        self._command = [binary, "-F", "-c", configuration]
        self._run()
        return self

    def _run(self):
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for(self._answers, what=self.log_text)
        except BaseException:
            self.__exit__()
            raise

    def restart(self):
        """End it, with all its connections, and start it again."""
        self.__exit__()
        self._run()

    def __exit__(self, *exception):
        self._process.terminate()
        self._process.wait(TIMEOUT)

    def log_text(self):
        """Return the log."""
        path = self.folder / "dovecot.log"
        return path.read_text("utf-8", "replace")[-3000:] if path.exists() else ""

    def client(self):
        """Return a client that is logged in."""
        context = self.certificates.client_context()
        client = IMAPClient("localhost", self.port, ssl_context=context, timeout=TIMEOUT)
        client.plain_login(self.LOGIN, self.PASSWORD)
        return client

    def append(self, content, folder="INBOX"):
        """Put a message into the mailbox, as a delivery does."""
        with self.client() as client:
            client.append(folder, content)

    def _answers(self):
        try:
            self.client().logout()
        except OSError:
            return False
        return True


def _group(user):
    return grp.getgrgid(user.pw_gid).gr_name
