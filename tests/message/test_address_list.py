"""What a person types as addresses is read strictly, what a header field holds leniently."""

from imio.mailbridge.message.address import Address
from imio.mailbridge.message.syntax.address_list import header_addresses
from imio.mailbridge.message.syntax.address_list import typed_addresses
import pytest


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("", []),
        (" ; , \n", []),
        ("a@b.test", [Address("", "a@b.test")]),
        ("<a@b.test>", [Address("", "a@b.test")]),
        ("mailto:a@b.test", [Address("", "a@b.test")]),
        ("\u200ba@b.test\u00a0", [Address("", "a@b.test")]),  # pasted from a web page
        ("Jeanne  Dupont <j@d.test>", [Address("Jeanne Dupont", "j@d.test")]),
        ("j@d.test (Dupont, Jeanne)", [Address("Dupont, Jeanne", "j@d.test")]),
        ("a@b.test; c@d.test,\r\ne@f.test", [Address("", "a@b.test"), Address("", "c@d.test"), Address("", "e@f.test")]),
        ('"Dupont, Jeanne; dite Jo" <j@d.test>', [Address("Dupont, Jeanne; dite Jo", "j@d.test")]),
        ('"a \\" b, c" <x@y.test>', [Address('a " b, c', "x@y.test")]),
        ('"never closed, a@b.test', ['"never closed', Address("", "a@b.test")]),
        ("jeanne, a@b.test", ["jeanne", Address("", "a@b.test")]),
        ("Dupont, Jeanne <j@d.test>", ["Dupont", Address("Jeanne", "j@d.test")]),
        ("a@b.test c@d.test", ["a@b.test c@d.test"]),
        ("Jeanne j@d.test", ["Jeanne j@d.test"]),
        ("Bcc: x@y.test", ["Bcc: x@y.test"]),
        ("a b@c.test", ["a b@c.test"]),
        ("a@b.test\0", ["a@b.test\0"]),
        ("x@" + "é" * 60 + ".be", ["x@" + "é" * 60 + ".be"]),  # no ASCII form
        ("," * 100_000, []),
        ('"' * 3001, ['"' * 3001]),
        ('"\\' * 50_000, ['"\\' * 50_000]),
    ],
)  # fmt: skip
def test_typed(text, entries):
    assert typed_addresses(text) == entries


@pytest.mark.parametrize("name", ["Dupont, Jeanne", 'a "b" c', "back\\slash", "(x)", "", "é; è"])
def test_typed_reads_what_an_address_writes(name):
    address = Address(name, "a@b.test")
    assert typed_addresses(str(address)) == [address]


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("", ()),
        ("<>", ()),
        ("nonsense", ()),
        ("Jeanne j@d.test", (Address("Jeanne", "j@d.test"),)),
        ("Friends: a@b.test, <c@d.test>;", (Address("", "a@b.test"), Address("", "c@d.test"))),
        ("=?utf-8?q?=C3=A9?= <a@b.test>", (Address("é", "a@b.test"),)),
        ('"Dupont, Jeanne; dite Jo" <j@d.test>', (Address("Dupont, Jeanne; dite Jo", "j@d.test"),)),
        ("Jeanne Dupont (j@d.test)", (Address("Jeanne Dupont", "j@d.test"),)),
        ("j@d.test (Jeanne Dupont)", (Address("Jeanne Dupont", "j@d.test"),)),
        ("Service: Urbanisme <j@d.test>", (Address("Service: Urbanisme", "j@d.test"),)),
        ("12:30 Jeanne: x <j@d.test>", (Address("12:30 Jeanne: x", "j@d.test"),)),
        ("Friends: Jeanne <j@d.test>;", (Address("Jeanne", "j@d.test"),)),
        ("mailto: j@d.test", (Address("", "j@d.test"),)),
    ],
)
def test_header(text, addresses):
    assert header_addresses(text) == addresses
