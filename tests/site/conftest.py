"""Fixtures of a Plone site. They stand here, not above: a pure test must not pay for them."""

from imio.mailbridge.testing import FUNCTIONAL
from imio.mailbridge.testing import INTEGRATION
from pytest_plone import fixtures_factory


globals().update(fixtures_factory(((INTEGRATION, "integration"), (FUNCTIONAL, "functional"))))
