"""Secret mail-in addresses: made for one mailbox, proof while they stand, nothing from the moment they are revoked."""

from imio.mailbridge.controlpanel.addresses import secret_address
from imio.mailbridge.inbound.destination import destination
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.message.secret_address import ALPHABET
from imio.mailbridge.message.secret_address import is_secret
from imio.mailbridge.message.secret_address import masked
from imio.mailbridge.settings.imap import IImapMailboxRow
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from tests.mails import redirected
from tests.site.panel import act
from tests.site.panel import HTML
from tests.site.panel import messages
from tests.site.panel import page
from zope.schema import getFields
import lxml.html
import pytest
import re
import transaction


URL = "/@@mailbridge-addresses"
MAILBOX = "info@maville.test"
STRANGER = {"X-Client-Address": "203.0.113.9"}


def make(site, address="in@bridge.test", mailbox=MAILBOX):
    """Press the button; return the secret addresses that there are then."""
    act(site, URL, make=address, mailbox=mailbox)
    return [row["address"] for row in stored_settings().mailin_addresses if is_secret(row["address"])]


def received(site, raw, recipient):
    return site.receive(raw, **STRANGER, **{"X-Envelope-Recipient": recipient})


def test_made_for_one_mailbox(site):
    assert "Make a secret address" in page(site, URL)
    (secret,) = make(site)
    assert re.fullmatch(rf"in\+[{ALPHABET}]{{21}}@bridge\.test", secret)
    row = stored_settings().mailin_addresses[-1]
    assert (row["address"], row["mailbox"]) == (secret, MAILBOX)
    assert stored_settings().mailin_addresses[0]["address"] == "in@bridge.test", "bounces come to the first"
    text = page(site, URL)
    assert secret in text
    assert "Redirect to, not Forward to" in text


def test_it_proves_a_redirect_of_its_mailbox_and_of_no_other(site):
    stored_settings().mailboxes = [
        *stored_settings().mailboxes,
        {"address": "cpas@maville.test", "service": None},
    ]
    transaction.commit()
    assert received(site, redirected("Un"), "in@bridge.test").reason == "unproven-redirect"
    (secret,) = make(site)
    record = received(site, redirected("Deux"), secret)
    assert (record.state, record.proof, record.source_mailbox) == ("filed", "tag", MAILBOX)
    other = received(site, redirected("Trois", **{"Resent-From": "cpas@maville.test"}), secret)
    assert (other.state, other.source_mailbox) == ("filed", MAILBOX), (
        "the address decides, not what a mark claims"
    )
    assert "none lately" not in page(site, URL).split('data-mailbox="cpas')[0]


def test_it_proves_nothing_once_revoked(site):
    (secret,) = make(site)
    answer = act(site, URL, revoke=secret)
    assert "no longer proves anything" in messages(site, answer)
    assert [row["address"] for row in stored_settings().mailin_addresses] == ["in@bridge.test"]
    record = received(site, redirected(), secret)
    assert (record.state, record.reason, record.proof) == ("quarantined", "unproven-redirect", "")
    assert secret in page(site, URL), "it is named among the revoked"


def test_replay_after_revoking_proves_nothing_either(site):
    (secret,) = make(site)
    stored_settings().mailin_addresses = [
        {**row, "mailbox": None} if is_secret(row["address"]) else row
        for row in stored_settings().mailin_addresses
    ]
    stored_settings().mailboxes = []
    transaction.commit()
    record = received(site, redirected(), secret)
    assert (record.reason, record.proof) == ("undeclared-mailbox", "tag")
    stored_settings().mailboxes = [{"address": MAILBOX, "service": None}]
    transaction.commit()
    act(site, URL, revoke=secret)
    assert site.post(f"/@mail-in/{record.id}/replay", "chef").status_code == 200
    assert (inbox().get(record.id).reason, inbox().get(record.id).proof) == ("unproven-redirect", "")


def secrets():
    return [row["address"] for row in stored_settings().mailin_addresses if is_secret(row["address"])]


def rows(site):
    """Return mailbox or former mailbox → the text of its row."""
    found = lxml.html.fromstring(page(site, URL)).xpath("//tr[@data-mailbox or @data-former]")
    return {
        ("former" if row.get("data-former") else "present"): " ".join(row.text_content().split())
        for row in found
    }


def test_replaced_without_losing_a_message(site):
    (old,) = make(site)
    assert received(site, redirected("Avant"), old).state == "filed"
    answer = act(site, URL, replace=old)
    assert "the former one is still valid" in messages(site, answer)
    assert secrets()[0] == old
    new = secrets()[1]
    assert stored_settings().mailin_addresses[-1] == {"address": new, "service": None, "mailbox": MAILBOX}
    for number, address in enumerate((old, new, old)):
        record = received(site, redirected(f"Pendant {number}"), address)
        assert (record.state, record.proof, record.source_mailbox) == ("filed", "tag", MAILBOX)
    assert (
        received(site, redirected("Pendant 0"), new).items
        == received(site, redirected("Pendant 0"), old).items
    )
    assert "; nothing since." in rows(site)["former"]
    act(site, URL, revoke=old)
    assert secrets() == [new]
    assert list(rows(site)) == ["present"]
    late = received(site, redirected("Après"), old)
    assert (late.state, late.reason, late.proof) == ("quarantined", "unproven-redirect", "")
    assert received(site, redirected("Après"), new).state == "filed"
    assert old in page(site, URL), "it is named among the revoked"


def test_says_what_came_by_each(site):
    (old,) = make(site)
    act(site, URL, replace=old)
    text = rows(site)
    assert "No mail has come through it." in text["former"]
    assert "Nothing has come through the new address yet" in text["former"]
    assert "Replace" not in text["present"]
    received(site, redirected(), secrets()[1])
    assert "Nothing has come through the new address yet" not in rows(site)["former"]


def test_says_when_the_last_one_came_however_long_ago(site):
    (old,) = make(site)
    received(site, redirected("Premier"), old)
    act(site, URL, replace=old)
    for number in range(3):
        received(site, redirected(f"Autre {number}"), "in@bridge.test")
    assert "The last one came on" in rows(site)["former"]


def test_one_replacement_at_a_time(site):
    (old,) = make(site)
    act(site, URL, replace=old)
    for address in secrets():
        assert "retire it before you replace" in messages(site, act(site, URL, replace=address))
    assert len(secrets()) == 2
    act(site, URL, revoke=old)
    act(site, URL, replace=secrets()[0])
    assert len(secrets()) == 2


@pytest.mark.parametrize("address", ["in@bridge.test", "in+h7qm4tvx2kpzabcdefghj@bridge.test", ""])
def test_only_secret_addresses_are_replaced(site, address):
    make(site)
    assert "have changed" in messages(site, act(site, URL, replace=address))
    assert len(secrets()) == 1


def test_an_address_of_the_whole_town_is_replaced_too(site):
    town = secret_address("in@bridge.test")
    stored_settings().mailin_addresses = [
        *stored_settings().mailin_addresses,
        {"address": town, "service": None, "mailbox": None},
    ]
    transaction.commit()
    act(site, URL, replace=town)
    assert secrets()[0] == town
    assert stored_settings().mailin_addresses[-1]["mailbox"] is None
    assert page(site, URL).count("all mailboxes") == 2


def test_the_mailbox_that_is_read_for_it_follows(site):
    (old,) = make(site)
    fields = {name: field.default for name, field in getFields(IImapMailboxRow).items()}
    given = {"name": "boite", "role": "mail-in", "address": old, "host": "localhost", "login": "in"}
    other = {**given, "name": "autre", "address": "in@bridge.test"}
    stored_settings().imap_mailboxes = [{**fields, **given}, {**fields, **other}]
    transaction.commit()
    act(site, URL, replace=old)
    assert [row["address"] for row in stored_settings().imap_mailboxes] == [secrets()[1], "in@bridge.test"]


def test_one_for_each_mailbox(site):
    (secret,) = make(site)
    answer = act(site, URL, make="in@bridge.test", mailbox=MAILBOX)
    assert "already has a secret address" in messages(site, answer)
    assert make(site) == [secret]
    act(site, URL, revoke=secret)
    (new,) = make(site)
    assert new != secret


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        ("else@bridge.test", MAILBOX),
        ("in@bridge.test", "stranger@elsewhere.test"),
        ("in@bridge.test", ""),
        ("", ""),
    ],
)
def test_only_for_what_is_declared(site, address, mailbox):
    assert make(site, address, mailbox) == []


def test_only_secret_addresses_are_revoked_here(site):
    act(site, URL, revoke="in@bridge.test")
    assert [row["address"] for row in stored_settings().mailin_addresses] == ["in@bridge.test"]


def test_without_a_recipient_the_open_address_is_meant(site):
    make(site)
    arrived = destination("", settings())
    assert (arrived.address, arrived.tag_mailbox) == ("in@bridge.test", None)


def test_warns_when_it_does_not_count(site):
    assert "prove nothing at present" not in page(site, URL)
    stored_settings().proofs = ["gateway"]
    transaction.commit()
    assert "prove nothing at present" in page(site, URL)
    (secret,) = make(site)
    assert received(site, redirected(), secret).reason == "unproven-redirect"


@pytest.mark.parametrize("user", [None, "agent", "chef", "gateway"])
def test_who_may_not_replace_or_revoke(site, user):
    (secret,) = make(site)
    for button in ("replace", "revoke"):
        answer = site.post(URL, user, data={button: secret}, headers=HTML)
        assert answer.status_code in (302, 401), button
        assert secrets() == [secret]


def test_replaced_only_by_post_with_a_token(site):
    (secret,) = make(site)
    assert site.get(URL, "admin", params={"replace": secret}, headers=HTML).status_code == 404
    answer = site.post(URL, "admin", data={"replace": secret}, headers=HTML)
    assert "Your session had changed" in answer.text
    assert secrets() == [secret]


@pytest.mark.parametrize("user", [None, "agent", "chef", "gateway"])
def test_who_may_not(site, user):
    assert site.get(URL, user, headers=HTML).status_code in (302, 401)
    form = {"make": "in@bridge.test", "mailbox": MAILBOX}
    site.post(URL, user, data=form, headers=HTML)
    assert len(stored_settings().mailin_addresses) == 1


def test_only_by_post_with_a_token(site):
    form = {"make": "in@bridge.test", "mailbox": MAILBOX}
    assert site.get(URL, "admin", params=form, headers=HTML).status_code == 404
    assert site.post(URL, "admin", data=form, headers=HTML).status_code == 200
    assert len(stored_settings().mailin_addresses) == 1


def test_a_long_address_has_no_room():
    assert secret_address(f"{'x' * 43}@bridge.test") == ""
    assert is_secret(secret_address(f"{'x' * 42}@bridge.test"))
    assert is_secret(secret_address("in+label@bridge.test"))
    assert masked("in+abc@bridge.test") == "in+abc@bridge.test"
