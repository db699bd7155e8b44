"""The form of the settings: groups that one can read, units of people, and nobody's change taken back."""

from imio.mailbridge.controlpanel import groups
from imio.mailbridge.controlpanel.numbers import MEGABYTE
from imio.mailbridge.controlpanel.numbers import SizeConverter
from imio.mailbridge.controlpanel.numbers import written
from imio.mailbridge.settings.interfaces import IMailbridgeSettings
from imio.mailbridge.settings.interfaces import TABLES
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.smtp import ISmtpAccountRow
from tests.site.panel import ADD
from tests.site.panel import EDIT
from tests.site.panel import fields
from tests.site.panel import HTML
from tests.site.panel import page
from tests.site.panel import press
from tests.site.panel import SETTINGS
from tests.site.rows import keep
from tests.site.rows import row
from types import SimpleNamespace
from zope.i18n.locales import locales
from zope.schema import getFieldNames
import lxml.html
import pytest
import transaction


MAILBOX_ADD = "/@@mailbridge-mailbox-add"
ADDRESS_ADD = "/@@mailbridge-address-add"
EXPERT = "/@@mailbridge-expert-rule"
#: What people count together, and the most that a group shows at once.
FIELD, MOST = ".field", 7


def folds(text):
    """Return group → whether its advanced options are open."""
    return {
        each.getparent().get("id").removeprefix("fieldset-"): each.get("open") is not None
        for each in lxml.html.fromstring(text).cssselect("details.mailbridge-advanced")
    }


def save(site, form, path=SETTINGS, **values):
    """Press *Save* with these values of a form that was opened before; return the answer."""
    form = dict(form)
    for name, value in values.items():
        form[next(key for key in form if key.split(":")[0] == f"form.widgets.{name}")] = value
    answer = site.post(path, "admin", data={**form, "form.buttons.save": "x"}, headers=HTML)
    transaction.begin()
    return answer


def test_each_setting_has_one_place():
    found = [name for group in groups.SETTINGS for name in (*group.fields, *group.advanced)]
    assert len(found) == len(set(found))
    assert set(getFieldNames(IMailbridgeSettings)) - set(TABLES) <= set(found)


@pytest.mark.parametrize("path", [SETTINGS, ADD, MAILBOX_ADD, ADDRESS_ADD, EXPERT])
def test_a_group_shows_seven_fields_at_most(site, path):
    document = lxml.html.fromstring(page(site, path))
    sets = document.cssselect("form fieldset")
    assert sets
    for group in sets:
        seen = [each for each in group.cssselect(FIELD) if not list(each.iterancestors("details"))]
        assert 0 < len(seen) <= MOST, group.get("id")
    assert document.cssselect("details.mailbridge-advanced") or path == ADDRESS_ADD


def test_advanced_options_are_open_where_they_matter(site):
    stored_settings().smtp_rate = 30
    transaction.commit()
    assert not any(folds(page(site, SETTINGS)).values()), "a site with its defaults"
    assert not any(folds(page(site, ADD)).values())
    assert not any(folds(press(site, SETTINGS, "save", smtp_port="x").text).values())
    answer = press(site, SETTINGS, "save", max_per_sender="-1")
    assert "Enter a number from 0 to 100000." in answer.text
    assert [name for name, is_open in folds(answer.text).items() if is_open] == ["incoming"]
    active = lxml.html.fromstring(answer.text).cssselect("legend.active")
    assert [each.get("id") for each in active] == ["fieldsetlegend-incoming"], (
        "its tab is the one that is seen"
    )
    stored_settings().retry_minutes = [2]
    transaction.commit()
    assert [name for name, is_open in folds(page(site, SETTINGS)).items() if is_open] == ["sending"]


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        (40 * MEGABYTE, "40"),
        (0, "0"),
        (1, "0.000001"),
        (MEGABYTE // 2, "0.5"),
        (40 * MEGABYTE + 1, "40.000001"),
        (26_000_000, "24.795532"),
        (1024**3, "1024"),
    ],
)
def test_bytes_as_megabytes_and_back(site, stored, text):
    assert written(stored) == text
    stored_settings().attachment_limit = stored
    transaction.commit()
    form = fields(page(site, SETTINGS))
    assert form["form.widgets.attachment_limit"] == text
    assert save(site, form, undo_seconds="31").status_code == 302
    assert stored_settings().attachment_limit == stored
    assert stored_settings().undo_seconds == 31


def test_every_number_of_bytes_comes_back():
    for number in [*range(1, 3000), *range(10**9, 10**9 + 3000), *range(1, 1024**3, 7_654_321)]:
        assert round(float(written(number)) * MEGABYTE) == number


@pytest.mark.parametrize(
    ("typed", "stored", "shown"),
    [
        ("12.5", 13_107_200, "12.5"),
        ("12,5", 13_107_200, "12.5"),
        ("0.3", 314_573, "0.3"),
        (" 1 000 ", 1000 * MEGABYTE, "1000"),
        ("", None, ""),
    ],
)
def test_what_is_typed_comes_back(site, typed, stored, shown):
    keep(row())
    assert press(site, EDIT, "save", attachment_limit=typed).status_code == 302
    transaction.begin()
    assert stored_settings().smtp_accounts[0]["attachment_limit"] == stored
    assert fields(page(site, EDIT))["form.widgets.attachment_limit"] == shown


@pytest.mark.parametrize("typed", ["x", "1e9", "1.2.3", "9" * 30, "\u0664", "-1", "1025"])
def test_what_is_no_size_is_said(site, typed):
    answer = press(site, SETTINGS, "save", attachment_limit=typed)
    assert answer.status_code == 200
    assert "Enter a number" in answer.text
    assert "from 0 to 1024" in answer.text or "for instance 25" in answer.text


def test_french_has_its_comma():
    reader = SimpleNamespace(request=SimpleNamespace(locale=locales.getLocale("fr", "BE")))
    converter = SizeConverter(IMailbridgeSettings["max_size"], reader)
    assert converter.toWidgetValue(MEGABYTE * 5 // 2) == "2,5"
    assert converter.toFieldValue("2,5") == MEGABYTE * 5 // 2
    assert converter.toFieldValue("1\u202f000,25") == 1000 * MEGABYTE + MEGABYTE // 4


def test_limits_have_defaults_and_none_can_be_chosen(site):
    new = {name: ISmtpAccountRow[name].default for name in ("rate", "attachment_limit")}
    assert new == {"rate": 30, "attachment_limit": 25 * MEGABYTE}
    assert (IMailbridgeSettings["smtp_rate"].default, IMailbridgeSettings["keep_sent_days"].default) == (
        30,
        0,
    )
    values = {"smtp_rate": 0, "attachment_limit": 0, "smtp_accounts": [row(rate=0, attachment_limit=0)]}
    assert site.request("PATCH", "/@controlpanels/mailbridge", "admin", json=values).status_code == 204
    account = settings().accounts["cpas"]
    assert (settings().default_account.rate, account.rate, account.attachment_limit) == (0, 0, 0)


def test_two_administrators_at_once(site):
    mine = fields(page(site, SETTINGS))
    assert save(site, mine, smtp_port="2525", undo_seconds="10").status_code == 302  # the other one
    assert save(site, mine, give_up_hours="24").status_code == 302
    values = stored_settings()
    assert (values.smtp_port, values.undo_seconds, values.give_up_hours) == (2525, 10, 24), (
        "each has their own change"
    )

    answer = save(site, mine, undo_seconds="20", give_up_hours="36")
    assert answer.status_code == 200
    assert "Somebody else has changed this since you opened the page, to: 10." in answer.text
    assert (stored_settings().undo_seconds, stored_settings().give_up_hours) == (10, 24), (
        "nothing of it is saved"
    )
    again = fields(answer.text)
    assert again["form.widgets.undo_seconds"] == "20", "what was entered is not lost"
    assert save(site, again).status_code == 302, "now it is known"
    values = stored_settings()
    assert (values.smtp_port, values.undo_seconds, values.give_up_hours) == (2525, 20, 36)


def test_two_administrators_at_one_account(site):
    keep(row(), row("other", ["other.test"]))
    mine = fields(page(site, EDIT))
    assert save(site, mine, EDIT, host="smtp.theirs.test", port="26").status_code == 302
    answer = save(site, mine, EDIT, host="smtp.mine.test", login_address="me@cpas.test")
    assert "to: smtp.theirs.test." in answer.text
    assert stored_settings().smtp_accounts[0]["host"] == "smtp.theirs.test"
    assert save(site, mine, EDIT, login_address="me@cpas.test").status_code == 302
    account = stored_settings().smtp_accounts[0]
    assert (account["host"], account["port"], account["login_address"]) == (
        "smtp.theirs.test",
        26,
        "me@cpas.test",
    )


@pytest.mark.parametrize("sent", ["", "x", "smtp_port:3 nobody:4", ":" * 100_000, None])
def test_marks_that_are_none_do_no_harm(site, sent):
    form = fields(page(site, SETTINGS)) | {"seen": sent}
    if sent is None:
        del form["seen"]
    assert save(site, form, smtp_port="2525").status_code in (200, 302)
