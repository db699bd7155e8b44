"""Sends from a demo document by REST."""

DOCUMENT = "/outgoing-mail/permis-durbanisme"
GOOD = {
    "to": ["Jeanne Dupont <jeanne.dupont@citizen.test>"],
    "subject": "Votre permis",
    "body": "<p>Bonjour</p>",
}


def send(site, user="agent", path=DOCUMENT, **changes):
    return site.post(f"{path}/@send-email", user, json={**GOOD, **changes})
