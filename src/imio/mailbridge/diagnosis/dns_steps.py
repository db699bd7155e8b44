"""Steps ``dns-login`` and ``dns-agent``: MX, SPF, DKIM and DMARC of the domain in From, as receivers see them."""

from imio.mailbridge.diagnosis.dns import followed
from imio.mailbridge.diagnosis.dns import Lookup
from imio.mailbridge.diagnosis.dns import Unreachable
from imio.mailbridge.diagnosis.forecast import dmarc_of
from imio.mailbridge.diagnosis.forecast import FAILS
from imio.mailbridge.diagnosis.forecast import forecast
from imio.mailbridge.diagnosis.forecast import PASSES
from imio.mailbridge.diagnosis.step import OK
from imio.mailbridge.diagnosis.step import SKIPPED
from imio.mailbridge.diagnosis.step import WARNING
from imio.mailbridge.i18n import _
from imio.mailbridge.message.authentication import domain_policy


#: Title of each step: From is the login address (policy ``login``), or the agent's (``send_as``).
TITLES = {"dns-login": _("DNS: mail from the login address"), "dns-agent": _("DNS: mail from the agent")}


def check(report, account, cases, selector, server, deadline):
    """Add a step for each of ``cases``, which maps its name (see ``TITLES``) to its ``Case``; return what DNS answered."""
    silent, answers = False, {}
    for name, case in cases.items():
        report.planned[name] = TITLES[name]
        try:
            if silent:
                raise Unreachable
            lookup = Lookup(server, deadline, report.dialogue)
            verdict, sentence, notes, ask = _judge(lookup, account, case, selector)
        except Unreachable:
            silent = True
            report.add(
                name,
                SKIPPED,
                _("No DNS server answers, so SPF, DKIM and DMARC could not be checked from here."),
            )
            continue
        answers |= lookup.answers
        report.add(name, verdict, sentence, ask, notes)
    return answers


def _judge(lookup, account, case, selector):
    """Return (verdict, sentence, notes, ask) for a case."""
    mapping = {"domain": case.author, "other": case.envelope}
    notes, problems, asks = [], [], []
    if not lookup(case.author, "MX"):
        problems.append(_("${domain} has no MX record: nobody can answer.", mapping=mapping))
    found = forecast(case, account.host, lookup, selector)
    (problems if found.spf.verdict == FAILS else notes).append(found.spf.sentence)
    notes.append(found.dkim.sentence)
    if found.spf.verdict == FAILS:
        asks.append(_("Which SPF record must our domain have, so that your server may send for it?"))
    problems += _flaws(lookup, case.envelope)
    _read_dmarc(lookup, case, found, notes, problems, mapping)
    if found.fails:
        asks.append(_("Can you sign our mail with DKIM for our domain?"))
    sentence = (
        _(
            "The DNS of ${domain} can be improved, so that mail from iA.docs is not mistaken for spam.",
            mapping=mapping,
        )
        if problems
        else _("The DNS of ${domain} suits mail that iA.docs sends through this account.", mapping=mapping)
    )
    return WARNING if problems else OK, sentence, (*problems, *notes), next(iter(asks), "")


def _flaws(lookup, domain):
    """Yield what to mend in an SPF record that receivers can read."""
    records = followed(lookup, domain)
    found = domain_policy.spf_records(records[domain])
    if len(found) != 1 or domain_policy.read_spf(found[0]).unknown:
        return
    tree = domain_policy.spf_tree(domain, records)
    if tree.broken:
        names = ", ".join(tree.broken)[:200]
        yield _("The SPF record includes domains that have no valid one: ${names}", mapping={"names": names})
    if tree.rest in ("", "+", "?"):
        yield _("The SPF record does not say what to do with other senders: it should end in ~all or -all.")


def _read_dmarc(lookup, case, found, notes, problems, mapping):
    """Say what the DMARC record asks for, and whether this mail fits it."""
    try:
        record = dmarc_of(case.author, lookup)
    except ValueError:
        problems.append(found.dmarc.sentence)
        return
    if not domain_policy.aligned(case.author, case.envelope, record.aspf if record else "r"):
        (notes if found.dkim.verdict == PASSES or record is None else problems).append(
            _(
                "From (${domain}) and the envelope sender (${other}) do not match, so SPF does not count for DMARC: only a "
                "signature (DKIM) does.",
                mapping=mapping,
            )
        )
    if record is not None:
        notes.append(_("DMARC: the policy is ${policy}.", mapping={"policy": record.policy}))
        if record.percent < 100:
            percent = {"percent": str(record.percent)}
            notes.append(_("DMARC: the policy counts for ${percent} % of the mail.", mapping=percent))
    (problems if found.fails else notes).append(found.dmarc.sentence)
