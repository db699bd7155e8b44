"""Signature and blind copies of a new e-mail; the template of an administrator cannot break a page or reach data."""

from AccessControl import getSecurityManager
from imio.mailbridge.message.address import Address
from imio.mailbridge.outbox import prefill
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.sender import identities
from imio.mailbridge.ports.directory import Identity
from imio.mailbridge.settings import validate
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.signature import EXAMPLE
from plone.app.testing import login
from plone.app.testing import SITE_OWNER_NAME
from plone.app.textfield.value import RichTextValue
from tests.site.compose import COMPOSE
from tests.site.compose import HTML
from tests.site.compose import value
from tests.site.send_email import send
from types import SimpleNamespace
from zope.interface import Invalid
import html
import json
import lxml.html
import pytest
import transaction


TEMPLATE = """<p tal:content="sender/name">Name</p>
<p><tal:function replace="sender/function" />, ${sender/service}<br />
<a href="mailto:${sender/address}" tal:condition="sender/address">${sender/address}</a>
<span tal:condition="sender/phone">T. ${sender/phone}</span> <i tal:content="user/fullname">Full name</i></p>"""
BAD = [
    '<p tal:content="python: 1 +">x</p>',
    "<p tal:content=>x</p>",
    '<tal:x repeat="a">y</tal:x>',
    '<p tal:content="nope:x">y</p>',
    '<p tal:foo="x">y</p>',
    '<p tal:define="x">y</p>',
    "<p tal:content=\"python: __import__('os')\">y</p>",
    "<p tal:content=\"python: sender._x\">y</p>",
    "</p>",
]  # fmt: skip
RAISES = [
    '<p tal:content="nothing/here">x</p>',
    '<p tal:content="python: 1 / 0">x</p>',
    '<p tal:content="unknown">x</p>',
    "<p tal:content=\"python: open('/etc/passwd').read()\">x</p>",
    '<p tal:content="here/acl_users/users/listUserIds">x</p>',
    "<p tal:content=\"python: here.manage_delObjects(['contacts'])\">x</p>",
    "<p tal:content=\"python: modules['os'].getcwd()\">x</p>",
]  # fmt: skip
ME = Identity("0", "position", Address("Al <Bert>", "al.bert@maville.test"), service="A & B")


def signature_of(userid):
    return prefill.signature(identities(userid, settings())[0], settings())


def body(site, user="agent"):
    return html.unescape(site.get(COMPOSE, user, headers=HTML).text)


def test_none_by_default(portal):
    login(portal, "agent")
    assert signature_of("agent") == ""


def test_the_template_of_the_settings(portal):
    login(portal, "agent")
    stored_settings().signature = TEMPLATE
    text = signature_of("agent")
    assert "<p>Al Bert</p>" in text
    assert "Employé, Administration générale" in text
    assert 'href="mailto:al.bert@maville.test"' in text
    assert "<i>Al Bert</i>" in text
    assert "T. " not in text, "no phone"
    portal.contacts["personnel-folder"]["al-bert"].phone = "081 12 34 56"
    assert "T. 081 12 34 56" in signature_of("agent")


def test_all_that_is_named(portal):
    login(portal, "agent")
    stored_settings().signature = (
        "<p>${sender/firstname}|${sender/lastname}|${python: ' - '.join(sender['services'])}|${sender/street}, ${sender/number}|"
        "${sender/zip_code} ${sender/city}|${sender/phone}</p>"
    )
    town = portal.contacts["plonegroup-organization"]
    town.street, town.number, town.zip_code, town.city = "Grand-Place", "1", "5000", "Maville"
    town["administration-generale"].phone = "081 11 11 11"
    assert (
        signature_of("agent")
        == "<p>Al|Bert|Administration générale|Grand-Place, 1|5000 Maville|081 11 11 11</p>"
    )
    person = portal.contacts["personnel-folder"]["al-bert"]
    person.street = "Rue privée"
    assert "privée" not in signature_of("agent")
    town["administration-generale"].street = "Rue Haute"
    assert "|Rue Haute, | |" in signature_of("agent"), "an address is taken whole"


def test_the_example_names_what_a_signature_can_name(portal):
    login(portal, "agent")
    names = "".join(f"${{sender/{name}}}" for name in EXAMPLE["sender"] if name != "services")
    stored_settings().signature = f"<p>{names}${{python: len(sender['services'])}}</p>"
    assert signature_of("agent").endswith("1</p>")


def test_what_is_inserted_is_text(portal):
    stored_settings().signature = TEMPLATE
    text = prefill.signature(ME, settings())
    assert "Al &lt;Bert&gt;" in text
    assert "A &amp; B" in text


def test_what_could_harm_a_reader_is_taken_out(portal):
    stored_settings().signature = '<p onclick="x()">Moi<script>alert(1)</script></p><input>'
    assert prefill.signature(ME, settings()) == "<p>Moi</p>"


@pytest.mark.parametrize("template", [*BAD, *RAISES])
def test_a_template_that_cannot_be_rendered_is_refused(portal, template):
    with pytest.raises(Invalid):
        validate.template(template)


@pytest.mark.parametrize("template", [TEMPLATE, "", "plain text", "<p>${sender/name}</p>"])
def test_others_are_accepted(portal, template):
    assert validate.template(template)


@pytest.mark.parametrize("template", [*RAISES, *BAD])
def test_what_cannot_be_rendered_gives_no_signature_and_a_line_in_the_log(portal, caplog, template):
    login(portal, "chef")
    assert prefill.signature(ME, SimpleNamespace(signature=template)) == ""
    assert "cannot be rendered" in caplog.text
    assert "contacts" in portal


def test_rights_are_those_of_nobody_whoever_writes(portal):
    """An admin who may set the signature must not do through it what only those who write may do."""
    login(portal.aq_parent, SITE_OWNER_NAME)
    for template in ("here/contacts/jeanne-dupont/Title", "python: here.portal_membership.listMemberIds()"):
        html = f'<p tal:content="{template}">x</p>'
        assert prefill.signature(ME, SimpleNamespace(signature=html)) == ""
    assert getSecurityManager().getUser().getId() == SITE_OWNER_NAME, "and they come back"


def test_the_agents_own_signature_wins(portal):
    login(portal, "agent")
    stored_settings().signature = TEMPLATE
    position = portal.contacts["personnel-folder"]["al-bert"]["administration-generale"]
    position.email_signature = RichTextValue(
        "<p>Al<script>x</script> ${sender/name}</p>", "text/html", "text/x-html-safe"
    )
    assert signature_of("agent") == "<p>Al ${sender/name}</p>", "no template"
    position.email_signature = RichTextValue("  ", "text/html", "text/x-html-safe")
    assert "Employé" in signature_of("agent"), "an empty one is none"


def test_the_form_begins_with_it_below_the_body(site):
    stored_settings().signature = "<p>Signature de ${sender/name}</p>"
    transaction.commit()
    page = body(site)
    assert 0 < page.index("Madame Dupont") < page.index("Signature de Al Bert")
    assert "Signature de Al Bert" in html.unescape(
        site.get("/outgoing-mail/invitation/@@send-email", "agent", headers=HTML).text
    )


def test_the_form_knows_the_signature_of_each_sender(site):
    service = site.portal.contacts["plonegroup-organization"]["administration-generale"].UID()
    stored_settings().service_senders = [service]
    stored_settings().signature = '<p title="a&quot;b">${sender/name}<script>x()</script></p>'
    transaction.commit()
    page = lxml.html.fromstring(site.get(COMPOSE, "agent", headers=HTML).text)
    (panel,) = page.xpath("//*[@data-signatures]")
    known = json.loads(panel.get("data-signatures"))
    assert len(known) == 2
    assert known[service].startswith('<div class="mailbridge-signature"><p')
    assert "<script" not in known[service]
    stored_settings().signature = None
    transaction.commit()
    (panel,) = lxml.html.fromstring(site.get(COMPOSE, "agent", headers=HTML).text).xpath(
        "//*[@data-signatures]"
    )
    assert set(json.loads(panel.get("data-signatures")).values()) == {""}


def test_a_template_that_raises_does_not_break_the_page(site, monkeypatch):
    monkeypatch.setattr(validate, "EXAMPLE", {})
    raises = '<p tal:condition="exists:sender" tal:content="sender/x">x</p>'
    stored_settings().signature = f'<p tal:condition="not:exists:sender">x</p>{raises}'
    transaction.commit()
    assert "Madame Dupont" in body(site)


def test_rest_sends_exactly_what_it_is_given(site):
    stored_settings().signature = "<p>Signature</p>"
    stored_settings().bcc_default = ["agent_email", "service_email"]
    transaction.commit()
    record = outbox().get(send(site).json()["id"])
    with record.body.open("r") as stream:
        assert b"Signature" not in stream.read()
    assert record.bcc == ()


@pytest.mark.parametrize(
    ("chosen", "bcc"),
    [
        ([], ""),
        (["agent_email"], "al.bert@maville.test"),
        (["service_email"], "administration@maville.test"),
        (["agent_email", "service_email"], "al.bert@maville.test;administration@maville.test"),
    ],
)
def test_blind_copies_by_default(site, chosen, bcc):
    stored_settings().bcc_default = chosen
    transaction.commit()
    assert value(site.get(COMPOSE, "agent", headers=HTML).text, "bcc") == bcc


def test_a_blind_copy_stands_once(site):
    site.portal["outgoing-mail"]["permis-durbanisme"].email_bcc = "al.bert@maville.test"
    stored_settings().bcc_default = ["agent_email"]
    transaction.commit()
    assert value(site.get(COMPOSE, "agent", headers=HTML).text, "bcc") == "al.bert@maville.test"
