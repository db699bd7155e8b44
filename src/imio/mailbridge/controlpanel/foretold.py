"""What the pages of accounts show of a forecast: marks, and a warning where a sender policy must fail."""

from imio.mailbridge.diagnosis.forecast import advised_policy
from imio.mailbridge.diagnosis.forecast import failing
from imio.mailbridge.diagnosis.forecast import FAILS
from imio.mailbridge.diagnosis.forecast import PASSES
from imio.mailbridge.diagnosis.forecast import UNKNOWN
from imio.mailbridge.i18n import _
from imio.mailbridge.settings.smtp import SENDER_POLICY


#: Verdict → word, colour, sign; the worst first.
MARKS = {
    FAILS: (_("fails"), "danger", "✗"),
    UNKNOWN: (_("cannot be told"), "secondary", "?"),
    PASSES: (_("passes"), "success", "✓"),
}


def mark(verdict):
    """Return how a page shows a verdict."""
    word, colour, sign = MARKS[verdict]
    return {"word": word, "colour": colour, "sign": sign, "verdict": verdict}


def marks(forecasts, policy):
    """Return (name, mark) of SPF, DKIM and DMARC for mail under a policy: the worst of its forecasts."""
    ranks = list(MARKS)
    used = [each for each in forecasts if policy in (each.case.policy, "auto")]
    return [
        (name.upper(), mark(min((getattr(each, name).verdict for each in used), key=ranks.index)))
        for name in ("spf", "dkim", "dmarc")
        if used
    ]


def warning(forecasts, policy):
    """Return (why DMARC must fail with a policy, the title of a better one or an empty string), or None."""
    failed = failing(forecasts, policy)
    if failed is None:
        return None
    better = advised_policy(forecasts, policy)
    return failed.dmarc.sentence, SENDER_POLICY.getTerm(better).title if better else ""
