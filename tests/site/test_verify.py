"""Signatures of filed messages are verified by a task and shown on the Proof tab; nothing waits for it or depends on it."""

from email import message_from_bytes
from email.policy import SMTP
from imio.mailbridge.inbound import verify
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.transport import txt_lookup
from plone.app.uuid.utils import uuidToObject
from tests.mails import citizen
from tests.mails import forwarded
from tests.mails import redirected
from tests.message.signing import signed
import pytest
import transaction


HTML = {"Accept": "text/html", "Accept-Language": "en"}
GOOD = {"method": "dkim", "result": "pass", "about": "other.test", "detail": ""}


def raw():
    return signed(redirected().replace(b"\n", b"\r\n"), domain=b"other.test")


def filed(site, raw):
    record = site.receive(raw)
    assert record.state == "filed"
    return record


def task(site, record):
    assert site.task("mailbridge-verify", id=record.id) in (200, 204)
    transaction.begin()


def proof(site, record, user="agent"):
    (item,) = [uuidToObject(uid, unrestricted=True) for uid in record.items]
    return site.get(f"{item.absolute_url()}/@@mailbridge-proof", user, headers=HTML).text


def test_verified_and_shown(site, dns):  # noqa: F811
    record = filed(site, raw())
    assert record.authenticated == ()
    assert "other.test" not in proof(site, record)
    task(site, record)
    assert record.authenticated == (GOOD,)
    assert record.proof == "gateway", "it decides nothing"
    assert record.id not in inbox().unverified
    assert "other.test" in proof(site, record)


def test_the_message_inside_a_forward_too(site, dns):  # noqa: F811
    inner = signed(citizen().as_bytes().replace(b"\n", b"\r\n"), domain=b"other.test")
    outer = forwarded(message_from_bytes(inner, policy=SMTP))
    record = filed(site, outer)
    task(site, record)
    assert [each["about"] for each in record.authenticated] == ["other.test"]


def test_changed_message_is_no_pass(site, dns):  # noqa: F811
    record = filed(site, raw().replace(b"demande", b"menace!"))
    task(site, record)
    assert [each["result"] for each in record.authenticated] == ["fail"]
    assert "not good" in proof(site, record)


def test_what_has_no_signature_needs_no_task(site):
    filed(site, redirected())
    assert len(inbox().unverified) == 0


def test_dns_that_does_not_answer_is_asked_again_and_not_for_ever(site, monkeypatch):
    monkeypatch.setattr(txt_lookup, "DNS_TIME", 0.5)
    stored_settings().dns_resolver = "127.0.0.1:9"
    transaction.commit()
    record = filed(site, raw())
    for tries in range(1, verify.TRIES):
        task(site, record)
        assert (inbox().unverified[record.id], record.authenticated) == (tries, ())
    task(site, record)
    assert record.id not in inbox().unverified
    assert [each["result"] for each in record.authenticated] == ["temperror"]


def test_lost_task_is_queued_again(site, dns, monkeypatch):  # noqa: F811
    record, woken = filed(site, raw()), []
    monkeypatch.setattr(verify, "wake", woken.append)
    verify.sweep()
    assert woken == [record.id]


@pytest.mark.parametrize("user", [None, "agent", "admin"])
def test_the_web_does_not_reach_the_task(site, user):
    assert site.post("/@@mailbridge-verify?id=x", user).status_code == 404
