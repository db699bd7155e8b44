"""The page of a document: its message, its files, and the fields that are changed in place."""

from imio.mailbridge.desk.archive import unique_names
from imio.mailbridge.desk.letter import text_heights
from imio.mailbridge.iadocs import rendition as renditions
from plone import api
from plone.app.uuid.utils import uuidToObject
from plone.uuid.interfaces import IUUID
from tests.letter import FILES
from tests.letter import letter
from tests.site.compose import HTML
from tests.site.compose import shown
from tests.site.compose import token
import io
import os
import pytest
import re
import transaction
import zipfile


TRUSTED = {
    "Content-Type": "message/rfc822",
    "X-Envelope-Recipient": "in@bridge.test",
    "X-Client-Address": "127.0.0.1",
}


@pytest.fixture
def filed(site):
    """A document made of a message with files of each kind."""
    (uid,) = site.receive(letter(*FILES)).items
    return uuidToObject(uid, unrestricted=True)


def page(site, document, user="agent"):
    answer = site.get(f"{document.absolute_url()}/view", user, headers=HTML)
    assert answer.status_code == 200, answer.text
    return answer.text


def head(text):
    return shown(re.search(r'(?s)<dl class="mailbridge-head.*?</dl>', text)[0])


def test_head_is_the_same_before_and_after_it_is_kept(site, filed):
    mail = filed["mail"]
    assert renditions.rendition(mail).head is None
    before = head(page(site, filed))
    assert 'From "Sophie Lambert" <sophie@citizen.test> Reply to pro@citizen.test' in before
    assert 'To info@maville.test Copy to "Paul" <paul@citizen.test> Date Nov 16, 2026 10:30 PM' in before
    assert "Received on" in before
    site.task("@@mailbridge-render", uid=IUUID(mail))
    assert renditions.rendition(mail).head["reply_to"] == "pro@citizen.test"
    assert head(page(site, filed)) == before
    os.truncate(mail.file._blob.committed(), 0)
    assert head(page(site, filed)) == before, "nothing is parsed when the head is kept"


def test_files_with_kind_size_and_preview(site, filed):
    text = page(site, filed)
    lines = [shown(each) for each in re.findall(r'(?s)<li class="mailbridge-file">.*?</li>', text)]
    assert len(lines) == len(FILES)
    assert lines[0].startswith("plan.pdf PDF · 15 bytes Preview")
    assert lines[1].startswith("photo.png Image · 48 bytes Preview")
    assert lines[2] == "logo.svg Image · 71 bytes", "no preview"
    assert lines[7] == "devis.xlsx Spreadsheet · 23.4 kB"
    previews = re.findall(r'src="([^"]*)/@@mailbridge-preview"', text)
    url = filed.absolute_url()
    assert previews == [f"{url}/appendix-{number}" for number in (1, 2, 4, 5, 7, 7)], "a letter by its PDF"
    assert f'href="{url}/appendix-3/@@download/file"' in text
    assert "mailbridge.readable" not in text
    assert text.count('class="mailbridge-frame') == 1


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("appendix-1", "application/pdf"),
        ("appendix-2", "image/png"),
        ("appendix-3", None),
        ("appendix-4", None),
        ("appendix-8", None),
    ],
)
def test_only_what_is_a_pdf_or_an_image_is_shown(site, filed, file, kind):
    answer = site.get(f"{filed.absolute_url()}/{file}/@@mailbridge-preview", "agent", headers=HTML)
    assert answer.status_code == 200
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert b"<script" not in answer.content
    if kind is None:
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert "cannot be shown here" in answer.text
    else:
        assert answer.headers["Content-Type"] == kind
        assert answer.headers["Content-Disposition"].startswith("inline")


def test_all_files_as_zip(site, filed):
    answer = site.get(f"{filed.absolute_url()}/@@mailbridge-files", "agent", headers=HTML)
    assert answer.headers["Content-Type"] == "application/zip"
    assert "Content-Length" not in answer.headers, "it is written while it is sent"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            "Arbre tombé.eml",
            "plan.pdf",
            "photo.png",
            "logo.svg",
            "faux.pdf",
            "PLAN (2).pdf",
            "lettre.docx",
            "lettre.pdf",
            "devis.xlsx",
        ]
        assert archive.read("PLAN (2).pdf") == b"%PDF-1.4 another plan"
        assert archive.read("Arbre tombé.eml") == letter(*FILES)


def test_zip_says_what_is_lost(site, filed):
    os.remove(filed["appendix-1"].file._blob.committed())
    answer = site.get(f"{filed.absolute_url()}/@@mailbridge-files", "agent", headers=HTML)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert "is lost" in archive.read("plan.pdf.txt").decode()
        assert "photo.png" in archive.namelist()
    assert page(site, filed)


def test_names_in_a_zip():
    assert unique_names(["../../etc/passwd", "a.txt", "A.TXT", "a.txt", "C:\\x\\b.exe", ""]) == [
        "passwd",
        "a.txt",
        "A (2).TXT",
        "a (3).txt",
        "b.exe",
        "attachment",
    ]


@pytest.mark.parametrize("damage", ["no file", "lost", "garbage"])
def test_page_without_a_message(site, filed, damage):
    if damage == "no file":
        with api.env.adopt_roles(["Manager"]):
            filed._delObject("mail")
    elif damage == "lost":
        os.remove(filed["mail"].file._blob.committed())
    else:
        with open(filed["mail"].file._blob.committed(), "wb") as stream:
            stream.write(os.urandom(3000))
    transaction.commit()
    text = page(site, filed)
    if damage != "garbage":
        assert "sophie@citizen.test" in head(text), "the fields know it"
        assert {"no file": "holds no e-mail", "lost": "is lost"}[damage] in text
        assert 'class="mailbridge-frame' not in text
    assert site.get(f"{filed.absolute_url()}/mail/view", "agent", headers=HTML).status_code == (
        404 if damage == "no file" else 200
    )


def test_large_attachment_is_not_read(site):
    (uid,) = site.receive(letter(("grand.bin", "application/octet-stream", os.urandom(25_000_000)))).items
    document = uuidToObject(uid, unrestricted=True)
    assert "grand.bin File · 23.8 MB" in shown(page(site, document))


def test_heights_follow_the_text():
    short, long = text_heights(b"<p>Bonjour</p>"), text_heights(b"<p>Bonjour le monde</p>" * 200)
    assert short[0] < long[0] <= 40
    wide, narrow = text_heights(b"<p>" + b"rue " * 200 + b"</p>")
    assert wide < narrow


# service, agent and state


QUESTION = "/incoming-mail/demande-de-permis"


def post(site, user="agent", path=QUESTION, **data):
    data["_authenticator"] = token(site.get(f"{path}/view", user, headers=HTML).text)
    answer = site.post(f"{path}/@@mailbridge-fields", user, data=data, headers=HTML)
    if answer.status_code != 302:
        return answer, ""
    after = site.get(answer.headers["Location"], user, headers=HTML, cookies=answer.cookies)
    return answer, " ".join(map(shown, re.findall(r'(?s)class="portalMessage.*?</div>', after.text)))


@pytest.fixture
def question(site):
    return site.portal["incoming-mail"]["demande-de-permis"]


def services(site):
    town = site.portal["contacts"]["plonegroup-organization"]
    return IUUID(town["urbanisme"]), IUUID(town["administration-generale"])


def test_service_and_agent_are_changed_in_place(site, question):
    urbanisme, administration = services(site)
    seen = {"seen_treating_groups": urbanisme, "seen_assigned_user": "agent2"}
    _answer, said = post(site, assign="1", treating_groups=administration, assigned_user="agent", **seen)
    assert "The document was changed." in said
    assert (question.treating_groups, question.assigned_user) == (administration, "agent")
    _answer, said = post(site, assign="1", treating_groups=urbanisme, assigned_user="agent2", **seen)
    assert "Nothing was changed." in said, "what the form left as it was is not a wish"
    _answer, said = post(site, assign="1", treating_groups=urbanisme, assigned_user="agent3", **seen)
    assert "Somebody else changed “Assigned agent” to “Al Bert”" in said
    assert (question.treating_groups, question.assigned_user) == (administration, "agent")
    seen = {"seen_treating_groups": administration, "seen_assigned_user": "agent"}
    assert post(site, assign="1", treating_groups="0" * 32, **seen)[0].status_code == 404
    post(site, assign="1", treating_groups="", assigned_user="", **seen)
    assert (question.treating_groups, question.assigned_user) == (None, None)


def test_who_may_not_edit_changes_no_field(site, question):
    question.manage_permission("Modify portal content", ["Manager"])
    transaction.commit()
    text = site.get(f"{QUESTION}/view", "agent", headers=HTML).text
    assert 'name="assign"' not in text
    assert "Handling service Urbanisme" in shown(text)
    answer, _said = post(site, assign="1", assigned_user="", seen_assigned_user="agent2")
    assert answer.status_code in (302, 401)
    assert question.assigned_user == "agent2"


def test_locked_document_is_left_to_its_editor(site, question):
    site.get(f"{QUESTION}/edit", "agent2", headers=HTML)
    _answer, said = post(site, assign="1", assigned_user="", seen_assigned_user="agent2")
    assert "Somebody else is editing this document" in said
    assert question.assigned_user == "agent2"


def test_state_is_changed_by_the_transitions_of_the_user(site, question):
    state = api.content.get_state(question)
    text = site.get(f"{QUESTION}/view", "agent", headers=HTML).text
    offered = re.findall(r'<option value="(\w+)"', re.search(r'(?s)name="transition".*?</select>', text)[0])
    assert offered
    _answer, said = post(site, change="1", transition="no_such", seen_state=state)
    assert "you may not do this" in said
    _answer, said = post(site, change="1", transition=offered[0], seen_state="other")
    assert "Somebody else changed “State”" in said
    assert api.content.get_state(question) == state
    _answer, said = post(site, change="1", transition=offered[0], seen_state=state)
    assert "The state was changed." in said
    assert api.content.get_state(question) != state


def test_nobody_of_the_town_stands_as_author_of_a_citizens_mail(site, question):
    question.addCreator("chef")  # as Plone's form and service do for who changes it
    transaction.commit()
    assert "section-byline" not in page(site, question)
    assert "section-byline" in page(site, site.portal["outgoing-mail"]["permis-durbanisme"])


@pytest.mark.parametrize(
    "folder", ["incoming-mail", "outgoing-mail", "contacts", "contacts/personnel-folder"]
)
def test_who_made_a_folder_of_mail_or_contacts_is_not_its_author(site, folder):
    assert "section-byline" not in page(site, site.portal.unrestrictedTraverse(folder))


def test_another_folder_keeps_its_author(site):
    with api.env.adopt_roles(["Manager"]):
        folder = api.content.create(site.portal["outgoing-mail"], "Folder", "notes")
        folder.manage_setLocalRoles("agent", ["Reader"])
    transaction.commit()
    assert "section-byline" in page(site, folder)


def test_other_fields(site):
    text = shown(site.get(f"{QUESTION}/@@mailbridge-other-fields", "agent", headers=HTML).text)
    assert "Ways of sending E-mail" in text
    assert "Jeanne Dupont" in text
    assert "Handling service" not in text


# an outgoing mail


def test_prepared_email_is_readable(site):
    permit = site.portal["outgoing-mail"]["permis-durbanisme"]
    permit.email_bcc = "secret@maville.test"
    transaction.commit()
    text = page(site, permit)
    assert 'To "Jeanne Dupont" <jeanne.dupont@citizen.test>' in head(text)
    assert "secret@maville.test" in head(text), "who edits it sees it"
    assert "Permis PU-2026-114.pdf PDF · 823 bytes Goes with the e-mail" in shown(text)
    frame = site.get("/outgoing-mail/permis-durbanisme/@@mailbridge-draft", "agent", headers=HTML)
    assert "Madame Dupont" in frame.text
    assert 'class="note"' not in frame.text.split("</style>")[1]
    assert "sandbox" in frame.headers["Content-Security-Policy"]
    permit.manage_permission("Modify portal content", ["Manager"])
    transaction.commit()
    assert "secret@maville.test" not in page(site, permit)


def test_one_place_says_the_state(site, sent):
    permit = site.portal["outgoing-mail"]["permis-durbanisme"]
    permit.email_status = "Envoyé le 1/1/2020 : 1 destinataire sur 1"
    transaction.commit()
    assert permit.email_status in page(site, permit), "sent before the bridge was"
    sent(state="bounced")
    text = page(site, permit)
    assert permit.email_status not in text
    assert "returned" in shown(text)


@pytest.mark.parametrize(
    ("view", "path"),
    [
        ("mailbridge-files", QUESTION),
        ("mailbridge-other-fields", QUESTION),
        ("mailbridge-messages", QUESTION),
        ("mailbridge-preview", f"{QUESTION}/mail"),
        ("mailbridge-draft", "/outgoing-mail/permis-durbanisme"),
    ],
)
def test_roles(site, view, path):
    for user, may in ((None, False), ("gateway", False), ("agent", True), ("chef", True), ("admin", True)):
        answer = site.get(f"{path}/@@{view}", user, headers=HTML)
        assert (answer.status_code == 200) is may, (user, answer.status_code)
        assert may or "Jeanne" not in answer.text
