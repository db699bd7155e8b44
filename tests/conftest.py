"""Fixtures and markers for all tests; those of a Plone site are in tests/site, those of a running demo in tests/acceptance."""

from pathlib import Path
import os
import pytest
import tempfile


pytest_plugins = ["tests.servers.fixtures"]
TESTS = Path(__file__).resolve().parent


def pytest_configure(config):
    """Let all processes of a run, workers and instances, share what they compile: page templates and Python modules."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if "CHAMELEON_CACHE" not in os.environ:
        folder = tempfile.TemporaryDirectory(prefix="mailbridge-templates-")
        os.environ["CHAMELEON_CACHE"] = folder.name
        config.add_cleanup(folder.cleanup)


@pytest.hookimpl(trylast=True)  # after zope.pytestlayer, which puts tests with a layer last
def pytest_collection_modifyitems(items):
    """Mark each test by its folder and what it uses; what takes longest begins first, so that no worker ends alone."""
    for item in items:
        item.add_marker(item.path.relative_to(TESTS).parts[0])
        if "browser" in item.fixturenames:
            item.add_marker("browser")
    items.sort(key=lambda item: not item.get_closest_marker("slow"))
