"""What tests ask of a site over HTTP, whether it runs in their own process or in another."""

from tests.mails import TRUSTED


class Client:
    """A subclass has ``request(method, path, user=None, **options)``, whose options are those of ``requests``."""

    def get(self, path, user=None, **options):
        return self.request("GET", path, user, **options)

    def post(self, path, user=None, **options):
        return self.request("POST", path, user, **options)

    def mail_in(self, raw, user="gateway", path="/@@mail-in", **headers):
        """Hand a message over as a trusted mail host does; return the answer."""
        return self.post(path, user, data=raw, headers={**TRUSTED, **headers})
