"""TXT records of DNS, for verifying signatures: each name is asked once, all within one deadline."""

from dns.exception import DNSException
from dns.rdatatype import RdataType
from dns.resolver import NoAnswer
from dns.resolver import NXDOMAIN
from dns.resolver import Resolver
from imio.mailbridge.message.authentication.signatures import Unanswered
from imio.mailbridge.transport.resolver import resolver
import dns.name
import time


#: For all queries about one message, in seconds.
DNS_TIME = 10.0
#: What an answer without the records that were asked for may hold: names that are other names, and signatures.
ALIASES = {RdataType.CNAME, RdataType.DNAME, RdataType.RRSIG}


class TxtLookup:
    """Looks up TXT records. ``server`` is ``ip[:port]``, or empty for that of the machine."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._resolver: Resolver | None = None
        self._end = time.monotonic() + DNS_TIME
        self._known: dict[str, list[bytes] | Unanswered] = {}

    def __call__(self, name: str) -> list[bytes]:
        """Return the records of a name. Errors: ``Unanswered``."""
        if name not in self._known:
            self._known[name] = self._ask(name)
        answer = self._known[name]
        if isinstance(answer, Unanswered):
            raise answer
        return answer

    def _ask(self, name: str) -> list[bytes] | Unanswered:
        left = self._end - time.monotonic()
        if left <= 0:
            return Unanswered("no time is left for DNS")
        try:
            dns.name.from_text(name)
        except (DNSException, UnicodeError, ValueError):
            return []  # not a name
        try:
            self._resolver = self._resolver or resolver(self._server)
            answer = self._resolver.resolve(name, "TXT", lifetime=min(5.0, left), search=False)
        except NXDOMAIN:
            return []
        except NoAnswer as error:
            said = {records.rdtype for records in error.kwargs["response"].answer}
            return Unanswered("the server answered something else") if said - ALIASES else []
        except (DNSException, OSError) as error:
            return Unanswered(" ".join(str(error).split())[:150] or type(error).__name__)
        return [b"".join(record.strings) for record in answer]
