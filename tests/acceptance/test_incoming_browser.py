"""What people see of incoming mail in a French browser: the list, a document, its proof, a decision, the dry run."""

from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from playwright.sync_api import expect
from tests.acceptance.axe import serious
from tests.mails import citizen
from tests.mails import forwarded
from tests.mails import redirected
from tests.mails import TEXT_FORWARD
from tests.servers.listener import Listener
from tests.servers.waiting import wait_for
import pytest


LONG = "marie.vandenbroucke@entreprises.test"
TRACKED = """<html><head><link rel="stylesheet" href="{0}/a.css"><link rel="preload" href="{0}/b.js" as="script">
<style>@import url("{0}/c.css"); @font-face {{ font-family: x; src: url("{0}/d.woff2") }} body {{ font-family: x }}</style></head>
<body background="{0}/e.png"><h2 style="color: #0b5ed7">Lettre de la bibliothèque</h2>
<table width="600" cellpadding="8"><tr><td bgcolor="#fff3cd" style="background: url({0}/f.png)">
Horaire d'hiver : ouvert le samedi.</td></tr></table>
<img src="{0}/pixel.gif" width="1" height="1"><img srcset="{0}/g.png 2x"><video poster="{0}/h.png" src="{0}/i.mp4" autoplay></video>
<iframe src="{0}/j.html"></iframe><object data="{0}/k.svg"></object><script src="{0}/l.js"></script>
<p><a href="https://bib.test/agenda?utm_source=lettre&amp;id=7">L'agenda</a></p>
<blockquote>Le message précédent<br>sur deux lignes</blockquote></body></html>"""


def newsletter(tracker):
    message = EmailMessage()
    message["From"], message["To"] = "Bibliothèque <bib@citizen.test>", "info@maville.test"
    message["Subject"], message["Resent-From"] = "Lettre de novembre", "info@maville.test"
    message["Date"], message["Message-ID"] = "Mon, 16 Nov 2026 09:00:00 +0100", "<lettre@citizen.test>"
    message.set_content("Version texte")
    message.add_alternative(TRACKED.format(tracker), "html")
    message.add_attachment(b"%PDF-1.4", "application", "pdf", filename="horaire.pdf")
    return message.as_bytes()


def received(iadocs, raw, **headers):
    answer = iadocs.mail_in(raw, **headers)
    assert answer.status_code in (200, 201, 202), answer.text
    return answer.json()


@pytest.fixture
def tracker():
    """An address that counts who connects."""
    with Listener() as listener:
        yield listener


def test_document_shows_its_message_and_asks_nobody_else(person, iadocs, tracker):
    (item,) = received(iadocs, newsletter(tracker.url))["items"]
    path = f"{item['@id'].removeprefix(iadocs.url)}/mail/@@mailbridge-frame"
    wait_for(lambda: "en préparation" not in iadocs.get(path, "agent", headers={"Accept": "text/html"}).text)
    agent = person("agent")
    requests = []
    agent.page.on("request", lambda request: requests.append(request.url))
    agent.open(f"{item['@id']}/view")
    frame = agent.page.frame_locator("iframe.mailbridge-frame")
    assert "Lettre de la bibliothèque" in frame.locator("body").inner_text()
    assert "n’ont pas été affichés" in frame.locator("p.note").inner_text()
    link = frame.locator("a", has_text="L'agenda")
    assert link.get_attribute("href") == "https://bib.test/agenda?id=7"
    agent.page.wait_for_load_state("networkidle")
    agent.screenshot("incoming-document")
    frame.locator("summary").click()
    expect(frame.locator("blockquote")).to_be_visible()
    assert [
        url for url in requests if not url.startswith((iadocs.url.removesuffix("/iadocs"), "data:"))
    ] == []
    assert serious(agent.page, ".mailbridge-readable") == []
    agent.page.goto(f"{item['@id']}/mail/view")
    assert (
        "Lettre de la bibliothèque"
        in agent.page.frame_locator("iframe.mailbridge-frame").locator("body").inner_text()
    )

    def made():
        agent.page.goto(f"{item['@id']}/view")
        return agent.page.locator(".mailbridge-readable a:text-is('PDF')").count()

    wait_for(made)
    with agent.page.expect_download() as download:
        agent.page.click(".mailbridge-readable a:text-is('PDF')")
    with open(download.value.path(), "rb") as stream:
        assert stream.read(5) == b"%PDF-"
    assert tracker.connections == 0
    agent.page.click("text=Preuve")
    expect(agent.page.locator("#content")).to_contain_text("serveur de confiance")
    agent.screenshot("incoming-proof")
    assert serious(agent.page, "#content") == []


def test_decision_in_the_quarantine(person, iadocs):
    id = received(iadocs, TEXT_FORWARD.replace(b"Demande en texte", "Permis à décider".encode()))["id"]
    received(iadocs, redirected("Une autre"), **{"X-Client-Address": "203.0.113.9"})
    chef = person("chef")
    page = chef.page
    chef.open("/incoming-mail")
    page.click("text=E-mails entrants à décider")
    chef.screenshot("quarantine-list")
    page.click("a:has-text('Permis à décider')")
    shown = page.locator(f".mailbridge-message[data-id='{id}'] .mailbridge-decide")
    expect(shown.locator("[role=alert]")).to_contain_text("transféré sous forme de texte")
    page.click(".mailbridge-more summary")
    chef.screenshot("quarantine-message")
    assert serious(page, "#content") == []
    page.fill("#mailbridge-sender", "Jeanne Dupont <jeanne.dupont@citizen.test>")
    page.select_option("#mailbridge-service", label="Urbanisme")
    page.click("button[name=proposal]")
    wait_for(lambda: iadocs.get(f"/@mail-in/{id}", "chef").json()["state"] == "filed")
    page.click("a:has-text('Permis à décider')")
    expect(page.locator("#content")).to_contain_text("Urbanisme")


def test_agent_sees_own_forwards(person, iadocs):
    received(iadocs, forwarded(citizen("Le formulaire", From=LONG)))
    received(iadocs, TEXT_FORWARD.replace(b"Demande en texte", b"Mon transfert"))
    agent = person("agent")
    agent.page.set_viewport_size({"width": 1366, "height": 768})
    agent.open("/@@my-forwards")
    author = agent.page.locator(".mailbridge-forwards div", has_text=LONG).last
    assert author.bounding_box()["height"] < 30, "an address stays in one piece"
    agent.screenshot("my-forwards")
    agent.page.click("a:has-text('Mon transfert')")
    expect(agent.page.locator("button[name=discard][value=known]")).to_be_visible()
    assert agent.page.locator("button[name=proposal]").count() == 0
    agent.screenshot("my-forward")


def test_bulk(person, iadocs):
    ids = [
        received(iadocs, redirected(f"En lot {n}"), **{"X-Client-Address": "203.0.113.9"})["id"]
        for n in range(2)
    ]
    chef = person("chef")
    chef.open("/@@mailbridge-inbox?state=quarantined&text=En+lot")
    chef.page.check(".mailbridge-all")
    chef.screenshot("quarantine-bulk")
    chef.page.click("button[name=bulk][value=accept]")
    wait_for(lambda: {iadocs.get(f"/@mail-in/{id}", "chef").json()["state"] for id in ids} == {"filed"})


def test_dry_run(person, iadocs, tmp_path):
    path = tmp_path / "transfert.eml"
    path.write_bytes(forwarded(citizen("Essai à blanc")))
    chef = person("chef")
    chef.open("/@@mailbridge-dry-run")
    chef.page.set_input_files("input[type=file]", path)
    chef.page.fill("input[name=client]", "127.0.0.1")
    chef.page.click("button:has-text('Examiner')")
    expect(chef.page.locator("#content")).to_contain_text("Essai à blanc")
    assert "Al Bert" in chef.page.locator("#content").inner_text()
    chef.screenshot("dry-run")
    assert serious(chef.page, "#content") == []


def test_proofs_in_the_control_panel(person, iadocs):
    admin = person("admin", password="admin")
    admin.open("/@@mailbridge-controlpanel")
    page = admin.page
    page.click("text=Confiance >> nth=0")
    page.wait_for_selector("[name='form.widgets.trust_preset:list']", state="visible")
    admin.screenshot("control-panel-trust")
    page.select_option("[name='form.widgets.trust_preset:list']", "strict")
    page.click("[name='form.buttons.save']")
    expect(page.locator("#global_statusmessage, .portalMessage").first).to_contain_text("enregistrés")
    data = iadocs.get("/@controlpanels/mailbridge", "admin").json()["data"]
    assert [each["token"] for each in data["proofs"]] == ["tag", "gateway", "dkim"]
    iadocs.set(proofs=["tag", "gateway", "arc", "dkim", "results"], dkim_alignment="relaxed")


def test_unknown_sender_becomes_a_contact(person, iadocs):
    raw = redirected("De la part d'Émile", **{"From": "ZOLA Émile <emile@autre.test>"})
    (item,) = received(iadocs, raw)["items"]
    admin = person("admin", password="admin")
    admin.page.goto(f"{item['@id']}/view")
    admin.page.click("text=Créer le contact")
    assert admin.page.input_value("[name='form.widgets.lastname']") == "ZOLA"
    admin.screenshot("create-contact")
    admin.page.click("[name='form.buttons.create']")
    expect(admin.page.locator("#content")).to_contain_text("Émile ZOLA")


def test_twenty_at_once_and_the_same_twice(iadocs):
    """Numbers are given once, and the same original by two ways at once is one document."""
    raws = [redirected(f"Course {n}") for n in range(10)]
    same = citizen("La même")
    raws += [
        citizen("La même", **{"Resent-From": "info@maville.test"}).as_bytes(),
        citizen("La même", **{"X-Zimbra-Forwarded": "info@maville.test"}).as_bytes(),
        forwarded(same),
        forwarded(same, sender="claire.fontaine@maville.test"),
    ]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda raw: received(iadocs, raw), raws))
    for answer in answers:
        wait_for(lambda id=answer["id"]: iadocs.get(f"/@mail-in/{id}", "chef").json()["state"] == "filed")
    items = [iadocs.get(f"/@mail-in/{answer['id']}", "chef").json()["items"] for answer in answers]
    assert len({item["@id"] for found in items[:10] for item in found}) == 10
    assert len({item["@id"] for found in items[10:] for item in found}) == 1
    numbers = [
        iadocs.get(found[0]["@id"].removeprefix(iadocs.url), "admin").json()["internal_reference_no"]
        for found in items[:10]
    ]
    assert len(set(numbers)) == 10
