"""Recognises automatic answers (RFC 3834), above all absence messages."""

from collections.abc import Callable
from imio.mailbridge.message.classification.report import answered_message_id
from imio.mailbridge.message.classification.report import Report
from imio.mailbridge.message.classification.report import ReportedRecipient
from imio.mailbridge.message.classification.report import ReportKind
from imio.mailbridge.message.parsing.parse import ParsedMessage
import re


#: How the subject of an automatic answer begins: English, French, Dutch, German, Spanish, Italian, Portuguese.
SUBJECTS = (
    r"auto(?:matic|mated|-)?[ :-]?\s?(?:reply|response|antwort|antwoord)",
    r"autoreply",
    r"out of (?:the )?office",
    r"ooo\b",
    r"on leave",
    r"vacation\b",
    r"réponse automatique",
    r"abs(?:ence|ent) du bureau",
    r"(?:message d['’])?absence\b",
    r"en congé",
    r"automatische? (?:antwoord|antwort|beantwoording)",
    r"afwezig",
    r"niet aanwezig",
    r"buiten kantoor",
    r"abwesen(?:d|heit)",
    r"(?:contesta|respuesta|resposta|risposta) autom[áa]tica",
    r"fuera de (?:la )?oficina",
    r"(?:mensaje de )?ausencia\b",
    r"fuori (?:dall['’])?(?:ufficio|sede)",
    r"(?:messaggio di )?assenza\b",
    r"fora do escritório",
    r"(?:mensagem de )?ausência\b",
)
_SUBJECT = re.compile(rf"\s*(?:(?:re|aw|sv|antw)\s*:\s*)?(?:{'|'.join(SUBJECTS)})", re.IGNORECASE)


def _present(value: str) -> bool:
    return bool(value.strip()) and value.strip().lower() not in ("no", "false", "0", "none")


def _auto_replied(value: str) -> bool:
    return value.strip().lower().startswith("auto-replied")


def _not_no(value: str) -> bool:
    return value.strip().lower().startswith("auto-")


#: Fields that only automatic answers have: one is enough.
CERTAIN: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("auto-submitted", _auto_replied),
    ("x-autoreply", _present),
    ("x-autorespond", _present),
    ("x-autoresponder", _present),
    ("x-auto-reply-from", _present),
    ("x-autoreply-from", _present),
    ("x-mail-autoreply", _present),
    ("x-vacation", _present),
    ("precedence", lambda value: value.strip().lower() in ("auto_reply", "auto-reply")),
    ("delivered-to", lambda value: value.strip().lower() == "autoresponder"),
)
#: Fields that make a subject such as "Out of office" credible.
SUPPORTING: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("auto-submitted", _not_no),
    ("x-auto-response-suppress", _present),
    ("precedence", lambda value: value.strip().lower() in ("bulk", "junk")),
    ("return-path", lambda value: value.strip() == "<>"),
    ("x-loop", _present),
    ("x-ms-exchange-generated-message-source", _present),
)


def read_auto_reply(message: ParsedMessage) -> Report | None:
    """Return the report of an automatic answer, or None; ``auto-generated`` alone does not make one."""
    if message.defect is not None:
        return None
    evidence = _first(message, CERTAIN)
    if evidence is None and _SUBJECT.match(message.subject or ""):
        evidence = _first(message, SUPPORTING)
    if evidence is None:
        return None
    recipients = tuple(ReportedRecipient(author.addr_spec.lower()) for author in message.authors[:1])
    return Report(ReportKind.AUTO_REPLY, answered_message_id(message), recipients, (evidence,))


def _first(
    message: ParsedMessage, table: tuple[tuple[str, Callable[[str], bool]], ...]
) -> tuple[str, str] | None:
    return next(
        ((name, value) for name, accepts in table for value in message.headers(name) if accepts(value)),
        None,
    )
