"""Recognises the mail program that wrote a message, so that an answer can name its menus."""

from imio.mailbridge.message.parsing.parse import ParsedMessage
import re


_MAX_HTML = 50_000

#: (name, header, pattern): the first that matches decides.
CLIENTS: tuple[tuple[str, str, str], ...] = (
    ("k9", "user-agent", r"K-9 Mail|Thunderbird for Android"),
    ("thunderbird", "user-agent", r"Thunderbird|Betterbird|Icedove"),
    ("thunderbird", "x-mailer", r"Thunderbird"),
    ("roundcube", "user-agent", r"Roundcube"),
    ("roundcube", "x-mailer", r"Roundcube"),
    ("outlook-mac", "user-agent", r"Microsoft-MacOutlook"),
    ("outlook-mobile", "x-mailer", r"Outlook (?:for )?(?:iOS|Android)"),
    ("outlook-mobile", "message-id", r"@[\w.-]+\.outlook-(?:ios|android)>?"),
    ("outlook", "x-mailer", r"Microsoft (?:Office )?Outlook|Outlook Express"),
    ("apple-ios", "x-mailer", r"(?:iPhone|iPad) Mail"),
    ("apple-ios", "mime-version", r"1\.0 \(1\.0\)"),
    ("apple-ios", "content-type", r"boundary=\"?Apple-Mail-[0-9A-F]{8}-"),
    ("apple", "x-mailer", r"Apple Mail"),
    ("apple", "mime-version", r"Mac OS X Mail"),
    ("apple", "content-type", r"boundary=\"?Apple-Mail=_"),
    ("samsung", "x-mailer", r"Samsung|SamsungEmail"),
    ("samsung", "content-type", r"boundary=\"?-*_com\.samsung\.android\.email_"),
    ("samsung", "message-id", r"@email\.android\.com"),
    ("zimbra", "x-mailer", r"Zimbra"),
    ("bluemind", "x-mailer", r"BlueMind|BM-Mail"),
    ("bluemind", "user-agent", r"BlueMind"),
    ("bluemind", "x-bm-milter-handled", r"."),
    ("notes", "x-mailer", r"(?:IBM|Lotus|HCL) (?:Notes|Domino|Verse)"),
    ("yahoo", "x-mailer", r"YahooMail|WebService/.*YMail"),
    ("gmail", "message-id", r"@mail\.gmail\.com"),
    ("outlook-web", "message-id", r"\.(?:prod\.outlook\.com|eurprd\d\d\.prod\.outlook\.com)>?$"),
    ("outlook-web", "x-ms-has-attach", r".*"),
)
#: Marks in the HTML of the Outlooks that share the headers of their server; the topmost decides, others are in quotes.
FORMS: tuple[tuple[str, str], ...] = (
    ("outlook-mobile", "ms-outlook-mobile"),
    ("outlook", 'content="Microsoft Word'),
    ("outlook", "WordSection1"),
    ("outlook-web", "elementToProof"),
    ("outlook-web", "appendonsend"),
)
_COMPILED = tuple((name, header, re.compile(pattern, re.IGNORECASE)) for name, header, pattern in CLIENTS)
_HEADERS = frozenset(header for _name, header, _pattern in CLIENTS)


def client_of(message: ParsedMessage) -> str:
    """Return the name of the program, or an empty string when it is not recognised."""
    values = {
        header: (message.header(header) or "")[:500] for header in _HEADERS if header in message.root.names
    }
    for name, header, pattern in _COMPILED:
        if header in values and pattern.search(values[header]):
            return _outlook(message) if name == "outlook-web" else name
    return ""


def _outlook(message: ParsedMessage) -> str:
    html = (message.html or "")[:_MAX_HTML]
    found = [(html.find(form), name) for name, form in FORMS if form in html]
    return min(found)[1] if found else "outlook-web"
