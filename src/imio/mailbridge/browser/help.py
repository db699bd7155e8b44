"""Says where the guides tell about each page of ours, and puts a "?" with that link on it.

The "?" stands at one place on all pages, above the title. It opens a tab of its own, one for all: who asks is filling in a form.
"""

from imio.mailbridge.browser.guide import guide_url
from plone import api
from plone.app.layout.viewlets.common import ViewletBase


AGENT, MANAGER, ADMIN = "fr/agent", "fr/gestionnaire", "fr/administrateur"
WRITING = (AGENT, "ecrire-depuis-un-document")
READING = (AGENT, "lire-un-e-mail-et-ses-pieces-jointes")
FINDING = (AGENT, "retrouver-un-e-mail")
BECOME = (AGENT, "quest-devenu-mon-e-mail")
CONTACTS = (AGENT, "lexpediteur-nest-pas-dans-les-contacts")
FILING = (MANAGER, "classer")
RULES = (MANAGER, "regles")
TEMPLATES = ("fr/templates", "les-tenir-a-jour-gestionnaires-du-courrier")
SECOND = (ADMIN, "ajouter-un-deuxieme-compte-smtp")
MAILBOXES = (ADMIN, "lire-la-boite-du-compte")

#: Page → guide and section.
PAGES = {
    "mailbridge-account-add": SECOND,
    "mailbridge-account-delete": SECOND,
    "mailbridge-account-edit": (ADMIN, "changer-un-mot-de-passe"),
    "mailbridge-accounts": (ADMIN, "un-compte-est-a-larret"),
    "mailbridge-address-add": (ADMIN, "donner-une-adresse-secrete-a-une-boite"),
    "mailbridge-address-delete": (ADMIN, "donner-une-adresse-secrete-a-une-boite"),
    "mailbridge-address-edit": (ADMIN, "donner-une-adresse-secrete-a-une-boite"),
    "mailbridge-addresses": (ADMIN, "donner-une-adresse-secrete-a-une-boite"),
    "mailbridge-controlpanel": (ADMIN, "connecter-la-messagerie"),
    "mailbridge-create-contact": CONTACTS,
    "mailbridge-diagnosis": (ADMIN, "spf-dkim-et-dmarc"),
    "mailbridge-dry-run": RULES,
    "mailbridge-expert-rule": (ADMIN, "dire-quel-service-traite-le-courrier"),
    "mailbridge-figures": (MANAGER, "chiffres"),
    "mailbridge-forwarding": (ADMIN, "controler-quune-boite-transfere-bien"),
    "mailbridge-hand-in": (AGENT, "mettre-dans-ia-docs-un-e-mail-recu-dans-ma-messagerie"),
    "mailbridge-history": (ADMIN, "revenir-sur-un-changement"),
    "mailbridge-import": (ADMIN, "reprendre-les-parametres-dun-ancien-ia-docs"),
    "mailbridge-inbox": (MANAGER, "decider"),
    "mailbridge-inbox-contact": CONTACTS,
    "mailbridge-inbox-message": FILING,
    "mailbridge-inbox-rule": RULES,
    "mailbridge-mail-list": FINDING,
    "mailbridge-mailbox-add": MAILBOXES,
    "mailbridge-mailbox-delete": MAILBOXES,
    "mailbridge-mailbox-edit": MAILBOXES,
    "mailbridge-mailboxes": MAILBOXES,
    "mailbridge-new-contact": CONTACTS,
    "mailbridge-other-fields": READING,
    "mailbridge-outbox": (MANAGER, "boite-denvoi"),
    "mailbridge-outbox-message": (MANAGER, "boite-denvoi"),
    "mailbridge-proof": READING,
    "mailbridge-reply": (AGENT, "repondre-repondre-a-tous-transferer"),
    "mailbridge-returned": (MANAGER, "avis-derreur"),
    "mailbridge-rule": RULES,
    "mailbridge-rules": RULES,
    "mailbridge-send-as": (ADMIN, "choisir-lexpediteur"),
    "mailbridge-sent-message": BECOME,
    "mailbridge-setup": (ADMIN, "connecter-la-messagerie"),
    "mailbridge-sheet": (ADMIN, "remplir-la-fiche-de-configuration"),
    "mailbridge-source-add": (ADMIN, "donner-une-adresse-secrete-a-une-boite"),
    "mailbridge-source-delete": (ADMIN, "donner-une-adresse-secrete-a-une-boite"),
    "mailbridge-source-edit": (ADMIN, "donner-une-adresse-secrete-a-une-boite"),
    "mailbridge-state": (ADMIN, "regler-letat-a-larrivee"),
    "mailbridge-template-edit": TEMPLATES,
    "mailbridge-templates": TEMPLATES,
    "mailbridge-tokens": (ADMIN, "relier-un-serveur-de-messagerie"),
    "my-emails": BECOME,
    "my-forwards": (AGENT, "mettre-dans-ia-docs-un-e-mail-recu-dans-ma-messagerie"),
    "my-mail": (AGENT, "que-dois-je-faire-aujourdhui"),
    "send-email": WRITING,
}
#: Type of content → what its own pages (to read, edit and add) are about.
TYPES = {
    "dmsincoming_email": READING,
    "dmsoutgoingmail": WRITING,
    "held_position": CONTACTS,
    "organization": CONTACTS,
    "person": CONTACTS,
}


def help_on(view, context):
    """Return guide and section on what is shown; None on a page that is not ours."""
    name = getattr(view, "__name__", "")
    if name in PAGES:
        return PAGES[name]
    added = getattr(getattr(view, "form_instance", None), "portal_type", None)
    return (
        TYPES.get(added or getattr(context, "portal_type", None))
        if added or name in ("view", "edit")
        else None
    )


class HelpViewlet(ViewletBase):
    """The "?"."""

    def url(self):
        """Return where it leads; None where there is nothing to say, and for who is not logged in."""
        found = help_on(self.view, self.context)
        return guide_url(*found) if found and not api.user.is_anonymous() else None
