"""Reads the SPF, DKIM and DMARC records of a domain, as pure functions on the texts of DNS records."""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from functools import cache
from publicsuffixlist import PublicSuffixList
import ipaddress
import re


#: The look-ups that a receiver makes for one SPF record before it gives up (RFC 7208 §4.6.4).
MAX_LOOKUPS = 10

#: An RSA key for DKIM with fewer characters of base64 is shorter than 1024 bits, and ignored (RFC 8301 §3.2).
SHORT_KEY = 200

_MECHANISM = re.compile(
    r"([-+~?]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?::([^\s/]+|\S+))?((?:/\d+)?(?://\d+)?)", re.IGNORECASE
)
_MODIFIER = re.compile(r"([A-Za-z][\w.-]*)=(\S*)")
#: Octets of one string of a TXT record (RFC 1035 §3.3.14); receivers join the strings (RFC 7208 §3.3).
STRING = 255
_LOOKED_UP = ("include", "a", "mx", "ptr", "exists")

#: End of the name of an SMTP server → name of its provider, and the domain of its SPF record.
PROVIDERS = {
    "office365.com": ("Microsoft 365", "spf.protection.outlook.com"),
    "outlook.com": ("Microsoft 365", "spf.protection.outlook.com"),
    "gmail.com": ("Google Workspace", "_spf.google.com"),
    "google.com": ("Google Workspace", "_spf.google.com"),
    "ovh.net": ("OVHcloud", "mx.ovh.com"),
    "infomaniak.com": ("Infomaniak", "spf.infomaniak.ch"),
    "gandi.net": ("Gandi", "_mailcust.gandi.net"),
    "mailjet.com": ("Mailjet", "spf.mailjet.com"),
    "brevo.com": ("Brevo", "spf.brevo.com"),
    "sendgrid.net": ("SendGrid", "sendgrid.net"),
    "mailgun.org": ("Mailgun", "mailgun.org"),
    "amazonaws.com": ("Amazon SES", "amazonses.com"),
    "messagingengine.com": ("Fastmail", "spf.messagingengine.com"),
}  # fmt: skip

#: Name of a provider → the selectors that it signs with, where its customers have no others.
SIGNS_WITH = {
    "Microsoft 365": ("selector1", "selector2"),
}

#: Name of a provider → the selectors that it proposes; a customer may have others.
PROPOSES = {
    "Google Workspace": ("google",),
    "Gandi": ("gm1", "gm2", "gm3"),
    "Mailjet": ("mailjet",),
    "SendGrid": ("s1", "s2"),
    "Fastmail": ("fm1", "fm2", "fm3"),
}


@dataclass(frozen=True)
class Spf:
    """An SPF record (RFC 7208): its mechanisms as (qualifier, name, value); ``unknown`` holds the terms that are errors.

    The value of ``ip4`` and ``ip6`` is an address or a network, that of the others a domain, or an empty string for their own.
    """

    mechanisms: tuple[tuple[str, str, str], ...]
    redirect: str = ""
    unknown: tuple[str, ...] = ()

    @property
    def rest(self) -> str:
        """Return the qualifier of ``all``: ``-``, ``~``, ``?`` or ``+``; an empty string without ``all``."""
        return next((qualifier for qualifier, name, _value in self.mechanisms if name == "all"), "")

    @property
    def followed(self) -> tuple[str, ...]:
        """Return the domains whose SPF records this one includes, without those with macros, which depend on the message."""
        names = [value for _qualifier, name, value in self.mechanisms if name == "include"]
        names += [self.redirect] if self.redirect and not self.rest else []
        return tuple(name.lower().rstrip(".") for name in names if "%" not in name)

    @property
    def lookups(self) -> int:
        """Return how many look-ups this record alone takes."""
        own = sum(name in _LOOKED_UP for _qualifier, name, _value in self.mechanisms)
        return own + bool(self.redirect and not self.rest)


@dataclass(frozen=True)
class SpfTree:
    """A record with all that it includes: total look-ups, the included domains, and those of them without one valid record."""

    lookups: int
    names: frozenset[str]
    broken: tuple[str, ...]
    rest: str


@dataclass(frozen=True)
class Dmarc:
    """A DMARC record (RFC 7489 §6.3): the policy for mail that is not aligned; alignment is ``r`` (relaxed) or ``s`` (strict)."""

    policy: str
    subdomain_policy: str
    adkim: str = "r"
    aspf: str = "r"
    percent: int = 100
    reports: bool = False

    @property
    def demand(self) -> str:
        """Return what receivers shall do: with ``pct=0`` what is one step milder than the policy (RFC 7489 §6.6.4)."""
        milder = {"reject": "quarantine", "quarantine": "none", "none": "none"}
        return self.policy if self.percent else milder[self.policy]

    def for_subdomains(self) -> "Dmarc":
        """Return the record as it holds for a subdomain without one of its own."""
        known = self.subdomain_policy in ("none", "quarantine", "reject")
        return replace(self, policy=self.subdomain_policy if known else "none")


def spf_records(texts: Iterable[str]) -> list[str]:
    """Return the SPF records among TXT records."""
    return [text for text in texts if re.match(r"v=spf1(?:\s|$)", text, re.IGNORECASE)]


def read_spf(text: str) -> Spf:
    """Return an SPF record; with terms in ``unknown`` receivers ignore the whole record."""
    mechanisms, unknown, redirect = [], [], ""
    for term in text.split()[1:]:
        if (modifier := _MODIFIER.fullmatch(term)) is not None:
            redirect = modifier[2] if modifier[1].lower() == "redirect" else redirect
        elif (found := _MECHANISM.fullmatch(term)) is not None and (
            found[3] or found[2].lower() not in ("include", "ip4", "ip6", "exists")
        ):
            size = found[4] if found[2].lower() in ("ip4", "ip6") else ""
            mechanisms.append((found[1] or "+", found[2].lower(), (found[3] or "") + size))
            if found[2].lower() == "all":
                break  # receivers never look further
        else:
            unknown.append(term)
    return Spf(tuple(mechanisms), redirect, tuple(unknown))


def spf_tree(domain: str, records: Mapping[str, Sequence[str]]) -> SpfTree:
    """Return the SPF record of ``domain`` with all it includes; ``records`` maps domains, in lower case, to TXT records."""
    seen: set[str] = set()
    broken: list[str] = []

    def walk(name: str) -> tuple[int, str]:
        seen.add(name)
        found = spf_records(records.get(name, ()))
        spf = read_spf(found[0]) if len(found) == 1 else None
        if spf is None or spf.unknown:
            broken.append(name)
            return 0, ""
        lookups, rest = spf.lookups, spf.rest
        for each in spf.followed:
            if each in seen:
                continue
            more, other = walk(each)
            lookups += more
            if each == spf.redirect.lower().rstrip("."):
                rest = rest or other
        return lookups, rest

    lookups, rest = walk(domain)
    return SpfTree(
        lookups, frozenset(seen - {domain}), tuple(name for name in broken if name != domain), rest
    )


def spf_allows(spf: Spf, domain: str, host: str, exchangers: Iterable[str], addresses: Iterable[str]) -> bool:
    """Tell whether a record of ``domain`` itself allows a host: by its name (``a``, ``mx``) or its addresses (``ip4``, ``ip6``).

    False says nothing: what the record includes is not looked at.
    """
    for qualifier, name, value in spf.mechanisms:
        target = (value or domain).lower().rstrip(".")
        if qualifier == "+" and (
            (name == "a" and target == host)
            or (name == "mx" and target == domain and host in exchangers)
            or (name in ("ip4", "ip6") and any(_is_in(address, value) for address in addresses))
        ):
            return True
    return False


def _is_in(address: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def spf_with(records: Sequence[str], include: str) -> str:
    """Return one SPF record in place of ``records``, which also includes ``include`` unless that is empty.

    Terms that receivers cannot read are left out; ``all`` stays as it is where it refuses anything, else it becomes ``~all``.
    """
    terms: list[str] = []
    ends, redirects = [], []
    for record in records:
        spf = read_spf(record)
        redirects += [] if spf.rest or not spf.redirect else [spf.redirect]
        ends.append(spf.rest)
        for term in record.split()[1:]:
            if re.fullmatch(r"[-+~?]?all", term, re.IGNORECASE):
                break
            if (
                term not in spf.unknown
                and term.isascii()
                and term.isprintable()
                and not term.lower().startswith("redirect=")
            ):
                terms.append(term)
    if len(records) > 1 or (redirects and ends != [""]):
        terms += [f"include:{domain}" for domain in redirects]
        redirects = []
    if include:
        terms.append(f"include:{include}")
    end = f"{ends[0]}all" if len(ends) == 1 and ends[0] in ("-", "~") else "~all"
    unique = list({term.lower(): term for term in reversed(terms)}.values())[::-1]
    return " ".join(["v=spf1", *unique, *([f"redirect={redirects[0]}"] if redirects else [end])])


def txt_value(text: str) -> str:
    """Return the value of a TXT record as a zone file has it: in quotation marks, in strings of at most 255 octets."""
    strings = (text[start : start + STRING] for start in range(0, len(text), STRING))
    return " ".join('"{}"'.format(each.replace("\\", "\\\\").replace('"', '\\"')) for each in strings)


def tags_of(text: str) -> dict[str, str]:
    """Return the tags of a list such as ``v=DKIM1; p=…``; of several with one name the first counts."""
    tags: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if equals:
            tags.setdefault(name.strip().lower(), value.strip())
    return tags


def dkim_key(texts: Iterable[str]) -> str:
    """Return the state of the key of a selector: ``none``, ``revoked`` (empty), ``weak`` or ``ok`` (RFC 6376 §3.6.1)."""
    for text in texts:
        tags = tags_of(text)
        if "p" not in tags or tags.get("v", "DKIM1") != "DKIM1":
            continue
        key = "".join(tags["p"].split())
        if not key:
            return "revoked"
        return "weak" if tags.get("k", "rsa") == "rsa" and len(key) < SHORT_KEY else "ok"
    return "none"


def read_dmarc(texts: Iterable[str]) -> Dmarc | None:
    """Return the DMARC record among TXT records, or None. Errors: ``ValueError`` for several records, or one without a policy."""
    found = [text for text in texts if re.match(r"v\s*=\s*DMARC1\s*(?:;|$)", text)]
    if not found:
        return None
    if len(found) > 1:
        raise ValueError("several records")
    tags = tags_of(found[0])
    policy = tags.get("p", "").lower()
    if policy not in ("none", "quarantine", "reject"):
        raise ValueError(found[0])
    percent = tags.get("pct", "100")
    return Dmarc(
        policy,
        tags.get("sp", policy).lower(),
        "s" if tags.get("adkim", "").lower() == "s" else "r",
        "s" if tags.get("aspf", "").lower() == "s" else "r",
        min(int(percent), 100) if percent.isascii() and percent.isdigit() and len(percent) < 4 else 100,
        "rua" in tags,
    )


def organizational_domain(domain: str) -> str:
    """Return the registered domain: the public suffix and the label before it (RFC 7489 §3.2)."""
    return _suffixes().privatesuffix(domain.lower().rstrip(".")) or domain.lower().rstrip(".")


def aligned(author: str, other: str, mode: str) -> bool:
    """Tell whether the domain ``other`` (of the envelope sender or a DKIM signature) is aligned with that of From."""
    if mode == "s":
        return author.lower().rstrip(".") == other.lower().rstrip(".")
    return organizational_domain(author) == organizational_domain(other)


def provider_of(host: str) -> tuple[str, str] | None:
    """Return name and SPF domain of the provider that runs an SMTP server, or None when it is not known."""
    host = host.lower().rstrip(".")
    return next(
        (found for end, found in PROVIDERS.items() if host == end or host.endswith(f".{end}")),
        None,
    )


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(only_icann=True)
