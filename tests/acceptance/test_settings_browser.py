"""An administrator of a small town reads the settings: a question at a time, few fields, and an error where it can be seen."""

from playwright.sync_api import expect


PHONE, DESK = {"width": 390, "height": 844}, {"width": 1366, "height": 768}
MOST = 7


def sizes(someone, name):
    """Take a screenshot of the page at a desk and on a phone, where it must not be wider than the screen."""
    for size, suffix in ((PHONE, "-phone"), (DESK, "")):
        someone.page.set_viewport_size(size)
        someone.page.wait_for_timeout(200)
        someone.screenshot(f"settings-{name}{suffix}")
        if size is PHONE:
            assert someone.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_each_question_shows_few_fields(person, iadocs):
    admin = person("admin", password="admin")
    page = admin.page
    for path, tabs in (
        ("/@@mailbridge-controlpanel", True),
        ("/@@mailbridge-account-add", False),
        ("/@@mailbridge-mailbox-add", False),
    ):
        admin.open(path)
        groups = page.locator("#content form fieldset")
        for index in range(groups.count()):
            name = groups.nth(index).get_attribute("id")
            if tabs:
                page.locator(".autotoc-nav a").nth(index).click()
            assert 0 < groups.nth(index).locator(".field:visible").count() <= MOST, (path, name)
            if tabs:
                sizes(admin, name.removeprefix("fieldset-"))
        if not tabs:
            sizes(admin, path.removeprefix("/@@mailbridge-"))
    assert not admin.errors


def test_an_advanced_field_with_an_error_is_shown(person, iadocs):
    admin = person("admin", password="admin")
    page = admin.page
    admin.open("/@@mailbridge-controlpanel")
    page.locator(".autotoc-nav a").nth(5).click()
    field = page.locator("[name='form.widgets.max_per_sender']")
    expect(field).not_to_be_visible()
    page.locator("#fieldset-incoming summary").focus()
    page.keyboard.press("Enter")
    expect(field).to_be_visible()
    field.fill("-1")
    page.locator("#fieldset-incoming summary").click()
    page.click("[name='form.buttons.save']")
    page.wait_for_selector(".alert-danger")
    expect(field).to_be_visible()
    expect(page.locator("#fieldset-incoming .invalid-feedback")).to_be_visible()
    sizes(admin, "error")


def test_sizes_are_typed_in_megabytes(person, iadocs):
    admin = person("admin", password="admin")
    page = admin.page
    admin.open("/@@mailbridge-controlpanel")
    page.locator(".autotoc-nav a").nth(3).click()
    expect(page.locator("label", has_text="(Mo)").locator("visible=true")).to_have_count(1)
    page.fill("[name='form.widgets.attachment_limit']", "12,5")
    page.click("[name='form.buttons.save']")
    expect(page.locator("#global_statusmessage, .portalMessage").first).to_contain_text("enregistrés")
    assert iadocs.settings()["attachment_limit"] == 13_107_200
    expect(page.locator("[name='form.widgets.attachment_limit']")).to_have_value("12,5")


def test_addresses(person, iadocs):
    admin = person("admin", password="admin")
    page = admin.page
    admin.open("/@@mailbridge-addresses")
    page.get_by_role("link", name="Ajouter une adresse d’entrée").click()
    page.fill("[name='form.widgets.address']", "cpas@bridge.test")
    page.locator("[name='form.widgets.service:list']").select_option(label="Urbanisme")
    sizes(admin, "address")
    page.click("[name='form.buttons.save']")
    row = page.locator("tr[data-address='cpas@bridge.test']")
    expect(row).to_contain_text("Urbanisme")
    row.get_by_role("button").click()
    sizes(admin, "addresses")
    row.get_by_role("link", name="Supprimer").click()
    sizes(admin, "address-delete")
    page.click("button[name=delete]")
    expect(row).to_have_count(0)
    assert not admin.errors
