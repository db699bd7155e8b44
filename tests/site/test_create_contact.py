"""An unknown sender becomes a contact by one form."""

from imio.mailbridge.iadocs.demo import GROUP
from imio.mailbridge.iadocs.names_guess import guess_name
from imio.mailbridge.inbound import review
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.ports.directory import IDirectory
from plone import api
from plone.app.uuid.utils import uuidToObject
from tests.mails import redirected
from tests.mails import TRUSTED
from tests.site.panel import fields
from tests.site.quarantine import mail_manager
from tests.site.quarantine import STRANGER
import pytest
import re
import transaction


HTML = {"Accept": "text/html", "Accept-Language": "en"}


@pytest.mark.parametrize(
    ("name", "guess"),
    [
        ("Jeanne Dupont", ("Dupont", "Jeanne")),
        ("DUPONT Jeanne", ("DUPONT", "Jeanne")),
        ("Dupont, Jeanne", ("Dupont", "Jeanne")),
        ("Jan van den Berg", ("van den Berg", "Jan")),
        ("Marie-Ève D'Hondt", ("D'Hondt", "Marie-Ève")),
        ("info", ("info", "")),
        ("", ("", "")),
    ],
)
def test_guess_of_the_name(name, guess):
    assert guess_name(name) == guess


@pytest.fixture
def item(site):
    raw = redirected(**{"From": "Émile Zola <emile.zola@autre.test>"})
    answer = site.post("/@@mail-in", "gateway", data=raw, headers=TRUSTED)
    (uid,) = inbox().get(answer.json()["id"]).items
    return uuidToObject(uid, unrestricted=True)


def submit(site, item, user="admin", **changes):
    url = f"{item.absolute_url()}/@@mailbridge-create-contact"
    page = site.get(url, user, headers=HTML).text
    fields = dict(re.findall(r'name="(form\.widgets\.\w+)"[^>]*?value="([^"]*)"', page))
    tag = next((tag for tag in re.findall(r"<input[^>]*>", page) if "_authenticator" in tag), "")
    token = re.search(r'value="([^"]+)"', tag)
    fields |= {"form.buttons.create": "1", "_authenticator": token[1] if token else ""}
    fields |= {f"form.widgets.{name}": value for name, value in changes.items()}
    return site.post(url, user, data=fields, headers=HTML)


def test_form_is_filled_in_and_makes_the_contact(site, item):
    assert "Create contact" in site.get(f"{item.absolute_url()}/view", "admin", headers=HTML).text
    page = site.get(f"{item.absolute_url()}/@@mailbridge-create-contact", "admin", headers=HTML).text
    assert 'value="Zola"' in page
    assert 'value="Émile"' in page
    answer = submit(site, item)
    assert answer.headers.get("Location") == f"{item.absolute_url()}/view", answer.headers
    (relation,) = item.sender
    person = relation.to_object
    assert (person.lastname, person.firstname, person.email) == ("Zola", "Émile", "emile.zola@autre.test")
    assert "Create contact" not in site.get(f"{item.absolute_url()}/view", "admin", headers=HTML).text
    again = site.post(
        "/@@mail-in",
        "gateway",
        data=redirected("Encore", **{"From": "emile.zola@autre.test"}),
        headers=TRUSTED,
    )
    (uid,) = inbox().get(again.json()["id"]).items
    assert [each.to_object for each in uuidToObject(uid, unrestricted=True).sender] == [person]


def test_wrong_address_is_said(site, item):
    answer = submit(site, item, email="nobody")
    assert answer.status_code == 200
    assert "not an e-mail address" in answer.text
    assert not item.sender


def test_who_may_not_add_contacts_does_not_see_it(site, item):
    with api.env.adopt_roles(["Manager"]):
        site.portal["contacts"].manage_permission("Add portal content", ["Manager"], acquire=0)
    transaction.commit()
    assert "Create contact" not in site.get(f"{item.absolute_url()}/view", "agent", headers=HTML).text
    assert (
        site.get(f"{item.absolute_url()}/@@mailbridge-create-contact", "agent", headers=HTML).status_code
        == 404
    )


def test_manager_of_mail_makes_the_contact_of_a_message_that_waits(site):
    raw = redirected(**{"From": "Émile Zola <emile.zola@autre.test>"})
    record = site.receive(raw, **STRANGER)
    url = f"{site.url}/@@mailbridge-inbox-contact?id={record.id}"
    for user in ("agent", "gateway", None):
        assert site.get(url, user, headers=HTML).status_code in (302, 401)
    mail_manager("martin")
    transaction.commit()
    shown = site.get(url, "martin", headers=HTML).text
    assert 'value="Zola"' in shown
    form = fields(shown) | {"form.buttons.create": "x"}
    answer = site.post(url, "martin", data=form, headers=HTML)
    assert answer.headers["Location"].endswith(f"@@mailbridge-inbox-message?id={record.id}")
    assert site.get(url, "martin", headers=HTML).status_code == 404, "there is one now"
    with api.env.adopt_user("chef"):
        review.accept(record, {})
    (uid,) = record.items
    assert [each.to_object.lastname for each in uuidToObject(uid, unrestricted=True).sender] == ["Zola"]


def test_known_sender_needs_none(site):
    answer = site.post("/@@mail-in", "gateway", data=redirected(), headers=TRUSTED)
    (uid,) = inbox().get(answer.json()["id"]).items
    url = uuidToObject(uid, unrestricted=True).absolute_url()
    assert "Create contact" not in site.get(f"{url}/view", "admin", headers=HTML).text
    assert site.get(f"{url}/@@mailbridge-create-contact", "admin", headers=HTML).status_code == 404


NEW = "/@@mailbridge-new-contact"
COMPOSE = "/outgoing-mail/permis-durbanisme/@@send-email"


def persons(address):
    return [each.Title() for each in IDirectory(api.portal.get()).contacts_with_address(address)]


def test_contact_of_somebody_an_agent_writes_to(site):
    assert NEW in site.get(COMPOSE, "agent", headers=HTML).text
    shown = site.get(f"{NEW}?address=Zo%C3%A9+Petit+<zoe@citizen.test>", "agent", headers=HTML).text
    assert [fields(shown)[f"form.widgets.{name}"] for name in ("lastname", "firstname", "email")] == [
        "Petit",
        "Zoé",
        "zoe@citizen.test",
    ]
    form = fields(shown) | {"form.buttons.create": "x"}
    wrong = site.post(NEW, "agent", data=form | {"form.widgets.lastname": ""}, headers=HTML)
    assert "data-contact" not in wrong.text
    for _twice in range(2):
        made = site.post(NEW, "agent", data=form, headers=HTML)
        assert 'data-contact="zoe@citizen.test (Zoé Petit)"' in made.text, made.text
    assert persons("zoe@citizen.test") == ["Zoé Petit"]


@pytest.mark.parametrize(
    "address", ["", "x", "<script>@x", "a@b.test, c@d.test", "\0@\r\nBcc: x@y.test", "%FF"]
)
def test_new_contact_begins_with_whatever_is_asked_for(site, address):
    shown = site.get(NEW, "agent", params={"address": address}, headers=HTML)
    assert shown.status_code == 200
    assert "<script>@" not in shown.text


def test_new_contact_is_for_those_whom_the_town_lets_add_some(site):
    site.portal["contacts"].manage_setLocalRoles(GROUP, ["Reader"])
    mail_manager("martin")
    transaction.commit()
    users = (None, "gateway", "agent", "martin", "chef", "admin")
    statuses = [site.get(NEW, user, headers=HTML).status_code for user in users]
    assert statuses == [404, 404, 404, 200, 200, 200]
    assert NEW not in site.get(COMPOSE, "agent", headers=HTML).text
    form = fields(site.get(NEW, "chef", headers=HTML).text)
    form |= {
        "form.widgets.lastname": "Petit",
        "form.widgets.email": "zoe@citizen.test",
        "form.buttons.create": "x",
    }
    for user in (None, "gateway", "agent"):
        assert site.post(NEW, user, data=form, headers=HTML).status_code == 404, user
    assert persons("zoe@citizen.test") == []
