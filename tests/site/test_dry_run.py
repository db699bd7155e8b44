"""The dry run says what would be, stores nothing, and keeps test cases that notice a change."""

from imio.mailbridge.browser import dryrun
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.message.classify import compile_agent_patterns
from imio.mailbridge.message.classify import Context
from imio.mailbridge.message.classify import Proof
from imio.mailbridge.message.explain import explain
from imio.mailbridge.settings.read import settings
from pathlib import Path
from plone.uuid.interfaces import IUUID
from tests.mails import citizen
from tests.mails import forwarded
from tests.mails import redirected
from tests.mails import TEXT_FORWARD
import pytest
import re
import transaction


HTML = {"Accept": "text/html", "Accept-Language": "en"}
URL = "/@@mailbridge-dry-run"
MESSAGES = sorted((Path(__file__).parent.parent / "messages").glob("*.eml"))


def token(site):
    return re.search(r'name="_authenticator" value="([^"]+)"', site.get(URL, "chef", headers=HTML).text)[1]


def run(site, raw, user="chef", **data):
    data = {"client": "127.0.0.1", "examine": "1", "_authenticator": token(site), **data}
    return site.post(URL, user, data=data, files={"file": ("message.eml", raw)}, headers=HTML).text


def keep(site, page):
    form = page[page.index('name="kept"') :]
    fields = dict(re.findall(r'name="(\w+)"[^>]*value="([^"]*)"', "<input " + form))
    fields |= {"keep": "1", "_authenticator": token(site)}
    fields["sender"] = fields.get("sender", "").replace("&lt;", "<").replace("&gt;", ">")
    return site.post(URL, "chef", data=fields, headers=HTML)


def test_redirect_would_be_filed(site):
    run(site, redirected())  # the first page makes keys for its forms
    before = site.portal._p_jar.db().lastTransaction()
    text = run(site, redirected())
    assert "redirected by a mailbox" in text
    assert "Jeanne Dupont" in text
    assert "trusted mail server" in text
    assert "plan.pdf" in text
    assert "Redirected by (Resent-From)" in text
    assert len(inbox()) == 0
    assert site.portal._p_jar.db().lastTransaction() == before, "nothing was written"


def test_text_forward_would_be_quarantined_and_says_why(site):
    text = run(site, TEXT_FORWARD)
    assert "forwarded as text" in text
    assert "What to do" in text


def test_routing_row_and_why_others_did_not(site):
    service = IUUID(site.portal["contacts"]["plonegroup-organization"]["urbanisme"])
    empty = dict.fromkeys(
        (
            "forward",
            "transfer_email_pat",
            "original_email_pat",
            "recipient_pat",
            "subject_pat",
            "tal_condition_1",
            "tal_condition_2",
        )
    )
    settings().iemail_routing = [
        {**empty, "forward": "server", "user_value": "_empty_", "tg_value": "_empty_"},
        {**empty, "subject_pat": "facture", "user_value": "_empty_", "tg_value": "_empty_"},
        {**empty, "forward": "agent", "user_value": "_transferer_", "tg_value": service},
    ]
    transaction.commit()
    text = run(site, forwarded(citizen()))
    assert "Row 3 of the routing decided" in text
    assert "row 1: “How it came in” does not hold" in text
    assert "row 2: “Subject” does not hold" in text
    assert "Urbanisme" in text
    assert "is not in the service" in text


@pytest.mark.parametrize("raw", [b"", b"\x00\xff", b"From: a@b.test\n" + b"X: y\n" * 5000])
def test_bad_files_are_explained(site, raw):
    assert "Traceback" not in run(site, raw)


def test_too_large_a_file_is_refused(site):
    settings().max_size = 2000
    transaction.commit()
    assert "larger than 2000 bytes" in run(site, redirected() + b"x" * 3000)


@pytest.mark.parametrize("user", [None, "agent", "gateway"])
def test_who_may_not(site, user):
    assert site.get(URL, user, headers=HTML).status_code in (302, 401)


def test_post_needs_a_token(site):
    assert site.post(URL, "chef", data={"examine": "1"}, headers=HTML).status_code == 403


def test_case_notices_what_changed(site):
    assert keep(site, run(site, redirected())).status_code == 302
    (case,) = dryrun.cases().values()
    assert (case.result["transfer"], case.result["reason"]) == ("redirect", "")
    page = site.get(f"{URL}?run=1", "chef", headers=HTML).text
    assert "unchanged" in page
    settings().mailboxes = []
    transaction.commit()
    page = site.get(f"{URL}?run=1", "chef", headers=HTML).text
    assert "unchanged" not in page
    assert "undeclared-mailbox" in page
    (id,) = dryrun.cases()
    site.post(URL, "chef", data={"delete": id, "_authenticator": token(site)}, headers=HTML)
    assert not dryrun.cases()


@pytest.mark.parametrize("kept", ["", "x", "AAAA", "not base64 at all"])
def test_damaged_case_is_not_kept(site, kept):
    data = {"keep": "1", "kept": kept, "_authenticator": token(site)}
    assert site.post(URL, "chef", data=data, headers=HTML).status_code == 302
    assert not dryrun.cases()


def test_page_and_command_agree(site):
    values = settings()
    values.agent_patterns, values.mailboxes = (
        [r".+@maville\.be"],
        [{"address": "contact@maville.be", "service": None}],
    )
    transaction.commit()
    context = Context(
        agent_patterns=compile_agent_patterns([r".+@maville\.be"]),
        mailboxes=frozenset({"contact@maville.be"}),
        proof=Proof.GATEWAY,
    )
    envelope = dryrun.Envelope("in@bridge.test", "", "127.0.0.1")
    for path in MESSAGES[::3]:
        raw = path.read_bytes()
        _message, found, outcomes = dryrun.examined(raw, envelope)
        ours, said = dryrun.result_of(found, outcomes), explain("x", raw, context)
        assert (ours["transfer"], ours["reason"]) == (said["transfer"], said["reason"] or ""), path.name
        assert [each["subject"] for each in ours["messages"]] == [
            each["subject"] or "" for each in said["messages"]
        ], path.name
