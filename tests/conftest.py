"""Fixtures for all tests; those of a Plone site are in tests/site."""

pytest_plugins = ["tests.servers.fixtures"]
