"""Run by ``zconsole run`` for ``bench_sending``: submits and delivers. Arguments: port, file of the authority, [--profile]."""

from AccessControl.SecurityManagement import newSecurityManager
from devel.bench_sending import COUNT
from devel.bench_sending import LOGIN
from devel.bench_sending import PASSWORD
from devel.bench_sending import SIZE
from imio.mailbridge.delivery import deliver
from imio.mailbridge.outbox.prepare import prepare
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.submit import submit
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.settings.read import stored_settings
from pathlib import Path
from plone import api
from plone.namedfile.file import NamedBlobFile
from Testing.makerequest import makerequest
from zope.component.hooks import setSite
from zope.globalrequest import setRequest
import cProfile
import gc
import json
import os
import pstats
import shutil
import sys
import tempfile
import time
import transaction


def set_up(app, port, ca_file, count=COUNT):
    """Set the account; return documents to send ``count`` messages from."""
    app = makerequest(app)
    setRequest(app.REQUEST)
    site = app["iadocs"]
    setSite(site)
    values = stored_settings()
    values.smtp_host, values.smtp_port, values.smtp_security = "localhost", port, "starttls"
    values.smtp_ca_file, values.smtp_login = ca_file, LOGIN
    password.write(PASSWORD)
    folder = site["outgoing-mail"]
    with api.env.adopt_roles(["Manager"]):
        documents = [
            api.content.create(folder, "dmsoutgoingmail", title=f"Bench {number}")
            for number in range(count // 10)
        ]
    transaction.commit()
    newSecurityManager(None, site.acl_users.getUserById("agent"))
    return documents


def submit_all(documents, count=COUNT):
    """Submit ``count`` messages, one transaction each."""
    body = "<p>" + "x" * 60 + "</p>\n"
    for number in range(count):
        data = {
            "to": [f"citizen{number}@citizen.test"],
            "subject": f"Message {number}",
            "body": body * (SIZE // 2 // len(body)),
        }
        submit(prepare(documents[number % len(documents)], "agent", data))
        transaction.commit()


def memory(documents):
    """Send 25 MB; return the peak above idle, in sizes of the attachment."""
    size = 25_000_000
    with tempfile.TemporaryFile() as source:
        for _ in range(size // 1_000_000):
            source.write(os.urandom(1_000_000))
        source.seek(0)
        blob = NamedBlobFile(contentType="application/pdf", filename="plan.pdf")
        with blob.open("w") as target:
            shutil.copyfileobj(source, target)
    with api.env.adopt_roles(["Manager"]):
        file = api.content.create(documents[0], "dmsappendixfile", title="plan", file=blob)
    transaction.commit()
    data = {
        "to": ["a@citizen.test"],
        "subject": "Plan",
        "body": "x",
        "attachments": [api.content.get_uuid(file)],
    }
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
    idle = _status("VmRSS")
    record = submit(prepare(documents[0], "agent", data))
    transaction.commit()
    deliver.deliver(record.id)
    assert record.state == "sent", record.history
    return (_status("VmHWM") - idle) / size


def _status(key):
    """Return a figure of this process in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{key}:"))


def main(app, port, ca_file, profile):
    """Print the seconds as JSON."""
    documents = set_up(app, port, ca_file)
    start = time.perf_counter()
    submit_all(documents)
    submitted = time.perf_counter() - start
    size = outbox().get(outbox().newest_ids()[0]).size
    writing, write_documents = [], deliver.write_documents

    def timed(ids):
        begun = time.perf_counter()
        write_documents(ids)
        writing.append(time.perf_counter() - begun)

    deliver.write_documents = timed
    profiler = cProfile.Profile()
    start = time.perf_counter()
    if profile:
        profiler.enable()
    deliver.deliver()
    if profile:
        profiler.disable()
        pstats.Stats(profiler, stream=sys.stderr).sort_stats("cumulative").print_stats(45)
    seconds = time.perf_counter() - start
    figures = {
        "seconds": seconds - sum(writing),
        "documents": sum(writing),
        "submit": submitted,
        "size": size,
    }
    figures["memory"] = memory(documents)
    print(json.dumps(figures))


if "app" in globals():  # given by zconsole
    arguments = sys.argv[sys.argv.index("--") + 1 :]
    main(globals()["app"], int(arguments[0]), arguments[1], "--profile" in arguments)
