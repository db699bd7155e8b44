"""The message of a filed document: nobody edits it, and the Proof tab compares it with what was filed."""

from base64 import b64encode
from email.parser import BytesParser
from email.policy import default
from imio.mailbridge.browser import proof
from imio.mailbridge.inbound.inbox import inbox
from pathlib import Path
from plone.app.uuid.utils import uuidToObject
from plone.namedfile.file import NamedBlobFile
from tests.mails import citizen
from tests.mails import forwarded
from tests.mails import redirected
from tests.message.outlook_message import MSG
import pytest
import transaction


HTML = {"Accept": "text/html", "Accept-Language": "en"}
FORGED = b"From: jeanne.dupont@citizen.test\nSubject: Une vranda\n\nJe renonce.\n"
INTACT = "The file of this document is the message that was filed"
CHANGED = "The file of this document is not the message that was filed"
MISSING = "This document no longer has a file with its message"
BYTES_INTACT = "The stored bytes are those that arrived"


@pytest.fixture
def filed(site):
    """A document made of a redirected message."""
    record = site.receive(redirected())
    return uuidToObject(record.items[0], unrestricted=True)


def tab(site, document, query=""):
    return site.get(f"{document.absolute_url()}/@@mailbridge-proof{query}", "agent", headers=HTML).text


def field(data):
    return {"file": {"data": b64encode(data).decode(), "encoding": "base64", "filename": "x.eml"}}


def patch(site, url, user):
    return site.request("PATCH", url, user, json={**field(FORGED), "title": "Autre"})


def put(site, url, user):
    return site.request(
        "PUT", url, user, data=FORGED, headers={"Content-Type": "message/rfc822", "Accept": "*/*"}
    )


def tus_replace(site, url, user):
    tus = {"Tus-Resumable": "1.0.0"}
    answer = site.post(
        f"{url}/@tus-replace",
        user,
        headers={**tus, "Upload-Length": str(len(FORGED)), "Upload-Metadata": "filename eC5lbWw="},
    )
    if answer.status_code != 201:
        return answer
    headers = {**tus, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    return site.request("PATCH", answer.headers["Location"], user, data=FORGED, headers=headers)


def edit_form(site, url, user):
    return site.get(f"{url}/edit", user, headers=HTML)


@pytest.mark.parametrize("change", [patch, put, tus_replace, edit_form])
@pytest.mark.parametrize("user", [None, "gateway", "agent", "chef", "admin"])
def test_nobody_changes_the_original(site, filed, user, change):
    answer = change(site, filed["mail"].absolute_url(), user)
    assert answer.status_code in (302, 401, 403, 405), answer.text
    assert "came_from" in answer.headers.get("Location", "came_from")
    assert filed["mail"].file.data == redirected()
    assert filed["mail"].title != "Autre"
    assert INTACT in tab(site, filed)


@pytest.mark.parametrize("change", [patch, put, tus_replace])
def test_other_files_can_be_changed(site, change):
    """The ways above do change a file that may be edited."""
    path = "/outgoing-mail/permis-durbanisme/conditions"
    assert change(site, f"{site.url}{path}", "agent").status_code == 204
    assert site.portal.unrestrictedTraverse(path[1:]).file.data.endswith(b"Je renonce.\n")


def test_the_document_itself_can_be_edited(site, filed):
    assert site.request("PATCH", filed.absolute_url(), "agent", json={"title": "Autre"}).status_code == 204
    assert "The file of this document is the message" in tab(site, filed)


@pytest.mark.parametrize("raw", [redirected(), forwarded(citizen("Un"), citizen("Deux"))])
def test_what_is_filed_is_intact(site, raw):
    record = site.receive(raw)
    for uid in record.items:
        page = tab(site, uuidToObject(uid, unrestricted=True))
        assert INTACT in page
        assert BYTES_INTACT in page
    assert set(inbox().filed) == {*record.items}


def test_a_forwarded_outlook_message_is_intact(site):
    outer = BytesParser(policy=default).parsebytes(forwarded())
    outer.add_attachment(MSG, "application", "vnd.ms-outlook", filename="Demande.msg")
    (uid,) = site.receive(outer.as_bytes()).items
    document = uuidToObject(uid, unrestricted=True)
    assert document["mail"].file.data == MSG
    assert INTACT in tab(site, document)


def test_a_changed_file_is_noticed_although_the_record_is_intact(site, filed):
    filed["mail"].file = NamedBlobFile(FORGED, contentType="message/rfc822", filename="x.eml")
    transaction.commit()
    page = tab(site, filed)
    assert CHANGED in page
    assert INTACT not in page
    assert BYTES_INTACT in page


def test_a_replaced_file_is_noticed(site, filed):
    """Only an administrator can delete the original; another one beside it or instead of it is told apart."""
    for user in ("agent", "chef"):
        assert site.request("DELETE", filed["mail"].absolute_url(), user).status_code in (401, 403)
    assert site.request("DELETE", filed["mail"].absolute_url(), "admin").status_code == 204
    assert MISSING in tab(site, filed)
    other = {
        "@type": "dmsmainfile",
        "file": {**field(FORGED)["file"], "content-type": "message/rfc822"},
    }
    assert site.post(filed.absolute_url(), "agent", json=other).status_code == 201
    page = tab(site, filed)
    assert CHANGED in page
    assert INTACT not in page


def test_a_whole_document_can_be_deleted_as_before(site, filed):
    assert site.request("DELETE", filed.absolute_url(), "agent").status_code == 204


def test_lost_bytes_of_the_file_are_said(site, filed):
    with filed["mail"].file.open() as stream:
        path = Path(stream.name)
    path.unlink()
    filed._p_jar.cacheMinimize()
    assert "The file of this document is lost" in tab(site, filed)


def test_a_large_file_is_verified_on_request(site, filed, monkeypatch):
    monkeypatch.setattr(proof, "MAX_AT_ONCE", 100)
    assert INTACT not in tab(site, filed).replace("Verify that the file", "")
    assert "Verify that the file of this document" in tab(site, filed)
    assert INTACT in tab(site, filed, "?verify=1")


def test_a_document_that_was_made_by_hand_has_no_digest(site):
    page = site.get("/incoming-mail/demande-de-permis/@@mailbridge-proof", "agent", headers=HTML).text
    assert "The file of this document" not in page


def test_who_edits_the_document_can_have_the_pdf_made(site, filed):
    url = f"{filed['mail'].absolute_url()}/@@mailbridge-render-again"
    assert site.post(url, None, headers=HTML).status_code in (302, 401)
    assert site.post(url, "gateway", headers=HTML).status_code in (302, 401)
    assert site.post(url, "agent", headers=HTML).status_code == 302, "the right is there"
