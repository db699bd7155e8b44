"""What an agent meets around an e-mail: warnings, undo, send later, failures, the own list; screenshots in screenshots/."""

from datetime import datetime
from datetime import timedelta
from tests.acceptance.axe import serious
from tests.servers.waiting import wait_for
import pytest


COMPOSE = "/outgoing-mail/invitation/@@send-email"
JEANNE = "jeanne.dupont@citizen.test"
DOUBTS = "#mailbridge-doubts"
UNSEEN = ".mailbridge-unseen"


@pytest.fixture(autouse=True)
def server(iadocs, catcher):
    """The catcher takes the mail; nothing else is set."""
    iadocs.set(
        smtp_host="127.0.0.1",
        smtp_port=catcher.port,
        smtp_security="none",
        login_address="administration@maville.test",
        sender_policy="login",
        signature=None,
        undo_seconds=0,
    )
    yield
    iadocs.set(undo_seconds=0, signature=None)


@pytest.fixture
def agent(person):
    return person("agent")


def fill(page, name, text):
    """Type an address into a select2 field and leave it."""
    box = page.locator(f"#formfield-form-widgets-{name} .select2-input")
    box.type(text)
    page.wait_for_selector(f".select2-result-label:has-text('{text}')")
    page.keyboard.press("Tab")


def write(agent, subject, to=JEANNE, text="Bonjour", path=COMPOSE):
    """Open the compose page and fill it in."""
    page = agent.page
    agent.open(path)
    page.wait_for_selector("iframe.tox-edit-area__iframe")
    if to:
        fill(page, "to", to)
    page.fill("input[name='form.widgets.subject']", subject)
    page.evaluate("html => tinymce.activeEditor.setContent(html)", f"<p>{text}</p>")


def send(agent, *args, **kwargs):
    write(agent, *args, **kwargs)
    agent.page.click("button[name='form.buttons.send']")


def message(page, subject):
    """Return the card of a message on the document."""
    return page.locator("#mailbridge-messages > details").filter(has_text=subject)


def state(page, subject, state):
    """Wait until the message is in a state."""
    page.wait_for_selector(f"#mailbridge-messages > details[data-state='{state}']:has-text('{subject}')")
    return message(page, subject)


def test_warnings_before_sending(agent, catcher):
    page = agent.page
    send(agent, "Les plans", to="luc@gmial.com", text="Veuillez trouver les plans ci-joint.")
    page.wait_for_selector(DOUBTS)
    assert page.locator(f"{DOUBTS} li").count() == 2
    assert page.evaluate("document.activeElement.id") == DOUBTS[1:], "read before the rest"
    agent.screenshot("agent-warnings")
    assert serious(page, DOUBTS, "#mailbridge-compose") == []
    page.click("button[name='mailbridge.correct']")
    page.wait_for_selector("li.select2-search-choice:has-text('luc@gmail.com')")
    assert page.locator(f"{DOUBTS} li").count() == 1, "the attachment"
    page.click("button[name='form.buttons.send_anyway']")
    state(page, "Les plans", "sent")
    (sent,) = catcher.messages
    assert sent.rcpt_tos == ["luc@gmail.com"]
    send(agent, "Les plans", to="luc@gmail.com")
    page.wait_for_selector(DOUBTS)
    agent.screenshot("agent-sent-already")
    assert not agent.errors


def test_a_stranger_to_the_document(agent, catcher):
    page = agent.page
    write(agent, "Votre permis", to="", path="/outgoing-mail/permis-durbanisme/@@send-email")
    fill(page, "cc", "inconnu@ailleurs.test")
    page.click("button[name='form.buttons.send']")
    page.wait_for_selector(f"{DOUBTS}:has-text('inconnu@ailleurs.test')")
    assert not catcher.messages


def test_undo_and_send_again(agent, iadocs, catcher):
    iadocs.set(undo_seconds=120)
    page = agent.page
    send(agent, "Trop vite", text="Avec une faute")
    card = state(page, "Trop vite", "scheduled")
    countdown = card.locator("summary [data-seconds]")
    seconds = [int(word) for word in countdown.inner_text().split() if word.isdigit()]
    assert len(seconds) == 1
    assert seconds[0] <= 120
    wait_for(lambda: str(seconds[0]) not in countdown.inner_text())
    agent.screenshot("agent-undo")
    assert serious(page, "#mailbridge-messages") == []
    card.locator("button[name='undo']").click()
    page.wait_for_url("**/@@send-email?edit=*")
    page.wait_for_selector("iframe.tox-edit-area__iframe")
    assert page.input_value("input[name='form.widgets.subject']") == "Trop vite"
    assert "Avec une faute" in page.evaluate("tinymce.activeEditor.getContent()")
    assert page.locator("li.select2-search-choice").inner_text().strip() == JEANNE
    agent.screenshot("agent-undone")
    iadocs.set(undo_seconds=0)
    page.fill("input[name='form.widgets.subject']", "Bien relu")
    page.click("button[name='form.buttons.send']")
    state(page, "Bien relu", "sent")
    assert len(catcher.messages) == 1
    assert state(page, "Trop vite", "cancelled")


def test_it_leaves_by_itself_after_the_time_to_undo(agent, iadocs, catcher):
    iadocs.set(undo_seconds=3)
    send(agent, "Sans regret")
    state(agent.page, "Sans regret", "sent")
    assert len(catcher.messages) == 1


def test_send_later_then_now(agent, catcher):
    page = agent.page
    write(agent, "Pour demain")
    tomorrow = f"{datetime.now() + timedelta(days=1):%Y-%m-%dT08:30}"
    page.fill("input[name='form.widgets.send_at']", tomorrow)
    agent.screenshot("agent-later")
    page.click("button[name='form.buttons.send']")
    card = state(page, "Pour demain", "scheduled")
    assert "08:30" in card.locator("summary.card-header").inner_text()
    assert not catcher.messages
    agent.screenshot("agent-later-sent")
    card.locator("button[name='send_now']").click()
    state(page, "Pour demain", "sent")
    assert len(catcher.messages) == 1


def test_a_time_that_has_passed(agent):
    page = agent.page
    write(agent, "Trop tard")
    page.fill("input[name='form.widgets.send_at']", "2020-01-01T08:30")
    page.click("button[name='form.buttons.send']")
    page.wait_for_selector(
        "#formfield-form-widgets-send_at .invalid-feedback, #formfield-form-widgets-send_at.error"
    )
    agent.screenshot("agent-past")


def test_failures_are_seen_retried_and_edited(agent, person, catcher):
    page = agent.page
    catcher.answers["rcpt:perdu@citizen.test"] = "550 5.1.1 no such user"
    catcher.answers["rcpt:plus.tard@citizen.test"] = "450 4.2.1 greylisted"
    write(agent, "Trois destinataires")
    fill(page, "cc", "perdu@citizen.test")
    fill(page, "bcc", "plus.tard@citizen.test")
    page.click("button[name='form.buttons.send']")
    card = state(page, "Trois destinataires", "failed")
    page.reload()
    assert card.locator(".mailbridge-recipients > li").count() == 3
    assert page.locator(f"{UNSEEN} .badge").inner_text() == "1"
    agent.screenshot("agent-timeline")
    card.locator(".mailbridge-history summary").click()
    agent.screenshot("agent-timeline-open")
    assert serious(page, "#mailbridge-messages", UNSEEN) == []
    chef = person("chef")
    chef.open("/outgoing-mail/invitation")
    message(chef.page, "Trois destinataires").locator(".mailbridge-history summary").click()
    chef.screenshot("agent-timeline-manager")
    page.click(f"{UNSEEN} a")
    page.wait_for_selector(".mailbridge-mine")
    assert page.locator(UNSEEN).count() == 0, "seen"
    agent.screenshot("agent-mine")
    assert serious(page, "#content") == []
    page.set_viewport_size({"width": 400, "height": 800})
    agent.screenshot("agent-mine-narrow")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.click("a[href*='state=failed']")
    page.wait_for_url("**state=failed*")
    row = page.locator(".mailbridge-mine tbody tr").filter(has_text="Trois destinataires")
    row.locator("a[href*='edit=']").click()
    page.wait_for_selector("iframe.tox-edit-area__iframe")
    assert [each.strip() for each in page.locator("li.select2-search-choice").all_inner_texts()] == [
        "perdu@citizen.test"
    ]
    catcher.answers.clear()
    agent.open("/@@my-emails?state=failed")
    row = page.locator(".mailbridge-mine tbody tr").filter(has_text="Trois destinataires")
    row.locator("button[name='retry']").click()
    page.wait_for_selector(".portalMessage, .alert")
    again = ["perdu@citizen.test", "plus.tard@citizen.test"]
    wait_for(lambda: again in [each.rcpt_tos for each in catcher.messages])
    agent.open("/outgoing-mail/invitation")
    state(page, "Trois destinataires", "sent")
    assert not agent.errors


def test_many_lines_stay_readable(agent, iadocs, catcher):
    page = agent.page
    catcher.answers["rcpt"] = "450 4.2.1 greylisted"
    data = {"to": [JEANNE, "luc@citizen.test", "anne@citizen.test"], "subject": "Souvent", "body": "x"}
    id = iadocs.post("/outgoing-mail/invitation/@send-email", "agent", json=data).json()["id"]
    for number in range(1, 4):
        wait_for(
            lambda number=number: len(iadocs.get(f"/@outbox/{id}", "agent").json()["timeline"]) >= number * 4
        )
        assert iadocs.post(f"/@outbox/{id}/retry", "agent").status_code == 200
    agent.open("/outgoing-mail/invitation")
    card = message(page, "Souvent")
    assert card.locator(".mailbridge-recipients > li").count() == 3
    assert not card.locator(".mailbridge-history table").is_visible()
    agent.screenshot("agent-many")
    card.locator(".mailbridge-history summary").click()
    assert card.locator(".mailbridge-history tbody tr").count() >= 12
    agent.screenshot("agent-many-open")
    iadocs.post(f"/@outbox/{id}/cancel", "agent")


def test_the_list_reloads_and_what_was_opened_stays_open(agent, iadocs, catcher):
    page = agent.page
    catcher.answers["rcpt"] = "450 4.2.1 greylisted"
    send(agent, "Ouvert")
    card = state(page, "Ouvert", "deferred")
    card.locator(".mailbridge-history summary").click()
    card.locator("button[name='cancel']").focus()
    id = card.get_attribute("data-key")
    assert iadocs.post(f"/@outbox/{id}/retry", "agent").status_code == 200
    wait_for(lambda: card.locator(".mailbridge-history tbody tr").count() >= 4)
    assert card.locator(".mailbridge-history").get_attribute("open") is not None
    assert page.evaluate("document.activeElement.name") == "cancel"
    iadocs.post(f"/@outbox/{id}/cancel", "agent")


def test_signature_in_the_editor(agent, iadocs):
    iadocs.set(signature='<p><strong tal:content="sender/name">Nom</strong><br />${sender/service}</p>')
    page = agent.page
    agent.open(COMPOSE)
    page.wait_for_selector("iframe.tox-edit-area__iframe")
    assert "<strong>Al Bert</strong>" in page.evaluate("tinymce.activeEditor.getContent()")
    agent.screenshot("agent-signature")


def test_another_sender_has_another_signature(agent, iadocs):
    service = iadocs.get("/contacts/plonegroup-organization/administration-generale", "admin").json()["UID"]
    iadocs.set(service_senders=[service], signature="<p>Signature : <b>${sender/name}</b></p>")
    page = agent.page
    agent.open(COMPOSE)
    page.wait_for_selector("iframe.tox-edit-area__iframe")
    senders = page.locator("select[name^='form.widgets.sender']")
    own, other = [each.get_attribute("value") for each in senders.locator("option:not([value^='--'])").all()]
    name = "Administration générale"
    content = "tinymce.activeEditor.getContent({format: 'text'})"
    page.evaluate("tinymce.activeEditor.dom.select('p')[0].textContent = 'Madame, bonjour'")

    def signed_by():
        text = page.evaluate(content)
        assert "Madame, bonjour" in text
        return text.partition("Signature : ")[2].strip()

    assert signed_by() == "Al Bert"
    senders.select_option(other)
    assert signed_by() == name
    agent.screenshot("agent-signature-of-service")
    senders.select_option(own)
    assert signed_by() == "Al Bert"
    page.evaluate("tinymce.activeEditor.dom.select('b, strong')[0].textContent = 'Bébert'")
    senders.select_option(other)
    assert signed_by() == "Bébert", "what the agent changed stays"
    page.evaluate("tinymce.activeEditor.dom.remove(tinymce.activeEditor.dom.select('.mailbridge-signature'))")
    senders.select_option(own)
    assert signed_by() == "", "what the agent took out stays out"
    assert not agent.errors
    iadocs.set(service_senders=[])


def test_my_emails_from_the_menu(agent):
    agent.open("/outgoing-mail")
    link = agent.page.locator("a[href$='/@@my-emails']").first
    assert link.count() == 1
    agent.open("/@@my-emails")
    assert agent.page.locator("h1").first.inner_text()
