"""What people and tasks ask of the site loads as many objects with much mail as with little: nothing looks at every record."""

from devel import town
from devel.site import configure
from imio.mailbridge.inbound import inbox
from imio.mailbridge.outbox import record
from plone.app.testing import SITE_OWNER_NAME
from plone.app.testing import SITE_OWNER_PASSWORD
from tests.growth import asked
from tests.growth import PARTS
from tests.publisher import Publisher
from tests.servers.catcher import Catcher
from zope.annotation.interfaces import IAnnotations
import pytest


#: Messages each way. With the first a page is full already, and a rule has enough to try.
LITTLE, MUCH = 2 * town.FRESH, 1500
#: What it may cost at most, and objects that trees have more of, the deeper they are.
TIMES, MORE = 1.3, 20


@pytest.fixture(scope="class")
def loads(functional_portal_class):
    """Count of messages → part → how many objects it loads from a cold cache."""
    portal, found = functional_portal_class, {}
    with Catcher() as catcher:
        configure(catcher.port)
        documents = town.documents()
        site = Publisher("/plone", portal._p_jar.db(), (SITE_OWNER_NAME, SITE_OWNER_PASSWORD))
        for count in (LITTLE, MUCH):
            for key in (inbox.KEY, record.KEY):
                IAnnotations(portal).pop(key, None)
            town.make(count, documents)
            for part in PARTS if count == LITTLE else ():
                asked(site, part)  # compiles templates, and fills caches of the process
            found[count] = {part: asked(site, part)[1] for part in PARTS}
    return found


class TestGrowth:
    @pytest.mark.parametrize("part", PARTS)
    def test_it_loads_no_more_with_much_mail(self, loads, part):
        little, much = loads[LITTLE][part], loads[MUCH][part]
        assert much <= little * TIMES + MORE, (
            f"{little} objects with {LITTLE} messages each way, {much} with {MUCH}"
        )
