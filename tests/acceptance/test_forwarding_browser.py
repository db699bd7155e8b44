"""The forwarding check against a real Postfix and a real Dovecot that forward in every way, seen in the browser."""

from tests.docs.guides import blocks
from tests.servers import exchange_rule
from tests.servers.dovecot import Dovecot
from tests.servers.fixtures import open_folder
from tests.servers.postfix import Postfix
from tests.servers.waiting import wait_for
import contextlib
import pytest
import shutil


(SIEVE,) = blocks("dovecot-sieve", "sieve")
ALIAS = blocks("postfix", "text")[0].split()
OUTCOMES = {
    "alias": "redirect",
    "sieve": "redirect",
    "resend": "redirect",
    "elsewhere": "redirect-undeclared",
    "attachment": "attachment",
    "text": "text",
    "blocked": "bounced-external",
    "unknown": "not-sent",
    "lost": None,
}
RULE = "/usr/bin/python3 {{folder}}/bin/exchange_rule.py {} {} in@bridge.test {{smtp_port}}"
SERVICES = "\nlmtp unix - - n - - lmtp\n" + "".join(
    f"{name} unix - n n - 10 pipe\n  user=nobody argv={command}\n"
    for name, command in {
        "rule-text": RULE.format("text", "${{recipient}}"),
        "rule-attachment": RULE.format("attachment", "${{recipient}}"),
        "rule-resend": RULE.format("resend", "${{recipient}}"),
        "rule-elsewhere": RULE.format("resend", "private@gmail.test"),
        "blocked": "/bin/sh {folder}/bin/blocked",
    }.items()
)
BLOCKED = (
    "cat > /dev/null\necho '5.7.520 Access denied, Your organization does not allow external forwarding. "
    "Please contact your administrator for further assistance. AS(7555)'\nexit 69\n"
)
CHANGED = ("smtp_host", "smtp_port", "smtp_security", "mailboxes", "envelope_sender")


def address(kind):
    return f"{kind}@maville.test"


@pytest.fixture
def town(iadocs, certificates):
    """The demo with a mailbox of each kind, whose mail goes through Postfix; what it forwards comes in by mailbridge-pipe."""
    with contextlib.ExitStack() as stack:
        dovecot = Dovecot(stack.enter_context(open_folder("sieve")), certificates, sieve=SIEVE)
        transports = {
            address(kind): f"rule-{kind}:" for kind in ("text", "attachment", "resend", "elsewhere")
        }
        transports |= {
            address("sieve"): f"lmtp:inet:127.0.0.1:{dovecot.lmtp_port}",
            address("blocked"): "blocked:",
            address("lost"): "discard:",
        }
        folder = stack.enter_context(open_folder("forwarders"))
        postfix = Postfix(
            folder,
            url=iadocs.url,
            token="gateway:demo-iadocs",
            aliases={address("alias"): ALIAS[1]},
            transports=transports,
            services=SERVICES,
        )
        dovecot.submission_port = postfix.smtp_port
        stack.enter_context(postfix)
        shutil.copy(exchange_rule.__file__, folder / "bin")
        (folder / "bin" / "blocked").write_text(BLOCKED)
        stack.enter_context(dovecot)
        before = iadocs.get("/@controlpanels/mailbridge", "admin").json()["data"]
        iadocs.set(
            smtp_host="127.0.0.1",
            smtp_port=postfix.smtp_port,
            smtp_security="none",
            mailboxes=[{"address": address(kind), "service": None} for kind in OUTCOMES],
            envelope_sender="bounce",
        )
        yield postfix
        iadocs.set(**{name: before[name] for name in CHANGED})


def test_every_kind_of_forwarder(person, iadocs, town):
    admin = person("admin", password="admin")
    page = admin.page
    admin.open("/@@mailbridge-forwarding")
    admin.screenshot("forwarding-not-checked")
    for kind in OUTCOMES:
        page.click(f"tr[data-mailbox='{address(kind)}'] button[name=check]")
        page.wait_for_selector(
            f"tr[data-mailbox='{address(kind)}'] .text-bg-info, tr[data-mailbox='{address(kind)}'] p[data-outcome]"
        )

    def outcome(kind):
        found = page.locator(f"tr[data-mailbox='{address(kind)}'] p[data-outcome]")
        return found.get_attribute("data-outcome") if found.count() else None

    def outcomes():
        admin.open("/@@mailbridge-forwarding")
        return {kind: outcome(kind) for kind in OUTCOMES}

    wait_for(lambda: outcomes() == OUTCOMES, what=lambda: f"{outcomes()}\n{town.log_text()[-3000:]}")
    admin.screenshot("forwarding-every-kind")
    text = page.inner_text("#content-core")
    for expected in (
        "sieve-redirected-from",
        "5.7.520",
        "Autoriser le transfert externe",
        "Règle de redirection",
        "en route",
    ):
        assert expected in text, expected
    assert not admin.errors
