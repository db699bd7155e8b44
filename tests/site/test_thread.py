"""Threads: an answer refers to all of them, whoever wrote its header, and is known by an id of its author's domain."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.outbox import send_as
from imio.mailbridge.settings.read import stored_settings
from plone import api
from Products.CMFCore.utils import getToolByName
from tests.mails import redirected
from tests.site.send_email import send
import pytest
import re
import transaction


JEANNE = "jeanne.dupont@citizen.test"
IDS = [f"<{'é'.encode().hex()}{number}.{'x' * 90}@citizen.test>" for number in range(40)]


def fields(raw):
    """Return In-Reply-To and References as lists of ids, as they are written."""
    head = raw.partition(b"\r\n\r\n")[0].decode("ascii") + "\r\n"
    return [
        re.findall(rf"(?m)^{name}: ((?:.*\r\n[ \t])*.*)\r\n", head)[0].split()
        for name in ("In-Reply-To", "References")
    ]


@pytest.mark.parametrize(
    ("headers", "thread"),
    [
        ({"References": " ".join(IDS[:-1])}, IDS[:-1]),
        ({"In-Reply-To": IDS[3]}, [IDS[3]]),
        ({"In-Reply-To": f"{IDS[3]} {IDS[4]}"}, []),
        ({}, []),
    ],
)
def test_an_answer_refers_to_the_whole_thread(site, caught, headers, thread):
    raw = redirected(**headers)
    (item,) = site.mail_in(raw, **{"X-Envelope-Recipient": "in@bridge.test"}).json()["items"]
    answer = send(site, path=item["@id"].removeprefix(site.url))
    deliver(answer.json()["id"])
    own = message_from_bytes(raw)["Message-ID"]
    assert fields(caught.messages[0].content) == [[own], [*thread, own]]


@pytest.fixture
def whole(site, caught):
    """A site whose mail leaves by the bridge."""
    api.portal.set_registry_record("plone.email_from_address", "info@maville.test")
    stored_settings().whole_site = True
    transaction.commit()
    return site


def test_mail_of_the_site_refers_to_its_thread(whole, caught):
    message = EmailMessage(policy=default)
    message["From"], message["To"], message["Subject"] = "info@maville.test", JEANNE, "Bonjour"
    message["In-Reply-To"], message["References"] = IDS[2], " ".join(IDS[:3])
    message.set_content("A")
    getToolByName(whole.portal, "MailHost").send(message)
    transaction.commit()
    deliver()
    assert fields(caught.messages[0].content) == [[IDS[2]], IDS[:3]]


@pytest.mark.parametrize(("policy", "domain"), [("send_as", "maville.test"), ("login", "fournisseur.test")])
def test_the_id_is_of_the_domain_of_the_author(whole, caught, policy, domain):
    stored_settings().sender_policy = policy
    stored_settings().login_address = "compte@fournisseur.test"
    transaction.commit()
    deliver(send(whole).json()["id"])
    getToolByName(whole.portal, "MailHost").send(f"From: info@maville.test\nTo: {JEANNE}\n\nA")
    transaction.commit()
    deliver()
    assert [re.search(rb"(?m)^Message-ID: <.*@(.*)>", each.content)[1].decode() for each in caught.messages] == [
        domain, domain,
    ]  # fmt: skip


def test_the_announced_size_is_that_of_the_bytes(site, caught):
    stored_settings().sender_policy = "auto"
    send_as.learn("default", "al.bert@maville.test", True)
    transaction.commit()
    caught.answers["data"] = lambda envelope: (
        "554 5.2.252 SendAsDenied; not allowed to send as"
        if envelope.mail_from == "al.bert@maville.test"
        else None
    )
    deliver(send(site).json()["id"])
    (left,) = caught.messages
    assert left.mail_from == "administration@maville.test"
    assert caught.options[-1][0] == f"SIZE={len(left.content)}"
    assert len(caught.options) == 2
