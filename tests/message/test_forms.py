"""Every row of the tables of wordings accepts its example and refuses its near miss, alone and in a whole message."""

from collections import Counter
from imio.mailbridge.message.classification import absence_forms
from imio.mailbridge.message.classification import bounce_forms
from imio.mailbridge.message.classification import reaction_forms
from imio.mailbridge.message.classification import sender_forms
from imio.mailbridge.message.classification import stand_in_forms
from imio.mailbridge.message.classification import subject_prefix_forms
from imio.mailbridge.message.classification.auto_reply import says_absent
from imio.mailbridge.message.classification.bounce import read_bounce
from imio.mailbridge.message.classification.certified_forms import RECEIPTS
from imio.mailbridge.message.classification.certified_mail import read_certified_receipt
from imio.mailbridge.message.classification.proposed_author import proposed_author
from imio.mailbridge.message.classification.reaction import read_reaction
from imio.mailbridge.message.classification.redirect import redirect_marks
from imio.mailbridge.message.classification.redirect import redirect_traces
from imio.mailbridge.message.classification.redirect_forms import MARKS
from imio.mailbridge.message.classification.redirect_forms import TRACES
from imio.mailbridge.message.classification.stand_in import read_stand_in
from imio.mailbridge.message.classification.subject_prefix import is_answer
from imio.mailbridge.message.parsing import filter_forms
from imio.mailbridge.message.parsing import server_forms
from imio.mailbridge.message.parsing.filter_mark import sender_mark
from imio.mailbridge.message.parsing.filter_mark import unwanted_mark
from imio.mailbridge.message.parsing.parse import parse
from imio.mailbridge.message.syntax.form import any_of
from imio.mailbridge.message.syntax.form import fold
import pytest
import re


TABLES = (
    sender_forms.FORMS,
    server_forms.TAGS,
    server_forms.SENTENCES,
    filter_forms.UNWANTED,
    filter_forms.SENDER,
    absence_forms.FIELDS,
    absence_forms.SUBJECTS,
    bounce_forms.FORMS,
    reaction_forms.PARTS,
    reaction_forms.SENTENCES,
    stand_in_forms.FORMS,
    subject_prefix_forms.FORMS,
)
LANGUAGES = "english french dutch german italian spanish portuguese polish romanian turkish arabic ukrainian bulgarian"


def rows(table):
    return pytest.mark.parametrize("form", table, ids=lambda form: f"{form.where} {form.name}")


def message(text="", **fields):
    head = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in fields.items())
    return parse(f"{head}\n{text}".encode())


@pytest.mark.parametrize(
    "form", [form for table in TABLES for form in table], ids=lambda form: f"{form.where} {form.name}"
)
def test_row_accepts_its_example_alone(form):
    (table,) = [table for table in TABLES if form in table]
    assert any_of([form], form.where).search(fold(form.example))
    assert form.near_miss != form.example
    others = [each for each in table if each is not form and each.where == form.where]
    assert not any(each.pattern == form.pattern for each in others)


@pytest.mark.parametrize(
    ("table", "place"),
    [
        (absence_forms.SUBJECTS, ("subject", "subject-alone")),
        (bounce_forms.FORMS, ("subject",)),
        (reaction_forms.SENTENCES, ("text",)),
    ],
)
def test_every_language_has_its_row(table, place):
    found = {form.name.partition(":")[0] for form in table if form.where in place}
    missing = set(LANGUAGES.split()) - found - ({"english"} if table is bounce_forms.FORMS else set())
    assert not missing


@rows(absence_forms.SUBJECTS)
def test_absence(form):
    assert says_absent(form.example)
    assert says_absent(form.example.upper().replace("İ", "I"))
    assert not says_absent(form.near_miss)
    assert not says_absent(f"RE: {form.example}")


def bounce(**fields):
    text = fields.pop("text", "Delivery has failed to <gone@citizen.test>")
    return read_bounce(message(text, **fields))


@rows([form for form in bounce_forms.FORMS if form.where.endswith("author")])
def test_author_of_a_bounce(form):
    for author in ("{}@mx.test", '"{}" <x@mx.test>'):
        local = author.startswith("{") and " " in form.example
        if not local:
            assert bounce(From=author.format(form.example), Subject="Undeliverable"), author
            assert bounce(From=author.format(form.near_miss), Subject="Undeliverable") is None, author


@rows([form for form in bounce_forms.FORMS if form.where == "subject"])
def test_subject_of_a_bounce(form):
    written = {"From": "postmaster@mx.test", "text": "<gone@citizen.test>"}
    assert bounce(Subject=form.example, **written).evidence[1][0] == "subject"
    assert bounce(Subject=form.near_miss, **written) is None


@rows([form for form in bounce_forms.FORMS if form.where == "text"])
def test_sentence_of_a_bounce(form):
    written = {"From": "postmaster@mx.test", "Subject": "?"}
    assert bounce(text=f"{form.example}\n<gone@citizen.test>", **written).evidence[1][0] == "text"
    assert bounce(text=f"{form.near_miss}\n<gone@citizen.test>", **written) is None


@rows([form for form in bounce_forms.FORMS if form.where == "delayed"])
def test_delay(form):
    actions = [
        bounce(From="mailer-daemon@mx.test", Subject=subject, text="<gone@citizen.test>").recipients[0].action
        for subject in (form.example, form.near_miss)
    ]
    assert actions == ["delayed", "failed"]


@rows([form for form in bounce_forms.FORMS if form.where == "returned"])
def test_where_the_returned_message_begins(form):
    text = "<gone@citizen.test> failed\n\n{}\n\nCc: other@citizen.test\n"
    found = [
        [each.address for each in bounce(From="mailer-daemon@mx.test", text=text.format(line)).recipients]
        for line in (form.example, form.near_miss)
    ]
    assert found == [["gone@citizen.test"], ["gone@citizen.test", "other@citizen.test"]]


@rows(reaction_forms.PARTS)
def test_part_of_a_reaction(form):
    if form.where == "content-type":
        accepted, refused = ({"Content_Type": value} for value in (form.example, form.near_miss))
    else:
        accepted, refused = ({"Content_Disposition": value} for value in (form.example, form.near_miss))
    assert read_reaction(message("👍", From="a@b.test", **accepted), "<x@y>") is not None
    assert read_reaction(message("👍", From="a@b.test", **refused), "<x@y>") is None


@rows(reaction_forms.SENTENCES)
def test_sentence_of_a_reaction(form):
    below = "\n\n________________________________\nFrom: a@b.test\n"
    found = read_reaction(message(f"{form.example}\n👍{below}", From="a@b.test"), "<x@y>")
    assert (found.message_id, found.words) == ("<x@y>", "👍")
    assert read_reaction(message(f"{form.near_miss}{below}", From="a@b.test"), "<x@y>") is None


@rows(stand_in_forms.FORMS)
def test_stand_in(form):
    examples = {each.where: each.example for each in stand_in_forms.FORMS}
    near = {**examples, form.where: form.near_miss}
    assert read_stand_in(message(From=examples["from"], Subject=examples["subject"]))
    assert read_stand_in(message(From=near["from"], Subject=near["subject"])) is None


@pytest.mark.parametrize(
    ("form", "mark"),
    [
        *((form, unwanted_mark) for form in filter_forms.UNWANTED),
        *((form, sender_mark) for form in filter_forms.SENDER),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_mark_of_a_filter(form, mark):
    assert mark(message(**{form.where: form.example}).root).lower() == f"{form.where}: {form.example}".lower()
    assert mark(message(**{form.where: form.near_miss}).root) is None
    if form.where == "subject":
        assert mark(message(Subject=f"RE: {form.example}").root)
        assert mark(message(Subject=f"Votre avis : {form.example}").root) is None


@rows(sender_forms.FORMS)
def test_author_that_is_nobody_to_answer(form):
    written = "{}@town.test" if form.where == "local-part" else '"{}" <list@town.test>'
    accepted, refused = (
        proposed_author(message(From=written.format(text), Reply_To="Lou <lou@citizen.test>"), ())
        for text in (form.example, form.near_miss)
    )
    assert (str(accepted.author), accepted.field) == ('"Lou" <lou@citizen.test>', "reply-to")
    assert refused is None


@pytest.mark.parametrize("row", RECEIPTS, ids=lambda row: row.value)
def test_receipt_of_certified_mail(row):
    fields = {"X_Ricevuta": row.value.upper(), "X_Riferimento_Message_ID": "<x@y>"}
    found = read_certified_receipt(message(**fields))
    assert (found.kind, found.message_id, found.recipients[0].action) == (row.kind, "<x@y>", row.action)
    assert read_certified_receipt(message(**{**fields, "X_Ricevuta": f"{row.value}-x"})) is None


def test_recipient_of_a_receipt_of_certified_mail():
    file = "Content-Type: application/xml; name=daticert.xml\n\n<postacert><consegna>Rossi@pec.test</consegna></postacert>"
    found = read_certified_receipt(parse(f"X-Ricevuta: errore-consegna\n{file}".encode()))
    assert found.recipients[0].address == "rossi@pec.test"


@rows(subject_prefix_forms.FORMS)
def test_prefix(form):
    assert is_answer(form.example) is (form.where == "reply")
    assert is_answer(f"[EXTERNE] {form.example}") is (form.where == "reply")
    assert not is_answer(form.near_miss)


@pytest.mark.parametrize("detector", [*MARKS, *TRACES], ids=lambda detector: detector.name)
def test_mark_of_a_redirect(detector):
    read = (
        redirect_marks if detector in MARKS else lambda found: redirect_traces(found, ["contact@maville.be"])
    )
    (mark,) = read(message(**{detector.header: detector.example}))
    assert mark.detector is detector
    assert ("contact@maville.be" in mark.addresses) is detector.names_mailbox
    if detector.near_miss:
        assert read(message(**{detector.header: detector.near_miss})) == ()


def test_a_mark_without_a_near_miss_is_one_whatever_its_value():
    assert [each.name for each in (*MARKS, *TRACES) if not each.near_miss] == ["gmail-forwarded-to"]


def test_no_pattern_has_a_class_that_folding_would_turn_around():
    assert not [form for table in TABLES for form in table if re.search(r"\\[A-Z]", form.pattern)]


def test_no_row_stands_twice():
    for table in TABLES:
        counts = Counter((form.where, form.name) for form in table)
        assert not [key for key, number in counts.items() if number > 1]
