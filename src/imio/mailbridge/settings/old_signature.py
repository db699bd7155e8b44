"""Writes a signature of the old iA.docs with the names that a signature of the bridge can use.

The old template sees ``sender`` with the position (``hp``), the ``person`` and the organization (``org``, ``org_full_title``),
and ``dghv``, which makes texts of them. Nothing else is rewritten, and nothing in part.
"""

import re


#: Names of one answer in a template, at most.
MAX_NAMED = 5
#: How the address and the phone are asked for; a template usually names the answer once, and asks that.
_DETAILS = "dghv.get_ctct_det(sender['hp'])"
_NAME = "sender['person'].firstname, sender['person'].lastname"

#: Of the answer → what is the same.
_OF_DETAILS = {
    "['email']": "sender['address']",
    "['phone']": "sender['phone']",
    "['address']['street']": "sender['street']",
    "['address']['number']": "sender['number']",
    "['address']['zip_code']": "sender['zip_code']",
    "['address']['city']": "sender['city']",
}
#: Old expression → what is the same; a longer one stands before its parts.
_SAME = {
    f"u'{{}} {{}}'.format({_NAME})": "sender['name']",
    f"'{{}} {{}}'.format({_NAME})": "sender['name']",
    "sender['person'].firstname": "sender['firstname']",
    "sender['person'].lastname": "sender['lastname']",
    "sender['hp'].label": "sender['function']",
    "sender['hp'].email": "sender['address']",
    "sender['hp'].phone": "sender['phone']",
    "sender['org'].title": "sender['service']",
    "dghv.display_phone(phone=sender['phone'], check=False, pattern='/.')": "sender['phone']",
    "dghv.separate_full_title(sender['org_full_title'])": (
        "[''.join(sender['services'][:1]), ' - '.join(sender['services'][1:])]"
    ),
    "sender['org_full_title']": "' - '.join(sender['services'])",
}
#: What only the old signatures could name.
_OLD = re.compile(
    r"""\bdghv(?:\.\w+)?|\bmodules\b|\bsender(?:\[\s*['"]|/|\.get\(\s*['"])(?:hp|person|org(?:_full_title)?)\b(?:['"]\s*[])])?(?:\.\w+)?"""
)


def rewritten(template: str) -> tuple[str, list[str]]:
    """Return the template with the names of the bridge, and the old names that it has no counterpart for (then do not use it)."""
    found = re.findall(rf"\b(\w+)\s+python:\s*{_spelled(_DETAILS).pattern}\s*(?=[;\"])", template)
    named = list(dict.fromkeys(found))[:MAX_NAMED]
    for name in (*named, _DETAILS):
        for old, new in _OF_DETAILS.items():
            template = _spelled(f"{name}{old}").sub(new, template)
    for name in named:
        clause = re.compile(rf"\b{name}\s+python:\s*{_spelled(_DETAILS).pattern}\s*;?\s*")
        if not re.search(rf"\b{name}\b", without := clause.sub("", template)):
            template = re.sub(r"\s(?:tal:)?define=\"\s*\"", "", without)
    for old, new in _SAME.items():
        template = _spelled(old).sub(new, template)
    left = {re.sub(r"\s", "", match[0]) for match in _OLD.finditer(template)}
    left |= {
        re.sub(r"\s", "", match[0])
        for name in named
        for match in re.finditer(rf"\b{name}(?:\[\s*'\w+'\s*\]|/\w+)+", template)
    }
    return template, sorted(left)


def _spelled(expression: str) -> re.Pattern[str]:
    """Return a pattern of the expression, however it is spaced."""
    parts = re.findall(r"\w+|[^\w\s]", expression)
    return re.compile(
        r"(?<![\w.])" + r"\s*".join(map(re.escape, parts)) + (r"\b" if parts[-1].isalnum() else "")
    )
