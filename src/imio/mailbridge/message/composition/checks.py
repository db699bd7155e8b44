"""Finds what looks like a mistake in an e-mail before it is sent, from the e-mail alone."""

from imio.mailbridge.message.address import is_addr_spec
from imio.mailbridge.message.composition.mail_domains import ONLY
from imio.mailbridge.message.composition.mail_domains import REAL
from imio.mailbridge.message.composition.mail_domains import SUGGESTED
from imio.mailbridge.message.parsing.html_text import html_lines
from rapidfuzz.distance import OSA
import re
import unicodedata


_THIS_MAIL = r"(?:this|the present) (?:e-?mail|message|letter|mail)"
_PAPERS = (
    r"(?:agreement|attestation|brochure|certificate|contract|copy|copies|document|drawing|file|form|image|invoice|letter|list"
    r"|map|minutes|pdf|permit|photo|picture|plan|proposal|quote|report|scan|statement)s?"
)
#: How people say that something is attached, in any of the languages; matched in lower case.
_MENTIONS = (
    # French
    r"ci[- ]?joint(?:e|s|es)?", r"ci[- ]?annexée?s?", r"en annexes?", r"(?:en )?pièces? jointes?", r"en p\.?j\.?",
    r"(?:fichier|document|courrier|formulaire|plan)s? (?:en )?(?:joint|annexé)s?",
    r"(?:je|nous) (?:vous )?(?:joins|joignons|annexons)",
    r"(?:joint|annexé)e?s? (?:au|à la|à ce|à cet|à cette)(?: présente?)? (?:mail|e-?mail|courriel|courrier|message|lettre)",
    r"trouve(?:r|z|rez) (?:\w+ )?attachée?s?",
    # English
    r"(?:see|find|finding|have|hereby|please|i've|we've) attached", r"(?:is|are) attached(?! to (?!" + _THIS_MAIL + r"))",
    r"attached(?: (?:you|please|herewith|hereto|is|are)| (?:\w+ )?" + _PAPERS + r"| to " + _THIS_MAIL + r")",
    r"(?:find|is|are|please) enclosed", r"(?:i|we) (?:attach|enclose)", r"(?:the|an|as|see) attachments?(?! (?:theory|to)\b)",
    # Dutch
    r"(?:(?:in|als|de|zie|een) )?bijlagen?", r"bijgevoegde?", r"bijgaande?",
    # German
    r"(?:im|als|den|der|siehe) anhang", r"(?:in der|als) (?:an|bei)lagen?", r"anbei",
    r"beigefügt(?:e[nrs]?)?", r"beiliegend(?:e[nrs]?)?", r"angehängt(?:e[nrs]?)?",
)  # fmt: skip
_MENTION = re.compile(
    rf"(?<![\w-])(?<!sans )(?<!aucune )(?<!aucun )(?<!without )(?<!no )(?<!zonder )(?<!geen )(?<!ohne )"
    rf"(?:{'|'.join(_MENTIONS)})(?![\w-])"
)
_QUOTING = re.compile(r"(</?blockquote\b[^<>]*>)", re.IGNORECASE)
_ORIGINAL = re.compile(
    r"-{3,} ?(?:original message|message d'origine|message original|oorspronkelijk bericht|ursprüngliche nachricht)", re.IGNORECASE
)  # fmt: skip
_PLAIN = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2010": "-", "\u2011": "-", "\u2019": "'"})
_ANSWER = re.compile(r"\s*(?:re|ré|rép|aw|sv|antw|fwd?|tr|wg)\s*(?:\[\d+\])?\s*:", re.IGNORECASE)


def mentions_attachment(subject: str, html: str) -> bool:
    """Tell whether the author mentions an attachment (French, English, Dutch, German); quoted text does not count."""
    lines = [] if _ANSWER.match(subject) else [subject]
    for line in html_lines(_unquoted(html)):
        if _ORIGINAL.match(line):
            break
        if not line.startswith(">"):
            lines.append(line)
    text = unicodedata.normalize("NFC", "\n".join(lines)).translate(_PLAIN).lower()
    return _MENTION.search(text) is not None


def _unquoted(html: str) -> str:
    depth, pieces = 0, []
    for token in _QUOTING.split(html):
        if _QUOTING.fullmatch(token):
            depth = max(0, depth + (-1 if token.startswith("</") else 1))
            pieces.append("<br>")
        elif not depth:
            pieces.append(token)
    return "".join(pieces)


def typo_of(addr_spec: str) -> str | None:
    """Return the address that was probably meant when the domain looks like a mistyped well-known one, else None."""
    local, _at, domain = addr_spec.rpartition("@")
    domain = domain.lower()
    if domain in REAL or not is_addr_spec(addr_spec):
        return None
    name, _dot, ending = domain.partition(".")
    if name in ONLY and "." not in ending:
        return f"{local}@{ONLY[name]}"
    near = [
        (mistakes, order, known)
        for order, known in enumerate(SUGGESTED)
        if (mistakes := _mistakes(name, ending, known)) is not None
    ]
    return f"{local}@{min(near)[2]}" if near else None


def _mistakes(name: str, ending: str, known: str) -> int | None:
    """Return how many keys were mistyped, or None when it is another domain."""
    known_name, _dot, known_ending = known.partition(".")
    in_name = OSA.distance(name, known_name, score_cutoff=2)  # 3 beyond; neighbours swapped count once
    in_ending = OSA.distance(ending, known_ending, score_cutoff=1)
    if in_name and len(known_name) < 5 and sorted(name) != sorted(known_name):
        return None  # too short to tell: zoo.be is not voo.be
    allowed = 2 if len(known_name) > 5 and name[0] == known_name[0] else 1
    return in_name + in_ending if in_name <= allowed and in_ending <= 1 else None
