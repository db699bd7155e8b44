"""What the town's DNS operator must enter so that mail of an account holds: exact records, and whom to ask for the others."""

from dataclasses import dataclass
from imio.mailbridge.diagnosis.dns import followed
from imio.mailbridge.diagnosis.dns import Unreachable
from imio.mailbridge.diagnosis.forecast import dmarc_of
from imio.mailbridge.diagnosis.forecast import FAILS
from imio.mailbridge.diagnosis.forecast import PASSES
from imio.mailbridge.i18n import _
from imio.mailbridge.message.authentication import domain_policy
from imio.mailbridge.message.authentication.domain_policy import MAX_LOOKUPS
from urllib.parse import quote


#: Name of a provider → the records of DKIM that its customers enter as (selector, type), and where their values are read.
DKIM = {
    "Microsoft 365": (
        (("selector1", "CNAME"), ("selector2", "CNAME")),
        _(
            "Find the values in Microsoft Defender: Email & collaboration, Policies & rules, Threat policies, Email "
            "authentication settings, DKIM, then the domain. Enter both records, then switch the signatures on there."
        ),
    ),
    "Google Workspace": (
        (("google", "TXT"),),
        _(
            "Find the value in the Google Admin console: Apps, Google Workspace, Gmail, Authenticate email. Enter the record, "
            "then start the authentication there."
        ),
    ),
}


@dataclass(frozen=True)
class Entry:
    """A record to enter: ``value`` is empty where only the provider knows it; ``note`` (a msgid) says what to mind.

    Without a ``name`` there is only the note.
    """

    name: str
    kind: str
    value: str
    note: str = ""


def entries(forecasts, host, lookup, reports=""):
    """Return the records that are missing; ``reports`` is the address that gets the reports of DMARC, or empty.

    ``lookup`` is called with name and kind; where it raises ``Unreachable`` nothing is proposed.
    """
    found = {}
    for each in forecasts:
        for propose in (_spf, _dkim, _dmarc):
            try:
                for entry in propose(each, host, lookup, reports):
                    mapping = getattr(entry.note, "mapping", None) or {}  # messages of one msgid are equal
                    found.setdefault((entry, *mapping.values()), entry)
            except Unreachable:
                continue
    return list(found.values())


def _spf(forecast, host, lookup, reports):
    """Yield the SPF record of the envelope sender's domain, with what is missing merged into the present one."""
    domain = forecast.case.envelope
    if forecast.spf.verdict != FAILS:
        return
    present = sorted(domain_policy.spf_records(lookup(domain, "TXT")))
    provider = domain_policy.provider_of(host)
    include = provider[1] if provider else ""
    if not include and not present:
        yield Entry(
            "",
            "",
            "",
            _("Ask the mail provider which SPF record ${domain} must have.", mapping={"domain": domain}),
        )
        return
    text = domain_policy.spf_with(present, include)
    records = followed(lookup, domain) | (followed(lookup, include) if include else {})
    lookups = domain_policy.spf_tree(domain, records | {domain: [text]}).lookups
    if lookups > MAX_LOOKUPS:
        mapping = {"domain": domain, "count": str(lookups), "include": include}
        yield Entry(
            "",
            "",
            "",
            _(
                "SPF of ${domain} would need ${count} look-ups, and receivers stop after 10: first take out what no longer sends "
                "for the domain, then check again.",
                mapping=mapping,
            ),
        )
        return
    yield Entry(domain, "TXT", _value(text), _of_spf(present))


def _of_spf(present):
    if not present:
        return _("Add what else sends for the domain before you enter it: a web site, a newsletter.")
    if len(present) > 1:
        return _("Replaces all existing SPF records: a domain has only one.")
    return _("Replaces the existing SPF record: a domain has only one.")


def _dkim(forecast, host, lookup, reports):
    """Yield the names of the keys, or whom to ask for them, while no signature is known to hold."""
    if forecast.dkim.verdict == PASSES:
        return
    provider = (domain_policy.provider_of(host) or ("",))[0]
    domain = forecast.case.author
    if provider not in DKIM:
        yield Entry(
            "",
            "",
            "",
            _(
                "Ask the mail provider: “Do you sign our mail with DKIM for ${domain}, and which record must we enter for it?”",
                mapping={"domain": domain},
            ),
        )
        return
    records, note = DKIM[provider]
    for number, (selector, kind) in enumerate(records, 1):
        yield Entry(f"{selector}._domainkey.{domain}", kind, "", note if number == len(records) else "")


def _dmarc(forecast, host, lookup, reports):
    """Yield a DMARC record to begin with, and the one by which another domain agrees to get the reports."""
    domain = forecast.case.author
    name = domain_policy.organizational_domain(domain)
    try:
        if dmarc_of(domain, lookup) is not None:
            return
        note = _("To begin with: it asks receivers for nothing, and satisfies those that want a record.")
    except ValueError:
        name = name if name == domain or not lookup(f"_dmarc.{domain}", "TXT") else domain
        note = _("Replaces the existing DMARC records, which cannot be read.")
    target = f"; rua=mailto:{quote(reports, safe='@+._-')}" if reports else ""
    yield Entry(f"_dmarc.{name}", "TXT", f"v=DMARC1; p=none{target}", note)
    other = reports.rpartition("@")[2].lower()
    if other and not domain_policy.aligned(name, other, "r"):  # RFC 7489 §7.1
        yield Entry(
            f"{name}._report._dmarc.{other}",
            "TXT",
            "v=DMARC1",
            _("In the DNS of ${domain}: it agrees to get the reports.", mapping={"domain": other}),
        )


def _value(text):
    """Return a value as the form of a DNS operator wants it: in quotation marks only where it needs several strings."""
    return text if len(text) <= domain_policy.STRING else domain_policy.txt_value(text)
