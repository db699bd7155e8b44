"""An admin adds an account at Microsoft 365, sees it in the list, and tries an address; the screenshots are in screenshots/."""

from playwright.sync_api import expect
import pytest


@pytest.fixture
def clean(iadocs):
    """No account is left for other tests."""
    yield
    iadocs.set(smtp_accounts=[])


def test_admin_adds_an_account_with_a_preset(person, iadocs, catcher, clean):
    iadocs.set(
        smtp_host="127.0.0.1",
        smtp_port=catcher.port,
        smtp_security="none",
        smtp_login=None,
        login_address="administration@maville.test",
    )
    admin = person("admin", password="admin")
    page = admin.page
    admin.open("/@@mailbridge-controlpanel")
    page.locator(".autotoc-nav a", has_text="Connexion").click()
    assert page.locator("[name='form.widgets.smtp_password']").is_visible()
    assert not page.locator("[name='form.widgets.oauth_token_url']").is_visible()
    admin.screenshot("panel-settings")
    page.select_option("[name='form.widgets.smtp_auth:list']", "oauth2")
    expect(page.locator("[name='form.widgets.oauth_token_url']")).to_be_visible()
    expect(page.locator("[name='form.widgets.smtp_client_secret']")).to_be_visible()
    assert not page.locator("[name='form.widgets.smtp_password']").is_visible()

    page.click("nav .nav-link[href$='@@mailbridge-accounts']")
    admin.screenshot("accounts-default")
    page.click("a[href$='@@mailbridge-account-add']")
    admin.screenshot("account-add")
    page.select_option("[name='form.widgets.preset:list']", "microsoft365")
    page.click("[name='form.widgets.preset:list'] + button")
    page.wait_for_selector("[name='form.widgets.host'][value='smtp.office365.com']")
    page.fill("[name='form.widgets.name']", "cpas")
    page.fill("[name='form.widgets.senders']", "cpas.test\ninfo@maville.test")
    page.fill("[name='form.widgets.login']", "bridge@cpas.test")
    page.fill("[name='form.widgets.oauth_client_id']", "11111111-2222-3333-4444-555555555555")
    page.fill("[name='form.widgets.client_secret']", "s3cret")
    admin.screenshot("account-microsoft365")
    page.press("[name='form.widgets.name']", "Enter")  # Enter saves
    page.wait_for_selector(".invalid-feedback, .is-invalid")
    assert "TENANT" in page.locator(".invalid-feedback").first.inner_text()
    admin.screenshot("account-tenant")
    page.fill(
        "[name='form.widgets.oauth_token_url']", "https://login.microsoftonline.com/0a1b/oauth2/v2.0/token"
    )
    page.fill("[name='form.widgets.client_secret']", "s3cret")
    page.click("[name='form.buttons.save']")
    row = page.locator("tr[data-account=cpas]")
    row.wait_for()
    for expected in ("smtp.office365.com:587", "bridge@cpas.test", "info@maville.test", "OAuth 2.0"):
        assert expected in row.inner_text()
    admin.screenshot("accounts")

    page.click("nav .nav-link[href$='@@mailbridge-send-as']")
    page.fill("#address-default", "al.bert@maville.test")
    page.click("#account-default button[name=try]")
    page.wait_for_selector("#account-default table")
    assert "al.bert@maville.test" in page.locator("#account-default table").inner_text()
    assert catcher.messages[0].mail_from == "al.bert@maville.test"
    admin.screenshot("send-as")

    page.click("nav .nav-link[href$='@@mailbridge-accounts']")
    row.locator("a[href*='account-delete']").click()
    admin.screenshot("account-delete")
    page.click("button[name=delete]")
    page.wait_for_selector("tr[data-account=default]")
    assert not row.count()
    assert not admin.errors
