"""Is a signature in this message good, and whose is it? DKIM (RFC 6376, RFC 8301) and ARC (RFC 8617), verified by dkimpy.

A good signature says which domain vouches for the message; whether that domain counts is decided by who asks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from dkim.util import InvalidTagValueList
from dkim.util import parse_tag_value
from imio.mailbridge.message.parse import ParsedMessage
import dkim
import logging
import re
import time


#: More signatures, and more hops, than real mail has.
MAX_SIGNATURES = 5
MAX_SETS = 20
MIN_KEY = 1024

#: dkimpy tells its logger what is told here as a verdict.
_SILENT = logging.Logger("dkim", logging.CRITICAL + 1)


class Unanswered(Exception):
    """DNS gives no answer now: nothing is known."""


#: Returns the TXT records of a name, each with its strings joined; none when there are none. Errors: ``Unanswered``.
Lookup = Callable[[str], list[bytes]]


@dataclass(frozen=True)
class Verdict:
    """What came of checking one signature.

    ``result`` is one of RFC 8601: ``pass``, ``fail``, ``none``, ``policy`` (good, but not acceptable here), ``permerror``,
    ``temperror``; ``domain`` is the one that signed, in lower case; ``detail`` why it is not a pass.
    """

    method: str
    result: str
    domain: str = ""
    detail: str = ""


def dkim_verdicts(message: ParsedMessage, lookup: Lookup) -> tuple[Verdict, ...]:
    """Return a verdict for each DKIM signature, topmost first; the first of one domain that passes ends the search for it."""
    count = min(len(message.root.values("dkim-signature")), MAX_SIGNATURES)
    if not count or message.defect == "too-complex":
        return ()
    try:
        verifier = dkim.DKIM(message.raw[:], logger=_SILENT, minkey=MIN_KEY)
    except (dkim.DKIMException, ValueError, IndexError) as error:
        return (Verdict("dkim", "permerror", detail=_said(error)),)
    return tuple(_dkim_verdict(verifier, number, lookup) for number in range(count))


def _dkim_verdict(verifier: dkim.DKIM, number: int, lookup: Lookup) -> Verdict:
    domain = ""
    try:
        fields = [value for name, value in verifier.headers if name.lower() == b"dkim-signature"]
        tags = parse_tag_value(fields[number])
        domain = tags.get(b"d", b"").decode("ascii", "replace").lower()
        if refused := _refused(tags):
            return Verdict("dkim", "policy", domain, refused)
        good = verifier.verify(number, dnsfunc=_dns(lookup))
    except Unanswered as error:
        return Verdict("dkim", "temperror", domain, str(error))
    except (dkim.DKIMException, InvalidTagValueList) as error:
        return Verdict("dkim", "fail", domain, _said(error))
    except Exception as error:  # noqa: BLE001 - of a library on hostile input
        return Verdict("dkim", "permerror", domain, _said(error))
    return Verdict("dkim", "pass" if good else "fail", domain, "" if good else "the signature is not good")


def _refused(tags: dict[bytes, bytes]) -> str:
    """Return why a signature cannot count however good it is, or an empty string."""
    signed = [name.strip().lower() for name in tags.get(b"h", b"").split(b":")]
    expires = tags.get(b"x", b"")
    if b"sha1" in tags.get(b"a", b"").lower():
        return "sha1 is not safe any more (RFC 8301)"
    if b"l" in tags:
        return "only a part of the body is signed (l=)"
    if b"from" not in signed:
        return "From is not signed"
    if re.fullmatch(rb"\d{1,12}", expires) and int(expires) < time.time():
        return "the signature has expired (x=)"
    return ""


def arc_verdict(message: ParsedMessage, lookup: Lookup) -> Verdict:
    """Return the verdict on the whole chain; ``domain`` is that of the newest sealer, who also signed the message."""
    sets = len(message.root.values("arc-seal"))
    if not sets or message.defect == "too-complex":
        return Verdict("arc", "none")
    if sets > MAX_SETS:
        return Verdict("arc", "permerror", detail="too many seals")
    try:
        verifier = dkim.ARC(message.raw[:], logger=_SILENT, minkey=MIN_KEY)
        result, found, reason = verifier.verify(dnsfunc=_dns(lookup))
    except Unanswered as error:
        return Verdict("arc", "temperror", detail=str(error))
    except dkim.DKIMException as error:
        return Verdict("arc", "fail", detail=_said(error))
    except Exception as error:  # noqa: BLE001 - of a library on hostile input
        return Verdict("arc", "permerror", detail=_said(error))
    newest = found[0] if found else {}
    sealer = newest.get("as-domain", b"").decode("ascii", "replace").lower()
    signer = newest.get("ams-domain", b"").decode("ascii", "replace").lower()
    if result != dkim.CV_Pass:
        return Verdict("arc", "fail", sealer, reason)
    if sealer != signer:
        return Verdict("arc", "policy", sealer, f"{signer} signed the message, {sealer} the seal")
    for value in message.root.values("arc-message-signature"):
        if re.search(rb"[;\s]l\s*=", value):
            return Verdict("arc", "policy", sealer, "only a part of the body is signed (l=)")
        if not re.search(rb"[;\s]h\s*=[^;]*\bfrom\b", value, re.IGNORECASE):
            return Verdict("arc", "policy", sealer, "From is not signed")
    return Verdict("arc", "pass", sealer)


def _dns(lookup: Lookup) -> Callable[..., bytes | None]:
    def first(name: bytes, timeout: int = 5) -> bytes | None:
        records = lookup(name.decode("ascii", "replace").rstrip("."))
        return records[0] if records else None

    return first


def _said(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
