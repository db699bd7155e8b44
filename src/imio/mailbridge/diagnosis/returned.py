"""Reads the header of a test message that came back: who signed it, and what the receiving server found."""

from dataclasses import dataclass
from imio.mailbridge.diagnosis.forecast import domain_of
from imio.mailbridge.message.authentication.domain_policy import tags_of
from imio.mailbridge.message.authentication.results import received_results
from imio.mailbridge.message.parsing.parse import parse
import re


#: How many signatures of a message are looked at.
SIGNATURES = 10

_DOMAIN = re.compile(r"[a-z0-9_.-]{1,253}")


@dataclass(frozen=True)
class Shown:
    """What a message shows: the domain in From, those that signed it, and the results of the receiving ``server``.

    ``spf`` is a result of RFC 8601 about the domain ``envelope``, ``dkim`` holds (result, domain). What is not there is empty.
    """

    author: str = ""
    signers: tuple[str, ...] = ()
    server: str = ""
    envelope: str = ""
    spf: str = ""
    dkim: tuple[tuple[str, str], ...] = ()


def shown_by(header):
    """Return what the header of a message shows. Anything may stand in it."""
    message = parse(bytes(header) + b"\r\n")
    try:
        author = domain_of(message.author.addr_spec) if message.author else ""
    except UnicodeError:
        author = ""
    signatures = message.headers("dkim-signature")[:SIGNATURES]
    signers = [tags_of("".join(value.split())).get("d", "").lower() for value in signatures]
    server, verdicts = received_results(message)
    spf = next((each for each in verdicts if each.method == "spf"), None)
    return Shown(
        author,
        tuple(each for each in signers if _DOMAIN.fullmatch(each)),
        server[:100],
        spf.domain if spf else "",
        spf.result if spf else "",
        tuple((each.result, each.domain) for each in verdicts if each.method == "dkim" and each.domain),
    )
