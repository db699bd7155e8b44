"""Which token endpoints our secrets are shown to."""

from imio.mailbridge.transport import oauth
from imio.mailbridge.transport.oauth import Grant
from imio.mailbridge.transport.oauth import may_be_asked
from imio.mailbridge.transport.oauth import request_token
from imio.mailbridge.transport.oauth import TokenRefused
import pytest


GOOD = [
    "https://login.microsoftonline.com/0a1b/oauth2/v2.0/token",
    "https://oauth2.googleapis.com:443/token",
    "https://1.1.1.1/token",
    "https://[2606:4700::1]/token",
]
BAD = [
    "",
    "login.test/token",
    "ftp://login.test/token",
    "http://login.test/token",
    "http://127.0.0.1:8000/token",
    "https://127.0.0.1/token",
    "https://127.1/token",
    "https://0x7f000001/token",
    "https://2130706433/token",
    "https://localhost/token",
    "https://LOCALHOST./token",
    "https://a.localhost/token",
    "https://intranet/token",
    "https://db.internal/token",
    "https://10.0.0.1/token",
    "https://192.168.1.1/token",
    "https://169.254.169.254/token",
    "https://[::1]/token",
    "https://[::ffff:127.0.0.1]/token",
    "https://[fd00::1]/token",
    "https://[broken/token",
    "https://login.test/\ntoken",
]


@pytest.mark.parametrize("url", GOOD)
def test_public_https(url):
    assert may_be_asked(url)


@pytest.mark.parametrize("url", BAD)
def test_anything_else(url):
    assert not may_be_asked(url)


def test_for_trials_the_environment_lets_it_be_this_machine(monkeypatch):
    monkeypatch.setenv(oauth.INSECURE, "1")
    assert may_be_asked("http://127.0.0.1:8000/token")
    assert not may_be_asked("ftp://127.0.0.1/token")
    monkeypatch.setenv(oauth.INSECURE, "0")
    assert not may_be_asked("http://127.0.0.1:8000/token")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/token", "http://login.test/token"])
def test_nothing_is_shown_to_another(url, monkeypatch):
    monkeypatch.setattr(oauth, "_post", lambda grant: pytest.fail("asked"))
    with pytest.raises(TokenRefused, match="not a public https address"):
        request_token(Grant("me", url, "bridge", "", "s3cret", ""))
