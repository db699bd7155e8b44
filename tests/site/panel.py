"""The pages of the control panel as an admin without scripts fills them in."""

import html
import lxml.html
import re


HTML = {"Accept": "text/html", "Accept-Language": "en"}
ADMIN = "site-admin"
ACCOUNTS = "/@@mailbridge-accounts"
ADD = "/@@mailbridge-account-add"
EDIT = "/@@mailbridge-account-edit?account=cpas"
DELETE = "/@@mailbridge-account-delete?account=cpas"
SEND_AS = "/@@mailbridge-send-as"
SETTINGS = "/@@mailbridge-controlpanel"


def page(site, path, user="admin"):
    """Return the text of a page."""
    answer = site.get(path, user, headers=HTML)
    assert answer.status_code == 200, answer.text[:500]
    assert "error while rendering" not in answer.text, "of a viewlet"
    return html.unescape(answer.text)


def fields(text):
    """Return name → value of what a browser sends of the form in a page, without its buttons; many values are a list."""
    found = {}
    forms = lxml.html.fromstring(text).forms
    (form,) = [form for form in forms if any(name.startswith("form.widgets.") for name in form.fields)]
    for field in form.inputs:
        kind = field.get("type", field.tag)
        if kind in ("submit", "button") or (kind in ("checkbox", "radio") and not field.checked):
            continue
        found.setdefault(field.name, []).append((field.value or "").replace("\r\n", "\n"))
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}


def press(site, path, button, user="admin", **changes):
    """Open a form, change fields (names without their prefix) and press a button; return the answer."""
    form = fields(page(site, path, user))
    for name, value in changes.items():
        key = next((key for key in form if key.split(":")[0] == f"form.widgets.{name}"), None)
        assert key, f"no field {name}"
        form[key] = value
    return site.post(path, user, data={**form, f"form.buttons.{button}": "x"}, headers=HTML)


def act(site, path, user="admin", **form):
    """Press a button of a page, with the token that it holds; return the answer."""
    token = re.search(r'name="_authenticator"[^>]*value="(\w+)"', page(site, path, user))[1]
    return site.post(path, user, data={**form, "_authenticator": token}, headers=HTML)


def messages(site, answer, user="admin"):
    """Return the text of the page that an answer leads to, with the messages that its cookie holds."""
    return html.unescape(
        site.get(answer.headers["Location"], user, headers=HTML, cookies=answer.cookies).text
    )
