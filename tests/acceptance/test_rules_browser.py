"""A manager of mail writes a rule, orders it, deletes it and takes that back; administrators write patterns."""

from playwright.sync_api import expect


PHONE, DESK = {"width": 390, "height": 844}, {"width": 1366, "height": 768}


def sizes(someone, name):
    """Take a screenshot of the page at a desk and on a phone, where it must not be wider than the screen."""
    for size, suffix in ((PHONE, "-phone"), (DESK, "")):
        someone.page.set_viewport_size(size)
        someone.page.wait_for_timeout(200)
        someone.screenshot(f"rules-{name}{suffix}")
        if size is PHONE:
            assert someone.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_rule_from_its_sentence_to_its_end(person, iadocs):
    row = {"transfer_email_pat": None, "recipient_pat": None, "tal_condition_2": None, "forward": "server"}
    row |= {"original_email_pat": None, "subject_pat": "bail|permis", "tal_condition_1": None}
    iadocs.set(iemail_routing=[row | {"user_value": "agent", "tg_value": "_primary_org_"}])
    chef = person("chef")
    page = chef.page
    rules = page.locator(".mailbridge-rules > li")
    chef.open("/@@mailbridge-inbox")
    page.get_by_role("link", name="Règles", exact=True).click()
    page.get_by_role("link", name="Nouvelle règle").click()
    page.get_by_label("Si l’objet contient").fill("Permis (urgent)")
    page.get_by_label("et si l’expéditeur est").fill("citizen.test")
    page.locator("#form-widgets-tg_value").select_option(label="Urbanisme")
    page.get_by_role("button", name="Essayer sur les derniers messages").click()
    expect(page.locator(".mailbridge-trial")).to_be_visible()
    sizes(chef, "form")
    page.get_by_role("button", name="Enregistrer la règle").click()
    expect(rules).to_have_count(2)
    rules.nth(1).get_by_role("button", name="Monter").click()
    expect(rules.first).to_contain_text("Permis (urgent)")
    rules.nth(1).locator("details summary").first.click()
    sizes(chef, "list")
    rules.first.locator("summary", has_text="Supprimer").click()
    rules.first.get_by_role("button", name="Oui, supprimer la règle 1").click()
    expect(rules).to_have_count(1)
    sizes(chef, "deleted")
    page.get_by_role("button", name="Remettre la règle").click()
    expect(rules.first).to_contain_text("Permis (urgent)")
    admin = person("admin", password="admin")
    admin.open("/@@mailbridge-rules")
    rules = admin.page.locator(".mailbridge-rules > li")
    rules.nth(1).get_by_role("link", name="Modifier").click()
    pattern = admin.page.locator("[name='form.widgets.subject_pat']")
    expect(pattern).to_have_value("bail|permis")
    sizes(admin, "expert")
    pattern.fill("bail|permis|urbanisme")
    admin.page.locator("#form-buttons-save").click()
    expect(rules.nth(1)).to_contain_text("bail|permis|urbanisme")
    expect(rules).to_have_count(2)
    admin.page.get_by_role("link", name="Nouvelle règle pour l’état").click()
    admin.page.locator("[name='form.widgets.subject_pat']").fill("urgent")
    sizes(admin, "state")
    admin.page.locator("#form-buttons-save").click()
    expect(admin.page.locator(".mailbridge-states > li")).to_contain_text("urgent")
    sizes(admin, "admin")
    iadocs.set(iemail_routing=[], iemail_state_set=[])
    assert not chef.errors
    assert not admin.errors
