"""Plone's own mail through the Outbox, if the admin wants; and as it was before, if not."""

from email import message_from_bytes
from email import policy
from email.header import Header
from email.mime.text import MIMEText
from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.site_mail import mailhost
from plone import api
from Products.CMFCore.utils import getToolByName
from Products.MailHost.interfaces import IMailHost
from Products.MailHost.MailHost import MailHost
from Products.MailHost.MailHost import MailHostError
from zope.component import getUtility
import pytest
import smtplib
import transaction


JEANNE = "jeanne.dupont@citizen.test"
TEXT = f"From: Commune <info@maville.test>\nTo: Jeanne <{JEANNE}>\nSubject: Bonjour\n\nA\n.\nB\n"


@pytest.fixture
def whole(site, caught):
    """A site whose mail leaves by the bridge."""
    api.portal.set_registry_record("plone.email_from_address", "info@maville.test")
    api.portal.set_registry_record("plone.email_from_name", "Commune de Maville")
    api.portal.set_registry_record("plone.smtp_host", "localhost")
    stored_settings().whole_site = True
    transaction.commit()
    return site


def mail(site):
    return getToolByName(site.portal, "MailHost")


def sent(caught):
    """Deliver what is due; return the only message, as it came."""
    transaction.commit()
    deliver()
    transaction.begin()
    (message,) = caught.messages
    return message, message_from_bytes(message.content, policy=policy.default)


def test_by_name_and_as_a_utility(whole):
    assert isinstance(mail(whole), mailhost.BridgeMailHost)
    assert isinstance(getUtility(IMailHost), mailhost.BridgeMailHost)
    assert whole.portal.MailHost.smtp_queue


def test_sent_from_the_login_address_with_answers_to_the_site(whole, caught):
    mail(whole).send(TEXT)
    assert len(outbox()) == 1
    message, read = sent(caught)
    assert message.mail_from == "administration@maville.test"
    assert message.rcpt_tos == [JEANNE]
    assert read["From"] == "Commune <administration@maville.test>"
    assert read["Reply-To"] == "Commune <info@maville.test>"
    assert read["To"] == f"Jeanne <{JEANNE}>"
    assert read.get_content().splitlines() == ["A", ".", "B"]
    (record,) = outbox().records.values()
    assert (record.origin, record.document, record.userid, record.state) == ("site", "", "", "sent")
    assert record.message_id == read["Message-ID"]
    assert record.subject == "Bonjour"


def test_as_itself_where_the_server_lets_it(whole, caught):
    stored_settings().sender_policy = "send_as"
    mail(whole).send(TEXT)
    message, read = sent(caught)
    assert (message.mail_from, read["From"], read["Reply-To"]) == (
        "info@maville.test",
        "Commune <info@maville.test>",
        None,
    )


def test_blind_copies_and_several_recipients(whole, caught):
    text = TEXT.replace("Subject", "Cc: c@citizen.test\nBcc: hidden@citizen.test\nSubject")
    mail(whole).send(text)
    message, read = sent(caught)
    assert sorted(message.rcpt_tos) == ["c@citizen.test", "hidden@citizen.test", JEANNE]
    assert b"hidden" not in message.content
    assert read["Cc"] == "c@citizen.test"


def test_accents_and_message_objects(whole, caught):
    message = MIMEText("Été à la piscine", "plain", "utf-8")
    message["Subject"] = Header("L’été", "utf-8")
    message["Message-ID"] = "<theirs@product.test>"
    message["Reply-To"] = "accueil@maville.test"
    mail(whole).send(message, mto=f"Renée <{JEANNE}>", mfrom="Commune <info@maville.test>")
    _message, read = sent(caught)
    assert read["Subject"] == "L’été"
    assert read["To"] == f"Renée <{JEANNE}>"
    assert read["Reply-To"] == "accueil@maville.test"
    assert read["Original-Message-ID"] == "<theirs@product.test>"
    assert read["Message-ID"] != "<theirs@product.test>"
    assert read.get_content().strip() == "Été à la piscine"


def test_eight_bit_lines(whole, caught):
    raw = b"From: info@maville.test\nTo: " + JEANNE.encode() + b"\nSubject: x\n"
    raw += b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" + "Été\n".encode()
    mail(whole)._send("info@maville.test", [JEANNE], raw)
    _message, read = sent(caught)
    assert read.get_content().strip() == "Été"


def test_refused_is_seen_in_the_outbox(whole, caught):
    caught.answers["rcpt"] = "550 5.1.1 no such user"
    mail(whole).send(TEXT)
    transaction.commit()
    deliver()
    transaction.begin()
    assert [record.state for record in outbox().records.values()] == ["failed"], "and nobody is told by mail"


@pytest.mark.parametrize(
    ("stage", "answer", "error"),
    [
        ("mail", "550 5.7.1 no", smtplib.SMTPSenderRefused),
        ("rcpt", "550 5.1.1 no such user", smtplib.SMTPRecipientsRefused),
        ("data", "554 5.0.0 no", smtplib.SMTPDataError),
    ],
)
def test_immediate_fails_loudly_and_is_not_queued(whole, caught, stage, answer, error):
    caught.answers[stage] = answer
    with pytest.raises(error):
        mail(whole).send(TEXT, immediate=True)
    assert len(outbox()) == 0


def test_immediate_leaves_at_once(whole, caught):
    mail(whole).send(TEXT, immediate=True)
    assert len(caught.messages) == 1
    assert len(outbox()) == 0


def test_immediate_without_a_server(whole):
    stored_settings().smtp_port = 9
    with pytest.raises(smtplib.SMTPException):
        mail(whole).send(TEXT, immediate=True)


def test_immediate_with_a_password_file_that_cannot_be_read(whole, monkeypatch):
    stored_settings().smtp_login = "bridge"
    monkeypatch.setenv("MAILBRIDGE_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("MAILBRIDGE_SMTP_SECURITY", "none")
    monkeypatch.setenv(password.FILE, "/nonexistent")
    with pytest.raises(MailHostError, match="nonexistent"):
        mail(whole).send(TEXT, immediate=True)


def test_immediate_leaves_for_those_who_are_taken_and_names_the_others(whole, caught, caplog):
    caught.answers["rcpt:c@citizen.test"] = "550 5.1.1 no such user"
    mail(whole).send(TEXT.replace("Subject", "Cc: c@citizen.test\nSubject"), immediate=True)
    assert caught.messages[0].rcpt_tos == [JEANNE]
    assert "mail was refused for c@citizen.test: 550 5.1.1 no such user" in caplog.text


@pytest.mark.parametrize("address", ["not an address", "a@b@c"])
def test_address_that_is_none(whole, address):
    with pytest.raises(MailHostError):
        mail(whole).send(TEXT, mto=address, mfrom="info@maville.test")
    assert len(outbox()) == 0


def test_header_injection(whole, caught):
    mail(whole).send(
        "x", mto=JEANNE, mfrom="info@maville.test", subject="A =?utf-8?q?=0d=0aBcc:_x=40y.test?="
    )
    message, read = sent(caught)
    assert message.rcpt_tos == [JEANNE]
    assert read["Bcc"] is None


def test_password_reset_by_nobody(whole, caught):
    member = api.user.get("agent")
    member.setMemberProperties({"email": "al.bert@maville.test"})
    transaction.commit()
    answer = whole.post("/mail_password", data={"userid": "agent"}, headers={"Accept": "text/html"})
    assert answer.status_code == 200, answer.text
    message, read = sent(caught)
    assert message.rcpt_tos == ["al.bert@maville.test"]
    assert "passwordreset" in read.get_content()


def test_plone_api(whole, caught):
    api.portal.send_email(recipient=JEANNE, sender="info@maville.test", subject="Salut", body="Bonjour")
    _message, read = sent(caught)
    assert read["Subject"] == "Salut"


def test_without_an_account_the_original_sends(whole, monkeypatch):
    stored_settings().smtp_host = None
    calls = []
    monkeypatch.setattr(MailHost, "_send", lambda self, *args: calls.append(self))
    mail(whole).send(TEXT)
    (original,) = calls
    assert type(original.aq_base) is MailHost
    assert not original.smtp_queue, "Plone's own way, not the queue that ours seems to have"
    assert len(outbox()) == 0


def test_aborted_is_not_sent(whole, caught):
    mail(whole).send(TEXT)
    transaction.abort()
    deliver()
    assert len(caught.messages) == 0


def test_original_comes_back(site):
    original, utility = site.portal.MailHost.aq_base, getUtility(IMailHost)
    for _time in range(2):
        stored_settings().whole_site = True
        mailhost.take_over()
        assert mailhost.is_ours()
        assert site.portal.MailHost.aq_base is not original
        stored_settings().whole_site = False
        mailhost.give_back()
        assert site.portal.MailHost.aq_base is original
        assert type(getUtility(IMailHost)) is type(utility)
    assert "MailHost" in site.portal.objectIds()


def test_uninstalling_gives_it_back(whole):
    with api.env.adopt_roles(["Manager"]):
        api.portal.get_tool("portal_setup").runAllImportStepsFromProfile("profile-imio.mailbridge:uninstall")
    assert not mailhost.is_ours()
    assert not isinstance(getUtility(IMailHost), mailhost.BridgeMailHost)


def test_somebody_else_replaced_it(whole):
    other = MailHost("MailHost")
    mailhost._exchange(other)
    stored_settings().whole_site = False
    assert whole.portal.MailHost.aq_base is other
