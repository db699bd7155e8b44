"""What receivers will find stands on the pages of accounts: from what is kept; DNS is asked only when a button is pressed."""

from imio.mailbridge.diagnosis import knowledge
from imio.mailbridge.diagnosis.diagnose import diagnose
from imio.mailbridge.diagnosis.diagnose import Options
from imio.mailbridge.diagnosis.returned import Shown
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from tests.servers.resolver import Resolver
from tests.site.panel import ACCOUNTS
from tests.site.panel import act
from tests.site.panel import EDIT
from tests.site.panel import messages
from tests.site.panel import page
from tests.site.panel import press
from tests.site.rows import keep
from tests.site.rows import row
import html
import lxml.html
import pytest
import transaction


DIAGNOSIS = "/@@mailbridge-diagnosis"
#: A town whose agents may send by Microsoft 365; the social welfare centre has not allowed it, and asks to refuse such mail.
ZONE = {
    ("maville.test", "MX"): ["0 maville-test.mail.protection.outlook.com."],
    ("maville.test", "TXT"): ["v=spf1 include:spf.protection.outlook.com -all"],
    ("spf.protection.outlook.com", "TXT"): ["v=spf1 ip4:203.0.113.0/24 -all"],
    ("_dmarc.maville.test", "TXT"): ["v=DMARC1; p=reject"],
    ("cpas.test", "MX"): ["0 mail.cpas.test."],
    ("cpas.test", "TXT"): ["v=spf1 ip4:192.0.2.0/24 -all"],
    ("_dmarc.cpas.test", "TXT"): ["v=DMARC1; p=reject"],
}


class Asked(Resolver):
    """A server that remembers what it was asked."""

    def __init__(self, records):
        super().__init__(records)
        self.count = 0

    def answer(self, data, stream=False):
        self.count += 1
        return super().answer(data, stream)


@pytest.fixture
def zone(site):
    """The DNS server of the site, with ``ZONE``; the default account is at Microsoft 365, and so is one for cpas.test."""
    with Asked(ZONE) as server:
        stored = stored_settings()
        stored.dns_resolver, stored.smtp_host = server.address, "smtp.office365.com"
        stored.login_address = "administration@maville.test"
        keep(
            row(
                senders=["cpas.test"],
                host="smtp.office365.com",
                login_address="administration@maville.test",
                sender_policy="send_as",
            )
        )
        yield server


def verdicts(text, path):
    return [each.get("data-verdict") for each in lxml.html.fromstring(text).xpath(path)]


def of_account(text, name="cpas"):
    return verdicts(
        text, f"//tr[@data-account='{name}']//*[@class='small mt-2 mailbridge-foretold']//*[@data-verdict]"
    )


def test_a_button_asks_and_the_page_does_not(site, zone):
    assert "not checked yet" in page(site, ACCOUNTS)
    assert "Not checked yet" in page(site, DIAGNOSIS)
    assert zone.count == 0
    assert "DNS was queried" in messages(site, act(site, ACCOUNTS, check="cpas"))
    assert zone.count > 5
    before = zone.count
    text = page(site, ACCOUNTS)
    assert of_account(text) == ["fails"] * 3
    assert of_account(text, "default") == ["passes", "fails", "passes"], (
        "what is known of a domain is known of it for all"
    )
    assert "which asks receivers to refuse such mail" in text
    assert "Better:" in text
    text = page(site, f"{DIAGNOSIS}?account=cpas")
    assert verdicts(text, "//tr[@data-policy='login']/td") == ["passes", "fails", "passes"]
    assert verdicts(text, "//tr[@data-policy='send_as']/td") == ["fails"] * 3
    assert "v=spf1 ip4:192.0.2.0/24 include:spf.protection.outlook.com -all" in text
    assert "selector2._domainkey.cpas.test" in text
    assert "Microsoft Defender" in text
    assert zone.count == before


def test_the_form_warns_of_a_policy_that_must_fail(site, zone):
    assert "Attention" not in page(site, EDIT)
    act(site, ACCOUNTS, check="cpas")
    text = page(site, EDIT)
    assert "Warning: “The agent's own address sends (the server must allow it)”: DMARC fails" in text
    assert "refuse such mail" in messages(site, press(site, EDIT, "save", sender_policy="auto"))
    assert "refuse such mail" not in messages(site, press(site, EDIT, "save", sender_policy="login"))


def test_reports_of_dmarc_go_where_the_admin_says(site, zone):
    del zone.records["_dmarc.cpas.test", "TXT"]
    text = html.unescape(act(site, DIAGNOSIS, account="cpas", check="1", reports="dmarc@reports.test").text)
    assert "v=DMARC1; p=none; rua=mailto:dmarc@reports.test" in text
    assert "cpas.test._report._dmarc.reports.test" in text
    text = act(site, DIAGNOSIS, account="cpas", check="1", reports="no address\r\n<x>").text
    assert 'class="alert alert-danger"' in text
    assert "rua=" not in text


def test_no_dns_server_answers(site, zone):
    stored_settings().dns_resolver = "127.0.0.1:9"
    transaction.commit()
    assert "No DNS server answers." in messages(site, act(site, ACCOUNTS, check="cpas"))
    assert "No DNS server answers." in act(site, DIAGNOSIS, account="cpas", check="1").text
    assert not any(key[0] == "dns" for key in knowledge.existing_store(knowledge.KEY))


@pytest.mark.parametrize("user", [None, "agent", "chef", "gateway"])
def test_who_may_ask(site, zone, user):
    answers = [site.post(path, user, data={"check": "cpas"}) for path in (ACCOUNTS, DIAGNOSIS)]
    assert {answer.status_code for answer in answers} <= {302, 401, 403}
    assert zone.count == 0


def test_an_account_that_is_not_there(site, zone):
    assert act(site, ACCOUNTS, check="gone").status_code == 404


def test_what_dns_says_is_text(site, zone):
    zone.records["cpas.test", "TXT"] = ["v=spf1 <script>alert(1)</script> -all"]
    act(site, ACCOUNTS, check="cpas")
    for path in (ACCOUNTS, f"{DIAGNOSIS}?account=cpas"):
        text = site.get(path, "admin", headers={"Accept": "text/html"}).text
        assert "<script>alert" not in text


def test_the_diagnosis_keeps_what_it_finds(site, zone):
    account = settings().accounts["cpas"]
    diagnose(account, Options(agent="al@cpas.test"), zone.address)
    transaction.begin()
    known = knowledge.Known()
    assert known("cpas.test", "TXT") == ["v=spf1 ip4:192.0.2.0/24 -all"]
    assert known.agents("smtp.office365.com") == ["cpas.test"]
    assert of_account(page(site, ACCOUNTS)) == ["fails"] * 3


def test_what_a_test_message_showed_counts(site, zone):
    act(site, ACCOUNTS, check="cpas")
    transaction.begin()
    shown = Shown(
        "cpas.test", ("cpas.test",), "mx.citizen.test", "cpas.test", "fail", (("pass", "cpas.test"),)
    )
    knowledge.keep_returned("smtp.office365.com", shown, "citizen.test")
    transaction.commit()
    assert of_account(page(site, ACCOUNTS)) == ["fails", "passes", "passes"]
    assert "came back signed for cpas.test" in page(site, f"{DIAGNOSIS}?account=cpas")


def test_no_more_is_kept_than_is_of_use(site, monkeypatch):
    monkeypatch.setattr(knowledge, "ENTRIES", 5)
    for number in range(9):
        knowledge.keep_answers({(f"n{number}.test", "TXT"): ["x" * 9000] * 100})
    kept = knowledge.existing_store(knowledge.KEY)
    assert sorted(key[1] for key in kept) == [f"n{number}.test" for number in range(4, 9)]
    assert {(len(entry["texts"]), len(entry["texts"][0])) for entry in kept.values()} == {(20, 2000)}
