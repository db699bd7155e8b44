"""No message takes more than one child may have, whatever its HTML, style and calendars are; its text can be read."""

from imio.mailbridge.message.parsing.parse import parse
from imio.mailbridge.message.rendition import prepare as preparing
from imio.mailbridge.message.rendition.complexity import check_html
from imio.mailbridge.message.rendition.complexity import HtmlLimits
from imio.mailbridge.message.rendition.prepare import prepare
from imio.mailbridge.message.syntax.limits import TooComplex
from tempfile import TemporaryFile
from tests import hostile
import os
import pytest
import random
import resource


GENERATED = 40
#: Bytes of memory that a child may hold; its address space is larger.
RESIDENT = 600 << 20


def prepared(raw):
    """Prepare a message in a process of its own; return outline, HTML, and what its children took at most."""
    read, write = os.pipe()
    with TemporaryFile() as source, TemporaryFile() as target:
        source.write(raw)
        source.flush()
        if not (pid := os.fork()):
            status = 1
            try:
                outline = prepare(source, target)
                used = resource.getrusage(resource.RUSAGE_CHILDREN)
                os.write(
                    write,
                    repr((outline.as_data(), used.ru_utime + used.ru_stime, used.ru_maxrss << 10)).encode(),
                )
                status = 0
            finally:
                os._exit(status)
        os.close(write)
        with open(read) as pipe:
            said = pipe.read()
        assert os.waitpid(pid, 0)[1] == 0
        target.seek(0)
        return (*eval(said), target.read())  # noqa: S307 - our own words


def check(raw):
    """Check the bounds; return outline and HTML."""
    outline, processor, resident, html = prepared(raw)
    assert processor <= 2 * (preparing.BOUNDS.processor + 3), "two children, and starting them"
    assert resident <= RESIDENT
    assert len(html) <= preparing.BOUNDS.output
    return outline, html


@pytest.mark.parametrize("name", hostile.MAILS)
def test_mail_that_stopped_a_site(name):
    raw, is_limited = hostile.MAILS[name]
    outline, html = check(raw)
    assert bool(outline["limit"]) is is_limited, outline
    assert not outline["is_unreadable"]
    assert is_limited or not outline["is_empty"]
    if is_limited:
        assert b"Le texte seul" in html


def test_image_shown_40_000_times_is_a_file():
    raw = hostile.MAILS["image 40,000 times, that ended the process"][0]
    outline, html = check(raw)
    assert html.count(b'src="data:image/png') == 0
    assert outline["missing"] == 40_000
    assert [each.content_type for each in parse(raw).attachments] == ["image/png"]


def test_appointment_is_shown_without_the_rules_of_its_zone():
    outline, _html = check(hostile.MAILS["calendar that stopped sending"][0])
    assert [(each["summary"], each["start"]) for each in outline["invitations"]] == [
        ("Visite", "2026-12-02T09:30:00")
    ]


@pytest.mark.parametrize("seed", range(GENERATED))
def test_generated_structure_stays_in_bounds(seed):
    outline, _html = check(hostile.generated_mail(random.Random(seed)))
    assert not outline["is_unreadable"]


def test_what_the_layout_breaks_in_a_child_is_shown_as_text(monkeypatch, tmp_path):
    """The child ends without an answer: by a limit, or by a fault of a library."""
    program = tmp_path / "prepare.py"
    program.write_text(
        "import sys\nfrom imio.mailbridge.message.rendition import prepare\n"
        "if prepare.PLAIN not in sys.argv:\n    prepare.outline_and_html = lambda *args: b'x' * (1 << 40)\n"
        "prepare.main()\n"
    )
    monkeypatch.setattr(preparing, "__file__", str(program))
    outline, html = check(hostile.html_mail("<p>Bonjour <b>x</b></p>"))
    assert (outline["limit"], outline["is_unreadable"], html) == (
        "memory",
        False,
        b'<div class="text">Le texte seul</div>',
    )
    program.write_text(program.read_text().replace("if prepare", "if True or prepare"))
    outline, html = check(hostile.html_mail("<p>Bonjour</p>"))
    assert (outline["limit"], outline["is_unreadable"], html) == ("memory", True, b"")


LIMITS = HtmlLimits(length=100, elements=5, attributes=3, depth=3)


@pytest.mark.parametrize(
    ("html", "limit"),
    [
        ("x" * 100, None),
        ("x" * 101, "length"),
        (f"<img src='data:image/png;base64,{'A' * 200}'>", None),
        ("<p>" * 5, None),
        ("<p>" * 6, "elements"),
        ("<br/>" * 6, "elements"),
        ("<b><b><b>", None),
        ("<b><b><b><b>", "depth"),
        ("<b></b>" * 4, None),
        ("<b></i>" * 4, "depth"),
        ("<B></b>" * 4, None),
        ("<p a b=1 c='2'>", None),
        ("<p a b=1 c='2' d>", "attributes"),
        ("<p a/b/c/d>", "attributes"),
        ("<p a=\"> b c d\">", None),
        ("<p a = 1 b = 2 c = 3>", None),
        ("</b a b c d>", "attributes"),
        ("<p a='", None),
        ("< b>< b>< b>< b>", None),
    ],
)  # fmt: skip
def test_structure_is_measured(html, limit):
    if limit is None:
        check_html(html, LIMITS)
    else:
        with pytest.raises(TooComplex, match=limit):
            check_html(html, LIMITS)
