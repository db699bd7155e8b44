"""What documents and contacts offer to an e-mail, and what sending writes back on them."""

from datetime import datetime
from datetime import UTC
from imio.mailbridge.ports.sending import ISendByEmail
from imio.mailbridge.ports.sending import ISendingContext
from plone import api
from plone.app.testing import login
from plone.app.testing import logout
from plone.uuid.interfaces import IUUID
from zope.interface import alsoProvides
import pytest


JEANNE = '"Jeanne Dupont" <jeanne.dupont@citizen.test>'


@pytest.fixture
def permit(portal):
    login(portal, "agent")
    return portal["outgoing-mail"]["permis-durbanisme"]


@pytest.fixture
def question(portal):
    login(portal, "agent")
    return portal["incoming-mail"]["demande-de-permis"]


def test_outgoing_mail_prefills_the_form(portal, permit):
    defaults = ISendingContext(permit).defaults()
    position = portal.unrestrictedTraverse("contacts/personnel-folder/al-bert/administration-generale")
    assert defaults["to"] == [JEANNE]
    assert (defaults["cc"], defaults["bcc"]) == ([], [])
    assert defaults["subject"] == "Votre permis d'urbanisme"
    assert defaults["body"].startswith("<p>Madame Dupont,</p>")
    assert defaults["attachments"] == [IUUID(permit["permis"])]
    assert defaults["sender"] == IUUID(position)


def test_several_addresses_are_split(permit):
    permit.email_recipient = 'a@b.test; "Dupont, Jeanne; dite Jo" <j@d.test>,, c@d.test'
    permit.email_cc = "e@f.test"
    defaults = ISendingContext(permit).defaults()
    assert defaults["to"] == ["a@b.test", '"Dupont, Jeanne; dite Jo" <j@d.test>', "c@d.test"]
    assert defaults["cc"] == ["e@f.test"]


def test_recipients_of_the_mail_where_the_email_field_is_empty(permit):
    permit.email_recipient = None
    assert ISendingContext(permit).defaults()["to"] == [JEANNE]


def test_mail_without_recipients(portal):
    login(portal, "agent")
    defaults = ISendingContext(portal["outgoing-mail"]["invitation"]).defaults()
    assert defaults["to"] == []
    assert defaults["body"] == ""
    assert defaults["attachments"] == []


def test_attachment_that_is_gone_is_not_offered(permit):
    permit.email_attachments = [*permit.email_attachments, "0" * 32]
    assert ISendingContext(permit).defaults()["attachments"] == [IUUID(permit["permis"])]


def test_files_of_a_document(permit):
    context = ISendingContext(permit)
    files = context.files()
    assert [(file.filename, file.content_type) for file in files] == [
        ("Permis PU-2026-114.pdf", "application/pdf"),
        ("Conditions.txt", "text/plain"),
    ]
    with context.open(files[0].uid) as stream:
        content = stream.read()
    assert content.startswith(b"%PDF-1.4")
    assert len(content) == files[0].size


def test_file_of_another_document_cannot_be_opened(permit, question):
    with pytest.raises(KeyError):
        ISendingContext(permit).open(IUUID(question["mail"]))


def test_files_are_those_the_user_may_view(permit):
    uid = ISendingContext(permit).files()[0].uid
    permit["permis"].manage_permission("View", ["Manager"])
    assert [file.filename for file in ISendingContext(permit).files()] == ["Conditions.txt"]
    with pytest.raises(KeyError):
        ISendingContext(permit).open(uid)
    logout()
    assert ISendingContext(permit).files() == ()


@pytest.mark.parametrize(
    ("sent", "total", "status"),
    [
        (2, 3, "Sent on 23/11/2026 at 14:05: 2 recipients of 3"),
        (1, 1, "Sent on 23/11/2026 at 14:05: 1 recipient of 1"),
    ],
)
def test_status_is_written_in_local_time(permit, sent, total, status):
    api.portal.set_registry_record("plone.portal_timezone", "Europe/Brussels")
    ISendingContext(permit).write_status(sent, total, datetime(2026, 11, 23, 13, 5, tzinfo=UTC))
    assert permit.email_status == status


@pytest.mark.parametrize("state", ["created", "to_be_signed"])
@pytest.mark.parametrize("user", ["agent", "gateway", None])
def test_closing_runs_whatever_the_user_may_do(portal, permit, state, user):
    if state == "to_be_signed":
        portal.portal_workflow.doActionFor(permit, "propose_to_be_signed")
    login(portal, user) if user else logout()
    context = ISendingContext(permit)
    context.close()
    context.close()
    assert portal.portal_workflow.getInfoFor(permit, "review_state") == "sent"
    history = permit.workflow_history["mailbridge_outgoing_workflow"]
    assert [entry["action"] for entry in history].count("mark_as_sent") == 1
    assert history[-1]["actor"] == user


def test_closing_where_no_transition_exists(portal, permit):
    portal.portal_workflow.setChainForPortalTypes(["dmsoutgoingmail"], ())
    ISendingContext(permit).close()


def test_answer_names_the_mail_that_it_answers(permit, question):
    assert ISendingContext(permit).thread == ("<20261116081200.demande@citizen.test>",)
    assert ISendingContext(question).thread == ("<20261116081200.demande@citizen.test>",)
    permit.reply_to = []
    assert ISendingContext(permit).thread == ()


@pytest.mark.parametrize(
    ("title", "subject"),
    [
        ("Nids de poule", "Re: Nids de poule"),
        ("RE: Nids de poule", "RE: Nids de poule"),
        ("Re : Nids de poule", "Re : Nids de poule"),
        ("RE[2]: Nids de poule", "RE[2]: Nids de poule"),
        ("AW: Nids de poule", "AW: Nids de poule"),
        ("Repas : menu", "Re: Repas : menu"),
        ("TR: Nids de poule", "Re: TR: Nids de poule"),
        ("(VIDE)", "Re:"),
    ],
)
def test_answer_to_an_incoming_email(question, title, subject):
    question.title = title
    defaults = ISendingContext(question).defaults()
    assert defaults == {"to": [JEANNE], "subject": subject}


def test_incoming_email_is_not_written_on(portal, question):
    context = ISendingContext(question)
    context.write_status(1, 1, datetime.now(UTC))
    context.close()
    assert portal.portal_workflow.getInfoFor(question, "review_state") == "created"


@pytest.mark.parametrize(
    ("path", "to"),
    [
        ("contacts/jeanne-dupont", [JEANNE]),
        ("contacts/plonegroup-organization/urbanisme", ['"Urbanisme" <urbanisme@maville.test>']),
        ("contacts/personnel-folder/al-bert", []),
        ("contacts/personnel-folder/al-bert/administration-generale", ['"Al Bert" <al.bert@maville.test>']),
    ],
)
def test_writing_to_a_contact(portal, path, to):
    context = ISendingContext(portal.unrestrictedTraverse(path))
    assert context.defaults() == {"to": to}
    assert context.files() == ()


def test_any_content_with_the_marker_can_send(portal):
    folder = portal["outgoing-mail"]
    alsoProvides(folder, ISendByEmail)
    context = ISendingContext(folder)
    assert context.defaults() == {"subject": "Courrier sortant"}
    assert context.files() == ()
    assert context.thread == ()
