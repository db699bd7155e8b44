"""What managers decide on the page of a message, what agents see of their own forwards, and what others do not."""

from imio.mailbridge.inbound import review
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings.read import stored_settings
from plone import api
from plone.uuid.interfaces import IUUID
from tests.mails import citizen
from tests.mails import forwarded
from tests.mails import redirected
from tests.mails import TEXT_FORWARD
from tests.site.panel import HTML
from tests.site.panel import messages
from tests.site.quarantine import item
from tests.site.quarantine import mail_manager
from tests.site.quarantine import said
from tests.site.quarantine import STRANGER
from typing import NamedTuple
import lxml.html
import pytest
import re
import transaction


def page(site, record, user="chef"):
    return site.get(f"/@@mailbridge-inbox-message?id={record.id}", user, headers=HTML)


def press(site, record, user="chef", **data):
    shown = page(site, record, user)
    token = re.search(r'name="_authenticator" value="([^"]+)"', shown.text)
    data |= {"_authenticator": token[1]} if token else {}
    return site.post(f"/@@mailbridge-inbox-message?id={record.id}", user, data=data, headers=HTML)


def test_page_says_what_happened(site):
    record = site.receive(TEXT_FORWARD)
    text = page(site, record).text
    assert "forwarded as text" in text
    assert "Jeanne Dupont" in text
    assert "al.bert@maville.test" in text
    assert record.sha256 in text
    assert "The text is a forward" in text
    assert "mailbridge-inbox-frame" in text
    assert 'value="2026-11-16T09:12' in text


def test_file_as_proposed_with_corrections(site):
    record = site.receive(TEXT_FORWARD)
    service = IUUID(site.portal["contacts"]["plonegroup-organization"]["urbanisme"])
    answer = press(
        site,
        record,
        proposal="1",
        sender="Jeanne D. <j.d@citizen.test>",
        date="2026-11-15T10:00+01:00",
        service=service,
    )
    assert answer.status_code == 302
    filed = item(record)
    assert filed.orig_sender_email == '"Jeanne D." <j.d@citizen.test>'
    assert filed.original_mail_date.isoformat() == "2026-11-15"
    assert filed.treating_groups == service
    assert "already" in page(site, record).text or "filed" in page(site, record).text


def test_file_as_it_came(site):
    record = site.receive(TEXT_FORWARD)
    press(site, record, direct="1")
    assert item(record).orig_sender_email == '"Al Bert" <al.bert@maville.test>'


@pytest.mark.parametrize("data", [{"sender": "nobody"}, {"date": "yesterday"}, {"service": "0" * 32}])
def test_what_cannot_be_filed_is_said(site, data):
    record = site.receive(TEXT_FORWARD)
    assert press(site, record, proposal="1", **data).status_code == 302
    assert record.state == "quarantined"


def test_discard_with_a_reason(site):
    record = site.receive(TEXT_FORWARD)
    press(site, record, discard="1", reason="en double")
    assert record.state == "discarded"
    assert record.history[-1]["text"] == "en double"
    assert record.history[-1]["by"] == "chef"


def test_undeclared_mailbox_becomes_ours(site):
    record = site.receive(
        citizen(**{"Resent-From": "accueil@maville.test", "To": "accueil@maville.test"}).as_bytes()
    )
    if record.reason != "undeclared-mailbox":
        pytest.fail(record.reason)
    assert "This mailbox is ours" in page(site, record, "admin").text
    press(site, record, user="admin", mailbox="1")
    assert stored_settings().mailboxes[-1]["address"] == "accueil@maville.test"
    assert "This mailbox is ours" not in page(site, record, "admin").text, "it is already"
    press(site, record, replay="1")
    assert record.state == "filed"


@pytest.mark.parametrize("state", ["quarantined", "failed"])
def test_discarded_message_is_taken_back_to_what_it_was(site, state):
    record = site.receive(TEXT_FORWARD)
    inbox().set_state(record, state)
    transaction.commit()
    answer = press(site, record, discard="advertising", reason="chaque semaine")
    line = record.history[-1]
    assert (line["why"], line["text"], line["by"]) == ("advertising", "chaque semaine", "chef")
    assert "Restore the message" in said(site, answer)
    assert "Advertising" in page(site, record).text
    assert press(site, record, user="agent2", restore="1").status_code == 404
    answer = press(site, record, restore="1")
    assert record.state == state
    assert (record.history[-1]["state"], record.history[-1]["by"]) == (state, "chef")
    assert "back where it was" in said(site, answer)
    press(site, record, discard="other")
    bulk(site, "?state=discarded", bulk="restore", **{"ids:list": record.id})
    assert record.state == state
    assert "no longer among the discarded ones" in said(
        site, bulk(site, bulk="restore", **{"ids:list": record.id})
    )


def test_agent_takes_back_only_what_the_agent_discarded(site):
    record = site.receive(TEXT_FORWARD)
    press(site, record, user="agent", discard="known")
    assert "Restore" in page(site, record, "agent").text
    press(site, record, user="agent", restore="1")
    assert record.state == "quarantined"
    press(site, record, discard="known")
    assert "Restore" not in page(site, record, "agent").text
    press(site, record, user="agent", restore="1")
    assert record.state == "discarded"


def test_next_message_that_waits_opens_after_a_decision(site):
    first, second, third = [site.receive(redirected(f"Un {n}"), **STRANGER) for n in range(3)]
    other = site.receive(TEXT_FORWARD)
    place = "&list=state%3Dopen%26reason%3Dunproven-redirect"
    shown = site.get(f"/@@mailbridge-inbox-message?id={second.id}{place}", "chef", headers=HTML).text
    token = re.search(r'name="_authenticator" value="([^"]+)"', shown)[1]

    def decide(record, **data):
        url = f"/@@mailbridge-inbox-message?id={record.id}{place}"
        return site.post(url, "chef", data={**data, "_authenticator": token}, headers=HTML)

    answer = decide(second, proposal="1")
    where = answer.headers["Location"]
    assert "state=open&reason=unproven-redirect" in where
    assert f"id={first.id}" in where, "the list begins with the newest"
    assert f"done={second.id}" in where
    text = said(site, answer)
    assert re.search(r'mailbridge-done".*?Un 1.*?filed', text, re.DOTALL)
    assert f'class="mailbridge-message" data-id="{first.id}"' in " ".join(text.split())
    assert f"id={second.id}" in decide(second, proposal="1").headers["Location"], "it says who was first"
    assert f"id={third.id}" in decide(first, discard="known").headers["Location"]
    where = decide(third, discard="known").headers["Location"]
    assert "&id=" not in where, "nothing of this list waits any more"
    assert other.state == "quarantined"


def test_second_manager_is_told_what_the_first_did(site):
    record = site.receive(TEXT_FORWARD)
    shown = page(site, record, "admin").text
    token = re.search(r'name="_authenticator" value="([^"]+)"', shown)[1]
    press(site, record, proposal="1")
    url = f"/@@mailbridge-inbox-message?id={record.id}"
    answer = site.post(url, "admin", data={"discard": "other", "_authenticator": token}, headers=HTML)
    assert "Martine Legrand filed it" in messages(site, answer)
    assert record.state == "filed"


def test_who_looks_at_a_message_is_shown_to_the_others(site):
    record, other = site.receive(TEXT_FORWARD), site.receive(redirected("Un"), **STRANGER)

    def look(user, record, **data):
        token = re.search(r'name="_authenticator" value="([^"]+)"', page(site, other, user).text)
        data |= {"id": record.id} | ({"_authenticator": token[1]} if token else {})
        return site.post("/@@mailbridge-looking", user, data=data, headers=HTML)

    page(site, record)
    assert "is looking" not in page(site, record, "admin").text, "nothing is written by reading"
    assert look("chef", record).json() == []
    assert look("admin", record).json() == ["Martine Legrand is looking at this message."]
    assert "Martine Legrand is looking at this message." in page(site, record, "admin").text
    assert "is looking" not in page(site, record, "agent").text
    look("chef", other)
    assert look("admin", record).json() == [], "who opened another has left"
    press(site, record, proposal="1")
    assert look("admin", record).json() == [], "the page says it itself"
    (said,) = look("admin", record, waits="1").json()
    assert said.startswith("This message has already been dealt with: Martine Legrand filed it")
    assert look("agent", record).status_code in (302, 401, 403)
    assert site.post("/@@mailbridge-looking", "chef", data={"id": record.id}).status_code == 403
    assert site.get(f"/@@mailbridge-looking?id={record.id}", "chef").status_code == 404
    assert look("chef", NamedTuple("Nothing", [("id", str)])("0" * 64)).status_code == 404


def test_manager_of_mail_declares_a_mailbox_and_makes_a_rule(site):
    marks = {"Resent-From": "accueil@maville.test", "To": "accueil@maville.test"}
    record = site.receive(citizen(**marks).as_bytes())
    assert "Make a rule" in page(site, record).text
    press(site, record, user="agent", mailbox="1")
    assert "accueil@maville.test" not in [row["address"] for row in stored_settings().mailboxes]
    press(site, record, mailbox="1")
    assert "accueil@maville.test" in [row["address"] for row in stored_settings().mailboxes]


def test_ask_again(site, caught):
    stored_settings().ask_sender = False
    transaction.commit()
    record = site.receive(TEXT_FORWARD)
    press(site, record, ask="1")
    assert [notice.origin for notice in outbox().records.values()] == ["notice"]
    assert record.asked is not None


def test_no_button_without_a_token(site):
    record = site.receive(TEXT_FORWARD)
    for name in ("proposal", "direct", "replay", "discard", "restore", "ask", "mailbox"):
        url = f"/@@mailbridge-inbox-message?id={record.id}"
        assert site.post(url, "chef", data={name: "1"}, headers=HTML).status_code == 200, name
        assert site.get(f"{url}&{name}=1", "chef", headers=HTML).status_code == 404, name
    assert record.state == "quarantined"


# agents


def test_agent_sees_the_own_forward_and_may_only_discard(site):
    record = site.receive(TEXT_FORWARD)
    shown = page(site, record, "agent")
    assert shown.status_code == 200
    assert "forwarded as text" in shown.text
    assert "File as proposed" not in shown.text
    assert "Discard" in shown.text
    mine = site.get("/@@my-forwards", "agent", headers=HTML).text
    assert "Demande en texte" in mine
    for name in ("proposal", "direct", "replay", "ask", "mailbox"):
        press(site, record, user="agent", **{name: "1"})
        assert record.state == "quarantined", name
    press(site, record, user="agent", discard="1")
    assert record.state == "discarded"


def test_address_of_the_own_account_counts_only_when_the_directory_agrees(site):
    record = site.receive(TEXT_FORWARD)
    api.user.get(userid="agent2").setMemberProperties({"email": "al.bert@maville.test"})
    transaction.commit()
    assert page(site, record, "agent2").status_code == 404
    person = site.portal["contacts"]["personnel-folder"]["claire-fontaine"]
    person.email = "claire@maville.test"
    person.reindexObject()
    api.user.get(userid="agent2").setMemberProperties({"email": "Claire@maville.test"})
    transaction.commit()
    own = site.receive(TEXT_FORWARD.replace(b"al.bert@maville.test>\nTo", b"claire@maville.test>\nTo"))
    assert page(site, own, "agent2").status_code == 200
    assert page(site, own, "agent").status_code == 404


@pytest.mark.parametrize("user", ["agent2", "gateway"])
@pytest.mark.parametrize("name", ["mailbridge-inbox-message", "mailbridge-inbox-frame", "mailbridge-source"])
def test_others_do_not_see_it(site, user, name):
    record = site.receive(TEXT_FORWARD)
    answer = site.get(f"/@@{name}?id={record.id}", user, headers=HTML)
    assert answer.status_code == 404
    assert "Demande" not in answer.text
    assert "Demande" not in site.get("/@@my-forwards", user, headers=HTML).text


@pytest.mark.parametrize(
    "path",
    [
        "/@@my-forwards",
        "/@@mailbridge-inbox-message?id={}",
        "/@@mailbridge-inbox-frame?id={}",
        "/@@mailbridge-source?id={}",
    ],
)
def test_nobody_sees_anything(site, path):
    record = site.receive(TEXT_FORWARD)
    assert site.get(path.format(record.id), None, headers=HTML).status_code in (302, 401)


@pytest.mark.parametrize("id", ["", "x", "0" * 64])
def test_unknown_message(site, id):
    assert site.get(f"/@@mailbridge-inbox-message?id={id}", "chef", headers=HTML).status_code == 404
    assert site.get("/@@mailbridge-inbox-message", "chef", headers=HTML).status_code == 404


def test_frame_of_an_attached_message(site):
    record = site.receive(forwarded(citizen()), **STRANGER)
    assert record.reason == "unproven-agent"
    answer = site.get(f"/@@mailbridge-inbox-frame?id={record.id}&part=0", "chef", headers=HTML)
    assert "voici ma demande" in answer.text
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert (
        site.get(f"/@@mailbridge-inbox-frame?id={record.id}&part=7", "chef", headers=HTML).status_code == 404
    )


def test_unreadable_messages_have_a_page_too(site):
    for raw in (b"\x00\xff garbage", b"From: a@b.test\n" + b"X: y\n" * 5000, b"Subject: x\n\n"):
        record = site.receive(raw)
        assert page(site, record).status_code == 200, raw[:20]


# the list


def test_list_has_filters_and_bulk(site):
    records = [site.receive(redirected(f"Un {n}"), **STRANGER) for n in range(3)]
    other = site.receive(TEXT_FORWARD)
    url = "/@@mailbridge-inbox"
    shown = site.get(f"{url}?reason=unproven-redirect", "chef", headers=HTML).text
    assert "Un 1" in shown
    assert "Demande en texte" not in shown
    shown = site.get(f"{url}?text=en+TEXTE", "chef", headers=HTML).text
    assert "Demande en texte" in shown
    assert "Un 1" not in shown
    token = re.search(r'name="_authenticator" value="([^"]+)"', shown)[1]
    data = [("ids:list", record.id) for record in records[:2]]
    data += [("bulk", "accept"), ("_authenticator", token)]
    assert site.post(url, "chef", data=data, headers=HTML).status_code == 302
    assert [record.state for record in records] == ["filed", "filed", "quarantined"]
    data = [("ids:list", records[0].id), ("ids:list", records[2].id), ("bulk", "discard")]
    data.append(("discard_reason", "test"))
    site.post(url, "chef", data=[*data, ("_authenticator", token)], headers=HTML)
    assert [record.state for record in records] == ["filed", "filed", "discarded"]
    assert other.state == "quarantined"


def bulk(site, query="", user="chef", token=True, **data):
    shown = site.get(f"/@@mailbridge-inbox{query}", user, headers=HTML).text
    found = re.search(r'name="_authenticator" value="([^"]+)"', shown)
    data |= {"_authenticator": found[1]} if token and found else {}
    return site.post(f"/@@mailbridge-inbox{query}", user, data=data, headers=HTML)


def test_bulk_keeps_the_filters_and_says_what_became_of_them(site):
    records = [site.receive(redirected(f"Un {n}"), **STRANGER) for n in range(2)]
    query = "?state=open&reason=unproven-redirect&text=un"
    ids = {"ids:list": [record.id for record in records]}
    answer = bulk(site, query, bulk="replay", **ids)
    assert answer.headers["Location"].endswith(query)
    assert "filed 0, still to decide 2" in said(site, answer)
    answer = bulk(site, query, bulk="accept", service="0" * 32, **ids)
    assert "There is no such service." in said(site, answer)
    assert [record.state for record in records] == ["quarantined"] * 2
    service = IUUID(site.portal["contacts"]["plonegroup-organization"]["urbanisme"])
    bulk(site, query, bulk="accept", service=service, **ids)
    assert [item(record).treating_groups for record in records] == [service] * 2


def test_bulk_needs_a_token_ticks_and_a_manager(site):
    record = site.receive(TEXT_FORWARD)
    data = {"bulk": "discard", "ids:list": record.id}
    assert bulk(site, token=False, **data).status_code == 200
    assert (
        site.get(f"/@@mailbridge-inbox?bulk=discard&ids:list={record.id}", "chef", headers=HTML).status_code
        == 404
    )
    assert bulk(site, user="agent", **data).status_code in (302, 401, 403)
    assert "Select the messages first." in said(site, bulk(site, bulk="discard"))
    assert "already" not in said(site, bulk(site, bulk="discard", **{"ids:list": "0" * 64}))
    assert record.state == "quarantined"
    bulk(site, **data)
    assert "already been dealt with: Martine Legrand discarded it" in said(
        site, bulk(site, "?state=all", **data)
    )


def test_bulk_takes_the_whole_list_as_it_was_seen(site, monkeypatch):
    monkeypatch.setattr("imio.mailbridge.browser.inbox.PAGE", 2)
    records = [site.receive(redirected(f"Un {n}"), **STRANGER) for n in range(3)]
    other = site.receive(TEXT_FORWARD)
    query = "?state=open&reason=unproven-redirect"
    shown = " ".join(site.get(f"/@@mailbridge-inbox{query}", "chef", headers=HTML).text.split())
    assert "All 3 in this list" in " ".join(re.sub(r"<[^>]+>", " ", shown).split())
    newest = re.search(r'name="newest" type="hidden" value="(\w+)"', shown)[1]
    assert newest == records[-1].id
    late = site.receive(redirected("Trop tard"), **STRANGER)
    bulk(site, query, bulk="discard", all="1", newest=newest, why="advertising")
    assert [record.state for record in records] == ["discarded"] * 3
    assert {record.history[-1]["why"] for record in records} == {"advertising"}
    assert (other.state, late.state) == ("quarantined", "quarantined")


def test_bulk_names_each_message_that_could_not_be_done(site):
    done, failed = (
        site.receive(redirected("Fait"), **STRANGER),
        site.receive(redirected("Trop tard"), **STRANGER),
    )
    press(site, failed, discard="known")
    ids = {"ids:list": [done.id, failed.id]}
    text = said(site, bulk(site, "?state=all", bulk="accept", **ids))
    assert "filed 1" in text
    assert "“Trop tard”: This message has already been dealt with: Martine Legrand discarded it" in text
    assert "“Fait”" not in text


def test_page_opens_on_what_waits_one_line_each(site):
    service = IUUID(site.portal["contacts"]["plonegroup-organization"]["urbanisme"])
    stored_settings().mailin_addresses = [{"address": "in@bridge.test", "service": service, "mailbox": None}]
    transaction.commit()
    site.receive(redirected("Classé"))
    record = site.receive(redirected("Attend", **{"Resent-From": None, "To": "in@bridge.test"}))
    shown = site.get("/@@mailbridge-inbox", "chef", headers=HTML).text
    line = shown[shown.index("<tbody>") : shown.index("</tbody>")]
    assert line.count("<tr") == 1
    assert "Written directly" in line
    assert "Jeanne Dupont" in line
    assert "Urbanisme" in line, "the service of the mail-in address"
    assert "meant for forwarded mail only" not in line, "the sentence stands on the message"
    assert "meant for forwarded mail only" in shown[shown.index("mailbridge-pane") :]
    assert "Classé" in site.get("/@@mailbridge-inbox?state=all", "chef", headers=HTML).text
    assert record.state == "quarantined"


def test_role_mail_manager_alone_can_press_every_button_that_it_sees(site, caught):
    """Links of the pane open, buttons do something: nothing is shown that the role may not do."""
    mail_manager("martin")
    stored_settings().ask_sender = False
    transaction.commit()
    marks = {"Resent-From": "accueil@maville.test", "To": "accueil@maville.test"}
    pressed = set()
    for number in range(12):
        raws = (
            TEXT_FORWARD.replace(b"Demande", b"Demande %d" % number),
            citizen(f"M {number}", **marks).as_bytes(),
        )
        for raw in raws:
            record = site.receive(raw)
            shown = page(site, record, "martin")
            buttons = lxml.html.fromstring(shown.text).cssselect(".mailbridge-decide button[name]")
            left = [each for each in buttons if (each.get("name"), each.get("value")) not in pressed]
            for link in lxml.html.fromstring(shown.text).cssselect(".mailbridge-message a[href]"):
                assert site.get(link.get("href"), "martin", headers=HTML).status_code == 200, link.get("href")
            if not left:
                continue
            name, value = left[0].get("name"), left[0].get("value")
            pressed.add((name, value))
            before = len(record.history), record.asked, len(stored_settings().mailboxes)
            answer = press(site, record, "martin", **{name: value})
            assert answer.status_code == 302, name
            assert "require_login" not in answer.headers["Location"], name
            after = len(record.history), record.asked, len(stored_settings().mailboxes)
            assert after != before, (name, value)
    names = {name for name, _value in pressed}
    assert names == {"proposal", "direct", "replay", "discard", "ask", "mailbox"}
    assert len(pressed) == len(names) - 1 + len(review.WHY)
    press(site, record, "martin", restore="1")
    for name in ("replay", "accept", "discard"):
        waits = site.receive(redirected(f"En lot {name}"), **STRANGER)
        bulk(site, user="martin", bulk=name, why="known", **{"ids:list": waits.id})
        assert waits.history[-1]["by"] == "martin" or waits.history[-2]["by"] == "martin", name
    bulk(site, "?state=discarded", user="martin", bulk="restore", **{"ids:list": waits.id})
    assert waits.state == "quarantined"


def test_to_decide_is_quarantined_and_failed(site):
    waiting, filed = site.receive(redirected("Attend"), **STRANGER), site.receive(redirected("Classé"))
    assert (waiting.state, filed.state) == ("quarantined", "filed")
    shown = site.get("/@@mailbridge-inbox?state=open", "chef", headers=HTML).text
    assert "Attend" in shown
    assert "Classé" not in shown


@pytest.mark.parametrize("name", ["state", "reason", "text", "b_start", "ids", "bulk", "replay"])
def test_a_parameter_given_twice_is_no_traceback(site, name):
    site.receive(TEXT_FORWARD)
    url = f"/@@mailbridge-inbox?{name}=1&{name}=2"
    assert site.get(url, "chef", headers=HTML).status_code in (200, 404)
    assert bulk(site, **{name: ["1", "2"]}).status_code in (200, 404)


def test_count_is_shown_to_managers_only(site):
    site.receive(TEXT_FORWARD)
    assert "Incoming e-mails to decide on" in site.get("", "chef", headers=HTML).text
    assert "Incoming e-mails to decide on" not in site.get("", "agent", headers=HTML).text


def test_confirmation_of_google_shows_code_and_link(site):
    raw = (
        b"From: forwarding-noreply@google.com\nTo: in@bridge.test\n"
        b"Subject: (#123456789) Gmail Forwarding Confirmation - Receive Mail from info@maville.test\n\n"
        b"https://mail-settings.google.com/mail/vf-abc\nhttps://evil.test/vf\n"
    )
    record = site.receive(raw)
    assert record.reason == "forwarding-confirmation"
    text = page(site, record).text
    assert "123456789" in text
    assert 'href="https://mail-settings.google.com/mail/vf-abc"' in text
    assert 'href="https://evil.test' not in text
