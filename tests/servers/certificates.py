"""A certificate authority for one test run, and a server certificate of it for localhost and 127.0.0.1."""

import ssl
import trustme


class Certificates:
    """The files ``ca_file``, ``cert_file`` (with its chain) and ``key_file``, as PEM in ``folder``.

    ``names`` are those of the certificate, ``ends`` when it stops to be valid (a datetime in UTC).
    """

    def __init__(self, folder, *names, ends=None):
        self.ca_file, self.cert_file, self.key_file = (
            folder / f"{name}.pem" for name in ("ca", "cert", "key")
        )
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.ca_file))
        certificate = authority.issue_cert(*(names or ("localhost", "127.0.0.1")), not_after=ends)
        for part in certificate.cert_chain_pems:
            part.write_to_path(str(self.cert_file), append=True)
        certificate.private_key_pem.write_to_path(str(self.key_file))

    def server_context(self):
        """Return a TLS context for a server."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.cert_file, self.key_file)
        return context

    def client_context(self):
        """Return a TLS context for a client that trusts this authority only."""
        return ssl.create_default_context(cafile=self.ca_file)
