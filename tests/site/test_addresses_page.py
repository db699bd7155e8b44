"""Mail-in addresses and source mailboxes: an administrator adds, edits, orders and deletes them; none is there twice."""

from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from plone.uuid.interfaces import IUUID
from tests.site.panel import act
from tests.site.panel import fields
from tests.site.panel import HTML
from tests.site.panel import messages
from tests.site.panel import page
from tests.site.panel import press
import lxml.html
import pytest
import transaction


LIST = "/@@mailbridge-addresses"
ADD, EDIT, DELETE = (f"/@@mailbridge-address-{name}" for name in ("add", "edit", "delete"))
SOURCE_ADD, SOURCE_EDIT, SOURCE_DELETE = (
    f"/@@mailbridge-source-{name}" for name in ("add", "edit", "delete")
)
SECRET = "in+abcdefgh23jkmnpqrstuv@bridge.test"
INFO = "info@maville.test"


def stored():
    """Return the mail-in addresses and the source mailboxes."""
    transaction.begin()
    values = stored_settings()
    return [row["address"] for row in values.mailin_addresses], [row["address"] for row in values.mailboxes]


@pytest.fixture
def secret(site):
    values = stored_settings()
    row = {"address": SECRET, "service": None, "mailbox": INFO}
    values.mailin_addresses = [*values.mailin_addresses, row]
    transaction.commit()


def test_add_edit_order_and_delete(site):
    service = IUUID(site.portal["contacts"]["plonegroup-organization"]["urbanisme"])
    answer = press(site, ADD, "save", address="Second@bridge.test", service=service, mailbox=INFO)
    assert "The mail-in address has been saved." in messages(site, answer)
    assert press(site, SOURCE_ADD, "save", address="cpas@maville.test").status_code == 302
    assert stored() == (["in@bridge.test", "Second@bridge.test"], [INFO, "cpas@maville.test"])
    row = lxml.html.fromstring(page(site, LIST)).cssselect(
        ".mailbridge-mail-in [data-address='Second@bridge.test']"
    )[0]
    assert "Urbanisme" in row.text_content()

    act(site, LIST, first="second@bridge.test")
    assert settings().first_mailin_address == "second@bridge.test"
    assert (
        press(site, f"{EDIT}?address=Second@bridge.test", "save", address="new@bridge.test").status_code
        == 302
    )
    assert (
        press(site, f"{SOURCE_EDIT}?address={INFO}", "save", address="mairie@maville.test").status_code == 302
    )
    assert stored() == (["new@bridge.test", "in@bridge.test"], ["mairie@maville.test", "cpas@maville.test"])
    new = settings().mailin_addresses["new@bridge.test"]
    assert (new.service, new.source_mailbox) == (service, "mairie@maville.test"), "it follows its mailbox"
    assert "second@bridge.test" in inbox().retired

    assert "has been deleted" in messages(site, act(site, f"{DELETE}?address=new@bridge.test", delete="1"))
    assert "has been deleted" in messages(
        site, act(site, f"{SOURCE_DELETE}?address=cpas@maville.test", delete="1")
    )
    assert stored() == (["in@bridge.test"], ["mairie@maville.test"])


@pytest.mark.parametrize(
    ("path", "address", "says"),
    [
        (ADD, "IN@bridge.test", "This mail-in address already exists."),
        (ADD, INFO, "This is a source mailbox"),
        (ADD, "x", "This is not an e-mail address"),
        (SOURCE_ADD, "Info@maville.test", "This source mailbox already exists."),
        (SOURCE_ADD, "in@bridge.test", "This is a mail-in address"),
        (f"{SOURCE_EDIT}?address={INFO}", "in@bridge.test", "This is a mail-in address"),
    ],
)
def test_what_is_wrong_is_said(site, path, address, says):
    before = stored()
    answer = press(site, path, "save", address=address)
    assert says in answer.text
    assert stored() == before


def test_what_hangs_on_an_address(site, secret):
    service = IUUID(site.portal["contacts"]["plonegroup-organization"]["urbanisme"])
    mailbox = {"name": "info", "address": "in@bridge.test", "host": "imap.test", "login": "x"}
    values = {"imap_mailboxes": [mailbox], "own_reply_address": True}
    assert site.request("PATCH", "/@controlpanels/mailbridge", "admin", json=values).status_code == 204
    press(site, f"{EDIT}?address=in@bridge.test", "save", service=service)
    transaction.begin()
    assert settings().mailin_addresses[SECRET].service == service, "a secret address follows its own"
    press(site, f"{EDIT}?address=in@bridge.test", "save", address="mail@bridge.test")
    transaction.begin()
    assert settings().imap_mailboxes["info"].address == "mail@bridge.test"
    press(site, f"{EDIT}?address=mail@bridge.test", "save", address="in@bridge.test")

    path = f"{DELETE}?address=in@bridge.test"
    text = page(site, path)
    assert "The mailbox info is read for this address" in text
    assert "Its secret addresses stay until they are revoked: 1" in " ".join(text.split()).replace(" .", ".")
    site.request("PATCH", "/@controlpanels/mailbridge", "admin", json={"imap_mailboxes": []})
    act(site, LIST, revoke=SECRET)
    assert "Answers need a mail-in address to come to." in page(site, path)
    assert "Answers need" in messages(site, act(site, path, delete="1"))
    assert stored()[0] == ["in@bridge.test"]


def test_two_at_once(site):
    path = f"{SOURCE_EDIT}?address={INFO}"
    mine = fields(page(site, path)) | {"form.widgets.address": "mine@maville.test", "form.buttons.save": "x"}
    press(site, path, "save", address="theirs@maville.test")
    assert site.post(path, "admin", data=mine, headers=HTML).status_code == 404
    assert stored()[1] == ["theirs@maville.test"]
    press(site, SOURCE_ADD, "save", address="one@maville.test")
    assert stored()[1] == ["theirs@maville.test", "one@maville.test"], "adding takes nothing back"


def test_secret_addresses_stand_in_no_address_of_a_page(site, secret):
    text = page(site, LIST)
    links = [
        link
        for _element, attribute, link, _at in lxml.html.fromstring(text).iterlinks()
        if attribute == "href"
    ]
    assert not [link for link in links if "abcdefgh23" in link.lower()]
    assert len(lxml.html.fromstring(text).cssselect(".mailbridge-mail-in tbody tr")) == 1
    for path in (EDIT, DELETE):
        for address in (SECRET, "nobody@bridge.test", ""):
            query = f"?address={address.replace('+', '%2B')}"
            assert site.get(f"{path}{query}", "admin", headers=HTML).status_code == 404, address


@pytest.mark.parametrize("path", [ADD, f"{EDIT}?address=in@bridge.test", f"{DELETE}?address=in@bridge.test"])
def test_only_administrators(site, path):
    for each in (path, path.replace("address-", "source-").replace("in@bridge.test", INFO)):
        for user in ("chef", "agent", None):
            assert site.get(each, user, headers=HTML).status_code in (302, 401), (each, user)
