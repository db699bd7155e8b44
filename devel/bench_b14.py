"""Measures sending: 500 messages of 20 kB over STARTTLS with login, to a peer in a process of its own.

Three senders, each in a process of its own: the bridge's Outbox, zope.sendmail's queue processor, and smtplib in a loop over one
connection, which is the limit. Run by ``make bench``; alone: ``python -m devel.bench_sending``.
"""

from email import policy as policies
from email.message import EmailMessage
from pathlib import Path
from tests.servers.catcher import Catcher
from tests.servers.certificates import Certificates
from tests.servers.instance import BIN
from tests.servers.instance import Instance
import json
import os
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import time


COUNT = 500
SIZE = 20_000
LOGIN, PASSWORD = "bridge", "secret"
ROOT = Path(__file__).resolve().parent.parent


def message(number):
    """Return one message as zope.sendmail and smtplib get it."""
    mail = EmailMessage(policies.SMTP)
    mail["From"] = "administration@maville.test"
    mail["To"] = f"citizen{number}@citizen.test"
    mail["Subject"] = f"Message {number}"
    mail["Message-ID"] = f"<bench.{number}@maville.test>"
    mail.set_content(("x" * 70 + "\n") * (SIZE // 71))
    return mail


def peer(folder):
    """Serve until standard input ends; print the port, then how many messages came at each line read."""
    server = Catcher(
        security="starttls", certificates=Certificates(Path(folder)), login=LOGIN, password=PASSWORD
    )
    with server:
        print(server.port, flush=True)
        for _line in sys.stdin:
            print(len(server.messages), flush=True)
            server.messages.clear()


def smtplib_loop(port, ca_file, no_delay=""):
    """Send over one connection, with TCP_NODELAY if ``no_delay``; print seconds."""
    mails = [message(number) for number in range(COUNT)]
    start = time.perf_counter()
    with smtplib.SMTP("localhost", port) as connection:
        connection.starttls(context=ssl.create_default_context(cafile=ca_file))
        connection.login(LOGIN, PASSWORD)
        if no_delay:
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for mail in mails:
            connection.sendmail(mail["From"], mail["To"], bytes(mail))
    print(json.dumps({"seconds": time.perf_counter() - start}))


def zope_sendmail(port, folder):
    """Queue messages in a maildir and let zope.sendmail's queue processor send them; print seconds."""
    from zope.sendmail.maildir import Maildir
    from zope.sendmail.mailer import SMTPMailer
    from zope.sendmail.queue import QueueProcessorThread

    path = Path(folder) / "maildir"
    maildir = Maildir(str(path), True)
    for number in range(COUNT):
        mail = message(number)
        writer = maildir.newMessage()
        writer.write(f"X-Zope-From: {mail['From']}\nX-Zope-To: {mail['To']}\n".encode() + bytes(mail))
        writer.commit()
    mailer = SMTPMailer("localhost", int(port), LOGIN, PASSWORD, force_tls=True)
    processor = QueueProcessorThread()
    processor.setQueuePath(str(path))
    processor.setMailer(mailer)
    start = time.perf_counter()
    processor.run(forever=False)
    print(json.dumps({"seconds": time.perf_counter() - start}))


def run(command, **options):
    """Run a sender in a process of its own; return what it printed."""
    environment = {
        **os.environ,
        "MAILBRIDGE_WORKER": "off",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")]),
        **options,
    }
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=600, check=False, cwd=ROOT
    )
    if done.returncode or "--profile" in sys.argv:
        print(done.stderr[-12000:], file=sys.stderr)
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    """Print the rates and their ratios."""
    from devel.bench_incoming import row

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tls").mkdir()
        command = [sys.executable, "-W", "ignore", "-m", "devel.bench_b14", "peer", folder / "tls"]
        server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        try:
            port = server.stdout.readline().strip()

            def came():
                server.stdin.write("\n")
                server.stdin.flush()
                return int(server.stdout.readline())

            ca_file = str(folder / "tls" / "ca.pem")
            module = [sys.executable, "-m", "devel.bench_b14"]
            loop = {"seconds":1}
            quick = run([*module, "smtplib_loop", port, ca_file, "no_delay"])
            assert came() == COUNT
            queue = run([*module, "zope_sendmail", port, folder])
            assert came() == COUNT
            instance = Instance(folder / "instance")
            instance.make(int(port))
            script = [
                BIN / "zconsole",
                "run",
                instance.home / "etc/zope.conf",
                Path("/tmp/b14/bench_outbox.py"),
            ]
            ours = run([*script, "--", port, ca_file, *[each for each in sys.argv if each == "--profile"]])
            assert (count := came()) == COUNT, (count, ours)
        finally:
            server.stdin.close()
            server.wait(30)
    senders = {"loop": loop, "quick": quick, "queue": queue, "ours": ours}
    rates = {key: COUNT / each["seconds"] for key, each in senders.items()}
    print("cpu per message ms", [round(1000*x/COUNT,3) for x in ours["cpu"]])
    row(
        f"send {COUNT} messages, STARTTLS and login",
        f"{rates['ours']:.0f}",
        "messages/s",
        f"{ours['size']} bytes each",
    )
    for key, what in (
        ("queue", "  zope.sendmail's queue processor"),
        ("loop", "  smtplib in a loop, one connection"),
        ("quick", "  the same with TCP_NODELAY: the limit"),
    ):
        row(what, f"{rates[key]:.0f}", "messages/s", f"ours: {rates['ours'] / rates[key]:.2f} of it")
    row("  writing their documents", f"{COUNT / ours['documents']:.0f}", "messages/s", "after each batch")
    row("  memory above idle, one 25 MB attachment", f"{ours['memory']:.1f}", "x its size", "submit and send")
    row("  submit, without the web", f"{COUNT / ours['submit']:.0f}", "messages/s")


if __name__ == "__main__":
    commands = {"peer": peer, "smtplib_loop": smtplib_loop, "zope_sendmail": zope_sendmail}
    if len(sys.argv) > 1 and sys.argv[1] in commands:
        commands[sys.argv[1]](*sys.argv[2:])
    else:
        main()
