"""Did the message arrive? Looked for in a mailbox by IMAP, peeking only; login and password are kept nowhere."""

from dataclasses import dataclass
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError
from imapclient.imapclient import JUNK
from imio.mailbridge.diagnosis.bounds import bounded
from imio.mailbridge.diagnosis.step import BAD
from imio.mailbridge.diagnosis.step import OK
from imio.mailbridge.diagnosis.step import WARNING
from imio.mailbridge.i18n import _
from imio.mailbridge.message.one_line import readable
import ssl
import time


@dataclass(frozen=True, repr=False)
class Mailbox:
    """Where the message should arrive: IMAP over TLS; ``ca_file`` names an authority of the town's own."""

    host: str
    login: str
    password: str
    port: int = 993
    ca_file: str = ""


def arrival(course, mailbox, token, deadline, poll):
    """Step ``mailbox``: look for ``token`` in the subjects of inbox and spam folder until it is there or the time is over."""
    course.dialogue.hide(mailbox.password)
    course.dialogue.client(f"IMAP {mailbox.host} port {mailbox.port}, login {mailbox.login}")
    try:
        found = bounded(lambda: _wait(mailbox, token, deadline, poll), deadline.left + 5)
    except (OSError, ValueError, IMAPClientError) as error:
        course.dialogue.server(f"({readable(error)})")
        return course.add(
            "mailbox",
            BAD,
            _("The mailbox could not be read: check server, port, login and password of IMAP."),
            _("Is IMAP allowed for this mailbox, and with which server and login?"),
        )
    if not found:
        return course.add(
            "mailbox",
            WARNING,
            _("The message has not arrived yet. Look into the mailbox later, also into its spam folder."),
            _("What became of the message whose subject ends in the code of the step above?"),
        )
    course.dialogue.server(f"(found in {found})")
    if found != "INBOX":
        return course.add(
            "mailbox",
            WARNING,
            _("The message arrived in the spam folder (${folder}).", mapping={"folder": found}),
            _("Why does your filter take mail from iA.docs for spam?"),
        )
    return course.add("mailbox", OK, _("The message arrived in the mailbox."))


def _wait(mailbox, token, deadline, poll):
    """Return the folder that the message is in, or an empty string."""
    context = ssl.create_default_context(cafile=mailbox.ca_file or None)
    with IMAPClient(
        mailbox.host, mailbox.port, ssl_context=context, timeout=max(1, min(10, deadline.left))
    ) as client:
        # the command LOGIN knows ASCII only
        ascii = (mailbox.login + mailbox.password).isascii()
        (client.login if ascii else client.plain_login)(mailbox.login, mailbox.password)
        spam = client.find_special_folder(JUNK)
        while True:
            for folder in filter(None, ("INBOX", spam)):
                client.select_folder(folder, readonly=True)
                if client.search(["SUBJECT", token]):
                    return folder
            if deadline.passed:
                return ""
            time.sleep(min(poll, deadline.left))
