"""The page ``@@mailbridge-guide``: who reads the guides, in which language, and what is no guide."""

from plone import api
import pytest
import transaction


GUIDE = "/@@mailbridge-guide"
AGENT = f"{GUIDE}/fr/agent"
SORRY = {"en": "in French only", "nl": "alleen in het Frans", "de": "nur auf Französisch"}


@pytest.fixture
def languages(site):
    """Let each browser say which language it reads, as on a site of iA.docs."""
    for name, value in (("available_languages", ["fr", "en", "nl", "de"]), ("use_request_negotiation", True)):
        api.portal.set_registry_record(f"plone.{name}", value)
    transaction.commit()


def page(site, path, user="agent", language="fr"):
    return site.get(path, user, headers={"Accept": "text/html", "Accept-Language": language})


@pytest.mark.parametrize(("user", "status"), [("agent", 200), ("chef", 200), ("admin", 200), (None, 302)])
def test_who_reads_a_guide(site, user, status):
    assert page(site, AGENT, user).status_code == status


@pytest.mark.parametrize(
    "path", ["/fr", "/fr/nothing", "/fr/agent/more", "/../../setup", "/%2e%2e/x", "/images"]
)
def test_what_is_no_guide(site, path):
    assert page(site, f"{GUIDE}{path}").status_code == 404


def test_links_lead_into_this_site(site):
    text = page(site, AGENT).text
    assert f'href="{site.url}/@@mailbridge-guide/fr/forward-as-attachment"' in text
    picture = f"{site.url}/++resource++imio.mailbridge.guides/guide-my-mail.png"
    assert f'src="{picture}"' in text
    assert site.get(picture, "agent").headers["Content-Type"] == "image/png"
    assert f'href="{site.url}/@@mailbridge-guide/fr/agent"' in page(site, GUIDE).text


@pytest.mark.parametrize("language", SORRY)
def test_a_reader_of_another_language_is_told(site, languages, language):
    assert SORRY[language] in page(site, AGENT, language=language).text
    assert ("alert-info" in page(site, f"{GUIDE}/fr/zimbra", language=language).text) is (language != "en")
    assert "alert-info" not in page(site, GUIDE, language=language).text


def test_who_reads_french_is_not(site, languages):
    text = page(site, AGENT).text
    assert "alert-info" not in text
    assert '<div class="mailbridge-guide" lang="fr"' in text


def test_no_help_where_nothing_is_ours_or_nobody_is_logged_in(site):
    assert "mailbridge-help" in page(site, "/@@my-mail").text
    assert "mailbridge-help" not in page(site, "/@@overview-controlpanel", "admin").text
    assert "mailbridge-help" not in page(site, "/login", None).text
