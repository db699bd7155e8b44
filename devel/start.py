"""Runs ``make start``: makes the demo on first run, starts Plone and the mail catcher, says what to try."""

from devel.instance import write
from pathlib import Path
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request


ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "var" / "instance"
BIN = Path(sys.executable).parent
START_TIMEOUT = 120

TEXT = """
iA.docs is up:   {url}

  agents   agent, agent2      password demo-iadocs   (agent is Al Bert <al.bert@maville.test>)
  chef     manager of mail    password demo-iadocs
  gateway  may only deliver   password demo-iadocs
  admin    password admin     (settings: {url}/@@mailbridge-controlpanel)

Try three things:

  1. Log in as agent, open {url}/outgoing-mail, choose a document, "Envoyer par e-mail".
     What leaves is caught on 127.0.0.1:{smtp_port} and kept in {maildir}/new
  2. Let a citizen's mail, redirected by info@maville.test, come in:

     curl -u gateway:demo-iadocs -H 'Content-Type: message/rfc822' -H 'X-Envelope-Recipient: in@bridge.test' \\
          -H 'X-Client-Address: 127.0.0.1' --data-binary @{example} {url}/@@mail-in

  3. Log in as chef and see what came in: {url}/@@mailbridge-inbox

Log: {log}     Stop: Ctrl-C
"""


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


def make_site(smtp_port):
    """Create the demo site unless it is there; half a site from an interrupted run is made anew."""
    done = HOME / "var" / "site-made"
    if done.exists():
        return
    for old in (HOME / "var").glob("Data.fs*"):
        old.unlink()
    print("Making the site iadocs with its demo content …", flush=True)
    log = HOME / "var" / "log" / "make-site.log"
    with log.open("w") as output:
        status = subprocess.call(
            [BIN / "zconsole", "run", HOME / "etc/zope.conf", ROOT / "devel/site.py", str(smtp_port)],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "MAILBRIDGE_WORKER": "off"},
        )
    if status:
        sys.exit(f"The site could not be made; the reason is at the end of {log}")
    done.touch()


def wait_until_up(url, process):
    """Wait until the site answers; end with a message when the process ended or time is up."""
    end = time.monotonic() + START_TIMEOUT
    while time.monotonic() < end:
        if process.poll() is not None:
            sys.exit(f"Plone ended with status {process.returncode}; see {HOME}/var/log/instance.log")
        with contextlib.suppress(OSError, urllib.error.URLError):
            urllib.request.urlopen(url, timeout=30).close()
            return
        time.sleep(0.2)
    sys.exit(f"Plone did not answer within {START_TIMEOUT} s; see {HOME}/var/log/instance.log")


def main():
    """Start all and stay until Ctrl-C or SIGTERM."""
    port, smtp_port = int(os.environ.get("PORT") or 8080), int(os.environ.get("SMTP_PORT") or 2525)
    free(port, "PORT")
    free(smtp_port, "SMTP_PORT")
    ini = write(HOME, port)
    make_site(smtp_port)
    maildir = ROOT / "var" / "mail"
    maildir.parent.mkdir(exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    catcher = [sys.executable, "-m", "aiosmtpd", "-n", "-s", "52428800", "-l", f"127.0.0.1:{smtp_port}"]
    processes = [subprocess.Popen([*catcher, "-c", "aiosmtpd.handlers.Mailbox", str(maildir)])]
    try:
        processes.append(subprocess.Popen([BIN / "runwsgi", ini]))
        url = f"http://localhost:{port}/iadocs"
        wait_until_up(f"http://127.0.0.1:{port}/iadocs", processes[1])
        example = (ROOT / "devel" / "redirected.eml").relative_to(ROOT)
        log = HOME / "var/log/instance.log"
        print(
            TEXT.format(url=url, smtp_port=smtp_port, maildir=maildir, example=example, log=log), flush=True
        )
        while all(process.poll() is None for process in processes):
            time.sleep(0.5)
        sys.exit(f"A process ended by itself; see {log}")
    except KeyboardInterrupt:
        pass
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)


if __name__ == "__main__":
    main()
