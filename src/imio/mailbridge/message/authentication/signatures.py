"""Verifies the DKIM (RFC 6376, RFC 8301) and ARC (RFC 8617) signatures of a message, with dkimpy.

A valid signature says which domain vouches for the message; the caller decides whether that domain counts. Header and body
are verified exactly as the parser reads them.
"""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from dkim.util import InvalidTagValueList
from dkim.util import parse_tag_value
from imio.mailbridge.message.authentication.body_hash import body_hash
from imio.mailbridge.message.authentication.proving_field import misread_field
from imio.mailbridge.message.parsing.parse import ParsedMessage
import dkim
import logging
import re
import time


#: More signatures, and more hops, than real mail has.
MAX_SIGNATURES = 5
MAX_SETS = 20
MIN_KEY = 1024

#: Above these limits dkimpy takes seconds or hours: octets of a signature, white space in a row, names in h=, octets of a DNS
#: record (a key of 8192 bits has 1,400).
MAX_FIELD = 8_000
MAX_SPACE = 100
MAX_NAMES = 200
MAX_RECORD = 2_000

#: Fields that occur once in a message: of several, signatures cover the last and programs read the first.
SINGLE = (
    "from",
    "subject",
    "date",
    "message-id",
    "to",
    "cc",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
)

#: The fields of a set, which its sealer numbers (RFC 8617 §4.1).
_ARC_FIELDS = ("arc-seal", "arc-message-signature", "arc-authentication-results")
_INSTANCE = re.compile(rb"[\t\r\n ]*i[\t ]*=[\t ]*([1-9][0-9]?)[\t\r\n ]*;")

#: dkimpy logs what is returned here as a verdict.
_SILENT = logging.Logger("dkim", logging.CRITICAL + 1)


class Unanswered(Exception):
    """DNS does not answer at present: nothing is known."""


#: Returns the TXT records of a name, each with its strings joined, or an empty list. Errors: ``Unanswered``.
Lookup = Callable[[str], list[bytes]]


@dataclass(frozen=True)
class Verdict:
    """The result of checking one signature.

    ``result`` is one of RFC 8601: ``pass``, ``fail``, ``none``, ``policy`` (valid, but not acceptable here), ``permerror``,
    ``temperror``; ``domain`` is the signing domain in lower case; ``detail`` says why it is not ``pass``.
    """

    method: str
    result: str
    domain: str = ""
    detail: str = ""


def ambiguity(message: ParsedMessage) -> str:
    """Return why a message could be read differently from how it was signed, or an empty string (RFC 6376 §8.15).

    Many servers do not sign Content-Type: with another one, an agent's reply would become a multipart whose parts are in its
    quoted text. The agent's own words then stand before the first part.
    """
    for name in SINGLE:
        if len(message.root.values(name)) > 1:
            return f"the field {name} is there several times"
    if name := misread_field(message):
        return f"the field {name} holds characters that do not belong there"
    if message.root.maintype == "multipart" and message.root.parts:
        start, end = message.root.body, message.root.parts[0].start
        # Programs write a sentence there for readers that do not know MIME.
        lines = message.raw[start : min(end, start + MAX_FIELD)].splitlines()
        if end - start > MAX_FIELD or sum(1 for line in lines if line.strip()) > 2:
            return "text stands before the first part"
    return ""


def dkim_verdicts(message: ParsedMessage, lookup: Lookup) -> tuple[Verdict, ...]:
    """Return the verdict on each DKIM signature, topmost first."""
    count = min(len(message.root.values("dkim-signature")), MAX_SIGNATURES)
    if not count or message.defect == "too-complex":
        return ()
    try:
        verifier = _Dkim(message)
    except dkim.DKIMException as error:
        return (Verdict("dkim", "permerror", detail=_said(error)),)
    return tuple(_dkim_verdict(verifier, number, lookup) for number in range(count))


def _dkim_verdict(verifier: "_Dkim", number: int, lookup: Lookup) -> Verdict:
    domain = ""
    try:
        fields = [value for name, value in verifier.headers if name.lower() == b"dkim-signature"]
        if _is_too_long(fields[number]):
            return Verdict("dkim", "permerror", detail="the signature is too long")
        tags = parse_tag_value(fields[number])
        domain = _domain(tags)
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


def signed_names(message: ParsedMessage, number: int) -> frozenset[str]:
    """Return the names of the fields that a DKIM signature covers, in lower case; ``number`` is 0 for the topmost.

    The signature is not verified here.
    """
    tags = parse_tag_value(message.root.values("dkim-signature")[number])
    return frozenset(name.decode("ascii", "replace") for name in _names(tags))


def arc_verdict(message: ParsedMessage, lookup: Lookup) -> Verdict:
    """Return the verdict on the whole chain; ``domain`` is that of the newest sealer, which also signed the message."""
    seals = message.root.values("arc-seal")
    if not seals or message.defect == "too-complex":
        return Verdict("arc", "none")
    signatures = message.root.values("arc-message-signature")
    if len(seals) > MAX_SETS:
        return Verdict("arc", "permerror", detail="too many seals")
    if any(_is_too_long(value) for value in (*seals, *signatures)):
        return Verdict("arc", "permerror", detail="a seal is too long")
    if not _is_numbered(message):
        return Verdict("arc", "fail", detail="the sets are not numbered one by one")
    sealer = ""
    try:
        sealer = _domain(max((parse_tag_value(value) for value in seals), key=lambda tags: int(tags[b"i"])))
        result, found, reason = _Arc(message).verify(dnsfunc=_dns(lookup))
        refused = next(filter(None, (_refused(parse_tag_value(value)) for value in signatures)), "")
    except Unanswered as error:
        return Verdict("arc", "temperror", sealer, str(error))
    except (dkim.DKIMException, InvalidTagValueList) as error:
        return Verdict("arc", "fail", sealer, _said(error))
    except Exception as error:  # noqa: BLE001 - of a library on hostile input
        return Verdict("arc", "permerror", sealer, _said(error))
    if result != dkim.CV_Pass:
        return Verdict("arc", "fail", sealer, reason)
    signer = found[0]["ams-domain"].decode("ascii", "replace").lower()
    if sealer != signer:
        return Verdict("arc", "policy", sealer, f"{signer} signed the message, {sealer} the seal")
    return Verdict("arc", "policy" if refused else "pass", sealer, refused)


def newest_sealed_results(message: ParsedMessage) -> bytes:
    """Return what the newest sealer verified: the field that dkimpy takes for that of the newest set, or nothing."""
    if not _is_numbered(message):
        return b""
    try:
        newest, fields = _Arc(message).sorted_arc_headers()
    except dkim.DKIMException:
        return b""
    found = [
        value
        for number, (name, value) in fields
        if number == newest and name.lower() == b"arc-authentication-results"
    ]
    return found[0].removesuffix(b"\r\n") if len(found) == 1 else b""


def _is_numbered(message: ParsedMessage) -> bool:
    """Tell whether each field of ARC begins with its number, and each set has one of each kind.

    dkimpy takes the first ``i=`` anywhere in a field, and leaves out fields without one.
    """
    for name in _ARC_FIELDS:
        values = message.root.values(name)
        found = [match and int(match[1]) for match in map(_INSTANCE.match, values)]
        if len(values) != len(message.root.values("arc-seal")) or set(found) != set(
            range(1, len(values) + 1)
        ):
            return False
    return True


class _Body:
    """The body of a message, hashed at most once for each form."""

    def __init__(self, message: ParsedMessage) -> None:
        self._message = message
        self._hashes: dict[bool, bytes] = {}

    def checked(self, tags: dict[bytes, bytes], names: list[bytes]) -> dict[bytes, bytes]:
        """Return the tags of a signature without the body hash, which was found right. Errors: ``dkim.ValidationError``."""
        if len(names) > MAX_NAMES:
            raise dkim.ValidationError("too many fields are signed")
        if b"bh" not in tags:
            return tags
        relaxed = tags.get(b"c", b"").partition(b"/")[2] == b"relaxed"
        if relaxed not in self._hashes:
            self._hashes[relaxed] = body_hash(self._message.raw, self._message.root.body, relaxed)
        if b64encode(self._hashes[relaxed]) != b"".join(tags[b"bh"].split()):
            raise dkim.ValidationError("the body was changed")
        return {name: value for name, value in tags.items() if name != b"bh"}


class _Dkim(dkim.DKIM):  # type: ignore[misc]
    """DKIM by dkimpy on the header alone; ``_Body`` checks the body."""

    def __init__(self, message: ParsedMessage) -> None:
        super().__init__(_header(message), logger=_SILENT, minkey=MIN_KEY)
        self._body = _Body(message)

    def verify_sig(
        self, sig: dict[bytes, bytes], names: list[bytes], field: list[bytes], dns: Callable[..., bytes]
    ) -> bool:
        return bool(super().verify_sig(self._body.checked(sig, names), names, field, dns))


class _Arc(dkim.ARC):  # type: ignore[misc]
    """ARC by dkimpy on the header alone."""

    def __init__(self, message: ParsedMessage) -> None:
        super().__init__(_header(message), logger=_SILENT, minkey=MIN_KEY)
        self._body = _Body(message)

    def verify_sig(
        self, sig: dict[bytes, bytes], names: list[bytes], field: list[bytes], dns: Callable[..., bytes]
    ) -> bool:
        return bool(super().verify_sig(self._body.checked(sig, names), names, field, dns))


def _header(message: ParsedMessage) -> bytes:
    return message.raw[message.root.start : message.root.body]


def _domain(tags: dict[bytes, bytes]) -> str:
    return tags.get(b"d", b"").decode("ascii", "replace").lower()


def _is_too_long(value: bytes) -> bool:
    return len(value) > MAX_FIELD or re.search(rb"\s{%d}" % MAX_SPACE, value) is not None


def _names(tags: dict[bytes, bytes]) -> list[bytes]:
    return [name.strip().lower() for name in tags.get(b"h", b"").split(b":")]


def _refused(tags: dict[bytes, bytes]) -> str:
    """Return why a signature does not count even if it is valid, or an empty string."""
    expires = tags.get(b"x", b"")
    if b"sha1" in tags.get(b"a", b"").lower():
        return "sha1 is not safe any more (RFC 8301)"
    if b"l" in tags:
        return "only a part of the body is signed (l=)"
    if b"from" not in _names(tags):
        return "From is not signed"
    if re.fullmatch(rb"\d{1,12}", expires) and int(expires) < time.time():
        return "the signature has expired (x=)"
    return ""


def _dns(lookup: Lookup) -> Callable[..., bytes | None]:
    def key(name: bytes, timeout: int = 5) -> bytes | None:
        records = lookup(name.decode("ascii", "replace").rstrip("."))
        return next((found for found in records if b"p=" in found and len(found) <= MAX_RECORD), None)

    return key


def _said(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
