"""Checks MX, SPF, DKIM and DMARC of the domain in From, as receivers see them, under each sender policy."""

from dns.exception import DNSException
from dns.resolver import NoAnswer
from dns.resolver import NXDOMAIN
from imio.mailbridge.diagnosis.step import OK
from imio.mailbridge.diagnosis.step import SKIPPED
from imio.mailbridge.diagnosis.step import WARNING
from imio.mailbridge.i18n import _
from imio.mailbridge.message.address import wire_address
from imio.mailbridge.message.authentication import domain_policy
from imio.mailbridge.message.one_line import readable
from imio.mailbridge.transport.resolver import resolver


#: Selectors that are tried when the admin names none.
SELECTORS = ("selector1", "selector2", "google", "default", "mail", "s1", "s2", "dkim")

#: How many includes of an SPF record are followed.
INCLUDES = 12


class Unreachable(Exception):
    """The DNS server gives no answer at all."""


class Lookup:
    """DNS queries within a deadline; a missing name has no answers. ``server`` is ``ip[:port]``, or empty for the machine's."""

    def __init__(self, server, deadline, dialogue):
        self._deadline = deadline
        self._dialogue = dialogue
        try:
            self._resolver = resolver(server)
        except DNSException as error:
            raise Unreachable(readable(error)) from error

    def __call__(self, name, kind):
        """Return the answers as texts. Errors: ``Unreachable``."""
        self._dialogue.client(f"DNS {name} {kind}")
        try:
            answer = self._resolver.resolve(name, kind, lifetime=min(5.0, self._deadline.left), search=False)
        except (NXDOMAIN, NoAnswer):
            self._dialogue.server("(nothing)")
            return []
        except (DNSException, OSError, ValueError, UnicodeError) as error:
            self._dialogue.server(f"({readable(error)})")
            raise Unreachable(readable(error)) from error
        if kind == "TXT":
            texts = [b"".join(record.strings).decode("utf-8", "replace") for record in answer]
        else:
            texts = [record.to_text() for record in answer]
        for text in texts[:10]:
            self._dialogue.server(text)
        return texts


#: Title of each step: From is the login address (policy ``login``), or the agent's (``send_as``).
TITLES = {"dns-login": _("DNS: mail from the login address"), "dns-agent": _("DNS: mail from the agent")}


def check(report, account, cases, selector, server, deadline):
    """Add a step for each case: its name (see ``TITLES``), the address in From, the envelope sender."""
    silent = False
    for name, author, envelope in cases:
        report.planned[name] = TITLES[name]
        try:
            if silent:
                raise Unreachable
            lookup = Lookup(server, deadline, report.dialogue)
            verdict, sentence, notes, ask = _judge(lookup, account, author, envelope, selector)
        except Unreachable:
            silent = True
            report.add(
                name,
                SKIPPED,
                _("No DNS server answers, so SPF, DKIM and DMARC could not be checked from here."),
            )
            continue
        report.add(name, verdict, sentence, ask, notes)


def _judge(lookup, account, author, envelope, selector):
    """Return (verdict, sentence, notes, ask) for mail with ``author`` in From and ``envelope`` as envelope sender."""
    domain, other = (wire_address(each).rpartition("@")[2].lower() for each in (author, envelope))
    notes, problems, asks = [], [], []
    if not lookup(domain, "MX"):
        problems.append(_("${domain} has no MX record: nobody can answer.", mapping={"domain": domain}))
    spf_passes = _spf(lookup, account, other, notes, problems, asks)
    dkim = _dkim(lookup, domain, selector, notes)
    _dmarc(lookup, domain, other, spf_passes, dkim, notes, problems, asks)
    verdict = WARNING if problems else OK
    mapping = {"domain": domain}
    sentence = (
        _(
            "DNS of ${domain} can be improved, so that mail from iA.docs is not taken for spam.",
            mapping=mapping,
        )
        if problems
        else _("DNS of ${domain} fits mail that iA.docs sends by this account.", mapping=mapping)
    )
    return verdict, sentence, (*problems, *notes), next(iter(asks), "")


def _spf(lookup, account, domain, notes, problems, asks):
    """Return whether SPF allows the provider: True, False, or None where that cannot be told."""
    records = _followed(lookup, domain)
    found = domain_policy.spf_records(records[domain])
    mapping = {"domain": domain}
    if not found:
        problems.append(_("${domain} has no SPF record.", mapping=mapping))
        asks.append(_("Which SPF record must our domain have, so that your server may send for it?"))
        return False
    if len(found) > 1:
        problems.append(
            _("${domain} has several SPF records: receivers ignore all of them.", mapping=mapping)
        )
        return False
    spf, tree = domain_policy.read_spf(found[0]), domain_policy.spf_tree(domain, records)
    if spf.unknown or tree.broken:
        terms = ", ".join((*spf.unknown, *tree.broken))[:200]
        problems.append(
            _("The SPF record holds what receivers cannot read: ${terms}", mapping={"terms": terms})
        )
    if tree.lookups > domain_policy.MAX_LOOKUPS:
        count = {"count": str(tree.lookups)}
        problems.append(_("The SPF record needs ${count} look-ups; receivers stop after 10.", mapping=count))
    if tree.rest in ("", "+", "?"):
        problems.append(
            _("The SPF record does not say what to do with other senders: it should end in ~all or -all.")
        )
    provider = domain_policy.provider_of(account.host)
    if provider is None:
        notes.append(
            _("Whether SPF allows the server cannot be told from its name; the mail provider knows.")
        )
        return None
    allowed = provider[1] in tree.names
    mapping = {"provider": provider[0], "include": f"include:{provider[1]}"}
    if allowed:
        notes.append(_("SPF allows ${provider}.", mapping=mapping))
    else:
        problems.append(_("SPF does not allow ${provider}: ${include} is missing.", mapping=mapping))
        asks.append(_("Which SPF record must our domain have, so that your server may send for it?"))
    return allowed


def _followed(lookup, domain):
    """Return the TXT records of a domain and of those that its SPF record includes."""
    records, waiting = {}, [domain]
    while waiting and len(records) < INCLUDES:
        name = waiting.pop(0)
        if name not in records:
            records[name] = lookup(name, "TXT")
            for text in domain_policy.spf_records(records[name])[:1]:
                waiting += domain_policy.read_spf(text).followed
    return records


def _dkim(lookup, domain, selector, notes):
    """Return whether a DKIM key was found; without a selector from the admin not finding one proves nothing."""
    for name in (selector,) if selector else SELECTORS:
        state = domain_policy.dkim_key(lookup(f"{name}._domainkey.{domain}", "TXT"))
        if state == "ok":
            notes.append(_("DKIM: there is a key for the selector ${selector}.", mapping={"selector": name}))
            return True
        if state in ("weak", "revoked"):
            notes.append(
                _("DKIM: the key of the selector ${selector} cannot be used.", mapping={"selector": name})
            )
    notes.append(_("DKIM: no key was found. Ask the mail provider for the selector that it signs with."))
    return False


def _dmarc(lookup, domain, other, spf_passes, dkim, notes, problems, asks):
    organization = domain_policy.organizational_domain(domain)
    try:
        dmarc = domain_policy.read_dmarc(lookup(f"_dmarc.{domain}", "TXT"))
        if dmarc is None and organization != domain:
            dmarc = domain_policy.read_dmarc(lookup(f"_dmarc.{organization}", "TXT"))
    except ValueError:
        problems.append(_("The DMARC record cannot be read, so it protects nothing."))
        return
    if not domain_policy.aligned(domain, other, dmarc.aspf if dmarc else "r"):
        spf_passes = False
        (notes if dkim or dmarc is None else problems).append(
            _(
                "From (${domain}) and the envelope sender (${other}) do not fit together, so SPF does not count for DMARC: only a "
                "signature (DKIM) does.",
                mapping={"domain": domain, "other": other},
            )
        )
    if dmarc is None:
        notes.append(_("DMARC: no record. Large mail providers want one."))
        return
    notes.append(_("DMARC: the policy is ${policy}.", mapping={"policy": dmarc.policy}))
    if spf_passes or dkim:
        notes.append(_("DMARC: From and the checks fit together."))
    elif spf_passes is False:
        problems.append(_("DMARC: neither SPF nor DKIM vouches for this mail; receivers follow the policy."))
        asks.append(_("Can you sign our mail with DKIM for our domain?"))
