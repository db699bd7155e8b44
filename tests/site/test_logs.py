"""Each line of the log says which record and site it is about; no text from outside begins a line or a field."""

from imio.mailbridge.delivery import deliver as delivery
from imio.mailbridge.delivery import send as sending
from imio.mailbridge.inbound import process as processing
from imio.mailbridge.logs import about
from imio.mailbridge.logs import Formatter
from imio.mailbridge.logs.formatter import FORMAT
from imio.mailbridge.logs.formatter import LOG
from imio.mailbridge.taskqueue import queue as queues
from tests.mails import redirected
import io
import json
import logging
import pytest
import transaction


SECRET = "in+abc23defghjkmnpqrstuv@bridge.test"
FORGED = "harmless\n2026-01-01 00:00:00,000 ERROR root record=forged gone\r\u2028\x1b[31mred"


@pytest.fixture
def log():
    """``log()`` returns the lines that were written so far, by the formatter of a worker."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Formatter(FORMAT))
    root = logging.getLogger()
    root.addHandler(handler)
    yield lambda: stream.getvalue().split("\n")[:-1]
    root.removeHandler(handler)


def note(text, *args, **options):
    logging.getLogger("imio.mailbridge.test").error(text, *args, **options)


def test_what_is_worked_on_stands_before_the_message(log):
    note("before")
    with about(record="abc", site="/iadocs"):
        with about(record="def"):
            note("inner")
        note("outer record=%s", "x")
    before, inner, outer = log()
    assert before.endswith(" ERROR imio.mailbridge.test before")
    assert inner.endswith(" ERROR imio.mailbridge.test site=/iadocs record=def inner")
    assert outer.endswith(" site=/iadocs record=abc outer record=x")


@pytest.mark.parametrize("write", [lambda: note(FORGED), lambda: note("%s", FORGED)])
def test_a_text_begins_no_line(log, write):
    write()
    (line,) = log()
    assert "harmless\\n2026" in line
    assert line.isprintable()


def test_a_value_begins_no_line_and_no_field(log):
    with about(record="x\nrecord=y z", site='/a "b'):
        note("text")
    (line,) = log()
    assert r'site="/a \"b" record="x\nrecord=y z" text' in line


def test_a_traceback_is_indented(log):
    try:
        raise ValueError(FORGED)
    except ValueError:
        note("failed", exc_info=True)
    first, *others = log()
    assert first.endswith("failed")
    assert others
    assert all(line.startswith("    ") and line.isprintable() for line in others)


def test_json_is_one_line(log, monkeypatch):
    monkeypatch.setenv(LOG, "json")
    with about(record="abc", site="/iadocs"):
        try:
            raise ValueError(FORGED)
        except ValueError:
            note(FORGED, exc_info=True)
    (line,) = log()
    event = json.loads(line)
    assert (event["record"], event["site"], event["message"]) == ("abc", "/iadocs", FORGED)
    assert (event["level"], event["logger"]) == ("ERROR", "imio.mailbridge.test")
    assert FORGED in event["exception"]
    assert line.isascii()


@pytest.mark.parametrize("kind", ["text", "json"])
def test_secret_addresses_are_masked(log, monkeypatch, kind):
    monkeypatch.setenv(LOG, kind)
    try:
        raise ValueError(SECRET)
    except ValueError:
        note("to %s", SECRET, exc_info=True)
    assert "abc23defghjkmnpqrstuv" not in "".join(log())
    assert "bridge.test" in "".join(log())


def test_another_formatter_sees_the_event_as_it_was(log, caplog):
    note("to %s", "a\nb")
    assert caplog.messages[-1] == "to a\nb"


def lines_of(log, text):
    return [line for line in log() if text in line]


def test_incoming_message_that_fails(site, log, monkeypatch):
    monkeypatch.setattr(processing, "apply", lambda *_args, **_options: 1 / 0)
    id = site.mail_in(redirected()).json()["id"]
    (line,) = lines_of(log, "could not be processed")
    assert f" site=/plone record={id} " in line


def test_task_and_what_libraries_say_meanwhile(site, log, monkeypatch):
    id = site.mail_in(redirected(), Prefer="respond-async").json()["id"]
    huey = queues.get_queue(queues.FILING).huey
    huey.flush()
    processing_module = processing.read

    def read(record):
        logging.getLogger("ZODB").warning("a conflict")
        return processing_module(record)

    monkeypatch.setattr(processing, "read", read)
    queues.get_queue(queues.FILING).submit(
        0, "task", "/plone/@@mailbridge-process", "POST", {"id": id}, {}, "", None, "/plone"
    )
    huey.execute(huey.dequeue())
    (line,) = lines_of(log, "a conflict")
    assert f"site=/plone record={id} task=task a conflict" in line


def test_each_message_of_a_delivery_and_its_dialogue_in_another_thread(site, caught, send, log, monkeypatch):
    records = [send(run=False) for _ in range(3)]
    dialogue = sending._dialogue

    def told(claim, *args):
        note("dialogue %s", claim.id)
        return dialogue(claim, *args)

    settle = delivery.settle

    def settled(box, account, id, *args):
        note("settle %s", id)
        return settle(box, account, id, *args)

    monkeypatch.setattr(sending, "_dialogue", told)
    monkeypatch.setattr(delivery, "settle", settled)
    delivery.deliver()
    transaction.begin()
    for record in records:
        for word in ("dialogue", "settle"):
            (line,) = lines_of(log, f"{word} {record.id}")
            assert f" record={record.id} " in line
            assert " site=/plone " in line
