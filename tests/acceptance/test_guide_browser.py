"""The errands of the guides in French, by the names that the guides give; ``make screenshots`` makes their pictures of it."""

from playwright.sync_api import expect
from tests.mails import citizen
from tests.servers.dovecot import Dovecot
from tests.servers.fixtures import open_folder
from tests.servers.waiting import wait_for
import pytest


SHOWN = "#portal-column-content"
STRANGER = {"X-Client-Address": "203.0.113.9"}
SUBJECT = "Trottoir défoncé rue des Tanneurs"
LETTERS = (
    ("Luc Simon", "Autorisation pour une brocante", "Notre comité de quartier prépare une brocante."),
    ("Nadia Haddad", "Abattage d’un arbre", "Faut-il un permis pour abattre un vieux cerisier ?"),
    ("Paul Renard", SUBJECT, "Devant le numéro 8, une dalle manque depuis la semaine passée."),
)
TO_DECIDE = (
    ("Info Salons", "Votre stand au salon des mandataires", "Réservez votre stand avant le 15 décembre !"),
    ("Sophie Lambert", "Inscription à la plaine de jeux", "Je voudrais inscrire mes deux enfants."),
    ("Marc Lejeune", "Occupation de la voirie", "Un camion de déménagement sera là samedi."),
)
MAILBOXES = ("info@maville.test", "cpas@maville.test")


def letter(name, subject, text):
    """Return the bytes of a citizen's letter that the mailbox of the town passed on."""
    author = f"{name} <{name.lower().replace(' ', '.')}@citizen.test>"
    message = citizen(subject, **{"From": author, "Resent-From": "info@maville.test"})
    message.get_body().set_content(f"Bonjour,\n\n{text}\n\n{name}\n")
    return message.as_bytes()


@pytest.fixture
def treated(iadocs, catcher):
    """Mail that the agent treats, and an e-mail that was refused."""
    urbanism = iadocs.get("/incoming-mail/demande-de-permis", "admin").json()["treating_groups"]["token"]
    iadocs.set(
        smtp_host="127.0.0.1",
        smtp_port=catcher.port,
        smtp_security="none",
        login_address="administration@maville.test",
        signature="<p>Commune de Maville, service Urbanisme</p>",
        mailin_addresses=[{"address": "in@bridge.test", "service": urbanism, "mailbox": None}],
    )
    for each in LETTERS:
        assert iadocs.mail_in(letter(*each)).status_code == 201
    catcher.answers["rcpt:jeane.dupond@citizen.test"] = "550 5.1.1 no such user"
    refused = {"to": ["jeane.dupond@citizen.test"], "subject": "Votre permis", "body": "<p>Bonjour</p>"}
    sent = iadocs.post("/incoming-mail/demande-de-permis/@send-email", "agent2", json=refused).json()
    wait_for(lambda: iadocs.get(f"/@outbox/{sent['id']}", "agent2").json()["state"] == "failed")


@pytest.fixture
def to_decide(iadocs):
    """Mail that nothing proves."""
    for each in TO_DECIDE:
        assert iadocs.mail_in(letter(*each), **STRANGER).status_code == 202


@pytest.fixture
def town(iadocs, catcher, certificates):
    """Mailboxes that forward, and that of the login address, which Dovecot has."""
    login = "administration@maville.test"
    with open_folder("dovecot") as folder, Dovecot(folder, certificates) as dovecot:
        iadocs.set(
            smtp_host="127.0.0.1",
            smtp_port=catcher.port,
            smtp_security="none",
            login_address=login,
            mailboxes=[{"address": address, "service": None} for address in MAILBOXES],
        )
        yield dovecot, login
        iadocs.set(imap_mailboxes=[])


def at_work(person, name, path="/@@my-mail", **options):
    """Return somebody at the screen whose pictures the guides show, and their page."""
    someone = person(name, **options)
    someone.page.set_viewport_size({"width": 1240, "height": 760})
    someone.open(path)
    return someone, someone.page


@pytest.mark.usefixtures("treated")
def test_an_agent(person):
    agent, page = at_work(person, "agent2")
    expect(page.get_by_role("heading", name="Non envoyés ou revenus")).to_be_visible()
    agent.screenshot("guide-my-mail", SHOWN)
    page.get_by_role("link", name=SUBJECT).click()
    page.get_by_role("button", name="Répondre", exact=True).click()
    page.wait_for_url("**/@@send-email")
    page.wait_for_function("window.tinymce?.activeEditor?.hasFocus()")
    page.keyboard.type("Bonjour Monsieur Renard, un ouvrier passera lundi.")
    for field in ("Objet", "Envoyer plus tard"):
        expect(page.get_by_label(field).first).to_be_visible()
    agent.screenshot("guide-compose", SHOWN)
    page.get_by_role("button", name="Envoyer", exact=True).click()
    page.wait_for_selector("#mailbridge-messages > details[data-state='sent']")

    page.get_by_role("navigation").get_by_role("link", name="Courrier entrant").first.click()
    page.get_by_placeholder("Mots, nom, adresse ou pièce jointe").fill("tanneurs")
    page.locator("#content").get_by_role("button", name="Rechercher").click()
    page.locator("#content").get_by_role("link", name=SUBJECT).click()
    expect(page.get_by_role("heading", name="Conversation")).to_be_visible()
    text = page.locator("iframe.mailbridge-frame").first.content_frame.locator("body")
    expect(text).to_contain_text("une dalle manque")
    page.locator("#mailbridge-messages > details > summary").last.click()
    agent.screenshot("guide-document", SHOWN)
    agent.open("/incoming-mail")
    agent.screenshot("guide-list", SHOWN)

    page.locator("#personaltools-menulink, .personaltools-wrapper a").first.click()
    page.get_by_role("link", name="Mes envois").click()
    expect(page.get_by_role("link", name="Modifier et renvoyer").first).to_be_visible()
    agent.screenshot("guide-my-emails", SHOWN)
    assert not agent.errors


@pytest.mark.usefixtures("to_decide")
def test_a_manager(person):
    chef, page = at_work(person, "chef")
    page.get_by_role("link", name="E-mails entrants à décider").click()
    subject = TO_DECIDE[0][1]
    page.get_by_role("link", name=subject).first.click()
    pane = page.locator("#mailbridge-pane")
    expect(pane.get_by_role("heading", name=subject)).to_be_visible()
    expect(pane.get_by_role("button", name="Classer comme proposé")).to_be_visible()
    expect(pane.locator("iframe").content_frame.locator("body")).to_contain_text("stand")
    for _second in range(5):  # until its text is prepared with its layout, for the picture
        if "sans mise en forme" not in pane.locator("iframe").content_frame.locator("body").inner_text():
            break
        page.wait_for_timeout(1000)
        page.reload()
    chef.screenshot("guide-deciding", SHOWN)
    pane.get_by_text("Écarter", exact=True).click()
    pane.get_by_role("button", name="Publicité").click()
    page.get_by_role("button", name="Annuler").click()
    expect(pane.get_by_role("heading", name=subject)).to_be_visible()
    assert not chef.errors


def test_an_administrator(person, iadocs, catcher, town):
    dovecot, login = town
    admin, page = at_work(person, "admin", "/@@mailbridge-controlpanel", password="admin")
    content = page.locator("#content")
    content.get_by_role("link", name="Adresses", exact=True).first.click()
    row = page.locator(f"tr[data-mailbox='{MAILBOXES[0]}']")
    row.get_by_role("button", name="Créer une adresse secrète").click()
    expect(row.get_by_role("button", name="Copier").first).to_be_visible()
    secret = row.locator("input[readonly]").input_value()
    by_secret = {"X-Envelope-Recipient": secret, **STRANGER}
    assert iadocs.mail_in(letter(*LETTERS[0]), **by_secret).ok
    page.reload()
    admin.screenshot("guide-secret-addresses", "#content-core")

    content.get_by_role("link", name="Transferts", exact=True).first.click()
    row = page.locator(f"tr[data-mailbox='{MAILBOXES[0]}']")
    row.get_by_role("button", name="Contrôler maintenant").click()
    wait_for(lambda: catcher.messages)
    forwarded = f"Resent-From: {MAILBOXES[0]}\r\n".encode() + catcher.messages[-1].content
    assert iadocs.mail_in(forwarded, **by_secret).ok
    page.reload()
    expect(row.get_by_text("inchangé").first).to_be_visible()
    admin.screenshot("guide-forwarding", SHOWN)

    content.get_by_role("link", name="Boîtes", exact=True).first.click()
    page.get_by_role("link", name="Ajouter une boîte").click()
    page.get_by_label("Usage").select_option("login")
    typed = {
        "name": "administration",
        "address": login,
        "host": "localhost",
        "port": str(dovecot.port),
        "ca_file": str(dovecot.certificates.ca_file),
        "login": dovecot.LOGIN,
        "password": dovecot.PASSWORD,
    }
    page.locator("#fieldset-server summary").click()
    for field, value in typed.items():
        page.fill(f"[name='form.widgets.{field}']", value)
    page.get_by_role("button", name="Enregistrer").click()
    dovecot.append(citizen("Une question", To=login).as_bytes().replace(b"\n", b"\r\n"))
    page.get_by_role("button", name="Essayer").click()
    iadocs.sweep()

    def is_watched():
        admin.open("/@@mailbridge-mailboxes")
        text = page.inner_text("tr[data-mailbox=administration]")
        return "Inutile de consulter cette boîte" in text and "décision" in text

    wait_for(is_watched)
    for shown, usual in ((f"localhost:{dovecot.port}", "imap.maville.test:993"), (dovecot.LOGIN, login)):
        cell = page.locator("tr[data-mailbox=administration] td", has_text=shown).first
        cell.evaluate(
            "(cell, [shown, usual]) => { cell.innerHTML = cell.innerHTML.replace(shown, usual) }",
            [shown, usual],
        )
    admin.screenshot("guide-mailboxes", SHOWN)
    content.get_by_role("link", name="Comptes SMTP", exact=True).first.click()
    help_link = page.get_by_role("link", name="Aide sur cette page")
    with page.context.expect_page() as opened:
        help_link.click()
    expect(opened.value.get_by_role("heading", name="Un compte est à l’arrêt")).to_be_in_viewport()
    assert not admin.errors
