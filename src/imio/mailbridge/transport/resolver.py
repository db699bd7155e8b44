"""Makes the DNS resolver for the server of the settings, or for that of the machine."""

from dns.resolver import Resolver


def resolver(server: str) -> Resolver:
    """Return a resolver for ``server``, ``ip[:port]`` or empty for the machine's. Errors: ``DNSException``."""
    found = Resolver(configure=not server)
    if server:
        host, colon, port = (
            server.rpartition(":") if not server.endswith("]") and ":" in server else (server, "", "")
        )
        found.nameservers = [host.strip("[]")]
        found.port = int(port) if colon else 53
    return found
