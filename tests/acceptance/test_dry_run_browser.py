"""The dry run with its test cases, and secret addresses, as people use them in a browser."""

from email.message import EmailMessage
from playwright.sync_api import expect
from tests.acceptance.axe import serious
from tests.mails import forwarded
from tests.mails import redirected
from tests.servers.waiting import wait_for
import pytest


DRY_RUN = "/@@mailbridge-dry-run"
ADDRESSES = "/@@mailbridge-addresses"
MAILBOX = "info@maville.test"


def with_remote_contents():
    message = EmailMessage()
    message["From"], message["To"] = "Jeanne Dupont <jeanne.dupont@citizen.test>", MAILBOX
    message["Subject"], message["Message-ID"] = "Essai déposé", "<depose@citizen.test>"
    message.set_content(
        "<p>Bonjour du citoyen</p><img src='http://pixel.test/p.gif'><script>document.title = 'x'</script>",
        "html",
    )
    return message


def drop(page, selector, path):
    """Drop a file of the machine onto an element, as the mouse does."""
    page.locator(selector).scroll_into_view_if_needed()
    box = page.locator(selector).bounding_box()
    devtools = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        devtools.send(
            "Input.dispatchDragEvent",
            {
                "type": kind,
                "x": box["x"] + box["width"] / 2,
                "y": box["y"] + box["height"] / 2,
                "data": {"items": [], "files": [str(path)], "dragOperationsMask": 1},
            },
        )


@pytest.fixture
def settings_back(iadocs):
    """Put the settings that a test changes back."""
    before = iadocs.get("/@controlpanels/mailbridge", "admin").json()["data"]
    kept = {name: before[name] for name in ("mailboxes", "mailin_addresses")}
    yield
    iadocs.set(**kept)


def test_drop_examine_keep_and_run_again(person, iadocs, tmp_path, settings_back):
    path = tmp_path / "demande.eml"
    path.write_bytes(forwarded(with_remote_contents()))
    chef = person("chef")
    page, requests = chef.page, []
    page.on("request", lambda request: requests.append(request.url))
    chef.open("/@@mailbridge-inbox")
    page.click(f"a[href$='{DRY_RUN}']")
    drop(page, "#dry-run-file", path)
    assert page.input_value("#dry-run-file").endswith("demande.eml")
    page.fill("#dry-run-recipient", "in@bridge.test")
    page.fill("#dry-run-client", "127.0.0.1")
    page.click("button[name=examine]")
    result = page.locator("#mailbridge-result")
    assert "Essai déposé" in result.inner_text()
    assert "jeanne.dupont@citizen.test" in result.inner_text()
    body = page.frame_locator("#mailbridge-result iframe").locator("body")
    assert "Bonjour du citoyen" in body.inner_text()
    assert body.locator("img[src], script").count() == 0
    page.locator("#mailbridge-result iframe").scroll_into_view_if_needed()
    chef.screenshot("dry-run-dropped")
    assert serious(page, "#content") == []
    assert [url for url in requests if "pixel.test" in url] == []
    page.click("button[name=keep]")
    page.click("a[href$='run=1']")
    cases = page.locator(".mailbridge-cases tbody tr")
    expect(cases).to_have_count(1)
    expect(cases.locator(".text-bg-success")).to_have_count(1)
    iadocs.set(mailin_addresses=[])
    page.reload()
    assert cases.locator(".text-bg-warning").count() == 1
    chef.screenshot("dry-run-cases")
    assert serious(page, "#content") == []
    page.click("button[name=delete]")
    expect(page.locator(".mailbridge-cases")).to_have_count(0)
    assert not chef.errors


def test_secret_address(person, iadocs, settings_back):
    iadocs.set(
        mailboxes=[{"address": MAILBOX, "service": None}, {"address": "cpas@maville.test", "service": None}]
    )
    admin = person("admin", password="admin")
    page = admin.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    admin.open("/@@mailbridge-controlpanel")
    page.click(f"nav a[href$='{ADDRESSES}']")
    row = page.locator(f"tr[data-mailbox='{MAILBOX}']")
    row.locator("button[name=make]").click()
    secret = row.locator("input[readonly]").input_value()
    assert secret.startswith("in+")
    row.locator(".mailbridge-copy").click()
    wait_for(lambda: page.evaluate("navigator.clipboard.readText()") == secret)
    envelope = {"X-Envelope-Recipient": secret, "X-Client-Address": "203.0.113.9"}
    answer = iadocs.mail_in(redirected("Par adresse secrète"), **envelope).json()
    assert answer["state"] == "filed"
    page.reload()
    admin.screenshot("secret-addresses")
    assert serious(page, "#content-core") == []
    row.locator("summary", has_text="Révoquer").click()
    row.locator("button[name=revoke]").click()
    expect(row.locator("button[name=make]")).to_have_count(1)
    admin.screenshot("secret-addresses-revoked")
    answer = iadocs.mail_in(redirected("Trop tard"), **envelope).json()
    assert (answer["state"], answer["reason"]) == ("quarantined", "unproven-redirect")
    assert not admin.errors


def test_secret_address_is_replaced(person, iadocs, settings_back):
    iadocs.set(
        mailboxes=[{"address": MAILBOX, "service": None}, {"address": "cpas@maville.test", "service": None}]
    )
    admin = person("admin", password="admin")
    page = admin.page
    page.set_viewport_size({"width": 1366, "height": 768})
    admin.open(ADDRESSES)
    present = page.locator(f"tr[data-mailbox='{MAILBOX}']")
    former = page.locator(f"tr[data-former='{MAILBOX}']")
    present.locator("button[name=make]").click()
    old = present.locator("input[readonly]").input_value()

    def come(subject, address):
        envelope = {"X-Envelope-Recipient": address, "X-Client-Address": "203.0.113.9"}
        return iadocs.mail_in(redirected(subject), **envelope).json()["state"]

    assert come("Avant le remplacement", old) == "filed"
    present.locator("summary", has_text="Remplacer").click()
    admin.screenshot("secret-address-to-replace")
    present.locator("button[name=replace]").click()
    expect(former.locator("input[readonly]")).to_have_value(old)
    new = present.locator("input[readonly]").input_value()
    assert new != old
    former.locator("summary").click()
    expect(former.get_by_text("Rien n’est encore arrivé par la nouvelle adresse")).to_be_visible()
    admin.screenshot("secret-address-two")
    assert come("Encore par l'ancienne", old) == "filed"
    assert come("Déjà par la nouvelle", new) == "filed"
    page.reload()
    former.locator("summary").click()
    expect(former.get_by_text("plus rien depuis")).to_be_visible()
    expect(former.get_by_text("Rien n’est encore arrivé par la nouvelle adresse")).to_have_count(0)
    assert serious(page, "#content-core") == []
    admin.screenshot("secret-address-works")
    page.set_viewport_size({"width": 390, "height": 844})
    admin.screenshot("secret-address-phone")
    former.locator("button[name=revoke]").click()
    expect(former).to_have_count(0)
    expect(present.locator("input[readonly]")).to_have_value(new)
    assert come("Trop tard", old) == "quarantined"
    assert come("Par la nouvelle", new) == "filed"
    assert not admin.errors


def test_agents_get_the_original_from_the_proof_tab(person, iadocs):
    raw = redirected("L'original à télécharger")
    (item,) = iadocs.mail_in(raw).json()["items"]
    agent = person("agent")
    agent.page.goto(f"{item['@id']}/view")
    agent.page.click("a[href*='@@mailbridge-proof']")
    expect(agent.page.locator("section .text-bg-success")).to_have_count(
        2
    )  # what arrived, and the file of the document
    with agent.page.expect_download() as download:
        agent.page.click("a[href*='source=']")
    with open(download.value.path(), "rb") as stream:
        assert stream.read() == raw
    assert serious(agent.page, "#content") == []
