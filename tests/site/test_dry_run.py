"""The dry run says what would be, stores nothing, and keeps test cases that notice a change."""

from hashlib import sha256
from imio.mailbridge.browser import dry_run as page_module
from imio.mailbridge.inbound import cases
from imio.mailbridge.inbound.dry_run import dry_run
from imio.mailbridge.inbound.envelope import Envelope
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.message.classification.classify import compile_agent_patterns
from imio.mailbridge.message.classification.classify import Context
from imio.mailbridge.message.classification.classify import Proof
from imio.mailbridge.message.explain import explain
from imio.mailbridge.settings.read import stored_settings
from pathlib import Path
from plone.uuid.interfaces import IUUID
from tests.mails import citizen
from tests.mails import forwarded
from tests.mails import redirected
from tests.mails import TEXT_FORWARD
from tests.mails import TRUSTED
from tests.message.outlook_message import MSG
from tests.site.rows import EMPTY_ROW
import base64
import lxml.html
import os
import pytest
import re
import transaction
import zlib


HTML = {"Accept": "text/html", "Accept-Language": "en"}
URL = "/@@mailbridge-dry-run"
MESSAGES = sorted((Path(__file__).parent.parent / "messages").glob("*.eml"))


def token(site):
    return re.search(r'name="_authenticator" value="([^"]+)"', site.get(URL, "chef", headers=HTML).text)[1]


def run(site, raw, user="chef", **data):
    data = {"client": "127.0.0.1", "examine": "1", "_authenticator": token(site), **data}
    return site.post(URL, user, data=data, files={"file": ("message.eml", raw)}, headers=HTML).text


def keep(site, page):
    """Press the button below a result, as a browser does."""
    (form,) = [form for form in lxml.html.fromstring(page).forms if "kept" in form.fields]
    return site.post(URL, "chef", data={**dict(form.fields), "keep": "1"}, headers=HTML)


def words(text):
    """Return the text of a page as a person reads it."""
    return " ".join(lxml.html.fromstring(text).text_content().split())


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
    stored_settings().iemail_routing = [
        {**EMPTY_ROW, "forward": "server", "user_value": "_empty_", "tg_value": "_empty_"},
        {**EMPTY_ROW, "subject_pat": "facture", "user_value": "_empty_", "tg_value": "_empty_"},
        {**EMPTY_ROW, "forward": "agent", "user_value": "_transferer_", "tg_value": service},
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
    stored_settings().max_size = 2000
    transaction.commit()
    assert "larger than 2000 bytes" in run(site, redirected() + b"x" * 3000)


@pytest.mark.parametrize("user", [None, "agent", "gateway"])
def test_who_may_not(site, user):
    assert site.get(URL, user, headers=HTML).status_code in (302, 401)


def test_post_needs_a_token(site):
    page = site.post(
        URL, "chef", data={"examine": "1"}, files={"file": ("a.eml", redirected())}, headers=HTML
    ).text
    assert "session had changed" in page
    assert "mailbridge-result" not in page


@pytest.mark.parametrize("form", ["examine", "keep", "delete"])
def test_buttons_need_post(site, form):
    assert site.get(f"{URL}?{form}=1", "chef", headers=HTML).status_code == 404


def test_null_sender_and_the_envelope_are_kept(site):
    page = run(site, redirected(), sender="<>", recipient="IN@bridge.test")
    assert keep(site, page).status_code == 302
    ((_id, case),) = cases.cases()
    assert case.envelope == {
        "envelope_recipient": "in@bridge.test",
        "envelope_sender": "",
        "client_address": "127.0.0.1",
        "null_sender": True,
        "handed_in_by": "",
    }


def test_unknown_recipient_would_be_refused(site):
    text = words(run(site, redirected(), recipient="nobody@bridge.test"))
    assert "refused: the mail server would be told" in text


def test_without_a_recipient_where_several_are_possible(site):
    rows = stored_settings().mailin_addresses
    stored_settings().mailin_addresses = [
        *rows,
        {"address": "cpas@bridge.test", "service": None, "mailbox": None},
    ]
    transaction.commit()
    text = words(run(site, redirected()))
    assert "quarantined" in text
    assert "What to do" in text
    assert 'value="cpas@bridge.test"' in run(site, redirected()), "it can be chosen"


def test_what_is_here_already_is_said(site):
    site.post("/@@mail-in", "gateway", data=redirected(), headers=TRUSTED)
    (record,) = inbox().records.values()
    assert record.state == "filed"
    assert "It is already here" in words(run(site, forwarded(citizen())))
    assert "It is already here" not in words(run(site, forwarded(citizen("Autre"))))


def test_text_is_shown_in_a_frame_that_fetches_nothing(site):
    hostile = redirected().replace(
        b'Content-Type: text/plain; charset="utf-8"', b'Content-Type: text/html; charset="utf-8"'
    )
    assert b"text/html" in hostile
    hostile = hostile.replace(
        b"Bonjour", b"<script>x()</script><img src=http://evil.test/p.png onerror=y()>Bonjour"
    )
    (frame,) = lxml.html.fromstring(run(site, hostile)).iter("iframe")
    assert "allow-scripts" not in frame.get("sandbox")
    assert "allow-same-origin" not in frame.get("sandbox")
    shown = frame.get("srcdoc")
    assert "Bonjour" in shown
    assert "default-src 'none'" in shown
    assert not re.search("evil|script|onerror", shown)


def test_outlook_file(site):
    text = words(run(site, MSG))
    assert "Demande en .msg é" in text
    assert "written to this address" in text


def test_case_notices_what_changed(site):
    assert keep(site, run(site, redirected())).status_code == 302
    ((id, case),) = cases.cases()
    assert (case.result["transfer"], case.result["reason"]) == ("redirect", "")
    assert "Changed: 0 of 1" in words(site.get(f"{URL}?run=1", "chef", headers=HTML).text)
    stored_settings().mailboxes = []
    transaction.commit()
    page = words(site.get(f"{URL}?run=1", "chef", headers=HTML).text)
    assert "Changed: 1 of 1" in page
    assert "filed, now quarantined" in page
    site.post(URL, "chef", data={"delete": id, "_authenticator": token(site)}, headers=HTML)
    assert cases.cases() == []


def test_case_notices_another_row_of_the_routing(site):
    keep(site, run(site, redirected()))
    service = IUUID(site.portal["contacts"]["plonegroup-organization"]["urbanisme"])
    stored_settings().iemail_routing = [
        {**EMPTY_ROW, "forward": "server", "user_value": "_empty_", "tg_value": service}
    ]
    transaction.commit()
    page = words(site.get(f"{URL}?run=1", "chef", headers=HTML).text)
    assert "Row of the routing 0, now 1" in page
    assert "now Urbanisme" in page


def test_running_all_cases_ends(site, monkeypatch):
    keep(site, run(site, redirected()))
    monkeypatch.setattr(page_module, "RUN_TIME", -1)
    assert "not run" in words(site.get(f"{URL}?run=1", "chef", headers=HTML).text)


def test_the_same_case_is_kept_once_and_there_is_an_end(site, monkeypatch):
    monkeypatch.setattr(cases, "MAX_CASES", 1)
    for _time in range(2):
        keep(site, run(site, redirected()))
    assert len(cases.cases()) == 1
    answer = keep(site, run(site, redirected("Autre")))
    page = site.get(answer.headers["Location"], "chef", headers=HTML, cookies=answer.cookies).text
    assert "delete some first" in page
    assert len(cases.cases()) == 1


def test_large_messages_are_kept_or_the_page_says_that_they_cannot(site):
    def large(size):
        message = citizen()
        message.add_attachment(os.urandom(size), "application", "zip", filename="x.zip")
        return message.as_bytes()

    fits = run(site, large(450_000))
    assert keep(site, fits).status_code == 302
    assert len(cases.cases()) == 1
    assert "too large to be kept" in words(run(site, large(900_000)))


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "x",
        "AAAA",
        "not base64 at all",
        base64.urlsafe_b64encode(zlib.compress(bytes(30_000_000))).decode(),
    ],
)
def test_damaged_case_is_not_kept(site, kept):
    data = {"keep": "1", "kept": kept, "_authenticator": token(site)}
    assert site.post(URL, "chef", data=data, headers=HTML).status_code == 302
    assert cases.cases() == []


@pytest.mark.parametrize("user", [None, "agent", "gateway"])
def test_who_may_not_keep_or_delete(site, user):
    keep(site, run(site, redirected()))
    ((id, _case),) = cases.cases()
    for data in ({"delete": id}, {"keep": "1", "kept": "eJwDAAAAAAE="}):
        assert site.post(URL, user, data=data, headers=HTML).status_code in (302, 401)
    assert [known for known, _case in cases.cases()] == [id]


def test_page_and_command_agree(site):
    values = stored_settings()
    values.agent_patterns, values.mailboxes = (
        [r".+@maville\.be"],
        [{"address": "contact@maville.be", "service": None}],
    )
    transaction.commit()
    context = Context(
        agent_patterns=compile_agent_patterns([r".+@maville\.be"]),
        source_mailboxes=frozenset({"contact@maville.be"}),
        proof=Proof.GATEWAY,
        own_addresses=frozenset({"in@bridge.test"}),
    )
    envelope = Envelope("in@bridge.test", "", "127.0.0.1")
    chosen = MESSAGES[::2]
    assert len(chosen) >= 30
    for path in chosen:
        raw = path.read_bytes()
        ours, said = dry_run(raw, envelope).result(), explain("x", raw, context)
        assert (ours["transfer"], ours["reason"]) == (said["transfer"], said["reason"] or ""), path.name
        assert len(ours["messages"]) == len(said["messages"]), path.name
        for one, other in zip(ours["messages"], said["messages"], strict=True):
            assert one["subject"] == (other["subject"] or ""), path.name
            assert (other["from"] or "") in one["from"].lower(), path.name


def test_what_the_page_says_is_what_becomes_of_it(site):
    for path in MESSAGES[1::6]:
        raw = path.read_bytes()
        said = dry_run(raw, Envelope("in@bridge.test", "", "127.0.0.1"))
        site.post("/@@mail-in", "gateway", data=raw, headers={**TRUSTED, "X-Envelope-Sender": "x@y.test"})
        record = next(
            record for record in inbox().records.values() if record.sha256 == sha256(raw).hexdigest()
        )
        assert (said.state, said.reason) == (record.state, record.reason), path.name
        assert said.decision.found.transfer.value == record.transfer, path.name
