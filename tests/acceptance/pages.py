"""The pages of ours that people see, with something to show on each, for tests that look at all of them."""

from tests.mails import redirected
from tests.mails import TEXT_FORWARD
from tests.site.rows import row


#: Who opens it, and the path, in which names stand for what ``fill`` made.
PAGES = [
    ("agent", "/outgoing-mail"),
    ("agent", "/outgoing-mail/permis-durbanisme"),
    ("agent", "/outgoing-mail/permis-durbanisme/edit"),
    ("agent", "/outgoing-mail/permis-durbanisme/@@send-email"),
    ("agent", "/outgoing-mail/++add++dmsoutgoingmail"),
    ("agent", "/incoming-mail"),
    ("agent", "/incoming-mail?agent=x&sort=y&from=z&q=*"),
    ("agent", "/contacts/jeanne-dupont"),
    ("agent", "/contacts/jeanne-dupont/@@send-email"),
    ("admin", "/contacts/jeanne-dupont/edit"),
    ("admin", "/contacts/++add++organization"),
    ("admin", "/contacts/++add++person"),
    ("admin", "/incoming-mail/++add++dmsincoming_email"),
    ("admin", "/@@mailbridge-setup"),
    ("admin", "/@@mailbridge-controlpanel"),
    ("admin", "/@@mailbridge-accounts"),
    ("admin", "/@@mailbridge-account-add"),
    ("admin", "/@@mailbridge-account-edit?account=cpas"),
    ("admin", "/@@mailbridge-account-delete?account=cpas"),
    ("admin", "/@@mailbridge-send-as"),
    ("admin", "/@@mailbridge-diagnosis"),
    ("admin", "/@@mailbridge-mailboxes"),
    ("admin", "/@@mailbridge-mailbox-add"),
    ("admin", "/@@mailbridge-mailbox-edit?mailbox=admin"),
    ("admin", "/@@mailbridge-mailbox-delete?mailbox=admin"),
    ("admin", "/@@mailbridge-forwarding"),
    ("chef", "/@@mailbridge-outbox"),
    ("chef", "/@@mailbridge-outbox-message?id={sent}"),
    ("chef", "/@@mailbridge-returned"),
    ("chef", "/@@mailbridge-templates"),
    ("chef", "/@@mailbridge-template-edit"),
    ("chef", "/@@mailbridge-rules"),
    ("chef", "/@@mailbridge-rule"),
    ("agent", "/@@mailbridge-new-contact?address=Zoé+<zoe@citizen.test>"),
    ("agent", "/@@my-emails"),
    ("chef", "/@@my-mail"),
    ("agent", "/@@my-mail"),
    ("chef", "/@@mailbridge-figures"),
    ("admin", "/@@overview-controlpanel"),
    ("chef", "/@@mailbridge-inbox"),
    ("chef", "/@@mailbridge-inbox?state=all"),
    ("chef", "/@@mailbridge-inbox-message?id={waiting}"),
    ("chef", "/@@mailbridge-inbox-rule?id={waiting}"),
    ("chef", "/@@mailbridge-dry-run"),
    ("agent", "/@@my-forwards"),
    ("agent", "/incoming-mail/@@mailbridge-hand-in"),
    ("agent", "{item}/view"),
    ("agent", "{item}/@@send-email"),
    ("agent", "{item}/@@mailbridge-other-fields"),
    ("agent", "/@@mailbridge-sent-message?id={sent}"),
    ("agent", "{item}/@@mailbridge-proof"),
    ("admin", "{item}/@@mailbridge-create-contact"),
    ("admin", "/@@mailbridge-addresses"),
    ("admin", "/@@mailbridge-history"),
    ("admin", "/@@mailbridge-address-add"),
    ("admin", "/@@mailbridge-address-edit?address=in@bridge.test"),
    ("admin", "/@@mailbridge-address-delete?address=in@bridge.test"),
    ("admin", "/@@mailbridge-source-add"),
    ("admin", "/@@mailbridge-source-edit?address=info@maville.test"),
    ("admin", "/@@mailbridge-source-delete?address=info@maville.test"),
    ("admin", "/@@mailbridge-rules"),
    ("admin", "/@@mailbridge-expert-rule?row=1"),
    ("admin", "/@@mailbridge-state"),
    ("admin", "/@@mailbridge-tokens"),
    ("agent", "/@@mailbridge-guide/fr/agent"),
    ("admin", "/@@mailbridge-guide/fr/administrateur"),
    ("admin", "/@@mailbridge-sheet"),
    ("admin", "/@@mailbridge-import"),
]


#: One that reads as a sentence, and one for experts.
RULES = [
    {"subject_pat": "permis", "tg_value": "_empty_", "user_value": "_empty_"},
    {"original_email_pat": ".*@(a|b).test", "tg_value": "_empty_", "user_value": "_empty_"},
]
STATES = [{"subject_pat": "urgent", "state_value": "created"}]


def declare(iadocs):
    """Set up a second account and a mailbox that is read, for the test that runs."""
    login = "administration@maville.test"
    mailbox = {
        "name": "admin",
        "role": "login",
        "address": login,
        "host": "imap.maville.test",
        "login": login,
    }
    iadocs.set(imap_mailboxes=[mailbox], smtp_accounts=[row()], iemail_routing=RULES, iemail_state_set=STATES)


def fill(iadocs):
    """Give every list something to show; return what stands in the paths."""
    found = {}
    for raw, address in (
        (redirected("Une", **{"From": "inconnue@autre.test"}), "127.0.0.1"),
        (redirected("Deux"), "192.0.2.1"),
        (TEXT_FORWARD, "127.0.0.1"),
    ):
        answer = iadocs.mail_in(raw, **{"X-Client-Address": address})
        assert answer.status_code in (200, 201, 202), answer.text
        body = answer.json()
        found["item" if body["items"] else "waiting"] = (
            body["items"][0]["@id"].removeprefix(iadocs.url) if body["items"] else body["id"]
        )
    data = {"to": ["personne@citizen.test"], "subject": "Essai", "body": "x"}
    for path in ("/outgoing-mail/permis-durbanisme", "/contacts/jeanne-dupont"):
        answer = iadocs.post(f"{path}/@send-email", "agent", json=data)
        assert answer.status_code == 202
        found["sent"] = answer.json()["id"]
    return found
