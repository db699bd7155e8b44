"""The servers as pytest fixtures: ``pytest_plugins = ["tests.servers.fixtures"]``."""

from pathlib import Path
from tests.servers.catcher import Catcher
from tests.servers.certificates import Certificates
from tests.servers.postfix import Postfix
import contextlib
import pytest
import shutil
import tempfile


@contextlib.contextmanager
def open_folder(name):
    """A new folder that the users of daemons can reach, as they cannot pytest's own; removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix=f"mailbridge-{name}-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """An authority and a server certificate for localhost; see ``Certificates``."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def postfix_factory():
    """``postfix_factory(**options)`` starts a Postfix, stopped when the session ends. See ``Postfix``."""
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(
            Postfix(stack.enter_context(open_folder("postfix")), **options)
        )


@pytest.fixture(scope="session")
def shared_postfix(postfix_factory):
    """The Postfix of the session; use ``postfix``, which starts from nothing."""
    return postfix_factory()


@pytest.fixture
def postfix(shared_postfix):
    """The Postfix of the session with an empty queue and empty mailboxes."""
    shared_postfix.clear()
    return shared_postfix


@pytest.fixture
def catcher_factory():
    """``catcher_factory(**options)`` starts a catcher, stopped when the test ends. See ``Catcher``."""
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(Catcher(**options))


@pytest.fixture
def catcher(catcher_factory):
    """A catcher without TLS and login that accepts everything."""
    return catcher_factory()
