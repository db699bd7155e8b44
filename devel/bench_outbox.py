"""Run by ``zconsole run`` for ``bench_sending``: submits and delivers. Arguments: port, file of the authority, [--profile]."""

from AccessControl.SecurityManagement import newSecurityManager
from devel.bench_sending import COUNT
from devel.bench_sending import LOGIN
from devel.bench_sending import PASSWORD
from devel.bench_sending import SIZE
from imio.mailbridge.outbound import deliver
from imio.mailbridge.outbound.outbox import outbox
from imio.mailbridge.outbound.submit import prepare
from imio.mailbridge.outbound.submit import submit
from imio.mailbridge.settings import password
from imio.mailbridge.settings.read import settings
from plone import api
from Testing.makerequest import makerequest
from zope.component.hooks import setSite
from zope.globalrequest import setRequest
import cProfile
import json
import pstats
import sys
import time
import transaction


def set_up(app, port, ca_file):
    """Set the account; return documents to send from."""
    app = makerequest(app)
    setRequest(app.REQUEST)
    site = app["iadocs"]
    setSite(site)
    values = settings()
    values.smtp_host, values.smtp_port, values.smtp_security = "localhost", port, "starttls"
    values.smtp_ca_file, values.smtp_login = ca_file, LOGIN
    password.write(PASSWORD)
    folder = site["outgoing-mail"]
    with api.env.adopt_roles(["Manager"]):
        documents = [
            api.content.create(folder, "dmsoutgoingmail", title=f"Bench {number}")
            for number in range(COUNT // 10)
        ]
    transaction.commit()
    newSecurityManager(None, site.acl_users.getUserById("agent"))
    return documents


def submit_all(documents):
    """Submit the messages, one transaction each."""
    body = "<p>" + "x" * 60 + "</p>\n"
    for number in range(COUNT):
        data = {
            "to": [f"citizen{number}@citizen.test"],
            "subject": f"Message {number}",
            "body": body * (SIZE // 2 // len(body)),
        }
        submit(prepare(documents[number % len(documents)], "agent", data))
        transaction.commit()


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
    print(json.dumps(figures))


if "app" in globals():  # given by zconsole
    arguments = sys.argv[sys.argv.index("--") + 1 :]
    main(globals()["app"], int(arguments[0]), arguments[1], "--profile" in arguments)
