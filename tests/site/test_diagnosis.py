"""The diagnosis of an account: each step against a real server, and what the page makes of it."""

from base64 import b64encode
from dataclasses import replace
from datetime import datetime
from datetime import timedelta
from imio.mailbridge.diagnosis import knowledge
from imio.mailbridge.diagnosis.bounds import Limits
from imio.mailbridge.diagnosis.diagnose import diagnose
from imio.mailbridge.diagnosis.diagnose import Options
from imio.mailbridge.outbox import send_as
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.transport.bounded import bounded
from imio.mailbridge.transport.imap_account import ImapAccount
from tests.servers.certificates import Certificates
from tests.servers.dovecot import Dovecot
from tests.servers.fixtures import open_folder
from tests.servers.peer import Peer
from tests.servers.resolver import Resolver
from tests.servers.smtp_peer import Smtp
from tests.site.panel import HTML
from tests.site.panel import page
from zope.component.hooks import getSite
from zope.component.hooks import setSite
from zope.i18n import translate
import email
import pytest
import re
import socket
import socketserver
import threading
import time
import transaction


PAGE = "/@@mailbridge-diagnosis"
AL = "al.bert@maville.test"
JEANNE = "jeanne@citizen.test"
SECRET = "Zeer geheim wachtwoord"
#: With time for a busy machine; a test in which something never comes shortens the part that waits for it.
LIMITS = Limits(poll=0.1)


@pytest.fixture
def account(site, catcher_factory, certificates):
    """``account(security, …)`` returns an account on a catcher with a login, and the catcher."""

    def account(security="starttls", certificates=certificates, ca=certificates, **changes):
        server = catcher_factory(
            security=security, certificates=certificates, login="bridge", password=SECRET
        )
        password.write(SECRET)
        transaction.commit()
        own = replace(
            settings().default_account,
            host="localhost",
            port=server.port,
            security=security,
            ca_file=str(ca.ca_file),
            login="bridge",
        )
        return replace(own, **changes), server

    return account


def found(account, limits=LIMITS, **options):
    return {
        step.name: step for step in diagnose(account, Options(**{"dns": False, **options}), limits=limits)
    }


def verdicts(steps):
    return {name: step.verdict for name, step in steps.items()}


@pytest.mark.parametrize("security", ["starttls", "tls", "none"])
def test_everything_works(account, security):
    own, server = account(security)
    steps = found(own, recipient=JEANNE, agent=AL, send=True, subject="Test")
    assert set(verdicts(steps).values()) == {"ok"}, verdicts(steps)
    assert [message.mail_from for message in server.messages] == ["administration@maville.test", AL]
    first = email.message_from_bytes(server.messages[0].content)
    token = first["Subject"].split()[1]
    assert token in first["Message-ID"]
    assert steps["message"].sentence.mapping["token"] == token
    assert send_as.verdict("default", AL).source == "probe"
    assert send_as.verdict("default", AL).allowed


def test_certificate_is_shown(account):
    own, _server = account()
    steps = found(own)
    lines = "\n".join(steps["tls"].dialogue)
    assert "for the names: localhost" in lines
    assert "TLSv1.3" in lines
    assert list(steps) == ["resolve", "connect", "tls", "features", "login", "sender"]


def test_secrets_are_masked_everywhere(account):
    own, server = account()
    for right in (True, False):
        password.write(SECRET if right else f"{SECRET}!")
        steps = found(own, recipient=JEANNE, send=True)
        everything = repr(steps)
        for form in (
            SECRET,
            b64encode(SECRET.encode()).decode(),
            b64encode(f"\0bridge\0{SECRET}".encode()).decode(),
        ):
            assert form not in everything
            assert form.rstrip("=")[:-2] not in everything
        assert "AUTH PLAIN ****" in everything
    assert steps["login"].verdict == "bad"
    assert steps["sender"].verdict == "skipped"


@pytest.mark.parametrize(
    ("names", "ends", "words"),
    [
        (["mail.other.test"], None, "for another name"),
        (["localhost"], -1, "expired on"),
    ],
)
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_wrong_certificates(account, tmp_path, security, names, ends, words):
    ends = datetime.utcnow() + timedelta(days=ends) if ends else None  # noqa: DTZ003 - as trustme wants it
    wrong = Certificates(tmp_path, *names, ends=ends)
    own, server = account(security, certificates=wrong, ca=wrong)
    steps = found(own)
    assert steps["tls"].verdict == "bad"
    assert words in steps["tls"].sentence
    assert names[0] in "\n".join(steps["tls"].dialogue), "what the server shows"
    assert "AUTH" not in repr(steps), "no login goes to a server that is not who it says"
    assert steps["features"].verdict == "skipped"


def test_certificate_that_ends_soon(account, tmp_path):
    soon = datetime.utcnow() + timedelta(days=5)  # noqa: DTZ003 - as trustme wants it
    own = Certificates(tmp_path, "localhost", ends=soon)
    steps = found(account(certificates=own, ca=own)[0])
    assert steps["tls"].verdict == "warning"
    assert steps["login"].verdict == "ok"


def test_authority_that_nobody_knows(account):
    own, _server = account()
    step = found(replace(own, ca_file=""))["tls"]
    assert step.verdict == "bad"
    assert "vouches" in step.sentence or "itself" in step.sentence


def test_plain_port_spoken_to_with_tls(account):
    own, _server = account("none")
    step = found(replace(own, security="tls"))["tls"]
    assert (step.verdict, "STARTTLS" in step.sentence) == ("bad", True)


def test_tls_port_spoken_to_in_clear(account):
    own, _server = account("tls")
    step = found(replace(own, security="starttls"), replace(LIMITS, answer=1))["connect"]
    assert (step.verdict, "TLS from the start" in step.sentence) == ("bad", True)


def test_encryption_that_is_not_offered(account):
    own, _server = account("none")
    step = found(replace(own, security="starttls"))["tls"]
    assert step.verdict == "bad"
    assert "STARTTLS" in step.sentence


@pytest.mark.parametrize("host", ["does-not-exist.invalid", "xn--a", "a" * 64 + ".test"])
def test_name_that_does_not_exist(account, host, monkeypatch):
    own, _server = account()
    steps = found(replace(own, host=host))
    assert steps["resolve"].verdict == "bad"
    assert steps["login"].verdict == "skipped"


def test_port_that_is_closed(account):
    own, _server = account()
    steps = found(replace(own, port=9))
    assert steps["connect"].verdict == "bad"
    assert "firewall" in steps["connect"].sentence


def test_server_that_says_nothing(account):
    own, _server = account()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        threading.Thread(target=lambda: [silent.accept() for _ in range(3)], daemon=True).start()
        own = replace(own, host="127.0.0.1", port=silent.getsockname()[1])
        steps = found(own, replace(LIMITS, answer=1))
    assert steps["connect"].verdict == "bad"
    assert "says nothing" in steps["connect"].sentence


@pytest.mark.parametrize(
    "greeting",
    [b"* OK [CAPABILITY IMAP4rev1] ready", b"+OK POP3 ready", b"SSH-2.0-OpenSSH_9.2p1", b"", b"\xff\0"],
)
@pytest.mark.parametrize("security", ["none", "starttls"])
def test_server_of_another_kind(account, greeting, security):
    own, _server = account()
    with Peer(lambda talk: (talk.say(greeting), talk.hear())) as peer:
        steps = found(replace(own, host="127.0.0.1", port=peer.port, security=security))
    assert steps["connect"].verdict == "bad"
    assert "not an SMTP server" in steps["connect"].sentence
    assert "port" in steps["connect"].ask


@pytest.mark.parametrize("verb", ["ehlo", "mail", "rcpt", "data", "end"])
@pytest.mark.parametrize("said", [b"", b"hello", b"-50 x", b"354 go", b"220"])
def test_answer_that_is_none_here_is_a_sentence(account, verb, said):
    own, _server = account()
    server = Smtp(**{verb: lambda talk: talk.say(said)})
    with Peer(server) as peer:
        own = replace(own, host="127.0.0.1", port=peer.port, security="none", login="")
        steps = found(own, recipient=JEANNE, agent=AL, send=True)
    assert all(step.sentence for step in steps.values() if step.verdict != "skipped")
    if (verb, said) != ("data", b"354 go") and not (said == b"220" and verb != "data"):
        assert "bad" in {step.verdict for step in steps.values()}
        assert steps.get("message") is None or steps["message"].verdict != "ok"


def test_wrong_password(account):
    own, _server = account()
    password.write("wrong")
    step = found(own)["login"]
    assert step.verdict == "bad"
    assert "535" in "\n".join(step.dialogue)
    assert "password" in step.ask


@pytest.mark.parametrize(
    ("stage", "answer", "name"),
    [
        (f"rcpt:{JEANNE}", "553 5.7.1 Sender address rejected: not owned by user bridge", "agent"),
        (f"data:{AL}", "554 5.2.252 SendAsDenied; bridge not allowed to send as al.bert", "agent-message"),
    ],
)
def test_sender_that_is_refused(account, stage, answer, name):
    own, server = account()
    if name == "agent":
        server.answers[f"mail:{AL}"] = answer
    else:
        server.answers[stage] = answer
    steps = found(own, recipient=JEANNE, agent=AL, send=True)
    assert steps[name].verdict == "warning"
    assert "Send As" in steps[name].ask
    assert not send_as.verdict("default", AL).allowed
    assert steps["message"].verdict == "ok"


def test_refused_for_another_reason_teaches_nothing(account):
    own, server = account()
    server.answers[f"data:{AL}"] = "451 4.3.0 later"
    steps = found(own, recipient=JEANNE, agent=AL, send=True)
    assert steps["agent-message"].verdict == "bad"
    assert send_as.verdict("default", AL) is None


def test_recipient_that_is_refused(account):
    own, server = account()
    server.answers[f"rcpt:{JEANNE}"] = "550 5.1.1 no such user"
    steps = found(own, recipient=JEANNE, send=True)
    assert (steps["recipient"].verdict, steps["message"].verdict) == ("bad", "skipped")
    assert server.messages == []


def test_mailbox_that_cannot_be_read(account):
    own, _server = account()
    box = ImapAccount("test", "127.0.0.1", "x", JEANNE, SECRET, port=9)
    steps = found(own, recipient=JEANNE, send=True, imap_account=box)
    assert steps["mailbox"].verdict == "bad"
    assert SECRET not in repr(steps)
    assert SECRET not in repr(box)


@pytest.fixture
def dovecot(certificates):
    with open_folder("dovecot") as folder, Dovecot(folder, certificates) as server:
        yield server


def _imap_account(dovecot, account):
    return ImapAccount(
        "test",
        "localhost",
        dovecot.LOGIN,
        JEANNE,
        dovecot.PASSWORD,
        port=dovecot.port,
        ca_file=account.ca_file,
    )


@pytest.mark.parametrize(
    ("folder", "verdict", "words"), [("INBOX", "ok", "arrived in the mailbox"), ("Junk", "warning", "spam")]
)
def test_message_that_arrives(account, dovecot, folder, verdict, words):
    own, server = account()
    server.answers["data"] = lambda envelope: dovecot.append(envelope.original_content, folder)
    box = _imap_account(dovecot, own)
    options = Options(dns=False, recipient=JEANNE, send=True, imap_account=box)
    (step,) = [step for step in diagnose(own, options, limits=LIMITS) if step.name == "mailbox"]
    assert (step.verdict, words in step.sentence) == (verdict, True), step
    with dovecot.client() as client:
        client.select_folder(folder)
        (flags,) = client.get_flags(client.search()).values()
        assert b"\\Seen" not in flags


RESULTS = (
    b"Authentication-Results: mx.citizen.test; spf=pass smtp.mailfrom=maville.test;\r\n"
    b" dkim=pass header.d=maville.test; dmarc=pass header.from=maville.test\r\n"
    b"DKIM-Signature: v=1; a=rsa-sha256; d=maville.test; s=k9; h=From; bh=x; b=y\r\n"
)


def test_what_both_messages_show_is_remembered(account, dovecot):
    own, server = account()
    server.answers["data"] = lambda envelope: dovecot.append(RESULTS + envelope.original_content, "INBOX")
    own = replace(own, login_address="administration@town.test")
    options = Options(
        dns=False, recipient=JEANNE, agent=AL, send=True, imap_account=_imap_account(dovecot, own)
    )
    steps = {step.name: step.verdict for step in diagnose(own, options, limits=LIMITS)}
    assert steps["mailbox"] == "ok"
    known = knowledge.Known()
    of_agent = known.returned("localhost", "maville.test")
    assert (of_agent.signers, of_agent.spf, of_agent.envelope) == (("maville.test",), "pass", "maville.test")
    assert (of_agent.server, of_agent.dkim, of_agent.is_outside) == (
        "mx.citizen.test",
        (("pass", "maville.test"),),
        True,
    )
    assert known.returned("localhost", "town.test") is not None
    assert known.returned("other.test", "town.test") is None


def test_message_that_does_not_arrive(account, dovecot):
    own, _server = account()
    box = _imap_account(dovecot, own)
    assert (
        found(own, replace(LIMITS, mailbox=1), recipient=JEANNE, send=True, imap_account=box)[
            "mailbox"
        ].verdict
        == "warning"
    )


def test_mailbox_is_read_only_with_the_right_password_and_certificate(account, dovecot):
    own, _server = account()
    for changes, words in (
        ({"password": SECRET}, "Authentication failed"),
        ({"ca_file": ""}, "certificate verify failed"),
    ):
        box = _imap_account(dovecot, own)
        options = Options(dns=False, recipient=JEANNE, send=True, imap_account=replace(box, **changes))
        step = diagnose(own, options, limits=LIMITS)[-1]
        assert (step.name, step.verdict) == ("mailbox", "bad")
        assert words in "\n".join(step.dialogue)
        assert SECRET not in repr(step)
        assert dovecot.PASSWORD not in repr(step)


class Dripping(socketserver.StreamRequestHandler):
    """Answers 250 to all, but from ``server.verb`` on a byte now and then, for ever."""

    def handle(self):
        self.wfile.write(b"220 drip\r\n")
        while line := self.rfile.readline():
            if line.upper().startswith(self.server.verb):
                for _ in range(6000):
                    self.wfile.write(b"2")
                    time.sleep(0.1)
            self.wfile.write(b"250 ok\r\n")


@pytest.mark.parametrize("verb", [b"EHLO", b"MAIL", b"QUIT"])
def test_server_that_never_ends_is_cut_off(account, verb):
    own, _server = account("none")
    own = replace(own, login="", host="127.0.0.1")
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Dripping) as server:
        server.daemon_threads, server.block_on_close, server.verb = True, False, verb
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        own = replace(own, port=server.server_address[1])
        options, limits = (
            Options(dns=False, recipient=JEANNE),
            replace(LIMITS, smtp=30 if verb == b"QUIT" else 2),
        )
        portal = getSite()
        steps = bounded(lambda: setSite(portal) or diagnose(own, options, limits=limits), 90)
        server.shutdown()
    assert {step.verdict for step in steps} == ({"ok"} if verb == b"QUIT" else {"ok", "bad", "skipped"})


def test_oauth_without_a_login_is_no_open_server(account):
    own, _server = account()
    step = found(replace(own, auth="oauth2", login=""))["login"]
    assert step.verdict == "bad"


def test_no_address_to_send_from(account):
    own, _server = account()
    step = found(replace(own, login_address=""))["sender"]
    assert (step.verdict, "login address" in step.sentence) == ("skipped", True)


def test_bounce_address_that_is_refused_says_nothing_of_the_agent(account):
    own, server = account()
    bounce = "in@bridge.test"
    server.answers[f"mail:{bounce}"] = "553 5.7.1 Sender address rejected: not owned by user bridge"
    own_options = {"envelope_sender": "bounce", "bounce_address": bounce}
    steps = found(own, recipient=JEANNE, agent=AL, send=True, **own_options)
    assert steps["message"].verdict == "bad"
    server.answers[f"mail:{bounce}"] = [None, "553 5.7.1 Sender address rejected: not owned by user bridge"]
    steps = found(own, recipient=JEANNE, agent=AL, send=True, **own_options)
    assert steps["agent-message"].verdict == "bad"
    assert [message.mail_from for message in server.messages] == [bounce]
    assert send_as.verdict("default", AL) is None


# DNS


GOOD = {
    ("maville.test", "MX"): ["10 mail.maville.test."],
    ("maville.test", "TXT"): ["v=spf1 include:spf.protection.outlook.com -all", "other"],
    ("spf.protection.outlook.com", "TXT"): ["v=spf1 ip4:192.0.2.0/24 -all"],
    ("selector1._domainkey.maville.test", "TXT"): ["v=DKIM1; k=rsa; p=" + "A" * 230],
    ("_dmarc.maville.test", "TXT"): ["v=DMARC1; p=quarantine"],
}


def dns(account, records, **options):
    own, _server = account()
    own = replace(own, host="smtp.office365.com", port=9, login_address="administration@maville.test")
    with Resolver(records) as resolver:
        steps = diagnose(own, Options(**options), resolver.address, replace(LIMITS, resolve=0.2))
    return {step.name: step for step in steps}


def test_dns_that_fits(account):
    steps = dns(account, GOOD, agent=AL)
    assert steps["dns-login"].verdict == steps["dns-agent"].verdict == "ok"
    notes = " ".join(map(str, steps["dns-login"].notes))
    assert "SPF allows" in notes
    assert "selector1" in str([note.mapping for note in steps["dns-login"].notes])


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ({("maville.test", "TXT"): []}, "no SPF record"),
        ({("maville.test", "TXT"): ["v=spf1 -all", "v=spf1 ~all"]}, "several SPF records"),
        ({("maville.test", "TXT"): ["v=spf1 ip4:192.0.2.1 -all"]}, "is missing"),
        ({("maville.test", "TXT"): ["v=spf1 include:spf.protection.outlook.com ?all"]}, "should end in"),
        ({("maville.test", "TXT"): ["v=spf1 bogus include:spf.protection.outlook.com -all"]}, "cannot read"),
        ({("maville.test", "MX"): []}, "no MX record"),
        ({("_dmarc.maville.test", "TXT"): ["v=DMARC1; p=bogus"]}, "DMARC record cannot be read"),
        (
            {("maville.test", "TXT"): ["v=spf1 " + "mx " * 11 + "include:spf.protection.outlook.com -all"]},
            "stop after 10",
        ),
    ],
)
def test_dns_that_does_not_fit(account, records, words):
    step = dns(account, {**GOOD, **records})["dns-login"]
    assert step.verdict == "warning"
    assert words in " ".join(map(str, step.notes))


OTHER = {
    **GOOD,
    ("selector1._domainkey.maville.test", "TXT"): [],
    ("town.example", "TXT"): ["v=spf1 include:spf.protection.outlook.com -all"],
    ("sub.maville.test", "TXT"): ["v=spf1 include:spf.protection.outlook.com -all"],
}
STRICT = {("_dmarc.maville.test", "TXT"): ["v=DMARC1; p=reject; aspf=s"]}


@pytest.mark.parametrize(
    ("bounce", "records", "fits"),
    [
        ("in@town.example", {}, False),
        ("in@sub.maville.test", {}, True),
        ("in@sub.maville.test", STRICT, False),
        ("in@town.example", {("_dmarc.maville.test", "TXT"): []}, True),  # nobody asks whether it fits
    ],
)
def test_from_and_envelope_sender_fit_together(account, bounce, records, fits):
    own = {"envelope_sender": "bounce", "bounce_address": bounce}
    step = dns(account, {**OTHER, **records}, agent=AL, **own)["dns-agent"]
    assert step.verdict == ("ok" if fits else "warning"), step
    assert any("do not match" in note for note in step.notes) == (bounce.endswith("example") or not fits)


def test_dns_server_that_is_not_there(account):
    own, _server = account()
    steps = diagnose(own, Options(), "127.0.0.1:9", replace(LIMITS, dns=1))
    assert steps[-1].verdict == "skipped"


# the page


def run(site, user="admin", **form):
    text = page(site, PAGE)
    token = re.search(r'name="_authenticator"[^>]*value="(\w+)"', text)[1]
    data = {"run": "1", "account": "default", "_authenticator": token, **form}
    return site.post(PAGE, user, data=data, headers=HTML)


@pytest.mark.parametrize("user", [None, "agent", "chef", "gateway"])
def test_who_may(site, user):
    assert site.get(PAGE, user, headers=HTML).status_code in (302, 401, 403)


def test_only_by_post_with_a_token(site, caught):
    assert site.get(f"{PAGE}?run=1", "admin", headers=HTML).status_code == 404
    assert site.post(PAGE, "admin", data={"run": "1"}, headers=HTML).status_code == 200
    assert caught.received["ehlo"] == 0


def test_page(site, caught):
    stored_settings().dns_resolver = "127.0.0.1:9"
    transaction.commit()
    answer = run(site, recipient=JEANNE, agent=AL, send="1")
    assert answer.status_code == 200
    text = answer.text
    assert text.count('data-verdict="ok"') >= 8
    assert "EHLO" in text or "ehlo" in text
    assert 'id="diagnosis-text"' in text
    assert "${" not in text.partition('id="diagnosis-text"')[2].partition("</textarea>")[0]
    assert "The name 127.0.0.1 leads to 127.0.0.1." in text
    assert len(caught.messages) == 2
    assert stored_settings().smtp_host == "127.0.0.1"


def test_words_of_the_server_are_words(site, caught):
    caught.answers["mail"] = "550 5.0.0 <script>alert(1)</script>"
    text = run(site, recipient=JEANNE).text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


@pytest.mark.parametrize(
    "form",
    [
        {"recipient": "nobody"},
        {"recipient": "a@b.test\r\nRCPT TO:<x@y.test>"},
        {"agent": "a@b.test,c@d.test"},
        {"recipient": "", "send": "1"},
        {"selector": "../x"},
        {"imap_host": "not a host", "imap_login": "x", "imap_password": "y"},
        {"imap_host": "imap.test", "imap_port": "0", "imap_login": "x", "imap_password": "y"},
        {"imap_host": "imap.test"},
    ],
)
def test_bad_input(site, caught, form):
    answer = run(site, **{"recipient": JEANNE, **form})
    assert answer.status_code == 200
    assert 'class="alert alert-danger"' in answer.text
    assert caught.received["ehlo"] == 0


def test_without_a_server(site):
    stored_settings().smtp_host = None
    transaction.commit()
    assert "No SMTP server is set yet" in page(site, PAGE)


@pytest.mark.parametrize(
    ("features", "words"),
    [
        (b"SIZE 52428800", "as large as 50 MB"),
        (b"SIZE 20000", "as large as 19.5 kB"),
        (b"SIZE 0", "sets no limit"),
        (b"SIZE", "does not say how large"),
    ],
)
def test_size_in_units_that_people_use(account, features, words):
    own, _server = account()
    with Peer(Smtp((features,))) as peer:
        step = found(replace(own, host="127.0.0.1", port=peer.port, security="none", login=""))["features"]
    assert any(words in translate(note, target_language="en") for note in step.notes)
