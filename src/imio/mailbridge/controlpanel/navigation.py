"""The pages of the control panel of the bridge, and the links between them."""

from imio.mailbridge.i18n import _
from imio.mailbridge.settings.clock import readable_time
from imio.mailbridge.settings.read import stored_settings
from plone import api
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile


#: What the groups are called → their pages, in the order of the links.
PAGES = {
    _("Set-up"): (
        ("mailbridge-setup", _("Set up mail")),
        ("mailbridge-controlpanel", _("Settings")),
        ("mailbridge-sheet", _("Set-up sheet")),
        ("mailbridge-history", _("Changes")),
    ),
    _("Outgoing"): (
        ("mailbridge-accounts", _("SMTP accounts")),
        ("mailbridge-send-as", _("Send as")),
    ),
    _("Incoming"): (
        ("mailbridge-addresses", _("Addresses")),
        ("mailbridge-mailboxes", _("Mailboxes")),
        ("mailbridge-tokens", _("Mail hosts")),
        ("mailbridge-rules", _("Rules")),
    ),
    _("Checks"): (
        ("mailbridge-diagnosis", _("Diagnosis")),
        ("mailbridge-forwarding", _("Forwarding")),
        ("mailbridge-dry-run", _("Dry run")),
    ),
}


class Navigation:
    """Mixin of the pages; ``page_name`` is the link that is marked as current."""

    page_name = ""
    time = staticmethod(readable_time)
    navigation = ViewPageTemplateFile("templates/navigation.pt")

    def page_groups(self):
        """Return the groups, with a link for each page."""
        return [
            {
                "title": title,
                "pages": [
                    {"url": self.page_url(name), "title": page, "current": name == self.page_name}
                    for name, page in pages
                ],
            }
            for title, pages in PAGES.items()
        ]

    def proposes_setup(self):
        """Tell whether this is the page of the settings, and mail cannot be sent yet."""
        return self.page_name == "mailbridge-controlpanel" and not stored_settings().smtp_host

    def page_url(self, name):
        """Return the address of a page of the site."""
        return f"{api.portal.get().absolute_url()}/@@{name}"

    @property
    def url(self):
        """Return the address of this page."""
        return self.page_url(self.page_name)
