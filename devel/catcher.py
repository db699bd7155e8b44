"""The mail server of the demo: keeps what it takes in a maildir, and refuses as servers of citizens do.

``python -m devel.catcher PORT MAILDIR``. ``X-RcptTo`` of a kept message names its recipients, blind ones too.
"""

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import AuthResult
from pathlib import Path
import sys
import threading


#: A server that takes mail only at a later try.
GREYLISTED = "greylisted.test"
#: Whoever left: no mail server has this mailbox any more.
GONE = "parti"
MAX_SIZE = 50 * 1024**2


class Demo(Mailbox):
    """What aiosmtpd calls."""

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - of aiosmtpd
        """Answer RCPT TO as the server of this recipient would."""
        local_part, _at, domain = address.lower().rpartition("@")
        if domain == GREYLISTED:
            return "450 4.2.0 Greylisted, please try again in 60 minutes"
        if local_part == GONE:
            return "550 5.1.1 User unknown"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"


def refuse(server, session, envelope, mechanism, data):
    """Refuse every login: nobody needs one here, and an account that has one shows what a wrong password does."""
    return AuthResult(success=False, handled=False)


def listen(port: int, maildir: Path) -> Controller:
    """Start the server in a thread and return its controller."""
    controller = Controller(
        Demo(maildir),
        hostname="127.0.0.1",
        port=port,
        data_size_limit=MAX_SIZE,
        enable_SMTPUTF8=True,
        authenticator=refuse,
        auth_require_tls=False,
    )
    controller.start()
    return controller


if __name__ == "__main__":
    listen(int(sys.argv[1]), Path(sys.argv[2]))
    threading.Event().wait()
