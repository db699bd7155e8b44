"""What managers and admins see in a browser: the outbox, and the diagnosis of a Postfix that refuses foreign senders."""

from email import message_from_bytes
from playwright.sync_api import expect
from tests.acceptance.axe import serious
from tests.servers.postfix import LOGIN
from tests.servers.postfix import PASSWORD
from tests.servers.waiting import wait_for


DOCUMENT = "/outgoing-mail/permis-durbanisme"


def state(iadocs, id):
    return iadocs.get(f"/@outbox/{id}", "chef").json()["state"]


def test_outbox(person, iadocs, catcher):
    iadocs.set(smtp_host="127.0.0.1", smtp_port=catcher.port, smtp_security="none", smtp_login=None)
    iadocs.set(login_address="administration@maville.test", sender_policy="login", close_on_send=False)
    catcher.answers["rcpt:bad@citizen.test"] = "550 5.1.1 no such user"
    ids = []
    for subject, to in (("Avis perdu", "bad@citizen.test"), ("Avis reçu", "good@citizen.test")):
        data = {"to": [to], "subject": subject, "body": "x"}
        ids.append(iadocs.post(f"{DOCUMENT}/@send-email", "agent", json=data).json()["id"])
    wait_for(lambda: [state(iadocs, id) for id in ids] == ["failed", "sent"])
    chef = person("chef")
    page = chef.page
    chef.open("/@@mailbridge-outbox")
    page.fill("#outbox-q", "Avis")
    page.select_option("#outbox-origin", "agent")  # the agent got a notice about it
    page.click("form[method=get] button")
    rows = page.locator(".mailbridge-outbox tbody tr")
    expect(rows).to_have_count(2)
    assert "Avis reçu" in rows.first.inner_text()
    chef.screenshot("outbox")
    assert serious(page, ".mailbridge-outbox") == []
    catcher.answers.clear()
    page.check(".mailbridge-all")
    page.click("button[name=retry]")
    expect(page.locator(".portalMessage, #global_statusmessage").first).to_contain_text("1")
    wait_for(lambda: state(iadocs, ids[0]) == "sent")
    page.click(".mailbridge-outbox a:has-text('Avis perdu')")
    assert "bad@citizen.test" in page.locator(".mailbridge-outbox-message").inner_text()
    assert "550" in page.locator(".mailbridge-outbox-message").inner_text()
    chef.screenshot("outbox-message")
    assert serious(page, ".mailbridge-outbox-message") == []
    with page.expect_download() as download:
        page.click("a:has-text('.eml')")
    with open(download.value.path(), "rb") as stream:
        assert message_from_bytes(stream.read())["Subject"] == "Avis perdu"
    chef.open("/@@mailbridge-outbox?q=Avis&origin=agent")
    with page.expect_download() as download:
        page.click("a:has-text('CSV')")
    with open(download.value.path(), encoding="utf-8-sig") as stream:
        assert len(stream.readlines()) == 3
    assert not chef.errors


def test_diagnosis_of_a_server_that_refuses_the_agent(person, iadocs, postfix):
    iadocs.set(
        smtp_host="localhost",
        smtp_port=postfix.enforcing_port,
        smtp_security="starttls",
        smtp_ca_file=str(postfix.ca_file),
        smtp_login=LOGIN,
        smtp_password=PASSWORD,
        login_address=None,
        dns_resolver="127.0.0.1:9",
    )
    admin = person("admin", password="admin")
    page = admin.page
    admin.open("/@@mailbridge-diagnosis")
    page.fill("#diagnosis-recipient", "jeanne.dupont@citizen.test")
    page.fill("#diagnosis-agent", "al.bert@maville.test")
    page.check("#diagnosis-send")
    page.click("button[name=run]")
    page.wait_for_selector(".mailbridge-diagnosis")
    verdicts = page.locator("[data-verdict]").evaluate_all("all => all.map(one => one.dataset.verdict)")
    assert verdicts[:9] == ["ok", "ok", "ok", "ok", "ok", "ok", "warning", "ok", "ok"]
    assert verdicts[9] == "warning", "Postfix refuses the agent in the envelope, also of a real message"
    text = page.input_value("#diagnosis-text")
    assert "not owned by user" in text
    assert "TLSv1.3" in text
    assert PASSWORD not in text
    assert "Send As" in page.locator(".mailbridge-diagnosis").inner_text()
    page.locator(".mailbridge-diagnosis details").first.evaluate("one => { one.open = true }")
    admin.screenshot("diagnosis")
    assert serious(page, ".mailbridge-diagnosis") == []
    assert iadocs.get("/@@mailbridge-send-as", "admin", headers={"Accept": "text/html"}).text.count(
        "al.bert@maville.test"
    )
    assert not admin.errors
