"""``@@my-mail``: the lists of an agent and of a manager of mail, and the figures."""

from imio.mailbridge.desk import figures
from imio.mailbridge.desk.my_mail import AfterLogin
from imio.mailbridge.outbox.saved_drafts import save_draft
from plone import api
from plone.memoize import ram
from plone.uuid.interfaces import IUUID
from tests.mails import citizen
from tests.mails import redirected
from tests.site.compose import HTML
from tests.site.compose import shown
import html
import pytest
import re
import transaction


PAGE = "/@@my-mail"


def page(site, user="agent", path=PAGE):
    answer = site.get(path, user, headers=HTML)
    assert answer.status_code == 200, answer.text
    return answer.text


def counts(site, user="agent"):
    return site.get("/@@my-mail-counts", user).json()


@pytest.mark.parametrize(
    ("path", "statuses"),
    [
        (PAGE, {None: 302, "gateway": 200, "agent": 200, "chef": 200}),
        ("/@@my-mail-counts", {None: 302, "gateway": 200, "agent": 200, "chef": 200}),
        ("/@@mailbridge-figures", {None: 302, "gateway": 302, "agent": 302, "chef": 200, "admin": 200}),
    ],
)
def test_roles(site, path, statuses):
    assert {user: site.get(path, user, headers=HTML).status_code for user in statuses} == statuses


def test_nothing_yet(site):
    text = shown(page(site))
    assert "To decide" not in text
    for sentence in ("No mail is waiting for you.", "Nothing came back.", "No draft is waiting to be sent."):
        assert sentence in text
    assert set(counts(site).values()) == {0}


def test_what_is_to_treat(site):
    mine = site.portal["incoming-mail"]["demande-de-permis"]
    assert counts(site, "agent2")["mine"] == 1
    assert f'href="{mine.absolute_url()}/view"' in page(site, "agent2")
    mine.assigned_user = None
    mine.reindexObject()
    transaction.commit()
    assert [counts(site, user)["service"] for user in ("agent2", "agent3", "agent")] == [1, 1, 0], (
        "of Urbanisme"
    )
    with api.env.adopt_roles(["Manager"]):
        api.content.transition(mine, to_state="closed")
    transaction.commit()
    assert set(counts(site, "agent2").values()) == {0}


def test_what_became_of_it(site, caught, send):
    caught.answers["rcpt:bad@citizen.test"] = "550 5.1.1 no such user"
    record = send("bad@citizen.test", bcc=["secret@citizen.test"], subject="Perdu")
    send(subject="Parti")
    text = page(site)
    assert f'href="{site.url}/@@mailbridge-sent-message?id={record.id}"' in text
    assert {key: count for key, count in counts(site).items() if count} == {"lost": 1, "sent": 2}
    assert {key: count for key, count in counts(site, "agent2").items() if count} == {"mine": 1}
    assert "Perdu" not in page(site, "agent2")


def test_drafts_are_listed_for_their_writer_alone(site):
    document = site.portal["outgoing-mail"]["permis-durbanisme"]
    save_draft("agent", IUUID(document), {"subject": "Presque fini"})
    save_draft("agent", "gone", {"subject": "Sans document"})
    transaction.commit()
    text = page(site)
    assert f'href="{document.absolute_url()}/@@send-email"' in text
    assert "Presque fini" in text
    assert "Sans document" not in text
    assert counts(site)["drafts"] == 1
    assert [counts(site, user)["drafts"] for user in ("agent2", "chef")] == [0, 0]


def test_what_waits_for_a_manager(site):
    record = site.receive(citizen(), **{"X-Client-Address": "203.0.113.66"})
    assert record.state == "quarantined"
    assert f'href="{site.url}/@@mailbridge-inbox-message?id={record.id}"' in page(site, "chef")
    assert counts(site, "chef")["decide"] == 1
    assert "decide" not in counts(site)
    assert counts(site, "chef")["nobody"] == 0
    (uid,) = site.receive(redirected("À personne")).items
    assert counts(site, "chef")["nobody"] == 1
    (link,) = re.findall(
        r'href="([^"]*)"', page(site, "chef").partition('id="nobody"')[2].partition("<ul")[0]
    )
    listed = page(site, "chef", html.unescape(link).removeprefix(site.url))
    assert "À personne" in listed
    assert "Demande" not in listed.partition("<tbody")[2]
    assert "nobody" not in counts(site)


def test_stopped_accounts(site, caught, send):
    assert "All accounts and mailboxes work." in shown(page(site, "chef"))
    caught.answers["mail"] = "550 5.7.30 Basic authentication is not supported for Client Submission."
    send()
    accounts = f'href="{site.url}/@@mailbridge-accounts"'
    section = {
        user: page(site, user).partition('id="stopped"')[2].partition("</section>")[0]
        for user in ("chef", "admin", "agent")
    }
    assert [accounts in section["chef"], accounts in section["admin"], section["agent"]] == [False, True, ""]
    for user in ("chef", "admin"):
        assert "default" in section[user]
        assert counts(site, user)["stopped"] == 1


def test_figures(site, caught, send):
    ram.global_cache.invalidate(f"{figures.__name__}._by_transfer:{figures.__name__}")
    site.receive(redirected())
    caught.answers["rcpt:bad@citizen.test"] = "550 5.1.1 no such user"
    send("bad@citizen.test")
    text = shown(page(site, "chef", "/@@mailbridge-figures"))
    assert re.search(r"redirected by a mailbox 1 1 ", text)
    assert "does not exist" in text
    assert text.count("Recipients not reached") == 1


def test_log_in_leads_to_it(site):
    home, document = f"{site.url}/", f"{site.url}/outgoing-mail"
    after = AfterLogin(site.portal, None)
    assert [after(home), after(None), after(site.url, True)] == [f"{site.url}/@@my-mail"] * 3
    assert after(document) == document
    with api.env.adopt_roles(["Manager"]):
        api.content.rename(site.portal["incoming-mail"], "other")
    assert after(home) == home


def test_everybody_has_the_entry(site):
    assert f'href="{site.url}/@@my-mail"' in page(site, "agent", "/contacts")
    assert "@@my-mail" not in site.get("", None, headers=HTML).text
