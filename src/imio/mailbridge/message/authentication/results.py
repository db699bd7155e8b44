"""Reads what a mail server verified: the town's own Authentication-Results (RFC 8601), and those in the newest ARC set.

The town's server must remove fields of others under its name (RFC 8601 §5). Only the topmost field under the name counts, and
only when every server above it belongs to the same organisation. Servers quote what strangers wrote (CVE-2020-12272): a field
that strangers could make say more than the server meant is ignored. Fields are read exactly (``proving_field``).
"""

from collections.abc import Iterable
from imio.mailbridge.message.authentication.domain_policy import aligned
from imio.mailbridge.message.authentication.domain_policy import organizational_domain
from imio.mailbridge.message.authentication.proving_field import plain_value
from imio.mailbridge.message.authentication.signatures import newest_sealed_results
from imio.mailbridge.message.authentication.signatures import Verdict
from imio.mailbridge.message.parsing.parse import ParsedMessage
import re


_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|\\.|[^"\\();]+|.', re.DOTALL)
_PLAIN = re.compile(r"[\w.@+-]{1,320}", re.ASCII)
_METHOD = re.compile(
    r"\s*([a-z0-9-]{1,30})(?:\s*/\s*\d+)?\s*=\s*([a-z]{1,20})(?=\s|\Z)(.*)",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
_PROPERTY = re.compile(
    r"(?<=\s)(?:header|smtp|policy)\.([a-z.-]{1,30})\s*=\s*@?([^\s;]{1,320})(?=\s|\Z)",
    re.IGNORECASE | re.ASCII,
)
#: The start of a Received field without its comments, in lower case.
_BY = re.compile(r"\s*(?:from\s+\S+\s+(?:\[\S+\]\s+)?)?by\s+([a-z0-9._-]{1,253})(?=\s|\Z)", re.ASCII)
_INSTANCE = re.compile(r"i[\t ]*=[\t ]*[1-9]\d?[\t ]*;(.*)", re.ASCII | re.DOTALL)
#: Names under which mail is handed over inside one machine.
_INSIDE = ("localhost", "localhost.localdomain")
#: The name that stands for servers that write none.
_MICROSOFT = "outlook.com"
_LENGTH = 20_000
_RESULTS = 20


def own_results(message: ParsedMessage, authserv_id: str) -> tuple[Verdict, ...]:
    """Return the verdicts under our own ``authserv_id``; none when there are none or they could be forged."""
    return _verdicts(_own_field(message, authserv_id.lower())) if authserv_id else ()


def received_results(message: ParsedMessage) -> tuple[str, tuple[Verdict, ...]]:
    """Return the name of the server that received a message, and what it verified, from the topmost field.

    An empty name and no verdicts when there is no such field, or a server of others passed the message on after it was written.
    Microsoft's servers write no name.
    """
    servers: list[str] = []
    for field in message.root.fields:
        if field.name == "received":
            by = _BY.match(" ".join((_split(plain_value(field.value) or "") or [""])[:1]))
            servers.append(by[1] if by else "")
        elif field.name == "authentication-results":
            parts = _split(plain_value(field.value) or "") or []
            name = (parts or [""])[0].split()[:1]
            if name and "=" in name[0]:
                name, parts = [_MICROSOFT], ["", *parts]
            if not name or not all(_is_ours(server, name[0]) for server in servers):
                break
            return name[0], _verdicts(parts)
    return "", ()


def sealed_results(message: ParsedMessage) -> tuple[Verdict, ...]:
    """Return the verdicts of the newest sealer; they are worth as much as the chain, see ``arc_verdict``."""
    match = _INSTANCE.fullmatch(plain_value(newest_sealed_results(message)) or "")
    return _verdicts(_split(match[1])) if match else ()


def vouches(verdicts: Iterable[Verdict], domain: str, mode: str) -> bool:
    """Tell whether a server verified the author's ``domain``, by DMARC or, without a DMARC verdict, by a DKIM signature.

    ``mode`` is ``s`` (strict) or ``r`` (relaxed), as for ``aligned``.
    """
    verdicts = tuple(verdicts)
    decisive = [each for each in verdicts if each.method == "dmarc"]
    if len(decisive) > 1:
        return False
    return any(
        each.result == "pass" and bool(each.domain) and aligned(domain, each.domain, mode)
        for each in decisive or [each for each in verdicts if each.method == "dkim"]
    )


def _own_field(message: ParsedMessage, wanted: str) -> list[str] | None:
    for field in message.root.fields:
        if field.name not in ("received", "authentication-results"):
            continue
        value = plain_value(field.value)
        if value is None:
            return None
        parts = _split(value)
        if field.name == "received":
            server = _BY.match(parts[0]) if parts else None
            if server is None or not _is_ours(server[1], wanted):
                return None
        elif parts is None and wanted in value.lower():
            return None
        elif parts is not None and parts[0].split()[:1] == [wanted]:
            return parts
    return None


def _is_ours(server: str, authserv_id: str) -> bool:
    if server == authserv_id or server in _INSIDE:
        return True
    return "." in authserv_id and organizational_domain(server) == organizational_domain(authserv_id)


def _split(value: str) -> list[str] | None:
    """Return the parts between semicolons without comments; None when quotation marks or comments are not balanced."""
    parts, depth = [""], 0
    if len(value) > _LENGTH:
        return None
    for word in (match[0] for match in _WORD.finditer(value)):
        quoted = word.startswith('"')
        if word == '"' or (quoted and depth) or (word == ")" and not depth):
            return None
        if word in "()":
            depth += 1 if word == "(" else -1
            parts[-1] += " "  # a comment separates words
        elif depth:
            continue
        elif word == ";":
            parts.append("")
        else:
            text = word[1:-1] if quoted else word
            parts[-1] += text if not quoted or _PLAIN.fullmatch(text) else " "
    parts[0] = parts[0].lower()
    return None if depth else parts


def _verdicts(parts: list[str] | None) -> tuple[Verdict, ...]:
    found = (_verdict(part) for part in (parts or [])[1 : _RESULTS + 1])
    return tuple(verdict for verdict in found if verdict is not None)


def _verdict(part: str) -> Verdict | None:
    match = _METHOD.match(part)
    if match is None:
        return None
    found = {(name.lower(), value.lower()) for name, value in _PROPERTY.findall(match[3])}
    properties = dict(found)
    about = next((properties[name] for name in ("from", "d", "i", "mailfrom") if name in properties), "")
    if len(properties) < len(found):
        about = ""  # one property with several values
    return Verdict(match[1].lower(), match[2].lower(), about.rpartition("@")[2])
