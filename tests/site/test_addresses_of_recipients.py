"""Addresses that a server, or a domain, cannot carry fail alone; one mailbox gets one copy."""

from email import message_from_bytes
from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.ports.directory import IDirectory
from imio.mailbridge.settings.read import stored_settings
from plone.app.uuid.utils import uuidToObject
from tests.servers.catcher import Catcher
from tests.site.send_email import send as post
import pytest
import transaction


JEANNE, PAUL, ELENE = "jeanne@citizen.test", "paul@citizen.test", "hélène@citizen.test"


@pytest.fixture
def ascii_only(site):
    """The SMTP server of ``site``, without SMTPUTF8."""
    with Catcher(utf8=False) as catcher:
        stored_settings().smtp_port = catcher.port
        transaction.commit()
        yield catcher


@pytest.mark.parametrize(
    ("fields", "to", "cc"),
    [
        ({"to": [JEANNE, f"Hélène <{ELENE}>", f"Paul Élu <{PAUL}>"]}, JEANNE, None),
        ({"to": [ELENE], "cc": [PAUL]}, "undisclosed-recipients:;", PAUL),
        ({"to": [JEANNE], "cc": [ELENE]}, JEANNE, None),
    ],
)
def test_one_address_beyond_ascii_fails_alone(send, ascii_only, fields, to, cc):
    record = send(*fields.pop("to"), **fields)
    others = {address: "sent" for address in record.recipients if address != ELENE}
    assert dict(record.recipients) == {ELENE: "failed", **others}
    assert [line["answer"] for line in record.history if line["recipient"] == ELENE] == ["no-smtputf8"]
    (left,) = ascii_only.messages
    head = left.content.partition(b"\r\n\r\n")[0]
    assert head.isascii()
    assert list(others) == left.rcpt_tos
    read = message_from_bytes(left.content)
    assert read["To"].startswith(to)
    assert read["Cc"] == cc
    assert (PAUL in read["To"] + (read["Cc"] or "")) is (PAUL in others)
    assert f"SIZE={len(left.content)}" in ascii_only.options[-1]


def test_later_tries_name_it_neither(send, ascii_only):
    ascii_only.answers[f"rcpt:{PAUL}"] = ["451 4.3.0 later"]
    record = send(ELENE, PAUL)
    assert dict(record.recipients) == {ELENE: "failed", PAUL: "deferred"}
    outbox().try_at(record, None)
    outbox().update(record, {PAUL: "queued"})
    transaction.commit()
    deliver()
    (left,) = (each for each in ascii_only.messages if each.rcpt_tos == [PAUL])  # the other one is a notice
    assert left.content.partition(b"\r\n\r\n")[0].isascii()


@pytest.mark.parametrize("refusal", ["555 5.5.4 unsupported option: SMTPUTF8", "553 5.6.7 no EAI for you"])
def test_offered_and_not_taken(send, caught, refusal):
    caught.answers["mail"] = [refusal]
    record = send(JEANNE, ELENE)
    assert dict(record.recipients) == {JEANNE: "sent", ELENE: "failed"}
    assert [line["answer"] for line in record.history if line["recipient"] == ELENE] == ["no-smtputf8"]
    assert caught.messages[0].content.partition(b"\r\n\r\n")[0].isascii()


def test_where_it_can_be_carried_it_is(send, caught):
    record = send(JEANNE, ELENE)
    assert set(record.recipients.values()) == {"sent"}
    assert ELENE.encode() in caught.messages[0].content


@pytest.mark.parametrize("policy", ["login", "send_as"])
def test_an_agent_beyond_ascii_is_told_so(site, send, ascii_only, policy):
    stored_settings().sender_policy = policy
    with_accent(site)
    record = send(JEANNE)
    assert dict(record.recipients) == {JEANNE: "failed"}
    assert record.history[-1]["answer"] == "no-smtputf8-sender"
    assert "your own address" in record.history[-1]["explanation"]
    assert ascii_only.received["mail"] == 0


def test_an_agent_beyond_ascii_is_announced_where_it_can_be(site, send, caught):
    with_accent(site)
    record = send(JEANNE)
    assert record.state == "sent"
    assert message_from_bytes(caught.messages[0].content).get("Reply-To")
    assert "SMTPUTF8" in caught.options[0]


def with_accent(site):
    """Give the agent an address with an accent."""
    (identity,) = IDirectory(site.portal).identities("agent", ())
    uuidToObject(identity.uid, unrestricted=True).email = "al.bért@maville.test"
    transaction.commit()


def test_one_mailbox_gets_one_copy(site, send, caught):
    record = send(
        "d@citoyen.example",
        cc=["D <d@CITOYEN.example>", "c@x.example", "D@citoyen.example"],
        bcc=["c@X.example"],
    )
    assert list(record.recipients) == ["d@citoyen.example", "c@x.example", "D@citoyen.example"]
    assert caught.messages[0].rcpt_tos == list(record.recipients)
    read = message_from_bytes(caught.messages[0].content)
    assert (read["To"], read["Cc"].split()) == ("d@citoyen.example", ["c@x.example,", "D@citoyen.example"])
    assert record.bcc == ()


@pytest.mark.parametrize(
    "address",
    [
        "info@ΒΌΛΟΣ.example",
        "info@नी\u200da.example",
        "in\u200dfo@x.example",
        "info@☃.example",
        "info@ﬁ.example",
        "info@exa\u0308mple.example",
    ],
)
def test_a_domain_that_has_no_form_is_refused_with_words(site, address):
    answer = post(site, to=[address])
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert (error["field"], address[:4] in error["message"]) == ("to", True)


@pytest.mark.parametrize(
    ("typed", "wire"),
    [
        ("info@faß.example", "info@xn--fa-hia.example"),
        ("info@βόλος.example", "info@xn--nxasmm1c.example"),
        ("info@EXÄMPLE.example", "info@xn--exmple-cua.example"),
    ],
)
def test_mail_goes_to_the_domain_that_was_typed(send, caught, typed, wire):
    send(typed)
    (left,) = caught.messages
    assert left.rcpt_tos == [wire]
    assert message_from_bytes(left.content)["To"] == wire
