"""A secret address proves a redirect for whoever has it: it is shown where the settings are edited, and leaves in no e-mail."""

from email import message_from_bytes
from imio.mailbridge.browser.resubmit import form_values
from imio.mailbridge.controlpanel.setup import answers as setup
from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.inbound.forwarding import check
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.outbox import mail_templates
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings import history
from imio.mailbridge.settings.imap import IImapMailboxRow
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.routing import IRoutingRow
from plone.app.uuid.utils import uuidToObject
from plone.uuid.interfaces import IUUID
from tests.mails import citizen
from tests.mails import forwarded
from tests.mails import redirected
from tests.mails import TEXT_FORWARD
from tests.site.panel import HTML
from tests.site.panel import page
from tests.site.panel import press
from tests.surfaces import surfaces
from zope.schema import getFields
import hashlib
import html
import pytest
import re
import transaction
import urllib.parse


MAILBOX = "info@maville.test"
PART = "abcdefgh23jkmnpqrstuv"
SECRET = f"in+{PART}@bridge.test"
OLD_PART = "ghjkmnpqrstuv23abcdef"
OLD = f"in+{OLD_PART}@bridge.test"
SENDER = f"info+caf_=in+{PART}=bridge.test@maville.test"
TRACE = {
    "Return-Path": f"<{SENDER}>",
    "Delivered-To": SECRET,
    "X-Forwarded-To": SECRET,
    "To": f"Secret <{SECRET}>, info@maville.test",
    "Cc": OLD,
}
#: Where the settings are edited.
SETTINGS = {
    "mailbridge-addresses",
    "mailbridge-expert-rule",
    "mailbridge-mailbox-edit",
    "mailbridge-setup",
    "@controlpanels/mailbridge",
}
#: The bytes as they came, which prove what came.
ORIGINALS = {"mailbridge-source", "mailbridge-files"}
#: Whose answers hold nothing of a message.
NOTHING = {
    "mail-in",
    "mailbridge-attach",
    "mailbridge-evidence",
    "mailbridge-can-send",
    "index.html",
    "mailbridge-has-proof",
    "mailbridge-health",
    "mailbridge-ready",
    "mailbridge-opened",
    "mailbridge-looking",
    "mailbridge-render-again",
    "mailbridge-save-draft",
}
#: Name of a page or service of ours, or of Plone → its addresses.
PATHS = {
    "@mail-in": [
        "/@mail-in",
        *(f"/@mail-in/{{{name}}}" for name in ("filed", "waiting", "revoked", "forward")),
    ],
    "@mailbridge-status": ["/@mailbridge-status"],
    "mailbridge-metrics": ["/@@mailbridge-metrics"],
    "@outbox": ["/@outbox", "/@outbox/{sent}", "/@outbox/{bounced}"],
    "@send-email": ["{item}/@send-email", "{document}/@send-email"],
    "@controlpanels/mailbridge": ["/@controlpanels/mailbridge"],
    "@search": [
        "/@search?SearchableText=jeanne&fullobjects=1",
        "/@search?portal_type=dmsincoming_email&fullobjects=1",
    ],
    "item": ["{item}", "{item}/view", "{file}", "{file}/view", "{appendix}/view", "/incoming-mail"],
    "mailbridge-account-add": ["/@@mailbridge-account-add"],
    "mailbridge-account-delete": ["/@@mailbridge-account-delete?account=cpas"],
    "mailbridge-account-edit": ["/@@mailbridge-account-edit?account=default"],
    "mailbridge-accounts": ["/@@mailbridge-accounts"],
    "mailbridge-tokens": ["/@@mailbridge-tokens"],
    "mailbridge-addresses": ["/@@mailbridge-addresses"],
    "mailbridge-address-add": ["/@@mailbridge-address-add"],
    "mailbridge-address-edit": ["/@@mailbridge-address-edit?address=in@bridge.test"],
    "mailbridge-address-delete": ["/@@mailbridge-address-delete?address=in@bridge.test"],
    "mailbridge-source-add": ["/@@mailbridge-source-add"],
    "mailbridge-source-edit": ["/@@mailbridge-source-edit?address=info@maville.test"],
    "mailbridge-source-delete": ["/@@mailbridge-source-delete?address=info@maville.test"],
    "mailbridge-expert-rule": [f"/@@mailbridge-expert-rule?row={number}" for number in (1, 2, 3)],
    "mailbridge-state": ["/@@mailbridge-state", "/@@mailbridge-state?row=1"],
    "mailbridge-complete": ["{item}/@@mailbridge-complete?q=in", "{item}/@@mailbridge-complete?q=secret"],
    "mailbridge-controlpanel": ["/@@mailbridge-controlpanel"],
    "mailbridge-create-contact": ["{item}/@@mailbridge-create-contact"],
    "mailbridge-diagnosis": ["/@@mailbridge-diagnosis"],
    "mailbridge-draft": ["{document}/@@mailbridge-draft"],
    "mailbridge-drop-area": ["/@@mailbridge-drop-area", "/incoming-mail/@@mailbridge-drop-area"],
    "mailbridge-dry-run": ["/@@mailbridge-dry-run", "/@@mailbridge-dry-run?run=1"],
    "mailbridge-fields": ["{item}/@@mailbridge-fields"],
    "mailbridge-forwarding": ["/@@mailbridge-forwarding"],
    "mailbridge-frame": ["{file}/@@mailbridge-frame"],
    "mailbridge-hand-in": ["/@@mailbridge-hand-in", "/incoming-mail/@@mailbridge-hand-in"],
    "mailbridge-import": ["/@@mailbridge-import"],
    "mailbridge-history": ["/@@mailbridge-history", "/@@mailbridge-history?entry={change}"],
    "mailbridge-inbox": ["/@@mailbridge-inbox", "/@@mailbridge-inbox?state=open"],
    "mailbridge-inbox-frame": [
        f"/@@mailbridge-inbox-frame?id={{{name}}}{part}"
        for name in ("filed", "waiting", "revoked", "forward")
        for part in ("", "&part=0")
    ],
    "mailbridge-inbox-message": [
        f"/@@mailbridge-inbox-message?id={{{name}}}"
        for name in ("filed", "waiting", "revoked", "forward", "undeclared")
    ],
    "mailbridge-inbox-rule": ["/@@mailbridge-inbox-rule?id={revoked}"],
    "mailbridge-rules": ["/@@mailbridge-rules"],
    "mailbridge-rule": ["/@@mailbridge-rule", *(f"/@@mailbridge-rule?row={number}" for number in (1, 2, 3))],
    "mailbridge-mail-list": [
        "/incoming-mail/@@mailbridge-mail-list",
        "/incoming-mail?q=secret",
        "/outgoing-mail",
    ],
    "mailbridge-inbox-contact": ["/@@mailbridge-inbox-contact?id={revoked}"],
    "mailbridge-mailbox-add": ["/@@mailbridge-mailbox-add"],
    "mailbridge-mailbox-delete": ["/@@mailbridge-mailbox-delete?mailbox=boite"],
    "mailbridge-mailbox-edit": ["/@@mailbridge-mailbox-edit?mailbox=boite"],
    "mailbridge-mailboxes": ["/@@mailbridge-mailboxes"],
    "mailbridge-message": ["/@@mailbridge-message?id={sent}", "/@@mailbridge-message?id={bounced}"],
    "mailbridge-messages": ["{item}/@@mailbridge-messages", "{document}/@@mailbridge-messages"],
    "mailbridge-other-fields": ["{item}/@@mailbridge-other-fields"],
    "mailbridge-new-contact": [
        "/@@mailbridge-new-contact",
        "/@@mailbridge-new-contact?address=in@bridge.test",
    ],
    "mailbridge-outbox": ["/@@mailbridge-outbox"],
    "mailbridge-outbox-message": [
        "/@@mailbridge-outbox-message?id={sent}",
        "/@@mailbridge-outbox-message?id={bounced}",
    ],
    "mailbridge-outbox-source": ["/@@mailbridge-outbox-source?id={sent}"],
    "mailbridge-outbox.csv": ["/@@mailbridge-outbox.csv"],
    "mailbridge-preview": ["{appendix}/@@mailbridge-preview"],
    "mailbridge-proof": ["{item}/@@mailbridge-proof", "{item}/@@mailbridge-proof?verify=1"],
    "mailbridge-returned": ["/@@mailbridge-returned"],
    "mailbridge-setup": ["/@@mailbridge-setup?step=forward"],
    "mailbridge-sent-file": ["/@@mailbridge-sent-file?id={sent}&part=0"],
    "mailbridge-sent-message": [
        "/@@mailbridge-sent-message?id={sent}",
        "/@@mailbridge-sent-message?id={bounced}",
    ],
    "mailbridge-sent-text": ["/@@mailbridge-sent-text?id={sent}"],
    "mailbridge-send-as": ["/@@mailbridge-send-as"],
    "mailbridge-sheet": ["/@@mailbridge-sheet", "/@@mailbridge-sheet?format=pdf"],
    "mailbridge-template": [
        "{item}/@@mailbridge-template?mailbridge.fill=1&id={template}",
        "{item}/@@mailbridge-template?id={template}",
    ],
    "mailbridge-template-edit": ["/@@mailbridge-template-edit", "/@@mailbridge-template-edit?id={template}"],
    "mailbridge-templates": ["/@@mailbridge-templates"],
    "my-emails": ["/@@my-emails"],
    "my-mail": ["/@@my-mail"],
    "my-mail-counts": ["/@@my-mail-counts"],
    "mailbridge-figures": ["/@@mailbridge-figures"],
    "my-forwards": ["/@@my-forwards"],
    "mailbridge-guide": ["/@@mailbridge-guide", "/@@mailbridge-guide/fr/administrateur"],
    "rendition.pdf": ["{file}/@@rendition.pdf"],
    "mailbridge-reply": ["{item}/@@mailbridge-reply"],
    "send-email": ["{item}/@@send-email", "{item}/@@send-email?edit={sent}"],
    "send-email-preview": ["{item}/@@send-email-preview"],
}


def letter(subject, **headers):
    message = citizen(subject, **{"Resent-From": MAILBOX, **TRACE, **headers})
    message.get_body().set_content(f"Bonjour, ceci est venu par {SECRET}.\n")
    message.add_attachment(citizen("Dedans", **TRACE))
    return message


def bounce(message_id):
    return f"""From: MAILER-DAEMON@maville.test
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.maville.test

Final-Recipient: rfc822; {SECRET}
Original-Recipient: rfc822; jeanne.dupont@citizen.test
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <{SECRET}>: no such user

--b
Content-Type: text/rfc822-headers

Message-ID: {message_id}

--b--
""".encode()


@pytest.fixture
def town(site, caught, sent):
    """Let mail of each kind come by a secret address, and leave; return what stands in the paths."""
    records = stored_settings()
    row = {"address": SECRET, "service": None, "mailbox": MAILBOX}
    records.mailin_addresses = [*records.mailin_addresses, row, {**row, "address": OLD}]
    records.mailin_addresses = records.mailin_addresses[:-1]
    records.iemail_routing = [
        dict.fromkeys(getFields(IRoutingRow))
        | {name: pattern, "tg_value": "_empty_", "user_value": "_empty_"}
        for name, pattern in (
            ("recipient_pat", re.escape(SECRET)),
            ("subject_pat", re.escape(f"Pour {SECRET}")),
            ("recipient_pat", f"in[+]{PART.upper()}@.*"),
        )
    ]
    fields = {name: field.default for name, field in getFields(IImapMailboxRow).items()}
    given = {"name": "boite", "role": "mail-in", "address": SECRET, "host": "localhost", "login": "in"}
    records.imap_mailboxes = [{**fields, **given}]
    setup.keep(step="end", provider="own", mailin_address="in@bridge.test", mailboxes=(MAILBOX,))
    transaction.commit()

    def received(raw, recipient=SECRET, **headers):
        headers = {"X-Client-Address": "203.0.113.9", "X-Envelope-Recipient": recipient, **headers}
        return site.receive(raw, **headers)

    filed = received(letter(f"Pour {SECRET}").as_bytes(), **{"X-Envelope-Sender": SENDER})
    assert (filed.state, filed.proof) == ("filed", "tag")
    waiting = received(TEXT_FORWARD.replace(b"Bonjour", f"Bonjour {SECRET}".encode()))
    assert (waiting.state, waiting.reason) == ("quarantined", "inline-forward")
    forward = site.receive(forwarded(letter("Par un agent")))
    assert (forward.state, forward.transferred_by) == ("filed", "al.bert@maville.test")
    undeclared = site.receive(
        letter("Autre", **{"Resent-From": "cpas@autre.test", "To": SECRET, "Return-Path": None}).as_bytes(),
        **{"X-Envelope-Recipient": "in@bridge.test"},
    )
    assert undeclared.reason == "undeclared-mailbox"
    revoked = received(letter("Révoquée").as_bytes(), OLD)
    assert (revoked.state, revoked.reason) == ("quarantined", "unproven-redirect")
    assert site.post(f"/@mail-in/{revoked.id}/replay", "chef").status_code == 200
    bounced = sent()
    assert received(bounce(bounced.message_id), "in@bridge.test").state == "recorded"
    check.start(MAILBOX)
    transaction.commit()
    deliver()
    transaction.begin()
    checked = next(each.content for each in caught.messages if each.rcpt_tos == [MAILBOX])
    assert received(b"Resent-From: info@maville.test\r\n" + checked).state == "recorded"
    document = uuidToObject(filed.items[0], unrestricted=True)
    answer = site.post(
        f"{document.absolute_url()}/@send-email",
        "agent",
        json={
            "to": ["jeanne.dupont@citizen.test"],
            "subject": f"Re: Pour {SECRET}",
            "body": f"<p>Vous avez écrit à {SECRET}</p>",
            "attachments": [IUUID(file) for file in document.objectValues()],
        },
    )
    assert answer.status_code == 202, answer.text
    deliver()
    transaction.begin()
    appendix = next(
        file for file in document.objectValues() if file.file.filename.endswith(".eml") and file.id != "mail"
    )
    fields = "".join(f"<p>{{{name}}}</p>" for name in ("document.title", "answered.title", "recipient.name"))
    template = mail_templates.save(
        mail_templates.Content("template", "Tout", "", "{document.title}", fields), "chef"
    )
    transaction.commit()
    return {
        "change": next(id for id in history.ids() if "mailin_addresses" in history.entry(id)["changes"]),
        "template": template.id,
        "filed": filed.id,
        "waiting": waiting.id,
        "forward": forward.id,
        "undeclared": undeclared.id,
        "revoked": revoked.id,
        "bounced": bounced.id,
        "item": document.absolute_url(),
        "file": document["mail"].absolute_url(),
        "appendix": appendix.absolute_url(),
        "document": f"{site.url}/outgoing-mail/permis-durbanisme",
        "sent": answer.json()["id"],
    }


def shown(answer):
    """Return the text of an answer, also where it is quoted for HTML or an address."""
    text = html.unescape(answer.text)
    return f"{text}{urllib.parse.unquote(text)}".lower()


def test_every_surface_is_walked():
    ours = {name.rpartition(" ")[2] for name, permission in surfaces() if permission != "task"}
    assert ours - set(PATHS) - ORIGINALS - NOTHING == set()


def test_no_surface_shows_it(site, town):
    seen = []
    for user in ("agent", "chef", "admin"):
        for name, paths in PATHS.items():
            for path in paths:
                accept = {} if name.startswith("@") else HTML
                answer = site.get(path.format(**town), user, headers=accept)
                assert answer.status_code < 500, path
                if name in SETTINGS and user == "admin":
                    assert PART in shown(answer), path
                elif PART in shown(answer) or OLD_PART in shown(answer):
                    seen.append((user, path))
                if answer.status_code == 200:
                    seen += [(user, path, "not shown")] if "error while rendering" in answer.text else []
    assert seen == []


def test_pages_name_it_without_the_secret(site, town):
    for path in (
        "{item}/@@mailbridge-proof",
        "/@@mailbridge-inbox-message?id={filed}",
        "/@@mailbridge-inbox",
    ):
        assert "in+…@bridge.test" in page(site, path.format(**town), "chef"), path


def test_nothing_leaves_with_it(caught, town):
    assert len(caught.messages) >= 4, "answer, notices, check"
    for message in caught.messages:
        for part in message_from_bytes(message.content).walk():
            assert PART.encode() not in (part.get_payload(decode=True) or b"")
        assert PART.encode() not in message.content
        assert OLD_PART.encode() not in message.content
    (answer,) = [
        each for each in caught.messages if b"mail/permis" not in each.content and _files(each.content)
    ]
    kept, inside = _files(answer.content)
    assert b"Delivered-To: in+xxxxxxxxxxxxxxxxxxxxx@bridge.test" in kept
    assert b"From: Jeanne Dupont" in kept
    assert inside in kept.replace(b"\r\n", b"\n")


def _files(raw):
    """Return the attached message files."""
    parts = message_from_bytes(raw).walk()
    return [part.get_payload(decode=True) for part in parts if (part.get_filename() or "").endswith(".eml")]


def test_the_sender_is_told(site, town):
    sentence = "An attached e-mail goes out without the secret address through which it came to iA.docs."
    assert sentence in page(site, f"{town['item']}/@@send-email", "agent")
    assert sentence not in page(site, f"{town['document']}/@@send-email", "agent")


def test_the_original_stays_as_it_came(site, town):
    record = inbox().get(town["filed"])
    for path, user in (
        ("/@mail-in/{filed}/source", "chef"),
        ("/@@mailbridge-source?id={filed}", "chef"),
        ("{item}/@@mailbridge-proof?source={filed}", "agent"),
        ("{file}/@@download/file", "agent"),
    ):
        content = site.get(path.format(**town), user).content
        assert hashlib.sha256(content).hexdigest() == record.sha256, path
        assert PART.encode() in content


def test_dry_run_knows_it_by_its_mailbox(site, town):
    text = page(site, "/@@mailbridge-dry-run", "chef")
    name = f"in+…@bridge.test ({MAILBOX})"
    assert f'<option value="{name}"' in text
    token = text.split('name="_authenticator"')[1].split('value="')[1].split('"')[0]
    answer = site.post(
        "/@@mailbridge-dry-run",
        "chef",
        data={"examine": "1", "recipient": name, "_authenticator": token},
        files={"file": ("x.eml", letter("À sec").as_bytes())},
        headers=HTML,
    )
    text = html.unescape(answer.text)
    assert "it came to a secret address" in text
    assert f'value="{name}"' in text
    assert PART not in text


def test_a_rule_is_about_the_address_without_its_secret(site, town):
    records = stored_settings()
    path = f"/@@mailbridge-inbox-rule?id={town['revoked']}"
    answer = press(site, path, "save", recipient="in@bridge.test", place="first")
    assert answer.status_code == 302
    assert records.iemail_routing[0]["recipient_pat"] == r"in@bridge\.test"


def test_logs_and_refusals_do_not_name_it(site, town, caplog):
    answer = site.mail_in(redirected(), **{"X-Envelope-Recipient": "in+h7qm4tvx2kpzabcdefghj@elsewhere.test"})
    assert answer.status_code == 422
    assert answer.json()["message"] == "“in+…@elsewhere.test” is not a mail-in address."
    assert PART not in caplog.text


def test_what_an_agent_wrote_is_stored_without_it(town):
    record = outbox().get(town["sent"])
    assert record.subject == "Re: Pour in+…@bridge.test"
    assert form_values(record)["body"] == "<p>Vous avez écrit à in+…@bridge.test</p>"
