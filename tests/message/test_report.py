"""Reports about messages: what they are about, and what only looks like one."""

from imio.mailbridge.message.classification.absence_forms import FIELDS
from imio.mailbridge.message.classification.auto_reply import read_auto_reply
from imio.mailbridge.message.classification.bounce import read_bounce
from imio.mailbridge.message.classification.classify import classify
from imio.mailbridge.message.classification.classify import compile_agent_patterns
from imio.mailbridge.message.classification.classify import Context
from imio.mailbridge.message.classification.classify import Transfer
from imio.mailbridge.message.classification.report import read_standard_report
from imio.mailbridge.message.classification.report import ReportKind
from imio.mailbridge.message.parsing.parse import parse
import pytest


OURS = "<mailbridge.token@maville.be>"


def standard(report_type, *parts):
    head = f"From: x@example.org\nContent-Type: multipart/report; report-type={report_type}; boundary=r\n\n--r\n\nhello\n--r\n"
    return read_standard_report(parse((head + "\n--r\n".join(parts) + "\n--r--\n").encode()))


STATUS = """Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Original-Recipient: rfc822;Citizen@example.org
Final-Recipient: rfc822; mbx123@internal.example.org
Action: failed (permanent)
Status: 5.1.1 (unknown)
Diagnostic-Code: smtp; 550 5.1.1
 no such user

Final-Recipient: x400; /S=Nobody/
Action: failed

Final-Recipient: LOCAL;<two@example.org>
Action: DELAYED
Status: nonsense
"""


@pytest.mark.parametrize(
    "returned",
    [
        f"Content-Type: message/rfc822\n\nFrom: a@maville.be\nMessage-ID: {OURS}\n\nx",
        f"Content-Type: text/rfc822-headers\n\nFrom: a@maville.be\nMessage-ID:\n {OURS}\n",
        f"Content-Type: message/global-headers\n\nMessage-Id: {OURS}\n",
        "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
        "RnJvbTogYUBtYXZpbGxlLmJlCk1lc3NhZ2UtSUQ6IDxtYWlsYnJpZGdlLnRva2VuQG1hdmlsbGUuYmU+Cgp4",
    ],
)
def test_delivery_report(returned):
    report = standard("delivery-status", STATUS, returned)
    assert (report.kind, report.message_id) == (ReportKind.BOUNCE, OURS)
    one, two = report.recipients
    assert (one.address, one.final_address) == ("citizen@example.org", "mbx123@internal.example.org")
    assert (one.action, one.status, one.diagnostic) == ("failed", "5.1.1", "550 5.1.1 no such user")
    assert (two.address, two.action, two.status) == ("two@example.org", "delayed", None)


def test_delivery_report_in_crlf_with_ids_in_the_status_only():
    status = STATUS.replace("\n\nOriginal", f"\nX-Original-Message-ID: {OURS}\n\nOriginal").replace(
        "\n", "\r\n"
    )
    report = standard("delivery-status", status)
    assert report.message_id == OURS
    assert len(report.recipients) == 2


def test_envelope_id():
    status = STATUS.replace("\n\nOriginal", "\nOriginal-Envelope-ID: 0123abcd \n\nOriginal")
    assert standard("delivery-status", status).envelope_id == "0123abcd"
    assert standard("delivery-status", STATUS).envelope_id is None


REPORT = f"From: x@example.org\nContent-Type: multipart/mixed; boundary=r\n\n--r\n{STATUS}\n--r--\n"


@pytest.mark.parametrize(
    ("context", "reason"),
    [
        (Context(), "unmatched-report"),
        (Context(sent_with_id=lambda envelope_id: envelope_id == "ours"), None),
        (Context(sent_with_id=lambda envelope_id: envelope_id == "other"), "unmatched-report"),
        (Context(about="an id"), None),
        (Context(null_sender=True), "unmatched-report"),
    ],
)
def test_what_a_report_is_matched_by(context, reason):
    raw = REPORT.replace("\n\nOriginal", "\nOriginal-Envelope-ID: ours\n\nOriginal")
    found = classify(parse(raw.encode()), context)
    assert (found.transfer, found.reason) == (Transfer.BOUNCE, reason)


def test_message_without_sender_to_the_address_of_a_message_is_a_report():
    raw = b"From: posta@x.test\nSubject: iletilemedi\n\n<gone@x.test>: 550 5.1.1 yok\n\n<slow@x.test>: bekliyor\n"
    (gone, slow) = classify(parse(raw), Context(about="an id", null_sender=True)).report.recipients
    assert (gone.address, gone.action, gone.diagnostic) == ("gone@x.test", "failed", "550 5.1.1 yok")
    assert (slow.address, slow.action) == ("slow@x.test", None)
    for context in (Context(about="an id"), Context(null_sender=True)):
        assert classify(parse(raw), context).transfer is Transfer.DIRECT


def test_delivery_report_without_report_type():
    raw = f"From: x@example.org\nIn-Reply-To: {OURS}\nContent-Type: multipart/mixed; boundary=r\n\n--r\n{STATUS}\n--r--\n"
    assert read_standard_report(parse(raw.encode())).message_id == OURS


def test_recipients_that_only_the_text_names():
    raw = (
        "From: MAILER-DAEMON@yahoo.test\nTo: al@maville.be\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=r\n\n"
        "--r\n\nSorry, we were unable to deliver your message to the following address.\n\n<gone@example.org>:\n"
        f"550: 5.1.1 User unknown\n--r\nContent-Type: message/rfc822\n\nTo: x@y.be\nMessage-ID: {OURS}\n\n--r--\n"
    )
    report = classify(parse(raw.encode()), Context()).report
    assert report.message_id == OURS
    assert [(recipient.address, recipient.status) for recipient in report.recipients] == [
        ("gone@example.org", "5.1.1")
    ]


def test_receipt():
    report = standard(
        "disposition-notification",
        f"Content-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;A@example.org\nOriginal-Message-ID: {OURS}\n"
        "Disposition: automatic-action/MDN-sent-automatically; deleted/error\n",
    )
    assert (report.kind, report.message_id) == (ReportKind.RECEIPT, OURS)
    assert [(recipient.address, recipient.action) for recipient in report.recipients] == [
        ("a@example.org", "deleted")
    ]


def test_other_mail_is_no_standard_report():
    assert standard("unknown", "Content-Type: text/plain\n\nx") is None
    assert read_standard_report(parse(b"From: a@b.be\nContent-Type: text/plain\n\n")) is None


@pytest.mark.parametrize(
    ("sender", "subject", "text"),
    [
        ("MAILER-DAEMON@x.test", "failure notice", "x"),
        ("Mail Delivery Subsystem <mailer-daemon@x.test>", "Returned mail: see transcript for details", "x"),
        (
            "postmaster@x.test",
            "Undeliverable: hello",
            "Your message did not reach the following recipient(s):",
        ),
        ("postmaster@x.test", "?", "Delivery has failed to these recipients"),
        ("postmaster@x.test", "Non remis : bonjour", ""),
        ("postmaster@x.test", "Onbestelbaar: dag", ""),
        ("postmaster@x.test", "Unzustellbar: Hallo", ""),
        ("postmaster@x.test", "No se puede entregar: hola", ""),
        ("postmaster@x.test", "Recapito non riuscito: ciao", ""),
        ("postmaster@x.test", "Não é possível entregar: olá", ""),
        ("postmaster@x.test", "?", "El mensaje no se ha podido entregar a:"),
        ("postmaster@x.test", "?", "Non è stato possibile recapitare il messaggio a:"),
        ("postmaster@x.test", "?", "A sua mensagem não pôde ser entregue a:"),
        ("Mailer-Daemon", "Mail delivery failed", ""),
    ],
)
def test_bounce_without_structure(sender, subject, text):
    returned = f"Message-ID: {OURS}\nTo: other@x.y.be\n"
    raw = (
        f"From: {sender}\nTo: al@maville.be\nSubject: {subject}\n\n{text}\n\n<gone@example.org>\n\n{returned}"
    )
    report = read_bounce(parse(raw.encode()))
    assert report.message_id == OURS
    assert [(recipient.address, recipient.action) for recipient in report.recipients] == [
        ("gone@example.org", "failed")
    ]


UNKNOWN = (
    "From: {}\nTo: al@maville.be\nSubject: Mail could not be delivered\n\nThe message was not delivered to:\n"
    f"<gone@example.org>\n\nMessage-ID: {OURS}\n"
)


def test_bounce_of_an_unknown_server_returns_a_message_of_ours():
    ours = Context(
        agent_patterns=compile_agent_patterns([r".+@maville\.be"]), sent_by_us=lambda found: found == OURS
    )
    found = classify(parse(UNKNOWN.format("gateway@x.test").encode()), ours)
    assert (found.transfer, found.reason, found.report.message_id) == (Transfer.BOUNCE, None, OURS)
    assert [recipient.address for recipient in found.report.recipients] == ["gone@example.org"]
    assert classify(parse(UNKNOWN.format("gateway@x.test").encode()), Context()).transfer is Transfer.DIRECT
    assert classify(parse(UNKNOWN.format("al@maville.be").encode()), ours).transfer is Transfer.DIRECT


@pytest.mark.parametrize(
    "subject",
    [
        "Warning: could not send message for past 4 hours",
        "Remise différée : bonjour",
        "Vertraagd: dag",
        "Verzögert: Hallo",
        "Entrega retrasada: hola",
        "Consegna ritardata: ciao",
        "Entrega atrasada: olá",
    ],
)
def test_warning_is_delayed(subject):
    raw = f"From: mailer-daemon@x.test\nSubject: {subject}\n\n<gone@example.org>... Deferred 4.4.1\n"
    (recipient,) = read_bounce(parse(raw.encode())).recipients
    assert (recipient.action, recipient.status) == ("delayed", "4.4.1")


@pytest.mark.parametrize(
    "raw",
    [
        "From: a@example.org\nSubject: Undelivered Mail Returned to Sender\n\ncould not be delivered",
        "From: postmaster@x.test\nSubject: Quota report of the month\n\nAll is well.",
        "Return-Path: <>\nFrom: a@example.org\nSubject: hello\n\nMy letter could not be delivered.",
        "Return-Path: <>\nFrom: a@example.org\nSubject: Undelivered mail\n\nhello.",
    ],
)
def test_what_is_no_bounce(raw):
    assert read_bounce(parse(raw.encode())) is None


@pytest.mark.parametrize("form", FIELDS, ids=lambda form: form.name)
def test_field_of_an_automatic_answer(form):
    raw = "{}: {}\nFrom: Away@example.org\nReferences: <first@x> {}\n\n"
    report = read_auto_reply(parse(raw.format(form.where, form.example, OURS).encode()))
    assert (report.kind, report.message_id) == (ReportKind.AUTO_REPLY, OURS)
    assert [recipient.address for recipient in report.recipients] == ["away@example.org"]
    assert read_auto_reply(parse(raw.format(form.where, form.near_miss, OURS).encode())) is None


@pytest.mark.parametrize(
    ("lines", "null_sender"),
    [
        (f"Subject: Absence du bureau\nIn-Reply-To: {OURS}", False),
        (f"Subject: Automatic reply: hello\nReferences: {OURS}", False),
        ("Subject: Automatic reply: hello\nReturn-Path: <>", False),
        ("Subject: Réponse automatique\N{NO-BREAK SPACE}: bonjour", True),
        ("Subject: =?utf-8?q?R=C3=A9ponse_automatique=C2=A0=3A_bonjour?=", True),
        ("Subject: Re: Out of office", True),
    ],
)
def test_subject_of_an_automatic_answer_and_a_second_witness(lines, null_sender):
    report = read_auto_reply(parse(f"{lines}\nFrom: away@example.org\n\n".encode()), null_sender)
    assert report.kind is ReportKind.AUTO_REPLY


@pytest.mark.parametrize(
    "lines",
    [
        "Auto-Submitted: auto-generated",
        "Auto-Submitted: no\nSubject: Out of office",
        "Auto-Submitted: auto-generated\nSubject: Réponse automatique : bonjour",
        "X-Auto-Response-Suppress: All",
        "X-Auto-Response-Suppress: All\nSubject: Automatic reply: hello",
        "Precedence: bulk\nSubject: Automatisch antwoord: dag",
        "X-Loop: x@example.org\nSubject: Out of office",
        "Precedence: bulk\nSubject: Newsletter",
        "Subject: Out of office",
        "Subject: Risposta automatica",
        "X-Autoreply: no",
        # a person answers the absence message of an agent
        f"Subject: RE: Réponse automatique : Permis\nIn-Reply-To: {OURS}",
        # the witness is there, the subject only begins so
        f"Subject: Absence de ma fille vendredi\nIn-Reply-To: {OURS}",
        "Subject: Certificat pour l'absence\nReturn-Path: <>",
        f"Subject: Vacation request for the hall\nReferences: {OURS}",
    ],
)
def test_what_is_no_auto_reply(lines):
    assert read_auto_reply(parse(f"{lines}\nFrom: a@example.org\n\n".encode())) is None


COMPLAINT = (
    "Content-Type: message/feedback-report\n\nFeedback-Type: Abuse\nVersion: 1\n"
    "Original-Rcpt-To: <Jeanne@citizen.test>\n",
    f"Content-Type: message/rfc822\n\nFrom: a@maville.be\nMessage-ID: {OURS}\n\nx",
)


def test_complaint():
    report = standard("feedback-report", *COMPLAINT)
    assert (report.kind, report.message_id) == (ReportKind.COMPLAINT, OURS)
    assert [(each.address, each.action) for each in report.recipients] == [("jeanne@citizen.test", "abuse")]


def test_complaint_whose_message_is_hidden():
    report = standard("feedback-report", COMPLAINT[0])
    assert (report.kind, report.message_id) == (ReportKind.COMPLAINT, None)
