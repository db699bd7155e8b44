"""Mail of the site holds links that set passwords: nobody reads it in the Outbox, and it is kept only until it has left."""

from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.outbox.actions import cancel
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings.read import stored_settings
from plone import api
import base64
import pytest
import transaction


SECRET = "https://maville.test/confirm/5f2c9a77"
JEANNE = "jeanne@citizen.test"


@pytest.fixture
def whole(site, caught):
    """A site whose mail leaves by the bridge."""
    api.portal.set_registry_record("plone.email_from_address", "info@maville.test")
    stored_settings().whole_site = True
    transaction.commit()
    return site


@pytest.fixture
def record(whole):
    """A mail of the site that waits."""
    api.portal.send_email(recipient=JEANNE, sender="info@maville.test", subject="Bonjour", body=SECRET)
    transaction.commit()
    (record,) = outbox().records.values()
    return record


def tried():
    """Send what is due."""
    deliver()
    transaction.begin()


SURFACES = (
    "/@outbox/{id}/source",
    "/@outbox/{id}",
    "/@outbox",
    "/@@mailbridge-outbox-source?id={id}",
    "/@@mailbridge-outbox-message?id={id}",
    "/@@mailbridge-outbox",
    "/@@mailbridge-outbox.csv",
)


@pytest.mark.parametrize("path", SURFACES)
@pytest.mark.parametrize("state", ["queued", "deferred", "failed", "sent"])
def test_no_surface_shows_it(whole, record, caught, path, state):
    answers = {"deferred": "451 4.3.0 later", "failed": "550 5.1.1 no such user"}
    if state != "queued":
        caught.answers["rcpt"] = [answers[state]] if state in answers else []
        tried()
    assert record.state == state
    html = {"Accept": "text/html"} if "@@" in path else {}
    answer = whole.get(path.format(id=record.id), "chef", headers=html)
    assert answer.status_code == (404 if "source" in path else 200), answer.text
    for form in (SECRET, base64.b64encode(SECRET.encode()).decode()[:24]):
        assert form not in answer.text


@pytest.mark.parametrize("answer", [None, "550 5.1.1 no such user"])
def test_bytes_are_deleted_by_the_transaction_that_settles_the_last_recipient(record, caught, answer):
    caught.answers["rcpt"] = [answer] if answer else []
    assert record.body is not None
    tried()
    assert record.state == ("failed" if answer else "sent")
    assert record.body is None
    assert record.key not in outbox().with_bytes


def test_bytes_stay_while_somebody_waits(record, caught):
    caught.answers["rcpt"] = ["451 4.3.0 later"]
    tried()
    assert (record.state, record.body is None) == ("deferred", False)


def test_bytes_of_a_cancelled_one_are_deleted(record):
    cancel(record)
    assert (record.state, record.body) == ("cancelled", None)


def test_retry_of_a_failed_one_is_refused_with_the_reason(whole, record, caught):
    caught.answers["rcpt"] = ["550 5.1.1 no such user"]
    tried()
    answer = whole.post(f"/@outbox/{record.id}/retry", "chef")
    assert answer.status_code == 409
    assert "is not kept" in answer.json()["message"]
    page = whole.get(f"/@@mailbridge-outbox-message?id={record.id}", "chef", headers={"Accept": "text/html"})
    assert "Mail from the site itself is never shown" in page.text
    assert 'name="retry"' not in page.text


def test_reset_leaves_at_once_and_is_not_stored(whole, caught, caplog):
    api.user.get("agent").setMemberProperties({"email": "al.bert@maville.test"})
    transaction.commit()
    answer = whole.post("/mail_password", data={"userid": "agent"}, headers={"Accept": "text/html"})
    assert answer.status_code == 200, answer.text
    transaction.begin()
    (message,) = caught.messages
    assert b"passwordreset" in message.content
    assert len(outbox()) == 0
    assert "passwordreset" not in caplog.text


def test_encoded_reset_leaves_at_once_too(whole, caught):
    text = base64.b64encode(b"Welcome: https://maville.test/passwordreset/5f2c9a77").decode()
    head = (
        f"From: info@maville.test\nTo: {JEANNE}\nContent-Type: text/plain\nContent-Transfer-Encoding: base64"
    )
    mail_host = api.portal.get_tool("MailHost")
    mail_host._send("info@maville.test", [JEANNE], f"{head}\n\n{text}\n")
    assert len(caught.messages) == 1
    assert len(outbox()) == 0
