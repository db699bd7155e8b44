"""An admin sees, before the first mail, what receivers will find, and copies what the DNS operator must enter."""

from playwright.sync_api import expect
from tests.acceptance.axe import serious
from tests.servers.resolver import Resolver
from tests.servers.waiting import wait_for
from tests.site.rows import row


ZONE = {
    ("maville.test", "MX"): ["0 maville-test.mail.protection.outlook.com."],
    ("maville.test", "TXT"): ["v=spf1 mx ip4:192.0.2.0/24 -all"],
    ("spf.protection.outlook.com", "TXT"): ["v=spf1 ip4:203.0.113.0/24 -all"],
    ("cpas.test", "MX"): ["0 mail.cpas.test."],
    ("cpas.test", "TXT"): ["v=spf1 -all"],
    ("_dmarc.cpas.test", "TXT"): ["v=DMARC1; p=reject"],
}


def test_before_the_first_mail(person, iadocs):
    with Resolver(ZONE) as server:
        host = {"host": "smtp.office365.com", "port": 587, "security": "starttls"}
        cpas = row(**host, login_address="administration@maville.test", sender_policy="send_as")
        iadocs.set(
            smtp_host="smtp.office365.com",
            login_address="administration@maville.test",
            smtp_accounts=[cpas],
            dns_resolver=server.address,
        )
        admin = person("admin", password="admin")
        page = admin.page
        admin.open("/@@mailbridge-accounts")
        of_cpas = page.locator("tr[data-account=cpas]")
        expect(of_cpas.locator(".mailbridge-foretold")).to_contain_text("pas encore vérifiés")
        for name in ("default", "cpas"):
            page.locator(f"tr[data-account={name}]").get_by_role("button", name="Vérifier le DNS").click()
        expect(of_cpas).to_contain_text("DMARC échoue : ni SPF ni une signature ne garantissent cpas.test")
        expect(of_cpas.locator("[data-verdict=fails]")).to_have_count(3)
        admin.screenshot("forecast-accounts")
        page.set_viewport_size({"width": 390, "height": 844})
        admin.screenshot("forecast-accounts-phone")
        page.set_viewport_size({"width": 1366, "height": 768})
        page.locator("tr[data-account=default]").get_by_role("link", name="Chez les destinataires").click()
        page.fill("#diagnosis-reports", "dmarc@maville.test")
        page.click("button[name=check]")
        values = page.locator(".mailbridge-entries textarea").evaluate_all("all => all.map(one => one.value)")
        assert values == [
            "v=spf1 mx ip4:192.0.2.0/24 include:spf.protection.outlook.com -all",
            "v=DMARC1; p=none; rua=mailto:dmarc@maville.test",
        ]
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.locator(".mailbridge-entries .mailbridge-copy").first.click()
        wait_for(lambda: page.evaluate("navigator.clipboard.readText()") == values[0])
        assert "selector1._domainkey.maville.test" in page.locator(".mailbridge-entries").inner_text()
        assert serious(page, "#forecast") == []
        admin.screenshot("forecast-diagnosis")
        page.set_viewport_size({"width": 390, "height": 844})
        admin.screenshot("forecast-diagnosis-phone")
        admin.open("/@@mailbridge-account-edit?account=cpas")
        page.set_viewport_size({"width": 1366, "height": 768})
        expect(page.locator("#formfield-form-widgets-sender_policy")).to_contain_text(
            "Attention, « L’adresse de l’agent"
        )
        admin.screenshot("forecast-account-edit")
        assert not admin.errors
