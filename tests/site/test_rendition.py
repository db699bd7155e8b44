"""The message of a document on its page, in its frame, and as PDF."""

from email.message import EmailMessage
from imio.mailbridge.iadocs import rendition as renditions
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.message.rendition import pdf
from plone import api
from plone.app.uuid.utils import uuidToObject
from plone.uuid.interfaces import IUUID
from tests.mails import redirected
from tests.mails import TRUSTED
from ZODB.POSException import ConflictError
import pytest
import transaction


HTML = {"Accept": "text/html"}


@pytest.fixture
def filed(site):
    """A message with HTML that wants to fetch something, filed."""
    message = EmailMessage()
    message["From"] = "Jeanne Dupont <jeanne.dupont@citizen.test>"
    message["To"], message["Subject"] = "info@maville.test", "Véranda"
    message["Date"] = "Mon, 16 Nov 2026 23:30:00 +0100"
    message["Resent-From"] = "info@maville.test"
    message.set_content("Bonjour en texte")
    message.add_alternative(
        "<p>Bonjour <b>é</b><img src='https://track.test/p.gif'><script>alert(1)</script></p>", "html"
    )
    message.add_attachment(b"%PDF", "application", "pdf", filename="plan.pdf")
    answer = site.post("/@@mail-in", "gateway", data=message.as_bytes(), headers=TRUSTED)
    assert answer.status_code == 201, answer.text
    (uid,) = inbox().get(answer.json()["id"]).items
    return uuidToObject(uid, unrestricted=True)


def test_document_shows_its_message(site, filed):
    page = site.get(f"{filed.absolute_url()}/view", "agent", headers=HTML).text
    assert "jeanne.dupont@citizen.test" in page
    assert "plan.pdf (4" in page
    assert f'src="{filed.absolute_url()}/mail/@@mailbridge-frame"' in page
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert "track.test" not in page
    assert "mailbridge-frame" in site.get(f"{filed.absolute_url()}/mail/view", "agent", headers=HTML).text
    assert (
        "mailbridge-frame"
        not in site.get(f"{filed.absolute_url()}/appendix-1/view", "agent", headers=HTML).text
    )


def test_frame_is_locked(site, filed):
    answer = site.get(f"{filed.absolute_url()}/mail/@@mailbridge-frame", "agent", headers=HTML)
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "private" in answer.headers["Cache-Control"]
    assert "Bonjour <b>é</b>" in answer.text
    assert "<script" not in answer.text
    assert "track.test" not in answer.text
    assert (
        "Une image ou un autre contenu d’internet" in answer.text
        or "One image or other content" in answer.text
    )


@pytest.mark.parametrize("user", [None, "gateway"])
@pytest.mark.parametrize("view", ["@@mailbridge-frame", "@@rendition.pdf"])
def test_who_may_not_see_the_document_sees_no_rendition(site, filed, user, view):
    assert site.get(f"{filed.absolute_url()}/mail/{view}", user, headers=HTML).status_code in (302, 401, 404)
    assert "Bonjour" not in site.get(f"{filed.absolute_url()}/mail/{view}", user, headers=HTML).text


def test_frame_of_what_is_no_message_is_not_found(site, filed):
    assert (
        site.get(f"{filed.absolute_url()}/appendix-1/@@mailbridge-frame", "agent", headers=HTML).status_code
        == 404
    )


def test_pdf_waits_and_is_made_by_the_task(site, filed):
    mail = filed["mail"]
    assert renditions.rendition(mail).state == "waiting"
    assert list(renditions.waiting()) == [IUUID(mail)]
    assert site.get(f"{mail.absolute_url()}/@@rendition.pdf", "agent", headers=HTML).status_code == 404
    site.task("@@mailbridge-render", uid=IUUID(mail))
    made = renditions.rendition(mail)
    assert (made.state, made.error, list(renditions.waiting())) == ("done", "", [])
    answer = site.get(f"{mail.absolute_url()}/@@rendition.pdf", "agent", headers=HTML)
    assert answer.content.startswith(b"%PDF-1.7")
    assert len(answer.content) == made.size
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "@@rendition.pdf" in site.get(f"{filed.absolute_url()}/view", "agent", headers=HTML).text


def test_pdf_that_fails_leaves_the_message_and_can_be_made_again(site, filed, monkeypatch):
    mail = filed["mail"]
    with monkeypatch.context() as context:
        context.setattr(
            renditions.pdf, "render", lambda html: (_ for _ in ()).throw(pdf.RenderingError("no font"))
        )
        site.task("@@mailbridge-render", uid=IUUID(mail))
    made = renditions.rendition(mail)
    assert (made.state, made.error, list(renditions.waiting())) == ("failed", "no font", [])
    assert mail.file.data.startswith(b"From: Jeanne")
    page = site.get(f"{filed.absolute_url()}/view", "admin", headers=HTML).text
    assert "@@mailbridge-render-again" in page
    assert "@@rendition.pdf" not in page
    url = f"{mail.absolute_url()}/@@mailbridge-render-again"
    assert site.get(url, "admin", headers=HTML).status_code == 404
    before = site.portal._p_jar.db().lastTransaction()
    assert site.post(url, "admin", headers=HTML).status_code == 302
    assert site.portal._p_jar.db().lastTransaction() == before, "without a token"
    renditions.request(mail)
    transaction.commit()
    site.task("@@mailbridge-render", uid=IUUID(mail))
    assert renditions.rendition(mail).state == "done"


def test_message_that_kills_the_worker_is_not_tried_for_ever(site, filed):
    mail = filed["mail"]
    renditions.rendition(mail).tries = renditions.TRIES
    transaction.commit()
    site.task("@@mailbridge-render", uid=IUUID(mail))
    assert renditions.rendition(mail).state == "failed"
    assert "stopped several times" in renditions.rendition(mail).error


def test_conflict_renders_nothing_twice(site, filed, monkeypatch):
    keep, conflicts, rendered = renditions._keep, iter([ConflictError(), ConflictError()]), []

    def conflicting(*args):
        keep(*args)
        if (error := next(conflicts, None)) is not None:
            raise error

    monkeypatch.setattr(renditions, "_keep", conflicting)
    monkeypatch.setattr(renditions.pdf, "render", lambda html: rendered.append(html) or b"%PDF-1.7")
    site.task("@@mailbridge-render", uid=IUUID(filed["mail"]))
    made = renditions.rendition(filed["mail"])
    assert (made.state, made.tries, len(rendered)) == ("done", 1, 1)


def test_without_renderer_nothing_waits(site, monkeypatch):
    monkeypatch.setattr(renditions.pdf, "is_available", lambda: False)
    answer = site.post("/@@mail-in", "gateway", data=redirected(), headers=TRUSTED)
    item = uuidToObject(inbox().get(answer.json()["id"]).items[0], unrestricted=True)
    assert renditions.rendition(item["mail"]).state == "off"
    assert not list(renditions.waiting())
    assert site.get(f"{item.absolute_url()}/view", "agent", headers=HTML).status_code == 200


def test_deleted_document_leaves_nothing_waiting(site, filed):
    uid = IUUID(filed["mail"])
    with api.env.adopt_roles(["Manager"]):
        api.content.delete(filed, check_linkintegrity=False)
    transaction.commit()
    site.task("@@mailbridge-render", uid=uid)
    assert not list(renditions.waiting())


def test_sweep_finds_what_waits(site, filed, monkeypatch):
    woken = []
    monkeypatch.setattr(renditions, "wake", woken.append)
    site.task("@@mailbridge-sweep-renditions")
    assert woken == [IUUID(filed["mail"])]
