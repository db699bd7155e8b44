"""An SMTP server that logs in by XOAUTH2 only, as those of Microsoft 365 and Google do."""

from aiosmtpd.smtp import AuthResult
from base64 import b64decode
from tests.servers.catcher import Catcher


CHALLENGE = '{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}'


class TokenCatcher(Catcher):
    """A catcher for ``login``; ``tokens`` is the set of what it accepts, and may be shared with a ``TokenEndpoint``.

    ``shown`` holds the tokens that came, ``replies`` what the client answered to the challenge after a refusal.
    """

    def __init__(self, login, tokens, challenge=CHALLENGE, **options):
        super().__init__(login=login, **options)
        self._options["auth_exclude_mechanism"] = ["LOGIN", "PLAIN"]
        self.login, self.tokens, self.challenge = login, tokens, challenge
        self.shown = []
        self.replies = []

    async def auth_XOAUTH2(self, server, args):
        user, authorization = b64decode(args[1]).decode().removesuffix("\1\1").split("\1")
        self.shown.append(authorization.removeprefix("auth=Bearer "))
        if user == f"user={self.login}" and self.shown[-1] in self.tokens:
            return AuthResult(success=True, auth_data=self.login)
        self.replies.append(await server.challenge_auth(self.challenge))
        return AuthResult(success=False, handled=False)
