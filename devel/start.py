"""Runs ``make start``: makes the demo on first run, starts Plone and the mail server, says what to try."""

from devel import front_page
from devel.instance import environment
from devel.instance import ROOT
from devel.instance import write
from pathlib import Path
import base64
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request


BIN = Path(sys.executable).parent
START_TIMEOUT = 120
#: Seconds between two lines that say that a step is still at it.
PATIENCE = 30

TEXT = """
iA.docs is up:   {url}   (the page says what to try)

  agent, agent2   agents             password demo-iadocs
  chef            manager of mail    password demo-iadocs
  gateway         may only deliver   password demo-iadocs
  admin           administrator      password admin

What is sent is kept in {maildir}/new
Log: {log}     Stop: Ctrl-C
"""


class Demo:
    """The demo whose data are in ``folder``: the site on ``port``, its mail server on ``smtp_port``."""

    def __init__(self, folder, port, smtp_port):
        self.port, self.smtp_port = port, smtp_port
        self.home, self.maildir = folder / "instance", folder / "mail"
        self.url = f"http://localhost:{port}/iadocs"
        self.logs = self.home / "var/log"
        self.ports = f"{self.url} {smtp_port}"
        #: holds the ports that the site was told of, once it is made
        self._done = self.home / "var/site-made"

    def make(self):
        """Create the site and its two weeks of mail, unless they are there; what an interrupted run has left goes first."""
        if self._done.exists():
            return
        for old in (self.home / "var", self.maildir):
            shutil.rmtree(old, ignore_errors=True)
        write(self.home, self.port)
        print("Making the demo town and its mail of two weeks; this takes about a minute ...", flush=True)
        log = self.logs / "make-site.log"
        script = [ROOT / "devel/two_weeks.py", self.url, str(self.smtp_port), self.maildir]
        command = [BIN / "zconsole", "run", self.home / "etc/zope.conf", *script]
        began = time.monotonic()
        with self._mail_server(), self._process(log, command, MAILBRIDGE_WORKER="off") as process:
            while (status := _ended_within(process, PATIENCE)) is None:
                print(f"  still at it after {time.monotonic() - began:.0f} s", flush=True)
        if status:
            sys.exit(f"{log.read_text()[-2000:]}\nThe site could not be made; above is the end of {log}")
        self._done.write_text(self.ports)

    def run(self):
        """Run Plone and the mail server until one of them ends."""
        command = [BIN / "runwsgi", write(self.home, self.port)]
        with self._mail_server() as mail, self._process(self.logs / "start.log", command) as plone:
            self._wait_until_up(plone)
            self._tell_ports()
            log = self.logs / "instance.log"
            print(TEXT.format(url=self.url, maildir=self.maildir, log=log), flush=True)
            while mail.poll() is None and plone.poll() is None:
                time.sleep(0.5)
            sys.exit(f"A process ended by itself; see {self.logs}")

    @contextlib.contextmanager
    def _process(self, log, command, **variables):
        """Run a process, with what it prints in a log, until the end of the block."""
        with log.open("w") as output:
            process = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, env=environment() | variables
            )
        try:
            yield process
        finally:
            process.terminate()
            if _ended_within(process, 10) is None:
                process.kill()

    @contextlib.contextmanager
    def _mail_server(self):
        command = [sys.executable, "-m", "devel.catcher", str(self.smtp_port), self.maildir]
        with self._process(self.logs / "mail.log", command) as process:
            while process.poll() is None:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.smtp_port), 1):
                    break
                time.sleep(0.1)
            yield process

    def _wait_until_up(self, process):
        """Wait until the site answers; end with a message when the process ended or time is up."""
        end = time.monotonic() + START_TIMEOUT
        while time.monotonic() < end:
            if process.poll() is not None:
                sys.exit(f"Plone ended with status {process.returncode}; see {self.logs}")
            # not localhost: another program may have its port on ::1
            with contextlib.suppress(OSError, urllib.error.URLError):
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/iadocs", timeout=30).close()
                return
            time.sleep(0.2)
        sys.exit(f"Plone did not answer within {START_TIMEOUT} s; see {self.logs}")

    def _tell_ports(self):
        """Tell the site its address and the port of the mail server where they are not those of the last start."""
        if self._done.read_text() == self.ports:
            return
        text = front_page.text(self.url, self.smtp_port, self.maildir)
        self._patch(front_page.ID, {"text": {"data": text, "content-type": "text/html"}})
        self._patch("@controlpanels/mailbridge", {"smtp_port": self.smtp_port})
        self._done.write_text(self.ports)

    def _patch(self, path, values):
        url = f"http://127.0.0.1:{self.port}/iadocs/{path}"
        request = urllib.request.Request(url, json.dumps(values).encode(), method="PATCH")
        request.add_header("Authorization", f"Basic {base64.b64encode(b'admin:admin').decode()}")
        request.add_header("Accept", "application/json")
        request.add_header("Content-Type", "application/json")
        # somebody may have deleted the page, or changed the password of the administrator
        with contextlib.suppress(urllib.error.HTTPError):
            urllib.request.urlopen(request, timeout=60).close()


def _ended_within(process, seconds):
    """Return the status of a process that ends within some seconds, else None."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        return process.wait(seconds)
    return None


def free(port, variable):
    """End with a message when something listens on ``port`` already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            sys.exit(
                f"Port {port} cannot be used ({error.strerror}). Choose another one: make start {variable}={port + 1}"
            )


def main(folder=ROOT / "var"):
    """Start all and stay until Ctrl-C or SIGTERM."""
    port, smtp_port = int(os.environ.get("PORT") or 8080), int(os.environ.get("SMTP_PORT") or 2525)
    free(port, "PORT")
    free(smtp_port, "SMTP_PORT")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    demo = Demo(folder, port, smtp_port)
    with contextlib.suppress(KeyboardInterrupt):
        demo.make()
        demo.run()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
