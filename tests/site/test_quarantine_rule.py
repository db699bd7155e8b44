"""What the form that makes a rule of a message writes into the routing, and who may use it."""

from imio.mailbridge.settings.read import stored_settings
from plone.uuid.interfaces import IUUID
from tests.mails import citizen
from tests.mails import redirected
from tests.site.panel import fields
from tests.site.panel import HTML
from tests.site.quarantine import item
from tests.site.quarantine import said
from tests.site.quarantine import STRANGER
import pytest
import re
import transaction


def form(site, record, user="admin"):
    return site.get(f"/@@mailbridge-inbox-rule?id={record.id}", user, headers=HTML)


def save(site, record, button="save", user="admin", token=True, **changes):
    """Press a button of the form after changing fields."""
    answer = form(site, record, user)
    data = fields(answer.text) if answer.status_code == 200 else {}
    for name, value in changes.items():
        data[next((key for key in data if key.split(":")[0] == f"form.widgets.{name}"), name)] = value
    if not token:
        data.pop("_authenticator", None)
    data[f"form.buttons.{button}"] = "x"
    return site.post(f"/@@mailbridge-inbox-rule?id={record.id}", user, data=data, headers=HTML)


def selected(text, value):
    """Tell whether an option is the chosen one."""
    (option,) = re.findall(rf'<option[^>]*value="{value}"[^>]*>', text)
    return "selected" in option


@pytest.fixture
def service(site):
    return IUUID(site.portal["contacts"]["plonegroup-organization"]["urbanisme"])


def test_rule_for_the_author_of_direct_mail(site, service):
    record = site.receive(citizen(To="in@bridge.test").as_bytes())
    assert record.reason == "direct"
    text = form(site, record).text
    assert "jeanne.dupont@citizen.test" in text
    assert "also files what others write in that name" in text
    values = {"forward": "direct", "tg_value": service, "place": "last"}
    answer = save(site, record, **values)
    assert answer.headers["Location"].endswith(f"@@mailbridge-inbox-message?id={record.id}")
    (row,) = stored_settings().iemail_routing
    assert (row["forward"], row["original_email_pat"], row["recipient_pat"]) == (
        "direct",
        r"jeanne\.dupont@citizen\.test",
        None,
    )
    assert record.state == "quarantined", "a rule alone changes nothing that is here"
    assert save(site, record, "replay", **{**values, "place": "first"}).status_code == 302
    assert item(record).treating_groups == service


def test_form_is_filled_in_with_how_the_message_came(site):
    record = site.receive(citizen(To="in@bridge.test").as_bytes())
    assert selected(form(site, record).text, "direct")
    record = site.receive(redirected(), **STRANGER)
    assert selected(form(site, record).text, "server")


def test_rule_for_a_domain_and_one_address(site, service):
    record = site.receive(citizen(To="in@bridge.test").as_bytes())
    save(
        site,
        record,
        sender="Citizen.test",
        forward="direct",
        recipient="in@bridge.test",
        tg_value=service,
        place="last",
    )
    (row,) = stored_settings().iemail_routing
    assert (row["original_email_pat"], row["recipient_pat"]) == (r"[^@]+@citizen\.test", r"in@bridge\.test")
    assert re.fullmatch(row["original_email_pat"], "x@citizen.test")
    for other in ("x@citizenXtest", "x@evil.test@citizen.test", "x@sub.citizen.test"):
        assert not re.fullmatch(row["original_email_pat"], other)


def test_row_that_decides_today_is_named(site, service):
    record = site.receive(redirected(), **STRANGER)
    save(site, record, forward="server", tg_value=service, place="last")
    text = form(site, record).text
    assert "Rule 1 decides it now" in text
    assert selected(text, "first")
    save(
        site,
        record,
        sender="@citizen.test",
        forward="server",
        tg_value="_empty_",
        place="first",
    )
    assert stored_settings().iemail_routing[0]["original_email_pat"].startswith("[^@]")


def test_hostile_author_is_only_text_in_the_pattern(site):
    record = site.receive(citizen(From="(a+)+$.*@citizen.test", To="in@bridge.test").as_bytes())
    if record.author:
        save(site, record, forward="direct", place="last")
    assert all("(a+)+" not in row["original_email_pat"] for row in stored_settings().iemail_routing or ())


def test_message_without_author_has_no_rule(site):
    record = site.receive(citizen(From=None, To="in@bridge.test").as_bytes())
    answer = form(site, record)
    assert answer.status_code == 302
    assert "no author" in said(site, answer)


def test_what_cannot_be_a_rule_is_said(site):
    record = site.receive(citizen(To="in@bridge.test").as_bytes())
    answer = save(site, record, sender="everybody", tg_value="0" * 32, user_value="x")
    assert answer.status_code == 200
    assert not stored_settings().iemail_routing


def test_sentence_with_subject_and_mailbox_is_tried_and_saved_by_a_manager_of_mail(site, service):
    for subject in ("Permis (1)", "PERMIS (1) bis", "Permis 1"):
        site.receive(redirected(subject))
    direct = site.receive(citizen("Permis (1) direct", To="in@bridge.test").as_bytes())
    record = site.receive(redirected("Permis (1) ter"))
    sentence = {"subject": "permis (1)", "sender": "", "forward": "server", "place": "last"}
    sentence |= {"tg_value": service, "user_value": "_empty_", "mailbox": "info@maville.test"}
    answer = save(site, record, "try", user="chef", **sentence)
    found = answer.text[answer.text.index("mailbridge-trial") :]
    assert ">5</strong>" in found
    assert ">3</strong>" in found
    assert "PERMIS (1) bis" in found
    assert "Permis 1<" not in found
    assert "would be filed" not in found
    assert not stored_settings().iemail_routing, "a trial saves nothing"
    answer = save(
        site, direct, "try", user="chef", **{**sentence, "forward": "direct", "mailbox": "--NOVALUE--"}
    )
    assert "would be filed" in answer.text
    assert save(site, record, user="chef", **sentence).status_code == 302
    (row,) = stored_settings().iemail_routing
    assert (row["subject_pat"], row["original_email_pat"]) == (r"permis\ \(1\)", None)
    assert item(site.receive(redirected("Encore un permis (1)"))).treating_groups == service
    other = "Autre permis (1)", {"Resent-From": None, "To": "in@bridge.test"}
    assert site.receive(redirected(other[0], **other[1])).state == "quarantined"


def test_rule_without_any_condition_is_refused(site, service):
    record = site.receive(redirected())
    values = {"subject": " ", "sender": " ", "forward": "direct", "tg_value": service}
    assert "apply to everyone's mail" in save(site, record, **values).text
    assert not stored_settings().iemail_routing


def test_rule_needs_a_token_and_a_manager_of_mail(site):
    record = site.receive(citizen(To="in@bridge.test").as_bytes())
    values = {"sender": "jeanne.dupont@citizen.test", "place": "last"}
    for user in ("agent", "gateway", None):
        assert form(site, record, user).status_code in (302, 401), user
        save(site, record, user=user, **values)
    save(site, record, token=False, **values)
    transaction.begin()
    assert not stored_settings().iemail_routing
    for id in ("", "0" * 64):
        assert site.get(f"/@@mailbridge-inbox-rule?id={id}", "admin", headers=HTML).status_code == 404
    assert site.get("/@@mailbridge-inbox-rule?id=a&id=b", "admin", headers=HTML).status_code == 404
