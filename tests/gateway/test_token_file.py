"""The refresh token of ``mailbridge-fetch`` in its file: none is lost, and none is shown twice."""

from concurrent.futures import ThreadPoolExecutor
from imio.mailbridge.gateway.token_file import TokenFile
from imio.mailbridge.transport import oauth
from tests.servers.token_endpoint import TokenEndpoint
import pytest


ENTERED = "1//entered"


@pytest.fixture
def endpoint():
    with TokenEndpoint(refresh_token=ENTERED) as endpoint:
        endpoint.rotates = True
        yield endpoint


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "refresh-token"
    path.write_text(f"{ENTERED}\n")
    path.chmod(0o600)
    return path


def asked(endpoint, path):
    """Ask as a process does that has no token yet."""
    keeper = TokenFile(str(path))
    grant = oauth.Grant("in@maville.test", endpoint.url, "bridge", "", "", ENTERED, keeper)
    return oauth.CachedToken().get(grant)


def shown(endpoint):
    return [form["refresh_token"] for form in endpoint.asked]


def test_each_process_goes_on_with_the_newest(endpoint, path):
    for _ in range(3):
        asked(endpoint, path)
    assert shown(endpoint) == [ENTERED, "1//next-1", "1//next-2"]
    assert path.read_text() == "1//next-3\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_one_asks_at_a_time(endpoint, path):
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _number: asked(endpoint, path), range(6)))
    assert shown(endpoint) == [ENTERED, *(f"1//next-{number}" for number in range(1, 6))]


def test_a_refused_one_stays_and_its_turn_ends(endpoint, path):
    endpoint.refresh_token = "1//other"  # noqa: S105
    for _ in range(2):
        with pytest.raises(oauth.TokenRefused):
            asked(endpoint, path)
    assert path.read_text() == f"{ENTERED}\n"


def test_a_file_that_is_gone(endpoint, path):
    path.unlink()
    with pytest.raises(oauth.TokenUnreachable, match="file of the refresh token"):
        asked(endpoint, path)
    assert endpoint.asked == []
