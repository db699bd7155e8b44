"""Answering an incoming e-mail, or passing it on: what the outgoing mail begins with, who may, and that two presses make one."""

from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes
from email import policy
from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.iadocs.answer import KINDS
from imio.mailbridge.iadocs.demo import PASSWORD
from imio.mailbridge.iadocs.sending import related
from imio.mailbridge.message.classification.subject_prefix import without_prefixes
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings.read import stored_settings
from plone import api
from plone.app.uuid.utils import uuidToObject
from tests.mails import redirected
from tests.servers.waiting import TIMEOUT
from tests.site.compose import HTML
from tests.site.compose import press as press_form
from tests.site.compose import shown
from tests.site.compose import token
import pytest
import re
import requests
import transaction


FORM = "/outgoing-mail/permis-durbanisme/@@send-email"


@pytest.fixture
def file(site):
    """Return a function that files a message and returns its document."""

    def file(**headers):
        (uid,) = site.receive(redirected(**headers), **{"X-Envelope-Recipient": "in@bridge.test"}).items
        return uuidToObject(uid, unrestricted=True)

    return file


def page(site, document, user="agent"):
    return site.get(f"{document.absolute_url()}/view", user, headers=HTML).text


def press(site, document, kind, user="agent", opened=None, **data):
    opened = opened or page(site, document, user)
    data["press"] = pressed(opened)
    data |= {"kind": kind, "_authenticator": token(opened)}
    return site.post(f"{document.absolute_url()}/@@mailbridge-reply", user, data=data, headers=HTML)


def pressed(opened):
    return re.search(r'name="press"[^>]*value="(\w+)"', opened)[1]


def raw_press(url, data):
    # not by ``site``, which belongs to one thread
    return requests.post(
        url, data, auth=("agent", PASSWORD), headers=HTML, timeout=TIMEOUT, allow_redirects=False
    )


def made(site, answer):
    assert answer.status_code == 302, shown(answer.text)
    url = answer.headers["Location"]
    assert url.endswith("/@@send-email")
    return site.portal.unrestrictedTraverse(url.removeprefix(f"{site.url}/").removesuffix("/@@send-email"))


def outgoing(site):
    return api.content.find(site.portal["outgoing-mail"], portal_type="dmsoutgoingmail", unrestricted=True)


def test_answers_and_forwards(site, caught, file):
    stored_settings().undo_seconds = 0
    transaction.commit()
    mail = file(
        Subject="RE: TR : [EXT] Antw: Véranda",
        To="info@maville.test, Paul <paul@citizen.test>, al.bert@maville.test",
        Cc="lea@citizen.test, in@bridge.test, PAUL@citizen.test",
        References="<first@citizen.test> <second@citizen.test>",
        **{"Reply-To": "Bureau <pro@citizen.test>"},
    )
    answer = made(site, press(site, mail, "all"))
    assert answer.email_subject == answer.title == "Re: Véranda"
    assert answer.email_recipient == '"Bureau" <pro@citizen.test>, "Paul" <paul@citizen.test>'
    assert answer.email_cc == "lea@citizen.test"
    assert related(answer, "reply_to") == [mail]
    assert [each.getId() for each in related(answer, "recipients")] == ["jeanne-dupont"]
    assert answer.treating_groups == mail.treating_groups
    assert answer.Creator() == "agent"
    assert answer.sender

    answer = made(site, press(site, mail, "reply"))
    assert answer.email_recipient == '"Bureau" <pro@citizen.test>'
    assert answer.email_cc is None
    body = answer.email_body.raw
    assert body.startswith("<p>&nbsp;</p>")
    assert "On 16 November 2026 at 22:30, Jeanne Dupont &lt;jeanne.dupont@citizen.test&gt; wrote:" in body
    assert '<blockquote type="cite"><p>Bonjour, voici ma demande' in body
    path = f"{answer.absolute_url().removeprefix(site.url)}/@@send-email"
    form = site.get(path, "agent", headers=HTML).text
    assert "voici ma demande" in form
    assert "&lt;blockquote type=" in form
    sent = press_form(site, path=path, to="pro@citizen.test", subject="Re: Véranda", body=f"<p>Oui</p>{body}")
    assert sent.status_code == 302, shown(sent.text)
    (record,) = outbox().of_document(answer.UID())
    deliver(record.id)
    left = message_from_bytes(caught.messages[0].content, policy=policy.default)
    own = message_from_bytes(redirected(Subject="RE: TR : [EXT] Antw: Véranda"))["Message-ID"]
    assert left["In-Reply-To"] == own
    assert left["References"].split() == ["<first@citizen.test>", "<second@citizen.test>", own]
    assert 'type="cite"' in left.get_body(("html",)).get_content()

    forward = made(site, press(site, mail, "forward"))
    assert forward.email_subject == "Tr: Véranda"
    assert not related(forward, "reply_to")
    assert not forward.email_recipient
    (copy,) = [child for child in forward.objectValues() if child.portal_type == "dmsappendixfile"]
    assert copy.file.data == mail["appendix-1"].file.data
    assert forward.email_attachments == [copy.UID()]
    assert "Forwarded message" in forward.email_body.raw
    assert "To: info@maville.test" in forward.email_body.raw


def test_an_answer_that_is_begun_is_gone_on_with(site, file):
    mail = file()
    opened = page(site, mail)
    before = len(outgoing(site))
    url = f"{mail.absolute_url()}/@@mailbridge-reply"
    data = {"press": pressed(opened), "kind": "reply", "_authenticator": token(opened)}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _number: raw_press(url, data), range(4)))
    transaction.begin()
    assert len({made(site, each).UID() for each in answers}) == 1
    assert len(outgoing(site)) == before + 1
    again = press(site, mail, "reply")
    assert again.status_code == 200
    assert "You have already started this e-mail" in shown(again.text)
    assert f'{answers[0].headers["Location"]}"' in again.text
    assert len(outgoing(site)) == before + 1
    assert made(site, press(site, mail, "reply", opened=again.text, anyway="1"))
    assert len(outgoing(site)) == before + 2
    assert press(site, mail, "reply", user="agent2").status_code == 302, "another agent's is not asked about"


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({"From": "Ville <noreply@citizen.test>"}, "an answer may reach nobody"),
        ({"Return-Path": "<>"}, "an answer may reach nobody"),
        ({"From": "In <in@bridge.test>", "Reply-To": "info@maville.test"}, None),
    ],
)
def test_nobody_to_answer(site, file, headers, says):
    mail = file()
    if says is None:
        mail.orig_sender_email = None
        with mail["mail"].file.open() as stream:
            raw = stream.read()
        with open(mail["mail"].file._blob.committed(), "wb") as stream:
            stream.write(raw.replace(b"jeanne.dupont@citizen.test", b"info@maville.test", 1))
        transaction.commit()
    else:
        mail = file(Subject="Autre", **headers)
    answer = press(site, mail, "reply")
    if says is None:
        assert answer.headers["Location"] == f"{mail.absolute_url()}/view"
        return
    assert says in shown(answer.text)
    assert made(site, press(site, mail, "reply", opened=answer.text, anyway="1")).email_recipient


def test_who_may_answer(site, file):
    mail = file()
    site.portal["outgoing-mail"].manage_setLocalRoles("agents", ["Reader"])
    site.portal["outgoing-mail"].reindexObjectSecurity()
    transaction.commit()
    opened = page(site, mail)
    assert 'value="forward"' not in opened
    form = site.get(f"{mail.absolute_url()}/@@send-email", "agent", headers=HTML).text
    data = {"kind": "reply", "_authenticator": token(form)}
    path = f"{mail.absolute_url()}/@@mailbridge-reply"
    assert site.post(path, "agent", data=data).status_code in (401, 403)
    assert site.post(path, None, data=data).status_code in (401, 403)
    assert site.get(f"{path}?kind=reply", "agent").status_code == 404


@pytest.mark.parametrize(
    ("subject", "left"),
    [
        ("Re: Véranda", "Véranda"),
        ("RÉP : AW: WG: Véranda: plan", "Véranda: plan"),
        ("Re[2]: Véranda", "Véranda"),
        ("Réunion : Véranda", "Réunion : Véranda"),
        ("Re: " * 40, "Re: " * 20),
        ("", ""),
    ],
)
def test_subject_without_prefixes(subject, left):
    assert without_prefixes(subject) == left.strip()


@pytest.mark.parametrize(
    ("transition", "state"), [("treat", "in_treatment"), ("close", "created"), (None, "created")]
)
def test_first_answer_moves_the_state(site, caught, send, transition, state):
    stored_settings().reply_transition = transition
    transaction.commit()
    mail = site.portal["incoming-mail"]["demande-de-permis"]
    before = api.content.get_state(mail)
    send()
    assert api.content.get_state(mail) == state, "permis-durbanisme answers it"
    if transition == "treat":
        with api.env.adopt_roles(["Manager"]):
            api.content.transition(mail, to_state=before)
        transaction.commit()
        send()
        assert api.content.get_state(mail) == before, "only the first answer does"


def test_transitions_to_choose_from(site):
    answer = site.request("PATCH", "/@controlpanels/mailbridge", "admin", json={"reply_transition": "close"})
    assert answer.status_code == 204, answer.text
    assert "Transition after an answer" in site.get("/@@mailbridge-controlpanel", "admin", headers=HTML).text
    answer = site.request("PATCH", "/@controlpanels/mailbridge", "admin", json={"reply_transition": "fly"})
    assert answer.status_code == 400


@pytest.mark.parametrize("kind", KINDS)
def test_who_answers_what_another_service_treats(site, file, kind):
    """Who does not see the e-mail answers, answers to all and passes on nothing of it; who sees it may, in any service."""
    mail = file()
    agents = {"agent": 302, "agent2": 302, "chef": 302, "gateway": 401, None: 401}
    tokens = {user: token(site.get(FORM, user, headers=HTML).text) for user in ("agent", "agent2", "chef")}

    def answers():
        path = f"{mail.absolute_url().removeprefix(site.url)}/@@mailbridge-reply"
        data = {"kind": kind, "press": "a", "anyway": "1"}
        return {
            user: site.post(path, user, data=data | {"_authenticator": tokens.get(user, "x")}).status_code
            for user in agents
        }

    assert answers() == agents
    mail.manage_permission("View", ("Manager", "Owner"), acquire=0)
    mail.manage_setLocalRoles("agent", ["Owner"])
    mail.reindexObjectSecurity()
    transaction.commit()
    before = len(outgoing(site))
    assert answers() == agents | {"agent2": 401, "chef": 401}
    assert len(outgoing(site)) == before, "the agent goes on with what is begun, the others begin nothing"
