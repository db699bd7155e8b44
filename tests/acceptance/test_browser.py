"""The pages as people see them, in French, in Chromium; the screenshots are in screenshots/."""

from playwright.sync_api import expect
from tests.servers.waiting import wait_for


def test_agent_sends_a_document(person, iadocs, catcher):
    iadocs.set(
        smtp_host="127.0.0.1",
        smtp_port=catcher.port,
        smtp_security="none",
        smtp_login=None,
        login_address="administration@maville.test",
        sender_policy="login",
        reply_to_agent=True,
        close_on_send=True,
    )
    agent = person("agent")
    page = agent.page
    agent.open("/outgoing-mail/permis-durbanisme")
    agent.screenshot("document")
    page.click("#content a.btn:has-text('Envoyer par e-mail')")
    preview = page.locator("#mailbridge-preview")
    wait_for(lambda: "administration@maville.test" in preview.inner_text())
    preview.locator("summary").click()
    wait_for(lambda: "Ko" in preview.inner_text())
    for expected in ("Al Bert", "al.bert@maville.test", "administration@maville.test", "Ko"):
        assert expected in preview.inner_text()
    assert (
        page.locator("li.select2-search-choice").inner_text().strip()
        == "jeanne.dupont@citizen.test (Jeanne Dupont)"
    )
    page.locator("#formfield-form-widgets-cc .select2-input").fill("fontai")
    page.wait_for_selector(".select2-result-label:has-text('Fontaine')")
    agent.screenshot("compose-completion")
    page.click(".select2-result-label:has-text('Fontaine')")
    page.wait_for_function("document.querySelectorAll('li.select2-search-choice').length == 2")
    agent.screenshot("compose")
    page.click("button[name='form.buttons.send']")
    newest = page.locator("#mailbridge-messages > details").last
    wait_for(lambda: newest.get_attribute("data-state") == "sent")
    page.reload()
    newest.locator("summary").first.click()
    assert "envoyé" in newest.locator("summary").first.inner_text()
    newest.locator(".mailbridge-recipients").wait_for()
    agent.screenshot("sent")
    (message,) = catcher.messages
    assert message.rcpt_tos == ["jeanne.dupont@citizen.test", "claire.fontaine@maville.test"]
    assert b"Permis" in message.content
    assert not agent.errors


def test_agent_pastes_an_address_with_a_name_and_types_one(person, iadocs, catcher):
    iadocs.set(smtp_host="127.0.0.1", smtp_port=catcher.port)
    agent = person("agent")
    page = agent.page
    agent.open("/outgoing-mail/invitation/@@send-email")
    box = page.locator("#formfield-form-widgets-to .select2-input")
    box.fill('"Luc Petit" <luc.petit@citizen.test>')
    page.wait_for_selector(".select2-result-label")
    box.press("Enter")
    box.type("anne@citizen.test")
    page.wait_for_selector(".select2-result-label:has-text('anne@')")
    page.keyboard.press("Tab")  # leaving the field keeps what was typed
    copies = page.locator("#formfield-form-widgets-cc .select2-input")
    copies.type("paul@citizen.test")
    page.wait_for_selector(".select2-result-label:has-text('paul@')")
    page.mouse.click(5, 5)  # anywhere else too
    page.fill("input[name='form.widgets.subject']", "Invitation")
    page.wait_for_function("window.tinymce && tinymce.activeEditor && tinymce.activeEditor.initialized")
    page.evaluate("tinymce.activeEditor.setContent('<p>Bonjour</p>')")
    page.click("button[name='form.buttons.send']")
    (message,) = wait_for(lambda: catcher.messages)
    assert message.rcpt_tos == ["luc.petit@citizen.test", "anne@citizen.test", "paul@citizen.test"]
    assert b'"Luc Petit" <luc.petit@citizen.test>' in message.content


def test_agent_sees_what_is_wrong(person, iadocs):
    agent = person("agent")
    page = agent.page
    agent.open("/outgoing-mail/invitation/@@send-email")
    page.locator("#formfield-form-widgets-to .select2-input").type("pas une adresse")
    page.wait_for_selector(".select2-result-label:has-text('pas une')")
    page.keyboard.press("Tab")
    page.fill("input[name='form.widgets.subject']", "Essai")
    page.click("button[name='form.buttons.send']")
    expect(page.locator("#content")).to_contain_text("n’est pas une adresse")
    agent.screenshot("compose-error")


def test_admin_sets_up_and_sends_a_test(person, iadocs, catcher):
    admin = person("admin", password="admin")
    page = admin.page
    admin.open("/@@overview-controlpanel")
    page.click("#content a:visible:has-text('Passerelle e-mail')")
    page.fill("input[name='form.widgets.smtp_host']", "127.0.0.1")
    page.fill("input[name='form.widgets.smtp_port']", str(catcher.port))
    admin.screenshot("panel-outgoing")
    page.click("button[name='form.buttons.test']")
    expect(page.locator("body")).to_contain_text("a pris l’e-mail de test")
    admin.screenshot("panel-test")
    assert len(catcher.messages) == 1
    catcher.answers["rcpt"] = "550 5.7.1 relaying denied"
    page.click("button[name='form.buttons.test']")
    page.wait_for_selector("text=relaying denied")
    admin.screenshot("panel-test-refused")
    for fieldset in ("Courrier entrant", "Confiance"):
        page.click(f".autotoc-nav a:has-text('{fieldset}')")
        admin.screenshot(f"panel-{fieldset.split()[-1].lower()}")
