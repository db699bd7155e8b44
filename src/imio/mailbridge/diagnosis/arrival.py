"""Step ``mailbox``: looks by IMAP, peeking only, whether the message arrived. Login and password are kept nowhere."""

from imapclient import SocketTimeout
from imapclient.imapclient import JUNK
from imio.mailbridge.diagnosis.step import BAD
from imio.mailbridge.diagnosis.step import OK
from imio.mailbridge.diagnosis.step import WARNING
from imio.mailbridge.i18n import _
from imio.mailbridge.transport.bounded import bounded
from imio.mailbridge.transport.imap_connection import CannotOpen
from imio.mailbridge.transport.imap_connection import CONNECTION_ERRORS
from imio.mailbridge.transport.imap_connection import logged_in
from imio.mailbridge.transport.imap_connection import server_text
from imio.mailbridge.transport.imap_connection import understood
import time


#: The longest wait for one answer, in seconds.
ANSWER = 10


def arrival(report, imap_account, token, count, deadline, poll):
    """Look for ``token`` in the subjects of inbox and spam folder until ``count`` messages have it or the time is over.

    The headers of those that arrived are added to ``report.returned``.
    """
    report.dialogue.hide(imap_account.password)
    report.dialogue.client(f"IMAP {imap_account.host} port {imap_account.port}, login {imap_account.login}")
    try:
        found, headers = bounded(lambda: _wait(imap_account, token, count, deadline, poll), deadline.left + 5)
    except (CannotOpen, *CONNECTION_ERRORS) as error:
        report.dialogue.server(f"({server_text(error)})")
        return report.add(
            "mailbox",
            BAD,
            _("The mailbox could not be read: check server, port, login and password of IMAP."),
            _("Is IMAP allowed for this mailbox, and with which server and login?"),
        )
    if not found:
        return report.add(
            "mailbox",
            WARNING,
            _("The message has not arrived yet. Look into the mailbox later, also into its spam folder."),
            _("What became of the message whose subject ends in the code of the step above?"),
        )
    report.returned += headers
    report.dialogue.server(f"(found in {found})")
    if found != "INBOX":
        return report.add(
            "mailbox",
            WARNING,
            _("The message arrived in the spam folder (${folder}).", mapping={"folder": found}),
            _("Why does your filter treat mail from iA.docs as spam?"),
        )
    late = [_("One of the two messages has not arrived yet.")] if len(headers) < count else []
    return report.add("mailbox", OK, _("The message arrived in the mailbox."), notes=late)


def _wait(imap_account, token, count, deadline, poll):
    """Return (their folder, the spam folder if one is there, or an empty string; the headers of the messages)."""
    seconds = max(1, min(ANSWER, deadline.left))
    with logged_in(imap_account, SocketTimeout(seconds, seconds), deadline.left + 5) as client, understood():
        spam = client.find_special_folder(JUNK)
        while True:
            folders, headers = [], []
            for folder in filter(None, ("INBOX", spam)):
                client.select_folder(folder, readonly=True)
                if uids := client.search(["SUBJECT", token]):
                    folders.append(folder)
                    answer = client.fetch(uids[:count], ["BODY.PEEK[HEADER]"])
                    headers += [fields[b"BODY[HEADER]"] for fields in answer.values()]
            if len(headers) >= count or deadline.passed:
                return (folders or [""])[-1], headers
            time.sleep(min(poll, deadline.left))
