"""Step ``features``: explains what the server offers in its answer to EHLO."""

from imio.mailbridge.delivery.answers import answer_to
from imio.mailbridge.diagnosis.step import BAD
from imio.mailbridge.diagnosis.step import OK
from imio.mailbridge.diagnosis.step import WARNING
from imio.mailbridge.i18n import _
from imio.mailbridge.settings.size import readable_size


#: EHLO keyword → what it allows where it is offered, and what follows where it is not.
EXPLAINED = {
    "8bitmime": (_("8BITMIME: accented letters may travel as they are."), ""),
    "smtputf8": (
        _("SMTPUTF8: addresses with accents before the @ are possible."),
        _("No SMTPUTF8: addresses with accents before the @ cannot be written to."),
    ),
    "dsn": (
        _("DSN: the server reports failures in the way that iA.docs asks for."),
        _("No DSN: error reports come in the server's own way."),
    ),
    "pipelining": (_("PIPELINING: several commands may be sent at once."), ""),
}


def notes(session, login):
    """Yield what the features mean."""
    features = session.esmtp_features
    size = features.get("size", "").strip()
    if size.isdigit() and 0 < int(size) < 10**15:
        yield _(
            "SIZE: a message may be as large as ${size}. Attachments grow by a third on the way.",
            mapping={"size": readable_size(int(size))},
        )
    elif size == "0":  # RFC 1870 §3
        yield _("SIZE: the server sets no limit on a message.")
    else:
        yield _("No SIZE: the server does not say how large a message may be.")
    methods = sorted({method.upper() for method in features.get("auth", "").replace("=", " ").split()})
    if methods:
        yield _("AUTH: login is possible by ${methods}.", mapping={"methods": ", ".join(methods[:10])})
    elif login:
        yield _("No AUTH: the server offers no login here.")
    for name, (offered, missing) in EXPLAINED.items():
        if name in features:
            yield offered
        elif missing:
            yield missing


def features(report, session, reply, account):
    """Step ``features``, from the reply to EHLO."""
    if not reply.is_positive:
        answer = answer_to(reply)
        return report.add("features", BAD, answer.explanation, answer.remedy)
    found = tuple(notes(session, account.login))
    if account.login and not session.has_extn("auth"):
        return report.add(
            "features",
            WARNING,
            _("The server offers no login on this port, but a login is set."),
            _("On which port, and with which encryption, does your server accept a login?"),
            found,
        )
    return report.add("features", OK, _("The server says what it can do."), notes=found)
