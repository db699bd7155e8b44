"""A filing becomes one document of iA.docs with the mail as it came and its attachments."""

from datetime import date
from datetime import datetime
from datetime import timedelta
from datetime import timezone
from datetime import UTC
from imio.mailbridge.iadocs import names
from imio.mailbridge.message.address import Address
from imio.mailbridge.ports.filing import Attachment
from imio.mailbridge.ports.filing import Filing
from imio.mailbridge.ports.filing import FilingError
from imio.mailbridge.ports.filing import IFiler
from plone import api
from plone.app.testing import login
from plone.app.testing import logout
from plone.app.testing import setRoles
from plone.app.testing import TEST_USER_ID
from plone.uuid.interfaces import IUUID
from zc.relation.interfaces import ICatalog
from zope.component import getUtility
from zope.intid.interfaces import IIntIds
import dataclasses
import pytest


RAW = b"From: j\xc3\xa9\r\nSubject: x\r\nMessage-ID: <1@x>\r\n\r\nBonjour\x00\xff\r\n"
PARIS = timezone(timedelta(hours=1))

FILING = Filing(
    copy_to=lambda target: target.write(RAW),
    author=Address("Jeanne Dupont", "Jeanne.Dupont@citizen.test"),
    subject="Nids de poule : rue/Haute?",
    date=datetime(2026, 11, 22, 23, 30, tzinfo=UTC),
    received=datetime(2026, 11, 23, 8, 0, tzinfo=UTC),
    service="",
    transferred_by="",
    reply_to="",
    attachments=(
        Attachment("photo.jpg", "image/jpeg", lambda: b"\xff\xd8photo\x00"),
        Attachment("photo.jpg", "image/jpeg", lambda: b"another of the same name"),
        Attachment("vide.txt", "text/plain", lambda: b""),
    ),
)


@pytest.fixture
def file(portal):
    api.portal.set_registry_record("plone.portal_timezone", "Europe/Brussels")

    def file(**changes):
        return IFiler(portal).file(dataclasses.replace(FILING, **changes))[0]

    return file


def _blobs(document):
    return [(child.portal_type, child.title, child.file.data) for child in document.objectValues()]


def test_document_has_what_the_mail_says(portal, file):
    document = file()
    assert document.portal_type == "dmsincoming_email"
    assert document.title == "Nids de poule : rue/Haute?"
    assert document.orig_sender_email == '"Jeanne Dupont" <Jeanne.Dupont@citizen.test>'
    assert [relation.to_object.getId() for relation in document.sender] == ["jeanne-dupont"]
    assert document.original_mail_date == date(2026, 11, 23)  # half past midnight in Brussels
    assert document.reception_date == datetime(2026, 11, 23, 9, 0)
    assert document.mail_type == "email"
    assert document.send_modes == ["email"]
    assert document.external_reference_no is None
    assert portal.portal_workflow.getInfoFor(document, "review_state") == "created"


def test_bytes_are_kept_exactly(file):
    assert _blobs(file()) == [
        ("dmsmainfile", "Nids de poule : rue/Haute?", RAW),
        ("dmsappendixfile", "photo.jpg", b"\xff\xd8photo\x00"),
        ("dmsappendixfile", "photo.jpg", b"another of the same name"),
        ("dmsappendixfile", "vide.txt", b""),
    ]


def test_files_have_names_and_types(file):
    mail, photo, *_rest = file().objectValues()
    assert (mail.file.filename, mail.file.contentType) == ("Nids de poule rue Haute.eml", "message/rfc822")
    assert (photo.file.filename, photo.file.contentType) == ("photo.jpg", "image/jpeg")


@pytest.mark.parametrize(
    ("subject", "title", "filename"),
    [
        ("", "(VIDE)", "(VIDE).eml"),
        (" \r\n\t ", "(VIDE)", "(VIDE).eml"),
        ("a\r\n b\tc", "a b c", "a b c.eml"),
        ("...", "...", "message.eml"),
        ("é" * 900, "é" * 900, "é" * 120 + ".eml"),
    ],
)
def test_subject_makes_title_and_file_name(file, subject, title, filename):
    document = file(subject=subject)
    assert document.title == title
    assert document["mail"].file.filename == filename


def test_period_is_the_local_week_of_reception(portal, file):
    document = file(received=datetime(2026, 11, 22, 23, 30, tzinfo=UTC))
    assert document.aq_parent.getId() == "202647"  # Monday already in Brussels
    assert file().aq_parent.aq_base is portal["incoming-mail"]["202647"].aq_base
    assert portal["incoming-mail"]["202647"].portal_type == "Folder"


def test_time_zone_of_the_site_counts(portal, file):
    api.portal.set_registry_record("plone.portal_timezone", "America/New_York")
    document = file()
    assert document.reception_date == datetime(2026, 11, 23, 3, 0)
    assert document.original_mail_date == date(2026, 11, 22)


def test_references_count_up(file):
    first, second = file(), file()
    number = int(first.internal_reference_no.removeprefix("E"))
    assert second.internal_reference_no == f"E{number + 1}"


def test_service_and_agent(portal, file):
    service = IUUID(portal["contacts"]["plonegroup-organization"]["urbanisme"])
    document = file(service=service, transferred_by="Claire.Fontaine@maville.test")
    assert document.treating_groups == service
    assert document.assigned_user == "agent2"


def test_transfer_by_somebody_unknown_assigns_nobody(file):
    assert file(transferred_by="x@maville.test").assigned_user is None


def test_service_that_is_gone_is_refused(file):
    with pytest.raises(FilingError, match="service that this mail goes to no longer exists"):
        file(service="0" * 32)


def test_service_must_be_an_organization(portal, file):
    with pytest.raises(FilingError):
        file(service=IUUID(portal["contacts"]["jeanne-dupont"]))


def test_answer_is_related_to_its_document(portal, file):
    answered = portal["outgoing-mail"]["permis-durbanisme"]
    document = file(reply_to=IUUID(answered))
    assert [relation.to_object for relation in document.reply_to] == [answered]


def test_relations_are_in_the_relation_catalog(portal, file):
    document = file()
    intids = getUtility(IIntIds)
    query = {"to_id": intids.getId(portal["contacts"]["jeanne-dupont"]), "from_attribute": "sender"}
    assert document in [relation.from_object for relation in getUtility(ICatalog).findRelations(query)]


def test_answer_to_a_document_that_is_gone_is_filed(file):
    assert file(reply_to="0" * 32).reply_to == []


def test_mail_without_author_and_date(file):
    document = file(author=None, date=None, attachments=())
    assert document.orig_sender_email is None
    assert document.original_mail_date is None
    assert document.sender == []


def test_every_item_is_found_once(portal, file):
    document = file()
    brains = portal.portal_catalog.unrestrictedSearchResults(path="/".join(document.getPhysicalPath()))
    assert sorted(brain.portal_type for brain in brains) == ["dmsappendixfile"] * 3 + [
        "dmsincoming_email",
        "dmsmainfile",
    ]
    assert len({brain.UID for brain in brains}) == 5


@pytest.mark.parametrize("user", [None, "gateway", "agent"])
def test_nobody_becomes_owner(portal, file, user):
    login(portal, user) if user else logout()
    document = file()
    for item in (document, *document.objectValues()):
        assert item.get_local_roles() == ()
        assert item.__dict__.get("_owner") is None


@pytest.mark.parametrize(("user", "sees"), [("agent", True), (None, False), ("gateway", False)])
def test_who_sees_the_document(portal, file, user, sees):
    document = file()
    login(portal, user) if user else logout()
    for item in (document, *document.objectValues()):
        assert api.user.has_permission("View", obj=item) is sees
    found = portal.portal_catalog(path="/".join(document.getPhysicalPath()))
    assert len(found) == (5 if sees else 0)


def test_missing_folder_is_explained(portal, file):
    setRoles(portal, TEST_USER_ID, ["Manager"])
    portal.manage_delObjects([names.INCOMING_FOLDER])
    with pytest.raises(FilingError, match="has no folder"):
        file()


def test_missing_type_is_explained(portal, file):
    portal.portal_types._delObject(names.MAIN_FILE)
    with pytest.raises(FilingError, match="no document type"):
        file()
