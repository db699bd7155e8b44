"""Tests what a release would install: ``python -m devel.release_test`` takes some minutes and needs a package index.

Builds the sdist and from it the wheel, installs the wheel into an empty environment, starts the demo of the sdist there without its
``src``, looks at a page, delivers a message to the site and waits for one that it sends.
"""

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request


ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "demo-iadocs"
DOCUMENT = "/outgoing-mail/permis-durbanisme"
BUILD = "from setuptools import build_meta; build_meta.build_{}({!r})"


def run(step, *command, cwd=ROOT):
    """Run a command as a ``step`` of the test, and say how long it took; end with what it printed when it fails."""
    started = time.monotonic()
    done = subprocess.run(
        command, cwd=cwd, env=clean(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        sys.exit(f"{done.stdout}\n{step}: {' '.join(map(str, command))} ended with status {done.returncode}")
    print(f"{time.monotonic() - started:5.0f} s  {step}", flush=True)


def clean():
    """Return the environment without what would let the code of this tree be found."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}


def build(folder):
    """Build the sdist, and the wheel from it, with the tools of this environment; return the unpacked sdist and the wheel."""
    run("sdist built", sys.executable, "-c", BUILD.format("sdist", str(folder)))
    shutil.unpack_archive(next(folder.glob("*.tar.gz")), folder / "unpacked", filter="data")
    tree = next((folder / "unpacked").iterdir())
    run("wheel built from it", sys.executable, "-c", BUILD.format("wheel", str(folder)), cwd=tree)
    shutil.rmtree(tree / "src")
    return tree, next(folder.glob("*.whl"))


def install(wheel, folder):
    """Make an environment with Plone, the wheel and what they require; return its Python. With ``uv`` on the PATH it is quicker."""
    run("environment made", sys.executable, "-m", "venv", str(folder))
    python = folder / "bin" / "python"
    uv = shutil.which("uv")
    installer = [uv, "pip", "install", "--python", python] if uv else [python, "-m", "pip", "install"]
    with_demo = ("Plone", "time-machine", wheel)
    run("wheel installed", *installer, "--quiet", "-c", ROOT / "constraints.txt", *with_demo)
    run("requirements checked", python, "-m", "pip", "check")
    return python


def free_ports():
    """Return two ports that nothing listens on."""
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


@contextmanager
def started(python, tree):
    """Run the demo of the unpacked sdist; yields the address of its site."""
    port, smtp_port = free_ports()
    log = tree / "start.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [python, "-m", "devel.start"],
            cwd=tree,
            env={**clean(), "PORT": str(port), "SMTP_PORT": str(smtp_port)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(lambda: "iA.docs is up" in log.read_text() or process.poll() is not None, 600)
        if process.poll() is not None:
            logs = [log, *(tree / "var/instance/var/log").glob("*.log")]
            sys.exit("\n".join(path.read_text() for path in logs))
        yield f"http://127.0.0.1:{port}/iadocs"
    finally:
        process.terminate()
        process.wait(30)


def wait_for(condition, seconds):
    """Return what ``condition`` says once it is true; end when that takes longer than ``seconds``."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            sys.exit("that took too long")
        time.sleep(0.2)
    return found


def ask(url, user="", body=None, **headers):
    """Return the body of the answer to a GET, or to a POST of ``body``. Errors: ``HTTPError`` for a status of 400 or more."""
    request = urllib.request.Request(url, data=body)
    if user:
        credentials = base64.b64encode(f"{user}:{PASSWORD}".encode()).decode()
        request.add_header("Authorization", f"Basic {credentials}")
    for name, value in headers.items():
        request.add_header(name.replace("_", "-"), value)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()


def try_out(url, tree):
    """Look at a page, file a message, and send one."""
    page = ask(f"{url}{DOCUMENT}", "agent").decode()
    assert "Envoyer par e-mail" in page, (
        "the page has no action, or it is not in French: are the catalogs compiled?"
    )
    answer = ask(
        f"{url}/@@mail-in",
        "gateway",
        (tree / "devel/redirected.eml").read_bytes(),
        Content_Type="message/rfc822",
        X_Envelope_Recipient="in@bridge.test",
        X_Client_Address="127.0.0.1",
    )
    assert json.loads(answer)["state"] == "filed", answer
    message = {"to": ["jeanne@citizen.test"], "subject": "Release", "body": "<p>Bonjour</p>"}
    ask(
        f"{url}{DOCUMENT}/@send-email",
        "agent",
        json.dumps(message).encode(),
        Content_Type="application/json",
        Accept="application/json",
    )
    kept = tree / "var/mail/new"
    wait_for(
        lambda: any("Subject: Release" in path.read_text(errors="replace") for path in kept.glob("*")), 60
    )


def main():
    """Do it all in a temporary folder."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        tree, wheel = build(folder)
        python = install(wheel, folder / "venv")
        began = time.monotonic()
        with started(python, tree) as url:
            try_out(url, tree)
        print(f"{time.monotonic() - began:5.0f} s  site made, page shown, message filed, message sent")
    print(f"{wheel.name} works")


if __name__ == "__main__":
    main()
