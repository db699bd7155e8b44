"""Files from the agent's own computer: kept beside the draft, sent along, gone afterwards; never seen by anybody else."""

from datetime import timedelta
from email import message_from_bytes
from email import policy
from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.outbox import draft_files
from imio.mailbridge.outbox.draft_files import files_of
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.saved_drafts import delete_draft
from imio.mailbridge.outbox.saved_drafts import draft_of
from imio.mailbridge.outbox.saved_drafts import purge_drafts
from imio.mailbridge.outbox.saved_drafts import save_draft
from imio.mailbridge.outbox.site_addresses import MAX_IMAGES
from imio.mailbridge.settings.old_export import MAX_BYTES
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.size import readable_size
from imio.mailbridge.store.store import now
from plone import api
from tests.mails import redirected
from tests.site.compose import COMPOSE
from tests.site.compose import HTML
from tests.site.compose import JEANNE
from tests.site.compose import shown
from tests.site.compose import token
from tests.site.panel import fields
import io
import lxml.html
import pytest
import transaction


ATTACH = COMPOSE.replace("send-email", "mailbridge-attach")
PDF = b"%PDF-1.4 plan"
FIELD = "form.widgets.attachments:list"


@pytest.fixture(autouse=True)
def at_once(site):
    """Messages leave without time to undo."""
    stored_settings().undo_seconds = 0
    transaction.commit()


def attach(site, name="plan.pdf", content=PDF, user="agent", path=ATTACH, token_of=None, **data):
    """Attach a file as the script of the page does; return the answer."""
    page = site.get(path.replace("mailbridge-attach", "send-email"), token_of or user, headers=HTML).text
    form = {"_authenticator": token(page), **data}
    return site.post(path, user, data=form, files={"file": (name, io.BytesIO(content))})


def press(site, button, *files, user="agent", **changes):
    """Press a button of the form, with files chosen, as a browser without scripts does; return the answer."""
    form = fields(site.get(COMPOSE, user, headers=HTML).text)
    form |= {
        "form.widgets.to": JEANNE,
        "form.widgets.subject": "Votre permis",
        "form.widgets.body": "<p>Bonjour</p>",
    }
    form |= {FIELD: changes.pop("attachments", []), **changes}
    form[button if "." in button else f"form.buttons.{button}"] = "x"
    chosen = [("mailbridge.file:list", (name, io.BytesIO(content))) for name, content in files]
    return site.post(COMPOSE, user, data=form, files=chosen or [("x", ("", b""))], headers=HTML)


def ticked(answer):
    """Return the labels of the attachments that are ticked on a page."""
    page = lxml.html.fromstring(answer.text)
    boxes = page.cssselect("#formfield-form-widgets-attachments input[type=checkbox]")
    return [each.getparent().text_content().strip() for each in boxes if each.checked]


def document(site):
    return api.content.get_uuid(site.portal["outgoing-mail"]["permis-durbanisme"])


def kept(site, user="agent"):
    return [file.filename for file in files_of(user, document(site))]


def names_sent(caught):
    message = message_from_bytes(caught.messages[-1].content, policy=policy.default)
    return {each.get_filename(): each.get_payload(decode=True) for each in message.iter_attachments()}


def test_limits_are_round_for_people(portal):
    assert [readable_size(size) for size in (draft_files.MAX_SIZE, MAX_IMAGES, MAX_BYTES)] == [
        "200 MB",
        "5 MB",
        "5 MB",
    ]


def test_it_is_sent_along_and_then_gone(caught, site):
    answer = attach(site)
    assert answer.status_code == 200, answer.text
    assert answer.json()["title"] == "plan.pdf (13 bytes)"
    uid = answer.json()["uid"]
    page = site.get(COMPOSE, "agent", headers=HTML)
    assert ("plan.pdf (13 bytes)" in shown(page.text), "plan.pdf (13 bytes)" in ticked(page)) == (True, False)
    assert press(site, "send", attachments=[uid]).status_code == 302
    deliver()
    transaction.begin()
    assert names_sent(caught) == {"plan.pdf": PDF}
    assert kept(site) == []
    assert "plan.pdf" not in site.get(COMPOSE, "agent", headers=HTML).text


def test_without_scripts_the_form_brings_it(caught, site):
    back = press(site, "mailbridge.attach", ("plan.pdf", PDF), ("photo.png", b"\x89PNG\r\n"))
    assert ticked(back) == ["plan.pdf (13 bytes)", "photo.png (6 bytes)"]
    form = fields(back.text)
    assert form["form.widgets.subject"] == "Votre permis"
    refused = press(
        site, "send", ("note.txt", b"x"), attachments=form[FIELD], **{"form.widgets.to": "nobody"}
    )
    assert ticked(refused) == ["plan.pdf (13 bytes)", "photo.png (6 bytes)", "note.txt (1 bytes)"]
    assert press(site, "send", ("last.txt", b"y"), attachments=fields(refused.text)[FIELD]).status_code == 302
    deliver()
    transaction.begin()
    assert list(names_sent(caught)) == ["plan.pdf", "photo.png", "note.txt", "last.txt"]


def test_a_draft_keeps_it(site):
    uid = attach(site).json()["uid"]
    save_draft("agent", document(site), {"subject": "x", "attachments": (uid,)})
    transaction.commit()
    assert ticked(site.get(COMPOSE, "agent", headers=HTML)) == ["plan.pdf (13 bytes)"]
    assert draft_of("agent", document(site)).fields == {"subject": "x", "attachments": (uid,)}
    delete_draft("agent", document(site))
    transaction.commit()
    assert kept(site) == []
    attach(site)
    form = {
        "form.buttons.delete_draft": "x",
        "_authenticator": token(site.get(COMPOSE, "agent", headers=HTML).text),
    }
    assert site.post(COMPOSE, "agent", data=form, headers=HTML).status_code == 302
    assert kept(site) == []


def test_what_is_taken_back_can_be_sent_again(site):
    stored_settings().undo_seconds = 60
    transaction.commit()
    uid = attach(site).json()["uid"]
    assert press(site, "send", attachments=[uid]).status_code == 302
    (record,) = outbox().records.values()
    outbox().update(record, dict.fromkeys(record.recipients, "cancelled"))
    transaction.commit()
    path = f"{COMPOSE}?edit={record.id}"
    page = site.get(path, "agent", headers=HTML)
    assert ticked(page) == ["plan.pdf (13 bytes)"]
    assert "no longer in this document" not in shown(page.text)
    form = {**fields(page.text), "form.buttons.send_anyway": "x", "mailbridge.doubts": "sent-already"}
    assert site.post(path, "agent", data=form, headers=HTML).status_code == 302
    assert len(outbox()) == 2


@pytest.mark.parametrize("user", ["agent2", "chef", "admin"])
def test_nobody_else_sees_or_sends_it(site, user):
    uid = attach(site, name="secret-du-dossier.pdf").json()["uid"]
    assert "secret-du-dossier" not in site.get(COMPOSE, user, headers=HTML).text
    data = {"to": [JEANNE], "subject": "x", "body": "x", "attachments": [uid]}
    answer = site.post("/outgoing-mail/permis-durbanisme/@send-email", user, json=data)
    assert answer.status_code == 400
    assert "attachments" in [each["field"] for each in answer.json()["errors"]]
    other = site.post("/outgoing-mail/invitation/@send-email", "agent", json=data)
    assert other.status_code == 400, "of another document"


@pytest.mark.parametrize("user", [None, "gateway"])
def test_who_may_not_write_attaches_nothing(site, user):
    assert attach(site, user=user, token_of="agent").status_code in (401, 302)
    assert site.get(ATTACH, user).status_code in (401, 302, 404)
    assert draft_files.existing_store(draft_files.KEY) == {}


def test_who_may_not_see_the_document_attaches_nothing(site):
    page = site.get(COMPOSE, "agent2", headers=HTML).text
    site.portal["outgoing-mail"]["permis-durbanisme"].manage_permission("View", ["Manager"])
    transaction.commit()
    form = {"_authenticator": token(page)}
    answer = site.post(ATTACH, "agent2", data=form, files={"file": ("a.txt", b"x")})
    assert answer.status_code in (401, 302)


def test_it_needs_a_post_and_a_token(site):
    assert site.get(ATTACH, "agent").status_code == 404
    for bad in ("", "stale"):
        answer = attach(site, _authenticator=bad)
        assert (answer.status_code, "session" in answer.json()["message"]) == (403, True)
    back = press(site, "mailbridge.attach", ("plan.pdf", PDF), _authenticator="stale")
    assert back.status_code == 200
    assert kept(site) == []


def test_it_can_be_kept_in_the_document(site):
    page = site.get(COMPOSE, "agent", headers=HTML).text
    assert 'name="mailbridge.place"' in page
    assert attach(site, place="document").status_code == 200
    appendices = site.portal["outgoing-mail"]["permis-durbanisme"].objectValues()
    (added,) = [each for each in appendices if each.file.filename == "plan.pdf"]
    assert (added.portal_type, added.file.contentType, added.file.data) == (
        "dmsappendixfile",
        "application/pdf",
        PDF,
    )
    assert kept(site) == []


def test_who_may_not_add_cannot_keep_it_in_the_document(site):
    site.portal["outgoing-mail"]["permis-durbanisme"].manage_permission("Add portal content", ["Manager"])
    transaction.commit()
    assert 'name="mailbridge.place"' not in site.get(COMPOSE, "agent", headers=HTML).text
    answer = attach(site, place="document")
    assert (answer.status_code, "may not add files" in answer.json()["message"]) == (400, True)
    assert attach(site).status_code == 200
    assert "plan.pdf" not in [
        each.file.filename for each in site.portal["outgoing-mail"]["permis-durbanisme"].objectValues()
    ]


def test_a_contact_holds_none_but_the_message_does(site):
    path = "/contacts/jeanne-dupont/@@mailbridge-attach"
    assert attach(site, path=path, place="document").status_code == 400
    assert attach(site, path=path).status_code == 200
    page = site.get(path.replace("mailbridge-attach", "send-email"), "agent", headers=HTML).text
    assert "plan.pdf (13 bytes)" in shown(page)


@pytest.mark.parametrize(
    ("name", "becomes"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\temp\\plan.pdf", "plan.pdf"),
        ('<img src=x onerror="x()">.pdf', "img src=x onerror= x().pdf"),
        ("x" * 400 + ".pdf", "x" * 146 + ".pdf"),
        ("a\r\nBcc: x.pdf", "a Bcc x.pdf"),
        ("plan", "plan.pdf"),
    ],
)
def test_hostile_names(site, name, becomes):
    data = {"_authenticator": token(site.get(COMPOSE, "agent", headers=HTML).text)}
    body, boundary = [], "b0undary"
    quoted = name.replace('"', "%22").replace("\r\n", "%0D%0A")
    body = (
        (
            f'--{boundary}\r\nContent-Disposition: form-data; name="_authenticator"\r\n\r\n{data["_authenticator"]}\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{quoted}"\r\n\r\n'
        ).encode()
        + PDF
        + f"\r\n--{boundary}--\r\n".encode()
    )
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    answer = site.post(ATTACH, "agent", data=body, headers=headers)
    assert answer.status_code == 200, answer.text
    assert len(kept(site)) == 1
    page = site.get(COMPOSE, "agent", headers=HTML).text
    assert "<img src=x" not in page
    if '"' not in name and "\r" not in name:
        assert kept(site) == [becomes]


def test_limits_are_told(site, monkeypatch):
    stored_settings().attachment_limit = 20
    transaction.commit()
    assert "At most 20 bytes in total." in shown(site.get(COMPOSE, "agent", headers=HTML).text)
    large = attach(site, content=b"x" * 21)
    assert (large.status_code, large.json()["message"]) == (
        400,
        "plan.pdf was not attached: its size is 21 bytes, and e-mails from this sender may carry at most 20 bytes.",
    )
    assert "is empty" in attach(site, content=b"").json()["message"]
    two = [attach(site, name=name, content=b"x" * 15).json()["uid"] for name in ("a.txt", "b.txt")]
    refused = press(site, "send", attachments=two)
    assert "total 30 bytes; at most 20 are allowed" in shown(refused.text)
    form_large = press(site, "send", ("large.pdf", b"x" * 21))
    assert "large.pdf was not attached" in shown(form_large.text)
    assert len(outbox()) == 0, "without the file it is not sent either"
    monkeypatch.setattr(draft_files, "MAX_FILES", 2)
    assert "one e-mail may carry at most" in attach(site, content=b"x").json()["message"]
    assert site.post(ATTACH, "agent", data={"_authenticator": token(form_large.text)}).status_code == 400


def test_old_files_go(site, monkeypatch):
    def put(days, file_document, message=""):
        with monkeypatch.context() as patch:
            patch.setattr(draft_files, "now", lambda: now() - timedelta(days=days))
            file = draft_files.add_file("agent", file_document, f"{days}.txt", io.BytesIO(b"x"))
            if message:
                draft_files.note_sent("agent", file_document, [file.uid], message)
        return file

    save_draft("agent", "with-draft", {"subject": "x"})
    put(100, "with-draft")
    put(100, "without")
    put(30, "without")
    put(15, "sent", "1")
    put(1, "sent", "2")
    transaction.commit()
    purge_drafts()
    left = draft_files.site_store(draft_files.KEY, draft_files.DraftFiles).by_user["agent"].values()
    assert sorted((file.document, file.filename) for file in left) == [
        ("sent", "1.txt"),
        ("with-draft", "100.txt"),
        ("without", "30.txt"),
    ]


def test_a_message_leaves_without_its_secret_address(caught, site):
    secret = "in+abcdefgh23jkmnpqrstuv@bridge.test"
    uid = attach(site, "mail.eml", redirected(**{"Delivered-To": secret})).json()["uid"]
    assert press(site, "send", attachments=[uid]).status_code == 302
    deliver()
    (content,) = names_sent(caught).values()
    assert secret.encode() not in (content or caught.messages[-1].content)
