"""Decides what proves where a message comes from: its envelope, otherwise its verified signatures.

============ ================================================= ===========================
proof        what it is                                        proves
============ ================================================= ===========================
``tag``      the secret part of the envelope recipient         redirects, agents' forwards
``gateway``  the client's address is a trusted mail server     redirects, agents' forwards
``arc``      an unbroken chain, sealed last by a listed domain redirects, agents' forwards
``dkim``     a signature of the agent's domain on mail to us   agents' forwards
``results``  our own mail server's word for the agent's domain agents' forwards
``login``    the log-in of who handed it in on a page          who handed it in
============ ================================================= ===========================

The settings say which of them count. A message that may read otherwise than it was verified is proven by its envelope alone. A seal
proves an agent's forward only when the sealer verified the agent's domain, because it seals the mail of its other customers too. A
signature proves one only when it covers Content-Type, and To or Cc with an address whose mail is ours: whoever got a signed mail of
an agent can hand it over another time.
"""

from dataclasses import dataclass
from dataclasses import replace
from imio.mailbridge.inbound.destination import Destination
from imio.mailbridge.inbound.envelope import Envelope
from imio.mailbridge.inbound.signatures import as_dict
from imio.mailbridge.inbound.signatures import is_signed
from imio.mailbridge.inbound.signatures import Signatures
from imio.mailbridge.inbound.signatures import UNSIGNED
from imio.mailbridge.message.address import without_detail
from imio.mailbridge.message.authentication.domain_policy import aligned
from imio.mailbridge.message.authentication.proving_field import has_plain_author
from imio.mailbridge.message.authentication.proving_field import has_unseen
from imio.mailbridge.message.authentication.results import own_results
from imio.mailbridge.message.authentication.results import sealed_results
from imio.mailbridge.message.authentication.results import vouches
from imio.mailbridge.message.authentication.signatures import ambiguity
from imio.mailbridge.message.authentication.signatures import signed_names
from imio.mailbridge.message.authentication.signatures import Verdict
from imio.mailbridge.message.classification.classify import Classification
from imio.mailbridge.message.classification.classify import Proof
from imio.mailbridge.message.parsing.parse import ParsedMessage
from imio.mailbridge.settings.read import Settings


#: Reason codes that verified signatures can remove.
UNPROVEN = ("unproven-redirect", "unproven-agent")

Verdicts = tuple[dict[str, str], ...]


@dataclass(frozen=True)
class Finding:
    """What signatures prove. ``asks``: they are to be verified first; ``unanswered``: DNS did not answer for one that could."""

    proof: Proof | None = None
    verdicts: Verdicts = ()
    asks: bool = False
    unanswered: bool = False


NOTHING = Finding()


def from_envelope(
    envelope: Envelope, arrived: Destination, settings: Settings
) -> tuple[Proof | None, Verdicts]:
    """Return the proof that the envelope gives, or None, and its verdicts."""
    verdicts, proof = [], None
    if envelope.client_address:
        trusted = settings.trusts(envelope.client_address)
        verdicts.append(Verdict("gateway", "pass" if trusted else "none", envelope.client_address))
        if trusted and "gateway" in settings.proofs:
            proof = Proof.GATEWAY
    if arrived.tag_mailbox is not None:
        verdicts.append(Verdict("tag", "pass", arrived.tag_mailbox or arrived.address))
        if proof is None and "tag" in settings.proofs:
            proof = Proof.TAG
    return proof, tuple(map(as_dict, verdicts))


def from_signatures(
    message: ParsedMessage, found: Classification, settings: Settings, signatures: Signatures | None
) -> Finding:
    """Return what the signatures of a message prove that was classified as one of ``UNPROVEN``."""
    if doubt := ambiguity(message):
        return _refused(doubt)
    by_agent = found.reason == "unproven-agent"
    if by_agent and len(message.authors) != 1:
        return _refused("it has several authors")
    if by_agent and not has_plain_author(message):
        return _refused("From can be read in several ways")
    domain = message.author.addr_spec.rpartition("@")[2].lower() if by_agent and message.author else ""
    counts, mode = settings.proofs, "s" if settings.dkim_alignment == "strict" else "r"
    seen: tuple[Verdict, ...] = ()
    if by_agent and "results" in counts:
        seen = own_results(message, settings.authserv_id)
        if vouches(seen, domain, mode):
            return Finding(Proof.RESULTS, tuple(map(as_dict, seen)))
    by_arc, by_dkim = "arc" in counts and bool(settings.arc_sealers), by_agent and "dkim" in counts
    if not (by_arc or by_dkim):
        return Finding(None, tuple(map(as_dict, seen)))
    if signatures is None and is_signed(message):
        return Finding(None, tuple(map(as_dict, seen)), asks=True)
    signatures, proof, unanswered = signatures or UNSIGNED, None, False
    if by_arc:
        chain = signatures.arc
        seen += (chain,) if chain.result != "none" else ()
        if chain.domain in settings.arc_sealers and (
            not by_agent or vouches(sealed_results(message), domain, mode)
        ):
            proof = Proof.ARC if chain.result == "pass" else None
            unanswered = chain.result == "temperror"
    if by_dkim and proof is None:
        judged = tuple(
            _judged(each, message, number, settings) for number, each in enumerate(signatures.dkim)
        )
        seen += judged
        results = {each.result for each in judged if aligned(domain, each.domain, mode)}
        proof = Proof.DKIM if "pass" in results else None
        unanswered = unanswered or "temperror" in results
    return Finding(proof, tuple(map(as_dict, seen)), unanswered=proof is None and unanswered)


def _judged(verdict: Verdict, message: ParsedMessage, number: int, settings: Settings) -> Verdict:
    """Return the verdict on the DKIM signature ``number``: ``policy`` when the signed mail may have been meant for others."""
    if verdict.result not in ("pass", "temperror"):
        return verdict
    names = signed_names(message, number)
    if "content-type" not in names:
        return replace(verdict, result="policy", detail="Content-Type is not signed")
    if not any(_is_to_us(message, name, settings) for name in ("to", "cc") if name in names):
        return replace(verdict, result="policy", detail="no address of iA.docs is in a signed To or Cc")
    return verdict


def _is_to_us(message: ParsedMessage, name: str, settings: Settings) -> bool:
    if any(map(has_unseen, message.root.values(name))):
        return False
    ours = {
        *map(without_detail, settings.mailin_addresses),
        *settings.source_mailboxes,
        *settings.login_rules,
    }
    found = {address.addr_spec.lower() for address in message.addresses(name)}
    return not ours.isdisjoint(found | set(map(without_detail, found)))


def _refused(doubt: str) -> Finding:
    return Finding(None, (as_dict(Verdict("message", "policy", "", doubt)),))
