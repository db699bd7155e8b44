"""What comes in becomes a document, a note on our message or a question to a person, by what it is."""

from concurrent.futures import ThreadPoolExecutor
from html import unescape
from imio.mailbridge.inbound import duplicates
from imio.mailbridge.inbound import process as processing
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.reports import PASSED_ON
from imio.mailbridge.inbound.reports import SAID
from imio.mailbridge.message.classification.report import ReportKind
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.taskqueue import turn as turns
from pathlib import Path
from plone.app.uuid.utils import uuidToObject
from tests.mails import citizen
from tests.mails import forwarded
from tests.mails import redirected
from tests.mails import TRUSTED
import email
import email.policy
import pytest
import transaction


MESSAGES = Path(__file__).parent.parent / "messages"
OURS = "<mailbridge.q3nT8xkJ0aWb5yZr@maville.be>"
CITIZEN = "citizen@citizen.test"
ENGLISH = {"Accept": "text/html", "Accept-Language": "en"}


@pytest.fixture
def hand_over(site):
    """Hand over a message of tests/messages about one of ours, through the trusted mail host; return its record."""

    def hand_over(name, about=None, sender=CITIZEN, **replaced):
        raw = name if isinstance(name, bytes) else (MESSAGES / f"{name}.eml").read_bytes()
        for old, new in {
            OURS: about.message_id if about else OURS,
            "contact@maville.be": "info@maville.test",
            "maville.be": "maville.test",
            "citoyen.example": "citizen.test",
            **replaced,
        }.items():
            raw = raw.replace(old.encode(), new.encode())
        answer = site.mail_in(raw, **TRUSTED, **{"X-Envelope-Sender": sender})
        transaction.begin()
        return inbox().get(answer.json()["id"])

    return hand_over


def documents(record):
    return [uuidToObject(uid, unrestricted=True) for uid in record.items]


def answers(document):
    return [relation.to_object.Title() for relation in document.reply_to or ()]


def notices():
    """Return the kinds of the notices in the Outbox, by their subjects."""
    box = outbox()
    return [box.get(id).subject for id in box.newest_ids() if box.get(id).origin == "notice"]


def test_answer_that_an_agent_hands_in(sent, hand_over):
    ours = sent(CITIZEN)
    record = hand_over("reply-handed-in-by-an-agent", ours)
    assert (record.transfer, record.state, record.transferred_by) == (
        "reply",
        "filed",
        "al.bert@maville.test",
    )
    (document,) = documents(record)
    assert answers(document) == [uuidToObject(ours.document, unrestricted=True).Title()]
    assert dict(ours.recipients) == {CITIZEN: "replied"}
    assert ours.told == ("replied",)


@pytest.mark.parametrize(
    ("name", "transfer", "state"),
    [
        ("bounce-handed-in-by-an-agent", "bounce", "bounced"),
        ("auto-reply-handed-in-by-an-agent", "auto-reply", "sent"),
    ],
)
def test_report_that_an_agent_hands_in(sent, hand_over, name, transfer, state):
    ours = sent(CITIZEN)
    record = hand_over(name, ours)
    assert (record.transfer, record.state, record.items) == (transfer, "recorded", ())
    assert (record.transferred_by, record.about) == ("al.bert@maville.test", ours.id)
    assert dict(ours.recipients) == {CITIZEN: state}


def test_answer_bounce_and_letter_in_one_forward(sent, hand_over):
    ours = sent(CITIZEN, "gone@citizen.test")
    record = hand_over("forward-of-an-answer-and-a-bounce-and-a-letter", ours)
    assert (record.transfer, record.state) == ("forward", "filed")
    assert [bool(answers(document)) for document in documents(record)] == [True, False]
    assert dict(ours.recipients) == {CITIZEN: "replied", "gone@citizen.test": "bounced"}


def test_report_on_nothing_of_ours_that_an_agent_hands_in_is_a_document(hand_over):
    record = hand_over("near-miss-bounce-of-others-handed-in-by-an-agent")
    assert (record.transfer, record.state, len(record.items)) == ("forward", "filed", 1)


def test_forward_of_an_unproven_agent_changes_no_state(sent, site):
    ours = sent(CITIZEN)
    inner = email.message_from_string(f"From: {CITIZEN}\nSubject: RE: x\nIn-Reply-To: {ours.message_id}\n\nx")
    answer = site.mail_in(forwarded(inner), **{**TRUSTED, "X-Client-Address": "203.0.113.9"})
    assert answer.json()["reason"] == "unproven-agent"
    assert dict(ours.recipients) == {CITIZEN: "sent"}


@pytest.mark.parametrize(
    ("name", "sender"),
    [
        ("auto-reply-without-marks-in-reply-to-ours", CITIZEN),
        ("auto-reply-without-marks-in-reply-to-ours", "<>"),
        ("near-miss-person-answers-an-absence-message", "<>"),
    ],
)
def test_absence_message_without_marks(sent, hand_over, name, sender):
    ours = sent(CITIZEN)
    record = hand_over(name, ours, sender)
    assert (record.transfer, record.state, record.items) == ("auto-reply", "recorded", ())
    assert (dict(ours.recipients), ours.told) == ({CITIZEN: "sent"}, ())
    assert ours.history[-1]["explanation"] == SAID[ReportKind.AUTO_REPLY]


def test_person_who_answers_an_absence_message(sent, hand_over):
    ours = sent(CITIZEN)
    record = hand_over("near-miss-person-answers-an-absence-message", ours)
    assert (record.transfer, record.state) == ("reply", "filed")
    assert dict(ours.recipients) == {CITIZEN: "replied"}


def test_ordinary_mail_whose_subject_begins_with_absence(hand_over):
    assert hand_over("near-miss-citizen-whose-subject-begins-with-absence").state == "filed"
    record = hand_over("near-miss-forward-whose-subject-begins-with-absence")
    assert (record.transfer, record.state, record.author) == ("forward", "filed", "p@citizen.test")


def test_mail_that_somebody_else_passes_on(sent, hand_over):
    ours = sent(CITIZEN)
    record = hand_over("reply-that-a-neighbour-passes-on", ours, "voisin@voisin.example")
    (document,) = documents(record)
    assert (record.state, answers(document)) == ("filed", [])
    assert (dict(ours.recipients), ours.told) == ({CITIZEN: "sent"}, ("passed-on",))
    line = ours.history[-1]
    assert (line["explanation"], line["items"]) == (PASSED_ON, record.items)
    assert "voisin@voisin.example" in line["text"]
    assert notices() == [f"Passed on: {ours.subject}"]


@pytest.mark.parametrize("name", ["reply-of-a-colleague-handed-in", "near-miss-our-own-answer-handed-in"])
def test_nobody_of_ours_answers_for_the_citizen(sent, hand_over, name):
    ours = sent(CITIZEN)
    assert hand_over(name, ours).state == "filed"
    assert dict(ours.recipients) == {CITIZEN: "sent"}


@pytest.mark.parametrize(
    ("to", "states"),
    [
        ((CITIZEN,), {CITIZEN: "replied"}),
        ((CITIZEN, "x@citizen.test"), {CITIZEN: "sent", "x@citizen.test": "sent"}),
    ],
)
def test_answer_from_another_address(sent, hand_over, to, states):
    ours = sent(*to)
    hand_over("reply-that-a-neighbour-passes-on", ours, **{"Subject: TR:": "Subject: RE:"})
    assert (dict(ours.recipients), ours.told) == (states, ("replied",))


@pytest.mark.parametrize(
    ("name", "words"), [("reaction-gmail", "👍"), ("reaction-rfc-9078", "👍"), ("reaction-outlook", "")]
)
def test_reaction(sent, hand_over, name, words):
    ours = sent(CITIZEN)
    record = hand_over(name, ours)
    assert (record.transfer, record.state, record.items) == ("reply", "recorded", ())
    line = ours.history[-1]
    assert (line["recipient"], line["text"], line["explanation"]) == (
        CITIZEN,
        words,
        SAID[ReportKind.REACTION],
    )
    assert (dict(ours.recipients), ours.told) == ({CITIZEN: "sent"}, ())


def test_complaint(sent, hand_over):
    ours = sent("jeanne@citizen.test")
    record = hand_over("complaint-feedback-report", ours)
    assert (record.state, record.items, record.about) == ("recorded", (), ours.id)
    assert ours.history[-1]["explanation"] == SAID[ReportKind.COMPLAINT]
    assert dict(ours.recipients) == {"jeanne@citizen.test": "sent"}


@pytest.mark.parametrize(
    "name",
    [
        "redirect-agent-writes-to-the-mailbox-as-text",
        "redirect-agent-writes-to-the-mailbox-with-a-message-attached",
        "forged-agent-through-a-mailbox",
    ],
)
def test_agent_who_writes_to_a_mailbox_is_not_taught_and_not_assigned(hand_over, name):
    record = hand_over(name)
    assert (record.transfer, record.state, record.transferred_by) == ("redirect", "filed", "")
    assert record.source_mailbox == "info@maville.test"
    (document,) = documents(record)
    assert "@maville.test" in document.orig_sender_email
    assert document.assigned_user is None
    assert notices() == []


def test_forged_agent_whose_mail_does_not_name_the_mailbox(hand_over):
    record = hand_over("forged-agent-through-a-mailbox-that-to-does-not-name")
    assert (record.state, record.reason) == ("quarantined", "unproven-agent")


def test_notice_in_place_of_a_message(hand_over):
    record = hand_over("stand-in-exchange-imap")
    assert (record.state, record.reason, record.items) == ("quarantined", "stand-in", ())


def test_acknowledgement_with_a_file_can_be_accepted(site, hand_over):
    record = hand_over("auto-reply-acknowledgement-with-a-file")
    assert (record.state, record.reason) == ("quarantined", "unmatched-report")
    assert site.post(f"/@mail-in/{record.id}/accept", "chef", json={"as": "direct"}).status_code == 200
    transaction.begin()
    assert (record.state, record.error) == ("filed", "")
    assert [document.Title() for document in documents(record)] == ["Accuse dossier F1"]


BANNER = "ATTENTION : message externe.\n\n"


def copy_by_agent(**changes):
    """Return an agent's forward of a letter that the server of the town changed."""
    inner = citizen()
    text = inner.get_body()
    text.set_content(changes.get("text", BANNER + text.get_content()))
    inner.replace_header("Subject", f"[EXTERNE] {inner['Subject']}")
    return forwarded(inner)


@pytest.mark.parametrize("first_changed", [False, True])
def test_letter_that_the_server_of_the_town_changed_is_one_document(site, first_changed):
    raws = [copy_by_agent(), redirected()] if first_changed else [redirected(), copy_by_agent()]
    first, second = map(site.receive, raws)
    assert (first.items, len(first.items)) == (second.items, 1)
    assert [each.id for each in inbox().transfers(first.items[0])] == [first.id, second.id]
    assert [record.raw.open().read() for record in (first, second)] == raws


def test_other_content_under_the_same_id_is_another_document_and_each_names_the_other(site):
    first, second = site.receive(redirected()), site.receive(copy_by_agent(text="Je ne demande plus rien.\n"))
    pages = [
        site.get(f"{document.absolute_url()}/view", "agent", headers=ENGLISH).text
        for document in documents(first) + documents(second)
    ]
    urls = [document.absolute_url() for document in documents(first) + documents(second)]
    for page, other in zip(pages, reversed(urls), strict=True):
        assert "Another e-mail has the same identifier" in page
        assert f'href="{other}' in page.partition("Another e-mail has the same identifier")[2]
    assert "same-message-id" in {name for name, _saw, _strength in second.evidence}


def test_document_without_a_double_names_none(site):
    (document,) = documents(site.receive(redirected()))
    page = site.get(f"{document.absolute_url()}/view", "agent", headers=ENGLISH).text
    assert "Another e-mail has the same identifier" not in page


def test_no_more_than_some_documents_of_one_id_are_compared(site, monkeypatch):
    monkeypatch.setattr(duplicates, "MAX_COMPARED", 2)
    records = [site.receive(copy_by_agent(text=f"Lettre {number}\n")) for number in range(3)]
    assert len({uid for record in records for uid in record.items}) == 3
    assert [len(each) for each in inbox().by_original.values()] == [2]
    assert len(duplicates.others(records[2].items[0])) == 2


def test_two_copies_that_arrive_at_once_are_one_document(site, monkeypatch):
    """A real conflict: the other copy is filed first, as by a process that did not wait for its turn."""
    monkeypatch.setattr(turns, "PATIENCE", 0)  # nobody waits
    record = inbox().get(site.mail_in(redirected(), **TRUSTED, Prefer="respond-async").json()["id"])
    apply, others = processing.apply, iter([lambda: site.mail_in(copy_by_agent(), **TRUSTED)])

    def applying(*args, **options):
        apply(*args, **options)
        if (other := next(others, None)) is not None:
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(other).result().json()["state"] == "filed"

    monkeypatch.setattr(processing, "apply", applying)
    processing.process(record)
    transaction.begin()
    assert record.state == "filed", record.error
    assert [len(ids) for ids in inbox().by_item.values()] == [2]


def test_rewritten_link_makes_no_second_document(hand_over):
    first, second = hand_over("redirect-letter-with-a-link"), hand_over("forward-letter-changed-by-a-server")
    assert (first.state, second.state, first.items) == ("filed", "filed", second.items)


def passed_on(text, *messages, html="", files=("plan-agent.pdf",)):
    """Return an agent's forward with words and files of the agent."""
    outer = email.message_from_bytes(forwarded(*messages), policy=email.policy.default)
    outer.get_payload()[0].set_content(text)
    if html:
        outer.get_payload()[0].set_content(html, subtype="html")
    for name in files:
        outer.add_attachment(f"%PDF {name}".encode(), "application", "pdf", filename=name)
    return outer.as_bytes()


def page_of(site, document):
    return site.get(f"{document.absolute_url()}/view", "agent", headers=ENGLISH).text


def appendices(document):
    return [file.file.filename for file in document.objectValues() if file.portal_type == "dmsappendixfile"]


WORDS = "À traiter avant vendredi : <b>voir</b> mon plan.\n\n-- \nAl Bert, urbanisme\n"


def test_words_and_files_of_the_agent_stand_on_the_document(site):
    (document,) = documents(site.receive(passed_on(WORDS, citizen())))
    assert appendices(document) == ["plan.pdf", "plan-agent.pdf"]
    page = " ".join(page_of(site, document).split())
    assert "</strong> wrote when passing it on:" in page
    assert "À traiter avant vendredi : &lt;b&gt;voir&lt;/b&gt; mon plan." in page
    assert "Al Bert, urbanisme" not in page
    before, badge, _after = page.partition("Added when passing it on")
    assert badge
    assert before.rindex(">plan-agent.pdf<") > before.rindex(">plan.pdf<"), (
        "the badge stands at the agent's file"
    )


def test_words_and_files_are_added_to_the_document_that_is_there(site):
    first = site.receive(redirected())
    second, again = (site.receive(passed_on(f"{word}\n", citizen())) for word in ("Urgent", "Très urgent"))
    assert first.items == second.items == again.items
    (document,) = documents(first)
    assert appendices(document) == ["plan.pdf", "plan-agent.pdf"]
    page = page_of(site, document)
    assert page.index(">Urgent<") < page.index(">Très urgent<")


@pytest.mark.parametrize("text", ["", "-- \nAl Bert\n", "Envoyé de mon iPhone\n"])
def test_signature_alone_is_no_word(site, text):
    record = site.receive(passed_on(text, citizen(), files=()))
    assert (record.state, record.words) == ("filed", "")
    assert "wrote when passing it on" not in page_of(site, *documents(record))


def test_each_letter_of_a_forward_has_the_words(site):
    record = site.receive(passed_on("", citizen("Un"), citizen("Deux"), html="<p>À lire</p><p>Al</p>"))
    assert record.words == "À lire\n\nAl"
    for document in documents(record):
        assert "À lire" in page_of(site, document)
        assert appendices(document) == ["plan.pdf", "plan-agent.pdf"]


def test_words_beside_an_answer_that_is_handed_in(sent, site):
    ours = sent(CITIZEN)
    inner = email.message_from_string(
        f"From: {CITIZEN}\nSubject: RE: x\nIn-Reply-To: {ours.message_id}\n\nOui"
    )
    record = site.receive(passed_on("Il a répondu chez moi.\n", inner))
    assert (record.transfer, record.state) == ("reply", "filed")
    (document,) = documents(record)
    assert "Il a répondu chez moi." in page_of(site, document)
    assert appendices(document) == ["plan-agent.pdf"]


def test_words_beside_a_report_stay_on_the_record(sent, hand_over, site):
    inner = email.message_from_bytes((MESSAGES / "bounce-postfix.eml").read_bytes())
    record = hand_over(passed_on("A déménagé <b>hier</b>.\n", inner), sent(CITIZEN))
    assert (record.transfer, record.state, record.items) == ("bounce", "recorded", ())
    page = site.get(f"/@@mailbridge-inbox-message?id={record.id}", "chef", headers=ENGLISH).text
    assert "A déménagé &lt;b&gt;hier&lt;/b&gt;." in page


@pytest.mark.parametrize(
    ("name", "sender"),
    [
        ("redirect-form-of-the-site-proposes-reply-to", '"Lou Petit" <lou@citizen.test>'),
        ("redirect-noreply-proposes-reply-to", '"Lou Petit" <lou@citizen.test>'),
        ("redirect-mailman-from-proposes-reply-to", '"Lou Petit" <lou@citizen.test>'),
        ("redirect-certified-mail-proposes-reply-to", "rossi@pec.example"),
        ("near-miss-reply-to-names-nobody", '"Info" <info@maville.test>'),
    ],
)
def test_sender_of_the_document_is_the_person_to_answer(hand_over, name, sender):
    record = hand_over(name)
    (document,) = documents(record)
    assert (record.author, document.orig_sender_email) == (sender, sender)
    proposed = {"sender-reply-to"} if "near-miss" not in name else set()
    assert {each for each, _saw, _strength in record.evidence if each.startswith("sender-")} == proposed


def test_quarantine_proposes_the_person_to_answer(site):
    raw = (MESSAGES / "redirect-form-of-the-site-proposes-reply-to.eml").read_bytes()
    record = inbox().get(site.mail_in(raw, **{**TRUSTED, "X-Client-Address": "203.0.113.9"}).json()["id"])
    assert record.reason == "unproven-redirect"
    page = site.get(f"/@@mailbridge-inbox-message?id={record.id}", "chef", headers=ENGLISH).text
    assert '"Lou Petit" <lou@citoyen.example>' in unescape(page)
    assert "Proposed as sender: the person to answer (Reply-To)" in page
    site.post(f"/@mail-in/{record.id}/accept", "chef", json={"as": "direct"})
    (document,) = documents(record)
    assert document.orig_sender_email == '"Lou Petit" <lou@citoyen.example>'


def test_agent_in_reply_to_is_not_proven(site):
    raw = redirected(**{"From": "Site <noreply@forms.test>", "Reply-To": "Al Bert <al.bert@maville.test>"})
    record = site.receive(raw)
    assert record.author == '"Al Bert" <al.bert@maville.test>'
    assert "unproven-author" in {name for name, _saw, _strength in record.evidence}


def test_who_answers_is_not_told_by_reply_to(sent, site):
    ours = sent(CITIZEN)
    raw = f"From: noreply@other.test\nReply-To: {CITIZEN}\nTo: in@bridge.test\nSubject: x\nIn-Reply-To: {ours.message_id}\n\nx"
    assert site.receive(raw.encode()).transfer == "reply"
    assert dict(ours.recipients) == {CITIZEN: "sent"}


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("receipt-certified-mail-delivered", "sent"),
        ("receipt-certified-mail-accepted", "sent"),
        ("bounce-certified-mail-not-delivered", "bounced"),
    ],
)
def test_receipt_of_certified_mail(sent, hand_over, name, state):
    ours = sent(CITIZEN)
    record = hand_over(name, ours)
    assert (record.state, record.items, record.about) == ("recorded", (), ours.id)
    assert dict(ours.recipients) == {CITIZEN: state}


def test_receipt_of_certified_mail_of_others_is_no_document(hand_over):
    record = hand_over("receipt-certified-mail-of-others")
    assert (record.state, record.reason, record.items) == ("quarantined", "unmatched-report", ())


def test_message_that_an_agent_redirected(site):
    record = site.receive(
        redirected(**{"Resent-From": "Al Bert <al.bert@maville.test>", "To": "al.bert@maville.test"})
    )
    assert record.reason == "undeclared-mailbox"
    for path in (f"/@@mailbridge-inbox-message?id={record.id}", "/@@mailbridge-inbox"):
        page = site.get(path, "chef", headers=ENGLISH).text
        assert "An agent redirected this message" in page
    page = site.get(f"/@@mailbridge-inbox-message?id={record.id}", "admin", headers=ENGLISH).text
    assert "forward as attachment from now on" in page
    assert 'value="mailbox"' not in page


def test_message_that_a_stranger_redirected(site):
    record = site.receive(redirected(**{"Resent-From": "x@other.test", "To": "x@other.test"}))
    page = site.get(f"/@@mailbridge-inbox-message?id={record.id}", "chef", headers=ENGLISH).text
    assert "A mailbox that is not among the source mailboxes" in page


@pytest.mark.parametrize("envelope_sender", [CITIZEN, "<>"])
def test_absence_message_after_a_bounce_is_no_answer(sent, hand_over, envelope_sender):
    ours = sent(CITIZEN, state="bounced")
    record = hand_over("auto-reply-without-marks-in-reply-to-ours", ours, envelope_sender)
    assert (record.transfer, record.state) == ("auto-reply", "recorded")
    assert dict(ours.recipients) == {CITIZEN: "bounced"}
