"""Fixtures for all tests. Those of Plone are in tests/site: a pure test must not pay for them."""

pytest_plugins = ["tests.servers.fixtures"]
