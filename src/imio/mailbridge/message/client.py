"""Which program did a person write this message with? So that an answer can name its menus."""

from imio.mailbridge.message.parse import ParsedMessage
import re


#: (name, header, pattern): the first that is found decides.
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
    ("apple", "x-mailer", r"Apple Mail"),
    ("samsung", "x-mailer", r"Samsung|SamsungEmail"),
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
_COMPILED = tuple((name, header, re.compile(pattern, re.IGNORECASE)) for name, header, pattern in CLIENTS)


def client_of(message: ParsedMessage) -> str:
    """Return the name of the program, or an empty string when nothing tells."""
    for name, header, pattern in _COMPILED:
        value = message.header(header)
        if value is not None and pattern.search(value[:500]):
            return name
    return ""
