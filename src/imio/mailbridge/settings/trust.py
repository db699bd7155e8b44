"""What counts as proof of where a mail comes from: fields and values."""

from dataclasses import dataclass
from functools import cache
from imio.mailbridge.i18n import _
from imio.mailbridge.message.classification.classify import compile_agent_patterns
from imio.mailbridge.settings import validate
from imio.mailbridge.settings.terms import terms
from typing import Any
from zope import schema
from zope.interface import Interface
import ipaddress
import logging
import re


logger = logging.getLogger(__name__)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PROOFS = terms(
    tag=_("The secret part of the mail-in address"),
    gateway=_("The address of a trusted mail server"),
    arc=_("A seal (ARC) of a listed mail provider"),
    dkim=_("For agents: a signature (DKIM) of the agent's domain"),
    results=_("For agents: what your own mail server verified (Authentication-Results)"),
)

DKIM_ALIGNMENT = terms(
    relaxed=_("The domain of the agent's address, or one of the same organization"),
    strict=_("Exactly the domain of the agent's address"),
)


class ITrust(Interface):
    """What the bridge accepts as proof."""

    proofs = schema.List(
        title=_("Accepted proofs"),
        description=_(
            "Without one of these a mail is quarantined. The first two hold for all mail; seals need a list of providers, results "
            "the name of your mail server."
        ),
        value_type=schema.Choice(vocabulary=PROOFS),
        default=["tag", "gateway", "arc", "dkim", "results"],
        missing_value=[],
        required=False,
    )

    trusted_gateways = schema.List(
        title=_("Trusted mail servers"),
        description=_(
            "IP addresses or networks (192.0.2.0/24), one per line, of the servers that deliver the mail of your mailboxes. "
            "Anyone can write the marks of a forward into a mail: without such a proof it is quarantined."
        ),
        value_type=schema.TextLine(constraint=validate.network),
        default=[],
        missing_value=[],
        required=False,
    )
    agent_patterns = schema.List(
        title=_("Agent addresses"),
        description=_(
            "Regular expressions, one per line; the whole address must match. [^@.]+[.][^@]+@maville[.]be means first.last of"
            " maville.be, but not noreply@ or info@, whose mail programs write."
        ),
        value_type=schema.TextLine(constraint=validate.pattern),
        default=[],
        missing_value=[],
        required=False,
    )
    dkim_alignment = schema.Choice(
        title=_("DKIM signatures of agents"),
        description=_("Whose signature counts: the mail server of a domain signs what leaves it."),
        vocabulary=DKIM_ALIGNMENT,
        default="relaxed",
    )
    arc_sealers = schema.List(
        title=_("Trusted ARC sealers"),
        description=_(
            "Domains in the ARC seal (d=), one per line, for instance microsoft.com for Microsoft 365. A provider vouches for"
            " what it passed on, for other customers too: list only those that host your mailboxes."
        ),
        value_type=schema.TextLine(constraint=validate.domain),
        default=[],
        missing_value=[],
        required=False,
    )
    authserv_id = schema.TextLine(
        title=_("Verifying mail server"),
        description=_(
            "The name with which your own incoming mail server begins Authentication-Results (mx.maville.be); it must remove "
            "such headers of others. Empty: these headers prove nothing."
        ),
        constraint=validate.authserv_id,
        required=False,
    )


@dataclass(frozen=True)
class TrustSettings:
    """What the bridge accepts as proof; domains are in lower case."""

    proofs: frozenset[str] = frozenset({"tag", "gateway", "arc", "dkim", "results"})
    trusted_gateways: tuple[Network, ...] = ()
    agent_patterns: tuple[re.Pattern[str], ...] = ()
    dkim_alignment: str = "relaxed"
    arc_sealers: frozenset[str] = frozenset()
    authserv_id: str = ""

    def trusts(self, client_address: str) -> bool:
        """Tell whether a client's address (text) is in ``trusted_gateways``."""
        try:
            address = ipaddress.ip_address(client_address)
        except ValueError:
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self.trusted_gateways)


def read(records: Any) -> dict[str, Any]:
    """Return the values of ``TrustSettings`` from the registry records."""
    return {
        "proofs": frozenset(records.proofs or ()),
        "trusted_gateways": tuple(filter(None, map(_network, records.trusted_gateways or ()))),
        "agent_patterns": tuple(filter(None, map(_pattern, records.agent_patterns or ()))),
        "dkim_alignment": records.dkim_alignment,
        "arc_sealers": frozenset(each.lower() for each in records.arc_sealers or ()),
        "authserv_id": records.authserv_id or "",
    }


# plone.registry drops the constraints of these fields: a value that its own editor took must not stop all mail


@cache
def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        logger.error("this setting is ignored: trusted_gateways: %s", error)
        return None


@cache
def _pattern(text: str) -> re.Pattern[str] | None:
    try:
        (pattern,) = compile_agent_patterns([text])
    except re.error as error:
        logger.error("this setting is ignored: agent_patterns: %s: %s", text, error)
        return None
    return pattern
