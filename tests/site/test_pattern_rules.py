"""Rules with patterns, and those of the states: an administrator adds, edits, orders and deletes them on pages of their own."""

from dataclasses import asdict
from dataclasses import astuple
from imio.mailbridge.settings import rules
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.routing import RoutingRow
from imio.mailbridge.settings.routing import StateRow
from plone.uuid.interfaces import IUUID
from tests.site.panel import act
from tests.site.panel import fields
from tests.site.panel import HTML
from tests.site.panel import messages
from tests.site.panel import page
from tests.site.panel import press
from tests.site.quarantine import mail_manager
import lxml.html
import pytest
import transaction


RULES = "/@@mailbridge-rules"
CHANGED = "The rules have changed in the meantime, so nothing was done."
EXPERT = "/@@mailbridge-expert-rule"
STATE = "/@@mailbridge-state"


@pytest.fixture
def service(site):
    return IUUID(site.portal["contacts"]["plonegroup-organization"]["urbanisme"])


def keep(*rows):
    stored_settings().iemail_routing = [
        {name: value or None for name, value in asdict(row).items()} for row in rows
    ]
    transaction.commit()


def order():
    transaction.begin()
    return [row.subject_pat for row in settings().iemail_routing]


def states():
    transaction.begin()
    return [row.subject_pat for row in settings().iemail_state_set]


def test_each_column_is_shown_and_kept(site, service):
    whole = RoutingRow(
        "agent",
        r".+@maville\.test",
        ".*",
        r"in@.*",
        "a|b",
        "python: mailbox",
        "agent",
        "nothing",
        service,
    )
    keep(whole, RoutingRow(subject_pat="c", user_value="_empty_", tg_value="_empty_"))
    assert press(site, f"{EXPERT}?row=1", "save").status_code == 302
    transaction.begin()
    assert settings().iemail_routing[0] == whole, "saved untouched"
    assert press(site, f"{EXPERT}?row=1", "save", subject_pat="c|d", place="last").status_code == 302
    assert order() == ["c", "c|d"]
    assert press(site, EXPERT, "save", original_email_pat=".*@(a|b)", place="first").status_code == 302
    assert order() == ["", "c", "c|d"]
    assert settings().iemail_routing[0].original_email_pat == ".*@(a|b)"


@pytest.mark.parametrize(
    ("path", "values", "says"),
    [
        (EXPERT, {"subject_pat": "("}, "This is not a regular expression"),
        (EXPERT, {"tal_condition_1": "python: ("}, "The expression cannot be read"),
        (STATE, {"subject_pat": "("}, "This is not a regular expression"),
        (STATE, {"state_value": "nowhere"}, ""),
    ],
)
def test_what_is_wrong_is_said_where_it_is_seen(site, path, values, says):
    answer = press(site, path, "save", **values)
    assert answer.status_code == 200
    assert says in answer.text
    folded = lxml.html.fromstring(answer.text).cssselect("#fieldset-conditions details")[0]
    assert (folded.get("open") is not None) == ("tal_condition_1" in values)
    assert (order(), states()) == ([], [])


def test_states_are_added_edited_moved_and_deleted(site):
    for subject in ("a", "b"):
        assert press(site, STATE, "save", subject_pat=subject, state_value="created").status_code == 302
    transaction.begin()
    assert astuple(settings().iemail_state_set[0]) == astuple(
        StateRow(subject_pat="a", state_value="created")
    )
    assert press(site, f"{STATE}?row=2", "save", subject_pat="c").status_code == 302
    assert states() == ["a", "c"]
    seen = rules.digest(table=rules.STATES)
    answer = act(site, RULES, state_up="2", seen=seen)
    assert answer.headers["Location"].endswith("#state-1")
    assert states() == ["c", "a"]
    assert CHANGED in messages(site, act(site, RULES, state_delete="1", seen=seen))
    assert states() == ["c", "a"], "the page was old"
    act(site, RULES, state_delete="1", seen=rules.digest(table=rules.STATES))
    assert states() == ["a"]


@pytest.mark.parametrize("path", [EXPERT, STATE])
def test_two_at_once(site, path):
    more = {"state_value": "created"} if path == STATE else {}
    now = states if path == STATE else order
    press(site, path, "save", subject_pat="a", **more)
    opened = fields(page(site, f"{path}?row=1")), fields(page(site, path))
    press(site, f"{path}?row=1", "save", subject_pat="b", **more)
    for form, query in zip(opened, ("?row=1", ""), strict=True):
        form |= {"form.widgets.subject_pat": "mine", "form.buttons.save": "x"}
        form |= {"form.widgets.state_value:list": "created"} if path == STATE else {}
        answer = site.post(f"{path}{query}", "admin", data=form, headers=HTML)
        assert "have changed in the meantime" in answer.text
        assert "mine" in answer.text, "what was entered is not lost"
    assert now() == ["b"]
    again = {**fields(answer.text), "form.buttons.save": "x"}
    assert site.post(path, "admin", data=again, headers=HTML).status_code == 302, (
        "a new rule, once its place was seen"
    )
    assert now() == ["b", "mine"]


def test_numbers_that_are_none(site):
    for path in (EXPERT, STATE):
        for row in ("x", "-1", "1&row=1", "\u00b2", "9" * 12, ""):
            assert site.get(f"{path}?row={row}", "admin", headers=HTML).status_code == 404, row
        for row in ("0", "1"):
            assert CHANGED in messages(site, site.get(f"{path}?row={row}", "admin", headers=HTML)), row


def test_only_administrators(site):
    mail_manager("greffe")
    transaction.commit()
    press(site, STATE, "save", subject_pat="a", state_value="created")
    for user in ("greffe", "agent", "gateway", None):
        for path in (EXPERT, STATE):
            assert site.get(path, user, headers=HTML).status_code in (302, 401), (user, path)
    text = page(site, RULES, "greffe")
    assert "state_delete" not in text
    answer = act(site, RULES, "greffe", state_delete="1", seen=rules.digest(table=rules.STATES))
    assert answer.status_code in (302, 401)
    assert states() == ["a"]
