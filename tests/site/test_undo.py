"""Taking back, sending later, sending again what was changed; who may, and what happens too late."""

from datetime import timedelta
from email import message_from_bytes
from email.utils import parsedate_to_datetime
from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings.clock import local_time
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.smtp import ISmtpAccountRow
from imio.mailbridge.store.store import now
from plone import api
from tests.site.compose import COMPOSE
from tests.site.compose import HTML
from tests.site.compose import JEANNE
from tests.site.compose import press
from tests.site.compose import shown
from tests.site.compose import ticked
from tests.site.compose import token
from tests.site.compose import value
from zope import schema
import html
import pytest
import transaction


DOCUMENT = "/outgoing-mail/permis-durbanisme"
ACT = "/@@mailbridge-message"


def written(site, **fields):
    """Send by the compose page; return the record."""
    assert press(site, **fields).status_code == 302
    (id,) = outbox().newest_ids()
    return outbox().get(id)


def due(record):
    outbox().try_at(record, now() - timedelta(seconds=1))
    transaction.commit()


def delete(site, path):
    with api.env.adopt_roles(["Manager"]):
        api.content.delete(site.portal.unrestrictedTraverse(path), check_linkintegrity=False)
    transaction.commit()


def act(site, name, record, user="agent", **extra):
    page = site.get(COMPOSE, user, headers=HTML).text
    data = {name: record.id, "_authenticator": token(page), **extra}
    return site.post(ACT, user, data=data, headers=HTML)


def page(site, answer, user="agent"):
    return site.get(answer.headers["Location"], user, headers=HTML, cookies=answer.cookies).text


def edit(site, record, user="agent", path=COMPOSE):
    return site.get(f"{path}?edit={record.id}", user, headers=HTML)


def test_an_email_waits_for_the_time_to_undo(site, caught):
    record = written(site)
    assert record.state == "scheduled"
    assert now() + timedelta(seconds=20) < record.next_try <= now() + timedelta(seconds=30)
    deliver(record.id)
    assert not caught.messages
    due(record)
    deliver(record.id)
    assert len(caught.messages) == 1


def test_without_time_to_undo_it_leaves_at_once(site):
    stored_settings().undo_seconds = 0
    transaction.commit()
    assert written(site).state == "queued"


def test_undo_leads_back_to_what_was_written(site, caught):
    bcc = "claire.fontaine@maville.test (Claire)"
    record = written(site, bcc=bcc, subject="Objet", body="<p>Mon corps</p>")
    document = site.get(DOCUMENT, "agent", headers=HTML).text
    assert 'name="undo"' in document
    assert "goes out at" in shown(document)
    answer = act(site, "undo", record)
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith(f"{COMPOSE}?edit={record.id}")
    assert record.state == "cancelled"
    form = page(site, answer)
    assert "The e-mail did not go out." in shown(form)
    assert value(form, "to") == JEANNE
    assert value(form, "bcc") == bcc
    assert value(form, "subject") == "Objet"
    assert "Mon corps" in html.unescape(form)
    deliver(record.id)
    assert not caught.messages


def test_undo_is_too_late_once_a_worker_took_it(site):
    record = written(site)
    outbox().update(record, {JEANNE: "sending"})
    transaction.commit()
    answer = act(site, "undo", record)
    assert answer.headers["Location"].endswith(f"{DOCUMENT}/view")
    assert "Too late: the e-mail is already going out, or has gone." in shown(page(site, answer))
    assert record.state == "sending"


@pytest.mark.parametrize("user", ["agent2", "gateway"])
@pytest.mark.parametrize("name", ["undo", "cancel", "send_now", "retry"])
def test_somebody_else_may_not(site, user, name):
    record = written(site)
    wrong = site.post(ACT, user, data={name: record.id}, headers=HTML)
    assert wrong.status_code in (302, 404), "not logged in for this page, or not found"
    assert record.state == "scheduled"
    assert site.post(f"/@outbox/{record.id}/cancel", user).status_code == 404
    assert site.post(f"/@outbox/{record.id}/send-now", user).status_code == 404
    assert record.state == "scheduled"


def test_a_colleague_sees_no_buttons(site):
    written(site)
    for user, sees in [("agent", True), ("agent2", False), ("chef", True)]:
        document = site.get(DOCUMENT, user, headers=HTML).text
        assert ('name="undo"' in document) is sees, user
        assert 'data-key="' in document


def test_nobody_may(site):
    record = written(site)
    assert site.post(ACT, data={"undo": record.id}, headers=HTML).status_code in (302, 401, 404)
    assert record.state == "scheduled"


def test_a_token_and_a_post_are_needed(site):
    record = written(site)
    assert site.get(f"{ACT}?undo={record.id}", "agent", headers=HTML).status_code == 404
    assert site.post(ACT, "agent", data={"undo": record.id}, headers=HTML).status_code == 302
    assert record.state == "scheduled"


@pytest.mark.parametrize("form", [{}, {"undo": "unknown"}, {"undo": ["a", "b"]}, {"burn": "x"}])
def test_what_is_no_message_is_not_found(site, form):
    assert site.post(ACT, "agent", data=form, headers=HTML).status_code == 404


def test_send_now(site, caught):
    record = written(site)
    assert act(site, "send_now", record).status_code == 302
    assert record.state == "queued"
    deliver(record.id)
    assert len(caught.messages) == 1
    assert site.post(f"/@outbox/{record.id}/send-now", "agent").status_code == 409


def test_an_email_is_not_dated_in_the_future(site, caught):
    record = written(site, send_at=at(days=2), body="<p>Date: demain</p>")
    act(site, "send_now", record)
    deliver(record.id)
    (sent,) = caught.messages
    assert parsedate_to_datetime(message_from_bytes(sent.content)["Date"]) <= now() + timedelta(seconds=1)
    assert b"Date: demain" in sent.content


def test_send_now_by_rest(site):
    record = written(site)
    answer = site.post(f"/@outbox/{record.id}/send-now", "agent").json()
    assert answer["state"] == "queued"
    assert answer["timeline"][-1]["by"] == "agent"
    assert answer["scheduled_for"] is None


def test_retry_and_edit_of_a_failed_message(site, caught):
    caught.answers[f"rcpt:{JEANNE}"] = ["550 5.1.1 no such user", None]
    record = written(site, cc="claire.fontaine@maville.test")
    due(record)
    deliver(record.id)
    transaction.begin()
    assert dict(record.recipients) == {JEANNE: "failed", "claire.fontaine@maville.test": "sent"}
    document = site.get(DOCUMENT, "agent", headers=HTML).text
    assert 'name="retry"' in document
    assert f"?edit={record.id}" in document
    form = edit(site, record).text
    assert value(form, "to") == JEANNE
    assert value(form, "cc") == "", "who got it does not get it twice"
    assert "The e-mail is on its way again." in shown(page(site, act(site, "retry", record)))
    deliver(record.id)
    transaction.begin()
    assert record.state == "sent"
    assert edit(site, record).status_code == 404, "nothing left to send again"
    assert "There is no recipient left to retry." in shown(page(site, act(site, "retry", record)))


def test_cancel_of_a_deferred_message(site, caught):
    caught.answers["rcpt"] = "450 4.2.0 later"
    record = written(site)
    due(record)
    deliver(record.id)
    transaction.begin()
    assert "Next try:" in shown(site.get(DOCUMENT, "agent", headers=HTML).text)
    assert site.get(f"/@outbox/{record.id}", "agent").json()["next_try"] == record.next_try.isoformat()
    act(site, "cancel", record)
    assert record.state == "cancelled"


@pytest.mark.parametrize(("user", "status"), [(None, 302), ("agent2", 404), ("agent", 200), ("chef", 200)])
def test_who_edits(site, user, status):
    record = written(site, bcc="claire.fontaine@maville.test")
    act(site, "cancel", record)
    outbox().update(record, dict.fromkeys(record.recipients, "cancelled"))
    transaction.commit()
    answer = edit(site, record, user)
    assert answer.status_code == status
    if status == 200:
        assert value(answer.text, "bcc") == ("claire.fontaine@maville.test" if user == "agent" else "")


@pytest.mark.parametrize("id", ["", "unknown", "0" * 32])
def test_a_message_that_is_none_is_not_edited(site, id):
    assert site.get(f"{COMPOSE}?edit={id}", "agent", headers=HTML).status_code == 404
    assert site.get(f"{COMPOSE}?edit=a&edit=b", "agent", headers=HTML).status_code == 404


def test_a_message_is_edited_where_it_was_written_and_only_when_it_rests(site):
    record = written(site)
    assert edit(site, record).status_code == 404, "it would leave twice"
    act(site, "undo", record)
    assert edit(site, record).status_code == 200
    assert edit(site, record, path="/outgoing-mail/invitation/@@send-email").status_code == 404


def test_an_attachment_that_is_gone_is_told(site):
    document = site.portal["outgoing-mail"]["permis-durbanisme"]
    uids = [api.content.get_uuid(child) for child in document.objectValues()]
    record = written(site, **{"form.widgets.attachments:list": uids})
    act(site, "undo", record)
    assert ticked(edit(site, record).text) == 2
    delete(site, "outgoing-mail/permis-durbanisme/conditions")
    form = edit(site, record).text
    assert ticked(form) == 1
    assert "is no longer in this document" in shown(form)


def at(**delta):
    return f"{local_time(now() + timedelta(**delta)):%Y-%m-%dT%H:%M}"


def test_send_later(site, caught):
    record = written(site, send_at=at(days=2))
    assert record.state == "scheduled"
    assert timedelta(days=1, hours=23) < record.next_try - now() <= timedelta(days=2)
    assert site.get(f"/@outbox/{record.id}", "agent").json()["scheduled_for"] == record.next_try.isoformat()
    due(record)
    deliver(record.id)
    assert len(caught.messages) == 1


def test_the_time_is_that_of_the_town(site):
    api.portal.set_registry_record("plone.portal_timezone", "America/New_York")
    transaction.commit()
    day = now().date() + timedelta(days=30)
    record = written(site, send_at=f"{day}T08:30")
    api.portal.set_registry_record("plone.portal_timezone", "America/New_York")
    assert f"{local_time(record.next_try):%Y-%m-%dT%H:%M}" == f"{day}T08:30"


def test_undo_of_a_later_one_keeps_its_time(site):
    chosen = at(days=2)
    record = written(site, send_at=chosen)
    act(site, "undo", record)
    assert value(edit(site, record).text, "send_at") == chosen
    record.written.data["send_at"] = (now() - timedelta(days=1)).isoformat()
    record.written._p_changed = True
    transaction.commit()
    assert value(edit(site, record).text, "send_at") == "", "that time has passed"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ({"minutes": -5}, "This time has passed."),
        ("2001-01-01T10:00", "This time has passed."),
        ({"days": 400}, "a year from now at the latest"),
        ("tomorrow", "error"),
        ("9999-99-99T99:99", "error"),
    ],
)
def test_impossible_times(site, text, sentence):
    answer = press(site, send_at=at(**text) if isinstance(text, dict) else text)
    assert answer.status_code == 200
    assert sentence in shown(answer.text) or (sentence == "error" and "invalid" in answer.text)
    assert len(outbox()) == 0


@pytest.mark.parametrize("gone", ["attachment", "document", "account"])
def test_what_is_gone_meanwhile_does_not_stop_it(site, caught, gone):
    document = site.portal["outgoing-mail"]["permis-durbanisme"]
    uid = api.content.get_uuid(document.objectValues()[0])
    if gone == "account":
        row = dict.fromkeys(schema.getFieldNames(ISmtpAccountRow)) | {
            "name": "cpas", "senders": ["al.bert@maville.test"], "host": "127.0.0.1", "port": caught.port, "security": "none",
            "auth": "password", "login_address": "cpas@maville.test", "sender_policy": "login",
        }  # fmt: skip
        stored_settings().smtp_accounts = [row]
        transaction.commit()
    record = written(site, **{"form.widgets.attachments:list": [uid]})
    if gone == "account":
        assert record.account == "cpas"
        stored_settings().smtp_accounts = []
    elif gone == "attachment":
        delete(site, "outgoing-mail/permis-durbanisme/permis")
    else:
        delete(site, "outgoing-mail/permis-durbanisme")
    due(record)
    deliver(record.id)
    deliver(record.id)  # after an account is gone, by the one that serves the sender now
    transaction.begin()
    assert record.state == "sent"
    assert b"Permis PU-2026-114.pdf" in caught.messages[0].content
    assert len(caught.messages) == 1
    assert site.get("/@@my-emails", "agent", headers=HTML).status_code == 200
