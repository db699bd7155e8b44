"""Fixtures of a Plone site. They stand here, not above: a pure test must not pay for them."""

from devel.site import configure
from imio.mailbridge.delivery import deliver as delivery
from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.iadocs.demo import PASSWORD
from imio.mailbridge.inbound import rate
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.taskqueue.publish import publish
from imio.mailbridge.testing import FUNCTIONAL
from imio.mailbridge.testing import INTEGRATION
from plone.app.testing import SITE_OWNER_NAME
from plone.app.testing import SITE_OWNER_PASSWORD
from pytest_plone import fixtures_factory
from tests.client import Client
from tests.message.signing import key
from tests.servers.resolver import Resolver
from tests.servers.waiting import TIMEOUT
from tests.site.persisted import unlisted
from zope.component.hooks import setSite
from zope.globalrequest import getRequest
from zope.globalrequest import setRequest
import pytest
import requests
import transaction


globals().update(fixtures_factory(((INTEGRATION, "integration"), (FUNCTIONAL, "functional"))))


class Site(Client):
    """A site behind a real HTTP server, as a client sees it."""

    def __init__(self, portal):
        self.portal = portal
        self.url = portal.absolute_url()

    def request(self, method, path, user=None, **kwargs):
        """Make a request as a demo user (``admin``: the site owner; None: nobody), with JSON accepted."""
        auth = {None: None, "admin": (SITE_OWNER_NAME, SITE_OWNER_PASSWORD)}.get(user, (user, PASSWORD))
        headers = {"Accept": "application/json", **kwargs.pop("headers", {})}
        url = path if path.startswith("http") else f"{self.url}{path}"
        kwargs.setdefault("allow_redirects", False)
        answer = requests.request(method, url, auth=auth, headers=headers, timeout=TIMEOUT, **kwargs)
        transaction.begin()  # see what the request committed; plone.registry caches on the request
        if (own := getRequest()) is not None:  # another thread has none
            own.other.pop("_plone_registry_cache", None)
        return answer

    def receive(self, raw, **headers):
        """Hand a message over as a trusted mail host does; return its record."""
        return inbox().get(self.mail_in(raw, **headers).json()["id"])

    def task(self, view, **params):
        """Run a task of the site as the worker does; return its HTTP status."""
        request = getRequest()
        try:
            return publish("task", f"/plone/{view}", "POST", params, {}, "", None)
        finally:
            setSite(self.portal)
            setRequest(request)
            transaction.begin()


@pytest.fixture
def site(functional_portal, monkeypatch):
    """The demo with its settings, and an SMTP port where nothing listens; nothing was handed over yet.

    A delivery sends all that is due, however slow the machine is.
    """
    monkeypatch.setattr(delivery, "TURN", TIMEOUT)
    monkeypatch.setattr(rate, "_busy_until", {})
    configure(smtp_port=9)
    transaction.commit()
    database = functional_portal._p_jar.db()
    database.storage.temporaryDirectory()  # made here for blobs: two threads that need it first would both make it, and one fails
    yield Site(functional_portal)
    assert unlisted(database.storage) == set(), "say in tests/site/persisted.py what may be stored"


@pytest.fixture
def caught(site, catcher):
    """The SMTP server of ``site``: a catcher."""
    stored_settings().smtp_port = catcher.port
    transaction.commit()
    return catcher


@pytest.fixture
def send(site):
    """Send from a demo document by REST and run the delivery; return the record."""

    def send(*to, run=True, user="agent", path="/outgoing-mail/permis-durbanisme", **data):
        data = {"subject": "Votre permis", "body": "<p>Bonjour</p>", **data}
        data["to"] = list(to) or ["jeanne.dupont@citizen.test"]
        answer = site.post(f"{path}/@send-email", user, json=data)
        assert answer.status_code == 202, answer.text
        if run:
            deliver(answer.json()["id"])
            transaction.begin()
        return outbox().get(answer.json()["id"])

    return send


@pytest.fixture
def sent(send):
    """Send from a demo document; return the record, whose recipients are all in ``state``. No server was asked."""

    def sent(*to, state="sent"):
        record = send(*to, run=False)
        outbox().update(record, dict.fromkeys(record.recipients, state))
        transaction.commit()
        return record

    return sent


@pytest.fixture
def dns(site):
    """A DNS server with the keys of the tests, which ``site`` asks; one provider may seal."""
    names = [
        f"s._domainkey.{domain}"
        for domain in ("maville.test", "other.test", "provider.test", "mail.maville.test")
    ]
    with Resolver({(name, "TXT"): [_split(key()[1].decode())] for name in names}) as server:
        values = stored_settings()
        values.dns_resolver = server.address
        values.arc_sealers = ["Provider.test"]
        values.authserv_id = "mx.maville.test"
        transaction.commit()
        yield server


def _split(text):
    return '" "'.join(text[start : start + 200] for start in range(0, len(text), 200))
