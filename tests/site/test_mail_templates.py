"""Templates and text blocks: kept by managers of mail, offered by service, filled in with what is real, never sent with a hole."""

from imio.mailbridge.iadocs import names
from imio.mailbridge.outbox import mail_templates
from imio.mailbridge.outbox import merge_fields
from imio.mailbridge.outbox.record import outbox
from plone import api
from plone.uuid.interfaces import IUUID
from tests.mails import redirected
from tests.site.compose import COMPOSE
from tests.site.compose import HTML
from tests.site.compose import JEANNE
from tests.site.compose import press
from tests.site.compose import shown
from tests.site.compose import token
from tests.site.compose import value
from tests.site.panel import fields
from tests.site.panel import messages
from tests.site.quarantine import item
from z3c.relationfield import RelationValue
from zope.component import getUtility
from zope.intid.interfaces import IIntIds
import html
import lxml.html
import pytest
import transaction


LIST = "/@@mailbridge-templates"
EDIT = "/@@mailbridge-template-edit"
INSERT = COMPOSE.replace("send-email", "mailbridge-template")
GREETING = "<p>{recipient.title} {recipient.lastname},</p><p>Votre dossier <b>{document.title}</b>.</p><p>{agent.name}</p>"


def kept(name="Accusé de réception", body=GREETING, **changes):
    """Keep a template; return it."""
    content = {"kind": "template", "service": "", "subject": "", **changes}
    template = mail_templates.save(mail_templates.Content(name=name, body=body, **content), "chef")
    transaction.commit()
    return template


def save(site, user="chef", button="save", path=EDIT, **changes):
    """Fill in the form of a template and press a button; return the answer."""
    form = fields(site.get(path, user, headers=HTML).text)
    for name, text in {"name": "Horaires", "body": "<p>Ouvert</p>", **changes}.items():
        key = f"form.widgets.{name}"
        form[next((each for each in form if each.split(":")[0] == key), name if "." in name else key)] = text
    return site.post(path, user, data={**form, f"form.buttons.{button}": "x"}, headers=HTML)


def filled(site, template, user="agent", path=INSERT, to=JEANNE, **changes):
    """Ask for a template as the script of the page does; return the answer."""
    form = fields(site.get(path.replace("mailbridge-template", "send-email"), user, headers=HTML).text)
    form |= {"form.widgets.to": to, "mailbridge.template": template.id, "mailbridge.insert": "1"}
    return site.post(path, user, data=form | changes)


def jeanne(site):
    return site.portal["contacts"]["jeanne-dupont"]


@pytest.fixture
def titled(site):
    jeanne(site).person_title = "Madame"
    transaction.commit()


@pytest.mark.parametrize(
    ("user", "status"),
    [(None, 302), ("gateway", 302), ("agent", 302), ("agent2", 302), ("chef", 200), ("admin", 200)],
)
@pytest.mark.parametrize("path", [LIST, EDIT])
def test_who_keeps_them(site, user, status, path):
    assert site.get(path, user, headers=HTML).status_code in ((401, 302) if status == 302 else (status,))


def test_a_manager_keeps_one(site):
    assert "There is no text yet." in shown(site.get(LIST, "chef", headers=HTML).text)
    told = messages(site, save(site, subject="Horaires de {service.name}"), "chef")
    assert "The text has been saved." in told
    assert "Horaires de {service.name}" in told
    (template,) = mail_templates.mail_templates()
    path = f"{EDIT}?id={template.id}"
    page = site.get(path, "chef", headers=HTML).text
    assert value(page, "name") == "Horaires"
    assert "&lt;p&gt;Ouvert&lt;/p&gt;" in page
    assert save(site, path=path, name="Heures").status_code == 302
    (changed,) = mail_templates.mail_templates()
    assert (changed.id, changed.name, changed.changed_by) == (template.id, "Heures", "chef")
    asked = site.get(f"{LIST}?remove={template.id}", "chef", headers=HTML).text
    assert "Delete Heures ?" in shown(asked)
    for data, left in (({}, 1), ({"_authenticator": token(asked)}, 0)):
        site.post(LIST, "chef", data={"delete": template.id, **data}, headers=HTML)
        assert len(mail_templates.mail_templates()) == left
    assert site.get(path, "chef", headers=HTML).status_code == 404
    assert site.get(f"{LIST}?delete={template.id}", "chef", headers=HTML).status_code == 404


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"body": "<p>{recipient.nom}</p>"}, "There is no field {recipient.nom}."),
        ({"body": "<p>{}</p>"}, "There is no field {}."),
        ({"body": "<p>{python: 1}</p>"}, "There is no field {python: 1}."),
        ({"subject": "Bonjour {x}"}, "There is no field {x}."),
        ({"body": "<p>{recipient.<b>name</b>}</p>"}, "is formatted differently"),
        ({"body": '<p><a href="https://x.test/{recipient.name}">x</a></p>'}, "is in a link"),
        ({"body": " "}, "Enter a text."),
        ({"body": "<script>alert(1)</script>"}, "Enter a text."),
        ({"name": "accusé de RÉCEPTION"}, "already a template or block"),
        ({"body": "<div>" * 3000}, "too complex"),
        ({"body": "x" * 200_001}, "too large"),
    ],
)
def test_what_is_refused(site, changes, says):
    kept()
    answer = save(site, **changes)
    assert answer.status_code == 200
    assert says in shown(answer.text)
    assert "error while rendering" not in answer.text
    assert len(mail_templates.mail_templates()) == 1


def test_only_harmless_html_is_kept(site):
    save(
        site,
        body='<p onclick="x()" style="position:fixed">A<script>x()</script><img src="x" onerror="x()"></p>',
    )
    (template,) = mail_templates.mail_templates()
    for word in ("onclick", "script", "onerror", "fixed"):
        assert word not in template.body


def test_the_second_save_is_told(site):
    template = kept(name="Horaires", body="<p>A</p>")
    path, old = f"{EDIT}?id={template.id}", {"mailbridge.revision": template.revision}
    assert save(site, path=path, body="<p>Premier</p>", **old).status_code == 302
    answer = save(site, "admin", path=path, body="<p>Second</p>", **old)
    assert answer.status_code == 200
    assert "Not saved: Martine Legrand has changed this text in the meantime" in shown(answer.text)
    assert "Second" in answer.text
    assert "Premier" in shown(answer.text)
    assert mail_templates.mail_template(template.id).body == "<p>Premier</p>"
    again = {"mailbridge.revision": fields(answer.text)["mailbridge.revision"]}
    assert save(site, "admin", path=path, body="<p>Second</p>", **again).status_code == 302
    assert mail_templates.mail_template(template.id).body == "<p>Second</p>"
    mail_templates.delete(template.id)
    transaction.commit()
    form = fields(answer.text) | {"form.buttons.save": "x"}
    gone = site.post(path, "admin", data=form, headers=HTML)
    assert "somebody has deleted this text in the meantime" in shown(gone.text)
    form = fields(gone.text) | {"form.buttons.save": "x"}
    assert site.post(EDIT, "admin", data=form, headers=HTML).status_code == 302
    assert [each.body for each in mail_templates.mail_templates()] == ["<p>Second</p>"]


def test_the_preview_is_of_a_real_document(site, titled):
    document = site.portal["outgoing-mail"]["permis-durbanisme"]
    chosen = {"mailbridge.document": IUUID(document), "mailbridge.recipient": JEANNE}
    answer = save(site, button="preview", body=GREETING, subject="{document.title}", **chosen)
    (preview,) = lxml.html.fromstring(answer.text).cssselect(".mailbridge-text-preview")
    text = " ".join(preview.text_content().split())
    assert "Madame Dupont, Votre dossier" in text.replace(",Votre", ", Votre")
    assert document.Title() in text
    assert "Martine Legrand" in text
    assert mail_templates.mail_templates() == []
    wrong = save(site, button="preview", body=GREETING, **{**chosen, "mailbridge.document": "nothing"})
    assert "Choose a document for the preview." in shown(wrong.text)
    other = {"mailbridge.document": IUUID(site.portal["outgoing-mail"]["invitation"])}
    empty = save(site, button="preview", body="<p>{answered.date}</p>", **other)
    assert "{answered.date} is empty: this document answers no e-mail" in shown(empty.text)


def test_the_preview_shows_only_what_the_manager_may_see(site, titled):
    document = site.portal["outgoing-mail"]["permis-durbanisme"]
    for content in (document, jeanne(site)):
        content.manage_permission("View", ["Manager"])
        content.reindexObjectSecurity()
    transaction.commit()
    chosen = {"mailbridge.document": IUUID(document), "mailbridge.recipient": JEANNE}
    answer = save(site, button="preview", body=GREETING, **chosen)
    assert "Choose a document for the preview." in shown(answer.text)
    other = {**chosen, "mailbridge.document": IUUID(site.portal["outgoing-mail"]["invitation"])}
    answer = save(site, button="preview", body=GREETING, **other)
    assert "no contact with the address jeanne.dupont@citizen.test that you may see" in shown(answer.text)
    assert "Madame" not in shown(answer.text)


def test_who_is_offered_what(site):
    urbanisme = IUUID(site.portal["contacts"]["plonegroup-organization"]["urbanisme"])
    for_all, own = kept(), kept("Permis", service=urbanisme)
    kept("Horaires", kind="block")
    page = site.get(COMPOSE, "agent", headers=HTML).text
    assert ("Accusé de réception" in page, "Permis</option>" in page, "Horaires" in page) == (
        True,
        False,
        True,
    )
    assert "Manage the templates" not in page
    assert "Permis</option>" in site.get(COMPOSE, "agent2", headers=HTML).text
    assert "Manage the templates" in site.get(COMPOSE, "chef", headers=HTML).text
    assert filled(site, own).status_code == 404
    assert filled(site, own, "agent2").status_code == 200
    assert filled(site, for_all).status_code == 200


@pytest.mark.parametrize("user", [None, "gateway"])
def test_who_may_not_write_gets_none(site, user):
    template = kept()
    answer = site.post(INSERT, user, data={"mailbridge.template": template.id})
    assert answer.status_code in (401, 302)
    assert "dossier" not in answer.text


def test_who_may_not_see_the_document_gets_none(site):
    template = kept()
    document = site.portal["outgoing-mail"]["permis-durbanisme"]
    document.manage_permission("View", ["Manager"])
    transaction.commit()
    answer = site.post(INSERT, "agent2", data={"mailbridge.template": template.id})
    assert answer.status_code in (401, 302)


def test_without_templates_there_is_no_select(site):
    assert 'name="mailbridge.template"' not in site.get(COMPOSE, "agent", headers=HTML).text


def test_it_is_filled_in(site, titled):
    template = kept(subject="À propos de {document.title}")
    answer = filled(site, template).json()
    title = site.portal["outgoing-mail"]["permis-durbanisme"].Title()
    assert answer == {
        "subject": f"À propos de {title}",
        "body": f"<p>Madame Dupont,</p><p>Votre dossier <b>{html.escape(title)}</b>.</p><p>Al Bert</p>",
        "problems": [],
    }


@pytest.mark.parametrize(
    ("to", "says"),
    [
        ("", "needs a recipient: choose one"),
        (f"{JEANNE};luc@x.test", "there are several: choose one recipient or remove the field"),
        ("luc@x.test", "no contact with the address luc@x.test"),
        (JEANNE, "The field {recipient.title} is empty"),
    ],
)
def test_what_is_empty_is_told_and_stands(site, to, says):
    answer = filled(site, kept(), to=to).json()
    assert any(says in problem for problem in answer["problems"])
    assert "{recipient.title}" in answer["body"]


def test_values_are_text(site):
    hostile = '<img src=x onerror=x()>{agent.phone}"'
    document = site.portal["outgoing-mail"]["permis-durbanisme"]
    document.title = f"{hostile}\r\nBcc: x@x.test"
    transaction.commit()
    answer = filled(site, kept(body="<p>{document.title}</p>", subject="{document.title}")).json()
    assert answer["body"] == f"<p>{html.escape(hostile)}  Bcc: x@x.test</p>"
    assert answer["subject"] == f"{hostile}  Bcc: x@x.test"
    assert answer["problems"] == []


def test_contacts_that_share_an_address(site, titled):
    with api.env.adopt_roles(["Manager"]):
        other = api.content.create(
            site.portal["contacts"], names.PERSON, firstname="Luc", lastname="Dupont", email=JEANNE, id="luc"
        )
        other.person_title = "Monsieur"
    transaction.commit()
    template = kept(body="<p>{recipient.title} {recipient.lastname}</p>")
    assert "Madame Dupont" in filled(site, template).json()["body"], "the recipient of the document"
    path = INSERT.replace("permis-durbanisme", "invitation")
    answer = filled(site, template, path=path).json()
    assert "{recipient.title} Dupont" in answer["body"]
    assert "several contacts have the address" in answer["problems"][0]
    named = filled(site, template, path=path, to=f"{JEANNE} (Luc Dupont)").json()
    assert "Monsieur Dupont" in named["body"]


def test_without_scripts_the_form_comes_back(site, titled):
    template = kept(subject="Sujet du modèle")
    typed = {
        "body": "<p>Déjà écrit</p>",
        "subject": "Mon sujet",
        "cc": "b@citizen.test",
        "send_at": "2030-01-01T08:30",
    }
    chosen = {"mailbridge.template": template.id}
    answer = press(site, "mailbridge.insert", **typed, **chosen)
    back = fields(answer.text)
    assert "Madame Dupont" in back["form.widgets.body"]
    assert back["form.widgets.body"].index("Madame") < back["form.widgets.body"].index("Déjà écrit")
    assert [back[f"form.widgets.{name}"] for name in ("subject", "cc", "send_at")] == [
        "Mon sujet",
        "b@citizen.test",
        "2030-01-01T08:30",
    ]
    assert value(press(site, "mailbridge.insert", subject="", **chosen).text, "subject") == "Sujet du modèle"
    none = press(site, "mailbridge.insert", **typed)
    assert "Choose a template or a text block first." in shown(none.text)
    assert "Déjà écrit" in none.text
    assert "Choose a template" in shown(press(site, "mailbridge.insert", **{"mailbridge.template": "x"}).text)
    assert len(outbox()) == 0


def test_nothing_leaves_with_a_field(site, titled):
    template = kept()
    begun = press(site, "mailbridge.insert", to="", body="", **{"mailbridge.template": template.id})
    body = fields(begun.text)["form.widgets.body"]
    assert "{recipient.lastname}" in body
    assert "needs a recipient" in shown(begun.text)
    refused = press(site, body=body)
    assert "The field {recipient.title} is still to be filled in" in shown(refused.text)
    assert len(outbox()) == 0
    several = press(site, body=body, to=f"{JEANNE};luc@x.test")
    assert "there are several: choose one recipient" in shown(several.text)
    filled_in = fields(press(site, "mailbridge.fill", body=body).text)["form.widgets.body"]
    assert "Madame Dupont" in filled_in
    assert press(site, body=filled_in).status_code == 302
    data = {"to": [JEANNE], "subject": "Cher {recipient.name}", "body": "x"}
    answer = site.post("/outgoing-mail/permis-durbanisme/@send-email", "agent", json=data)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "subject")
    assert (
        press(site, subject="Autre", body="<p>Une {accolade} et un {a.b} restent permis</p>").status_code
        == 302
    )


def test_the_preview_waits_for_the_recipient(site):
    form = fields(site.get(COMPOSE, "agent", headers=HTML).text)
    form |= {"form.widgets.body": "<p>{recipient.title}</p>", "form.widgets.subject": "x"}
    path = COMPOSE.replace("send-email", "send-email-preview")
    assert "errors" not in site.post(path, "agent", data=form | {"form.widgets.to": ""}).json()
    (error,) = site.post(path, "agent", data=form | {"form.widgets.to": JEANNE}).json()["errors"]
    assert (error["field"], "{recipient.title} is empty" in error["message"]) == ("body", True)


def test_an_answer_is_written_above_the_quote(site, titled):
    document = item(site.receive(redirected("Demande {recipient.name} {today}")))
    path = "/".join(document.getPhysicalPath()[2:])
    page = site.get(f"/{path}", "agent", headers=HTML).text
    answer = site.post(
        f"/{path}/@@mailbridge-reply",
        "agent",
        data={"kind": "reply", "press": "1", "anyway": "1", "_authenticator": token(page)},
        headers=HTML,
    )
    compose = answer.headers["Location"]
    body = "<p>{recipient.name}, votre e-mail « {answered.title} » du {answered.date}, reçu le {answered.received}</p>"
    template = kept(body=body, subject="Autre")
    form = fields(site.get(compose, "agent", headers=HTML).text)
    form |= {"mailbridge.template": template.id, "mailbridge.insert": "1"}
    back = fields(site.post(compose, "agent", data=form, headers=HTML).text)
    text = back["form.widgets.body"]
    assert text.startswith("<p>Jeanne Dupont, votre e-mail « Demande {recipient.name} {today} » du ")
    assert text.index("votre e-mail") < text.index("mailbridge-quote")
    assert back["form.widgets.subject"].startswith("Re: ")


def test_fields_of_a_quote_are_the_citizens(site):
    quoted = '<p>Bien reçu</p><div class="mailbridge-quote"><p>Vous : {recipient.name}</p></div>'
    assert press(site, body=quoted).status_code == 302


def test_each_field_says_something(site):
    """Every field of the list is known to the port or to the sender: none is always empty."""
    contacts, document = site.portal["contacts"], site.portal["outgoing-mail"]["permis-durbanisme"]
    person = jeanne(site)
    mail = item(site.receive(redirected("Demande")))
    person.person_title = "Madame"
    mail.internal_reference_no = "E1"
    document.internal_reference_no, document.outgoing_date = "S1", mail.reception_date
    agent = next(each for each in contacts["personnel-folder"].objectValues() if each.userid == "agent")
    agent.phone = "081 12 34 56"
    with api.env.adopt_roles(["Manager"]):
        held = api.content.create(person, names.HELD_POSITION, label="Gérante", email=JEANNE, id="gerante")
    intids = getUtility(IIntIds)
    town = contacts["plonegroup-organization"]
    held.position = RelationValue(intids.getId(town))
    document.reply_to = [RelationValue(intids.getId(mail))]
    transaction.commit()
    body = "".join(f"<p>{merge_fields.written(name)}</p>" for name in merge_fields.FIELDS)
    assert filled(site, kept(body=body)).json()["problems"] == []
