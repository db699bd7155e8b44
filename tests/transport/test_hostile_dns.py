"""DNS servers that are slow, endless or wrong: bounded for a message, and what they left open counts as unanswered."""

from imio.mailbridge.message.authentication.signatures import Unanswered
from imio.mailbridge.transport import txt_lookup
from imio.mailbridge.transport.txt_lookup import TxtLookup
from tests.servers.resolver import Resolver
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
import random
import threading


NAME = "s._domainkey.citizen.test"


class Hostile(Resolver):
    """A server whose answers ``reply(query, stream)`` makes; a message, or bytes."""

    def __init__(self, reply):
        super().__init__()
        self.reply = reply
        self.asked = []
        self.over = threading.Event()

    def answer(self, data, stream=False):
        query = dns.message.from_wire(data)
        self.asked.append(query.question[0].name.to_text())
        reply = self.reply(query, stream)
        return reply if isinstance(reply, bytes) else reply.to_wire(max_size=65535)

    def __exit__(self, *exception):
        self.over.set()
        super().__exit__(*exception)


def answered(query, *records, rcode=dns.rcode.NOERROR):
    """Return an answer of records, (name, type, value)."""
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.RA
    reply.set_rcode(rcode)
    reply.answer += [dns.rrset.from_text(f"{name}.", 60, "IN", kind, value) for name, kind, value in records]
    return reply


def chain(count, *last):
    """Return records of names that are each another name."""
    names = [NAME, *(f"n{number}.citizen.test" for number in range(count))]
    return [(one, "CNAME", f"{other}.") for one, other in zip(names, names[1:], strict=False)] + [
        (names[-1], kind, value) for kind, value in last
    ]


def looked_up(reply, *names):
    """Return what is known of each name: its records, or the text of ``Unanswered``."""
    with Hostile(reply) as server:
        lookup = TxtLookup(server.address)
        return [told(lookup, name) for name in names or [NAME]]


def told(lookup, name):
    try:
        return lookup(name)
    except Unanswered as error:
        return str(error)


def test_server_that_keeps_to_the_protocol():
    with Resolver({(NAME, "TXT"): ["v=DKIM1; p=x"], ("none.citizen.test", "A"): ["192.0.2.1"]}) as server:
        lookup = TxtLookup(server.address)
        assert lookup(NAME) == [b"v=DKIM1; p=x"]
        assert lookup("none.citizen.test") == lookup("nobody.citizen.test") == lookup("a..b") == []


@pytest.mark.parametrize("stream", [False, True], ids=["UDP", "TCP"])
def test_slow_answers_have_one_deadline_together(monkeypatch, stream):
    """No time is left for the second name and those after it: they are not even asked for."""
    monkeypatch.setattr(txt_lookup, "DNS_TIME", 1.0)
    names = [NAME, *(f"{number}.citizen.test" for number in range(20))]

    def slow(query, by_stream):
        if by_stream == stream:
            server.over.wait(60)
        reply = answered(query)
        reply.flags |= dns.flags.TC
        return reply

    with Hostile(slow) as server:
        lookup = TxtLookup(server.address)
        first, *others = [told(lookup, name) for name in names]
        assert isinstance(first, str)
        assert set(others) == {"no time is left for DNS"}
        assert set(server.asked) == {f"{NAME}."}


def test_each_name_is_asked_once_though_it_was_not_answered():
    with Hostile(lambda query, stream: answered(query, rcode=dns.rcode.REFUSED)) as server:
        lookup = TxtLookup(server.address)
        texts = {told(lookup, NAME) for _ in range(5)}
        assert len(texts) == len(server.asked) == 1


def test_huge_record_is_read_whole_by_tcp():
    """64 kB is all that an answer by TCP can hold; a record that long is no key (``signatures.MAX_RECORD``)."""

    def huge(query, stream):
        reply = answered(query, *([(NAME, "TXT", " ".join([f'"{"x" * 255}"'] * 250))] if stream else []))
        reply.flags |= 0 if stream else dns.flags.TC
        return reply

    assert looked_up(huge) == [[b"x" * 255 * 250]]


LOOP = [(NAME, "CNAME", "b.citizen.test."), ("b.citizen.test", "CNAME", f"{NAME}.")]


@pytest.mark.parametrize(
    "reply",
    [
        lambda query, stream: answered(query, *chain(200, ("TXT", '"p=x"'))),
        lambda query, stream: answered(query, *LOOP),
        lambda query, stream: answered(query, (NAME, "A", "192.0.2.1")),
        lambda query, stream: answered(query, (NAME, "MX", "10 mx.citizen.test."), (NAME, "CNAME", "b.test.")),
        lambda query, stream: answered(query, *chain(2, ("A", "192.0.2.1"))),
        lambda query, stream: answered(query, ("other.test", "TXT", '"p=evil"')),
        lambda query, stream: answered(query, rcode=dns.rcode.SERVFAIL),
        lambda query, stream: answered(query, rcode=dns.rcode.REFUSED),
        lambda query, stream: answered(query, rcode=dns.rcode.NOTIMP),
        lambda query, stream: answered(dns.message.make_query("evil.test", "TXT")),
        lambda query, stream: query.to_wire(),
        lambda query, stream: query.to_wire()[:7],
        lambda query, stream: b"",
        lambda query, stream: query.to_wire()[:2] + random.Random(1).randbytes(400),
        lambda query, stream: answered(query).to_wire() + b"x",
        lambda query, stream: answered(query).to_wire()[:4] + b"\xff" * 8 + b"\xc0\x0c" * 50,
    ],
    ids=[
        "200 names", "loop", "other type", "other types", "other type of another name", "other name", "SERVFAIL",
        "REFUSED", "NOTIMP",
        "other question", "question", "cut", "empty", "random", "more than the answer", "name in itself",
    ],
)  # fmt: skip
def test_what_answers_nothing_is_unanswered(monkeypatch, reply):
    """Neither proven nor refused: "no such key" would refuse a message for good."""
    monkeypatch.setattr(txt_lookup, "DNS_TIME", 2.0)
    (known,) = looked_up(reply)
    assert isinstance(known, str), known
    assert 0 < len(known) <= 150


@pytest.mark.parametrize(
    ("records", "known"), [(chain(3, ("TXT", '"p=x"')), [b"p=x"]), (chain(3), [])], ids=["record", "none"]
)
def test_names_that_are_other_names(records, known):
    assert looked_up(lambda query, stream: answered(query, *records)) == [known]
