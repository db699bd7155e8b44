"""Can everybody use our pages? axe finds nothing serious in them; what Plone puts around them is Plone's."""

from axe_playwright_python.sync_playwright import Axe
import pytest


PAGES = [
    ("agent", "/outgoing-mail/invitation/@@send-email"),
    ("agent", "/outgoing-mail/permis-durbanisme"),
    ("chef", "/@@mailbridge-inbox"),
    ("admin", "/@@mailbridge-controlpanel"),
    ("admin", "/@@mailbridge-accounts"),
    ("admin", "/@@mailbridge-account-add"),
    ("admin", "/@@mailbridge-send-as"),
    ("admin", "/@@mailbridge-diagnosis"),
    ("admin", "/@@mailbridge-mailboxes"),
    ("admin", "/@@mailbridge-mailbox-add"),
    ("admin", "/@@mailbridge-forwarding"),
    ("chef", "/@@mailbridge-outbox"),
]
#: Elements that Plone's own patterns make, wherever they are used.
OF_PLONE = (".select2-container", ".tox", ".pat-tinymce", ".pat-datagridfield", ".datagridwidget-table-view")


@pytest.mark.parametrize(("user", "path"), PAGES)
def test_nothing_serious(person, user, path):
    someone = person(user, **({"password": "admin"} if user == "admin" else {}))
    someone.open(path)
    someone.page.wait_for_timeout(1500)  # the editor
    context = {"include": [["#content"]], "exclude": [[selector] for selector in OF_PLONE]}
    found = Axe().run(someone.page, context=context).response["violations"]
    serious = [
        (each["id"], [node["html"][:200] for node in each["nodes"]])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
    assert serious == []
