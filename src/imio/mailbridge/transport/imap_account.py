"""An account on an IMAP server and what becomes of its messages: values only, from the settings or a TOML file."""

from dataclasses import dataclass
from datetime import date
from imio.mailbridge.transport.oauth import Grant


#: What is done with a message once the site has it.
MOVE, FLAG = "move", "flag"
#: ``mail-in``: its messages come as if to the mail-in address. ``login``: the mailbox of the login address of outgoing mail.
MAIL_IN, LOGIN = "mail-in", "login"
DONE_FOLDER = "iA.docs"
PORTS = {"tls": 993, "starttls": 143}


@dataclass(frozen=True, repr=False)
class ImapAccount:
    """An account on an IMAP server; its ``name`` stands in logs.

    ``security`` is ``tls`` or ``starttls``; with a ``grant`` it is opened by OAuth 2.0, else by ``password``. ``address`` is the
    envelope recipient of its messages, unless the field ``recipient_header`` of a message names the same address with a detail
    part. ``done`` is ``MOVE`` or ``FLAG``. Messages that arrived before the day ``since`` are not read.
    """

    name: str
    host: str
    login: str
    address: str
    password: str = ""
    grant: Grant | None = None
    port: int = PORTS["tls"]
    security: str = "tls"
    ca_file: str = ""
    folder: str = "INBOX"
    role: str = MAIL_IN
    done: str = MOVE
    done_folder: str = DONE_FOLDER
    recipient_header: str = ""
    since: date | None = None
