"""Nothing that is typed is lost: addresses, drafts, a session that ends, two windows; screenshots in screenshots/."""

from tests.acceptance.axe import serious
from tests.acceptance.conftest import SCREENSHOTS
from tests.servers.instance import PASSWORD
from tests.servers.waiting import wait_for
import pytest


COMPOSE = "/outgoing-mail/invitation/@@send-email"
JEANNE = "jeanne.dupont@citizen.test"
DOUBTS = "#mailbridge-doubts"
SAVED = "#mailbridge-draft-saved"
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1366, "height": 768}


@pytest.fixture(autouse=True)
def server(iadocs, catcher):
    """The catcher takes the mail."""
    iadocs.set(
        smtp_host="127.0.0.1",
        smtp_port=catcher.port,
        smtp_security="none",
        login_address="administration@maville.test",
        sender_policy="login",
        undo_seconds=0,
    )


@pytest.fixture
def agent(person):
    someone = person("agent")
    someone.page.set_viewport_size(DESK)
    someone.page.set_default_timeout(15000)
    return someone


def box(page, name):
    return page.locator(f"#formfield-form-widgets-{name} .select2-input")


def chips(page, name):
    return [
        each.strip()
        for each in page.locator(f"#formfield-form-widgets-{name} .select2-search-choice").all_inner_texts()
    ]


def paste(page, text):
    """Paste into what has the focus."""
    page.evaluate(
        """text => {
            const data = new DataTransfer();
            data.setData("text/plain", text);
            const paste = new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true});
            document.activeElement.dispatchEvent(paste);
        }""",
        text,
    )


def sent(page, subject):
    """Wait until the message is sent."""
    page.wait_for_selector(f"#mailbridge-messages > details[data-state='sent']:has-text('{subject}')")


def write(page, text):
    page.evaluate(
        "html => { tinymce.activeEditor.setContent(html); tinymce.activeEditor.setDirty(true) }",
        f"<p>{text}</p>",
    )


BODY = "window.tinymce?.activeEditor?.initialized ? tinymce.activeEditor.getContent() : ''"


def body(page):
    """Return the text of the editor, or nothing before it has started."""
    return page.evaluate(BODY)


def wait_for_body(page, text):
    """Wait until the editor holds a text; meanwhile the page may load another one."""
    page.wait_for_function(f"text => ({BODY}).includes(text)", arg=text, timeout=40_000)


def screenshots(agent, name):
    agent.screenshot(f"compose-{name}")
    agent.page.set_viewport_size(PHONE)
    agent.page.wait_for_timeout(300)
    wide = agent.page.evaluate("document.documentElement.scrollWidth")
    agent.screenshot(f"compose-{name}-phone")
    agent.page.set_viewport_size(DESK)
    assert wide <= PHONE["width"], "no horizontal scrolling"


def test_addresses_are_kept_however_they_end(agent):
    page = agent.page
    agent.open(COMPOSE)
    to = box(page, "to")
    # as fast as a machine types: no answer of the server is waited for
    for number, ending in enumerate(("Tab", "Enter", ",", ";")):
        to.click()
        page.keyboard.type(f"a{number}@x.test", delay=0)
        page.keyboard.press(ending)
    to.click()
    page.keyboard.type("Nom Prénom <b@x.test>", delay=0)
    subject = page.locator("input[name='form.widgets.subject']").bounding_box()
    page.mouse.click(subject["x"] + 5, subject["y"] + 5)
    assert chips(page, "to") == [f"a{number}@x.test" for number in range(4)] + ["b@x.test (Nom Prénom)"]
    box(page, "cc").click()
    paste(
        page,
        'Dupont, Luc <l@x.test>; "Ça; va" <c@x.test>\r\nd@x.test, e@x.test\r\nJeanne Martin\tj@x.test\r\n<L@x.test>',
    )
    assert chips(page, "cc") == [
        "l@x.test (Dupont, Luc)",
        "c@x.test (Ça, va)",
        "d@x.test",
        "e@x.test",
        "j@x.test (Jeanne Martin)",
    ]
    assert "j@x.test" in page.locator("#mailbridge-recipients").inner_text()
    # a name with one contact is completed; others stay, and are an error at the field
    box(page, "bcc").click()
    page.keyboard.type("dup jea", delay=0)
    page.keyboard.press("Tab")
    page.wait_for_selector(f"#formfield-form-widgets-bcc .select2-search-choice:has-text('{JEANNE}')")
    box(page, "bcc").click()
    page.keyboard.type("personne que je connaisse", delay=0)
    page.keyboard.press("Tab")
    assert chips(page, "bcc")[-1] == "personne que je connaisse"
    page.wait_for_selector("#formfield-form-widgets-bcc .mailbridge-error:has-text('personne que je')")
    # contacts stand before what was typed; one that the field has already is not offered again
    box(page, "cc").click()
    page.keyboard.type("dup")
    page.wait_for_selector(".select2-drop-active .select2-result-label:has-text('jeanne')")
    offered = page.locator(".select2-drop-active .select2-result-label").all_inner_texts()
    assert [JEANNE in offered[0], offered[-1]] == [True, "dup"]
    agent.screenshot("compose-completion")
    page.keyboard.press("Escape")
    # somebody new becomes a contact in a tab of its own
    with page.context.expect_page() as opened:
        page.click("#formfield-form-widgets-to >> text=Nouveau contact")
    form = opened.value
    assert form.input_value("[name='form.widgets.email']") == "a3@x.test"
    form.fill("[name='form.widgets.lastname']", "Petit")
    form.fill("[name='form.widgets.firstname']", "Zoé")
    form.screenshot(path=SCREENSHOTS / "new-contact.png", full_page=True)
    with form.expect_event("close"):
        form.click("[name='form.buttons.create']")
    page.wait_for_selector(
        "#formfield-form-widgets-to .select2-search-choice:has-text('a3@x.test (Zoé Petit)')"
    )
    assert len(chips(page, "to")) == 5, "it stands instead of the address"
    screenshots(agent, "recipients")
    assert serious(page, "#mailbridge-compose", "#mailbridge-preview") == []
    assert not agent.errors


def test_five_hundred_recipients(agent):
    page = agent.page
    agent.open("/outgoing-mail/permis-durbanisme/@@send-email")
    box(page, "to").click()
    paste(page, "\n".join(f"Nom {number} <p{number}@citizen.test>" for number in range(500)))
    assert len(chips(page, "to")) == 501
    page.wait_for_selector("#formfield-form-widgets-to .mailbridge-error:has-text('501')")
    agent.screenshot("compose-500")
    page.click("button[name='form.buttons.send']")
    page.wait_for_selector(DOUBTS)
    assert len(chips(page, "to")) == 501


def test_the_session_ends_while_writing(agent, catcher, logins):
    page = agent.page
    agent.open(COMPOSE)
    assert page.locator(SAVED).inner_text() == ""
    box(page, "to").click()
    page.keyboard.type("a@x.test;", delay=0)
    page.fill("input[name='form.widgets.subject']", "Avant la fin")
    write(page, "Premier paragraphe")
    page.wait_for_selector(f"{SAVED}:not(:empty)")
    agent.screenshot("compose-saved")
    page.context.clear_cookies()
    write(page, "Écrit après la fin de la session")
    page.wait_for_selector("#mailbridge-unsaved:not([hidden])")
    page.locator("#mailbridge-unsaved").scroll_into_view_if_needed()
    screenshots(agent, "session-ended")
    page.click("button[name='form.buttons.send']")
    page.wait_for_selector("[name=__ac_name]")
    page.fill("[name=__ac_name]", "agent")
    page.fill("[name=__ac_password]", PASSWORD)
    page.click("[name='buttons.login']")
    page.wait_for_selector("body.userrole-authenticated")
    agent.open(COMPOSE)
    wait_for(lambda: page.locator(f"{SAVED}:not(:empty)").count())
    wait_for_body(page, "après la fin")
    assert page.input_value("input[name='form.widgets.subject']") == "Avant la fin"
    assert chips(page, "to") == ["a@x.test"]
    screenshots(agent, "draft")
    logins["agent"] = page.context.storage_state()
    page.dblclick("button[name='form.buttons.send']")
    sent(page, "Avant la fin")
    assert len(catcher.messages) == 1
    assert page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('mailbridge-draft'))") == []
    agent.open(COMPOSE)
    assert page.locator(SAVED).inner_text() == ""
    assert not agent.errors


def test_two_windows(agent, catcher):
    page = agent.page
    agent.open(COMPOSE)
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_selector("iframe.tox-edit-area__iframe")
    box(page, "to").click()
    page.keyboard.type("a@x.test;", delay=0)
    page.fill("input[name='form.widgets.subject']", "Deux fenêtres")
    write(page, "De la première")
    page.wait_for_selector(f"{SAVED}:not(:empty)")
    write(other, "De la seconde")
    other.wait_for_selector("#mailbridge-conflict:not([hidden])")
    other.locator("#mailbridge-conflict").scroll_into_view_if_needed()
    other.screenshot(path="screenshots/compose-conflict.png")
    other.click("#mailbridge-conflict [data-choice=other]")
    wait_for_body(other, "première")
    page.click("button[name='form.buttons.send']")
    sent(page, "Deux fenêtres")
    other.click("button[name='form.buttons.send']")
    other.wait_for_selector("#mailbridge-messages")
    assert len(catcher.messages) == 1
    page.go_back()
    page.wait_for_selector("button[name='form.buttons.send']")
    page.wait_for_selector("iframe.tox-edit-area__iframe")
    assert len(catcher.messages) == 1
    assert not agent.errors


def test_warnings_stand_where_the_eye_is(agent):
    page = agent.page
    agent.open(COMPOSE)
    box(page, "to").click()
    page.keyboard.type("luc@gmial.com;personne;", delay=0)
    page.fill("input[name='form.widgets.subject']", "")
    write(page, "Voici le fichier en annexe.")
    page.eval_on_selector("#mailbridge-compose", "form => form.noValidate = true")
    page.click("button[name='form.buttons.send']")
    page.wait_for_selector(DOUBTS)
    page.wait_for_selector("iframe.tox-edit-area__iframe")
    page.wait_for_timeout(500)
    frame = page.locator(DOUBTS).bounding_box()
    assert frame["y"] >= 0
    assert frame["y"] + frame["height"] <= DESK["height"], "on the screen"
    page.screenshot(path="screenshots/compose-warnings-seen.png")
    screenshots(agent, "warnings")
    page.click(f"{DOUBTS} a[href$='-to']")
    assert page.evaluate("document.activeElement.matches('#formfield-form-widgets-to .select2-input')")
    page.on("dialog", lambda dialog: dialog.accept())
    page.wait_for_selector(f"{SAVED}:not(:empty)")
    page.locator("#mailbridge-draft button").click()
    page.wait_for_selector(".portalMessage, .alert-info")
    assert "annexe" not in body(page)
