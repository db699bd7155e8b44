"""Foretells whether SPF, DKIM and DMARC hold for mail of an account, from DNS and from what became of a test message."""

from dataclasses import dataclass
from imio.mailbridge.diagnosis.dns import followed
from imio.mailbridge.diagnosis.dns import SELECTORS
from imio.mailbridge.diagnosis.dns import Unreachable
from imio.mailbridge.i18n import _
from imio.mailbridge.message.address import wire_address
from imio.mailbridge.message.authentication import domain_policy
from imio.mailbridge.message.authentication.domain_policy import aligned


PASSES, FAILS, UNKNOWN = "passes", "fails", "unknown"

#: Policy of DMARC → what becomes of mail for which DMARC fails.
CONSEQUENCES = {
    "reject": _(
        "DMARC fails: neither SPF nor a signature vouches for ${domain}, which asks receivers to refuse such mail."
    ),
    "quarantine": _(
        "DMARC fails: neither SPF nor a signature vouches for ${domain}, which asks receivers to treat such mail as spam."
    ),
    "none": _(
        "DMARC fails: neither SPF nor a signature vouches for ${domain}. Its DMARC record asks for nothing yet; many receivers "
        "treat such mail as spam."
    ),
}


def domain_of(addr_spec):
    """Return the domain of an address as it stands in DNS."""
    return wire_address(addr_spec).rpartition("@")[2].lower()


@dataclass(frozen=True)
class Verdict:
    """``passes``, ``fails`` or ``unknown``, and why: a sentence (msgid)."""

    verdict: str
    sentence: str


@dataclass(frozen=True)
class Case:
    """Mail of one kind: the sender policy, and the domains of From and of the envelope sender, in ASCII and lower case."""

    policy: str
    author: str
    envelope: str

    @classmethod
    def of(cls, policy, author, envelope):
        """Return the case of mail with these addresses."""
        return cls(policy, domain_of(author), domain_of(envelope))


@dataclass(frozen=True)
class Forecast:
    """What receivers will find for mail of one kind. ``demand`` is what the DMARC record of the author's domain asks of them:
    ``none``, ``quarantine``, ``reject``, or an empty string without a readable record.
    """

    case: Case
    spf: Verdict
    dkim: Verdict
    dmarc: Verdict
    demand: str = ""

    @property
    def fails(self):
        """Tell whether DMARC must fail."""
        return self.dmarc.verdict == FAILS


def failing(forecasts, policy):
    """Return the forecast of a policy for which DMARC must fail, or None; ``auto`` uses both of the others."""
    return next((each for each in forecasts if each.fails and policy in (each.case.policy, "auto")), None)


def advised_policy(forecasts, preferred="login"):
    """Return the policy to propose: ``preferred`` unless DMARC must fail with it, else ``login`` or ``send_as``.

    An empty string when DMARC must fail with each.
    """
    forecasts = tuple(forecasts)
    return next(
        (policy for policy in (preferred, "login", "send_as") if failing(forecasts, policy) is None), ""
    )


def forecast(case, host, lookup, selector="", returned=None):
    """Return the ``Forecast`` of a case sent by the server ``host``.

    ``lookup`` is called with name and kind; what raises ``Unreachable`` cannot be told. ``returned`` is called with ``host`` and
    the domain in From for what a test message showed: a ``knowledge.Returned``, which counts where it is not older than DNS, or DNS
    cannot tell.
    """
    demand, record, unread = "", None, None
    try:
        record = dmarc_of(case.author, lookup)
        demand = record.demand if record else ""
    except Unreachable:
        unread = _unanswered(case.author)
    except ValueError:
        unread = Verdict(UNKNOWN, _("The DMARC record cannot be read, so it protects nothing."))
    spf = _told(lambda: _spf(case.envelope, host, lookup), case.envelope)
    dkim = _told(lambda: _dkim(case.author, host, lookup, selector), case.author)
    if returned is not None and (mail := returned(host, case.author)) is not None:
        spf = _newer(spf, _seen_spf(case, mail), mail)
        dkim = _newer(dkim, _seen_dkim(case, mail, record.adkim if record else "r"), mail)
    return Forecast(case, spf, dkim, unread or _dmarc(case, spf, dkim, record), demand)


def _newer(of_dns, seen, mail):
    return seen if seen and (mail.is_newer or of_dns.verdict == UNKNOWN) else of_dns


def dmarc_of(domain, lookup):
    """Return the DMARC record that holds for a domain, or None. Errors: ``ValueError`` for one that cannot be read."""
    organization = domain_policy.organizational_domain(domain)
    record = domain_policy.read_dmarc(lookup(f"_dmarc.{domain}", "TXT"))
    if record is None and organization != domain:
        record = domain_policy.read_dmarc(lookup(f"_dmarc.{organization}", "TXT"))
        record = record and record.for_subdomains()
    return record


def _told(judge, domain):
    try:
        return judge()
    except Unreachable:
        return _unanswered(domain)


def _unanswered(domain):
    return Verdict(UNKNOWN, _("DNS did not answer for ${domain}.", mapping={"domain": domain}))


def _spf(domain, host, lookup):
    """Judge whether the SPF record of the envelope sender's domain allows the server."""
    records = followed(lookup, domain)
    found = domain_policy.spf_records(records[domain])
    mapping = {"domain": domain, "host": host}
    if not found:
        return Verdict(FAILS, _("${domain} has no SPF record.", mapping=mapping))
    if len(found) > 1:
        return Verdict(
            FAILS, _("${domain} has several SPF records: receivers ignore all of them.", mapping=mapping)
        )
    spf, tree = domain_policy.read_spf(found[0]), domain_policy.spf_tree(domain, records)
    if spf.unknown:
        mapping["terms"] = ", ".join(spf.unknown)[:200]
        return Verdict(
            FAILS,
            _(
                "The SPF record of ${domain} contains terms that receivers cannot read: ${terms}",
                mapping=mapping,
            ),
        )
    if tree.lookups > domain_policy.MAX_LOOKUPS:
        mapping["count"] = str(tree.lookups)
        return Verdict(
            FAILS,
            _(
                "The SPF record of ${domain} needs ${count} look-ups; receivers stop after 10.",
                mapping=mapping,
            ),
        )
    provider = domain_policy.provider_of(host)
    if provider is not None:
        mapping |= {"provider": provider[0], "include": f"include:{provider[1]}"}
        if provider[1] in tree.names:
            return Verdict(PASSES, _("SPF allows ${provider} to send for ${domain}.", mapping=mapping))
        return Verdict(
            FAILS, _("SPF of ${domain} does not allow ${provider}: ${include} is missing.", mapping=mapping)
        )
    exchangers = [text.split()[-1].rstrip(".").lower() for text in lookup(domain, "MX") if text.split()]
    addresses = [host] + [address for kind in ("A", "AAAA") for address in lookup(host, kind)]
    if domain_policy.spf_allows(spf, domain, host.lower(), exchangers, addresses):
        return Verdict(
            PASSES, _("SPF of ${domain} allows ${host}, as long as mail leaves from there.", mapping=mapping)
        )
    return Verdict(
        UNKNOWN, _("Whether SPF allows the server cannot be told from its name; the mail provider knows.")
    )


def _dkim(domain, host, lookup, selector):
    """Judge whether the server can sign for the author's domain, from the keys in DNS."""
    provider = (domain_policy.provider_of(host) or ("",))[0]
    fixed = domain_policy.SIGNS_WITH.get(provider, ())
    likely = fixed or domain_policy.PROPOSES.get(provider, ())
    names = dict.fromkeys((selector,) if selector else (*likely, *SELECTORS))
    mapping = {"domain": domain, "provider": provider, "selectors": ", ".join(fixed)}
    spoiled = ""
    for name in names:
        state = domain_policy.dkim_key(lookup(f"{name}._domainkey.{domain}", "TXT"))
        mapping["selector"] = name
        if state == "ok" and (selector or name in likely):
            return Verdict(
                PASSES,
                _("DKIM: ${domain} has the key that the server signs with (${selector}).", mapping=mapping),
            )
        if state == "ok" and not fixed:
            sentence = _(
                "DKIM: ${domain} has a key (${selector}); only a test message shows whether the server signs with it.",
                mapping=mapping,
            )
            return Verdict(UNKNOWN, sentence)
        if state in ("weak", "revoked"):
            spoiled = spoiled or name
    if spoiled:
        mapping["selector"] = spoiled
        return Verdict(
            FAILS if selector or spoiled in likely else UNKNOWN,
            _("DKIM: the key of the selector ${selector} cannot be used.", mapping=mapping),
        )
    if fixed:
        return Verdict(
            FAILS,
            _(
                "DKIM: ${domain} has none of the keys that ${provider} signs with (${selectors}).",
                mapping=mapping,
            ),
        )
    return Verdict(
        UNKNOWN, _("DKIM: no key was found. Ask the mail provider for the selector that it signs with.")
    )


def _dmarc(case, spf, dkim, record):
    """Judge whether DMARC holds: SPF or DKIM, for a domain that fits the author's."""
    mapping = {"domain": case.author, "other": case.envelope}
    if record is None:
        return Verdict(
            UNKNOWN, _("${domain} has no DMARC record; large mail providers expect one.", mapping=mapping)
        )
    fits = aligned(case.author, case.envelope, record.aspf)
    if fits and spf.verdict == PASSES:
        return Verdict(PASSES, _("DMARC passes, by SPF of ${other}.", mapping=mapping))
    if dkim.verdict == PASSES:
        return Verdict(PASSES, _("DMARC passes, by the signature for ${domain}.", mapping=mapping))
    if dkim.verdict == UNKNOWN:
        return Verdict(
            UNKNOWN,
            _(
                "Whether DMARC of ${domain} passes depends on a signature for it, which a test message shows.",
                mapping=mapping,
            ),
        )
    if fits and spf.verdict == UNKNOWN:
        return Verdict(
            UNKNOWN, _("Whether DMARC of ${domain} passes depends on SPF of ${other}.", mapping=mapping)
        )
    return Verdict(FAILS, _(CONSEQUENCES[record.demand], mapping=mapping))


def _seen_spf(case, mail):
    """Return what the receiver of a test message said of SPF, or None."""
    if mail.envelope != case.envelope or mail.spf not in ("pass", "fail", "softfail"):
        return None
    mapping = {"time": mail.time, "server": mail.server, "domain": case.envelope}
    if mail.spf == "pass":
        return Verdict(
            PASSES, _("In a test on ${time}, ${server} found SPF of ${domain} valid.", mapping=mapping)
        )
    return Verdict(FAILS, _("In a test on ${time}, SPF of ${domain} failed at ${server}.", mapping=mapping))


def _seen_dkim(case, mail, mode):
    """Return what a test message showed of DKIM, or None; inside one organization providers do not sign."""
    mapping = {"time": mail.time, "server": mail.server, "domain": case.author}
    results = [result for result, signer in mail.dkim if aligned(case.author, signer, mode)]
    if "pass" in results or (not results and any(aligned(case.author, each, mode) for each in mail.signers)):
        return Verdict(
            PASSES, _("The test message of ${time} came back signed for ${domain}.", mapping=mapping)
        )
    if results:
        return Verdict(
            FAILS,
            _(
                "In a test on ${time}, ${server} found the signature for ${domain} not valid.",
                mapping=mapping,
            ),
        )
    if mail.is_outside:
        return Verdict(
            FAILS,
            _("The test message of ${time} came back without a signature for ${domain}.", mapping=mapping),
        )
    return None
