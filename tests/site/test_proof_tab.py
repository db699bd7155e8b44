"""The Proof tab, and who may download what."""

from email.message import EmailMessage
from imio.mailbridge.browser import proof
from imio.mailbridge.browser import titles
from imio.mailbridge.browser.evidence import DETECTORS
from imio.mailbridge.browser.proof import digest_of
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.message.classification.classify import Proof
from imio.mailbridge.message.syntax.doubt import DOUBTS
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.trust import PROOFS
from pathlib import Path
from plone import api
from plone.app.uuid.utils import uuidToObject
from tests.mails import citizen
from tests.mails import forwarded
from tests.mails import redirected
from tests.mails import TRUSTED
from tests.message.outlook_message import MSG
from tests.site.rows import EMPTY_ROW
from ZODB.blob import Blob
import pytest
import transaction


MESSAGES = Path(__file__).parents[1] / "messages"
HTML = {"Accept": "text/html", "Accept-Language": "en"}


def received(site, raw):
    record = site.receive(raw, **{"X-Envelope-Sender": "x@relay.test"})
    return record, [uuidToObject(uid, unrestricted=True) for uid in record.items]


def test_tab_shows_how_it_came(site):
    record, (item,) = received(site, redirected())
    page = site.get(f"{item.absolute_url()}/@@mailbridge-proof", "agent", headers=HTML).text
    for text in (
        record.sha256,
        "x@relay.test",
        "in@bridge.test",
        "127.0.0.1",
        "info@maville.test",
        "trusted mail server",
    ):
        assert text in page, text
    assert "The stored bytes are those that arrived" in page
    assert "@@mailbridge-proof" in site.get(f"{item.absolute_url()}/view", "agent", headers=HTML).text
    answer = site.get(f"{item.absolute_url()}/@@mailbridge-proof?source={record.id}", "agent", headers=HTML)
    assert answer.content == redirected()
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_tab_tells_what_was_guessed(site):
    raw = (MESSAGES / "truncated-multipart.eml").read_bytes()
    _record, (item,) = received(
        site,
        raw.replace(b"Date: Tue, 24 Nov 2026 10:00:00 +0100", b"Date: jeu., 26 nov. 2026 09:12:00 +0100"),
    )
    page = site.get(f"{item.absolute_url()}/@@mailbridge-proof", "agent", headers=HTML).text
    for text in (
        "The message seems incomplete",
        "The date is written in an unusual way",
        "jeu., 26 nov. 2026 09:12:00 +0100",
    ):
        assert text in page, text


def test_each_doubt_has_words():
    assert set(DOUBTS) <= set(DETECTORS)


def test_message_that_came_twice_is_one_item_with_two_transfers(site):
    raw = redirected()
    first, (item,) = received(site, raw)
    second, (same,) = received(
        site, raw.replace(b"\n", b"\r\n").replace(b"Resent-From", b"X-Zimbra-Forwarded")
    )
    third, (again,) = received(site, forwarded(citizen()))
    assert item.absolute_url() == same.absolute_url() == again.absolute_url()
    assert [record.id for record in inbox().transfers(first.items[0])] == [first.id, second.id, third.id]
    assert {record.state for record in (first, second, third)} == {"filed"}
    page = site.get(f"{item.absolute_url()}/@@mailbridge-proof", "agent", headers=HTML).text
    assert "Transfer 3" in page.replace("\n", " ").replace("  ", " ") or page.count("card-title") == 3


def test_other_content_under_the_same_id_is_another_item(site):
    _first, (item,) = received(site, redirected())
    _second, (other,) = received(site, redirected().replace(b"demande", b"menace!"))
    assert item.absolute_url() != other.absolute_url()


def test_deleted_item_is_filed_anew(site):
    _record, (item,) = received(site, redirected())
    item.aq_parent._delObject(item.getId())
    transaction.commit()
    record, (anew,) = received(site, redirected().replace(b"\n", b"\r\n"))
    assert record.items
    assert anew.Title() == "Une véranda é"


def test_forward_of_several_is_no_download_for_agents(site):
    record, (first, _second) = received(site, forwarded(citizen("Un"), citizen("Deux")))
    url = f"{first.absolute_url()}/@@mailbridge-proof"
    assert f"source={record.id}" not in site.get(url, "agent", headers=HTML).text
    assert site.get(f"{url}?source={record.id}", "agent", headers=HTML).status_code == 404
    assert site.get(f"{url}?source={record.id}", "chef", headers=HTML).status_code in (200, 302, 401)
    assert site.get(f"{url}?source={record.id}", "admin", headers=HTML).status_code == 200


def test_another_record_cannot_be_had_through_the_tab(site):
    _record, (item,) = received(site, redirected("Un"))
    other, _items = received(site, redirected("Deux"))
    assert (
        site.get(
            f"{item.absolute_url()}/@@mailbridge-proof?source={other.id}", "agent", headers=HTML
        ).status_code
        == 404
    )


@pytest.mark.parametrize("user", [None, "gateway"])
def test_who_may_not_see_the_item_sees_no_proof(site, user):
    _record, (item,) = received(site, redirected())
    answer = site.get(f"{item.absolute_url()}/@@mailbridge-proof", user, headers=HTML)
    assert answer.status_code in (302, 401)


def test_changed_bytes_are_noticed(site):
    record, (item,) = received(site, redirected())
    record.raw = Blob(b"something else")
    transaction.commit()
    assert digest_of(record.raw) != record.sha256
    assert (
        "not those that arrived"
        in site.get(f"{item.absolute_url()}/@@mailbridge-proof", "agent", headers=HTML).text
    )


def test_large_messages_are_verified_when_somebody_asks(site, monkeypatch):
    record, (item,) = received(site, redirected())
    monkeypatch.setattr(proof, "MAX_AT_ONCE", 100)
    url = f"{item.absolute_url()}/@@mailbridge-proof"
    text = site.get(url, "agent", headers=HTML).text
    assert "The stored bytes are" not in text
    assert "verify=1" in text
    assert (
        "The stored bytes are those that arrived" in site.get(f"{url}?verify=1", "agent", headers=HTML).text
    )


def test_lost_bytes_are_said(site):
    record, (item,) = received(site, redirected())
    Path(record.raw.committed()).unlink()
    record._p_jar.cacheMinimize()
    url = f"{item.absolute_url()}/@@mailbridge-proof"
    assert "The stored bytes are lost" in site.get(url, "agent", headers=HTML).text
    assert site.get(f"{url}?source={record.id}", "agent", headers=HTML).status_code == 404


def test_agent_who_forwarded_is_named(site):
    _record, (item,) = received(site, forwarded(citizen()))
    text = site.get(f"{item.absolute_url()}/@@mailbridge-proof", "agent", headers=HTML).text
    assert "Al Bert &lt;al.bert@maville.test&gt;" in text


def test_person_who_decided_is_named(site):
    answer = site.post(
        "/@@mail-in", "gateway", data=redirected(), headers={**TRUSTED, "X-Client-Address": "203.0.113.9"}
    )
    record = inbox().get(answer.json()["id"])
    assert site.post(f"/@mail-in/{record.id}/accept", "chef", json={}).status_code == 200
    (item,) = [uuidToObject(uid, unrestricted=True) for uid in inbox().get(record.id).items]
    text = site.get(f"{item.absolute_url()}/@@mailbridge-proof", "agent", headers=HTML).text
    chef = api.user.get(userid="chef").getProperty("fullname")
    assert f"({chef})" in text
    assert "nothing proves where it comes from" in text


def test_rows_that_decided_about_other_items_are_not_shown(site):
    row = {"subject_pat": "deux", "user_value": "_empty_", "tg_value": "_empty_"}
    stored_settings().iemail_routing = [{**EMPTY_ROW, **row}]
    transaction.commit()
    _record, (first, second) = received(site, forwarded(citizen("Un"), citizen("Deux")))
    texts = [
        site.get(f"{item.absolute_url()}/@@mailbridge-proof", "admin", headers=HTML).text
        for item in (first, second)
    ]
    assert ["Row 1 of the routing decided" in text for text in texts] == [False, True]


def test_item_made_by_hand_says_so(site):
    with api.env.adopt_roles(["Manager"]):
        folder = site.portal["incoming-mail"]
        item = api.content.create(folder, "dmsincoming_email", "by-hand", title="À la main")
    transaction.commit()
    text = site.get(f"{item.absolute_url()}/@@mailbridge-proof", "admin", headers=HTML).text
    assert "does not know how this document came in" in text


def test_words_alone_are_no_page(site):
    for user in ("agent", "admin"):
        assert site.get("/@@mailbridge-evidence", user, headers=HTML).status_code == 404


def test_tab_is_for_incoming_mail_only(site):
    assert site.get("/outgoing-mail/invitation/@@mailbridge-proof", "agent", headers=HTML).status_code == 404
    assert "@@mailbridge-proof" not in site.get("/outgoing-mail/invitation/view", "agent", headers=HTML).text


def test_outlook_file_is_kept_as_it_came_and_shown(site):
    outer = EmailMessage()
    outer["From"], outer["To"], outer["Subject"] = "al.bert@maville.test", "in@bridge.test", "TR"
    outer.set_content("Voir annexe")
    outer.add_attachment(MSG, "application", "vnd.ms-outlook", filename="Demande.msg")
    _record, (item,) = received(site, outer.as_bytes())
    assert item.Title() == "Demande en .msg é"
    mail = item["mail"].file
    assert (mail.contentType, mail.filename, mail.data) == (
        "application/vnd.ms-outlook",
        "Demande en .msg é.msg",
        MSG,
    )
    frame = site.get(f"{item.absolute_url()}/mail/@@mailbridge-frame", "agent", headers=HTML).text
    assert "Texte du citoyen" in frame


def test_each_proof_has_a_title_and_can_be_chosen():
    known = {proof.value for proof in Proof}
    assert set(titles.PROOF) == known | {""}
    # whether a log-in counts is no question
    assert set(PROOFS.by_value) == known - {"login"}
