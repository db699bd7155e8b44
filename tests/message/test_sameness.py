"""What only servers changed is the same message; what its author could have meant otherwise is another one."""

from email.message import EmailMessage
from imio.mailbridge.message.parsing.parse import parse
from imio.mailbridge.message.parsing.sameness import content_of
from imio.mailbridge.message.parsing.sameness import is_same
from imio.mailbridge.message.parsing.server_changes import original_link
from imio.mailbridge.message.parsing.server_changes import with_original_links
from imio.mailbridge.message.parsing.server_changes import without_additions
from imio.mailbridge.message.parsing.server_changes import without_tags
from imio.mailbridge.message.parsing.server_forms import REWRITERS
from imio.mailbridge.message.parsing.server_forms import SENTENCES
from imio.mailbridge.message.parsing.server_forms import TAGS
from tests.message.cpu_time import assert_linear
import pytest


TEXT = "Madame,\n\nL’arbre du n° 12 – voir https://impots.example/f?id=1 – menace ma maison.\n\nPaul"
HTML = (
    '<p>Madame,</p><p>L’arbre du n° 12 – voir <a href="https://impots.example/f?id=1">https://impots.example/f?id=1</a> '
    "– menace ma "
    "maison.</p><p>Paul</p>"
)
SAFE = "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fimpots.example%2Ff%3Fid%3D1&amp;data=05"
BANNER = "ATTENTION : ce message provient de l'extérieur.\nNe cliquez pas sur les liens.\n\n"
LIST = "\n_______________________________________________\nInfo mailing list -- info@lists.maville.test\n"


def message(text=TEXT, html=None, subject="Taxe", files=(), images=(), charset="utf-8", cte=None):
    found = EmailMessage()
    found["From"] = "Paul <paul@citizen.test>"
    found["Subject"] = subject
    found["Message-ID"] = "<1@citizen.test>"
    if text is not None:
        found.set_content(text, charset=charset, cte=cte)
    if html is not None:
        (found.add_alternative if text is not None else found.set_content)(html, subtype="html")
    for image in images:
        found.get_payload()[-1].add_related(image, "image", "png", cid="<i>")
    for file in files:
        found.add_attachment(file, "application", "pdf", filename="plan.pdf")
    return parse(found.as_bytes())


def same(one, other):
    contents = content_of(one), content_of(other)
    assert is_same(*contents) is is_same(*reversed(contents))
    return is_same(*contents)


BOTH = message(TEXT, HTML)


@pytest.mark.parametrize(
    "copy",
    [
        message(TEXT, HTML, "[EXTERNE] Taxe"),
        message(TEXT, HTML, "***SPAM*** [info] Taxe"),
        message(BANNER + TEXT, f"<div>{BANNER}</div>{HTML}"),
        message(TEXT, f"<table><tr><td>{BANNER}</td></tr></table>{HTML}"),
        message(TEXT + LIST, HTML),
        message(TEXT.replace("https://impots.example/f?id=1", SAFE.replace("&amp;", "&")), HTML),
        message(TEXT, HTML.replace('"https://impots.example/f?id=1"', f'"{SAFE}"')),
        message(TEXT, HTML.replace("https://impots.example/f?id=1", SAFE)),
        message(TEXT),
        message(None, HTML),
        message(BANNER + TEXT + LIST),
        message(TEXT, HTML, charset="cp1252", cte="quoted-printable"),
        message(TEXT, HTML, cte="base64"),
        message(TEXT.replace("’", "'").replace("–", "-"), HTML, charset="iso-8859-1"),
    ],
)
def test_copy_that_servers_changed_is_the_same(copy):
    assert same(BOTH, copy)


@pytest.mark.parametrize(
    "other",
    [
        message(TEXT.replace("menace", "ne menace pas"), HTML.replace("menace", "ne menace pas")),
        message(TEXT.replace("12", "21"), HTML.replace("12", "21")),
        message(TEXT.replace("id=1", "id=2"), HTML),
        message(TEXT, HTML.replace('href="https://impots.example/f?id=1"', 'href="https://evil.example/"')),
        message(TEXT, HTML.replace("menace", "ne menace pas")),
        message("ATTENTION : payez 500 EUR sur BE68 5390 0754 7034.\n\n" + TEXT, HTML),
        message(TEXT + "\n\nAnalyse antivirus : rien, mais je retire ma demande.", HTML),
        message("CAUTION: external <payez 500 EUR sur BE68>\n\n" + TEXT, HTML),
        message(TEXT + "\n\n😡", HTML + "<p>😡</p>"),
        message(TEXT, HTML, "Plainte"),
        message(TEXT, HTML, files=[b"%PDF-1"]),
        message(None, None),
        message(TEXT, HTML + '<img src="cid:i">', images=[b"\x89PNG\r\n\x1a\n"]),
    ],
)
def test_other_content_is_not(other):
    assert not same(BOTH, other)


def test_alternative_that_says_something_else_is_not_taken_for_one_that_was_dropped():
    assert not same(message(TEXT), message(TEXT, "<p>Payez 500 EUR.</p>"))
    assert not same(message(None, HTML), message("Payez 500 EUR.", HTML))


def test_files_count_by_content():
    assert same(message(files=[b"%PDF-1", b"%PDF-2"]), message(files=[b"%PDF-2", b"%PDF-1"]))
    assert not same(message(files=[b"%PDF-1"]), message(files=[b"%PDF-2"]))
    assert not same(message(files=[b"%PDF-1"]), message(files=[b"%PDF-1", b"%PDF-1"]))


def encrypted(octets):
    return parse(
        b"Content-Type: multipart/encrypted; boundary=b\n\n--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n"
        b"--b\nContent-Type: application/octet-stream\n\n" + octets + b"\n--b--\n"
    )


def test_what_cannot_be_read_counts_as_it_is():
    assert same(encrypted(b"AAAA"), encrypted(b"AAAA"))
    assert not same(encrypted(b"AAAA"), encrypted(b"AAAB"))


def test_all_of_a_long_html_counts():
    long = "<p>x</p>" * 200_000
    assert not same(message(None, f"{long}<p>oui</p>"), message(None, f"{long}<p>non</p>"))


def rows(table):
    return pytest.mark.parametrize("row", table, ids=lambda row: row.name)


@rows(SENTENCES)
def test_sentence_of_a_server(row):
    for lines in (
        [row.example, "", "Bonjour"],
        ["Bonjour", "", row.example],
        ["Bonjour", "-- ", *row.example.split(" ", 1)],
    ):
        assert without_additions(lines) == ["Bonjour"]
    assert without_additions([row.near_miss, "", "Bonjour"]) == [row.near_miss, "", "Bonjour"]
    assert without_additions(["Bonjour", row.example, "Paul"]) == ["Bonjour", row.example, "Paul"]


@rows(TAGS)
def test_tag_of_a_subject(row):
    assert without_tags(row.example) == "taxe"
    assert without_tags(f"RE: {row.example}") == "re: taxe"
    assert without_tags(row.near_miss) != "taxe"


@rows(REWRITERS)
def test_rewritten_link(row):
    assert original_link(row.example) == row.original
    assert original_link(row.near_miss) == row.near_miss
    assert with_original_links(f"voir {row.example}.") == f"voir {row.original}."
    assert with_original_links(f"{row.original}<{row.example}>, ou") == f"{row.original}, ou"


def test_link_that_two_providers_rewrote():
    twice = "https://urldefense.com/v3/__https://eur01.safelinks.protection.outlook.com/?url=https*3A*2F*2Fimpots.example__;JSUl!!A!b$"
    assert original_link(twice) == "https://impots.example"


@pytest.mark.parametrize(
    "piece",
    [
        "attention ",
        "external ",
        "caution: external, attention external " * 25 + "\n\n",
        "http://",
        "https://a.safelinks.protection.outlook.com/?x&",
        '<a href="',
        "[a] ",
    ],
)
def test_hostile_text_takes_no_time(piece):
    def raw(size):
        text = piece * (size * 100_000 // len(piece))
        return f"Subject: {text[:100_000]}\nContent-Type: text/html\n\n{text}".encode()

    assert_linear(lambda octets: content_of(parse(octets)), raw)
