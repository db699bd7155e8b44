"""Bytes of received mail are kept as long as the setting says: what was filed, decided and proven stays."""

from datetime import timedelta
from imio.mailbridge.browser.proof import digest_of
from imio.mailbridge.inbound import retention
from imio.mailbridge.inbound import review
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.process import process
from imio.mailbridge.inbound.retention import purge
from imio.mailbridge.inbound.rule_trial import try_rule
from imio.mailbridge.settings.interfaces import PREFIX
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.routing import RoutingRow
from imio.mailbridge.store import steps
from imio.mailbridge.store import words as store_words
from pathlib import Path
from plone import api
from plone.registry.interfaces import IRegistry
from tests.mails import citizen
from tests.mails import forwarded
from tests.mails import redirected
from tests.mails import TEXT_FORWARD
from tests.mails import TRUSTED
from tests.site.panel import act
from tests.site.panel import HTML
from tests.site.panel import messages
from tests.site.panel import page
from tests.site.panel import press
from tests.site.panel import SETTINGS
from tests.site.quarantine import item
from zope.component import getUtility
import pytest
import transaction


DELETED = "The message itself was deleted at the end of its retention period."
LOST = "The stored bytes are lost: tell whoever runs this server."
PROFILE = "imio.mailbridge:default"


def grow_old(record, days):
    """Let a message have come so many days earlier, and all that happened to it."""
    box = inbox()
    box.remove(record)
    record.created -= timedelta(days=days)
    box.add(record)
    record.history = tuple({**line, "at": line["at"] - timedelta(days=days)} for line in record.history)
    transaction.commit()
    return record


def keep(days):
    stored_settings().keep_received_days = days
    transaction.commit()


@pytest.fixture
def filed(site):
    """A filed message whose bytes were deleted."""
    record = grow_old(site.receive(redirected()), 31)
    keep(30)
    assert purge() == 1
    return record


@pytest.fixture
def discarded(site):
    """A discarded message whose bytes were deleted."""
    record = site.receive(TEXT_FORWARD)
    assert site.post(f"/@mail-in/{record.id}/discard", "chef", json={"why": "known"}).status_code == 200
    grow_old(record, 31)
    keep(30)
    assert purge() == 1
    return record


def test_kept_for_ever_by_default(site):
    record = grow_old(site.receive(redirected()), 5000)
    assert purge() == 0
    assert record.raw is not None


def test_old_ones_lose_their_bytes_once(site):
    young, old = grow_old(site.receive(redirected("Un")), 29), grow_old(site.receive(redirected("Deux")), 31)
    sha256, items, verdicts = old.sha256, old.items, old.verdicts
    keep(30)
    assert site.task("@@mailbridge-sweep-inbox") == 204
    assert (old.raw, old.state, old.sha256, old.items, old.verdicts) == (
        None,
        "filed",
        sha256,
        items,
        verdicts,
    )
    assert young.raw is not None
    assert list(inbox().with_bytes) == [young.key]
    assert old.history[-1]["text"] == DELETED
    lines = len(old.history)
    assert purge() == 0
    assert len(old.history) == lines


def test_the_document_stays_as_it_was(site):
    record = site.receive(redirected())
    document = item(record)
    before = {file.id: digest_of(file.file._blob) for file in document.objectValues()}
    keep(30)
    grow_old(record, 31)
    assert purge() == 1
    assert len(before) == 2
    assert {file.id: digest_of(file.file._blob) for file in document.objectValues()} == before
    assert inbox().filed[record.items[0]] == digest_of(document["mail"].file._blob)


@pytest.mark.parametrize("state", ["received", "quarantined", "failed"])
def test_what_waits_for_a_decision_keeps_its_bytes(site, state):
    record = grow_old(site.receive(TEXT_FORWARD), 5000)
    inbox().set_state(record, state)
    keep(30)
    assert purge() == 0
    assert record.raw is not None


@pytest.mark.parametrize("state", ["filed", "recorded", "discarded"])
def test_what_is_dealt_with_does_not(site, state):
    record = grow_old(site.receive(TEXT_FORWARD), 31)
    inbox().set_state(record, state)
    keep(30)
    assert purge() == 1
    assert (record.raw, record.state) == (None, state)


def test_a_decision_counts(site):
    record = grow_old(site.receive(TEXT_FORWARD), 31)
    keep(30)
    assert site.post(f"/@mail-in/{record.id}/discard", "chef", json={}).status_code == 200
    assert purge() == 0
    assert site.post(f"/@mail-in/{record.id}/restore", "chef", json={}).status_code == 200


def test_signatures_are_verified_before(site):
    record = grow_old(site.receive(redirected()), 31)
    keep(30)
    inbox().unverified[record.id] = 0
    transaction.commit()
    assert purge() == 0
    del inbox().unverified[record.id]
    transaction.commit()
    assert purge() == 1


def test_steps_are_committed_one_by_one(site, monkeypatch):
    """What a fault interrupts is not undone, and one sweep does not keep the worker for ever."""
    records = [grow_old(site.receive(redirected(f"Numéro {n}")), 31 + n) for n in range(5)]
    keep(30)
    monkeypatch.setattr(steps, "STEP", 2)
    noted = []

    class Fault(Exception):
        pass

    def note(record, *args, **kwargs):
        noted.append(record.id)
        if len(noted) == 3:
            raise Fault

    with monkeypatch.context() as patch, pytest.raises(Fault):
        patch.setattr(retention.InboundMessage, "note", note)
        purge()
    transaction.begin()
    assert sum(record.raw is None for record in records) == 2
    monkeypatch.setattr(steps, "MOST", 2)
    assert [purge(), purge(), purge()] == [2, 1, 0]


def test_a_sweep_that_cannot_delete_does_the_rest(site, monkeypatch):
    record = grow_old(site.receive(redirected()), 31)
    keep(30)

    def fail(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(retention.InboundMessage, "note", fail)
    monkeypatch.setattr(store_words, "WORTH", 1)
    assert site.task("@@mailbridge-sweep-inbox") == 204
    assert record.raw is not None
    assert list(inbox().words.known) == [record.key]


# uses of a message whose bytes were deleted


def test_source_by_rest_is_gone_and_says_why(site, filed):
    answer = site.get(f"/@mail-in/{filed.id}/source", "chef")
    assert (answer.status_code, answer.json()["message"]) == (410, DELETED)
    assert site.get(f"/@mail-in/{filed.id}", "chef").json()["history"][-1]["text"] == DELETED
    assert site.get("/@mail-in/nothing/source", "chef").status_code == 404


@pytest.mark.parametrize("raw", [redirected(), TEXT_FORWARD], ids=["filed", "quarantined"])
def test_lost_bytes_are_no_fault_either(site, raw):
    record = site.receive(raw)
    Path(record.raw.committed()).unlink()
    record._p_jar.cacheMinimize()
    answer = site.get(f"/@mail-in/{record.id}/source", "chef")
    assert answer.status_code == 404
    assert "bytes are missing" in answer.json()["message"]
    for path in ("/@@mailbridge-inbox?state=all", f"/@@mailbridge-inbox-message?id={record.id}"):
        text = page(site, path, "chef")
        assert LOST in text
        for name in ("proposal", "direct", "replay", "ask"):
            assert f'name="{name}"' not in text, "there is nothing to file"
        assert ('name="discard"' in text) is (record.state == "quarantined")


@pytest.mark.parametrize("decision", ["replay", "accept", "restore"])
@pytest.mark.parametrize("which", ["filed", "discarded"])
def test_no_decision_can_be_taken(site, request, which, decision):
    record = request.getfixturevalue(which)
    answer = site.post(f"/@mail-in/{record.id}/{decision}", "chef", json={})
    assert (answer.status_code, answer.json()["message"]) == (409, DELETED)
    assert (record.state, record.history[-1]["text"]) == (which, DELETED)


def test_discarded_ones_offer_no_way_back(site, discarded):
    text = page(site, "/@@mailbridge-inbox?state=discarded", "chef")
    assert DELETED in text
    assert 'name="restore"' not in text
    assert 'name="ids:list"' not in text
    form = {"bulk": "restore", "ids:list": discarded.id}
    answer = act(site, "/@@mailbridge-inbox?state=discarded", "chef", **form)
    assert f"“{discarded.subject}”: {DELETED}" in messages(site, answer, "chef")


@pytest.mark.parametrize("path", ["/@@mailbridge-inbox?state=all&id={}", "/@@mailbridge-inbox-message?id={}"])
def test_pages_of_the_message_say_so(site, filed, path):
    text = page(site, path.format(filed.id), "chef")
    assert text.count(DELETED) >= 2, "in its place, and in the history"
    assert filed.sha256 in text
    assert item(filed).Title() in text
    assert "mailbridge-source" not in text
    assert "mailbridge-inbox-frame" not in text


@pytest.mark.parametrize("view", ["source", "inbox-frame"])
def test_its_text_and_its_source_are_not_found(site, filed, view):
    assert site.get(f"/@@mailbridge-{view}?id={filed.id}", "chef", headers=HTML).status_code == 404


@pytest.mark.parametrize("button", ["ask", "replay", "restore"])
def test_buttons_of_a_page_that_stayed_open(site, discarded, button):
    path = f"/@@mailbridge-inbox-message?id={discarded.id}"
    other = site.receive(TEXT_FORWARD.replace(b"TR: ", b"TR : "))
    token = token_of(site, other)
    answer = site.post(path, "chef", data={button: "1", "_authenticator": token}, headers=HTML)
    assert answer.status_code == 302
    assert DELETED in messages(site, answer, "chef").split("mailbridge-message")[0], (
        "as a message of the page"
    )
    assert discarded.state == "discarded"


def token_of(site, record):
    text = page(site, f"/@@mailbridge-inbox-message?id={record.id}", "chef")
    return text.partition('name="_authenticator"')[2].partition('value="')[2].partition('"')[0]


def test_no_rule_can_be_made_from_it(site, filed):
    answer = site.get(f"/@@mailbridge-inbox-rule?id={filed.id}", "chef", headers=HTML)
    assert answer.status_code == 302
    assert DELETED in messages(site, answer, "chef")


def test_a_trial_of_a_rule_passes_it_over(site, filed):
    other = site.receive(redirected("Une autre"))
    trial = try_rule((RoutingRow(tg_value="_empty_", user_value="_empty_"),), 1, settings())
    assert (trial.tried, [each.id for each in trial.found]) == (1, [other.id])


def test_the_same_bytes_are_known_and_not_stored_again(site, filed):
    answer = site.post("/@@mail-in", "gateway", data=redirected(), headers=TRUSTED)
    body = answer.json()
    assert (answer.status_code, body["id"], body["state"]) == (200, filed.id, "filed")
    assert [each["title"] for each in body["items"]] == ["Une véranda é"]
    assert filed.raw is None
    assert not inbox().with_bytes
    assert filed.history[-1]["text"] == DELETED


def test_the_same_message_in_another_form_is_the_same_document(site, filed):
    again = site.receive(forwarded(citizen()))
    assert again.items == filed.items
    text = page(site, f"{item(filed).absolute_url()}/@@mailbridge-proof".removeprefix(site.url), "agent")
    assert DELETED in text
    assert f"source={again.id}" in text
    assert f"source={filed.id}" not in text


def test_proof_tab_says_so_and_verifies_the_file(site, filed):
    url = f"{item(filed).absolute_url()}/@@mailbridge-proof"
    text = page(site, url.removeprefix(site.url), "agent")
    assert text.count(DELETED) >= 2, "in its place, and in the history"
    assert filed.sha256 in text
    assert "The file of this document is the message that was filed." in text
    for said in ("stored bytes", "Other documents came", "as it arrived", "source="):
        assert said not in text
    assert site.get(f"{url}?source={filed.id}", "agent", headers=HTML).status_code == 404
    mail = item(filed)["mail"]
    with mail.file.open("w") as target:
        target.write(b"something else")
    transaction.commit()
    text = page(site, url.removeprefix(site.url), "agent")
    assert "The file of this document is not the message that was filed" in text
    assert "rely on" not in text, "there is nothing else"


@pytest.mark.parametrize(
    "view", ["view", "@@mailbridge-messages", "@@mailbridge-preview", "@@mailbridge-files"]
)
def test_the_document_is_read_as_before(site, view):
    record = site.receive(redirected())
    url = f"{item(record).absolute_url()}/{view}".removeprefix(site.url)
    before = site.get(url, "agent", headers=HTML)
    grow_old(record, 31)
    keep(30)
    assert purge() == 1
    after = site.get(url, "agent", headers=HTML)
    assert (after.status_code, DELETED in after.text) == (before.status_code, False)


@pytest.mark.parametrize(
    ("path", "user"),
    [("/@@my-forwards", "agent"), ("/@@my-mail", "agent"), ("/@@mailbridge-figures", "chef")],
)
def test_lists_show_it(site, path, user):
    record = grow_old(site.receive(forwarded(citizen())), 31)
    keep(30)
    assert purge() == 1
    text = page(site, path, user)
    if path == "/@@my-forwards":
        assert record.subject in text
        assert DELETED in page(site, f"/@@mailbridge-inbox-message?id={record.id}", user)


def test_tasks_that_come_late_do_nothing(site, filed):
    lines = len(filed.history)
    assert process(filed) is False
    assert site.task("@@mailbridge-process", id=filed.id) == 204
    inbox().unverified[filed.id] = 0
    transaction.commit()
    assert site.task("@@mailbridge-verify", id=filed.id) == 204
    assert (filed.state, len(filed.history), filed.authenticated) == ("filed", lines, ())
    with pytest.raises(review.NotPossible):
        review.replay(filed, {})


def test_handed_in_again_it_is_known(site):
    path, html = "/incoming-mail/@@mailbridge-hand-in", {**HTML, "Accept-Language": "en"}
    token = (
        page(site, path, "agent")
        .partition('name="_authenticator"')[2]
        .partition('value="')[2]
        .partition('"')[0]
    )

    def hand_in():
        files = {"file": ("a.eml", citizen().as_bytes(), "message/rfc822")}
        form = {"hand_in": "1", "_authenticator": token}
        return site.post(path, "agent", data=form, files=files, headers=html).text

    assert "Filed" in hand_in()
    (id,) = inbox().newest_ids()
    grow_old(inbox().get(id), 31)
    keep(30)
    assert purge() == 1
    assert "Already known" in hand_in()
    assert inbox().get(id).raw is None


# the setting


def test_setting_stands_among_the_advanced_ones_of_incoming_mail(site):
    text = page(site, SETTINGS)
    assert "Keep received messages (days)" in text
    assert "by law" in text
    assert press(site, SETTINGS, "save", keep_received_days="3650").status_code == 302
    transaction.begin()
    assert settings().keep_received_days == 3650
    text = page(site, "/@@mailbridge-history")
    assert "no limit" in text
    assert "3650 d" in text
    patch = {"keep_received_days": -1}
    assert site.request("PATCH", "/@controlpanels/mailbridge", "admin", json=patch).status_code == 400
    patch = {"keep_received_days": 0}
    assert site.request("PATCH", "/@controlpanels/mailbridge", "admin", json=patch).status_code == 204
    assert site.get("/@controlpanels/mailbridge", "admin").json()["data"]["keep_received_days"] == 0


def test_sites_of_a_former_version_get_it(site):
    record = site.receive(redirected())
    box, records, name = inbox(), getUtility(IRegistry).records, f"{PREFIX}.keep_received_days"
    del records[name]
    del box.with_bytes
    box.schema = 2
    setup = api.portal.get_tool("portal_setup")
    setup.setLastVersionForProfile(PROFILE, "1002")
    transaction.commit()
    assert settings().keep_received_days == 0
    setup.upgradeProfile(PROFILE)
    transaction.commit()
    assert records[name].value == 0
    assert list(inbox().with_bytes) == [record.key]
    assert (
        site.request(
            "PATCH", "/@controlpanels/mailbridge", "admin", json={"keep_received_days": 30}
        ).status_code
        == 204
    )
    assert settings().keep_received_days == 30
