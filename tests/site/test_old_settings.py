"""The mail settings that iA.docs had before: what becomes of them is shown first, and only that is written."""

from imio.mailbridge.iadocs import names
from imio.mailbridge.settings.old_condition import CannotSay
from imio.mailbridge.settings.old_condition import condition
from imio.mailbridge.settings.old_export import MAX_BYTES
from imio.mailbridge.settings.old_signature import rewritten
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.routing import RoutingRow
from imio.mailbridge.settings.routing import StateRow
from imio.mailbridge.settings.signature import EXAMPLE
from imio.mailbridge.settings.signature import render
from pathlib import Path
from plone import api
from plone.uuid.interfaces import IUUID
from tests.site.panel import messages
from tests.site.panel import page
from tests.site.rows import EMPTY_ROW
import html
import json
import lxml.html
import pytest
import re
import transaction


URL = "/@@mailbridge-import"
EXPORTS = Path(__file__).resolve().parent.parent / "exports"
FRENCH = {"Accept": "text/html", "Accept-Language": "fr"}


@pytest.fixture
def french(site):
    """Return the site in French."""
    api.portal.set_registry_record("plone.available_languages", ["fr"])
    api.portal.set_registry_record("plone.default_language", "fr")
    transaction.commit()
    return site


NEW_SIGNATURE = (
    '<meta charset="UTF-8"> <tal:global define="label python: sender[\'function\']; services python: '
    "[''.join(sender['services'][:1]), ' - '.join(sender['services'][1:])];\"> <p><span "
    'style="font-size:large;font-family:Quicksand,Arial" tal:content="python:sender[\'name\']">Prénom Nom</span></p> '
    '<p><span tal:condition="label" tal:content="label">Fonction</span><br /> <span '
    'tal:content="python:services[0]">Département</span><br /> <span tal:condition="python:services[1]" '
    'tal:content="python:services[1]">Service</span><br /> <a href="mailto" tal:attributes="href '
    "python:'mailto:{}'.format(sender['address'])\" tal:content=\"python:sender['address']\">email</a><br /> <span "
    "tal:content=\"python: sender['phone']\">Téléphone</span><br /> <span tal:content=\"python:u'{}, "
    "{}'.format(sender['street'], sender['number'])\">Rue, numéro</span><br /> <span tal:content=\"python:u'{} "
    "{}'.format(sender['zip_code'], sender['city'])\">CP Localité</span></p> <p style=\"font-size: x-small\">Limite de "
    "responsabilité : les informations contenues dans ce message sont confidentielles.</p> </tal:global>"
)


def uid(site):
    return IUUID(site.portal[names.CONTACTS_FOLDER][names.OWN_ORGANIZATION]["urbanisme"])


def export(site, name):
    """Return the bytes of an export; a service of the old site has the uid that it has here."""
    return (EXPORTS / f"{name}.json").read_text("utf-8").replace("SERVICE-URBANISME", uid(site)).encode()


def preview(site, raw, user="admin", headers=FRENCH):
    """Upload an export; return the answer."""
    token = re.search(r'name="_authenticator"[^>]*value="(\w+)"', page(site, URL, user))[1]
    files = {"file": ("export.json", raw, "application/json")}
    data = {"_authenticator": token, "preview": "1"}
    answer = site.post(URL, user, data=data, files=files, headers=headers)
    assert answer.status_code == 200, answer.text[:500]
    return answer


def rows(answer):
    """Return old setting, old value and outcome of each row of the table, as read."""
    table = lxml.html.fromstring(answer.text).find_class("mailbridge-old-settings")
    return [
        tuple(" ".join(cell.text_content().split()) for cell in row)
        for row in (table[0].iterfind("tbody/tr") if table else ())
    ]


def take_over(site, answer, **changes):
    """Press the button below a preview; return the answer."""
    form = next(each for each in lxml.html.fromstring(answer.text).forms if "seen" in each.fields)
    data = {**dict(form.fields), "take_over": "1", **changes}
    return site.post(URL, "admin", data=data, headers=FRENCH)


def plain(text):
    """Return a text with each space as an ordinary one."""
    return " ".join(html.unescape(text).split())


def outcomes(answer):
    return [cells[2] for cells in rows(answer)]


def test_town_as_installed(french):
    site = french
    answer = preview(site, export(site, "maville"))
    assert outcomes(answer) == [
        "reste tel quel L’adresse du compte envoie, et les réponses vont à l’agent.",
        "reste tel quel L’adresse de l’agent est la première proposée quand un e-mail est écrit.",
        "est repris Copies cachées par défaut : l’adresse de l’agent. Aujourd’hui : Copies cachées par défaut rien",
        "reste tel quel Le document est marqué comme envoyé une fois l’e-mail parti.",
        "est repris Elle devient la signature de chaque nouvel e-mail. Par exemple : Al Bert Employé Administration générale "
        "al.bert@maville.be 081 12 34 56 Place Communale, 1 5000 Maville Limite de responsabilité : les informations contenues "
        f"dans ce message sont confidentielles. Le nouveau modèle {NEW_SIGNATURE} Elle est écrite avec les noms de la passerelle. "
        "Un numéro de téléphone apparaît tel qu’il a été encodé. Comparez l’exemple avec l’ancienne signature. Aujourd’hui : "
        "Signature rien",
        "ne peut pas être repris Sa condition regarde agent_id, modules, qu’une condition ne voit plus.",
        "est repris Si un agent a transféré l’e-mail, alors le service traitant est celui de la fonction de l’agent dont "
        "l’adresse a transféré, et l’agent traitant est celui qui a transféré l’e-mail. Lignes laissées de côté avant celle-ci : "
        "1. Elle peut maintenant décider de leurs e-mails.",
        "est repris Si un agent a transféré l’e-mail, alors le document passe à l’état « À traiter ».",
    ]
    assert settings().bcc_default == ()
    answer = take_over(site, answer)
    assert "Anciens paramètres et règles repris : 4" in plain(messages(site, answer))
    values = settings()
    assert values.bcc_default == ("agent_email",)
    assert values.iemail_routing == (RoutingRow(forward="agent", user_value="_transferer_", tg_value="_hp_"),)
    assert values.iemail_state_set == (StateRow(forward="agent", state_value="proposed_to_agent"),)
    assert " ".join(values.signature.split()) == NEW_SIGNATURE
    again = preview(site, export(site, "maville"))
    assert "Il n’y a rien à reprendre." in again.text
    assert not any(text.startswith("est repris") for text in outcomes(again))


def test_town_that_changed_much(french):
    site = french
    stored_settings().iemail_routing = [
        EMPTY_ROW | {"subject_pat": "bail", "tg_value": "_empty_", "user_value": "_empty_"}
    ]
    transaction.commit()
    answer = preview(site, export(site, "bourg-sur-sambre"))
    said = outcomes(answer)
    assert [text.startswith("est repris") for text in said] == [True] * 6 + [False] * 3 + [True] * 2 + [False]
    for text, expected in zip(
        said,
        (
            "L’adresse de l’agent envoie. Le serveur de messagerie doit l’autoriser. La page « Envoyer en tant que » l’essaie pour "
            "une adresse. Aujourd’hui : Adresse d’expédition L’adresse du compte (fonctionne avec tous les serveurs)",
            "Services qui en ont une : 2",
            "Copies cachées par défaut : l’adresse de l’agent et celle du service.",
            "Le document reste tel quel quand l’e-mail est parti.",
            "Elle devient la signature de chaque nouvel e-mail.",
            "Condition python: 'permis' in subject.lower() alors le service traitant est Urbanisme, et l’agent traitant est Al",
            "Il n’y a pas d’agent « jmartin » dans ce site.",
            "Il n’y a pas de service avec l’UID 5f0c2a3e9d7b4c1fa6e8b0d1c2f3a4b5 dans ce site.",
            "Sa condition regarde member, qu’une condition ne voit plus.",
            "Lignes laissées de côté avant celle-ci : 2, 3, 4.",
            "le document passe à l’état « À valider par le responsable ».",
            "L’état dépendait des niveaux de validation du service",
        ),
        strict=True,
    ):
        assert expected in text
    assert (
        "Les règles que le site a déjà restent telles quelles et décident en premier. Leur nombre : 1"
        in plain(answer.text)
    )
    take_over(site, answer)
    values = settings()
    assert values.default_account.sender_policy == "send_as"
    assert values.service_senders
    assert not values.close_on_send
    assert values.signature.startswith("<p>Commune de Bourg-sur-Sambre")
    assert values.iemail_routing == (
        RoutingRow(subject_pat="bail", tg_value="_empty_", user_value="_empty_"),
        RoutingRow(
            forward="agent",
            original_email_pat="noreply@.*",
            tal_condition_1="python: 'permis' in subject.lower()",
            user_value="agent",
            tg_value=uid(site),
        ),
        RoutingRow(
            forward="server",
            original_email_pat=r"(?:(jean|marie)\.dupont@).*",
            user_value="_empty_",
            tg_value="_empty_",
        ),
    )


def test_town_with_faults(french):
    site = french
    answer = preview(site, export(site, "val-du-lac"))
    for text, expected in zip(
        outcomes(answer),
        (
            "ne peut pas être repris Ce n’est pas une valeur que ce paramètre avait.",
            "ne peut pas être repris Ce n’est ni oui ni non.",
            "ne peut pas être repris Le modèle ne peut pas être lu : 'nom'",
            "est repris Si un agent a transféré l’e-mail, et si ces conditions sont remplies : Transmis par chef@maville.test "
            "alors le service traitant est celui de l’agent, s’il n’en a qu’un",
            "ne peut pas être repris Ceci n’est pas une expression régulière : missing )",
            "ne peut pas être repris Elle ne dit pas si un agent ou le serveur a transféré l’e-mail.",
            "est repris Si un agent a transféré l’e-mail, alors le document passe à l’état « À valider par le responsable ».",
        ),
        strict=True,
    ):
        assert text.startswith(expected)
    assert take_over(site, answer).status_code == 302
    values = settings()
    assert [row.transfer_email_pat for row in values.iemail_routing] == ["chef@maville.test"]
    assert [row.state_value for row in values.iemail_state_set] == ["proposed_to_manager"]
    assert values.close_on_send
    assert not values.signature


def test_settings_that_changed_are_shown_again(site):
    answer = preview(site, export(site, "maville"))
    stored_settings().iemail_routing = [EMPTY_ROW | {"tg_value": "_empty_", "user_value": "agent"}]
    transaction.commit()
    again = take_over(site, answer)
    assert again.status_code == 200
    assert settings().bcc_default == ()
    assert len(settings().iemail_routing) == 1
    assert take_over(site, again).status_code == 302
    assert len(settings().iemail_routing) == 2


def test_what_was_not_seen_is_not_written(site):
    answer = preview(site, export(site, "maville"))
    changed = json.dumps({"omail_close_on_email_send": False})
    assert take_over(site, answer, records=changed).status_code == 200
    assert settings().close_on_send


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "Choose the file"),
        (b"<registry/>", "This is not JSON: it cannot be read from line 1, column 1."),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"omail_close_on_email_send": ' + b"[" * 300 + b"]" * 300 + b"}", "nested too deeply"),
        (b" " * (MAX_BYTES + 1), "The file is too large"),
        (b'{"omail_close_on_email_send": ' + b"9" * 5000 + b"}", "numbers that no setting has"),
        (b'{"omail_close_on_email_send": NaN}', "numbers that no setting has"),
        (b'{"omail_email_signature": "\\ud800"}', "characters that cannot be read"),
        ("é".encode("latin-1"), "characters that cannot be read"),
        (b'{"plone.smtp_host": "x"}', "none of the mail settings"),
        (b'"omail_email_signature"', "not an export of the registry"),
        (b'{"items": [{"name": 1}]}', "not an export of the registry"),
        (b'{"items": [{"name": "x", "value": 1}], "items_total": 900}', "1 of 900 records"),
        (b'{"a.omail_close_on_email_send": true, "omail_close_on_email_send": false}', "is in it twice"),
        (b'{"omail_email_signature": "' + b"x" * 400_000 + b'"}', "too large to be those"),
    ],
)
def test_hostile_or_broken_export_gets_a_sentence(site, raw, says):
    answer = preview(site, raw, headers={"Accept": "text/html", "Accept-Language": "en"})
    text = html.unescape(answer.text)
    assert says in text
    assert not rows(answer)


@pytest.mark.parametrize("value", [1, [], {}, [1], [[]], [{"forward": []}], [{}], " \0", None, {"a": [{}]}])
def test_any_value_of_any_record(site, value):
    wanted = json.dumps(
        dict.fromkeys(
            (
                "omail_close_on_email_send",
                "iemail_routing",
                "iemail_state_set",
                "omail_email_signature",
                "omail_bcc_email_default",
                "omail_sender_email_default",
                "omail_replyto_email_send",
                "iemail_manual_forward_transition",
            ),
            value,
        )
    ).encode()
    before = settings()
    answer = preview(site, wanted)
    assert len(rows(answer)) == 8
    if "seen" in answer.text and "take_over" in answer.text:
        take_over(site, answer)
    after = settings()
    assert after.iemail_routing == before.iemail_routing
    assert after.signature == before.signature


@pytest.mark.parametrize("user", ["agent", "chef", None])
def test_only_admins(site, user):
    assert site.get(URL, user, headers=FRENCH).status_code in (302, 401, 403)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("python: 'permis' in maildata['Subject'].lower()", "python: 'permis' in subject.lower()"),
        ("python:maildata.get('From')[0][1] == 'a@b.be'", None),
        ("python:maildata['From'][0][1] == 'a@b.be'", "python: author == 'a@b.be'"),
        ("python:maildata['Origin'] == 'Agent forward'", "python: forward == 'agent'"),
        (
            "python:any(word in subject for word in ('a', 'b'))",
            "python: any(word in subject for word in ('a', 'b'))",
        ),
        ("not:subject", "not:subject"),
        ("python:agent_id", None),
        ("python:modules['os'].system('id')", None),
        ("python:(lambda member: member)(context)", None),
        ("context/portal_url", None),
        ("string:x", None),
        ("python: 1 +", None),
        ("python: " + "(" * 900, None),
        ("python: " + "x" * 2000, None),
    ],
)
def test_condition(old, new):
    if new is None:
        with pytest.raises(CannotSay):
            condition(old)
    else:
        assert condition(old) == new


@pytest.mark.parametrize(
    ("old", "left"),
    [
        ("<p>Maville</p>", []),
        ("""<p tal:content="sender/name">x</p>""", []),
        ("""<p tal:content="python: sender['hp'].label">x</p>""", []),
        ("""<p tal:define="d python: dghv.get_ctct_det( sender['hp'] )" tal:content="python: d['phone']">x</p>""", []),
        ("""<p tal:content="python: dghv.get_ctct_det(sender['hp'])['address']['city']">x</p>""", []),
        ("""<p tal:content="sender/hp/label">x</p>""", ["sender/hp"]),
        ("""<p tal:content="python: sender.get('hp').label">x</p>""", ["sender.get('hp').label"]),
        ("""<p tal:content='python: sender["hp"].label'>x</p>""", ["sender[\"hp\"].label"]),
        ("""<p tal:content="python: sender['person'].photo">x</p>""", ["sender['person'].photo"]),
        ("""<p tal:content="python: sender['hp'].label_of_others">x</p>""", ["sender['hp'].label_of_others"]),
        ("""<p tal:content="python: modules['os']">x</p>""", ["modules"]),
        (
            """<p tal:define="d python: dghv.get_ctct_det(sender['hp'])" tal:content="python: d['fax'] + d['phone']">x</p>""",
            ["d['fax']", "dghv.get_ctct_det", "sender['hp']"],
        ),
        (
            """<p tal:content="python: dghv.display_phone(phone=sender['hp'].phone, check=False, pattern='.')">x</p>""",
            ["dghv.display_phone"],
        ),
    ],
)  # fmt: skip
def test_a_signature_is_rewritten_whole_or_not_at_all(old, left):
    template, names_left = rewritten(old)
    assert names_left == left
    if not left:
        assert render(template, EXAMPLE)


def test_what_has_no_counterpart_is_named(french):
    template = """<p tal:content="python: dghv.fmt(sender['person'].photo) + sender['hp'].label">x</p>"""
    answer = preview(french, json.dumps({"omail_email_signature": template}).encode())
    (said,) = outcomes(answer)
    assert "Elle utilise dghv.fmt, sender['person'].photo de l’ancien iA.docs." in said
    assert "Exemple" not in said


def test_a_signature_that_fails_otherwise_is_refused(french):
    template = """<p tal:content="python: sender['hp'].label + context.title">x</p>"""
    (said,) = outcomes(preview(french, json.dumps({"omail_email_signature": template}).encode()))
    assert said.startswith("ne peut pas être repris")
