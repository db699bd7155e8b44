"""Drafts: one for each user and document, readable by that user alone, never overwritten silently, gone after sending."""

from datetime import timedelta
from imio.mailbridge.outbox import saved_drafts
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.saved_drafts import ChangedElsewhere
from imio.mailbridge.outbox.saved_drafts import delete_draft
from imio.mailbridge.outbox.saved_drafts import draft_of
from imio.mailbridge.outbox.saved_drafts import drafts_of
from imio.mailbridge.outbox.saved_drafts import purge_drafts
from imio.mailbridge.outbox.saved_drafts import save_draft
from imio.mailbridge.outbox.saved_drafts import TooLarge
from imio.mailbridge.store.store import now
from plone import api
from tests.site.compose import COMPOSE
from tests.site.compose import HTML
from tests.site.compose import press
from tests.site.compose import shown
from tests.site.compose import token
from tests.site.compose import value
from tests.site.panel import fields
import pytest
import re
import transaction


SAVE = COMPOSE.replace("send-email", "mailbridge-save-draft")
SECRET = "Rien que pour moi"


def save(site, user="agent", token_of=None, **changes):
    """Save a draft as the script of the page does, from what the page of ``token_of`` holds."""
    page = site.get(COMPOSE, token_of or user, headers=HTML).text
    form = {**fields(page), "form.widgets.subject": SECRET}
    for name, text in changes.items():
        form[
            name
            if name[0] == "_"
            else f"mailbridge.{name}"
            if name in ("revision", "submission", "next")
            else f"form.widgets.{name}"
        ] = text
    return site.post(SAVE, user, data=form)


def document(site):
    return api.content.get_uuid(site.portal["outgoing-mail"]["permis-durbanisme"])


def test_the_page_opens_with_the_draft(site):
    site.get(COMPOSE, "agent", headers=HTML)
    before = site.portal._p_jar.db().lastTransaction()
    fresh = site.get(COMPOSE, "agent", headers=HTML).text
    assert site.portal._p_jar.db().lastTransaction() == before, "opening writes nothing"
    assert "Draft saved" not in fresh
    answer = save(
        site, to="dup jea;Luc <luc@x.test>", body="<p>Long <b>texte</b></p>", send_at="2030-01-01T08:30"
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["message"].startswith("Draft saved: ")
    page = site.get(COMPOSE, "agent", headers=HTML).text
    assert value(page, "to") == "dup jea;Luc <luc@x.test>", "also what is no address yet"
    assert value(page, "subject") == SECRET
    assert value(page, "send_at") == "2030-01-01T08:30"
    assert "Long &lt;b&gt;texte" in page
    assert answer.json()["message"] in shown(page)
    assert fields(page)["mailbridge.revision"] == answer.json()["revision"]
    assert press(site, "delete_draft").status_code == 302
    assert SECRET not in site.get(COMPOSE, "agent", headers=HTML).text
    assert drafts_of("agent") == []


@pytest.mark.parametrize("user", ["agent2", "chef", "admin"])
def test_nobody_else_reads_it(site, user):
    assert save(site).status_code == 200
    for path in (COMPOSE, "/outgoing-mail/permis-durbanisme/view", "/@@my-emails", "/@outbox"):
        assert SECRET not in site.get(path, user, headers=HTML if "@@" in path else {}).text
    if user == "admin":  # who has no position to write from
        return
    before = draft_of("agent", document(site)).revision
    mine = save(site, user, subject="Autre")
    assert mine.status_code == 200
    assert press(site, "delete_draft", user=user).status_code == 302
    assert draft_of("agent", document(site)).revision == before


@pytest.mark.parametrize(("user", "statuses"), [(None, (401, 302)), ("gateway", (401, 302))])
def test_who_may_not_write_saves_nothing(site, user, statuses):
    assert save(site, user, token_of="agent").status_code in statuses
    assert len(saved_drafts.saved_drafts()) == 0


def test_saving_needs_a_post_and_a_token(site):
    assert site.get(SAVE, "agent").status_code == 404
    for bad in ("", "stale", token(site.get(COMPOSE, "chef", headers=HTML).text)):
        answer = save(site, _authenticator=bad)
        assert (answer.status_code, "session" in answer.json()["message"]) == (403, True)
    assert len(saved_drafts.saved_drafts()) == 0


def test_a_change_elsewhere_is_told_and_not_overwritten(site):
    first = save(site, revision="", next="a" * 32).json()
    assert first["revision"] == "a" * 32, "the name that the script gave"
    second = save(site, subject="De l’autre fenêtre", revision="")
    assert second.status_code == 409
    assert "changed in another window" in second.json()["message"]
    assert draft_of("agent", document(site)).fields["subject"] == SECRET
    mine = save(site, subject="De l’autre fenêtre", revision=second.json()["revision"])
    assert mine.status_code == 200
    assert draft_of("agent", document(site)).fields["subject"] == "De l’autre fenêtre"
    delete_draft("agent", document(site))
    transaction.commit()
    answer = save(site, revision=mine.json()["revision"])
    assert (answer.status_code, answer.json()["revision"]) == (409, "")


def test_it_is_gone_after_sending(site):
    revision = save(site).json()["revision"]
    other = {"mailbridge.revision": "b" * 32}
    assert press(site, **other).status_code == 302
    assert draft_of("agent", document(site)) is not None, "another text, which nobody sent"
    going = {"mailbridge.revision": f"{'c' * 32} {revision}"}
    assert press(site, subject=SECRET, **going).status_code == 302
    assert draft_of("agent", document(site)) is None


def test_what_was_sent_is_saved_no_more(site):
    submission = fields(site.get(COMPOSE, "agent", headers=HTML).text)["mailbridge.submission"]
    assert press(site, **{"mailbridge.submission": submission}).status_code == 302
    answer = save(site, submission=submission)
    assert (answer.status_code, "This e-mail was sent at" in answer.json()["message"]) == (409, True)
    again = save(site, submission=answer.json()["submission"], revision=answer.json()["revision"])
    assert again.status_code == 200


def test_a_form_is_sent_once(site):
    submission = fields(site.get(COMPOSE, "agent", headers=HTML).text)["mailbridge.submission"]
    assert submission == fields(site.get(COMPOSE, "agent", headers=HTML).text)["mailbridge.submission"], (
        "two windows"
    )
    assert submission != fields(site.get(COMPOSE, "chef", headers=HTML).text)["mailbridge.submission"]
    carried = {"mailbridge.submission": submission}
    assert press(site, **carried).status_code == 302
    assert list(outbox().records) == [submission]
    again = press(site, "send_anyway", **carried)
    assert again.status_code == 302
    told = site.get(again.headers["Location"], "agent", headers=HTML, cookies=again.cookies).text
    assert "It is not sent twice." in shown(told)
    other = press(site, body="<p>Encore une chose</p>", **carried)
    assert "Not sent: an e-mail was already sent from this form" in shown(other.text)
    assert "Encore une chose" in other.text
    assert "See what was sent" in shown(other.text)
    assert len(outbox()) == 1
    fresh = fields(other.text)["mailbridge.submission"]
    assert fresh != submission
    further = {"mailbridge.submission": fresh, "mailbridge.doubts": "sent-already"}
    assert press(site, "send_anyway", body="<p>Encore une chose</p>", **further).status_code == 302
    assert len(outbox()) == 2


@pytest.mark.parametrize("forged", ["x", "0" * 32, ["1", "2"]])
def test_a_forged_id_is_not_taken(site, forged):
    assert press(site, **{"mailbridge.submission": forged}).status_code == 302
    (id,) = outbox().records
    assert re.fullmatch("[0-9a-f]{32}", id)
    assert id not in forged


def test_the_store_is_bounded(portal, monkeypatch):
    with pytest.raises(TooLarge):
        save_draft("agent", "a", {"body": "x" * (saved_drafts.MAX_SIZE + 1)})
    monkeypatch.setattr(saved_drafts, "MAX_DRAFTS", 3)
    clock = now()
    for number in range(5):
        monkeypatch.setattr(saved_drafts, "now", lambda at=clock + timedelta(hours=number): at)
        draft = save_draft("agent", f"document-{number}", {"to": ("\ud800",), "unknown": "x"}, revision="no")
        assert (draft.fields, len(draft.revision)) == ({"to": ("?",)}, 32)
    assert [each.document for each in drafts_of("agent")] == ["document-4", "document-3", "document-2"]
    assert drafts_of("agent2") == []
    with pytest.raises(ChangedElsewhere):
        save_draft("agent", "document-4", {}, based_on="0" * 32)


def test_old_drafts_are_deleted(site, monkeypatch):
    old = now() - saved_drafts.KEPT_FOR - timedelta(days=1)
    monkeypatch.setattr(saved_drafts, "now", lambda: old)
    draft = save_draft("agent", "old", {"subject": "x"})
    touched = save_draft("agent", "touched", {"subject": "x"})
    monkeypatch.undo()
    save_draft("agent", "touched", {"subject": "y"}, based_on=touched.revision)
    transaction.commit()
    assert draft.document == "old"
    assert purge_drafts() == 1
    assert [each.document for each in drafts_of("agent")] == ["touched"]
    assert len(saved_drafts.saved_drafts()) == 1


def test_users_who_write_at_once_are_not_in_each_others_way(site):
    """Two connections write into the same trees; the second commit finds the first one's changes."""
    save_draft("agent", "x", {"subject": "1"})
    save_draft("agent2", "x", {"subject": "1"})
    transaction.commit()
    database = site.portal._p_jar.db()
    managers = [transaction.TransactionManager(explicit=False) for _number in range(2)]
    stores = []
    for manager in managers:
        root = database.open(manager).root()["Application"]["plone"]
        stores.append(root.__annotations__[saved_drafts.KEY])
    for store, user in zip(stores, ("agent", "agent2"), strict=True):
        draft = store.by_user[user]["x"]
        store.put(draft, {"subject": "2"}, "a" * 32)
        new = saved_drafts.SavedDraft(user, "y")
        store.put(new, {"subject": "new"}, "b" * 32)
    for manager in managers:
        manager.commit()
    transaction.begin()
    assert [[each.fields["subject"] for each in drafts_of(user)] for user in ("agent", "agent2")]
    assert {each.fields["subject"] for each in (*drafts_of("agent"), *drafts_of("agent2"))} == {"2", "new"}
    for store in stores:
        store._p_jar.close()
