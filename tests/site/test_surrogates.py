"""A lone surrogate, which no charset can write, is refused where it comes in, and stops no page and no export."""

from dataclasses import replace
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.parsing.parse import parse
from imio.mailbridge.outbox.record import outbox
from tests.site.send_email import send as post
import csv
import io
import pytest
import transaction


LONE = "\ud800"
HTML = {"headers": {"Accept": "text/html"}}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"subject": f"Votre {LONE} permis"}, "subject"),
        ({"body": f"<p>Votre {LONE} permis</p>"}, "body"),
        ({"to": [f"Jeanne {LONE} <jeanne@citizen.test>"]}, "to"),
        ({"to": [f"jeanne{LONE}@citizen.test"]}, "to"),
        ({"cc": [f"Jeanne {LONE} <jeanne@citizen.test>"]}, "cc"),
        ({"attachments": [LONE]}, "attachments"),
        ({"sender": LONE}, "sender"),
        ({"send_at": LONE}, "send_at"),
    ],
)
def test_refused_where_it_comes_in(site, changes, field):
    answer = post(site, **changes)
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert len(outbox()) == 0


@pytest.mark.parametrize("where", ["subject", "sender", "history"])
def test_export_and_pages_are_total(site, send, where):
    record = send("jeanne@citizen.test", run=False)
    if where == "subject":
        record.subject = f"Votre {LONE} permis"
    elif where == "sender":
        author = Address(f"Al {LONE} Bert", "al.bert@maville.test")
        record.sender = replace(record.sender, author=author)
    else:
        record.note(None, "queued", text=f"550 {LONE}")
    transaction.commit()
    export = site.get("/@@mailbridge-outbox.csv", "chef", **HTML)
    assert export.status_code == 200
    assert len(list(csv.reader(io.StringIO(export.content.decode("utf-8-sig")), delimiter=";"))) == 2
    for path in ("/@@mailbridge-outbox", f"/@@mailbridge-outbox-message?id={record.id}"):
        assert site.get(path, "chef", **HTML).status_code == 200
    assert site.get(f"/@outbox/{record.id}", "chef").status_code == 200


def test_none_comes_from_a_charset():
    message = parse(
        b"From: =?utf-7?q?+2AA-?= <a@b.test>\nSubject: =?utf-7?q?A+2AA-B?=\n"
        b"Content-Type: text/plain; charset=utf-7\n\nA+2AA-B\n"
    )
    for text in (message.subject, str(message.author), message.text):
        text.encode()
