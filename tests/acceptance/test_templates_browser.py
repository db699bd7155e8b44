"""A manager writes a template, an agent inserts it, drops a file and sends both; screenshots in screenshots/."""

from email import message_from_bytes
from email import policy
from tests.acceptance.axe import serious
from tests.servers.waiting import wait_for
import pytest


COMPOSE = "/outgoing-mail/invitation/@@send-email"
JEANNE = "jeanne.dupont@citizen.test"
SIZES = {"desk": {"width": 1366, "height": 768}, "phone": {"width": 390, "height": 844}}
DROP = """name => {
    const data = new DataTransfer();
    data.items.add(new File(["%PDF-1.4 plan"], name));
    for (const type of ["dragover", "drop"])
        document.body.dispatchEvent(new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true}));
}"""


@pytest.fixture(autouse=True)
def server(iadocs, catcher):
    """The catcher takes the mail, with files of a megabyte."""
    iadocs.set(
        smtp_host="127.0.0.1",
        smtp_port=catcher.port,
        smtp_security="none",
        login_address="administration@maville.test",
        sender_policy="login",
        undo_seconds=0,
        attachment_limit=1_000_000,
    )


def pictures(someone, name):
    for size, viewport in SIZES.items():
        someone.page.set_viewport_size(viewport)
        someone.page.wait_for_timeout(300)
        someone.screenshot(f"templates-{name}-{size}")
    someone.page.set_viewport_size(SIZES["desk"])


def written(page):
    return page.evaluate("tinymce.activeEditor.getContent()")


def test_a_template_and_a_file_are_sent(person, catcher):
    chef = person("chef")
    chef.open("/@@mailbridge-template-edit")
    page = chef.page
    page.fill("input[name='form.widgets.name']", "Invitation")
    page.fill("input[name='form.widgets.subject']", "Au sujet de ")
    page.click("button:has-text('{document.title}')")
    page.evaluate(
        "html => tinymce.activeEditor.setContent(html)", "<p>Bonjour {recipient.name},</p><p>Bien à vous,</p>"
    )
    page.evaluate(
        """() => {
            const editor = tinymce.activeEditor;
            editor.selection.select(editor.getBody().lastChild);
            editor.selection.collapse(false);
            editor.focus();
        }"""
    )
    page.click("button:has-text('{agent.name}')")
    page.fill("input[name='mailbridge.recipient']", JEANNE)
    page.click("button[name='form.buttons.preview']")
    page.wait_for_selector(".mailbridge-text-preview:has-text('Bonjour Jeanne Dupont')")
    page.wait_for_selector("iframe.tox-edit-area__iframe", state="attached")
    assert serious(page, "#content") == []
    pictures(chef, "edit")
    page.click("button[name='form.buttons.save']")
    page.wait_for_selector(".mailbridge-templates td")
    pictures(chef, "list")

    agent = person("agent")
    agent.open(COMPOSE)
    page = agent.page
    page.set_default_timeout(15000)
    page.fill("input[name='form.widgets.subject']", "")
    page.select_option("#mailbridge-template", label="Invitation")
    page.click("button[name='mailbridge.insert']")
    page.wait_for_selector("#mailbridge-templates [role=alert] li")
    assert "{recipient.name}" in written(page)
    pictures(agent, "empty-field")
    page.locator("#formfield-form-widgets-to .select2-input").click()
    page.keyboard.type(f"{JEANNE};", delay=0)
    page.click("button[name='mailbridge.fill']")
    page.wait_for_function("tinymce.activeEditor.getContent().includes('Bonjour Jeanne Dupont')")
    assert page.input_value("input[name='form.widgets.subject']").startswith("Au sujet de Invitation")
    page.evaluate(DROP, "plan.pdf")
    page.wait_for_selector("#mailbridge-attach [data-added] label:has-text('plan.pdf')")
    page.set_input_files(
        "#mailbridge-file", {"name": "film.mp4", "mimeType": "video/mp4", "buffer": b"x" * 1_000_001}
    )
    page.wait_for_selector("#mailbridge-attach [role=alert] li:has-text('film.mp4')")
    assert serious(page, "#content") == []
    pictures(agent, "compose")
    page.wait_for_selector("#mailbridge-draft-saved:not(:empty)")
    agent.open(COMPOSE)
    assert page.locator("#formfield-form-widgets-attachments").get_by_label("plan.pdf").is_checked()
    page.click("button[name='form.buttons.send']")
    page.wait_for_selector("#mailbridge-messages")
    wait_for(lambda: catcher.messages)
    message = message_from_bytes(catcher.messages[-1].content, policy=policy.default)
    text = message.get_body(("plain",)).get_content()
    assert "Bonjour Jeanne Dupont," in text
    assert "Al Bert" in text
    assert [each.get_filename() for each in message.iter_attachments()] == ["plan.pdf"]
    assert not agent.errors + chef.errors
