"""Changes of the settings are written down, whatever made them; each can be taken back, as far as it still stands."""

from concurrent.futures import ThreadPoolExecutor
from imio.mailbridge.settings import history
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.settings import tokens
from imio.mailbridge.settings.imap import secrets_of
from imio.mailbridge.settings.interfaces import IMailbridgeSettings
from imio.mailbridge.settings.interfaces import PREFIX
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.routing import IRoutingRow
from imio.mailbridge.settings.set_back import merged
from plone import api
from plone.app.registry.exportimport.handler import RegistryImporter
from plone.app.testing import login
from plone.app.testing import SITE_OWNER_NAME
from plone.app.testing import SITE_OWNER_PASSWORD
from plone.app.uuid.utils import uuidToObject
from plone.registry.events import RecordModifiedEvent
from plone.registry.interfaces import IRegistry
from Products.GenericSetup.tests.common import DummyImportContext
from tests.servers.waiting import TIMEOUT
from tests.site.panel import ACCOUNTS
from tests.site.panel import act
from tests.site.panel import EDIT
from tests.site.panel import HTML
from tests.site.panel import messages
from tests.site.panel import page
from tests.site.panel import press
from tests.site.panel import SETTINGS
from tests.site.rows import keep
from tests.site.rows import row
from ZODB.serialize import ObjectWriter
from zope.component import getUtility
from zope.schema import getFields
from zope.schema.interfaces import IVocabularyFactory
import html
import lxml.html
import pytest
import requests
import transaction


HISTORY = "/@@mailbridge-history"
PANEL = "/@controlpanels/mailbridge"
SECRET = "Ty:ped-S3cret"
PART = "abcdefgh23jkmnpqrstuv"
AT_SECRET = f"in+{PART}@bridge.test"


@pytest.fixture(autouse=True)
def empty(site):
    """Forget what the fixtures of a site changed."""
    history.store().clear()
    transaction.commit()


def patch(site, **values):
    answer = site.request("PATCH", PANEL, "admin", json=values)
    assert answer.status_code == 204, answer.text


def change(**values):
    for name, value in values.items():
        setattr(stored_settings(), name, value)
    transaction.commit()


def newest():
    return history.entry(history.ids()[0])


def changes(entry=None):
    return {name: (each["old"], each["new"]) for name, each in (entry or newest())["changes"].items()}


def confirmation(site, id=None):
    return page(site, f"{HISTORY}?entry={id or history.ids()[0]}")


def undo(site, id=None):
    """Open the confirmation and press the button; return what the next page says."""
    text = confirmation(site, id)
    answer = pressed(site, text)
    assert answer.status_code == 302, answer.text
    return messages(site, answer)


def pressed(site, text):
    """Press the button of a confirmation; return the answer."""
    path, data = filled_in(text)
    return site.post(path, "admin", data=data, headers=HTML)


def filled_in(text):
    """Return address and values of the form of a confirmation."""
    (form,) = [each for each in lxml.html.fromstring(text).forms if "seen" in each.fields]
    return form.action, {**dict(form.form_values()), "undo": "1"}


# what is written down


def by_form(site):
    press(site, SETTINGS, "save", undo_seconds="45", alarm_address="x@maville.test")


def by_rest(site):
    patch(site, undo_seconds=45, alarm_address="x@maville.test")


def by_registry_service(site):
    values = {f"{PREFIX}.undo_seconds": 45, f"{PREFIX}.alarm_address": "x@maville.test"}
    assert site.request("PATCH", "/@registry", "admin", json=values).status_code == 204


def by_profile(site):
    login(site.portal.aq_parent, SITE_OWNER_NAME)
    importer = RegistryImporter(getUtility(IRegistry), DummyImportContext(site.portal, False))
    importer.importDocument(
        f"""<registry><record name="{PREFIX}.undo_seconds"><value>45</value></record>
        <record name="{PREFIX}.alarm_address"><value>x@maville.test</value></record></registry>"""
    )
    transaction.commit()


def by_upgrade(site):
    login(site.portal.aq_parent, SITE_OWNER_NAME)
    change(undo_seconds=45, alarm_address="x@maville.test")


@pytest.mark.parametrize("way", [by_form, by_rest, by_registry_service, by_profile, by_upgrade])
def test_each_way_is_one_entry(site, way):
    before = stored_settings().undo_seconds
    way(site)
    (id,) = history.ids()
    entry = history.entry(id)
    assert changes() == {"undo_seconds": (before, 45), "alarm_address": (None, "x@maville.test")}
    assert (entry["by"], entry["undo_of"], dict(entry["secrets"])) == (SITE_OWNER_NAME, "", {})
    text = page(site, HISTORY)
    assert f"{before} s" in text
    assert "45 s" in text
    assert "(empty)" in text


def test_people_are_named(site):
    with api.env.adopt_user(username="chef"):
        change(undo_seconds=45)
    assert newest()["by"] == "chef"
    assert api.user.get(userid="chef").getProperty("fullname") in page(site, HISTORY)


def test_the_registry_editor_is_one_too(site):
    path = f"/portal_registry/edit/{PREFIX}.undo_seconds"
    press(site, path, "save", value="45")
    assert changes()["undo_seconds"][1] == 45


def test_each_setting_is_written_down(site):
    """Whatever its type, and in whatever shape it was before an upgrade; the pages can show it."""
    for name in getFields(IMailbridgeSettings):
        record = getUtility(IRegistry).records[f"{PREFIX}.{name}"]
        history.note_change(None, RecordModifiedEvent(record, "former", record.value))
    transaction.commit()
    assert set(changes()) == set(getFields(IMailbridgeSettings))
    page(site, HISTORY)
    confirmation(site)


def test_what_changes_nothing_is_no_entry(site):
    by_form(site)
    count = len(history.ids())
    press(site, SETTINGS, "save")
    stored_settings().undo_seconds = 5
    stored_settings().undo_seconds = 45
    transaction.commit()
    assert len(history.ids()) == count
    stored_settings().undo_seconds = 5
    transaction.abort()
    change(undo_seconds=6)
    assert changes() == {"undo_seconds": (45, 6)}, "what was aborted is not written down"


def test_the_first_and_the_last_value_of_a_transaction_count(site):
    for seconds in (1, 2, 3):
        stored_settings().undo_seconds = seconds
    savepoint = transaction.savepoint()
    stored_settings().undo_seconds = 4
    savepoint.rollback()
    transaction.commit()
    assert changes() == {"undo_seconds": (30, 3)}


def test_rows_have_names_and_their_fields(site):
    keep(row(login="bridge"))
    press(site, EDIT, "save", host="smtp.cpas.test", password=SECRET, attachment_limit="10")
    text = page(site, HISTORY)
    for words in (
        "Added: cpas",
        "Changed: cpas",
        "SMTP server:",
        "smtp.cpas.test",
        "10 MB",
        "Entered: cpas",
    ):
        assert words in text, words
    assert newest()["secrets"] == {("password", "cpas"): (False, True)}
    act(site, "/@@mailbridge-account-delete?account=cpas", delete="1")
    text = page(site, HISTORY)
    assert "Removed: cpas" in text
    assert newest()["secrets"] == {("password", "cpas"): (True, False)}


def rule(subject):
    return dict.fromkeys(getFields(IRoutingRow)) | {
        "subject_pat": subject, "tg_value": "_empty_", "user_value": "_empty_",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("after", "says"),
    [
        ("abcd", "Added: rule 4"),
        ("ac", "Removed: rule 2"),
        ("axc", "Changed: rule 2"),
        ("cab", "Moved: rule 3, now 1"),
    ],
)
def test_rules_have_numbers(site, after, says):
    change(iemail_routing=[rule(each) for each in "abc"])
    history.store().clear()
    change(iemail_routing=[rule(each) for each in after])
    text = page(site, HISTORY)
    assert says in text
    assert sum(text.count(f"{word}: rule") for word in ("Added", "Removed", "Changed", "Moved")) == 1


# secrets


@pytest.mark.parametrize("owner", [password.TRIAL, secrets_of(password.TRIAL)])
def test_a_log_in_that_is_tried_is_no_change(site, owner):
    before = history.ids()
    password.write(SECRET, owner)
    transaction.commit()
    password.forget(owner)
    transaction.commit()
    assert (history.ids(), password.read(owner)) == (before, "")


def test_secrets_are_never_kept_nor_shown(site):
    press(site, SETTINGS, "save", smtp_host="smtp.maville.test", smtp_login="me", smtp_password=SECRET)
    first = newest()
    patch(site, smtp_password=f"{SECRET}2", smtp_refresh_token=f"{SECRET}3")
    token = tokens.make("mx.maville.test")
    transaction.commit()
    tokens.revoke(tokens.listed()[0]["id"])
    change(
        signature=f'<a href="https://me:{SECRET}@web.test/">x</a>',
        mailin_addresses=[{"address": AT_SECRET, "service": None, "mailbox": None}],
        iemail_routing=[rule(f"in[+]{PART.upper()}@.*")],
    )
    assert first["secrets"] == {("password", "default"): (False, True)}
    assert len(history.ids()) == 4
    kept = b"".join(
        ObjectWriter(each).serialize(each) for each in (history.store(), *history.store().values())
    ).decode("latin-1")
    assert SECRET.lower() not in kept.lower()
    assert token not in kept
    for text in (
        page(site, HISTORY),
        *(confirmation(site, id) for id in history.ids() if changes(history.entry(id))),
    ):
        assert SECRET not in text
        assert PART not in text.lower()
    text = page(site, HISTORY)
    for words in (
        "Entered: Default account",
        "Changed: Default account",
        "Revoked: mx.maville.test",
        "in+…@bridge.test",
    ):
        assert words in text, words
    text = confirmation(site)
    assert "The former value was not kept in full." in text, "of the signature"
    undo(site)
    assert SECRET in stored_settings().signature, "a masked value is not written"
    assert not stored_settings().iemail_routing


@pytest.mark.parametrize("userinfo", ["me:pass", "me:p@ss", "me:", "ghp_token"])
def test_userinfo_of_addresses_is_masked(userinfo):
    value = {"a": [f"see https://{userinfo}@web.test/x@y or mailto:a@b.test"]}
    assert history.without_passwords(value) == {"a": ["see https://…@web.test/x@y or mailto:a@b.test"]}


def test_a_secret_address_comes_back_whole(site):
    change(mailin_addresses=[{"address": AT_SECRET, "service": None, "mailbox": None}])
    change(mailin_addresses=[])
    undo(site)
    assert stored_settings().mailin_addresses[0]["address"] == AT_SECRET


# undo


def test_undo(site):
    by_form(site)
    (id,) = history.ids()
    text = confirmation(site)
    assert "What will be undone" in text
    assert "What stays as it is" not in text
    assert "The change has been undone." in undo(site)
    assert (stored_settings().undo_seconds, stored_settings().alarm_address) == (30, None)
    assert (newest()["undo_of"], newest()["by"]) == (id, SITE_OWNER_NAME)
    assert "Undoes the change of" in page(site, HISTORY)
    undo(site)
    assert stored_settings().undo_seconds == 45, "an undo can be undone"
    assert "None of it can be undone." in confirmation(site, history.ids()[1])


def test_what_was_changed_since_stays(site):
    by_rest(site)
    (id,) = history.ids()
    change(undo_seconds=60)
    text = confirmation(site, id)
    assert "It was changed again since." in text
    assert "Undo the rest" in text
    assert "The change has been partly undone." in undo(site, id)
    assert (stored_settings().undo_seconds, stored_settings().alarm_address) == (60, None)


def test_rows_changed_since_stay(site):
    keep(row("one", ["one.test"]), row("two", ["two.test"]))
    keep(row("one", ["one.test"], rate=5), row("two", ["two.test"], rate=5), row("three", ["three.test"]))
    id = history.ids()[0]
    keep(
        row("one", ["one.test"], rate=9),
        *list(stored_settings().smtp_accounts)[1:],
        row("four", ["four.test"]),
    )
    assert "Stays as it is, since it was changed again: one" in confirmation(site, id)
    assert "partly undone" in undo(site, id)
    assert {each["name"]: each["rate"] for each in stored_settings().smtp_accounts} == {
        "one": 9, "two": None, "four": None,
    }  # fmt: skip


ROWS = [{"k": name, "v": 0} for name in "abc"]


@pytest.mark.parametrize(
    ("new", "present", "result", "left"),
    [
        (ROWS[:2], ROWS[:2], "abc", ()),
        (ROWS[1:], [*ROWS[1:], {"k": "d", "v": 0}], "abcd", ()),
        (ROWS, [{"k": "a", "v": 1}, *ROWS[1:]], "abc", ()),
        (ROWS[:2], [*ROWS[:2], {"k": "c", "v": 7}], "abc", ("c",)),
        ([*ROWS, {"k": "d", "v": 0}], ROWS, "abc", ("d",)),
        (ROWS[:2], [ROWS[0], ROWS[0]], "aa", ()),
    ],
)
def test_merged(new, present, result, left):
    rows, stay = merged(ROWS, new, present, "k")
    assert ("".join(each["k"] for each in rows), stay) == (result, left)


def test_what_is_not_valid_any_more_is_not_written(site):
    vocabulary = getUtility(IVocabularyFactory, "imio.mailbridge.services")
    uid = [term.value for term in vocabulary(site.portal)][-1]
    change(mailboxes=[{"address": "info@maville.test", "service": uid}], undo_seconds=45)
    change(mailboxes=[], undo_seconds=30)
    with api.env.adopt_roles(["Manager"]):
        service = uuidToObject(uid, unrestricted=True)
        api.content.delete(service, check_linkintegrity=False)
    transaction.commit()
    assert "The former value names something that no longer exists." in confirmation(site)
    undo(site)
    assert (list(stored_settings().mailboxes), stored_settings().undo_seconds) == ([], 45)


def test_answers_keep_an_address_to_come_to(site):
    rows = [dict(each) for each in stored_settings().mailin_addresses]
    change(mailin_addresses=[])
    change(mailin_addresses=rows)
    id = history.ids()[0]
    change(own_reply_address=True)
    assert "Answers need a mail-in address to come to." in confirmation(site, id)


def test_the_password_has_to_be_entered_again(site):
    press(site, SETTINGS, "save", smtp_host="old.test", smtp_login="me", smtp_password=SECRET)
    keep(row(host="old.test", login="me"))
    patch(site, smtp_host="new.test", smtp_password="new")
    keep(row(host="new.test", login="me"))
    password.write("new", "cpas")
    transaction.commit()
    moved_row, moved = [id for id in history.ids() if changes(history.entry(id))][:2]
    assert "must be entered again: Default account" in " ".join(confirmation(site, moved).split())
    said = undo(site, moved)
    assert "of these accounts again: Default account" in said
    assert (stored_settings().smtp_host, password.read()) == ("old.test", "")
    assert "of these accounts again: cpas" in undo(site, moved_row)
    assert password.read("cpas") == ""
    assert newest()["secrets"] == {("password", "cpas"): (True, False)}


def test_a_deleted_account_comes_back_without_its_password(site):
    keep(row(login="me"))
    password.write(SECRET, "cpas")
    transaction.commit()
    act(site, "/@@mailbridge-account-delete?account=cpas", delete="1")
    assert "of these accounts again: cpas" in undo(site)
    assert "cpas" in page(site, ACCOUNTS)


# bounds


def test_two_thousand_changes_keep_a_thousand(site):
    at = []
    for number in range(2000):
        stored_settings().undo_seconds = number % 600
        at.append(number % 600)
        transaction.commit()
    assert len(history.ids()) == history.KEPT == 1000
    assert [changes(history.entry(id))["undo_seconds"][1] for id in history.ids()[:3]] == at[:-4:-1]
    assert page(site, HISTORY).count("mailbridge-history?entry=") == 25
    assert page(site, f"{HISTORY}?b_start:int=975").count("mailbridge-history?entry=") == 25
    assert history.entry("gone") is None


def test_what_is_too_long_is_not_kept(site):
    change(signature="x" * (history.LONGEST + 1), undo_seconds=45)
    text = page(site, HISTORY)
    assert "too long to be kept" in text
    assert "xxxxx" not in text
    undo(site)
    assert stored_settings().undo_seconds == 30
    assert len(stored_settings().signature) > history.LONGEST


def test_hostile_text_is_escaped(site):
    bad = "<script>alert(1)</script>\"'&"
    change(signature=bad, agent_patterns=[bad], iemail_routing=[rule(bad)], oauth_scope=bad)
    tokens.make(bad)
    transaction.commit()
    for path in (HISTORY, f"{HISTORY}?entry={history.ids()[1]}"):
        text = site.get(path, "admin", headers=HTML).text
        assert "<script>alert" not in text
        assert html.escape("<script>alert(1)</script>") in text


# who may, and when


def test_who_may(site):
    by_rest(site)
    (id,) = history.ids()
    for user in (None, "agent", "chef", "gateway"):
        for path in (HISTORY, f"{HISTORY}?entry={id}"):
            answer = site.get(path, user, headers=HTML)
            assert answer.status_code in (302, 401, 403), user
            assert "x@maville.test" not in answer.text
        answer = site.post(HISTORY, user, data={"undo": "1", "entry": id}, headers=HTML)
        assert answer.status_code in (302, 401, 403)
    assert stored_settings().undo_seconds == 45


@pytest.mark.parametrize("id", ["", "gone", "../x"])
def test_an_entry_that_is_none_is_not_found(site, id):
    by_rest(site)
    assert site.get(HISTORY, "admin", params={"entry": id}, headers=HTML).status_code == 404
    assert site.post(HISTORY, "admin", data={"undo": "1", "entry": id}, headers=HTML).status_code == 404
    assert site.get(f"{HISTORY}?undo=1&entry={history.ids()[0]}", "admin", headers=HTML).status_code == 404


def test_what_the_person_did_not_see_is_not_done(site):
    by_rest(site)
    seen = confirmation(site)
    change(undo_seconds=60)
    answer = pressed(site, seen)
    assert "The settings have changed in the meantime." in answer.text
    assert stored_settings().alarm_address == "x@maville.test"
    assert "Undo the rest" in answer.text


def test_two_administrators_at_once(site):
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(
                lambda change: at_once(
                    "PATCH", f"{site.url}{PANEL}", json=change, headers={"Accept": "application/json"}
                ),
                [{"undo_seconds": 5}, {"give_up_hours": 5}, {"smtp_rate": 5}, {"keep_sent_days": 5}] * 3,
            )
        )
    transaction.begin()
    assert {answer.status_code for answer in answers} == {204}
    assert len(history.ids()) == 4
    assert {name for id in history.ids() for name in changes(history.entry(id))} == {
        "undo_seconds", "give_up_hours", "smtp_rate", "keep_sent_days",
    }  # fmt: skip


def at_once(method, url, **kwargs):
    """Make a request as the owner of the site, in any thread."""
    auth = SITE_OWNER_NAME, SITE_OWNER_PASSWORD
    return requests.request(method, url, auth=auth, timeout=TIMEOUT, allow_redirects=False, **kwargs)


def test_two_undo_the_same_at_once(site):
    by_rest(site)
    url, data = filled_in(confirmation(site))
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _number: at_once("POST", url, data=data, headers=HTML), range(2)))
    transaction.begin()
    assert sorted(answer.status_code for answer in answers) == [200, 302]
    assert len(history.ids()) == 2
    assert newest()["undo_of"] == history.ids()[1]


def test_the_empty_page(site):
    assert "Nothing has been changed yet." in page(site, HISTORY)
