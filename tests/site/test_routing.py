"""The row that decides, and what iA.docs makes of its values."""

from datetime import datetime
from datetime import UTC
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.routing import route
from imio.mailbridge.message.address import Address
from imio.mailbridge.ports.filing import Facts
from imio.mailbridge.settings.interfaces import PREFIX
from imio.mailbridge.settings.read import Settings
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.routing import IRoutingRow
from imio.mailbridge.settings.routing import RoutingRow
from imio.mailbridge.settings.server import filled_in
from plone import api
from plone.app.uuid.utils import uuidToObject
from plone.registry.interfaces import IRegistry
from plone.uuid.interfaces import IUUID
from tests.mails import citizen
from tests.mails import forwarded
from tests.mails import redirected
from tests.mails import TRUSTED
from tests.message.signing import signed
from zope.component import getUtility
from zope.interface import Invalid
from zope.schema import getFieldNamesInOrder
import dataclasses
import pytest
import transaction


FACTS = Facts(
    forward="agent",
    transferred_by="al.bert@maville.test",
    author=Address("Jeanne Dupont", "Jeanne.Dupont@citizen.test"),
    subject="Demande de permis",
    date=datetime(2026, 11, 23, tzinfo=UTC),
    recipient="in@bridge.test",
    source_mailbox="",
    service="",
)
SERVER = dataclasses.replace(FACTS, forward="server", transferred_by="", source_mailbox="info@maville.test")
DIRECT = dataclasses.replace(FACTS, forward="direct", transferred_by="")


def row(**values):
    empty = dict.fromkeys(getFieldNamesInOrder(IRoutingRow))
    return {**empty, "user_value": "_empty_", "tal_condition_2": None, "tg_value": "_empty_", **values}


def decided(facts, *rows):
    return route(facts, Settings(iemail_routing=tuple(RoutingRow(**filled_in(each, each)) for each in rows)))


@pytest.mark.parametrize(
    ("values", "facts", "matches"),
    [
        ({}, FACTS, True),
        ({}, SERVER, True),
        ({}, dataclasses.replace(FACTS, forward="reply"), True),
        ({}, DIRECT, False),
        ({"forward": "direct"}, DIRECT, True),
        ({"forward": "direct"}, FACTS, False),
        ({"forward": "agent"}, FACTS, True),
        ({"forward": "agent"}, SERVER, False),
        ({"forward": "server"}, SERVER, True),
        ({"forward": "server"}, FACTS, False),
        ({"transfer_email_pat": r".+@maville\.test"}, FACTS, True),
        ({"transfer_email_pat": r"AL\.BERT@MAVILLE\.TEST"}, FACTS, True),
        ({"transfer_email_pat": r"al"}, FACTS, False),
        ({"transfer_email_pat": r".*"}, SERVER, False),
        ({"original_email_pat": r"jeanne\.dupont@citizen\.test"}, FACTS, True),
        ({"original_email_pat": r"citizen"}, FACTS, False),
        ({"original_email_pat": r".*"}, dataclasses.replace(FACTS, author=None), False),
        ({"recipient_pat": r"in@bridge\.test"}, FACTS, True),
        ({"recipient_pat": r"other@bridge\.test"}, FACTS, False),
        ({"recipient_pat": r".*"}, dataclasses.replace(FACTS, recipient=""), False),
        ({"subject_pat": "PERMIS"}, FACTS, True),
        ({"subject_pat": "^permis"}, FACTS, False),
        ({"tal_condition_1": "python: 'permis' in subject and author.endswith('citizen.test')"}, FACTS, True),
        ({"tal_condition_1": "python: mailbox == 'x'"}, FACTS, False),
        ({"tal_condition_1": "python: date.startswith('2026') and not transferred_by"}, SERVER, True),
        ({"tal_condition_1": "python: 1 / 0"}, FACTS, False),
        ({"tal_condition_1": "python: unknown"}, FACTS, False),
        ({"forward": "agent", "subject_pat": "facture"}, FACTS, False),
    ],
)
def test_all_that_is_filled_in_must_hold(values, facts, matches):
    assert bool(decided(facts, row(**values)).row) is matches


def test_first_match_wins_and_says_why_not_before():
    found = decided(
        FACTS,
        row(forward="server"),
        row(subject_pat="facture"),
        row(user_value="agent", tg_value="abc"),
        row(user_value="chef"),
    )
    assert (found.row, found.user_value, found.tg_value) == (3, "agent", "abc")
    assert found.why_not == ((1, "forward"), (2, "subject_pat"))


def test_no_row_no_route():
    found = decided(FACTS, row(forward="server"))
    assert (found.row, found.why_not) == (0, ((1, "forward"),))


def test_endless_values_are_cut():
    facts = dataclasses.replace(FACTS, author=Address("", "a" * 100_000 + "@x.test"), subject="a" * 501 + "b")
    assert not decided(facts, row(original_email_pat=r".*@x\.test")).row
    assert not decided(facts, row(subject_pat="b")).row


@pytest.mark.parametrize(
    "expression",
    [
        "python: __import__('os').system('true')",
        "python: open('/etc/passwd')",
        "python: ().__class__.__base__.__subclasses__()",
        "python: author.__class__",
    ],
)
def test_expression_reaches_nothing(expression):
    try:
        found = decided(FACTS, row(tal_condition_1=expression))
    except Exception as error:  # noqa: BLE001
        pytest.fail(f"raised {error!r}")
    assert not found.row


def test_expression_that_cannot_be_read_is_refused(site):
    record = getUtility(IRegistry).records[f"{PREFIX}.iemail_routing"]
    with pytest.raises(Exception) as raised:  # noqa: PT011 - zope.schema wraps it
        record.value = [row(tal_condition_1="python: (")]
    assert isinstance(raised.value, Invalid | ValueError) or "expression" in repr(raised.value)


# in iA.docs


def service(site, name):
    return IUUID(site.portal["contacts"]["plonegroup-organization"][name])


def file(site, raw, *rows, states=(), status=201):
    stored_settings().iemail_routing = [row(**values) for values in rows]
    stored_settings().iemail_state_set = [
        {
            name: value
            for name, value in row(**values).items()
            if not name.endswith("2") and name not in ("user_value", "tg_value")
        }
        for values in states
    ]
    transaction.commit()
    answer = site.post("/@@mail-in", "gateway", data=raw, headers=TRUSTED)
    assert answer.status_code == status, answer.text
    record = inbox().get(answer.json()["id"])
    return record, [uuidToObject(uid, unrestricted=True) for uid in record.items]


def test_agent_who_forwarded_and_the_primary_service(site):
    record, (item,) = file(
        site, forwarded(citizen()), {"user_value": "_transferer_", "tg_value": "_primary_org_"}
    )
    assert (item.assigned_user, item.treating_groups) == ("agent", service(site, "administration-generale"))
    assert record.route == ((IUUID(item), 1, 0),)


def test_somebody_else_and_a_fixed_service(site):
    _record, (item,) = file(
        site, forwarded(citizen()), {"user_value": "agent2", "tg_value": service(site, "urbanisme")}
    )
    assert (item.assigned_user, item.treating_groups) == ("agent2", service(site, "urbanisme"))


def test_service_of_the_position_that_forwarded(site):
    raw = forwarded(citizen(), sender="claire.fontaine@maville.test")
    _record, (item,) = file(site, raw, {"user_value": "_transferer_", "tg_value": "_hp_"})
    assert (item.assigned_user, item.treating_groups) == ("agent2", service(site, "urbanisme"))


def test_only_service(site):
    _record, (item,) = file(
        site, forwarded(citizen()), {"user_value": "agent2", "tg_value": "_uni_org_only_"}
    )
    assert item.treating_groups == service(site, "urbanisme")


def test_agent_who_is_not_in_the_service_is_not_assigned_but_the_service_is(site):
    record, (item,) = file(
        site, forwarded(citizen()), {"user_value": "agent", "tg_value": service(site, "urbanisme")}
    )
    assert (item.assigned_user, item.treating_groups) == (None, service(site, "urbanisme"))
    assert any("not in the service" in line["text"] for line in record.history)


def test_nobody_is_assigned_when_the_row_says_so(site):
    _record, (item,) = file(site, forwarded(citizen()), {"user_value": "_empty_"})
    assert item.assigned_user is None


def test_second_condition_sees_the_agent(site):
    urbanisme = service(site, "urbanisme")
    rows = {
        "user_value": "agent2",
        "tg_value": urbanisme,
        "tal_condition_2": "python: assigned_user == 'agent2'",
    }
    _record, (item,) = file(site, forwarded(citizen()), rows)
    assert item.treating_groups == urbanisme
    rows["tal_condition_2"] = "python: assigned_user == 'chef'"
    _record, (item,) = file(site, forwarded(citizen("Autre")), rows)
    assert item.treating_groups is None


def test_without_a_row_it_is_as_before(site):
    record, (item,) = file(site, forwarded(citizen()), {"forward": "server"})
    assert (item.assigned_user, item.treating_groups) == ("agent", None)
    assert record.route == ()


def test_direct_mail_is_filed_where_a_row_accepts_it(site):
    raw = citizen(To="in@bridge.test").as_bytes()
    record, items = file(site, raw, {}, status=202)
    assert (record.reason, items) == ("direct", [])
    record, (item,) = file(
        site,
        raw.replace(b"Bonjour", b"Bonsoir"),
        {"forward": "direct", "tg_value": service(site, "urbanisme")},
    )
    assert item.treating_groups == service(site, "urbanisme")


def test_person_who_chose_a_service_comes_before_the_rows(site):
    raw = citizen(To="in@bridge.test").as_bytes()
    record, _items = file(site, raw, {"tg_value": service(site, "urbanisme")}, status=202)
    chosen = service(site, "administration-generale")
    answer = site.post(f"/@mail-in/{record.id}/accept", "chef", json={"service": chosen})
    assert answer.status_code == 200, answer.text
    assert uuidToObject(record.items[0], unrestricted=True).treating_groups == chosen


@pytest.mark.parametrize(
    "state", ["proposed_to_manager", "proposed_to_agent", "in_treatment", "closed", "created"]
)
def test_state_is_walked_to(site, state):
    record, (item,) = file(site, redirected(), states=[{"state_value": state}])
    assert api.content.get_state(item) == state
    assert item.getPhysicalPath() in [
        tuple(brain.getPath().split("/"))
        for brain in api.portal.get_tool("portal_catalog").unrestrictedSearchResults(review_state=state)
    ]
    assert record.route[0][2] == 1


def test_state_that_cannot_be_reached_is_noted(site):
    workflow = api.portal.get_tool("portal_workflow")["mailbridge_incoming_workflow"]
    workflow.states.addState("island")
    transaction.commit()
    record, (item,) = file(site, redirected(), states=[{"state_value": "island"}])
    assert api.content.get_state(item) == "created"
    assert any("cannot be reached" in line["text"] for line in record.history)


@pytest.mark.parametrize("is_signed", [True, False])
def test_agent_as_author_is_related_by_the_position_where_that_is_proven(site, dns, is_signed):
    raw = redirected(**{"From": "claire.fontaine@maville.test", "To": "info@maville.test"})
    raw = raw.replace(b"\n", b"\r\n")
    record, (item,) = file(site, signed(raw) if is_signed else raw)
    assert (record.transfer, record.proof) == ("redirect", "gateway")
    related = [relation.to_object.portal_type for relation in item.sender]
    assert related == (["held_position"] if is_signed else [])


def test_gone_service_of_a_row_goes_to_the_quarantine(site):
    uid = service(site, "urbanisme")
    stored_settings().iemail_routing = [row(tg_value=uid)]
    with api.env.adopt_roles(["Manager"]):
        api.content.delete(
            site.portal["contacts"]["plonegroup-organization"]["urbanisme"], check_linkintegrity=False
        )
    transaction.commit()
    answer = site.post("/@@mail-in", "gateway", data=redirected(), headers=TRUSTED)
    assert (answer.json()["state"], answer.json()["reason"]) == ("quarantined", "filing-error")


def test_rows_by_rest(site):
    rows = [row(forward="agent", user_value="_transferer_", tg_value="_primary_org_")]
    answer = site.request("PATCH", "/@controlpanels/mailbridge", "admin", json={"iemail_routing": rows})
    assert answer.status_code == 204, answer.text
    data = site.get("/@controlpanels/mailbridge", "admin").json()["data"]
    assert data["iemail_routing"][0]["user_value"] == "_transferer_"
    assert {"proofs", "iemail_state_set", "authserv_id"} <= set(data)
