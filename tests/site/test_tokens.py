"""Tokens of mail hosts: shown once, kept as a hash, good for deliveries to their site and for nothing else."""

from datetime import timedelta
from imio.mailbridge.gateway.site import Site as Gateway
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.pipe import mailbridge_pipe
from imio.mailbridge.restapi.mailin import authenticate
from imio.mailbridge.restapi.mailin import post
from imio.mailbridge.settings import tokens
from io import BytesIO
from pathlib import Path
from plone.app.testing import login
from plone.app.testing import SITE_OWNER_NAME
from Products.CMFPlone.factory import addPloneSite
from tests.mails import redirected
from tests.site.panel import act
from tests.site.panel import HTML
from tests.site.panel import messages
from tests.site.panel import page
from tests.site.persisted import reachable
from xml.etree import ElementTree
from zope.component.hooks import setSite
import hashlib
import hmac
import imio.mailbridge
import pytest
import re
import subprocess
import transaction


URL = "/@@mailbridge-tokens"
PACKAGE = Path(imio.mailbridge.__path__[0])
PIPE = Path(mailbridge_pipe.__file__).with_name("mailbridge-pipe")


def make(site, label="mail.maville.test"):
    """Press the button; return the token that the answer shows."""
    answer = act(site, URL, make="1", label=label)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    (command,) = re.findall(r'value="(echo [^"]+)"', answer.text)
    assert command.endswith(" | sudo install -o mailbridge -m 600 /dev/stdin /etc/mailbridge/token")
    return command.split()[1]


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def deliver(site, token, path="/@@mail-in", raw=None):
    return site.mail_in(raw or redirected(), None, path, **bearer(token))


def ids():
    return [row["id"] for row in tokens.listed()]


@pytest.mark.parametrize("path", ["/@@mail-in", "/@mail-in"])
def test_token_delivers(site, path):
    token = make(site)
    assert re.fullmatch(r"mb1_[A-Za-z0-9_-]{43}", token)
    assert deliver(site, token, path).status_code == 201
    assert inbox().counts() == {"filed": 1}


def test_token_is_shown_once_and_kept_as_a_hash(site):
    token = make(site)
    text = page(site, URL)
    assert "mail.maville.test" in text
    assert token not in text
    kept = b"".join(data for _oid, data in reachable(site.portal._p_jar))
    assert token.encode() not in kept
    assert token[4:].encode() not in kept
    assert hashlib.sha256(token.encode()).hexdigest().encode() in kept


def test_two_are_valid_until_one_is_revoked(site):
    old, new = make(site, "old"), make(site, "new")
    for token in (old, new):
        assert deliver(site, token).status_code in (200, 201)
    (old_id,) = [row["id"] for row in tokens.listed() if row["label"] == "old"]
    answer = act(site, URL, revoke=old_id)
    assert "no longer opens anything" in messages(site, answer)
    assert deliver(site, old).status_code == 401
    assert deliver(site, new).status_code == 200
    assert "already revoked" in messages(site, act(site, URL, revoke=old_id))


def test_what_is_not_the_token_is_refused(site):
    token = make(site)
    wrong = [
        tokens.BEGIN + "A" * 43,
        token.swapcase(),
        token[:4] + token[4:].swapcase(),
        token[:-1],
        token + "A",
        token[4:],
        tokens.BEGIN,
        tokens.BEGIN + "A" * 60_000,
        f"{token} {token}",
        hashlib.sha256(token.encode()).hexdigest(),
    ]
    for other in wrong:
        assert deliver(site, other).status_code == 401, other[:80]
    for scheme in ("Token", "Digest", "mb1_"):
        answer = site.mail_in(redirected(), None, Authorization=f"{scheme} {token}")
        assert answer.status_code == 401, scheme
    assert len(inbox()) == 0


def test_hashes_are_compared_in_constant_time(site, monkeypatch):
    token = make(site)
    compared = []

    def compare_digest(*pair):
        compared.append(pair)
        return hmac.compare_digest(*pair)

    class Recording:
        pass

    Recording.compare_digest = staticmethod(compare_digest)
    monkeypatch.setattr(tokens, "hmac", Recording)
    assert tokens.identify(token) == ids()[0]
    assert compared == [(hashlib.sha256(token.encode()).hexdigest(),) * 2]


def test_token_of_another_site(site):
    token = make(site)
    root = site.portal.aq_parent
    login(root, SITE_OWNER_NAME)
    profiles = ("plone.app.contenttypes:default", "imio.mailbridge:default")
    other = addPloneSite(root, "other", setup_content=False, extension_ids=profiles)
    setSite(other)
    foreign = tokens.make("other")
    setSite(site.portal)
    transaction.commit()
    url = site.url.removesuffix("/plone") + "/other/@@mail-in"
    assert site.mail_in(redirected(), None, url, **bearer(token)).status_code == 401
    assert site.mail_in(redirected(), None, url, **bearer(foreign)).status_code == 503, (
        "no address is set there"
    )
    assert deliver(site, foreign).status_code == 401
    assert deliver(site, token).status_code == 201


def surfaces():
    """Yield (method, path) of our pages and services, and of some of others."""
    for path in PACKAGE.rglob("*.zcml"):
        for element in ElementTree.parse(path).iter():
            kind, name = element.tag.rpartition("}")[2], element.get("name")
            if kind == "service":
                yield element.get("method"), f"/{name}"
            elif kind == "page" and name:
                yield "GET", f"/@@{name}"
    for name in (
        "@users",
        "@controlpanels",
        "@registry",
        "@search",
        "@addons",
        "@actions",
        "@mail-in/x/replay",
    ):
        yield "GET", f"/{name}"
        yield "POST", f"/{name}"
    yield from [
        ("GET", "/@@mail-in"),
        ("PUT", "/@@mail-in"),
        ("GET", "/"),
        ("POST", "/"),
        ("DELETE", "/incoming-mail"),
    ]


def test_token_opens_nothing_else(site):
    token = make(site)
    id = deliver(site, token).json()["id"]
    walked = [*surfaces(), ("GET", f"/@mail-in/{id}"), ("GET", f"/@mail-in/{id}/source")]
    assert len(walked) > 60
    for method, path in walked:
        if method == "POST" and path == "/@mail-in":
            continue
        with_token, without = (
            site.request(method, path, headers=headers).status_code for headers in (bearer(token), {})
        )
        assert with_token == without, (method, path)


def test_user_of_a_token_has_one_role_in_its_delivery_only(site, monkeypatch):
    token, seen = make(site), []
    before = post.receive

    def receive(*args):
        user = post.getSecurityManager().getUser()
        seen.append((user.getId(), set(user.getRoles())))
        return before(*args)

    monkeypatch.setattr(post, "receive", receive)
    deliver(site, token)
    user = authenticate.USER + ids()[0]
    assert seen == [(user, {"Mail Gateway", "Authenticated"})]
    assert site.portal.acl_users.getUserById(user) is None


def test_tokens_of_plone_itself_go_on_working(site):
    make(site)
    login = {"login": "gateway", "password": "demo-iadocs"}
    jwt = site.post("/@login", json=login).json()["token"]
    assert deliver(site, jwt).status_code == 201


def test_last_use_is_written_once_a_day(site, monkeypatch):
    token = make(site)
    assert "not yet" in page(site, URL)

    def ask():
        """Ask for the size limit, which writes nothing itself; return the last transaction."""
        assert deliver(site, token, raw=iter(())).status_code == 400
        return site.portal._p_jar.db().lastTransaction()

    made = site.portal._p_jar.db().lastTransaction()
    first = ask()
    assert first != made
    assert ask() == first
    assert "not yet" not in page(site, URL)
    tomorrow = post.now() + timedelta(days=1)
    monkeypatch.setattr(post, "now", lambda: tomorrow)
    second = ask()
    assert second != first
    assert ask() == second


def test_programs_take_it_in_their_token_file(site, tmp_path):
    path = tmp_path / "token"
    path.write_text(make(site) + "\n")
    path.chmod(0o600)
    command = [PIPE, "--url", site.url, "--token-file", path, "--recipient", "in@bridge.test"]
    tested = subprocess.run(
        [*command, "--selftest"], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert tested.stdout.startswith(b"2.0.0 selftest passed")
    done = subprocess.run(command, input=redirected(), capture_output=True, check=False)
    assert (done.returncode, done.stdout[:6]) == (0, b"2.0.0 ")
    gateway = Gateway(site.url, str(path))  # of mailbridge-lmtp and mailbridge-fetch
    assert gateway.post(BytesIO(redirected("Deux")), "in@bridge.test").status == 0


def test_the_line_writes_the_file(site, tmp_path):
    command = act(site, URL, make="1", label="x").text
    (line,) = re.findall(r'value="(echo [^"]+)"', command)
    here = line.replace("sudo install -o mailbridge", "install").replace(
        "/etc/mailbridge/token", f"{tmp_path}/t"
    )
    subprocess.run(["/bin/sh", "-c", here], check=True)
    assert (tmp_path / "t").read_text() == line.split()[1] + "\n"
    assert (tmp_path / "t").stat().st_mode & 0o777 == 0o600


def test_who_makes_tokens(site):
    for user, status in (("agent", 302), ("chef", 302), ("gateway", 302), (None, 302), ("admin", 200)):
        assert site.get(URL, user, headers=HTML).status_code == status, user
    answer = site.post(URL, "admin", data={"make": "1", "label": "x"}, headers=HTML)
    assert "Your session had changed" in answer.text
    assert site.get(f"{URL}?make=1&label=x", "admin", headers=HTML).status_code == 404
    assert "which mail host" in messages(site, act(site, URL, make="1", label=" "))
    assert ids() == []


def test_labels_are_text(site):
    make(site, "<b>&amp;é")
    assert "&lt;b&gt;&amp;amp;é" in site.get(URL, "admin", headers=HTML).text
