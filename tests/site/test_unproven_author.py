"""A message in the name of an agent that nothing proves: the words say so, and it is not given to the agent's position."""

from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings.read import stored_settings
from tests.mails import citizen
from tests.mails import redirected
from tests.site.compose import HTML
from tests.site.compose import shown
from tests.site.quarantine import item
from tests.site.quarantine import STRANGER
import pytest
import transaction


AL = "Al Bert <al.bert@maville.test>"
SENTENCE = "Not proven: anyone may have written this in the name of the agent shown as its author."


def pages(site, record):
    """Return what the document, its Proof tab and the page of the message show."""
    url = item(record).absolute_url()
    paths = (f"{url}/view", f"{url}/@@mailbridge-proof", f"/@@mailbridge-inbox-message?id={record.id}")
    return [shown(site.get(path, "admin", headers=HTML).text) for path in paths]


@pytest.mark.parametrize("sender", [AL, "Jeanne Dupont <jeanne.dupont@citizen.test>"])
def test_redirect_in_the_name_of_an_agent(site, sender):
    record = site.receive(redirected(From=sender))
    assert (record.state, record.transfer) == ("filed", "redirect")
    document, proof, message = pages(site, record)
    by_agent = sender == AL
    assert (SENTENCE in document) == by_agent
    assert ("In the name of an agent, not proven" in proof) == by_agent
    assert ("In the name of an agent, not proven" in message) == by_agent
    filed = item(record)
    assert len(filed.sender) == (0 if by_agent else 1)
    assert filed.assigned_user is None
    assert sender.partition("<")[2] in filed.orig_sender_email


def test_reply_in_the_name_of_an_agent(site, sent):
    mailbox = {"name": "admin", "role": "login", "address": "administration@maville.test"}
    answer = site.request("PATCH", "/@controlpanels/mailbridge", "admin", json={"imap_mailboxes": [mailbox]})
    assert answer.status_code == 204, answer.text
    ours = sent()
    reply = {"From": "Chef <chef@maville.test>", "To": "administration@maville.test"}
    reply["In-Reply-To"] = ours.message_id
    record = site.receive(
        citizen("Re: permis", **reply).as_bytes(),
        **{**STRANGER, "X-Envelope-Recipient": "administration@maville.test"},
    )
    assert (record.state, record.transfer) == ("filed", "reply")
    document, proof, message = pages(site, record)
    assert SENTENCE in document
    assert "In the name of an agent, not proven" in proof
    assert "In the name of an agent, not proven" in message
    (notice,) = [each for each in outbox().records.values() if each.origin != "agent"]
    assert notice.origin == "notice", "no copy that bears the agent's name"
    with notice.body.open("r") as body:
        text = " ".join(body.read().decode().replace("=\r\n", "").split())
    assert "Not proven: anyone may have written this answer in the name of this agent." in text


def test_replies_over_the_limit_have_a_remedy_of_their_own(site, sent):
    stored_settings().max_per_sender = 0
    transaction.commit()
    ours, records = sent(), []
    for number in range(12):
        reply = citizen(f"Re {number}", **{"In-Reply-To": ours.message_id, "To": "in@bridge.test"})
        records.append(site.receive(reply.as_bytes()))
    assert [record.reason for record in records] == [""] * 11 + ["too-many-replies"]
    page = shown(site.get(f"/@@mailbridge-inbox-message?id={records[-1].id}", "admin", headers=HTML).text)
    assert "raise the limit" not in page
    assert "replay them: they are filed" in page
