"""Message files that a person hands in on a page: filed like mail, with the log-in as proof of who brought them."""

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from imio.mailbridge.iadocs.demo import PASSWORD
from imio.mailbridge.inbound import receive
from imio.mailbridge.inbound.inbox import Inbox
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.settings.read import stored_settings
from pathlib import Path
from plone import api
from plone.app.uuid.utils import uuidToObject
from plone.uuid.interfaces import IUUID
from tests.mails import citizen
from tests.mails import dsn
from tests.mails import redirected
from tests.mails import TEXT_FORWARD
from tests.message.outlook_message import MSG
from tests.servers.waiting import TIMEOUT
from tests.site.rows import EMPTY_ROW
from ZODB.POSException import ConflictError
import lxml.html
import pytest
import requests
import transaction


HTML = {"Accept": "text/html", "Accept-Language": "en"}
PAGE = "/incoming-mail/@@mailbridge-hand-in"
MESSAGES = Path(__file__).parent.parent / "messages"
MAY = ("agent", "agent2", "chef", "admin")


def token(site, user="agent"):
    return (
        lxml.html.fromstring(site.get(PAGE, user, headers=HTML).text)
        .cssselect("#mailbridge-drop-area [name=_authenticator]")[0]
        .get("value")
    )


def post(site, *files, user="agent", **data):
    """Hand files in, each a (name, bytes) pair, as the plain form does."""
    data = {"hand_in": "1", "_authenticator": token(site, user), **data}
    return site.post(PAGE, user, data=data, files=[("file", each) for each in files], headers=HTML)


def results(text):
    """Return (kind, text, targets of links) of each result that a page or a part of one shows."""
    return [
        (
            found.get("data-handed-in"),
            " ".join(found.text_content().split()),
            [link.get("href") for link in found.cssselect("a")],
        )
        for found in lxml.html.fromstring(text).cssselect("[data-handed-in]")
    ]


def only(answer):
    (result,) = results(answer.text)
    return result


def records():
    return sorted(inbox().records.values(), key=lambda record: record.created)


def item(record):
    return uuidToObject(record.items[0], unrestricted=True)


def test_several_files_have_a_result_each_and_bad_ones_stop_none(site):
    raw = citizen("Une véranda é").as_bytes()
    answer = post(
        site,
        ("C:\\Users\\al\\v<b>.eml", raw),
        ("page.eml", b"<html><body><p>Subject: no mail</p></body></html>"),
        ("photo.msg", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 4000),
        ("empty.eml", b""),
        ("secret.eml", (MESSAGES / "redirect-encrypted-smime.eml").read_bytes()),
        ("letter.txt", MSG),
    )
    assert answer.status_code == 200
    filed, html, no_msg, empty, encrypted, outlook = results(answer.text)
    assert filed[:2] == ("success", "v<b>.eml Filed · Une véranda é")
    assert html[0] == no_msg[0] == empty[0] == encrypted[0] == "danger"
    assert "This is not an e-mail" in html[1]
    assert "This is not an e-mail" in no_msg[1]
    assert "empty" in empty[1]
    assert "encrypted" in encrypted[1]
    assert outlook[0] == "success", "what a file is called decides nothing"
    first, second = records()
    with first.raw.open() as stored:
        assert stored.read() == raw
    assert (first.sha256, first.state, first.transfer) == (sha256(raw).hexdigest(), "filed", "forward")
    assert (first.handed_in_by, first.transferred_by, first.proof) == (
        "agent",
        "al.bert@maville.test",
        "login",
    )
    assert filed[2] == [f"{item(first).absolute_url()}/view"]
    document = item(first)
    service = site.portal["contacts"]["plonegroup-organization"]["administration-generale"]
    assert (document.assigned_user, document.treating_groups) == ("agent", IUUID(service))
    assert document.orig_sender_email == '"Jeanne Dupont" <jeanne.dupont@citizen.test>'
    assert item(second)["mail"].file.contentType == "application/vnd.ms-outlook"
    proof = lxml.html.fromstring(
        site.get(
            f"/incoming-mail/{document.aq_parent.id}/{document.id}/@@mailbridge-proof", "agent", headers=HTML
        ).text
    ).text_content()
    assert "Handed in by" in proof
    assert "Al Bert <al.bert@maville.test>" in proof
    assert "the person who handed it in was logged in" in proof
    assert "Forwarded by" not in proof
    mine = site.get("/@@my-forwards", "agent", headers=HTML).text
    assert "Une véranda é" in mine
    for user, status in (("agent", 200), ("agent2", 404), ("chef", 200)):
        path = f"/@@mailbridge-inbox-message?id={first.id}"
        assert site.get(path, user, headers=HTML).status_code == status


def test_the_same_again_is_known_whoever_brings_it_and_however(site):
    raw = citizen().as_bytes()
    (_kind, _text, first) = only(post(site, ("a.eml", raw), part="1"))
    again = only(post(site, ("b.eml", raw), part="1"))
    assert again == ("info", "b.eml Already known · Une véranda é", first)
    assert len(inbox()) == 1
    assert only(post(site, ("a.eml", raw), part="1", user="agent2"))[::2] == ("info", first)
    mine, of_colleague = records()
    assert mine.items == of_colleague.items
    urbanisme = IUUID(site.portal["contacts"]["plonegroup-organization"]["urbanisme"])
    assert item(mine).recipient_groups == [urbanisme], "as after a second forward"
    assert site.receive(redirected()).items == mine.items
    assert only(post(site, ("r.eml", redirected("Autre")), part="1"))[0] == "success"


def test_a_forward_or_a_redirect_that_is_dropped_is_filed_as_it_is(site):
    for raw in (TEXT_FORWARD, redirected("Suivi", **{"X-Loop": "in@bridge.test"})):
        assert only(post(site, ("a.eml", raw)))[0] == "success"
    assert {record.source_mailbox for record in records()} == {""}


def test_rules_for_forwards_of_agents_apply(site):
    urbanisme = IUUID(site.portal["contacts"]["plonegroup-organization"]["urbanisme"])
    stored_settings().iemail_routing = [
        {**EMPTY_ROW, "forward": "server", "user_value": "_empty_", "tg_value": "_empty_"},
        {**EMPTY_ROW, "forward": "agent", "transfer_email_pat": r"al\.bert@.*", "user_value": "_empty_",
         "tg_value": urbanisme},
    ]  # fmt: skip
    transaction.commit()
    assert only(post(site, ("a.eml", citizen().as_bytes())))[0] == "success"
    (record,) = records()
    assert (item(record).treating_groups, item(record).assigned_user) == (urbanisme, None)


def test_answers_and_reports_on_our_mail_count_as_such(site, sent):
    message = sent()
    raw = citizen("Re: Votre permis", **{"In-Reply-To": message.message_id}).as_bytes()
    assert only(post(site, ("re.eml", raw)))[0] == "success"
    report = dsn(message_id=message.message_id).encode()
    kind, text, links = only(post(site, ("dsn.eml", report)))
    assert (kind, links) == ("success", [])
    assert "Noted" in text
    assert "non-delivery report" in text
    reply, bounce = records()
    assert (reply.transfer, reply.about, bounce.transfer, bounce.state) == (
        "reply",
        message.id,
        "bounce",
        "recorded",
    )


def test_a_person_who_is_no_agent_and_a_site_without_addresses(site):
    stored_settings().mailin_addresses = []
    transaction.commit()
    assert only(post(site, ("a.eml", citizen().as_bytes()), user="admin"))[0] == "success"
    (record,) = records()
    assert (record.transferred_by, record.handed_in_by) == ("", "admin")
    assert item(record).assigned_user is None


def test_sixty_megabytes(site):
    file = ("big.msg", MSG + b"\0" * 60_000_000)
    kind, text, _links = only(post(site, file, part="1"))
    assert (kind, text) == ("danger", "big.msg This file is larger than 40 MB, so it was not filed.")
    assert len(inbox()) == 0


def test_size_none_and_get(site):
    stored_settings().max_size = 2000
    transaction.commit()
    kind, text, _links = only(post(site, ("big.eml", citizen().as_bytes() + b"x" * 3000)))
    assert (kind, text) == ("danger", "big.eml This file is larger than 2 kB, so it was not filed.")
    assert "Choose at least one file first" in post(site).text
    assert site.get(f"{PAGE}?hand_in=1", "agent", headers=HTML).status_code == 404
    stale = only(post(site, ("a.eml", b"From: a@b.test\n\nx"), part="1", _authenticator="x"))
    assert (stale[0], "session had changed" in stale[1]) == ("danger", True)
    assert "session had changed" not in site.get(PAGE, "agent", headers=HTML).text
    assert len(inbox()) == 0


@pytest.mark.parametrize("user", [None, "gateway", "reader", *MAY])
def test_who_may(site, user):
    if user == "reader":
        site.portal.acl_users.userFolderAddUser("reader", "demo-iadocs", ["Member", "Reader"], [])
        transaction.commit()
    may = user in MAY
    for path in (PAGE, "/@@mailbridge-hand-in"):
        assert (site.get(path, user, headers=HTML).status_code == 200) is may
        data = {"hand_in": "1", "part": "1", "_authenticator": token(site, "admin")}
        file = {"file": ("a.eml", citizen().as_bytes())}
        if not may:
            assert site.post(path, user, data=data, files=file, headers=HTML).status_code in (
                302,
                401,
                403,
                404,
            )
    for path in ("", "/incoming-mail"):
        area = site.get(f"{path}/@@mailbridge-drop-area", user, headers=HTML)
        assert ("mailbridge-drop-files" in area.text) is may
    assert site.get("/outgoing-mail/@@mailbridge-hand-in", "admin", headers=HTML).status_code == 404
    assert len(inbox()) == 0


def test_the_list_of_incoming_mail_and_its_periods_offers_the_area(site):
    assert only(post(site, ("a.eml", citizen().as_bytes())))[0] == "success"
    period = item(records()[0]).aq_parent.id
    for path, shown in (
        ("/incoming-mail", 1),
        (f"/incoming-mail/{period}", 1),
        ("/outgoing-mail", 0),
        (PAGE, 1),
        ("/@@mailbridge-hand-in", 1),
    ):
        assert site.get(path, "agent", headers=HTML).text.count('id="mailbridge-drop-area"') == shown, path


def test_eight_at_once_are_all_filed_once(site):
    key, same = token(site), citizen("La même").as_bytes()

    def send(number):
        raw = same if number % 2 else citizen(f"Lettre {number}").as_bytes()
        data = {"hand_in": "1", "part": "1", "_authenticator": key}
        files = {"file": ("a.eml", raw)}
        return requests.post(
            f"{site.url}{PAGE}", auth=("agent", PASSWORD), data=data, files=files, timeout=TIMEOUT
        )

    with ThreadPoolExecutor(8) as pool:
        answers = [only(answer)[0] for answer in pool.map(send, range(16))]
    assert set(answers) <= {"success", "info"}
    transaction.begin()
    assert len(inbox()) == 9
    assert {record.state for record in records()} == {"filed"}
    assert len(api.content.find(portal_type="dmsincoming_email", unrestricted=True, Title="La même")) == 1


def test_only_conflicts_nothing_is_kept_and_the_person_is_told(site, monkeypatch):
    def busy(self, record):
        raise ConflictError

    key = token(site)
    monkeypatch.setattr(Inbox, "add", busy)
    kind, text, _links = only(post(site, ("a.eml", citizen().as_bytes()), _authenticator=key))
    assert (kind, "Hand it in again" in text) == ("warning", True)
    transaction.begin()
    assert len(inbox()) == 0


def test_what_is_stored_and_not_processed_goes_on_when_it_comes_again_or_by_the_sweep(site, monkeypatch):
    def busy(record):
        raise ConflictError

    raw = citizen().as_bytes()
    with monkeypatch.context() as stopped:
        stopped.setattr(receive, "process", busy)
        kind, text, links = only(post(site, ("a.eml", raw)))
        assert (kind, "filed in about a minute" in text, links) == ("info", True, [])
        assert only(post(site, ("b.eml", raw + b"\n")))[0] == "info"
    first, second = records()
    assert first.state == second.state == "received"
    assert only(post(site, ("a.eml", raw)))[0] == "success"
    assert site.task("@@mailbridge-process", id=second.id) == 204
    assert {(record.state, record.proof) for record in records()} == {("filed", "login")}


def test_what_could_not_be_filed_is_kept_and_filed_when_it_comes_again(site):
    fti = api.portal.get_tool("portal_types")["dmsappendixfile"]
    api.portal.get_tool("portal_types")._delObject("dmsappendixfile")
    transaction.commit()
    kind, text, links = only(post(site, ("a.eml", citizen().as_bytes())))
    assert (kind, "a mail manager decides" in text) == ("warning", True)
    assert site.get(links[0], "agent", headers=HTML).status_code == 200
    api.portal.get_tool("portal_types")._setObject("dmsappendixfile", fti)
    transaction.commit()
    assert only(post(site, ("a.eml", citizen().as_bytes())))[0] in ("success", "info")
    (record,) = records()
    assert record.state == "filed"
