"""Test layers: a site with the profiles ``default``, ``iadocs`` and ``demo``."""

from plone.app.testing import applyProfile
from plone.app.testing import FunctionalTesting
from plone.app.testing import IntegrationTesting
from plone.app.testing import PLONE_FIXTURE
from plone.app.testing import PloneSandboxLayer
from plone.testing.zope import WSGI_SERVER_FIXTURE
import imio.mailbridge
import os
import plone.restapi
import tempfile


class MailbridgeLayer(PloneSandboxLayer):
    """No worker runs: tests run the tasks that they are about."""

    defaultBases = (PLONE_FIXTURE,)

    def setUpZope(self, app, configurationContext):
        """Load the package; keep the queue in a folder of its own."""
        self._folder = tempfile.TemporaryDirectory()
        os.environ["MAILBRIDGE_WORKER"] = "off"
        os.environ["MAILBRIDGE_QUEUE_URL"] = f"sqlite:///{self._folder.name}/queue.sqlite"
        self.loadZCML(package=plone.restapi)
        self.loadZCML(package=imio.mailbridge)

    def setUpPloneSite(self, portal):
        """Install the add-on in a French site."""
        portal.portal_workflow.setDefaultChain("simple_publication_workflow")
        for profile in ("default", "iadocs", "demo"):
            applyProfile(portal, f"imio.mailbridge:{profile}")

    def tearDownZope(self, app):
        """Remove the queue."""
        self._folder.cleanup()


FIXTURE = MailbridgeLayer()
INTEGRATION = IntegrationTesting(bases=(FIXTURE,), name="imio.mailbridge:Integration")
FUNCTIONAL = FunctionalTesting(bases=(FIXTURE, WSGI_SERVER_FIXTURE), name="imio.mailbridge:Functional")
