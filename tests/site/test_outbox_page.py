"""The outbox for managers of mail: list, bulk actions, one message, export, the message as it left."""

from imio.mailbridge.browser.outbox import harmless
from imio.mailbridge.outbox.record import outbox
import csv
import io
import pytest
import re
import transaction


PAGE = "/@@mailbridge-outbox"
HTML = {"headers": {"Accept": "text/html"}}


def token(site, user):
    """Return what plone.protect wants of a form."""
    page = site.get(f"{PAGE}?q=", user, **HTML).text
    found = re.search(r'name="_authenticator" value="(\w+)"', page)
    return found[1] if found else ""


@pytest.fixture
def send(caught, send):
    """Send from the contact; return the record."""
    send_one = send

    def send(subject="Votre permis", to="jeanne@citizen.test", run=False, **data):
        return send_one(to, path="/contacts/jeanne-dupont", subject=subject, run=run, **data)

    return send


@pytest.mark.parametrize("page", [PAGE, f"{PAGE}-message?id=x", f"{PAGE}-source?id=x", f"{PAGE}.csv"])
@pytest.mark.parametrize("user", [None, "agent", "gateway"])
def test_managers_only(site, page, user):
    answer = site.get(page, user, **HTML)
    assert answer.status_code in (302, 401, 403), answer.text[:500]


@pytest.mark.parametrize("page", [f"{PAGE}-message", f"{PAGE}-source?id=x", f"{PAGE}-message?id:list=x"])
def test_no_such_message(site, page):
    assert site.get(page, "chef", **HTML).status_code == 404


def test_list_and_filters(site, send):
    send("Premier")
    send("Second <b>gras</b>", bcc=["secret@citizen.test"])
    page = site.get(PAGE, "chef", **HTML).text
    assert page.index("Second &lt;b&gt;") < page.index("Premier")
    assert "secret@citizen.test" in page, "managers see blind copies"
    page = site.get(f"{PAGE}?q=premier", "chef", **HTML).text
    assert "Premier" in page
    assert "Second" not in page
    assert "Premier" not in site.get(f"{PAGE}?agent=agent2", "chef", **HTML).text
    bad = site.get(f"{PAGE}?from=hier", "chef", **HTML)
    assert bad.status_code == 200
    assert "Premier" in bad.text


def test_pages_keep_the_filter(site, send):
    for number in range(51):
        send(f"Avis {number}", to="a@citizen.test")
    send("Autre")
    page = site.get(f"{PAGE}?q=avis", "chef", **HTML).text
    assert "Avis 50" in page
    assert "Avis 0<" not in page
    page = site.get(f"{PAGE}?q=avis&b_start=50", "chef", **HTML).text
    assert "Avis 0<" in page


def act(site, user="chef", with_token=True, **data):
    data = {**data, **({"_authenticator": token(site, user)} if with_token else {})}
    return site.post(PAGE, user, data=data, **HTML)


def test_bulk(site, send, caught):
    caught.answers["rcpt"] = "550 5.1.1 no such user"
    failed, waiting = send(run=True), send()
    sent = send()
    outbox().update(sent, {"jeanne@citizen.test": "sent"})
    transaction.commit()
    ids = [record.id for record in (failed, waiting, sent)]
    answer = act(site, retry="1", **{"ids:list": ids})
    assert answer.status_code == 302
    transaction.begin()
    assert failed.state == "queued"
    assert failed.history[-1]["by"] == "chef", "who did it"
    act(site, cancel="1", **{"ids:list": ids})
    transaction.begin()
    assert [record.state for record in (failed, waiting, sent)] == ["cancelled", "cancelled", "sent"]


@pytest.mark.parametrize("data", [{}, {"ids:list": ["x"]}, {"ids": "x"}])
def test_bulk_of_nothing(site, send, data):
    record = send()
    assert act(site, cancel="1", **data).status_code == 302
    transaction.begin()
    assert record.state == "queued"


def test_bulk_needs_a_post_with_a_token(site, send):
    record = send()
    assert act(site, with_token=False, cancel="1", **{"ids:list": [record.id]}).status_code == 200
    assert site.get(f"{PAGE}?cancel=1&ids:list={record.id}", "chef", **HTML).status_code == 404
    transaction.begin()
    assert record.state == "queued"


def test_one_message_with_remedies(site, send, caught):
    caught.answers["rcpt"] = "550 5.7.1 relay <script>denied"
    record = send(run=True, bcc=["secret@citizen.test"])
    page = site.get(f"{PAGE}-message?id={record.id}", "chef", **HTML).text
    for expected in (
        record.message_id.strip("<>"),
        "secret@citizen.test",
        "relay &lt;script&gt;denied",
        "550",
    ):
        assert expected in page
    assert "<script>denied" not in page
    assert f"{PAGE}-source?id={record.id}" in page


def test_buttons_lead_back_to_the_message(site, send, caught):
    caught.answers["rcpt"] = "550 5.1.1 no such user"
    record = send(run=True)
    data = {"retry": record.id, "back": "outbox", "_authenticator": token(site, "chef")}
    answer = site.post("/@@mailbridge-message", "chef", data=data, **HTML)
    assert answer.headers["Location"].endswith(f"{PAGE}-message?id={record.id}")


def test_message_as_it_left(site, send, caught):
    record = send(run=True, subject="L’été .\n".strip())
    answer = site.get(f"{PAGE}-source?id={record.id}", "chef", **HTML)
    assert answer.content == caught.messages[0].content
    assert answer.headers["Content-Type"] == "message/rfc822"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert int(answer.headers["Content-Length"]) == len(answer.content) == record.size
    transaction.begin()
    assert record.history[-1]["by"] == "chef", "who read it"
    source = site.get(f"/@outbox/{record.id}/source", "agent")
    assert source.content == answer.content
    assert site.get(f"/@outbox/{record.id}/source", "agent2").status_code == 404


def test_message_that_was_deleted(site, send, caught):
    record = send(run=True)
    record.body = record.written = None
    transaction.commit()
    assert site.get(f"{PAGE}-source?id={record.id}", "chef", **HTML).status_code == 404
    assert site.get(f"/@outbox/{record.id}/source", "chef").status_code == 404
    page = site.get(f"{PAGE}-message?id={record.id}", "chef", **HTML)
    assert page.status_code == 200
    assert f"{PAGE}-source" not in page.text


def test_export(site, send):
    send('=HYPERLINK("http://evil.test")')
    send("Été ; hiver")
    answer = site.get(f"{PAGE}.csv", "chef", **HTML)
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    head, second, first = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";")
    assert len(head) == len(first) == 10
    assert first[5] == '\'=HYPERLINK("http://evil.test")'
    assert second[5] == "Été ; hiver"
    assert "jeanne@citizen.test" in second[6]
    assert len(site.get(f"{PAGE}.csv?q=hiver", "chef", **HTML).text.splitlines()) == 2
    assert site.get(f"{PAGE}.csv?state=x", "chef", **HTML).status_code == 404


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@x", "\tx", "\rx"])
def test_cells_that_would_be_formulas(cell):
    assert harmless(cell) == f"'{cell}"
    assert harmless(f"x{cell}") == f"x{cell}"


def test_rest_has_the_same_filters(site, send):
    wanted = send("Facture")
    send("Permis")
    found = site.get("/@outbox?q=facture", "chef").json()
    assert [item["id"] for item in found["items"]] == [wanted.id]
    assert site.get("/@outbox?state=queued", "chef").json()["items_total"] == 2
    answer = site.get("/@outbox?from=demain", "chef")
    assert answer.status_code == 400
    assert "from" in answer.json()["message"]
