"""Limits of the endpoint: what is too much in a time is put off and never lost; what is too large, or from nobody, is not read."""

from concurrent.futures import ThreadPoolExecutor
from imio.mailbridge.iadocs.demo import PASSWORD
from imio.mailbridge.inbound import rate
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.pipe import mailbridge_pipe
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from io import RawIOBase
from pathlib import Path
from tests.mails import redirected
from tests.mails import TRUSTED
from tests.servers.waiting import TIMEOUT
from zope.component.hooks import getSite
from zope.component.hooks import setSite
from zope.globalrequest import getRequest
from zope.globalrequest import setRequest
from ZPublisher.WSGIPublisher import publish_module
import base64
import http.client
import pytest
import requests
import subprocess
import transaction


PIPE = Path(mailbridge_pipe.__file__).with_name("mailbridge-pipe")


class Clock:
    """A clock that stands still until it is told what time it is."""

    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(site, monkeypatch):
    """The clock of the limits."""
    clock = Clock()
    monkeypatch.setattr(rate, "monotonic", clock)
    return clock


def limit(**values):
    """Change settings."""
    for name, value in values.items():
        setattr(stored_settings(), name, value)
    transaction.commit()


def mail(number):
    return redirected(**{"Message-ID": f"<{number}@c.test>"})


def test_defaults_are_out_of_reach(site):
    values = settings()
    assert (values.max_deliveries, values.max_volume) == (600, 2048)


@pytest.mark.parametrize("path", ["/@@mail-in", "/@mail-in"])
def test_more_than_a_user_may_in_a_minute_is_put_off(site, clock, path):
    limit(max_deliveries=3)
    other = {"X-Client-Address": ""}
    for number in range(3):
        addresses = {"X-Client-Address": f"192.0.2.{number}"}
        assert site.mail_in(mail(number), path=path, **addresses).status_code == 202
    answer = site.mail_in(mail(3), path=path, **other)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "20")
    assert answer.json()["message"]
    assert len(inbox()) == 3
    assert site.mail_in(mail(3), "admin", path, **other).status_code == 202, "another user"
    clock.now += 20
    assert site.mail_in(mail(3), path=path).status_code == 200
    assert site.mail_in(mail(3), path=path, **{"X-Client-Address": "192.0.2.9"}).status_code == 429


def test_one_address_may_half_as_much(site, clock):
    limit(max_deliveries=4)
    for number in range(2):
        assert site.mail_in(mail(number)).status_code == 201
    answer = site.mail_in(mail(2))
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")
    elsewhere = {"X-Client-Address": "2001:db8::1"}
    assert site.mail_in(mail(2), **elsewhere).status_code == 202
    assert site.mail_in(mail(3), **elsewhere | {"X-Client-Address": "2001:db8::2"}).status_code == 202


def test_without_an_address_the_connection_counts(site, clock):
    limit(max_deliveries=2)
    for address, status in (("", 202), ("no address", 429), ("192.0.2.1", 200)):
        assert site.mail_in(mail(1), **{"X-Client-Address": address}).status_code == status


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1/32"),
        ("::ffff:192.0.2.1", "192.0.2.1/32"),
        ("2001:db8::1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("127.0.0.1, 192.0.2.1", ""),
        ("", ""),
    ],
)
def test_whose_limit_an_address_shares(address, network):
    assert rate.network(address) == network


def test_bytes_are_limited_too_and_a_message_alone_always_passes(site, clock):
    limit(max_volume=1)
    large = mail(1) + b"x" * 900_000
    assert site.mail_in(large).status_code == 201
    answer = site.mail_in(large.replace(b"<1@", b"<2@"))
    assert answer.status_code == 429
    wait = int(answer.headers["Retry-After"])
    clock.now += wait - 1
    assert site.mail_in(large.replace(b"<1@", b"<2@")).status_code == 429
    clock.now += 1
    assert site.mail_in(large.replace(b"<1@", b"<2@")).status_code == 201


def test_no_limit(site, clock):
    limit(max_deliveries=0, max_volume=0)
    for number in range(3):
        assert site.mail_in(mail(number)).status_code == 201


def test_eight_callers_at_once_get_what_one_would(site, clock):
    limit(max_deliveries=6)
    options = {"auth": ("gateway", PASSWORD), "headers": TRUSTED, "timeout": TIMEOUT}

    def post(number):
        return requests.post(f"{site.url}/@@mail-in", mail(number), **options).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(post, range(8)))
    assert sorted(statuses) == [201] * 3 + [429] * 5
    transaction.begin()
    assert inbox().counts() == {"filed": 3}
    clock.now += 60
    late = [number for number, status in enumerate(statuses) if status == 429]
    assert [site.mail_in(mail(number)).status_code for number in late[:3]] == [201] * 3


def test_refusal_writes_nothing(site, clock):
    limit(max_deliveries=1)
    site.mail_in(mail(1))
    before = site.portal._p_jar.db().lastTransaction()
    assert site.mail_in(mail(2)).status_code == 429
    assert site.portal._p_jar.db().lastTransaction() == before


def test_what_was_counted_is_forgotten_when_it_means_nothing_more(site, clock, monkeypatch):
    monkeypatch.setattr(rate, "MAX_KEYS", 10)
    values = settings()
    for number in range(50):
        assert rate.wait("site", f"user{number}", "", 1000, values) == 0
        clock.now += 1000
    assert len(rate._busy_until) <= 14


def test_pipe_leaves_the_message_in_the_queue(site, clock, tmp_path):
    limit(max_deliveries=1)
    token = tmp_path / "token"
    token.write_text("gateway:demo-iadocs\n")
    token.chmod(0o600)
    command = [
        PIPE,
        "--url",
        site.url,
        "--token-file",
        token,
        "--recipient",
        "in@bridge.test",
        "--retries",
        "0",
    ]
    first, second = (
        subprocess.run(command, input=mail(number), capture_output=True, check=False) for number in range(2)
    )
    assert (first.returncode, second.returncode) == (0, 75)
    assert second.stdout.startswith(b"4.7.0 ")


# the body


class Untouchable(RawIOBase):
    """A body that nobody may read."""

    def read(self, size=-1):
        raise AssertionError("the body is read")

    readinto = readline = readlines = read

    def seek(self, *_):
        return 0

    def tell(self):
        return 0


class Endless(Untouchable):
    """A body without end; ``given`` counts what was read of it."""

    given = 0

    def read(self, size=-1):
        assert size > 0, "all of it is read"
        self.given += size
        return b"x" * size


def publish(path, body, user="", **environ):
    """Publish a POST as a WSGI server does that leaves the body to the application; return its status."""
    credentials = base64.b64encode(user.encode()).decode()
    environ = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "message/rfc822",
        "HTTP_ACCEPT": "application/json",
        "wsgi.input": body,
        "wsgi.url_scheme": "http",
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in TRUSTED.items()},
        **({"HTTP_AUTHORIZATION": f"Basic {credentials}"} if user else {}),
        **environ,
    }
    environ = {name: value for name, value in environ.items() if value is not None}
    answered, site, request = [], getSite(), getRequest()
    try:
        publish_module(environ, lambda status, _headers, exc_info=None: answered.append(status))
    finally:
        setSite(site)
        setRequest(request)
        transaction.begin()
    return int(answered[0].split()[0])


@pytest.mark.parametrize("path", ["/plone/@@mail-in", "/plone/@mail-in"])
@pytest.mark.parametrize(
    ("user", "status"),
    [("", 401), ("gateway:wrong", 401), ("agent:demo-iadocs", 403), ("chef:demo-iadocs", 403)],
)
@pytest.mark.parametrize(
    "content_type",
    ["message/rfc822", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", ""],
)
def test_body_of_who_may_not_deliver_is_not_read(site, path, user, status, content_type):
    assert publish(path, Untouchable(), user, CONTENT_LENGTH="99", CONTENT_TYPE=content_type) == status


def test_body_is_not_read_when_it_is_too_large_or_too_much(site, clock):
    user = "gateway:demo-iadocs"
    path = "/plone/@@mail-in"
    assert publish(path, Untouchable(), user, CONTENT_LENGTH=str(settings().max_size + 1)) == 413
    limit(max_deliveries=1)
    assert publish(path, Untouchable(), user, CONTENT_LENGTH="99") == 429


@pytest.mark.parametrize("length", [None, "", "99", "-1", "many"])
def test_body_without_a_length_is_read_up_to_the_limit(site, clock, length):
    limit(max_size=1_000_000)
    body = Endless()
    assert publish("/plone/@@mail-in", body, "gateway:demo-iadocs", CONTENT_LENGTH=length) == 413
    assert body.given <= 1_000_000 + 2 * 65536
    assert len(inbox()) == 0


def test_chunked_body_is_taken_or_stopped_at_the_limit(site, clock):
    credentials = base64.b64encode(b"gateway:demo-iadocs").decode()
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": "message/rfc822", **TRUSTED}
    limit(max_size=1_000_000)
    for body, status in (([mail(1)[:50], mail(1)[50:]], 201), ([b"x" * 65536] * 16, 413)):
        connection = http.client.HTTPConnection("localhost", int(site.url.split(":")[2].split("/")[0]))
        connection.request("POST", "/plone/@@mail-in", iter(body), headers, encode_chunked=True)
        assert connection.getresponse().status == status
        connection.close()
    transaction.begin()
    assert len(inbox()) == 1
