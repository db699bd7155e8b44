"""Workers that kill themselves, started by a program that ``zconsole run`` runs, one for each line of its standard input:
``submit COUNT PORT``, the port of the SMTP server, or ``deliver POINT NUMBER``. It answers with the exit status.

``POINT`` is a crash point of ``delivery.deliver``; the process ends by SIGKILL when it comes there for the NUMBERth time. Each
process opens the database anew: it knows no more of the one before than a worker that is started again.
"""

from AccessControl.SecurityManagement import newSecurityManager
from App.config import getConfiguration
from datetime import timedelta
from imio.mailbridge.delivery import deliver
from imio.mailbridge.delivery import dialogue
from imio.mailbridge.delivery import send
from imio.mailbridge.outbox.prepare import prepare
from imio.mailbridge.outbox.submit import submit
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.transport.smtp import SmtpConnection
from Testing.makerequest import makerequest
from zope.component.hooks import setSite
from zope.globalrequest import setRequest
import os
import signal
import sys
import transaction


def die_at(number, function, part=None):
    """Return ``function``, but for its NUMBERth call: SIGKILL before it, or after ``part``, which gets its arguments."""
    calls = iter(range(1, 1_000_000))

    def dying(*args, **kwargs):
        if next(calls) == number:
            if part is not None:
                part(*args, **kwargs)
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **kwargs)

    return dying


def half(mailer, message, may_end=None):
    """Send the first half of a message."""
    content = b"".join(each if isinstance(each, bytes) else each.read() for each in message)
    mailer._connection.sock.sendall(content[: len(content) // 2])


def arm(point, number):
    """Make the crash point fatal."""
    if point == "claimed":  # ✝2, before MAIL
        dialogue.Dialogue.begin = die_at(number, dialogue.Dialogue.begin)
    elif point == "data":  # ✝2, in the middle of DATA
        SmtpConnection._stream = die_at(number, SmtpConnection._stream, half)
    elif point == "taken":  # ✝3, after 250
        deliver._settle_and_claim = die_at(number, deliver._settle_and_claim)
    elif point == "documents":  # ✝5
        deliver.write_documents = die_at(number, deliver.write_documents)


def work(app, command, *arguments):
    """Do what a line says."""
    app = makerequest(app)
    setRequest(app.REQUEST)
    site = app["iadocs"]
    setSite(site)
    user = site.acl_users.getUserById("agent")
    newSecurityManager(None, user)
    if command == "submit":
        stored_settings().smtp_port = int(arguments[1])
        document = site["outgoing-mail"]["permis-durbanisme"]
        for number in range(int(arguments[0])):
            data = {
                "to": [f"citizen{number}@citizen.test"],
                "subject": f"Message {number}",
                "body": "Bonjour",
            }
            submit(prepare(document, "agent", data))
        transaction.commit()
        return
    send.LEASE = timedelta()  # the next worker need not wait until that of the dead has ended
    arm(arguments[0], int(arguments[1]))
    deliver.sweep()


def main(app):
    """Start a process for each line."""
    app._p_jar.db().close()
    databases = getConfiguration().dbtab
    databases.databases.clear()
    for line in sys.stdin:
        process = os.fork()
        if not process:
            work(databases.getDatabase("/").open().root()["Application"], *line.split())
            sys.exit()
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


if "app" in globals():  # given by zconsole
    main(globals()["app"])
