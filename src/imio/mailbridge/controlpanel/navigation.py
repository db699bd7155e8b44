"""The pages of the control panel of the bridge, and the links between them."""

from imio.mailbridge.i18n import _
from imio.mailbridge.settings.clock import readable_time
from plone import api
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile


PAGES = (
    ("mailbridge-controlpanel", _("Settings")),
    ("mailbridge-accounts", _("SMTP accounts")),
    ("mailbridge-send-as", _("Send as")),
    ("mailbridge-addresses", _("Secret addresses")),
    ("mailbridge-mailboxes", _("Mailboxes")),
    ("mailbridge-tokens", _("Mail hosts")),
    ("mailbridge-forwarding", _("Forwarding")),
    ("mailbridge-diagnosis", _("Diagnosis")),
    ("mailbridge-rules", _("Rules")),
    ("mailbridge-dry-run", _("Dry run")),
    ("mailbridge-sheet", _("Set-up sheet")),
    ("mailbridge-history", _("Changes")),
)


class Navigation:
    """Mixin of the pages; ``page_name`` is the link that is marked as current."""

    page_name = ""
    time = staticmethod(readable_time)
    navigation = ViewPageTemplateFile("templates/navigation.pt")

    def pages(self):
        """Return a link for each page."""
        return [
            {"url": self.page_url(name), "title": title, "current": name == self.page_name}
            for name, title in PAGES
        ]

    def page_url(self, name):
        """Return the address of a page of the site."""
        return f"{api.portal.get().absolute_url()}/@@{name}"

    @property
    def url(self):
        """Return the address of this page."""
        return self.page_url(self.page_name)
