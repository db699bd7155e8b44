"""What proves where this message comes from? First what the envelope gives, then what DNS says of its signatures.

============ ================================================= ===========================
proof        what it is                                        proves
============ ================================================= ===========================
``tag``      the secret part of the envelope recipient         redirects, agents' forwards
``gateway``  the client's address is a trusted mail server     redirects, agents' forwards
``arc``      an unbroken chain, sealed last by a listed domain redirects, agents' forwards
``dkim``     a signature of the agent's domain                 agents' forwards
``results``  our own mail server's word for the agent's domain agents' forwards
============ ================================================= ===========================

The settings say which of them count. What could read otherwise than it was verified is proven by the envelope alone; a seal proves
an agent's forward when the sealer verified the agent's domain: it seals what its other customers send, too.
"""

from dns.exception import DNSException
from dns.resolver import NoAnswer
from dns.resolver import NXDOMAIN
from imio.mailbridge.inbound.destination import from_trusted_gateway
from imio.mailbridge.message.authentication.domain_policy import aligned
from imio.mailbridge.message.authentication.results import own_results
from imio.mailbridge.message.authentication.results import sealed_results
from imio.mailbridge.message.authentication.results import vouches
from imio.mailbridge.message.authentication.signatures import arc_verdict
from imio.mailbridge.message.authentication.signatures import dkim_verdicts
from imio.mailbridge.message.authentication.signatures import reads_otherwise
from imio.mailbridge.message.authentication.signatures import Unanswered
from imio.mailbridge.message.authentication.signatures import Verdict
from imio.mailbridge.message.classification.classify import Proof
from imio.mailbridge.transport.resolver import resolver
import dns.name
import time


#: For all queries about one message, in seconds.
DNS_TIME = 10.0


class TryLater(Exception):
    """A proof cannot be verified now; ``verdicts`` say what is known."""

    def __init__(self, message, verdicts=()):
        super().__init__(message)
        self.verdicts = verdicts


def given(record, arrived, values):
    """Return the proof that the envelope gives, or None, and its verdicts."""
    counts, verdicts, proof = values.proofs or (), [], None
    if record.client_address:
        trusted = from_trusted_gateway(record.client_address, values)
        verdicts.append(_shown("gateway", "pass" if trusted else "none", record.client_address))
        if trusted and "gateway" in counts:
            proof = Proof.GATEWAY
    if arrived.tag_mailbox is not None:
        verdicts.append(_shown("tag", "pass", arrived.tag_mailbox or arrived.address))
        if proof is None and "tag" in counts:
            proof = Proof.TAG
    return proof, tuple(verdicts)


def looked_up(record, message, found, values):
    """Return the proof that signatures give, or None, and the verdicts. Errors: ``TryLater``.

    ``found`` is what the message was classified as: ``unproven-redirect`` or ``unproven-agent``.
    """
    if doubt := reads_otherwise(message):
        return None, (_shown("message", "policy", "", doubt),)
    by_agent = found.reason == "unproven-agent"
    if by_agent and len(message.authors) != 1:
        return None, (_shown("message", "policy", "", "it has several authors"),)
    domain = message.author.addr_spec.rpartition("@")[2].lower() if by_agent else ""
    counts, lookup = values.proofs or (), TxtLookup(values.dns_resolver)
    mode = "s" if values.dkim_alignment == "strict" else "r"
    verdicts, proof, waits = [], None, False
    if by_agent and "results" in counts:
        seen = own_results(message, values.authserv_id or "")
        verdicts += seen
        proof = Proof.RESULTS if vouches(seen, domain, mode) else None
    if proof is None and "arc" in counts and values.arc_sealers:
        chain = arc_verdict(message, lookup)
        verdicts += [chain] if chain.result != "none" else []
        if chain.domain in {each.lower() for each in values.arc_sealers} and (
            not by_agent or vouches(sealed_results(message), domain, mode)
        ):
            proof = Proof.ARC if chain.result == "pass" else None
            waits = chain.result == "temperror"
    if proof is None and by_agent and "dkim" in counts:
        signatures = dkim_verdicts(message, lookup)
        verdicts += signatures
        results = {each.result for each in signatures if aligned(domain, each.domain, mode)}
        proof = Proof.DKIM if "pass" in results else None
        waits = waits or "temperror" in results
    shown = tuple(_as_dict(each) for each in verdicts)
    if proof is None and waits:
        raise TryLater("DNS does not answer, so the signatures of this message cannot be verified", shown)
    return proof, shown


def authentication(message, originals, values):
    """Return verdicts for the Proof tab: on the message and on each original attached to it; nothing depends on them."""
    lookup, verdicts = TxtLookup(values.dns_resolver), list(own_results(message, values.authserv_id or ""))
    sources = [message, *(original.source for original in originals if original.source is not message)]
    for source in sources[:5]:
        verdicts += dkim_verdicts(source, lookup)
    return tuple(_as_dict(each) for each in verdicts)


class TxtLookup:
    """TXT records, each name asked once, all within ``DNS_TIME``. ``server`` is ``ip[:port]``, or empty for the machine's."""

    def __init__(self, server):
        self._server = server or ""
        self._resolver = None
        self._end = time.monotonic() + DNS_TIME
        self._known = {}

    def __call__(self, name):
        """Return the records of a name. Errors: ``Unanswered``."""
        if name not in self._known:
            self._known[name] = self._ask(name)
        if isinstance(self._known[name], Unanswered):
            raise self._known[name]
        return self._known[name]

    def _ask(self, name):
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
        except (NXDOMAIN, NoAnswer):
            return []
        except (DNSException, OSError) as error:
            return Unanswered(" ".join(str(error).split())[:150] or type(error).__name__)
        return [b"".join(record.strings) for record in answer]


def _as_dict(verdict: Verdict):
    return _shown(verdict.method, verdict.result, verdict.domain, verdict.detail)


def _shown(method, result, about, detail=""):
    return {"method": method, "result": result, "about": about, "detail": detail}
