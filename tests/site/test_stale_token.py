"""A form that is posted without a token of the present user does nothing, says so, and comes back as it was filled in.

The session had ended, another user logged in, or another site made the browser post. Each view that takes a POST stands here.
"""

from datetime import date
from datetime import timedelta
from imio.mailbridge.browser.button_page import ButtonPage
from imio.mailbridge.controlpanel.setup import answers as setup
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.interfaces import IMailbridgeLayer
from imio.mailbridge.outbox import mail_templates
from imio.mailbridge.outbox import returned
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings import history
from imio.mailbridge.settings import rules
from imio.mailbridge.settings import set_back
from imio.mailbridge.settings.routing import RoutingRow
from plone import api
from plone.z3cform.layout import FormWrapper
from tests.mails import citizen
from tests.mails import redirected
from tests.site.compose import COMPOSE
from tests.site.compose import HTML
from tests.site.compose import press
from tests.site.compose import shown
from tests.site.compose import token
from tests.site.panel import fields
from tests.site.quarantine import item
from tests.site.quarantine import STRANGER
from tests.site.rows import keep
from tests.site.rows import row
from typing import NamedTuple
from z3c.form.form import Form
from zope.component import getGlobalSiteManager
import base64
import lxml.html
import pytest
import transaction
import zlib


SAYS = "Your session had changed, so nothing was done. Check what is filled in and press the button again."
MAILBOX = {
    "name": "info",
    "role": "mail-in",
    "address": "in@bridge.test",
    "host": "imap.maville.test",
    "login": "info",
}
LATER = f"{date.today() + timedelta(days=30)}T03:04"
SECRET = "Ty:ped-S3cret"
OLD_SETTINGS = '{"omail_close_on_email_send": false}'
KEPT = base64.urlsafe_b64encode(zlib.compress(redirected("Kept"))).decode()


class Post(NamedTuple):
    """A form of ours: ``typed`` is what a person enters and gets back; the names of ``z3c.form`` without their prefix."""

    path: str
    pressed: dict[str, str]
    typed: dict[str, str] = {}  # noqa: RUF012 - never changed
    user: str = "admin"


def z3c(path, *buttons, user="admin", **typed):
    return [
        Post(path, {f"form.buttons.{name}": "x"}, {f"form.widgets.{key}": typed[key] for key in typed}, user)
        for name in buttons
    ]


@pytest.fixture
def posts(site, sent):
    """View → its buttons, on a site where each of them would do something."""
    keep(row(login="bridge"))
    answer = site.request("PATCH", "/@controlpanels/mailbridge", "admin", json={"imap_mailboxes": [MAILBOX]})
    assert answer.status_code == 204, answer.text
    waits = site.receive(citizen(To="in@bridge.test").as_bytes()).id
    strange = site.receive(redirected("Autre"), **STRANGER).id
    unknown = site.receive(redirected("Inconnu", From="nobody@autre.test"), **STRANGER).id
    discarded = site.receive(redirected("Écarté"), **STRANGER)
    inbox().set_state(discarded, "discarded")
    document = item(site.receive(redirected(**{"From": "Émile Zola <emile.zola@autre.test>"})))
    (mail,) = api.content.find(document, portal_type="dmsmainfile", unrestricted=True)
    message = sent(state="scheduled")
    for subject in ("un", "deux", "trois"):
        rule = RoutingRow(subject_pat=subject, user_value="_empty_", tg_value="_empty_")
        rules.save(rule, "last", rules.digest())
    rules.delete(3, rules.digest())
    for id in ("1", "2"):
        returned.note("gone@citizen.test", id)
    template = mail_templates.save(mail_templates.Content("block", "Adresse", "", "", "<p>x</p>"), "chef")
    setup.keep(step="end", address="a@maville.test", provider="own", mailboxes=("info@maville.test",))
    transaction.commit()
    change = next(id for id in history.ids() if "imap_mailboxes" in history.entry(id)["changes"])
    seen = set_back.digest(set_back.steps(history.entry(change)))
    path = "/".join(document.getPhysicalPath()[2:])
    account = {"name": "ocmw", "senders": "ocmw.test", "host": "smtp.ocmw.test", "password": SECRET}
    mailbox = {"name": "second", "host": "imap.two.test", "login": "two", "password": SECRET, "since": ""}
    review = f"/@@mailbridge-inbox-message?id={waits}"
    return {
        "send-email": z3c(
            COMPOSE,
            "send",
            "send_anyway",
            "preview",
            "delete_draft",
            user="agent",
            **{"to": "a@citizen.test (A)", "cc": "b@citizen.test", "bcc": "c@citizen.test"},
            **{"subject": "Sujet écrit", "body": "<p>Texte long</p>", "send_at": LATER},
        ),
        "mailbridge-create-contact": z3c(
            f"/{path}/@@mailbridge-create-contact", "create", lastname="Zola é", email="zola@autre.test"
        ),
        "mailbridge-new-contact": z3c(
            "/@@mailbridge-new-contact", "create", user="chef", lastname="Zola é", email="zola@autre.test"
        ),
        "mailbridge-inbox-rule": z3c(
            f"/@@mailbridge-inbox-rule?id={waits}", "try", "save", "replay", user="chef", subject="Permis é"
        ),
        "mailbridge-rule": z3c("/@@mailbridge-rule", "try", "save", user="chef", subject="Permis é"),
        "mailbridge-rules": [
            Post("/@@mailbridge-rules", {name: number, "seen": rules.digest()}, user="chef")
            for name, number in (("up", "2"), ("down", "1"), ("delete", "1"), ("put_back", "1"))
        ]
        + [
            Post("/@@mailbridge-rules", {name: "1", "seen": rules.digest(table=rules.STATES)})
            for name in ("state_up", "state_down", "state_delete")
        ],
        "mailbridge-inbox-contact": z3c(
            f"/@@mailbridge-inbox-contact?id={unknown}", "create", user="chef", lastname="Zola é"
        ),
        "mailbridge-controlpanel": z3c(
            "/@@mailbridge-controlpanel", "save", "test", "copy", smtp_host="new.test", smtp_password=SECRET
        ),
        "mailbridge-address-add": z3c("/@@mailbridge-address-add", "save", address="more@bridge.test"),
        "mailbridge-address-edit": z3c(
            "/@@mailbridge-address-edit?address=in@bridge.test", "save", address="more@bridge.test"
        ),
        "mailbridge-address-delete": [
            Post("/@@mailbridge-address-delete?address=in@bridge.test", {"delete": "1"})
        ],
        "mailbridge-source-add": z3c("/@@mailbridge-source-add", "save", address="more@maville.test"),
        "mailbridge-source-edit": z3c(
            "/@@mailbridge-source-edit?address=info@maville.test", "save", address="more@maville.test"
        ),
        "mailbridge-source-delete": [
            Post("/@@mailbridge-source-delete?address=info@maville.test", {"delete": "1"})
        ],
        "mailbridge-expert-rule": z3c("/@@mailbridge-expert-rule", "save", subject_pat="a|é"),
        "mailbridge-state": z3c("/@@mailbridge-state", "save", subject_pat="a|é"),
        "mailbridge-account-add": z3c("/@@mailbridge-account-add", "save", **account),
        "mailbridge-account-edit": z3c("/@@mailbridge-account-edit?account=cpas", "save", **account),
        "mailbridge-mailbox-add": z3c("/@@mailbridge-mailbox-add", "save", **mailbox),
        "mailbridge-mailbox-edit": z3c("/@@mailbridge-mailbox-edit?mailbox=info", "save", login="other"),
        "mailbridge-account-delete": [Post("/@@mailbridge-account-delete?account=cpas", {"delete": "1"})],
        "mailbridge-mailbox-delete": [Post("/@@mailbridge-mailbox-delete?mailbox=info", {"delete": "1"})],
        "mailbridge-accounts": [
            Post("/@@mailbridge-accounts", {"release": "default"}),
            Post("/@@mailbridge-accounts", {"check": "cpas"}),
        ],
        "mailbridge-mailboxes": [Post("/@@mailbridge-mailboxes", {"try": "info"})],
        "mailbridge-addresses": [
            Post("/@@mailbridge-addresses", {"first": "in@bridge.test"}),
            Post("/@@mailbridge-addresses", {"make": "in@bridge.test", "mailbox": "info@maville.test"}),
            Post("/@@mailbridge-addresses", {"revoke": "in+secret@bridge.test"}),
            Post("/@@mailbridge-addresses", {"replace": "in+secret@bridge.test"}),
        ],
        "mailbridge-setup": [
            Post("/@@mailbridge-setup", {button: value, "step": step}, typed)
            for step, button, value, typed in (
                ("address", "go_on", "1", {"address": "b@maville.test"}),
                ("login", "use_oauth2", "1", {"login": "other"}),
                ("login", "use_password", "1", {"login": "other"}),
                ("sender", "leave_out", "1", {}),
                ("forward", "check_now", "info@maville.test", {}),
                ("test", "send", "1", {"to": "jeanne@citizen.test"}),
                ("end", "restart", "1", {}),
            )
        ],
        "mailbridge-tokens": [
            Post("/@@mailbridge-tokens", {"make": "1"}, {"label": "mx2.maville.test"}),
            Post("/@@mailbridge-tokens", {"revoke": "0" * 16}),
        ],
        "mailbridge-import": [
            Post("/@@mailbridge-import", {"preview": "1"}, {"text": OLD_SETTINGS}),
            Post("/@@mailbridge-import", {"take_over": "1", "seen": "0" * 64}, {"records": OLD_SETTINGS}),
        ],
        "mailbridge-forwarding": [
            Post("/@@mailbridge-forwarding", {name: "info@maville.test"}) for name in ("check", "accept")
        ],
        "mailbridge-send-as": [
            Post("/@@mailbridge-send-as", {"account": "cpas", **pressed}, typed)
            for pressed, typed in (
                ({"reset": "a@cpas.test"}, {}),
                ({"reset_all": "1"}, {}),
                ({"try": "1"}, {"address": "some@cpas.test", "whole_domain": "1"}),
            )
        ],
        "mailbridge-diagnosis": [
            Post(
                "/@@mailbridge-diagnosis",
                {"run": "1"},
                {"account": "cpas", "recipient": "r@citizen.test", "agent": "a@maville.test", "send": "1"}
                | {"selector": "s1", "imap_host": "i.test", "imap_port": "143", "imap_login": "me"}
                | {"imap_password": SECRET},
            ),
            Post("/@@mailbridge-diagnosis", {"account": "cpas", "check": "1"}, {"reports": "d@maville.test"}),
        ],
        "mailbridge-history": [Post(f"/@@mailbridge-history?entry={change}", {"undo": "1", "seen": seen})],
        "mailbridge-returned": [
            Post("/@@mailbridge-returned", {"remove": "1"}, {"ids:list": "gone@citizen.test"}, user="chef")
        ],
        "mailbridge-template-edit": z3c(
            "/@@mailbridge-template-edit", "save", "preview", user="chef", name="Horaires é", subject="Objet"
        ),
        "mailbridge-templates": [Post("/@@mailbridge-templates", {"delete": template.id}, user="chef")],
        "mailbridge-inbox": [
            Post("/@@mailbridge-inbox?state=quarantined", {name: waits}, user="chef")
            for name in ("replay", "discard", "accept")
        ]
        + [
            Post(
                "/@@mailbridge-inbox",
                {"bulk": name, "ids:list": waits},
                {"discard_reason": "parce que"},
                "chef",
            )
            for name in ("replay", "discard", "accept")
        ]
        + [
            Post(
                "/@@mailbridge-inbox?state=discarded",
                {"bulk": "restore", "ids:list": discarded.id},
                user="chef",
            )
        ],
        "mailbridge-inbox-message": [
            Post(review, {name: "1"}, {"sender": "Moi <moi@citizen.test>", "date": "2026-01-02T03:04"})
            for name in ("proposal", "direct", "replay", "ask")
        ]
        + [
            Post(review, {"discard": "other"}, {"reason": "parce que"}),
            Post(f"/@@mailbridge-inbox-message?id={discarded.id}", {"restore": "1"}, user="chef"),
            Post(f"/@@mailbridge-inbox-message?id={strange}", {"mailbox": "1"}),
        ],
        "mailbridge-hand-in": [Post("/incoming-mail/@@mailbridge-hand-in", {"hand_in": "1"}, user="agent")],
        "mailbridge-dry-run": [
            Post("/@@mailbridge-dry-run", {"examine": "1"}, {"recipient": "in@bridge.test", "client": "::1"}),
            Post(
                "/@@mailbridge-dry-run", {"keep": "1"}, {"kept": KEPT, "name": "n.eml", "sender": "a@b.test"}
            ),
            Post("/@@mailbridge-dry-run", {"delete": "1"}),
        ],
        "mailbridge-outbox": [
            Post("/@@mailbridge-outbox?state=scheduled", {name: "1", "ids:list": message.id})
            for name in ("retry", "cancel")
        ],
        "mailbridge-mail-list": [
            Post("/incoming-mail?q=demande", {"columns_chosen": "1"}, {"columns:list": "date"}, user="agent")
        ],
        "mailbridge-message": [
            Post("/@@mailbridge-message", {name: message.id, "back": "mine"}, user="agent")
            for name in ("undo", "send_now", "retry", "cancel")
        ],
        "mailbridge-fields": [
            Post(f"/{path}/@@mailbridge-fields", {"assign": "1"}, user="agent"),
            Post(f"/{path}/@@mailbridge-fields", {"change": "1"}, user="agent"),
        ],
        "mailbridge-reply": [Post(f"/{path}/@@mailbridge-reply", {"kind": "reply"}, user="agent")],
        "mailbridge-render-again": [
            Post(f"{mail.getPath().removeprefix('/plone')}/@@mailbridge-render-again", {"x": "1"})
        ],
    }


def ours():
    """Return name → class of the views of our layer that take a POST: pages with buttons, and pages around a form."""
    found = {}
    for registration in getGlobalSiteManager().registeredAdapters():
        factory = registration.factory
        is_page = IMailbridgeLayer in registration.required and isinstance(factory, type)
        if is_page and issubclass(factory, ButtonPage | FormWrapper | Form):
            found[registration.name] = factory
    return found


def test_each_view_that_takes_a_post_stands_here(site, posts):
    assert set(ours()) - {"mailbridge-outbox.csv"} == set(posts)
    for name, view in ours().items():
        form = getattr(view, "form", view)
        pressed = {key.removeprefix("form.buttons.") for post in posts.get(name, ()) for key in post.pressed}
        buttons = set(getattr(form, "buttons", ())) - {"cancel", "preset"}
        if name not in ("mailbridge-outbox.csv", "mailbridge-render-again"):
            assert buttons <= pressed | {post.pressed.get("bulk") for post in posts[name]}, name


@pytest.mark.parametrize("stale", ["of another user", "", None])
def test_nothing_is_done_and_the_form_comes_back(site, posts, stale):
    if stale:
        stale = token(site.get("/outgoing-mail/invitation/@@send-email", "chef", headers=HTML).text)
    views = posts if stale else ("send-email", "mailbridge-account-edit", "mailbridge-inbox")
    for each in [each for view in views for each in posts[view]]:
        about = f"{each.path} {each.pressed}"
        opened = site.get(each.path, each.user, headers=HTML).text
        form = fields(opened) if "form.widgets." in opened else {}
        for name, value in each.typed.items():
            key = next((key for key in form if key.split(":")[0] == name), name)
            form[key] = value
        form.pop("_authenticator", None)
        if stale is not None:
            user = "agent" if each.user == "chef" else each.user
            other = stale if each.user != "chef" else token(site.get(COMPOSE, user, headers=HTML).text)
            form["_authenticator"] = other if stale else ""
        before = site.portal._p_jar.db().lastTransaction()
        answer = site.post(each.path, each.user, data={**form, **each.pressed}, headers=HTML)
        if answer.status_code == 302:
            answer = site.get(
                answer.headers["Location"],
                each.user,
                headers=HTML,
                cookies=answer.cookies,
                allow_redirects=True,
            )
        assert answer.status_code == 200, about
        assert site.portal._p_jar.db().lastTransaction() == before, about
        page = lxml.html.fromstring(answer.text)
        said = [shown(lxml.html.tostring(note).decode()) for note in page.cssselect(".portalMessage")]
        assert any(SAYS in note for note in said), (about, said)
        assert len(said) == 1 or SECRET in each.typed.values(), (about, said)
        assert SECRET not in answer.text, about
        back = {name: value for form in page.forms for name, value in form.form_values()}
        for name, value in each.typed.items():
            if value != SECRET:
                key = next(key for key in back if key.split(":")[0] == name.split(":")[0])
                assert back[key].replace("\r\n", "\n") == value, (about, name)


def test_pressing_once_more_works(site):
    form = {
        **fields(site.get(COMPOSE, "agent", headers=HTML).text),
        "form.widgets.to": "jeanne.dupont@citizen.test",
        "form.widgets.subject": "Sujet écrit",
        "form.widgets.body": "<p>Texte long</p>",
        "form.buttons.send": "x",
    }
    site.post(COMPOSE, "agent", data={**form, "_authenticator": "stale"}, headers=HTML)
    back = fields(site.post(COMPOSE, "agent", data={**form, "_authenticator": "stale"}, headers=HTML).text)
    assert len(outbox()) == 0
    assert back.pop("_authenticator") != "stale"
    assert {**back, "form.buttons.send": "x"} == {
        name: value for name, value in form.items() if name != "_authenticator"
    }
    answer = press(site, user="agent", subject="Sujet écrit", body=back["form.widgets.body"])
    assert answer.status_code == 302
    assert len(outbox()) == 1
