"""What did the town's own mail server verify? Authentication-Results (RFC 8601), only those that it wrote itself.

The server must remove fields of others under its name (RFC 8601 §5). Here only the topmost field under the name counts, and only
when every server above it belongs to the same organization.
"""

from imio.mailbridge.message.authentication import Verdict
from imio.mailbridge.message.domain_policy import organizational_domain
from imio.mailbridge.message.header import unfold
from imio.mailbridge.message.parse import ParsedMessage
import re


_COMMENT = re.compile(r"\([^()]*\)")
_METHOD = re.compile(
    r"\s*([a-z0-9-]{1,30})(?:\s*/\s*\d+)?\s*=\s*([a-z]{1,20})\b(.*)", re.IGNORECASE | re.DOTALL
)
_PROPERTY = re.compile(r"(?:header|smtp|policy)\.([a-z.-]{1,30})\s*=\s*\"?@?([^\s;\"]{1,320})", re.IGNORECASE)
_BY = re.compile(r"\bby\s+([A-Za-z0-9._-]{1,253})", re.IGNORECASE)
_LENGTH = 20_000


def own_results(message: ParsedMessage, authserv_id: str) -> tuple[Verdict, ...]:
    """Return the verdicts under our own ``authserv_id``; empty where there are none, or where they could be forged."""
    value = _own_field(message, authserv_id) if authserv_id else None
    if value is None:
        return ()
    text = value[:_LENGTH]
    for _depth in range(5):
        text = _COMMENT.sub(" ", text)
    return tuple(verdict for part in text.split(";")[1:21] if (verdict := _verdict(part)) is not None)


def _own_field(message: ParsedMessage, authserv_id: str) -> str | None:
    wanted = authserv_id.lower()
    for field in message.root.fields:
        if field.name == "received":
            server = _BY.search(unfold(field.value)[:2000])
            if server is None or not _is_ours(server[1].lower(), wanted):
                return None
        elif field.name == "authentication-results":
            value = unfold(field.value)
            words = _COMMENT.sub(" ", value[:_LENGTH]).partition(";")[0].split()
            if words and words[0].strip('"').lower() == wanted:
                return value
    return None


def _is_ours(server: str, authserv_id: str) -> bool:
    if server == authserv_id:
        return True
    return "." in authserv_id and organizational_domain(server) == organizational_domain(authserv_id)


def _verdict(part: str) -> Verdict | None:
    match = _METHOD.match(part)
    if match is None:
        return None
    properties = {name.lower(): value for name, value in _PROPERTY.findall(match[3])}
    about = next((properties[name] for name in ("from", "d", "i", "mailfrom") if name in properties), "")
    return Verdict(match[1].lower(), match[2].lower(), about.rpartition("@")[2].lower())
