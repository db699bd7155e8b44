"""A real Dovecot passes mail on to ``mailbridge-lmtp`` (LMTP proxy), as the guide says."""

from tests.mails import citizen
from tests.servers.fake_site import FakeSite
from tests.servers.lmtp import Lmtp
from tests.servers.required import required
from tests.servers.waiting import free_port
from tests.servers.waiting import listens
from tests.servers.waiting import wait_for
import getpass
import grp
import os
import pwd
import pytest
import smtplib
import subprocess


CONFIGURATION = """
protocols = lmtp
base_dir = {folder}/run
log_path = {folder}/dovecot.log
ssl = no
first_valid_uid = 0
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {login}
lmtp_proxy = yes
passdb {{
  driver = static
  args = proxy=y nopassword=y protocol=lmtp host=127.0.0.1 port={target}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home=/nonexistent
}}
service lmtp {{
  chroot =
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {port}
  }}
}}
service anvil {{
  chroot =
}}
"""


@pytest.fixture
def proxy(tmp_path_factory):
    """Start a Dovecot in front of a port; return its own."""
    processes = []

    def start(folder, target):
        binary = required("dovecot", "dovecot-core")
        required("/usr/lib/dovecot/lmtp", "dovecot-lmtpd")
        root = os.getuid() == 0
        user = pwd.getpwnam("nobody" if root else getpass.getuser())
        port = free_port()
        configuration = folder / "dovecot.conf"
        configuration.write_text(
            CONFIGURATION.format(
                folder=folder,
                internal="dovecot" if root else user.pw_name,
                group="dovecot" if root else grp.getgrgid(user.pw_gid).gr_name,
                login="dovenull" if root else user.pw_name,
                uid=user.pw_uid,
                gid=user.pw_gid,
                target=target,
                port=port,
            )
        )
        processes.append(subprocess.Popen([binary, "-F", "-c", configuration], stderr=subprocess.DEVNULL))
        wait_for(lambda: listens(port), what=lambda: (folder / "dovecot.log").read_text())
        return port

    yield start
    for process in processes:
        process.terminate()
        process.wait(60)


def test_through_dovecot(proxy, tmp_path):
    port = free_port()
    with Lmtp(
        f"http://127.0.0.1:{port}/site", "--max-size", "41943040", "--client-address", "192.0.2.7"
    ) as lmtp:
        dovecot = proxy(tmp_path, lmtp.port)

        def deliver(recipient):
            with smtplib.LMTP("127.0.0.1", dovecot, timeout=60) as client:
                return client.sendmail("jeanne@citizen.test", [recipient], citizen("Bonjour").as_bytes())

        with pytest.raises(smtplib.SMTPResponseException) as refused:
            deliver("in@bridge.test")
        assert refused.value.smtp_code // 100 == 4, "temporary while the site is away"
        with FakeSite(port) as site:
            site.answer = lambda handler: (
                handler.read(),
                handler.reply(
                    *((422, {}) if "nobody" in handler.headers["X-Envelope-Recipient"] else (201, DONE))
                ),
            )
            with pytest.raises(smtplib.SMTPResponseException) as refused:
                deliver("nobody@bridge.test")
            assert refused.value.smtp_code == 550
            for recipient in ("in@bridge.test", "autre@bridge.test"):
                assert deliver(recipient) == {}
        assert [request.headers["X-Envelope-Recipient"] for request in site.requests] == [
            "nobody@bridge.test",
            "in@bridge.test",
            "autre@bridge.test",
        ]
        assert {request.headers["X-Client-Address"] for request in site.requests} == {"192.0.2.7"}
        assert all(citizen("Bonjour").as_bytes() in request.body for request in site.requests)


DONE = {"id": "abc", "state": "filed", "items": []}
