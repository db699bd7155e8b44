"""Recognises the mail provider of a domain, and its servers, from DNS alone; says which record each conclusion comes from."""

from dataclasses import dataclass
from imio.mailbridge.diagnosis.dns import Unreachable
from imio.mailbridge.i18n import _
from imio.mailbridge.message.address import ascii_domain
from imio.mailbridge.message.authentication import domain_policy
from imio.mailbridge.settings.providers import provider
import re


#: End of a host name in an MX record → provider.
MX = {
    "mail.protection.outlook.com": "microsoft365",
    "mx.microsoft": "microsoft365",
    "aspmx.l.google.com": "google",
    "smtp.google.com": "google",
    "googlemail.com": "google",
}

#: End of the host name that ``autodiscover`` of a domain leads to → provider.
AUTODISCOVER = {
    "autodiscover.outlook.com": "microsoft365",
    "autodiscover-s.outlook.com": "microsoft365",
}

#: Domain that an SPF record includes → provider. It may send for the domain; the mailboxes may be elsewhere.
SPF = {
    "spf.protection.outlook.com": "microsoft365",
    "_spf.google.com": "google",
}

#: End of a host name in an MX record → name of the filter that stands before the mail server there.
FILTERS = {
    "barracudanetworks.com": "Barracuda",
    "pphosted.com": "Proofpoint",
    "ppe-hosted.com": "Proofpoint",
    "vadesecure.com": "Vade",
    "hornetsecurity.com": "Hornetsecurity",
    "antispameurope.com": "Hornetsecurity",
    "mimecast.com": "Mimecast",
    "iphmx.com": "Cisco",
    "messagelabs.com": "Symantec",
    "trendmicro.com": "Trend Micro",
    "trendmicro.eu": "Trend Micro",
    "sophos.com": "Sophos",
    "mailcontrol.com": "Forcepoint",
    "mailinblack.com": "Mailinblack",
    "altospam.com": "Altospam",
    "antispamcloud.com": "SpamExperts",
    "spamexperts.com": "SpamExperts",
    "mailprotect.be": "Combell",
    "fortimailcloud.com": "FortiMail",
}

#: What a host name may hold → the software that it hints at. Anybody may call a server so.
HINTS = {"zimbra": "zimbra", "bluemind": "bluemind", "exchange": "exchange"}

#: Service of RFC 6186 and RFC 8314 → encryption; implicit TLS first, which RFC 8314 prefers.
SUBMISSION = {"_submissions._tcp": "tls", "_submission._tcp": "starttls"}
IMAP = {"_imaps._tcp": "tls", "_imap._tcp": "starttls"}

#: How many records of an answer are looked at.
RECORDS = 20

_HOST = re.compile(
    r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)+"
)


@dataclass(frozen=True)
class Server:
    """A server as an SRV record names it; ``security`` as in the settings."""

    host: str
    port: int
    security: str


@dataclass(frozen=True)
class Recognised:
    """What DNS says of a domain: the name of a provider, or an empty string where nothing or contradictions were found.

    ``sources`` are sentences (msgids) that say which record each conclusion comes from; ``answered`` is false when no DNS server
    answers.
    """

    provider: str = ""
    sources: tuple[str, ...] = ()
    smtp: Server | None = None
    imap: Server | None = None
    answered: bool = True


@dataclass(frozen=True)
class _Witness:
    """What one record says: ``sentence``, and the provider that it stands for; an empty string when for none."""

    sentence: str
    provider: str = ""


def recognise(domain, lookup):
    """Return what DNS says of the mail of ``domain``. ``lookup`` is a ``diagnosis.dns.Lookup``."""
    try:
        domain = ascii_domain(domain.strip().rstrip(".")).lower()
    except UnicodeError:
        return Recognised()
    if not _HOST.fullmatch(domain):
        return Recognised()
    try:
        exchangers = _exchangers(lookup(domain, "MX"))
    except Unreachable:
        return Recognised(answered=False)
    ask = _patient(lookup)
    target = _autodiscover(ask, domain)
    autoconfig = _alias(ask, f"autoconfig.{domain}")
    smtp, imap = (_server(ask, domain, services) for services in (SUBMISSION, IMAP))
    witnesses = [*_of_exchangers(domain, exchangers), *_of_autodiscover(domain, target, autoconfig)]
    if any(_ending(host, FILTERS) for host in exchangers) and not any(each.provider for each in witnesses):
        witnesses += _of_spf(domain, ask(domain, "TXT"))
    named = [*exchangers, target[1], autoconfig, *(server.host for server, _said in (smtp, imap) if server)]
    hints = _of_names(named)
    if not hints and _is_own(ask, domain, target, autoconfig):
        hints = [
            _Witness(
                _("${name} is a server of your own: perhaps Exchange.", mapping={"name": target[0]}),
                "exchange",
            )
        ]
    witnesses += [_Witness(sentence) for _server, said in (smtp, imap) for sentence in said] + hints
    found = {each.provider for each in witnesses} - {""}
    if len(found) > 1:
        witnesses.append(_Witness(_("These records contradict each other, so no provider is proposed.")))
    return Recognised(
        found.pop() if len(found) == 1 else "", tuple(each.sentence for each in witnesses), smtp[0], imap[0]
    )


def _patient(lookup):
    """Return a look-up for which a server that does not answer has no records."""

    def ask(name, kind):
        try:
            return lookup(name, kind)
        except Unreachable:
            return []

    return ask


def _exchangers(texts):
    """Return the hosts of MX records, best first; an empty string stands for "takes no mail" (RFC 7505)."""
    found = []
    for text in texts:
        preference, _space, name = text.partition(" ")
        if preference.isascii() and preference.isdecimal() and (name == "." or _host(name)):
            found.append((int(preference), _host(name)))
    return [host for _preference, host in sorted(found)[:RECORDS]]


def _of_exchangers(domain, hosts):
    """Return the witnesses among MX hosts: the first of each provider, else the first host."""
    if not any(hosts):
        takes_none = _("The MX record of ${domain} says that it accepts no mail.", mapping={"domain": domain})
        return [
            _Witness(takes_none if hosts else _("${domain} has no MX record.", mapping={"domain": domain}))
        ]
    known = {}
    for host in hosts:
        known.setdefault(_ending(host, MX), host)
    if set(known) != {""}:
        known.pop("", None)
    return [_Witness(_of_exchanger(domain, host), name) for name, host in known.items()]


def _of_exchanger(domain, host):
    mapping = {"domain": domain, "host": host, "filter": _ending(host, FILTERS)}
    if mapping["filter"]:
        return _(
            "The MX record of ${domain} is ${host}: ${filter}, a filter before the mail server.",
            mapping=mapping,
        )
    return _("The MX record of ${domain} is ${host}.", mapping=mapping)


def _autodiscover(ask, domain):
    """Return (name, host that it leads to or an empty string) for the record by which Outlook finds its server."""
    alias, service = f"autodiscover.{domain}", f"_autodiscover._tcp.{domain}"
    if host := _alias(ask, alias):
        return alias, host
    offered = _offers(ask(service, "SRV"))
    return (service, offered[0][2]) if offered and offered[0][2] else (alias, "")


def _of_autodiscover(domain, target, autoconfig):
    """Return the witnesses among the hosts that mail programs are led to."""
    return [
        _Witness(
            _("${name} leads to ${host}.", mapping={"name": name, "host": host}), _ending(host, AUTODISCOVER)
        )
        for name, host in (target, (f"autoconfig.{domain}", autoconfig))
        if host
    ]


def _is_own(ask, domain, target, autoconfig):
    """Tell whether ``autodiscover`` is the town's own, without an ``autoconfig``, which Exchange does not have."""
    name, host = target
    own = domain_policy.aligned(domain, host, "r") if host else bool(ask(name, "A"))
    return own and not autoconfig and not ask(f"autoconfig.{domain}", "A")


def _of_spf(domain, texts):
    """Return the witnesses in an SPF record, the weaker ones: who may send need not hold the mailboxes."""
    found = domain_policy.spf_records(texts)
    followed = domain_policy.read_spf(found[0]).followed if len(found) == 1 else ()
    return [
        _Witness(
            _(
                "The SPF record of ${domain} includes ${include}.",
                mapping={"domain": domain, "include": name},
            ),
            SPF[name],
        )
        for name in followed[:RECORDS]
        if name in SPF
    ]


def _of_names(hosts):
    """Return a witness for each kind of software that the name of a host hints at."""
    found = {}
    for host in hosts:
        for hint, name in HINTS.items():
            if re.search(rf"(?<![a-z]){hint}", host) and not _ending(host, MX | AUTODISCOVER):
                found.setdefault(name, host)
    return [
        _Witness(
            _(
                "The name ${host} suggests ${provider}; DNS does not prove it.",
                mapping={"host": host, "provider": provider(name).title},
            ),
            name,
        )
        for name, host in found.items()
    ]


def _server(ask, domain, services):
    """Return (server or None, sentences) for the best of the services that are offered (RFC 6186 §3.4)."""
    found, said = [], []
    for order, (service, security) in enumerate(services.items()):
        name = f"{service}.{domain}"
        for priority, minus, host, port in _offers(ask(name, "SRV")):
            if host:
                found.append((priority, order, minus, Server(host, port, security), name))
            else:
                said.append(_("${name} says that this is not offered.", mapping={"name": name}))
    if not found:
        return None, said
    *_rank, server, name = min(found, key=lambda each: each[:3])
    mapping = {"name": name, "host": server.host, "port": str(server.port)}
    return server, [_("${name} names ${host}, port ${port}.", mapping=mapping)]


def _offers(texts):
    """Return (priority, -weight, host, port) of SRV records, best first; host and port are empty for "not offered" (RFC 2782)."""
    found = []
    for text in texts:
        *numbers, name = text.split() or [""]
        if len(numbers) != 3 or not all(each.isascii() and each.isdecimal() for each in numbers):
            continue
        priority, weight, port = map(int, numbers)
        if _host(name) and 0 < port < 65536:
            found.append((priority, -weight, _host(name), port))
        elif name == ".":
            found.append((0, 0, "", 0))
    return sorted(each for each in found if each[2])[:RECORDS] or found[:1]


def _alias(ask, name):
    """Return the host that a CNAME record names, or an empty string."""
    return next((host for text in ask(name, "CNAME") if (host := _host(text))), "")


def _host(text):
    """Return a host name as it is compared, or an empty string for what is none."""
    host = text.rstrip(".").lower()
    return host if _HOST.fullmatch(host) else ""


def _ending(host, table):
    """Return what a table says of the end of a host name, or an empty string."""
    return next((found for end, found in table.items() if host == end or host.endswith(f".{end}")), "")
