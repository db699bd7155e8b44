"""The name by which iA.docs presents itself is one: for delivery, site mail and diagnosis."""

from imio.mailbridge.delivery import ehlo_name as module
from imio.mailbridge.delivery.ehlo_name import ehlo_name
from imio.mailbridge.delivery.mailer import AccountMailer
from imio.mailbridge.diagnosis.diagnose import diagnose
from imio.mailbridge.diagnosis.diagnose import Options
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from types import SimpleNamespace
import pytest
import transaction


def change(**values):
    for name, value in values.items():
        setattr(stored_settings(), name, value)
    transaction.commit()


@pytest.fixture
def heard(caught):
    """The names that the server heard."""
    names, greeting = [], caught.handle_EHLO

    async def handle_EHLO(server, session, envelope, hostname, responses):
        names.append(hostname)
        return await greeting(server, session, envelope, hostname, responses)

    caught.handle_EHLO = handle_EHLO
    return names


@pytest.mark.parametrize("name", ["iadocs.maville.be", None])
def test_alike_everywhere(site, send, heard, name):
    change(ehlo_name=name)
    account = settings().default_account
    assert send().state == "sent"
    AccountMailer(account).send("a@maville.test", ["jeanne@citizen.test"], "Subject: x\r\n\r\nx")
    diagnose(account, Options(dns=False))
    assert heard == [name or "maville.test"] * 3


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://iadocs.maville.be/iadocs", "iadocs.maville.be"),
        ("https://IADOCS.maville.be:8443/iadocs", "iadocs.maville.be"),
        ("http://localhost:8080/iadocs", "maville.test"),
        ("http://127.0.0.1:8080/iadocs", "maville.test"),
        ("http://[::1]:8080/iadocs", "maville.test"),
        ("http://iadocs/iadocs", "maville.test"),
        ("http://iadocs.local/iadocs", "maville.test"),
        ("http://vm.localdomain/iadocs", "maville.test"),
        ("http://ia_docs.maville.be/iadocs", "maville.test"),
    ],
)
def test_default(site, monkeypatch, url, expected):
    monkeypatch.setattr(module, "getSite", lambda: SimpleNamespace(absolute_url=lambda: url))
    assert ehlo_name(settings().default_account) == expected


def test_worker_knows_the_address_from_the_agents(site, send):
    record = send(run=False)
    record.site_url = "https://iadocs.maville.be"
    assert ehlo_name(settings().default_account) == "iadocs.maville.be"


def test_domain_of_the_login_address_as_dns_has_it(site):
    change(login_address="info@mäville.be")
    assert ehlo_name(settings().default_account) == "xn--mville-bua.be"


@pytest.mark.parametrize("name", ["no name", "-x.be", "a\r\nMAIL", "192.0.2.1:25"])
def test_what_is_no_name(site, name):
    answer = site.request("PATCH", "/@controlpanels/mailbridge", "admin", json={"ehlo_name": name})
    assert (answer.status_code, stored_settings().ehlo_name) == (400, None)
