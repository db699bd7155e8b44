"""Can everybody use our pages? axe finds nothing serious in them; what Plone puts around them is Plone's."""

from tests.acceptance.axe import serious
import pytest


PAGES = [
    ("agent", "/outgoing-mail/invitation/@@send-email"),
    ("agent", "/outgoing-mail/permis-durbanisme"),
    ("chef", "/@@my-mail"),
    ("agent", "/incoming-mail"),
    ("agent", "/incoming-mail/demande-de-permis"),
    ("agent", "/incoming-mail/@@mailbridge-hand-in"),
    ("chef", "/@@mailbridge-inbox"),
    ("chef", "/@@mailbridge-rules"),
    ("chef", "/@@mailbridge-rule"),
    ("admin", "/@@mailbridge-controlpanel"),
    ("admin", "/@@mailbridge-accounts"),
    ("admin", "/@@mailbridge-account-add"),
    ("admin", "/@@mailbridge-send-as"),
    ("admin", "/@@mailbridge-diagnosis"),
    ("admin", "/@@mailbridge-mailboxes"),
    ("admin", "/@@mailbridge-mailbox-add"),
    ("admin", "/@@mailbridge-forwarding"),
    ("admin", "/@@mailbridge-tokens"),
    ("chef", "/@@mailbridge-outbox"),
    ("chef", "/@@mailbridge-returned"),
    ("chef", "/@@mailbridge-templates"),
    ("chef", "/@@mailbridge-template-edit"),
]


@pytest.mark.parametrize(("user", "path"), PAGES)
def test_nothing_serious(person, user, path):
    someone = person(user, **({"password": "admin"} if user == "admin" else {}))
    someone.open(path)
    assert serious(someone.page, "#content") == []
