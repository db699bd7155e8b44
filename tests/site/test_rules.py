"""The rules as sentences: a manager of mail reads, orders, edits, deletes and makes them; experts' rows stay as they are."""

from imio.mailbridge.settings import rules
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.routing import RoutingRow
from imio.mailbridge.settings.routing import StateRow
from plone import api
from plone.uuid.interfaces import IUUID
from tests.mails import citizen
from tests.mails import redirected
from tests.site.panel import act
from tests.site.panel import fields
from tests.site.panel import HTML
from tests.site.panel import messages
from tests.site.panel import page
from tests.site.panel import press
from tests.site.quarantine import item
from tests.site.quarantine import mail_manager
import dataclasses
import lxml.html
import pytest
import re
import transaction


RULES = "/@@mailbridge-rules"
RULE = "/@@mailbridge-rule"
EXPERT = RoutingRow(
    subject_pat="permis|bail", tal_condition_2="python: assigned_user", tg_value="_hp_", user_value="agent"
)
CHANGED = "The rules have changed in the meantime, so nothing was done."


@pytest.fixture
def service(site):
    return IUUID(site.portal["contacts"]["plonegroup-organization"]["urbanisme"])


@pytest.fixture
def manager(site):
    mail_manager("greffe")
    transaction.commit()
    return "greffe"


def keep(*rows):
    """Store rules in the place of all others."""
    stored_settings().iemail_routing = [
        {name: value or None for name, value in dataclasses.asdict(row).items()}
        | {"user_value": row.user_value or "_empty_", "tg_value": row.tg_value or "_empty_"}
        for row in rows
    ]
    transaction.commit()


def named(*subjects):
    return [RoutingRow(subject_pat=subject) for subject in subjects]


def order():
    transaction.begin()
    return [row.subject_pat for row in settings().iemail_routing]


def sentences(site, user="chef", language="en"):
    """Return the sentences of the page, in one line each."""
    answer = site.get(RULES, user, headers={**HTML, "Accept-Language": language})
    assert answer.status_code == 200, answer.text[:500]
    found = lxml.html.fromstring(answer.text).cssselect(".mailbridge-rules li > p")
    return [re.sub(r" (?=[,.;])", "", " ".join(each.text_content().split())) for each in found]


def seen(site, user="chef"):
    """Return the digest that the page holds."""
    return re.search(r'name="seen"[^>]*value="(\w+)"', page(site, RULES, user))[1]


def test_rules_read_as_sentences(site, service):
    keep(
        RoutingRow(
            subject_pat=r"permis\ \(1\)",
            original_email_pat=r"[^@]+@citizen\.test",
            forward="server",
            recipient_pat=r"in@bridge\.test",
            tal_condition_1="python: mailbox == 'info@maville.test'",
            tg_value=service,
            user_value="agent",
        ),
        RoutingRow(original_email_pat=r"j\.d@citizen\.test", tg_value="_empty_", user_value="_transferer_"),
        RoutingRow(forward="direct", tg_value="_primary_org_", user_value="_empty_"),
        RoutingRow(),
        EXPERT,
    )
    assert sentences(site) == [
        "If the subject contains “permis (1)”, and if the address of the sender ends in @citizen.test, "
        "and if a mailbox of the town forwarded the e-mail, and if the e-mail arrived at the mail-in address in@bridge.test, "
        "and if the source mailbox info@maville.test passed it on, "
        "then the handling service is Urbanisme, and the assigned agent is Al Bert.",
        "If the sender is j.d@citizen.test, then the handling service is that of the mailbox or mail-in address, "
        "and the assigned agent is whoever forwarded the e-mail.",
        "If somebody wrote to the mail-in address itself, then the handling service is the agent's primary service.",
        "If the e-mail was forwarded, or answers one of ours, "
        "then the handling service is that of the mailbox or mail-in address.",
        "For experts: its conditions are patterns or expressions; "
        "then the handling service is that of the agent's position with the address that forwarded, "
        "and the assigned agent is Al Bert.",
    ]
    text = page(site, RULES, "chef")
    assert "<code" in text
    assert "permis|bail" in text
    assert "python: assigned_user" in text


def test_what_is_gone_is_said_and_can_be_moved_deleted_and_kept(site, service):
    contacts = site.portal["contacts"]
    keep(
        RoutingRow(subject_pat="a", tg_value=service, user_value="agent2"),
        RoutingRow(recipient_pat=r"old@bridge\.test"),
        RoutingRow(tal_condition_1="python: mailbox == 'old@maville.test'"),
    )
    with api.env.adopt_roles(["Manager"]):
        api.content.transition(contacts["plonegroup-organization"]["urbanisme"], "deactivate")
        (person,) = api.content.find(mailbridge_userid="agent2", portal_type="person", unrestricted=True)
        name = person.Title
        api.content.delete(person.getObject(), check_linkintegrity=False)
    transaction.commit()
    first, second, third = sentences(site)
    assert (
        "service is Urbanisme no longer exists, and the assigned agent is agent2 no longer exists." in first
    )
    assert name not in first
    assert "address old@bridge.test no longer exists, then" in second
    assert "mailbox old@maville.test no longer exists passed" in third
    before = settings().iemail_routing
    for number in (1, 2, 3):
        assert "(no longer available)" in page(site, f"{RULE}?row={number}", "chef")
        assert press(site, f"{RULE}?row={number}", "save", "chef").status_code == 302
    assert press(site, RULE, "save", "chef", subject="new").status_code == 302
    act(site, RULES, "chef", delete="4", seen=seen(site))
    act(site, RULES, "chef", delete="1", seen=seen(site))
    act(site, RULES, "chef", put_back="1", seen=seen(site))
    transaction.begin()
    assert settings().iemail_routing == before
    for number in range(1, len(before) + 1):
        assert press(site, f"/@@mailbridge-expert-rule?row={number}", "save").status_code == 302
    transaction.begin()
    assert settings().iemail_routing == before


def test_a_mail_manager_orders_deletes_and_puts_back(site, manager):
    keep(*named("a", "b"), EXPERT)
    answer = act(site, RULES, manager, up="3", seen=seen(site))
    assert answer.headers["Location"].endswith("@@mailbridge-rules#rule-2")
    assert order() == ["a", "permis|bail", "b"]
    act(site, RULES, manager, down="1", seen=seen(site))
    assert order() == ["permis|bail", "a", "b"]
    act(site, RULES, manager, up="1", seen=seen(site))
    act(site, RULES, manager, down="3", seen=seen(site))
    assert order() == ["permis|bail", "a", "b"], "there is no further up and down"
    assert settings().iemail_routing[0] == EXPERT, "what an expert wrote stays as it is"
    answer = act(site, RULES, manager, delete="1", seen=seen(site))
    assert order() == ["a", "b"]
    assert "can be put back" in messages(site, answer, manager)
    assert "permis|bail" in page(site, RULES, manager)
    answer = act(site, RULES, manager, put_back="1", seen=seen(site))
    assert answer.headers["Location"].endswith("#rule-1")
    assert order() == ["permis|bail", "a", "b"]
    assert settings().iemail_routing[0] == EXPERT
    assert "Put it back" not in page(site, RULES, manager)


def test_a_deleted_rule_is_offered_only_while_the_rules_are_the_same(site):
    keep(*named("a", "b", "c"))
    act(site, RULES, "chef", delete="2", seen=seen(site))
    before = seen(site)
    act(site, RULES, "chef", up="2", seen=before)
    assert "Put it back" not in page(site, RULES, "chef")
    answer = act(site, RULES, "chef", put_back="1", seen=seen(site))
    assert CHANGED in messages(site, answer, "chef")
    assert order() == ["c", "a"]


def test_nobody_acts_on_rules_that_changed_meanwhile(site, service):
    keep(*named("a", "b"))
    old = seen(site)
    edit = fields(page(site, f"{RULE}?row=2", "chef"))
    new = fields(page(site, RULE, "chef"))
    keep(*named("c", "a", "b"))
    for button in ("up", "down", "delete", "put_back"):
        answer = act(site, RULES, "chef", **{button: "2", "seen": old})
        assert CHANGED in messages(site, answer, "chef"), button
    answer = site.post(
        f"{RULE}?row=2",
        "chef",
        data={**edit, "form.widgets.subject": "x", "form.buttons.save": "x"},
        headers=HTML,
    )
    assert CHANGED in answer.text
    assert fields(answer.text)["form.widgets.subject"] == "x", "nothing that was typed is lost"
    again = site.post(
        f"{RULE}?row=2", "chef", data={**fields(answer.text), "form.buttons.save": "x"}, headers=HTML
    )
    assert CHANGED in again.text, "number 2 is another rule now"
    assert order() == ["c", "a", "b"]
    new |= {"form.widgets.subject": "new", "form.widgets.place:list": "before-2"}
    answer = site.post(RULE, "chef", data={**new, "form.buttons.save": "x"}, headers=HTML)
    assert "Check the position of yours" in answer.text
    assert order() == ["c", "a", "b"]
    again = site.post(RULE, "chef", data={**fields(answer.text), "form.buttons.save": "x"}, headers=HTML)
    assert again.status_code == 302
    assert order() == ["c", "new", "a", "b"]
    keep(*named("a"))
    answer = site.post(f"{RULE}?row=2", "chef", data={**edit, "form.buttons.save": "x"}, headers=HTML)
    assert CHANGED in messages(site, answer, "chef")


def test_a_new_rule_is_tried_saved_and_edited_by_a_mail_manager(site, service, manager):
    waits = site.receive(citizen("Permis (1)", To="in@bridge.test").as_bytes())
    site.receive(redirected("Permis (1)"))
    keep(*named("autre"))
    values = {"subject": "permis (1)", "sender": "Citizen.test", "forward": "direct"}
    values |= {"recipient": "in@bridge.test", "tg_value": service, "place": "first"}
    answer = press(site, RULE, "try", manager, **values)
    trial = answer.text[answer.text.index("mailbridge-trial") :]
    assert ">2</strong>" in trial
    assert ">1</strong>" in trial
    assert "would be filed" in trial
    assert order() == ["autre"], "a trial saves nothing"
    assert press(site, RULE, "save", manager, **values).headers["Location"].endswith(RULES)
    transaction.begin()
    assert settings().iemail_routing[0] == RoutingRow(
        subject_pat=r"permis\ \(1\)",
        original_email_pat=r"[^@]+@citizen\.test",
        forward="direct",
        recipient_pat=r"in@bridge\.test",
        tg_value=service,
        user_value="_empty_",
    )
    assert (
        item(site.receive(citizen("Permis (1) bis", To="in@bridge.test").as_bytes())).treating_groups
        == service
    )
    assert waits.state == "quarantined"
    begins = fields(page(site, f"{RULE}?row=1", manager))
    assert begins["form.widgets.sender"] == "@citizen.test"
    assert begins["form.widgets.recipient:list"] == "in@bridge.test"
    press(
        site,
        f"{RULE}?row=1",
        "save",
        manager,
        sender="jeanne@citizen.test",
        recipient="--NOVALUE--",
        place="last",
    )
    assert order() == ["autre", r"permis\ \(1\)"]
    assert settings().iemail_routing[1].original_email_pat == r"jeanne@citizen\.test"
    assert not settings().iemail_routing[1].recipient_pat


def test_a_rule_that_is_edited_is_tried_in_its_own_place(site):
    site.receive(redirected("Permis A"))
    keep(*named("permis", "permis\\ a"))
    for place, count in (("same", 0), ("first", 1)):
        answer = press(site, f"{RULE}?row=2", "try", "chef", place=place)
        assert f">{count}</strong>" in answer.text[answer.text.index("mailbridge-trial") :], place


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, "apply to everyone's mail"),
        ({"forward": "direct"}, "apply to everyone's mail"),
        ({"sender": "jeanne"}, "neither an e-mail address nor a domain"),
        ({"sender": "a@b@c.test"}, "neither an e-mail address nor a domain"),
        ({"subject": "a\x00b"}, ""),
        ({"subject": "x" * 201}, ""),
        ({"subject": "a", "recipient": "other@bridge.test"}, "no longer available"),
        ({"subject": "a", "mailbox": "other@maville.test"}, "no longer available"),
        ({"subject": "a", "forward": "other"}, "no longer available"),
        ({"subject": "a", "tg_value": "nobody"}, ""),
        ({"subject": "a", "place": "before-7"}, ""),
        ({"subject": "a", "place": "same"}, ""),
        ({"subject": "a", "seen": "é"}, ""),
    ],
)
def test_what_is_no_rule_is_refused(site, values, says):
    answer = press(site, RULE, "save", "chef", **values)
    assert answer.status_code == 200
    assert says in answer.text
    assert order() == []


def test_an_experts_rule_is_changed_by_an_administrator(site, manager):
    keep(EXPERT)
    answer = site.get(f"{RULE}?row=1", manager, headers=HTML)
    assert answer.status_code == 302
    assert "only an administrator can change it" in messages(site, answer, manager)
    assert "Only an administrator can change it" in page(site, RULES, manager)
    assert "mailbridge-expert-rule" not in page(site, RULES, manager)
    assert "mailbridge-expert-rule?row=1" in page(site, RULES, "admin")


def test_numbers_that_are_none(site):
    keep(*named("a"))
    for row in ("x", "-1", "1&row=1", "²", "9" * 12, ""):
        assert site.get(f"{RULE}?row={row}", "chef", headers=HTML).status_code == 404, row
    for row in ("0", "2"):
        answer = site.get(f"{RULE}?row={row}", "chef", headers=HTML)
        assert CHANGED in messages(site, answer, "chef"), row
    for number in ("x", "-1", "²"):
        assert act(site, RULES, "chef", up=number, seen=seen(site)).status_code == 404, number
    for number in ("0", "2"):
        assert CHANGED in messages(site, act(site, RULES, "chef", delete=number, seen=seen(site)), "chef")
    assert site.get(f"{RULES}?delete=1&seen={seen(site)}", "chef", headers=HTML).status_code == 404
    assert order() == ["a"]


def test_only_managers_of_mail(site):
    keep(*named("a"))
    token = fields(page(site, RULE, "chef"))["_authenticator"]
    for user in ("agent", "gateway", None):
        for path in (RULES, RULE, f"{RULE}?row=1"):
            assert site.get(path, user, headers=HTML).status_code in (302, 401), (user, path)
        form = {"delete": "1", "seen": rules.digest(), "_authenticator": token}
        assert site.post(RULES, user, data=form, headers=HTML).status_code in (302, 401)
    assert order() == ["a"]


def test_states_read_as_sentences_too(site):
    state = dataclasses.asdict(StateRow(subject_pat="urgent", state_value="created"))
    stored_settings().iemail_state_set = [{name: value or None for name, value in state.items()}]
    transaction.commit()
    text = " ".join(lxml.html.fromstring(page(site, RULES, "chef")).text_content().split())
    assert "If the subject contains “urgent”, then the document gets the state “" in text
    assert "no longer exists" not in text


def test_hostile_words_are_text(site):
    keep(RoutingRow(subject_pat=re.escape('<script>alert("x")</script>')), RoutingRow(subject_pat="<b>|x"))
    text = site.get(RULES, "chef", headers=HTML).text
    assert "<script>alert" not in text
    assert "<b>x" not in text


def test_the_list_of_messages_leads_there(site, manager):
    assert f'{RULES}"' in page(site, "/@@mailbridge-inbox", manager)
