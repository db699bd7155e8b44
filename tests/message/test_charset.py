"""Text is read as its octets say, whatever is declared, and it is told when that was a guess."""

from imio.mailbridge.message.syntax.charset import read_text
from tests.message.cpu_time import assert_linear
import pytest


@pytest.mark.parametrize(
    "name",
    ["cp-850", "cp850", "CP 850", "ibm-850", "IBM850", "x-cp850", '"cp850"', "cp_850", "windows-850", "cp0850", "dos-850"],
)  # fmt: skip
def test_spellings_of_a_code_page(name):
    assert read_text("Déclaration à régler".encode("cp850"), name) == ("Déclaration à régler", False)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("windows_1252", "cp1252"), ("win-1252", "cp1252"), ("8859-1", "cp1252"), ("iso88591", "cp1252"),
        ("iso_8859-15", "iso8859-15"),
        ("windows-1250", "cp1250"), ("x-sjis", "cp932"), ("ks_c_5601-1987", "cp949"), ("x-mac-roman", "mac-roman"),
        ("cp28591", "cp1252"),
        ("cp65001", "utf-8"), ("utf8mb4", "utf-8"), ("unicode-1-1-utf-8", "utf-8"), ("utf-8;", "utf-8"), ("gb2312", "gb18030"),
    ],
)  # fmt: skip
def test_names_of_charsets(name, codec):
    text = {"cp1250": "Łódź", "cp932": "日本語", "cp949": "한국어", "gb18030": "王小明"}.get(codec, "été à")
    assert read_text(text.encode(codec), name) == (text, False)


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        ("iso-8859-1", "Déclaration à régler"),
        ("windows-1252", "l’été"),
        ("iso-8859-15", "Dziękuję"),
        ("iso-8859-1", "Добрый день"),
        ("iso-8859-2", "日本語"),
        ("gb2312", "Déclaration"),
        ("big5", "日本語"),
        ("cp-850", "é"),
        ("x-martian", "été"),
        ("utf-16", "été"),
    ],
)
def test_utf_8_under_another_name(declared, text):
    assert read_text(text.encode(), declared) == (text, True)


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        ("iso-8859-1", "FERMÉ»"),
        ("iso-8859-1", "FERMÉ\u00a0: Ô°"),
        ("windows-1252", "“É”"),
        ("gb2312", "联通"),
        ("gb2312", "王小明"),
        ("koi8-r", "Добрый день"),
        ("windows-1251", "Добрый день, №5"),
        ("windows-1256", "صباح الخير"),
        ("iso-8859-7", "Καλημέρα"),
        ("iso-2022-jp", "日本語"),
        ("utf-7", "été"),
        ("utf-16", "été"),
    ],
)
def test_declared_charset_that_fits_is_believed(declared, text):
    codec = {"iso-8859-1": "cp1252"}.get(declared, declared)
    assert read_text(text.encode(codec), declared) == (text, False)


UTF8, LATIN1 = "Rendez-vous à l’école.".encode(), "Analysé et vérifié à l'entrée".encode("latin-1")


@pytest.mark.parametrize("declared", ["utf-8", "iso-8859-1", None, "x-martian"])
@pytest.mark.parametrize("between", [b"\n-- \n", b"\r\n", b"<br>"])
def test_each_line_or_octet_by_itself(declared, between):
    found = read_text(UTF8 + between + LATIN1, declared)
    assert found == (f"Rendez-vous à l’école.{between.decode()}Analysé et vérifié à l'entrée", True)


@pytest.mark.parametrize(
    ("content", "declared", "expected"),
    [
        (b"plain", "hex", ("plain", False)),
        (b"plain", None, ("plain", False)),
        ("été".encode(), None, ("été", False)),
        ("été".encode("cp1252"), None, ("été", True)),
        ("été".encode(), "us-ascii", ("été", False)),
        ("été à l’".encode()[:-1], "utf-8", ("été à l\ufffd", True)),
        ("été\x81".encode("latin-1"), "iso-8859-1", ("été\x81", True)),
        (b"", "utf-16", ("", False)),
    ],
)
def test_what_is_read_and_what_is_guessed(content, declared, expected):
    assert read_text(content, declared) == expected


@pytest.mark.parametrize(
    "piece", [b"\xc3\xa9\n\xe9\n", b"\xe9", b"\xc3", b"\xe2\x80", "é".encode(), b"\n\xe9"], ids=repr
)
@pytest.mark.parametrize("declared", ["utf-8", "iso-8859-1", "gb2312", "utf-16", "utf-7"])
def test_linear(piece, declared):
    assert_linear(lambda content: read_text(content, declared), lambda n: piece * n * 40_000)
