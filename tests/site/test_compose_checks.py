"""Warnings before sending: what they see, that they never forbid, and how the compose page shows them."""

from datetime import timedelta
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.ports.sending import ISendingContext
from plone import api
from plone.app.testing import login
from tests.site.compose import COMPOSE
from tests.site.compose import HTML
from tests.site.compose import JEANNE
from tests.site.compose import press
from tests.site.compose import shown
from tests.site.compose import value
import lxml.html
import pytest
import re
import transaction


DOCUMENT = "/outgoing-mail/permis-durbanisme"


def warnings(site, path=DOCUMENT, **changes):
    data = {"to": [JEANNE], "subject": "Votre permis", "body": "<p>Bonjour</p>", "dry_run": True, **changes}
    answer = site.post(f"{path}/@send-email", "agent", json=data, headers={"Accept-Language": "en"})
    assert answer.status_code in (200, 202), answer.text
    return [(each["name"], each["field"], each["message"]) for each in answer.json()["warnings"]]


def names(*args, **kwargs):
    return [name for name, _field, _message in warnings(*args, **kwargs)]


def test_nothing_to_warn_of(site):
    assert warnings(site) == []


def test_a_real_message_is_sent_and_warned_of(site):
    assert names(site, body="<p>Voir ci-joint</p>", dry_run=False) == ["missing-attachment"]
    assert len(outbox()) == 1


def test_missing_attachment(site):
    assert warnings(site, body="<p>Voir ci-joint</p>") == [
        ("missing-attachment", "attachments", "Your message mentions an attachment, but none is chosen.")
    ]
    uid = api.content.get_uuid(site.portal["outgoing-mail"]["permis-durbanisme"].objectValues()[0])
    assert names(site, body="<p>Voir ci-joint</p>", attachments=[uid]) == []
    assert names(site, body="<blockquote>Voir ci-joint</blockquote>") == []


def test_typo(site):
    typos = [each for each in warnings(site, cc=["Luc <luc@gmial.com>"]) if each[0] == "typo"]
    assert typos == [("typo", "cc", "luc@gmial.com: did you mean luc@gmail.com?")]


@pytest.mark.parametrize(
    ("address", "known"),
    [
        (JEANNE.upper(), True),
        ("somebody@else.test", False),
        ("claire.fontaine@maville.test", True),  # a colleague
        ("administration@maville.test", True),  # the agent's own service
        ("urbanisme@maville.test", False),
    ],
)
def test_outside_contacts(site, address, known):
    found = warnings(site, bcc=[address])
    assert (found == []) is known
    if not known:
        assert found == [
            ("outside-contacts", "bcc", f"{address} is not among the contacts of this document.")
        ]


def test_a_document_without_contacts_knows_nobody(site):
    assert names(site, "/outgoing-mail/invitation", to=["somebody@else.test"]) == []


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("outgoing-mail/permis-durbanisme", {JEANNE}),
        ("outgoing-mail/invitation", set()),
        ("incoming-mail/demande-de-permis", {JEANNE}),
        ("contacts/jeanne-dupont", {JEANNE}),
        ("contacts/personnel-folder/al-bert", {"al.bert@maville.test"}),
        ("contacts/personnel-folder/al-bert/administration-generale", {"al.bert@maville.test"}),
    ],
)
def test_contacts_of_a_document(portal, path, known):
    login(portal, "agent")
    assert ISendingContext(portal.unrestrictedTraverse(path)).known_addresses() == known


def test_the_answered_mail_has_contacts_too(portal):
    login(portal, "agent")
    permit = portal["outgoing-mail"]["permis-durbanisme"]
    permit.email_recipient = None
    permit.recipients = []
    assert ISendingContext(permit).known_addresses() == {JEANNE}
    permit.reply_to = []
    assert ISendingContext(permit).known_addresses() == set()


def test_sent_already(site):
    assert names(site, dry_run=False) == []
    assert names(site) == ["sent-already"]
    assert names(site, to=[f"Jeanne <{JEANNE.upper()}>"]) == ["sent-already"]
    assert names(site, subject="Autre") == []
    assert names(site, cc=["claire.fontaine@maville.test"]) == []
    assert names(site, "/contacts/jeanne-dupont") == []
    (id,) = outbox().newest_ids()
    record = outbox().get(id)
    assert site.post(f"/@outbox/{id}/cancel", "agent").status_code == 200
    assert names(site) == [], "it did not leave"
    outbox().update(record, {JEANNE: "sent"})
    transaction.commit()
    assert names(site) == ["sent-already"]
    outbox().remove(record)
    record.created -= timedelta(minutes=11)
    outbox().add(record)
    transaction.commit()
    assert names(site) == [], "long ago"


def test_another_user_does_not_send_twice(site):
    assert names(site, dry_run=False) == []
    data = {"to": [JEANNE], "subject": "Votre permis", "body": "<p>Bonjour</p>", "dry_run": True}
    assert site.post(f"{DOCUMENT}/@send-email", "agent2", json=data).json()["warnings"] == []


def test_the_page_shows_the_warnings_and_sends_anyway(site):
    answer = press(site, body="<p>Voir ci-joint</p>")
    assert answer.status_code == 200
    assert len(outbox()) == 0
    assert "Your message mentions an attachment, but none is chosen." in shown(answer.text)
    assert 'name="form.buttons.send_anyway"' in answer.text
    assert answer.text.index("mailbridge-doubts") < answer.text.index('name="form.buttons.send"')
    accepted = re.search(r'name="mailbridge.doubts"[^>]*value="([^"]*)"', answer.text)[1]
    again = press(site, "send_anyway", body="<p>Voir ci-joint</p>", **{"mailbridge.doubts": accepted})
    assert again.status_code == 302
    assert len(outbox()) == 1


def test_without_doubts_there_is_no_such_button(site):
    assert "send_anyway" not in site.get(COMPOSE, "agent", headers=HTML).text


def test_what_was_not_shown_is_not_accepted(site):
    doubts = {"mailbridge.doubts": "missing-attachment"}
    answer = press(site, "send_anyway", to=f"{JEANNE};luc@gmial.com", body="<p>Voir ci-joint</p>", **doubts)
    assert answer.status_code == 200
    assert "did you mean luc@gmail.com?" in shown(answer.text)
    assert len(outbox()) == 0


def test_one_click_uses_the_suggestion(site):
    to = f"{JEANNE};luc@gmial.com (Luc Petit);xluc@gmial.com"
    answer = press(site, to=to)
    assert 'name="mailbridge.correct"' in answer.text
    answer = press(site, "mailbridge.correct", "luc@gmial.com", to=to)
    assert value(answer.text, "to") == f"{JEANNE};luc@gmail.com (Luc Petit);xluc@gmial.com"
    assert "did you mean xluc@gmail.com?" in shown(answer.text), "the other warnings stay"
    assert len(outbox()) == 0


@pytest.mark.parametrize(
    "wrong", ["", "luc", "x" * 5000, "a@gmail.com", "<script>@gmial.com", "\\1@gmial.com"]
)
def test_odd_corrections_change_nothing(site, wrong):
    answer = press(site, "mailbridge.correct", wrong)
    assert answer.status_code == 200
    assert value(answer.text, "to") == JEANNE


def test_errors_and_warnings_are_shown_in_one_go(site):
    answer = press(
        site, to="nobody;luc@gmial.com", subject="", body="<p>Voir ci-joint</p>", send_at="2020-01-01T08:30"
    )
    block = lxml.html.fromstring(answer.text).get_element_by_id("mailbridge-doubts")
    text = shown(lxml.html.tostring(block, encoding="unicode"))
    for expected in (
        "“nobody” is not an e-mail address. Choose a contact from the list, or type",
        "Enter a subject.",
        "This time has passed.",
        "did you mean luc@gmail.com?",
        "mentions an attachment",
    ):
        assert expected in text or expected == "Enter a subject.", expected
    targets = [link.get("href")[1:] for link in block.iterlinks() for link in [link[0]] if link.get("href")]
    assert [target.rpartition("-")[2] for target in targets] == ["to", "subject", "send_at"]
    assert set(targets) <= {element.get("id") for element in lxml.html.fromstring(answer.text).iter("div")}
    assert len(outbox()) == 0


def test_too_many_recipients_get_a_sentence(site):
    answer = press(site, to=";".join(f"Nom {number} <p{number}@citizen.test>" for number in range(500)))
    assert "There are 500 recipients, but one e-mail goes to at most 100." in shown(answer.text)
    assert "did you mean" not in answer.text
