"""The ports are what their implementations offer, and the bridge uses nothing that they do not declare."""

from imio.mailbridge.behaviors.sending import ContentSendingContext
from imio.mailbridge.iadocs.directory import Directory
from imio.mailbridge.iadocs.filing import Filer
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.ports.directory import IDirectory
from imio.mailbridge.ports.filing import IFiler
from imio.mailbridge.ports.sending import ISendByEmail
from imio.mailbridge.ports.sending import ISendingContext
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.routing import IRoutingRow
from plone.base.interfaces import IPloneSiteRoot
from plone.uuid.interfaces import IUUID
from tests.mails import citizen
from tests.mails import forwarded
from tests.mails import redirected
from tests.mails import TRUSTED
from zope.component import getGlobalSiteManager
from zope.interface import implementer
from zope.interface.verify import verifyClass
from zope.interface.verify import verifyObject
from zope.schema import getFieldNames
import pytest
import transaction


DOCUMENT = "outgoing-mail/permis-durbanisme"


@pytest.mark.parametrize(
    ("port", "factory"), [(IDirectory, Directory), (IFiler, Filer), (ISendingContext, ContentSendingContext)]
)
def test_class(port, factory):
    assert verifyClass(port, factory)


@pytest.mark.parametrize("port", [IDirectory, IFiler])
def test_adapter_of_the_site(portal, port):
    assert verifyObject(port, port(portal))


@pytest.mark.parametrize(
    "path", [DOCUMENT, "contacts/jeanne-dupont", "contacts/plonegroup-organization/urbanisme"]
)
def test_adapter_of_content(portal, path):
    assert verifyObject(ISendingContext, ISendingContext(portal.unrestrictedTraverse(path)))


def test_adapter_of_an_incoming_mail(site):
    site.post("/@@mail-in", "gateway", data=redirected(), headers=TRUSTED)
    (record,) = inbox().records.values()
    (brain,) = site.portal.portal_catalog.unrestrictedSearchResults(UID=list(record.items))
    assert verifyObject(ISendingContext, ISendingContext(brain._unrestrictedGetObject()))


def only_declared(port, adapt):
    """Return an adapter that has what its port declares, and nothing else."""

    @implementer(port)
    class Declared:
        def __init__(self, context):
            self._adapter = adapt(context)

        def __getattr__(self, name):
            if name not in port.names(all=True):
                raise AttributeError(f"{port.__name__} declares no {name}")
            return getattr(self._adapter, name)

    return Declared


@pytest.fixture
def declared(site):
    """Let the adapters show no more than their ports; return the site."""
    components, before = getGlobalSiteManager(), []
    for required, port in (
        (IPloneSiteRoot, IDirectory),
        (IPloneSiteRoot, IFiler),
        (ISendByEmail, ISendingContext),
    ):
        adapt = components.adapters.lookup((required,), port)
        components.registerAdapter(only_declared(port, adapt), (required,), port)
        before.append((adapt, (required,), port))
    yield site
    for adapt, required, port in before:
        components.registerAdapter(adapt, required, port)


@pytest.mark.parametrize("service", ["_empty_", "_primary_org_", "_hp_", "_uni_org_only_"])
def test_filing_asks_no_more(declared, service):
    row = dict.fromkeys(getFieldNames(IRoutingRow)) | {"user_value": "_transferer_", "tg_value": service}
    stored_settings().iemail_routing = [row]
    transaction.commit()
    for raw in (redirected(), forwarded(citizen("Une autre"))):
        answer = declared.post("/@@mail-in", "gateway", data=raw, headers=TRUSTED).json()
        assert answer["state"] == "filed", inbox().get(answer["id"]).error


def test_sending_asks_no_more(declared, send, caught):
    attachment = IUUID(declared.portal.unrestrictedTraverse(f"{DOCUMENT}/permis"))
    assert send("luc@citizen.test", attachments=[attachment], body="ci-joint").state == "sent"
    assert declared.portal.unrestrictedTraverse(DOCUMENT).email_status
    assert (
        declared.get(f"/{DOCUMENT}/@@send-email", "agent", headers={"Accept": "text/html"}).status_code == 200
    )
