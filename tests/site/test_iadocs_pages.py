"""Every page of the types renders, for the people who work with them and for nobody else."""

from imio.mailbridge.iadocs.demo import PASSWORD
from plone.app.testing import SITE_OWNER_NAME
from plone.app.testing import SITE_OWNER_PASSWORD
from plone.testing.zope import Browser
import pytest
import transaction


PERMIT = "outgoing-mail/permis-durbanisme"
QUESTION = "incoming-mail/demande-de-permis"
TOWN = "contacts/plonegroup-organization"
AL_BERT = "contacts/personnel-folder/al-bert"
POSITION = f"{AL_BERT}/administration-generale"

FOLDERS = ["incoming-mail", "outgoing-mail", "contacts", "contacts/personnel-folder"]
DOCUMENTS = [
    PERMIT,
    f"{PERMIT}/permis",
    f"{PERMIT}/conditions",
    "outgoing-mail/invitation",
    QUESTION,
    f"{QUESTION}/mail",
]
CONTACTS = ["contacts/jeanne-dupont", TOWN, f"{TOWN}/urbanisme", AL_BERT, POSITION]
ADD = [
    "incoming-mail/++add++dmsincoming_email",
    f"{QUESTION}/++add++dmsmainfile",
    f"{QUESTION}/++add++dmsappendixfile",
    "outgoing-mail/++add++dmsoutgoingmail",
    f"{PERMIT}/++add++dmsommainfile",
    f"{PERMIT}/++add++dmsappendixfile",
    "contacts/++add++person",
    "contacts/++add++organization",
    "contacts/++add++directory",
    f"{TOWN}/++add++organization",
    f"{AL_BERT}/++add++held_position",
]
AGENTS_ADD = [path for path in ADD if path.startswith(("outgoing-mail", PERMIT, QUESTION))]


@pytest.fixture
def browse(functional_portal, functional_app):
    def browse(user, path):
        browser = Browser(functional_app)
        browser.handleErrors = True
        if user:
            password = SITE_OWNER_PASSWORD if user == SITE_OWNER_NAME else PASSWORD
            browser.addHeader("Authorization", f"Basic {user}:{password}")
        browser.open(f"{functional_portal.absolute_url()}/{path}")
        return browser

    return browse


@pytest.mark.parametrize("path", FOLDERS + DOCUMENTS + CONTACTS)
@pytest.mark.parametrize("user", [SITE_OWNER_NAME, "agent", "chef"])
def test_pages_render(browse, user, path):
    browser = browse(user, path)
    assert browser.headers["status"].startswith("200")
    assert 'id="content-core"' in browser.contents


@pytest.mark.parametrize("path", [f"{path}/edit" for path in DOCUMENTS + CONTACTS] + ADD)
def test_forms_render_for_a_manager(browse, path):
    assert 'name="form.buttons.save"' in browse(SITE_OWNER_NAME, path).contents


@pytest.mark.parametrize("path", [f"{path}/edit" for path in DOCUMENTS] + AGENTS_ADD)
def test_forms_render_for_an_agent(browse, path):
    assert 'name="form.buttons.save"' in browse("agent", path).contents


@pytest.mark.parametrize(
    "path", [f"{POSITION}/edit", "contacts/jeanne-dupont/edit", "contacts/personnel-folder/++add++person"]
)
def test_agents_do_not_edit_contacts(browse, path):
    assert 'name="form.buttons.save"' not in browse("agent", path).contents


@pytest.mark.parametrize("user", [None, "gateway"])
@pytest.mark.parametrize("path", FOLDERS + DOCUMENTS + CONTACTS)
def test_pages_are_closed_to_others(browse, user, path):
    browser = browse(user, path)
    assert browser.url.partition("?")[0].endswith("/login" if user is None else "/insufficient-privileges")
    assert "Dupont" not in browser.contents


def test_document_lists_its_files(browse):
    contents = browse("agent", PERMIT).contents
    assert "Permis PU-2026-114.pdf" in contents
    assert "Conditions.txt" in contents


def test_file_is_downloaded_as_it_is(browse):
    assert "Conditions du permis" in browse("agent", f"{PERMIT}/conditions/@@download/file").contents


def test_status_cannot_be_typed(browse):
    assert 'name="form.widgets.email_status"' not in browse("agent", f"{PERMIT}/edit").contents


def test_edit_form_saves_what_it_shows(browse, functional_portal):
    browser = browse("agent", f"{PERMIT}/edit")
    browser.getControl(name="form.widgets.email_cc").value = "copie@maville.test"
    browser.getControl(name="form.buttons.save").click()
    document = functional_portal.unrestrictedTraverse(PERMIT)
    functional_portal._p_jar.sync()
    assert document.email_cc == "copie@maville.test"
    assert len(document.recipients) == len(document.reply_to) == len(document.email_attachments) == 1
    assert document.treating_groups


def test_incoming_email_can_be_saved_with_values_that_are_gone(browse, functional_portal):
    document = functional_portal.unrestrictedTraverse(QUESTION)
    document.treating_groups = "0" * 32
    document.assigned_user = "left"
    document.send_modes = ["email", "pigeon"]
    transaction.commit()
    assert browse("agent", QUESTION).headers["status"].startswith("200")
    browser = browse("agent", f"{QUESTION}/edit")
    browser.getControl(name="form.buttons.save").click()
    assert "form.buttons.save" not in browser.contents
    functional_portal._p_jar.sync()
    assert document.treating_groups == "0" * 32
    assert document.assigned_user == "left"
    assert document.send_modes == ["email", "pigeon"]
    assert str(document.reception_date) == "2026-11-16 09:13:00"


def test_address_is_checked_in_forms(browse):
    browser = browse(SITE_OWNER_NAME, f"{POSITION}/edit")
    browser.getControl(name="form.widgets.email").value = "not an address"
    browser.getControl(name="form.buttons.save").click()
    assert "This is not an e-mail address" in browser.contents


@pytest.mark.parametrize(("user", "may"), [("chef", True), ("agent2", False)])
def test_may_send_as_is_for_who_manages_mail(browse, functional_portal, user, may):
    functional_portal.unrestrictedTraverse(POSITION).manage_setLocalRoles(user, ["Editor"])
    transaction.commit()
    contents = browse(user, f"{POSITION}/edit").contents
    assert 'name="form.widgets.email"' in contents
    assert ('name="form.widgets.IMailAgent.may_send_as:list"' in contents) is may
