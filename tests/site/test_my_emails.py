"""``@@my-emails``, the count of what was lost, and the timeline of a document."""

from imio.mailbridge.outbox.record import outbox
from plone import api
from tests.site.compose import HTML
from tests.site.compose import JEANNE
from tests.site.compose import shown
from tests.site.compose import token
from zoneinfo import ZoneInfo
import pytest
import re
import transaction


DOCUMENT = "/outgoing-mail/permis-durbanisme"
PAGE = "/@@my-emails"
LOST = "E-mails that did not arrive"


@pytest.fixture
def send(caught, send):
    """Send to a server that takes everything."""
    return send


def page(site, user="agent", path=PAGE):
    return site.get(path, user, headers=HTML).text


def count(site, user="agent"):
    found = re.search(
        r'(?s)class="mailbridge-unseen".*?<span class="badge[^>]*>(\d+)<', page(site, user, "/contacts")
    )
    return int(found[1]) if found else 0


@pytest.mark.parametrize(("user", "status"), [(None, 302), ("gateway", 200), ("agent", 200), ("admin", 200)])
def test_who_sees_the_page(site, user, status):
    assert site.get(PAGE, user, headers=HTML).status_code == status


def test_only_own_messages(site, send):
    send(subject="Le mien")
    send(user="agent2", subject="Le tien")
    assert "Le mien" in page(site)
    assert "Le tien" not in page(site)
    assert "There is nothing here." in page(site, "chef")


def test_newest_first_with_their_documents(site, send):
    for subject in ("Un", "Deux", "Trois"):
        send(subject=subject)
    text = page(site)
    assert text.index("Trois") < text.index("Deux") < text.index(">Un<")
    assert f'href="{site.url}{DOCUMENT}/view"' in text


def test_filter_by_state(site, send, caught):
    caught.answers["rcpt:bad@citizen.test"] = "550 5.1.1 no such user"
    send(subject="Parti")
    send("bad@citizen.test", subject="Perdu")
    text = shown(page(site))
    assert "All 2 not sent 1 sent 1" in text, "what went wrong comes first"
    assert "does not exist" in text
    assert "5.1.1 no such user" in text
    failed = page(site, path=f"{PAGE}?state=failed")
    assert "Perdu" in failed
    assert "Parti" not in failed
    assert "Parti" in page(site, path=f"{PAGE}?state=unknown")


@pytest.mark.parametrize(
    "query", ["b_start=-1", "b_start=x", "b_start=99999999999999999999", "state=a&state=b", "state="]
)
def test_odd_queries(site, send, query):
    send()
    assert site.get(f"{PAGE}?{query}", "agent", headers=HTML).status_code == 200


def test_batches(site):
    for number in range(27):
        data = {"to": [JEANNE], "subject": f"Sujet {number:02}", "body": "x"}
        assert site.post(f"{DOCUMENT}/@send-email", "agent", json=data).status_code == 202
    assert page(site).count(">Sujet") == 25
    assert page(site, path=f"{PAGE}?b_start=25").count(">Sujet") == 2


def test_buttons_lead_back_to_the_list(site, send, caught):
    caught.answers["rcpt"] = "550 5.1.1 no such user"
    record = send()
    text = page(site)
    assert 'name="retry"' in text
    assert f"?edit={record.id}" in text
    data = {"retry": record.id, "back": "mine", "_authenticator": token(text)}
    answer = site.post("/@@mailbridge-message", "agent", data=data, headers=HTML)
    assert answer.headers["Location"].endswith(PAGE)
    assert record.state == "queued"


def test_a_message_whose_document_is_gone_or_closed_to_the_user_stays_listed(site, send, caught):
    caught.answers["rcpt"] = "550 5.1.1 no such user"
    record = send(path="/contacts/jeanne-dupont")
    with api.env.adopt_roles(["Manager"]):
        site.portal.contacts["jeanne-dupont"].manage_permission("View", ["Manager"])
        site.portal.contacts["jeanne-dupont"].reindexObjectSecurity()
    transaction.commit()
    assert "Votre permis" in page(site)
    assert "jeanne-dupont" not in page(site).replace(JEANNE, "")
    assert "?edit=" not in page(site)
    with api.env.adopt_roles(["Manager"]):
        api.content.delete(site.portal.contacts["jeanne-dupont"], check_linkintegrity=False)
    transaction.commit()
    assert "Votre permis" in page(site)
    data = {"retry": record.id, "_authenticator": token(page(site))}
    answer = site.post("/@@mailbridge-message", "agent", data=data, headers=HTML)
    assert answer.headers["Location"].endswith(PAGE), "there is no document to go back to"


def test_count_of_what_was_lost_until_the_page_is_opened(site, send, caught):
    caught.answers["rcpt:bad@citizen.test"] = "550 5.1.1 no such user"
    send()
    assert count(site) == 0
    send("bad@citizen.test")
    send("bad@citizen.test", JEANNE)
    assert count(site) == 2
    assert count(site, "agent2") == count(site, "chef") == 0
    assert LOST not in site.get("/login", headers=HTML).text
    page(site)
    assert count(site) == 0
    send("bad@citizen.test")
    assert count(site) == 1


def test_what_came_back_counts_too_and_what_leaves_again_does_not(site, send, caught):
    record = send()
    outbox().update(record, {JEANNE: "bounced"})
    transaction.commit()
    assert count(site) == 1
    caught.answers["rcpt:bad@citizen.test"] = "550 5.1.1 no such user"
    failed = send("bad@citizen.test")
    assert count(site) == 2
    assert site.post(f"/@outbox/{failed.id}/retry", "agent").status_code == 200
    assert count(site) == 1


def test_looking_at_somebody_elses_page_is_not_possible(site, send, caught):
    caught.answers["rcpt"] = "550 5.1.1 no such user"
    send()
    page(site, "agent2")
    page(site, "admin")
    assert count(site) == 1


def test_no_scan_of_all_messages(site, send, monkeypatch):
    send()
    box = outbox()
    assert (
        list(box.newest_ids_of_user("agent", "sent", "failed"))
        == list(box.newest_ids_of_user("agent"))
        == list(box.newest_ids())
    )
    assert not box.newest_ids_of_user("agent", "failed")
    assert not box.newest_ids_of_user("nobody")
    (newest, *_older) = box.newest_ids_of_user("agent")
    since = box.get(newest).created.astimezone(ZoneInfo("Asia/Tokyo"))
    assert list(box.newest_ids_of_user("agent", since=since)) == [newest], "whatever the zone"


# the timeline of a message


def opened(site, record, user="agent"):
    """Return the page of a message, as its line in the conversation fetches it."""
    return page(site, user, f"/@@mailbridge-sent-message?id={record.id}")


def test_a_line_for_each_recipient(site, send, caught):
    caught.answers["rcpt:bad@citizen.test"] = "550 5.1.1 no such user"
    caught.answers["rcpt:later@citizen.test"] = "450 4.2.0 later"
    send(JEANNE, "bad@citizen.test", cc=["later@citizen.test"])
    text = page(site, path=DOCUMENT)
    rows = [
        shown(row) for row in re.findall(r"(?s)mailbridge-recipients.*?</ul>", text)[0].split("</li>")[:-1]
    ]
    assert len(rows) == 3
    assert f"sent To {JEANNE}" in rows[0]
    assert "not sent To bad@citizen.test" in rows[1]
    assert "does not exist" in rows[1]
    assert "will be tried again Cc later@citizen.test" in rows[2]
    assert "Next try:" in rows[2]
    assert "550 5.1.1 no such user" in shown(text)


def test_remedies_are_for_managers(site, send, caught):
    caught.answers["rcpt"] = "550 5.1.2 domain not found"
    send()
    remedy = "Correct the address in the contact."
    assert remedy in page(site, "chef", DOCUMENT)
    assert remedy not in page(site, "agent", DOCUMENT)


def test_who_did_it_is_named(site, send, caught):
    caught.answers["rcpt"] = "550 5.1.1 no such user"
    record = send()
    assert site.post(f"/@outbox/{record.id}/retry", "chef").status_code == 200
    assert "Sent again on request. Martine Legrand" in shown(opened(site, record))


def test_an_answer_is_linked(site, send):
    record = send()
    question = site.portal["incoming-mail"]["demande-de-permis"]
    record.note(
        JEANNE,
        "replied",
        explanation="An answer came in and was filed.",
        items=(api.content.get_uuid(question),),
    )
    outbox().update(record, {JEANNE: "replied"})
    transaction.commit()
    assert f'href="{site.url}/incoming-mail/demande-de-permis"' in opened(site, record)
    (line,) = [
        each for each in site.get(f"/@outbox/{record.id}", "agent").json()["timeline"] if each["items"]
    ]
    assert line["items"][0]["@id"].endswith("/incoming-mail/demande-de-permis")
    question.manage_permission("View", ["Manager"])
    with api.env.adopt_roles(["Manager"]):
        question.reindexObjectSecurity()
    transaction.commit()
    assert "demande-de-permis" not in page(site, "agent2", f"{DOCUMENT}/@@mailbridge-messages")
    assert "demande-de-permis" not in opened(site, record, "agent2")


def test_blind_copies_stand_on_nobody_elses_timeline(site, send):
    send(bcc=["secret@citizen.test"])
    for user, sees in [("agent", True), ("agent2", False), ("chef", True)]:
        assert ("secret@citizen.test" in page(site, user, DOCUMENT)) is sees, user


def test_it_reloads_only_while_something_happens_soon(site, send, caught):
    send()
    assert 'data-waiting="yes"' not in page(site, path=DOCUMENT)
    caught.answers["rcpt"] = "450 4.2.0 later"
    record = send()
    assert 'data-waiting="yes"' in page(site, path=DOCUMENT), "in a minute"
    outbox().try_at(record, record.next_try.replace(year=record.next_try.year + 1))
    transaction.commit()
    assert 'data-waiting="yes"' not in page(site, path=DOCUMENT), "in a year"


def test_hostile_texts_are_shown_as_text(site, send, caught):
    caught.answers["rcpt"] = "550 5.1.1 <script>alert(1)</script>"
    send(subject="<img src=x onerror=alert(2)>")
    for path in (DOCUMENT, PAGE):
        text = page(site, path=path)
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "&lt;img src=x" in text
