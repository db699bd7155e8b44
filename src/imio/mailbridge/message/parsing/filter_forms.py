"""The tables of what mail filters leave in a message: that it is unwanted, or that its sender could not be confirmed.

``where`` is the field, whose whole value must match, or ``subject``: there the wording must begin it, alone or after ``RE:``. A new
filter is one more row.
"""

from imio.mailbridge.message.syntax.form import Form


UNWANTED: tuple[Form, ...] = (
    Form("spamassassin, amavis, zimbra", "x-spam-flag", r"yes\b.*", "YES", "NO"),
    Form("spamassassin", "x-spam-status", r"yes\b.*", "Yes, score=7.1 required=5.0", "No, score=-1.9"),
    Form("rspamd", "x-spam", r"yes\b.*", "Yes", "No"),
    Form("rspamd", "x-rspamd-action", r"(?:add header|rewrite subject|quarantine)\b.*", "add header", "no action"),
    Form(
        "exchange online",
        "x-forefront-antispam-report",
        r"(?:.*;\s?)?(?:sfv:(?:spm|sks|skb)|cat:(?:spm|hspm|phsh|hphsh|hphish|malw|spoof|dimp|uimp|gimp))(?:;.*)?",
        "CIP:192.0.2.7;CTRY:BE;SFV:SPM;CAT:SPM;",
        "CIP:192.0.2.7;CTRY:BE;SFV:NSPM;CAT:NONE;",
    ),
    Form("exchange", "x-ms-exchange-organization-scl", r"[5-9]", "6", "1"),
    Form("barracuda", "x-barracuda-spam-flag", r"yes\b.*", "YES", "NO"),
    Form("barracuda", "x-barracuda-spam-status", r"yes\b.*", "Yes, SCORE=6.5", "No, SCORE=0.0"),
    Form(
        "proofpoint",
        "x-proofpoint-spam-details",
        r"(?:.*\s)?rule=(?![^\s]*notspam)[^\s]*(?:spam|phish)\b.*",
        "rule=inbound_spam policy=inbound score=100",
        "rule=inbound_notspam policy=inbound score=0",
    ),
    Form("vade", "x-vade-spamstate", r"(?:spam|scam|phishing|malware)\b.*", "spam:high", "clean"),
    Form("ovh", "x-vr-spamstate", r"(?:spam|scam|phishing|virus)\b.*", "SPAM", "OK"),
    Form("ovh", "x-ovh-spam-status", r"spam\b.*", "SPAM", "OK"),
    Form("mailscanner", "x-mailscanner-spamcheck", r"spam\b.*", "spam, SpamAssassin (score=7)", "not spam, SpamAssassin"),
    Form("trend micro", "x-tm-as-result", r"yes\b.*", "Yes-12.3-5.0-31-10", "No-1.2-5.0-31-10"),
    Form("bogofilter", "x-bogosity", r"(?:yes|spam)\b.*", "Spam, tests=bogofilter", "Ham, tests=bogofilter"),
    Form("gandi", "x-gnd-status", r"spam", "SPAM", "LEGIT"),
    Form("google workspace", "x-gm-spam", r"1", "1", "0"),
    Form("google workspace", "x-gm-phishy", r"1", "1", "0"),
    Form("amazon", "x-ses-spam-verdict", r"fail", "FAIL", "PASS"),
    Form("amazon", "x-ses-virus-verdict", r"fail", "FAIL", "PASS"),
    Form("spamexperts", "x-spamexperts-class", r"spam|virus|phish", "spam", "ham"),
    Form("spamexperts", "x-spampanel-class", r"spam|virus|phish", "spam", "ham"),
    Form("amavis", "x-amavis-alert", r"(?:infected|banned)\b.*", "INFECTED, message contains virus: Eicar", "BAD HEADER SECTION"),
    Form("clamav", "x-virus-status", r"(?:infected|yes)\b.*", "Infected (Eicar)", "Clean"),
    Form(
        "exchange online: junk folder",
        "x-microsoft-antispam-mailbox-delivery",
        r"(?:.*;\s?)?dest:j(?:;.*)?",
        "ucf:0;jmr:1;auth:0;dest:J;ENG:(910001)",
        "ucf:0;jmr:0;auth:0;dest:I;ENG:(910001)",
    ),
    Form("dspam", "x-dspam-result", r"spam", "Spam", "Innocent"),
    Form(
        "tag: spam",
        "subject",
        r"[\[{(<*-]+\s?(?:(?:possible|probable|suspected|likely|potentiel|suspicion de|mogelijke?)[ _-]?)?"
        r"(?:spam|junk)(?:[ -]?verdacht| probable| score)?\b[^\w\]})>*-]{0,9}"
        r"[\d.,/]{0,9}\s?[\]})>*-]+",
        "***SPAM*** Permis",
        "[Spa municipal] Permis",
    ),
    Form(
        "tag: phishing",
        "subject",
        r"[\[{(<*-]+\s?(?:(?:possible|suspected)[ _-]?)?(?:phishing|hameconnage|suspicious|suspect)\s?\??\s?[\]})>*-]+",
        "[Phishing ?] Permis",
        "[Suspect en fuite] Permis",
    ),
    Form(
        "tag: french, dutch",
        "subject",
        r"[\[{(<*-]+\s?(?:(?:courrier )?indesirable|pourriel|ongewenste?(?: (?:e-?)?mail)?|verdacht|virus)\s?\??\s?[\]})>*-]+",
        "[INDÉSIRABLE] Permis",
        "(Verdachte verkoper) Vergunning",
    ),
)  # fmt: skip
SENDER: tuple[Form, ...] = (
    Form(
        "dmarc",
        "authentication-results",
        r".*\bdmarc\s?=\s?fail\b.*",
        "mx.maville.be; spf=fail; dmarc=fail (p=NONE) header.from=citizen.test",
        "mx.maville.be; spf=fail; dmarc=none header.from=citizen.test",
    ),
    Form(
        "exchange online",
        "authentication-results",
        r".*\bcompauth\s?=\s?fail\b.*",
        "spf=none; dmarc=none; compauth=fail reason=001",
        "spf=none; dmarc=none; compauth=pass reason=130",
    ),
)
