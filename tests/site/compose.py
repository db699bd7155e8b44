"""The compose page as a person without scripts fills it in."""

from imio.mailbridge.outbox.sender import identities
from imio.mailbridge.settings.read import settings
import html
import re


HTML = {"Accept": "text/html", "Accept-Language": "en"}
COMPOSE = "/outgoing-mail/permis-durbanisme/@@send-email"
JEANNE = "jeanne.dupont@citizen.test"


def token(page):
    """Return the token that a page of the user holds."""
    return re.search(r'name="_authenticator"[^>]*value="(\w+)"', page)[1]


def press(site, button="send", value="x", user="agent", path=COMPOSE, **fields):
    """Press a button of the form with these fields; return the answer."""
    form = {
        "form.widgets.sender:list": identities("agent", settings())[0].uid,
        "form.widgets.to": JEANNE,
        "form.widgets.cc": "",
        "form.widgets.bcc": "",
        "form.widgets.subject": "Votre permis",
        "form.widgets.body": "<p>Bonjour</p>",
        "form.widgets.attachments-empty-marker": "1",
        "form.widgets.send_at": "",
    }
    form |= {f"form.widgets.{name}": text for name, text in fields.items() if "." not in name}
    form |= {name: text for name, text in fields.items() if "." in name}
    form[button if "." in button else f"form.buttons.{button}"] = value
    form["_authenticator"] = token(site.get(path, user, headers=HTML).text)
    return site.post(path, user, data=form, headers=HTML)


def shown(page):
    """Return the text of a page in one line, without marks."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def value(page, name):
    """Return what stands in a field of the form."""
    found = re.search(rf'<input[^>]*name="form\.widgets\.{name}"[^>]*>', page)[0]
    entered = re.search(r'value="([^"]*)"', found)
    return html.unescape(entered[1]) if entered else ""


def ticked(page):
    """Return how many attachments are chosen."""
    checked = re.findall(r'<input[^>]*checked="checked"[^>]*>', page)
    return len([each for each in checked if "form.widgets.attachments" in each])
