"""What the bridge writes to a person is in the language of that person, here Dutch in a French site."""

from email import message_from_bytes
from email import policy
from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.i18n import _
from imio.mailbridge.inbound import summary
from imio.mailbridge.notify.alarm import tell_admin
from imio.mailbridge.notify.notice import language_at
from imio.mailbridge.notify.notice import SUBJECTS
from imio.mailbridge.notify.notice import tell_agent
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings.read import stored_settings
from plone import api
from tests.mails import citizen
from tests.mails import dsn
from tests.mails import TEXT_FORWARD
from zope.i18n import translate
import pytest
import transaction


JEANNE = "jeanne.dupont@citizen.test"
BAD = "bad@citizen.test"
AGENT = "al.bert@maville.test"
CLOSING = _("iA.docs wrote this message automatically. Nobody reads answers to it.")
SUBJECT = "Permis"


def say(msgid, language, **mapping):
    return translate(_(msgid, mapping=mapping), target_language=language)


@pytest.fixture(autouse=True)
def dutch(site, caught):
    """The site speaks French, the demo agent and the manager of mail Dutch."""
    caught.answers[f"rcpt:{BAD}"] = "550 5.1.1 <bad@citizen.test>: no such user"
    api.portal.set_registry_record("plone.default_language", "fr")
    with api.env.adopt_roles(["Manager"]):
        for userid in ("agent", "chef"):
            api.user.get(userid=userid).setMemberProperties(
                {"language": "nl", "email": f"{userid}@maville.test"}
            )
    transaction.commit()


def change(**values):
    for name, value in values.items():
        setattr(stored_settings(), name, value)
    transaction.commit()


def written(caught, to=AGENT):
    """Return subject and text of the only mail to an address, as it left."""
    deliver()
    mails = [
        message_from_bytes(each.content, policy=policy.default)
        for each in caught.messages
        if to in each.rcpt_tos
    ]
    (mail,) = mails
    return mail["Subject"], " ".join(mail.get_body(("plain",)).get_content().split())


def is_in(text, language):
    return say(CLOSING, language) in text


def hand_over(site, raw, recipient="in@bridge.test", sender=JEANNE):
    answer = site.mail_in(raw, **{"X-Envelope-Recipient": recipient, "X-Envelope-Sender": sender})
    assert answer.status_code < 300, answer.text
    transaction.begin()
    return answer.json()


def failed(site, send, caught):
    send(BAD, subject=SUBJECT)


def bounced(site, send, caught):
    record = send(JEANNE, subject=SUBJECT)
    hand_over(site, dsn(message_id=record.message_id, envelope_id=record.id).encode(), sender="<>")


def replied(site, send, caught):
    record = send(JEANNE, subject=SUBJECT)
    hand_over(
        site, citizen("Re: Permis", **{"In-Reply-To": record.message_id, "To": "in@bridge.test"}).as_bytes()
    )


def passed_on(site, send, caught):
    tell_agent(send(JEANNE, subject=SUBJECT), "passed-on", "voisin@voisin.example")
    transaction.commit()


def by_other(site, send, caught):
    tell_agent(send(JEANNE, subject=SUBJECT), "by-other", "voisin@voisin.example")
    transaction.commit()


@pytest.mark.parametrize("happens", [failed, bounced, replied, passed_on, by_other])
def test_notices(site, send, caught, happens):
    happens(site, send, caught)
    subject, text = written(caught)
    kind = happens.__name__.replace("_", "-")
    assert subject == say(SUBJECTS[kind], "nl", subject=SUBJECT)
    assert [language for language in ("en", "fr", "nl") if is_in(text, language)] == ["nl"]
    if kind in ("failed", "bounced"):
        explanation = "This address does not exist on the recipient's server. Check it and send again."
        assert say(explanation, "nl") in text
        assert say("The server said: ${words}", "nl", words="").strip() in text or kind == "bounced"


def test_each_kind_of_notice_is_here():
    kinds = {each.__name__.replace("_", "-") for each in (failed, bounced, replied, passed_on, by_other)}
    assert kinds == set(SUBJECTS)


def test_how_to_forward(site, caught):
    hand_over(site, TEXT_FORWARD, sender=AGENT)
    subject, text = written(caught)
    assert subject == say("Please forward as attachment: ${subject}", "nl", subject="TR: Demande en texte")
    assert is_in(text, "nl")


def test_copy_of_an_answer_adds_no_words_in_a_language(site, send, caught):
    change(own_reply_address=True)
    record = send(JEANNE, subject=SUBJECT)
    address = record.sender.reply_to.addr_spec
    hand_over(site, citizen("Voici les plans", To=address).as_bytes(), address)
    subject, text = written(caught)
    assert (subject, outbox().records and is_in(text, "nl")) == ("Voici les plans", False)


@pytest.mark.parametrize(
    ("address", "language"),
    [
        (AGENT, "nl"),
        ("Chef@maville.test", "nl"),
        ("chef@maville.test.example", "fr"),
        ("f@maville.test", "fr"),
        ("helpdesk@maville.test", "fr"),
    ],
    ids=["agent", "user, in capitals", "longer", "end of another", "nobody"],
)
def test_language_of_an_address(address, language):
    assert language_at(address) == language


@pytest.mark.parametrize(
    ("address", "language"), [("chef@maville.test", "nl"), ("helpdesk@maville.test", "fr")]
)
def test_administrators(site, caught, monkeypatch, address, language):
    monkeypatch.setattr(summary, "HOUR", 0)
    change(alarm_address=address, digest_address=address, ask_sender=False)
    hand_over(site, TEXT_FORWARD, sender=AGENT)
    site.task("@@mailbridge-sweep-inbox")
    subject, text = written(caught, address)
    assert subject == say("An incoming e-mail is waiting for a decision", language)
    assert is_in(text, language)
    caught.messages.clear()
    stopped = _(
        "The SMTP account ${name} has been stopped since ${at}.",
        mapping={"name": _("default"), "at": "12:00"},
    )
    assert tell_admin(_("Mail server"), stopped, page="x")
    transaction.commit()
    subject, text = written(caught, address)
    assert subject == say("Mail server", language)
    assert text.startswith(say(str(stopped), language, name=say("default", language), at="12:00"))
