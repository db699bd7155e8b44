"""Pages as a person's browser gets them, without its scripts."""

from datetime import datetime
from datetime import UTC
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.sender import identities
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.settings.clock import readable_time
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.size import readable_size
from plone import api
from plone.app.uuid.utils import uuidToObject
from tests.mails import redirected
from tests.site.compose import ticked
import pytest
import re
import requests
import transaction


HTML = {"Accept": "text/html", "Accept-Language": "en"}
INBOX = "/@@mailbridge-inbox"
COMPOSE = "/outgoing-mail/permis-durbanisme/@@send-email"


@pytest.mark.parametrize(
    ("user", "status"), [(None, 302), ("agent", 302), ("gateway", 302), ("chef", 200), ("admin", 200)]
)
def test_who_sees_the_list(site, user, status):
    id = site.mail_in(redirected()).json()["id"]
    for page in (INBOX, f"/@@mailbridge-source?id={id}"):
        answer = site.get(page, user, headers=HTML)
        hidden = (302, 401, 404)
        assert answer.status_code in (hidden if status == 302 else (status,)), page
    assert site.post(INBOX, user, data={"replay": id}, headers=HTML).status_code != 500


def act(site, action, id, **extra):
    """Press a button of the list as chef, with the token that its form holds."""
    page = site.get(INBOX, "chef", headers=HTML).text
    token = re.search(r'name="_authenticator"[^>]*value="(\w+)"', page)[1]
    return site.post(INBOX, "chef", data={action: id, "_authenticator": token, **extra}, headers=HTML)


def test_buttons_of_the_list(site):
    id = site.mail_in(redirected(), **{"X-Client-Address": "192.0.2.1"}).json()["id"]
    stored_settings().trusted_gateways = ["192.0.2.0/24"]
    transaction.commit()
    assert act(site, "replay", id).status_code == 302
    assert inbox().get(id).state == "filed"
    other = site.mail_in(
        redirected(**{"Message-ID": "<2@c.test>"}), **{"X-Client-Address": "198.51.100.1"}
    ).json()["id"]
    assert act(site, "discard", other, state="quarantined").headers["Location"].endswith("?state=quarantined")
    assert inbox().get(other).state == "discarded"
    page = site.get(f"{INBOX}?state=discarded", "chef", headers=HTML).text
    assert "discarded" in page
    assert "/@@mailbridge-source?id=" in page
    assert "Replay" not in page


def test_accept_with_a_service(site):
    id = site.mail_in(redirected(), **{"X-Client-Address": "192.0.2.1"}).json()["id"]
    (urbanisme,) = api.content.find(portal_type="organization", Title="Urbanisme", unrestricted=True)
    assert urbanisme.UID in site.get(INBOX, "chef", headers=HTML).text
    act(site, "accept", id, service=urbanisme.UID)
    (item,) = [uuidToObject(uid, unrestricted=True) for uid in inbox().get(id).items]
    assert item.treating_groups == urbanisme.UID


def test_buttons_need_post_and_a_token(site):
    id = site.mail_in(redirected(), **{"X-Client-Address": "192.0.2.1"}).json()["id"]
    assert site.get(f"{INBOX}?discard={id}", "chef", headers=HTML).status_code == 404
    site.post(INBOX, "chef", data={"discard": id}, headers=HTML)
    assert inbox().get(id).state == "quarantined"


def test_hostile_subject_is_shown_as_text(site):
    hostile = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    site.mail_in(redirected(hostile, From=f'"{hostile}" <x@y.test>'), **{"X-Client-Address": "192.0.2.1"})
    page = site.get(INBOX, "chef", headers=HTML).text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert" in page


@pytest.mark.parametrize("b_start", ["-1", "x", "99999999999999999999", ["1", "2"]])
def test_odd_page_numbers(site, b_start):
    site.mail_in(redirected())
    assert requests.get(
        f"{site.url}{INBOX}", params={"b_start": b_start}, auth=("chef", "demo-iadocs"), timeout=30
    ).ok


@pytest.mark.parametrize(("user", "status"), [(None, 302), ("gateway", 302), ("agent", 200)])
def test_who_composes(site, user, status):
    for page in (
        COMPOSE,
        f"{COMPOSE}-preview",
        "/outgoing-mail/permis-durbanisme/@@mailbridge-complete?query=dup",
    ):
        assert site.get(page, user, headers=HTML).status_code in (status, 401 if status == 302 else status), (
            page
        )


def test_compose_is_prefilled_from_the_document(site):
    page = site.get(COMPOSE, "agent", headers=HTML).text
    for expected in (
        "jeanne.dupont@citizen.test (Jeanne Dupont)",
        "Votre permis d'urbanisme",
        "Madame Dupont",
        "Permis PU-2026-114.pdf",
    ):
        assert expected in page
    assert ticked(page) == 1


def test_preview_without_scripts(site):
    document = site.portal["outgoing-mail"]["permis-durbanisme"]
    (identity,) = identities("agent", settings())
    form = {
        "form.widgets.sender:list": identity.uid,
        "form.widgets.to": "jeanne.dupont@citizen.test",
        "form.widgets.subject": "Essai",
        "form.widgets.body": "<p>Bonjour</p>",
        "form.widgets.attachments:list": api.content.get_uuid(document.objectValues()[0]),
        "form.widgets.attachments-empty-marker": "1",
    }
    opened = site.get(COMPOSE, "agent", headers=HTML).text
    token = re.search(r'name="_authenticator"[^>]*value="(\w+)"', opened)[1]
    preview = {**form, "form.buttons.preview": "Preview", "_authenticator": token}
    page = site.post(COMPOSE, "agent", data=preview, headers=HTML).text
    assert "&lt;administration@maville.test&gt;" in page
    assert "kB" in page
    assert len(outbox()) == 0
    site.post(COMPOSE, "agent", data={**form, "form.buttons.send": "Send"}, headers=HTML)
    assert len(outbox()) == 0, "a form of another site has no token"
    token = re.search(r'name="_authenticator"[^>]*value="(\w+)"', page)[1]
    data = {**form, "form.buttons.send": "Send", "_authenticator": token}
    answer = site.post(COMPOSE, "agent", data=data, headers=HTML)
    assert answer.status_code == 302
    assert outbox().counts() == {"scheduled": 1}, "there is time to undo"


def test_preview_says_what_is_wrong(site):
    stored_settings().login_address = None
    transaction.commit()
    (error,) = site.post(
        f"{COMPOSE}-preview", "agent", data={"form.widgets.subject": "x"}, headers=HTML
    ).json()["errors"]
    assert error["field"] == "sender"
    assert "login address" in error["message"]


def test_completion(site):
    results = site.get("/outgoing-mail/invitation/@@mailbridge-complete?query=dup", "agent").json()["results"]
    assert results == [
        {"id": "jeanne.dupont@citizen.test (Jeanne Dupont)"}
        | {"text": "jeanne.dupont@citizen.test (Jeanne Dupont)"},
        {"id": "dup", "text": "dup", "typed": True},  # what was typed stands after the contacts
    ]
    assert site.get("/outgoing-mail/invitation/@@mailbridge-complete?query=d", "agent").json()["total"] == 0


def test_copy_from_plone(site):
    record = api.portal.set_registry_record
    for name, value in {
        "smtp_host": "mail.maville.be",
        "smtp_port": 587,
        "smtp_userid": "bridge",
        "smtp_pass": "secret",
    }.items():
        record(f"plone.{name}", value)
    transaction.commit()
    page = site.get("/@@mailbridge-controlpanel", "admin", headers=HTML).text
    token = re.search(r'name="_authenticator"[^>]*value="(\w+)"', page)[1]
    site.post(
        "/@@mailbridge-controlpanel",
        "admin",
        data={"form.buttons.copy": "Copy", "_authenticator": token},
        headers=HTML,
    )
    values = stored_settings()
    assert (values.smtp_host, values.smtp_port, values.smtp_login) == ("mail.maville.be", 587, "bridge")
    assert password.read() == "secret"


def test_notation_of_the_site(site):
    api.portal.set_registry_record("plone.portal_timezone", "Europe/Brussels")
    assert "10:05" in readable_time(datetime(2026, 11, 23, 9, 5, tzinfo=UTC))
    assert "11:05" in readable_time(datetime(2026, 7, 23, 9, 5, tzinfo=UTC))


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1024, "1 kB"), (2_449_999, "2.3 MB"), (123_456_789, "118 MB")],
)
def test_size(site, size, text):
    assert readable_size(size) == text


@pytest.mark.parametrize(
    "path", ["", "/incoming-mail", "/outgoing-mail/permis-durbanisme", "/contacts/jeanne-dupont", "/login"]
)
@pytest.mark.parametrize("user", [None, "agent", "chef", "admin"])
def test_what_we_add_to_every_page_breaks_none(site, user, path):
    answer = site.get(path, user, headers=HTML)
    assert answer.status_code in (200, 302, 401)
    assert "error while rendering" not in answer.text
