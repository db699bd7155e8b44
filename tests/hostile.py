"""Mails that try to take all of a machine: named ones, seen to have done so, and generated ones."""

from base64 import encodebytes
import random


def html_mail(html):
    """Return a message with HTML, and text beside it."""
    return (
        b"From: Jean <jean@citizen.test>\nTo: info@maville.test\nSubject: Bonjour\nDate: Mon, 16 Nov 2026 10:00:00 +0100\n"
        b"Message-ID: <hostile@citizen.test>\nResent-From: info@maville.test\nMIME-Version: 1.0\n"
        b"Content-Type: multipart/alternative; boundary=x\n\n--x\nContent-Type: text/plain\n\nLe texte seul\n"
        b"--x\nContent-Type: text/html; charset=utf-8\n\n" + html.encode() + b"\n--x--\n"
    )


def image_mail(html, size=400_000):
    """Return a message with HTML that shows an image of ``size`` bytes, ``cid:a``."""
    image = encodebytes(b"\x89PNG\r\n\x1a\n" + random.Random(1).randbytes(size))
    return (
        b"From: Jean <jean@citizen.test>\nTo: info@maville.test\nSubject: Photos\nMessage-ID: <images@citizen.test>\n"
        b"Resent-From: info@maville.test\nMIME-Version: 1.0\nContent-Type: multipart/related; boundary=x\n\n"
        b"--x\nContent-Type: text/html; charset=utf-8\n\n<p>Le texte seul</p>" + html.encode() + b"\n"
        b"--x\nContent-Type: image/png\nContent-ID: <a>\nContent-Transfer-Encoding: base64\n\n"
        + image
        + b"\n--x--\n"
    )


def calendar_mail(zone, count=1):
    """Return a message with appointments in a time zone that ``zone`` defines."""
    calendar = (
        f"BEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:REQUEST\nBEGIN:VTIMEZONE\nTZID:Ici\n{zone}END:VTIMEZONE\n"
        + "BEGIN:VEVENT\nUID:1\nSUMMARY:Visite\nDTSTART;TZID=Ici:20261202T093000\nRRULE:FREQ=SECONDLY\nEND:VEVENT\n"
        * count
        + "END:VCALENDAR\n"
    )
    return (
        b"From: Jean <jean@citizen.test>\nTo: info@maville.test\nSubject: Visite\nMessage-ID: <visit@citizen.test>\n"
        b"Resent-From: info@maville.test\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n"
        b"--x\nContent-Type: text/plain\n\nLe texte seul\n"
        b"--x\nContent-Type: text/calendar; charset=utf-8\n\n" + calendar.encode() + b"--x--\n"
    )


def rule(text, start="19700101T000000"):
    """Return a part of the definition of a time zone."""
    return (
        f"BEGIN:STANDARD\nDTSTART:{start}\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:{text}\nEND:STANDARD\n"
    )


_ROW = f"<tr>{'<td>cellule 12</td>' * 8}</tr>"
_YEARLY = "FREQ=YEARLY;BYMONTHDAY=1,2,3,4,5,6,7,8,9"

#: What each of them once did stands in its name; the last value tells whether its layout is left out.
MAILS = {
    "calendar that stopped sending": (calendar_mail(rule("FREQ=SECONDLY") * 2), False),
    "calendar with every minute": (calendar_mail(rule("FREQ=MINUTELY;BYSECOND=1,2,3")), False),
    "calendar with all years": (calendar_mail(rule(_YEARLY, "00010101T000000") * 30, 20), False),
    "calendar with a folded rule": (calendar_mail(rule("FREQ=YEA\n RLY").replace("YEA\n RLY", "SECON\n DLY")), False),
    "calendar with many parts": (calendar_mail("", 600), True),
    "image 40,000 times, that ended the process": (image_mail("<img src='cid:a'>" * 40_000), False),
    "nested lists that took 72 s": (html_mail("<ul><li>" * 40_000), True),
    "nested lists after a comment that is none": (html_mail("<!-->" + "<ul><li>" * 40_000), True),
    "nested lists after a title": (html_mail("<title><!--</title>" + "<ul><li>" * 160_000), True),
    "six tables that delayed sending": (html_mail(f"<table>{_ROW * 3_500}</table>" * 6), True),
    "200,000 attributes": (html_mail(f"<p {' '.join(f'a{n}' for n in range(200_000))}>x"), True),
    "fonts that are repeated in each block": (
        html_mail("".join(f"<font color=#{n:06x}>" for n in range(180)) + "<p>x" * 40_000), False,
    ),
    "addresses in addresses": (html_mail("<p>" + "http://" * 250_000), False),
    "millions of brackets": (html_mail("<" * 1_900_000), False),
    "entities without end": (html_mail("<p>" + "&notit;" * 120_000), False),
}  # fmt: skip

_WORDS = [
    "x",
    "&amp;",
    "<",
    "&#x1F600;",
    "é",
    "\x00",
    "\u202e",
    "]]>",
    "-->",
    '"',
    "'",
    "http://a.test/?a=b&c",
]
_TAGS = [
    "div", "span", "p", "b", "i", "font", "a", "table", "tr", "td", "tbody", "ul", "li", "ol", "dl", "dd", "blockquote", "h1",
    "pre", "center", "img", "br", "svg", "math", "style", "title", "textarea", "select", "option", "template", "form", "button",
    "nobr",
    "noscript", "iframe", "frameset", "caption", "colgroup", "col", "ruby", "rt", "details", "summary",
    "plaintext", "x-y", "o:p",
]  # fmt: skip
_STYLES = [
    "color:red", "width:99999999px", "font:1px/1 a,b,c", "background:url(x)", "margin:-1e9px", "color:" + "(" * 500,
    "width:calc(" + "1+" * 300,
    "border:9999999pt solid", "font-size:0.0001px", "letter-spacing:1e9em", "--a:" + "{" * 300, "/*" * 200, "padding:1e99px",
    "line-height:0",
    "white-space:pre", "font-family:" + "a," * 300, "\\75rl(x)", "text-indent:-999em", "color:rgb(" + "1," * 300,
    "width:1px!important;" * 50,
]  # fmt: skip


def generated_html(chance):
    """Return HTML that is nested, wide, repeated, unclosed and misnested at random."""
    pieces = []
    for _ in range(chance.randrange(1, 40)):
        tag = chance.choice(_TAGS)
        attributes = "".join(
            f' {chance.choice(["style", "id", "href", "src", "title", "a"])}{number}="{chance.choice(_STYLES + _WORDS)}"'
            if chance.random() < 0.3
            else f' style="{";".join(chance.choices(_STYLES, k=3))}"'
            for number in range(chance.choice([0, 0, 1, 2, 50]))
        )
        opening, closing = (
            f"<{tag}{attributes}>",
            chance.choice([f"</{tag}>", "", f"</{chance.choice(_TAGS)}>"]),
        )
        repeated = chance.choice([1, 1, 3, 30, 190, 3_000])
        pieces.append(
            chance.choice(
                [
                    (opening + chance.choice(_WORDS) + closing) * repeated,
                    opening * repeated + closing * repeated,
                ]
            )
        )
        if chance.random() < 0.1:
            pieces.append(chance.choice(["<!--", "<!-->", "<![CDATA[", "<?", "<a b='", '<a b="', "</"]))
    return "".join(pieces)[: chance.choice([1_000, 50_000, 400_000])]


def generated_calendar(chance):
    """Return the definition of a time zone with rules at random."""
    frequencies = [
        "SECONDLY",
        "MINUTELY",
        "HOURLY",
        "DAILY",
        "WEEKLY",
        "MONTHLY",
        "YEARLY",
        "YEARLY",
        "",
        "X",
    ]
    limits = [
        "", ";COUNT=9999", ";INTERVAL=0", ";INTERVAL=-1", ";BYSECOND=" + ",".join(map(str, range(60))), ";BYDAY=MO,TU,WE",
        ";BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12", ";UNTIL=99991231T000000Z", ";BYSETPOS=-366", ";BYMONTHDAY=31;BYMONTH=2",
        ";BYEASTER=1",
    ]  # fmt: skip
    starts = ["00010101T000000", "19700101T000000", "99991231T235959", "20261301T000000", "x"]
    return "".join(
        rule(
            f"FREQ={chance.choice(frequencies)}{''.join(chance.choices(limits, k=2))}", chance.choice(starts)
        )
        for _ in range(chance.randrange(1, 20))
    )


def generated_mail(chance):
    """Return a message whose structure is hostile, at random."""
    kind = chance.random()
    if kind < 0.2:
        return calendar_mail(generated_calendar(chance), chance.choice([1, 5, 40]))
    html = generated_html(chance)
    return (
        image_mail(html + "<img src='cid:a'>" * chance.choice([0, 1, 900])) if kind < 0.3 else html_mail(html)
    )
