"""The page ``@@mailbridge-templates`` for managers of mail: templates and text blocks of e-mails, listed and deleted."""

from imio.mailbridge.browser.button_page import ButtonPage
from imio.mailbridge.browser.message_summary import user_name
from imio.mailbridge.i18n import _
from imio.mailbridge.outbox import mail_templates
from imio.mailbridge.settings.clock import readable_time
from zope.component import getUtility
from zope.schema.interfaces import IVocabularyFactory


KINDS = {mail_templates.TEMPLATE: _("Template"), mail_templates.BLOCK: _("Text block")}


class MailTemplatesView(ButtonPage):
    """A table of the texts; ``remove`` names the one about which the page asks before it is deleted."""

    buttons = {"delete": "_delete"}

    @property
    def url(self):
        """Return the address of this page."""
        return f"{self.context.absolute_url()}/@@mailbridge-templates"

    @property
    def edit_url(self):
        """Return the address of the form."""
        return f"{self.context.absolute_url()}/@@mailbridge-template-edit"

    def rows(self):
        """Return what the table shows."""
        services = getUtility(IVocabularyFactory, "imio.mailbridge.services")(self.context)
        titles = {term.value: term.title for term in services}
        return [
            {
                "id": each.id,
                "name": each.name,
                "kind": KINDS[each.kind],
                "service": titles.get(each.service, "…") if each.service else "",
                "subject": each.subject,
                "changed": readable_time(each.changed_at),
                "by": user_name(each.changed_by),
            }
            for each in mail_templates.mail_templates()
        ]

    def asked(self):
        """Return the text whose deletion is asked about, or None."""
        return mail_templates.mail_template(self.entered("remove"))

    def _delete(self):
        if mail_templates.delete(self.entered("delete")):
            self._say(_("The text has been deleted. E-mails that were written with it stay as they are."))
        else:
            self._say(_("Somebody else has already deleted this text."), "warning")
