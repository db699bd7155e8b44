"""Forwards as text, by program and by language, and what only looks like one."""

from imio.mailbridge.message.address import Address
from imio.mailbridge.message.classification.forward_words import FORMS
from imio.mailbridge.message.classification.forward_words import LANGUAGES
from imio.mailbridge.message.classification.inline_forward import read_inline_forward
from imio.mailbridge.message.parsing.parse import parse
from imio.mailbridge.message.syntax.calendar_words import MONTHS
from imio.mailbridge.message.syntax.fold import fold
from pathlib import Path
from zoneinfo import ZoneInfo
import pytest


def read(subject, body, html=False):
    kind = "text/html" if html else "text/plain"
    head = f"From: al@maville.be\nDate: Thu, 22 Jan 2026 15:00:00 +0100\nSubject: {subject}\n"
    head += f"Content-Type: {kind}; charset=utf-8\n\n"
    return read_inline_forward(parse((head + body).encode()))


def outlook(sender, date, to, subject):
    return f"{sender}: Jan <jan@example.org>\n{date}: 05/01/2026 10:32\n{to}: al@maville.be\n{subject}: Vraag\n\nBeste\n"


BLOCKS = {
    "fr": outlook("De ", "Envoyé ", "À ", "Objet "),
    "fr-bold": outlook("*De :*", "*Envoyé :*", "*À :*", "*Objet :*").replace(":*:", ":*"),
    "en": outlook("From", "Sent", "To", "Subject"),
    "nl": outlook("Van", "Verzonden", "Aan", "Onderwerp"),
    "de": outlook("Von", "Gesendet", "An", "Betreff"),
    "es": outlook("De", "Enviado el", "Para", "Asunto"),
    "it": outlook("Da", "Inviato", "A", "Oggetto"),
    "pt": outlook("De", "Enviada em", "Para", "Assunto"),
}
MARKERS = [
    "---------- Forwarded message ---------",
    "---------- Forwarded message ----------",
    "-------- Forwarded Message --------",
    "-------- Message transféré --------",
    "-------- Doorgestuurd bericht --------",
    "-------- Weitergeleitete Nachricht --------",
    "----- Mail transféré -----",
    "----- Forwarded Message -----",
    "----- Forwarded by Al Bert/Maville on 05/01/2026 10:00 -----",
    "----- Transféré par Al Bert/Maville le 05/01/2026 10:00 -----",
    "Début du message réexpédié :",
    "Début du message transféré :",
    "Begin forwarded message:",
    "Begin doorgestuurd bericht:",
    "Anfang der weitergeleiteten Nachricht:",
    "-------- Mensaje reenviado --------",
    "-------- Messaggio Inoltrato --------",
    "-------- Mensagem reencaminhada --------",
    "---------- Mensagem encaminhada ----------",
    "----- Inoltrato da Al Bert/Maville il 05/01/2026 10:00 -----",
    "Inicio del mensaje reenviado:",
    "Inizio messaggio inoltrato:",
    "Início da mensagem encaminhada:",
    "A iniciar mensagem reencaminhada:",
]
ORIGINAL = [
    "-----Original Message-----",
    "-----Message d'origine-----",
    "-----Message d’origine-----",
    "-----Oorspronkelijk bericht-----",
    "-----Ursprüngliche Nachricht-----",
    "-------- Message original --------",
    "-------- Originalnachricht --------",
    "-------- Mensaje original --------",
    "-------- Messaggio originale --------",
    "-------- Mensagem original --------",
    "________________________________",
]
PREFIXES = [
    "Fwd: x",
    "FW: x",
    "Fw: x",
    "TR: x",
    "Tr : x",
    "TR : RE: x",
    "WG: x",
    "Doorst: x",
    "RV: x",
    "I: x",
    "ENC: x",
    "[EXT] Fwd: x",
]


def assert_read(proposal):
    assert proposal is not None
    assert proposal.author.addr_spec == "jan@example.org"
    assert proposal.author.display_name == "Jan"
    assert proposal.subject == "Vraag"
    assert proposal.date.isoformat() == "2026-01-05T10:32:00+01:00"
    assert proposal.body == "Beste"


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
@pytest.mark.parametrize("prefix", PREFIXES)
def test_header_block_under_a_forward_prefix(prefix, block):
    assert_read(read(prefix, f"Pour suivi.\n\nAl\n\n{block}"))


@pytest.mark.parametrize("marker", MARKERS)
@pytest.mark.parametrize("subject", ["Fwd: x", "Vraag"])
def test_forward_marker_is_enough(marker, subject):
    assert_read(read(subject, f"Voilà\n\n{marker}\n\n{BLOCKS['en']}"))


@pytest.mark.parametrize("marker", ORIGINAL)
def test_original_marker_wants_a_forward_prefix(marker):
    assert_read(read("TR: x", f"Voilà\n\n{marker}\n{BLOCKS['fr']}"))
    assert read("RE: x", f"Voilà\n\n{marker}\n{BLOCKS['fr']}") is None
    assert read("x", f"Voilà\n\n{marker}\n{BLOCKS['fr']}") is None


def test_html_of_outlook():
    block = (
        "<div style='border-top:solid 1pt'><p><b><span>De&nbsp;:</span></b> Jan &lt;jan@example.org&gt;<br><b>Envoyé&nbsp;:</b> "
        "lundi 5 janvier 2026 10:32<br><b>À&nbsp;:</b> al@maville.be<br><b>Objet&nbsp;:</b> Vraag</p></div><p>Beste</p>"
    )
    assert_read(
        read(
            "TR: x",
            f"<html><head><title>De : x</title></head><body><p>Voilà</p>{block}</body></html>",
            html=True,
        )
    )


def test_html_of_gmail():
    body = (
        '<div dir="ltr">Voilà</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">'
        '---------- Forwarded message ---------<br>De : <strong class="gmail_sendername" dir="auto">Jan</strong> '
        '<span dir="auto">&lt;<a href="mailto:jan@example.org">jan@example.org</a>&gt;</span><br>'
        "Date: lun. 5 janv. 2026 à 10:32<br>Subject: Vraag<br>To:  &lt;<a>al@maville.be</a>&gt;<br></div><br><br>Beste</div>"
    )
    assert_read(read("Fwd: x", body, html=True))


@pytest.mark.parametrize(
    "block",
    [
        "De : Jan <jan@example.org>À : Al <al@maville.be>Envoyé : lundi 5 janvier 2026 à 10:32:00 UTC+1Objet : Vraag",
        "From: Jan <jan@example.org>To: Al <al@maville.be>Sent: Monday, January 5, 2026 at 10:32:00 AM GMT+1Subject: Vraag",
        "De: Jan <jan@example.org>Para: Al <al@maville.be>Enviado: lunes, 5 de enero de 2026, 10:32:00 CETAsunto: Vraag",
        "Da: Jan <jan@example.org>A: Al <al@maville.be>Inviato: lunedì 5 gennaio 2026 alle ore 10:32:00 CETOggetto: Vraag",
        "De: Jan <jan@example.org>Para: Al <al@maville.be>Enviado: segunda, 5 de janeiro de 2026 às 10:32:00 CETAssunto: Vraag",
    ],
)
def test_yahoo_in_one_line(block):
    marker = "----- Message transmis -----" if block.startswith("De") else "----- Forwarded Message -----"
    assert_read(read("Fw: x", f"\n   {marker} {block}\n \nBeste".replace(f"{marker} ", f"{marker}\n")))


@pytest.mark.parametrize(
    ("marker", "labels", "date"),
    [
        ("Message original", ("Objet", "Date", "De", "À"), "2026-01-05 10:32"),
        ("Oorspronkelijke bericht", ("Onderwerp", "Datum", "Afzender", "Ontvanger"), "2026-01-05 10:32"),
        ("Originalnachricht", ("Betreff", "Datum", "Absender", "Empfänger"), "2026-01-05 10:32"),
        ("Mensaje original", ("Asunto", "Fecha", "Remitente", "Destinatario"), "2026-01-05 10:32"),
        ("Messaggio originale", ("Oggetto", "Data", "Mittente", "Destinatario"), "2026-01-05 10:32"),
        ("Mensagem original", ("Assunto", "Data", "Remetente", "Para"), "05/01/26 10:32 (GMT+01:00)"),
    ],
)
def test_roundcube_puts_the_subject_first(marker, labels, date):
    values = ("Vraag", date, "Jan <jan@example.org>", "al@maville.be")
    block = "".join(f"{label}: {value}\n" for label, value in zip(labels, values, strict=True))
    assert_read(read("Fwd: x", f"Voilà\n\n-------- {marker} --------\n{block}\nBeste"))


def test_samsung():
    body = "-------- Message d'origine --------\nDe : Jan <jan@example.org>\nDate : 05/01/2026 10:32 (GMT+01:00)\nÀ : a@x.be\n"
    assert_read(read("TR: x", f"{body}Objet : Vraag\n\nBeste"))


def test_apple_quotes_what_it_forwards():
    quoted = "".join(f"> {line}\n" for line in BLOCKS["en"].splitlines())
    assert_read(read("Fwd: x", f"\n\nBegin forwarded message:\n\n{quoted}"))


@pytest.mark.parametrize(
    ("value", "addr_spec"),
    [
        ("Jan [mailto:jan@example.org]", "jan@example.org"),
        ("Jan <mailto:jan@example.org>", "jan@example.org"),
        ("*Jan* <jan@example.org>", "jan@example.org"),
        ("jan@example.org <jan@example.org>", "jan@example.org"),
        ("jan@example.org<mailto:jan@example.org>", "jan@example.org"),
        ("jan@example.org", "jan@example.org"),
        ("'jan@example.org'", "jan@example.org"),
        ("Jan (jan@example.org)", "jan@example.org"),
        ("Jan Peeters", None),
    ],
)
def test_author(value, addr_spec):
    proposal = read("FW: x", f"From: {value}\nSent: 05/01/2026 10:32\nSubject: Vraag\n\nBeste\n")
    assert (proposal.author.addr_spec if proposal.author else None) == addr_spec


def test_long_list_of_recipients_goes_on():
    body = "From: Jan <jan@example.org>\nSent: 05/01/2026 10:32\nTo: a <a@x.be>;\n b <b@x.be>; c <c@x.be>\nSubject: Vraag\n\nBeste"
    assert_read(read("FW: x", body))


@pytest.mark.parametrize(
    "body",
    [
        f"Ok\n\nLe lun. 5 janv. 2026 à 10:32, Jan <jan@example.org> a écrit :\n\n> {MARKERS[0]}\n> {BLOCKS['en']}",
        f"Ok\n\nLe lun. 5 janv. 2026 à 10:32, Jan Peeters <jan@example.org>\na écrit :\n{MARKERS[0]}\n{BLOCKS['en']}",
        f"Ok\n\nOn Mon, Jan 5, 2026 at 10:32 AM Jan <jan@example.org> wrote:\n\n{MARKERS[0]}\n{BLOCKS['en']}",
        f"Ok\n\nOp ma 5 jan 2026 om 10:32 schreef Jan <jan@example.org>:\n\n{MARKERS[0]}\n{BLOCKS['en']}",
        f"Ok\n\nAm 05.01.26 um 10:32 schrieb Jan:\n\n{MARKERS[0]}\n{BLOCKS['en']}",
        f"Ok\n\nJan hat am 05.01.2026 10:32 geschrieben:\n\n{MARKERS[0]}\n{BLOCKS['en']}",
        f"Ok\n\nEl lun, 5 ene 2026 a las 10:32, Jan (<jan@example.org>) escribió:\n\n{MARKERS[0]}\n{BLOCKS['en']}",
        f"Ok\n\nIl giorno lun 5 gen 2026 alle ore 10:32 Jan <jan@example.org> ha\nscritto:\n\n{MARKERS[0]}\n{BLOCKS['en']}",
        f"Ok\n\nEm seg., 5 de jan. de 2026 às 10:32, Jan <jan@example.org> escreveu:\n\n{MARKERS[0]}\n{BLOCKS['en']}",
        f"Ok\n\nJan <jan@example.org> escreveu (segunda, 5/01/2026 à(s) 10:32):\n\n{MARKERS[0]}\n{BLOCKS['en']}",
        f"> {MARKERS[0]}\n> {BLOCKS['en']}",
        MARKERS[0],
        f"{MARKERS[0]}\nthere is no block here",
        "De : Namur\nNous irons voir.",
        "",
    ],
)
def test_no_forward(body):
    assert read("Fwd: x", body) is None
    assert read("Re: x", body) is None


@pytest.mark.parametrize("subject", ["Re: x", "RE: Fwd: x", "AW: x", "Antw: x", "Ré : x", "R: x", "RES: x"])
def test_answer_to_a_forward_is_none(subject):
    assert read(subject, f"Ok\n\n{MARKERS[0]}\n{BLOCKS['en']}") is None
    assert read(subject, f"Ok\n\n{BLOCKS['fr']}") is None


@pytest.mark.parametrize(
    ("head", "zone", "found"),
    [
        ("", None, "2026-07-05T10:32:00+02:00"),
        ("", ZoneInfo("Europe/Lisbon"), "2026-07-05T10:32:00+01:00"),
        ("Date: Thu, 9 Jul 2026 15:00:00 +0000\n", ZoneInfo("Europe/Brussels"), "2026-07-05T10:32:00+02:00"),
        ("Date: Thu, 3 Dec 2026 15:00:00 +0100\n", ZoneInfo("Europe/Brussels"), "2026-07-05T10:32:00+02:00"),
    ],
)
def test_date_without_zone_is_of_the_town_on_that_day(head, zone, found):
    block = "De : Jan <jan@example.org>\nEnvoyé : 05/07/2026 10:32\nObjet : Vraag\n\nBeste"
    raw = f"From: al@maville.be\n{head}Subject: TR: x\nContent-Type: text/plain; charset=utf-8\n\n{block}"
    proposal = read_inline_forward(parse(raw.encode()), zone)
    assert proposal.date.isoformat() == found
    assert proposal.doubts == (("zone-guessed", "05/07/2026 10:32"),)


ENGLISH = "From: Jan <jan@example.org>\nSent: 05/01/2026 10:32\nTo: al@maville.be\nSubject: Vraag\n\nBeste\n"
EACH_LANGUAGE = pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)


@EACH_LANGUAGE
def test_each_marker_of_a_language(language):
    for marker in language.markers:
        words = marker.replace("{}", "Al Bert 05/01/2026 10:00")
        assert_read(read("Vraag", f"-------- {words.capitalize()} --------\n{ENGLISH}"))
        if words == marker:
            assert_read(read("Vraag", f"{words}:\n\n{ENGLISH}"))
    for marker in language.originals:
        assert_read(read("Fwd: x", f"-----{marker.upper()}-----\n{ENGLISH}"))
        assert read("Re: x", f"-----{marker}-----\n{ENGLISH}") is None


@EACH_LANGUAGE
def test_each_label_of_a_language(language):
    values = {
        "from": "Jan <jan@example.org>",
        "date": "05/01/2026 10:32",
        "to": "al@maville.be",
        "subject": "Vraag",
    }
    first = {field: labels.split(";")[0] for field, labels in language.labels.items()}
    for field, labels in language.labels.items():
        for label in labels.split(";"):
            names = {**first, field: label}
            block = "".join(f"{names[each]} : {values[each]}\n" for each in values)
            assert_read(read("Fwd: x", f"{block}{names['cc']}: chef@maville.be\n\nBeste"))


@EACH_LANGUAGE
def test_each_prefix_of_a_language(language):
    for prefix in language.prefixes.split(";"):
        assert_read(read(f"{prefix.upper()} : x", ENGLISH))
    for prefix in language.replies.split(";"):
        assert read(f"{prefix.upper()}: x", ENGLISH) is None
        assert read(f"{prefix}[2]: x", f"---------- Forwarded message ----------\n{ENGLISH}") is None


@EACH_LANGUAGE
def test_each_line_above_a_quote_makes_a_reply(language):
    for template in language.wrote:
        line = template
        for words in ("05/01/2026 10:32, Jan <jan@example.org>", "Jan <jan@example.org>", "5/01"):
            line = line.replace("{}", words, 1)
        assert read("Fwd: x", f"OK.\n\n{line}:\n\n{ENGLISH}") is None, line


def test_no_word_means_two_things():
    fields, subjects = {}, {}
    for language in LANGUAGES:
        for field, labels in language.labels.items():
            for label in labels.split(";"):
                assert fields.setdefault(fold(label), field) == field, label
        for kind in ("prefixes", "replies"):
            for word in getattr(language, kind).split(";"):
                assert subjects.setdefault(fold(word), kind) == kind, word


def test_documentation_names_each_language_and_form():
    page = (Path(__file__).parents[2] / "docs" / "incoming.rst").read_text("utf-8")
    section = page.partition("Forwards as text\n")[2].partition("What was guessed or is said\n")[0]
    languages = " ".join(section.partition("Languages: ")[2].partition(".")[0].split())
    assert languages == ", ".join(language.name for language in LANGUAGES)
    for form in FORMS:
        prefix = "wanted" if form.needs_prefix else "not wanted"
        row = f"``{form.name}`` {form.programs} ``{form.looks_like}`` {prefix}"
        assert row in [" ".join(line.split()) for line in section.splitlines()]


def test_languages_of_the_tables_are_the_same():
    assert set(MONTHS) == {language.code for language in LANGUAGES}


@pytest.mark.parametrize("form", [form for form in FORMS if form.needs_prefix], ids=lambda form: form.name)
def test_forms_of_replies_want_the_prefix_of_a_forward(form):
    text = {
        "original": f"-----Original Message-----\n{ENGLISH}",
        "header-block": ENGLISH,
        "quote-line": "On 05/01/2026, 10:32, Jan <jan@example.org> wrote:\n\nBeste",
    }[form.name]
    assert read("FW: Vraag", text).style == form.name
    assert read("Vraag", text) is None
    assert read("RE: Vraag", text) is None


def test_what_is_below_a_marker_without_a_header_block_is_read_on():
    assert_read(
        read("Fwd: x", f"Forwarded message:\nsee below\n\n---------- Forwarded message ---------\n{ENGLISH}")
    )


def test_encoded_words_are_decoded():
    block = "Sujet : =?utf-8?Q?Merci_=C3=A0_tous?=\nDe : =?utf-8?Q?Fran=C3=A7ois?= <f@example.org>\n\nMerci"
    proposal = read("Fwd: x", f"-------- Message transféré --------\n{block}")
    assert (proposal.subject, proposal.author) == ("Merci à tous", Address("François", "f@example.org"))


@pytest.mark.parametrize(
    ("subject", "found"),
    [
        ("Objet : court\nBonjour,\n\nMerci", "court"),
        (f"Objet : {'mot ' * 16}mot\nsuite et fin\n\nMerci", f"{'mot ' * 16}mot suite et fin"),
        (f"Objet : {'mot ' * 16}mot\nune phrase\nsur deux lignes\n\nMerci", f"{'mot ' * 16}mot"),
        ("Objet : court\nRéférence : 12\nÀ : al@maville.be\n\nMerci", "court"),
        ("Objet : court\nsuite : 12\nÀ : al@maville.be\n\nMerci", "court suite : 12"),
    ],
)
def test_subject_of_several_lines(subject, found):
    assert read("TR: x", f"De : Jan <jan@example.org>\nEnvoyé : 05/01/2026 10:32\n{subject}").subject == found
