"""The one list of private and undocumented parts of libraries that our code leans on, each with a test of what we need of it.

``part`` names one: library, part, why it is needed, and the modules of ours that use it. A part that our code uses and that is not
listed fails; so does one that is listed and used no more. The libraries are pinned in constraints.txt: after an upgrade,
what fails here shows what to mend.
"""

from Acquisition import aq_base
from Acquisition import Implicit
from aiosmtpd.lmtp import LMTP
from contextlib import contextmanager
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization import NoEncryption
from cryptography.hazmat.primitives.serialization import PrivateFormat
from cryptography.hazmat.primitives.serialization import PublicFormat
from datetime import datetime
from devel import versions
from email.message import EmailMessage
from huey import MemoryHuey
from huey.consumer import Consumer
from huey.registry import Message
from huey.serializer import Serializer
from huey.signals import SIGNAL_EXPIRED
from imapclient import IMAPClient
from imio.mailbridge.settings.rows import Row
from io import BytesIO
from OFS.interfaces import ICopySource
from OFS.interfaces import IObjectManager
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from pathlib import Path
from persistent.interfaces import IPersistent
from Products.MailHost.MailHost import MailHost
from Products.PluggableAuthService.plugins.BasePlugin import BasePlugin
from Products.ZCatalog.interfaces import ICatalogBrain
from transaction.interfaces import TransientError
from zope.interface import Interface
from zope.schema import Int
from zope.schema import List
from zope.schema.interfaces import WrongContainedType
from ZPublisher import WSGIPublisher
from ZPublisher.HTTPRequest import WSGIRequest
from ZPublisher.HTTPResponse import WSGIResponse
from ZPublisher.pubevents import PubStart
import ast
import asyncio
import base64
import dkim
import dkim.util
import functools
import imaplib
import importlib
import inspect
import json
import os
import pkgutil
import pytest
import re
import signal
import smtplib
import ssl
import textwrap
import zope.event


ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGE = ROOT / "src" / "imio" / "mailbridge"

#: (library, part) → the modules that use it; filled by ``part``.
LISTED = {}

#: Names with an underscore that are public: what declares them.
PUBLIC = {
    "_asdict": tuple,
    "_delObject": IObjectManager,
    "_delOb": IObjectManager,
    "_exit": "os",
    "_p_activate": IPersistent,
    "_p_deactivate": IPersistent,
    "_p_jar": IPersistent,
    "_p_oid": IPersistent,
    "_p_mtime": IPersistent,
    "_p_serial": IPersistent,
    "_replace": tuple,
    "_setId": ICopySource,
    "_setOb": IObjectManager,
    "_setObject": IObjectManager,
    "_unrestrictedGetObject": ICatalogBrain,
}


def part(library, name, why, *modules):
    """List a part of a library for the test below it; ``modules`` are relative to the package."""
    assert why

    def listed(test):
        assert (library, name) not in LISTED
        LISTED[library, name] = modules
        return test

    return listed


# aiosmtpd


class Session(LMTP):
    """As our LMTP server uses aiosmtpd."""

    line_length_limit = 64
    resets = 0

    async def smtp_XLINE(self, arg):
        """Read one line, in pieces when it is too long."""
        pieces = []
        while not pieces or not pieces[-1].endswith(b"\r\n"):
            try:
                pieces.append(await self._reader.readuntil(b"\r\n"))
            except asyncio.LimitOverrunError as error:
                pieces.append(await self._reader.read(error.consumed))
        await self.push(f"250 {len(pieces)} {sum(map(len, pieces))}")

    async def smtp_XSHORT(self, arg):
        """Close the connection when the client says nothing for a moment."""
        self._reset_timeout(0.01)

    def _timeout_cb(self):
        self.transport.write(b"421 time is over\r\n")
        super()._timeout_cb()

    def _set_rset_state(self):
        super()._set_rset_state()
        self.resets += 1

    async def push(self, status):
        await super().push(
            status.replace("250 OK", f"250 {self.resets}") if isinstance(status, str) else status
        )


async def converse(*lines):
    """Send lines to a ``Session`` one by one; return the answers, "" for a closed connection."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Session(object(), data_size_limit=1000, timeout=300, loop=loop), "127.0.0.1", 0
    )
    async with server, asyncio.timeout(60):
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        greeting = await reader.readline()
        assert greeting.startswith(b"220 ")
        answers = []
        for line in lines:
            writer.write(f"{line}\r\n".encode())
            answer = await reader.readline()
            while answer[3:4] == b"-":
                answer = await reader.readline()
            answers.append(answer.decode().rstrip())
        writer.close()
        return answers


@part("aiosmtpd", "SMTP._reader", "a message is read as it comes, a long line in pieces", "gateway/lmtp.py")
@part(
    "aiosmtpd",
    "smtp_ methods",
    "each is a command of its name: XFORWARD, and our own DATA",
    "gateway/lmtp.py",
)
def test_a_command_of_ours_reads_a_long_line_in_pieces():
    pieces, octets = asyncio.run(converse("XLINE\r\n" + 500 * "a"))[0].split()[1:]
    assert int(pieces) > 1
    assert int(octets) == 502


@part("aiosmtpd", "SMTP._set_rset_state", "what XFORWARD said ends with the transaction", "gateway/lmtp.py")
def test_every_reset_passes_by_the_method():
    answers = asyncio.run(converse("NOOP", "LHLO a.test", "NOOP", "RSET", "NOOP"))
    assert [answers[0], answers[2], answers[4]] == ["250 1", "250 2", "250 3"]


@part(
    "aiosmtpd",
    "SMTP._reset_timeout",
    "the site may take longer than a client may be silent, and a connection has an end",
    "gateway/lmtp.py",
)
@part("aiosmtpd", "SMTP._timeout_cb", "the client is told, and cut when it does not read", "gateway/lmtp.py")
def test_the_timeout_is_set_anew_and_told():
    assert asyncio.run(converse("XSHORT")) == ["421 time is over"]


@part("aiosmtpd", "552 Error", "the text gets an enhanced status code (RFC 2034)", "gateway/lmtp.py")
def test_the_text_for_a_message_that_is_too_large():
    answer = asyncio.run(converse("LHLO a.test", "MAIL FROM:<a@b.test> SIZE=1001"))[1]
    assert answer.startswith("552 Error: ")


# dkimpy


@functools.cache
def keys():
    """A key in the form that dkimpy signs with, and the DNS record for it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return private, b"v=DKIM1; p=" + base64.b64encode(public)


MAIL = b"From: a@maville.test\r\nTo: b@maville.test\r\nSubject: s\r\n\r\nBonjour\r\n"


def signed(mail=MAIL, domain=b"maville.test"):
    return dkim.sign(mail, b"s", domain, keys()[0]) + mail


def dns(name, timeout=5):
    return keys()[1]


class HeaderOnly:
    """Checks a signature without the hash of the body, as our own classes do."""

    def verify_sig(self, sig, names, field, lookup):
        assert isinstance(field[1], bytes)
        assert names
        self.seen = dict(sig)
        return super().verify_sig(
            {name: value for name, value in sig.items() if name != b"bh"}, names, field, lookup
        )


class Dkim(HeaderOnly, dkim.DKIM):
    """A DKIM verifier of the header."""


class Arc(HeaderOnly, dkim.ARC):
    """The same for ARC."""


@part(
    "dkimpy",
    "DKIM.verify_sig",
    "the body is hashed by us: dkimpy takes hours for some",
    "message/authentication/signatures.py",
)
def test_a_signature_without_its_body_hash_is_one_of_the_header():
    header = signed().partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    with pytest.raises(dkim.ValidationError):
        dkim.DKIM(header).verify(dnsfunc=dns)  # the body is not there
    verifier = Dkim(header)
    assert verifier.verify(0, dnsfunc=dns)
    assert {b"bh", b"c", b"d", b"h", b"s"} <= set(verifier.seen)
    assert not Dkim(header.replace(b"Subject: s", b"Subject: t")).verify(0, dnsfunc=dns)


@part(
    "dkimpy",
    "DKIM.headers",
    "a verdict names the domain of its signature",
    "message/authentication/signatures.py",
)
def test_signatures_are_numbered_as_the_headers_are():
    verifier = Dkim(signed(signed(domain=b"first.test"), b"second.test"))
    fields = [value for name, value in verifier.headers if name.lower() == b"dkim-signature"]
    domains = [dkim.util.parse_tag_value(value)[b"d"] for value in fields]
    assert domains == [b"second.test", b"first.test"]
    for number, domain in enumerate(domains):
        assert verifier.verify(number, dnsfunc=dns)
        assert verifier.seen[b"d"] == domain


@part(
    "dkimpy",
    "util.parse_tag_value",
    "tags are judged before DNS is asked",
    "message/authentication/signatures.py",
)
def test_tags_are_read_as_bytes():
    assert dkim.util.parse_tag_value(b"v=1; d=maville.test;\r\n h=from:to") == {
        b"v": b"1",
        b"d": b"maville.test",
        b"h": b"from:to",
    }
    with pytest.raises(dkim.util.InvalidTagValueList):
        dkim.util.parse_tag_value(b"v=1; nothing")


@part(
    "dkimpy",
    "ARC.verify",
    "the newest set comes first, its signer as ams-domain",
    "message/authentication/signatures.py",
)
def test_a_chain_says_who_signed_the_message_last():
    mail = MAIL
    for server, results in (("one.test", "dkim=none"), ("two.test", "arc=pass; dkim=none")):
        mail = f"Authentication-Results: {server}; {results}\r\n".encode() + mail
        mail = b"".join(dkim.arc_sign(mail, b"s", server.encode(), keys()[0], server.encode())) + mail
    result, sets, _reason = Arc(mail).verify(dnsfunc=dns)
    assert result == dkim.CV_Pass
    assert [each["ams-domain"] for each in sets] == [b"two.test", b"one.test"]


# huey


@part("huey", "Serializer._serialize", "tasks are signed JSON instead of pickles", "taskqueue/serializer.py")
@part("huey", "Serializer._deserialize", "the other way", "taskqueue/serializer.py")
@part(
    "huey",
    "registry.Message",
    "a task is a tuple whose only values that are not JSON are two times",
    "taskqueue/serializer.py",
)
def test_a_task_passes_by_the_serializer_as_a_message():
    class Json(Serializer):
        seen = []

        def _serialize(self, data):
            self.seen.append(data)
            return json.dumps(list(data._replace(eta=data.eta and data.eta.isoformat()))).encode()

        def _deserialize(self, data):
            message = Message(*json.loads(data))
            return message._replace(eta=message.eta and datetime.fromisoformat(message.eta))

    huey = MemoryHuey("test", serializer=Json(), results=False)
    said = []
    task = huey.task(name="say")(said.append)
    task.schedule(("Bonjour",), delay=60)
    assert [type(each) for each in Json.seen] == [Message]
    waiting = huey.dequeue()
    assert isinstance(waiting.eta, datetime)
    huey.execute(waiting, timestamp=waiting.eta)
    assert said == ["Bonjour"]


@part(
    "huey",
    "Task.expires_resolved",
    "the end of a task is kept when the scheduler writes it anew",
    "taskqueue/replay.py",
    "taskqueue/serializer.py",
)
def test_a_task_keeps_its_end_on_the_schedule():
    huey = MemoryHuey("test", results=False)
    said, expired = [], []
    huey.signal(SIGNAL_EXPIRED)(lambda signal, task: expired.append(task.id))
    task = huey.task(name="say")(said.append).s("Bonjour")
    task.expires_resolved = datetime(2026, 1, 1)
    huey.add_schedule(task)
    (due,) = huey.read_schedule()
    huey.enqueue(due)
    huey.execute(huey.dequeue(), timestamp=datetime(2026, 1, 2))
    assert (said, expired) == ([], [task.id])


@part(
    "huey",
    "Consumer._set_signal_handlers",
    "signals belong to the server that the worker lives in",
    "taskqueue/worker.py",
)
def test_a_consumer_takes_signals_by_one_method_only():
    class Embedded(Consumer):
        calls = 0

        def _set_signal_handlers(self):
            self.calls += 1

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    consumer = Embedded(MemoryHuey("test"), workers=1)
    consumer.start()
    try:
        assert consumer.calls == 1
        assert {number: signal.getsignal(number) for number in before} == before
    finally:
        consumer.stop(graceful=True)


# ZPublisher


@contextmanager
def subscribed(subscriber):
    zope.event.subscribers.append(subscriber)
    try:
        yield
    finally:
        zope.event.subscribers.remove(subscriber)


class Request(WSGIRequest):
    """A class of ours, as that of tasks."""

    retry_max_count = 1

    def delay_retry(self):
        """Not here."""


def environ(body=b"", **values):
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
        "wsgi.url_scheme": "http",
        **values,
    }


@pytest.fixture
def publish(monkeypatch):
    """``publish_module`` without an application."""

    @contextmanager
    def no_application(module_info):
        yield module_info

    monkeypatch.setattr(WSGIPublisher, "get_module_info", lambda name: None)
    monkeypatch.setattr(WSGIPublisher, "load_app", no_application)
    return functools.partial(WSGIPublisher.publish_module, start_response=lambda status, headers: None)


@part(
    "Zope",
    "HTTPRequest._auth",
    "Zope hides the Authorization header from getHeader, and plone.restapi's plugin reads it there too",
    "restapi/mailin/authenticate.py",
)
def test_a_request_keeps_its_authorization_as_it_came():
    for given, kept in (({"HTTP_AUTHORIZATION": "Bearer mb1_x"}, "Bearer mb1_x"), ({}, None)):
        request = WSGIRequest(BytesIO(), environ(**given), WSGIResponse())
        assert request._auth == kept
        assert request.getHeader("Authorization") is None


@part(
    "Zope",
    "publish_module._request_factory",
    "only requests of the worker are on the layer of tasks",
    "taskqueue/publish.py",
)
@part(
    "Zope",
    "WSGIRequest.retry",
    "and they stay there when a conflict has them run again",
    "taskqueue/publish.py",
)
def test_a_request_and_its_retries_are_of_the_class_asked_for(publish):
    seen = []

    def published(request, module_info):
        seen.append(request)
        if len(seen) == 1:
            raise TransientError
        return request.response

    publish(environ(), _publish=published, _request_factory=Request)
    assert [type(each) for each in seen] == [Request, Request]


@part(
    "Zope",
    "PubStart before processInputs",
    "curl calls a message a form; it must not be read as one",
    "restapi/mailin/raw.py",
)
def test_a_subscriber_changes_the_media_type_before_the_body_is_read(publish):
    body = b"Subject: a=b&c=d\n\nBonjour"

    def change(event):
        if isinstance(event, PubStart):
            event.request.environ["CONTENT_TYPE"] = "application/octet-stream"

    def published(request, module_info):
        request.processInputs()
        assert request.form == {}
        assert request.get("BODY") == body
        return request.response

    with subscribed(change):
        publish(environ(body, CONTENT_TYPE="application/x-www-form-urlencoded"), _publish=published)


# others


@part(
    "Products.MailHost",
    "MailBase._send",
    "the mail of the site goes through the outbox",
    "site_mail/mailhost.py",
)
def test_every_message_of_a_mailhost_leaves_by_one_method():
    class Kept(MailHost):
        sent = []

        def _send(self, mfrom, mto, messageText, immediate=False):
            self.sent.append((mfrom, list(mto), immediate))

    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "s", "a@maville.test", "b@maville.test"
    message.set_content("Bonjour")
    host = Kept("MailHost")
    host.send(message, immediate=True)
    host.send("Bonjour", mto="c@maville.test", mfrom="a@maville.test", subject="s")
    assert host.sent == [
        ("a@maville.test", ["b@maville.test"], True),
        ("a@maville.test", ["c@maville.test"], False),
    ]


@part(
    "Products.PluggableAuthService",
    "BasePlugin._getPAS",
    "users are looked up where the plugin is",
    "taskqueue/authenticate.py",
)
def test_a_plugin_finds_its_user_folder():
    class Folder(Implicit):
        """Wraps what is in it."""

    folder = Folder()
    folder.plugin = BasePlugin()
    assert aq_base(folder.plugin._getPAS()) is folder


@part(
    "Python",
    "smtplib.SMTP.getreply and putcmd",
    "each line is shown; the socket is ours",
    "diagnosis/session.py",
)
def test_smtplib_talks_by_the_methods_that_the_dialogue_replaces():
    class Scripted(smtplib.SMTP):
        said = []

        def putcmd(self, cmd, args=""):
            self.said.append(cmd)
            super().putcmd(cmd, args)

        def send(self, s):
            self.said.append(s)

        def getreply(self):
            self.said.append("?")
            return 354 if self.said[-3] == "data" else 250, b"ok"

    session = Scripted(local_hostname="me.test")
    session.mail("a@maville.test")
    session.data(b"Subject: s\r\n\r\nBonjour\r\n")
    assert session.said[:3] == ["mail", "mail FROM:<a@maville.test>\r\n", "?"]
    assert session.said[3:] == ["data", "data\r\n", "?", b"Subject: s\r\n\r\nBonjour\r\n.\r\n", "?"]


@part(
    "Python",
    "ssl._create_unverified_context",
    "a certificate that does not hold is shown",
    "diagnosis/tls.py",
    "diagnosis/reach.py",
)
def test_a_context_without_verification():
    context = ssl._create_unverified_context()
    assert context.verify_mode is ssl.CERT_NONE
    assert not context.check_hostname


@part(
    "IMAPClient",
    "IMAPClient._create_IMAP4",
    "the connection under it reads within bounds",
    "transport/imap_connection.py",
)
@part(
    "Python",
    "imaplib.IMAP4.send, read and readline, state, untagged_responses",
    "each answer has its time and its bytes, and none is left from before STARTTLS",
    "transport/imap_connection.py",
)
def test_imap_talks_by_the_methods_that_bounds_replace():
    lines = [b"* OK hello\r\n", b"* CAPABILITY IMAP4rev1\r\n", b"* OK {5}\r\n", b"literal", b"\r\n", b""]
    said = []

    class Scripted(imaplib.IMAP4):
        def open(self, host="", port=0, timeout=None):
            self.sock = self.file = None

        def shutdown(self):
            pass

        def send(self, data):
            said.append(self.state)

        def readline(self):
            line = lines.pop(0)
            return line or self.tagpre + b"0 OK done\r\n"

        def read(self, size):
            assert size == 5
            return lines.pop(0)

    class Client(IMAPClient):
        def _create_IMAP4(self):
            self.made = Scripted()
            return self.made

        def _set_read_timeout(self):
            pass

    client = Client("localhost")
    assert said == ["NONAUTH"]
    assert client.made.untagged_responses["OK"][-2:] == [(b"{5}", b"literal"), b""]


@part(
    "Python",
    "smtplib.SMTP.file and getreply",
    "each answer has its time and its bytes",
    "transport/smtp.py",
)
def test_smtp_reads_by_the_lines_of_its_file():
    class Lines:
        def readline(self, limit):
            assert limit > 8000
            return b"250 ok\r\n"

    session = smtplib.SMTP()
    session.file = Lines()
    assert session.getreply() == (250, b"ok")


# zope.schema


@part("zope.schema", "Field._validate", "a row is checked by its columns, in a table too", "settings/rows.py")
def test_a_list_asks_the_field_of_its_rows():
    class IColumns(Interface):
        number = Int(min=1)

    table = List(value_type=Row(schema=IColumns))
    table.validate([{"number": 1}])
    for wrong in ({"number": 0}, {}, "x"):
        with pytest.raises(WrongContainedType):
            table.validate([wrong])


# the list is whole


def test_the_libraries_are_pinned():
    pinned = {canonicalize_name(name) for name in versions.pins(versions.CONSTRAINTS.read_text())}
    libraries = {canonicalize_name(library) for library, _name in LISTED} - {"python"}
    assert libraries - pinned == set()
    required = re.search(r'python_requires="(.*)"', (ROOT / "setup.py").read_text())[1]
    assert not SpecifierSet(required).contains("3.99"), "the next Python may change its private parts"


def is_private(name):
    """Tell whether a name has one underscore; ``_`` alone translates."""
    return name.startswith("_") and not name.startswith("__") and name != "_"


def trees():
    """Yield the path of each module of ours, relative to the package, and its syntax tree."""
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text())


def defined(tree):
    """Yield the names that a module gives to something of its own."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case (
                ast.arg(arg=name)
                | ast.Name(id=name, ctx=ast.Store())
                | ast.Attribute(attr=name, ctx=ast.Store())
            ):
                yield name


def used(tree):
    """Yield the names that a module takes from elsewhere: attributes, keyword arguments and imports."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name) | ast.keyword(arg=str(name)):
                yield name
            case ast.ImportFrom(module=module, names=names) if not (module or "").startswith("imio."):
                yield from (module or "").split(".")
                yield from (alias.name for alias in names)


@functools.cache
def of_a_class(cls):
    """Return the private names that a class defines, or sets and calls on its instances."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, TypeError):  # of C, or made when the program runs
        return frozenset(filter(is_private, vars(cls)))
    names = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self"
    }
    return frozenset(filter(is_private, names | set(defined(tree))))


def inherited():
    """Yield (module, name) of each private name that a class of ours shares with a class of a library that it derives from."""
    import imio.mailbridge

    for info in pkgutil.walk_packages(imio.mailbridge.__path__, "imio.mailbridge."):
        module = importlib.import_module(info.name)
        path = Path(module.__file__).relative_to(PACKAGE).as_posix()
        for cls in vars(module).values():
            if not inspect.isclass(cls) or cls.__module__ != info.name:
                continue
            foreign = [
                base
                for base in cls.__mro__
                if not base.__module__.startswith(("imio.", "builtins", "typing"))
            ]
            for name in of_a_class(cls):
                if any(name in of_a_class(base) for base in foreign):
                    yield path, name


def test_all_private_parts_are_listed():
    ours = {name for _path, tree in trees() for name in defined(tree)}
    found = {
        (path, name) for path, tree in trees() for name in used(tree) if is_private(name) and name not in ours
    }
    found |= set(inherited())
    found = {(path, name) for path, name in found if name not in PUBLIC}
    listed = {
        (module, name.rpartition(".")[2])
        for (_library, name), modules in LISTED.items()
        for module in modules
        if is_private(name.rpartition(".")[2])
    }
    assert found - listed == set(), "list them, with a test"
    assert listed - found == set(), "they are used no more"


def test_the_modules_of_the_list_exist():
    assert {
        module for modules in LISTED.values() for module in modules if not (PACKAGE / module).exists()
    } == set()


@pytest.mark.parametrize("name", PUBLIC)
def test_what_counts_as_public_is_declared(name):
    by = PUBLIC[name]
    if by is tuple:  # of namedtuple, whose names must not meet those of the fields
        assert hasattr(Message, name)
    elif by == "os":
        assert hasattr(os, name)
    else:
        assert name in by
