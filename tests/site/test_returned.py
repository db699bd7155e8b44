"""Addresses from which mail keeps coming back are listed for managers, and the form warns of them."""

from datetime import timedelta
from imio.mailbridge.outbox import returned
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.returned import WITHIN
from imio.mailbridge.store.store import now
from tests.mails import citizen
from tests.site.panel import act
from tests.site.send_email import send as post
import pytest
import transaction


HTML = {"Accept": "text/html"}
JEANNE = "jeanne.dupont@citizen.test"
PAUL = "paul.petit@citizen.test"
PAGE = "/@@mailbridge-returned"


def report(message, recipient):
    return f"""From: MAILER-DAEMON@mx.citizen.test (Mail Delivery System)
To: someone@bridge.test
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.citizen.test

Final-Recipient: rfc822; {recipient}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user

--b
Content-Type: text/rfc822-headers

Message-ID: {message.message_id}

--b--
""".encode()


@pytest.fixture
def come_back(site, sent):
    """Send a message that comes back from a recipient; return its record."""

    def come_back(recipient):
        message = sent(recipient)
        headers = {"X-Envelope-Recipient": "in@bridge.test", "X-Envelope-Sender": "<>"}
        for _twice in range(2):  # a report that comes twice counts once
            site.mail_in(report(message, recipient), **headers)
        transaction.begin()
        assert outbox().get(message.id).recipients[recipient] == "bounced"
        return message

    return come_back


def test_second_return_lists_an_address_and_an_answer_removes_it(site, come_back):
    come_back(JEANNE)
    assert (returned.all_returned(), returned.times_of(JEANNE)) == ([], None)
    last = come_back(JEANNE.upper())
    (found,) = returned.all_returned()
    assert (found.address, found.times, found.id) == (JEANNE, 2, last.id)
    answer = citizen("RE: Permis", **{"From": JEANNE, "In-Reply-To": last.message_id})
    record = site.receive(answer.as_bytes())
    assert (record.state, record.reason) == ("filed", "")
    assert returned.all_returned() == []


def test_the_most_frequent_comes_first_and_old_ones_do_not_count(come_back):
    for address in (JEANNE, JEANNE, PAUL, PAUL, JEANNE):
        come_back(address)
    assert [(each.address, each.times) for each in returned.all_returned()] == [(JEANNE, 3), (PAUL, 2)]
    old = (now() - WITHIN - timedelta(days=1)).isoformat()
    outbox().returned[JEANNE] = ((old, "a"), (old, "b"), *outbox().returned[JEANNE][-1:])
    assert [each.address for each in returned.all_returned()] == [PAUL]


def test_manager_reads_why_and_removes(site, come_back):
    come_back(JEANNE)
    message = come_back(JEANNE)
    page = site.get(PAGE, "chef", headers=HTML)
    assert (JEANNE in page.text, "no such user" in page.text, message.subject in page.text) == (
        True,
        True,
        True,
    )
    act(site, PAGE, "chef", remove="1", **{"ids:list": JEANNE})
    transaction.begin()
    assert returned.all_returned() == []


def test_agent_may_not_see_the_list(site):
    assert site.get(PAGE, "agent").status_code == 401


def test_agent_is_warned_before_the_next_one(site, come_back):
    come_back(JEANNE)
    come_back(JEANNE)
    (warning,) = [each for each in post(site, dry_run=True).json()["warnings"] if each["name"] == "came-back"]
    assert (warning["field"], JEANNE in warning["message"]) == ("to", True)
