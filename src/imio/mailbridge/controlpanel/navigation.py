"""Which pages does the control panel of the bridge have? Links at the top of each."""

from imio.mailbridge.i18n import _
from imio.mailbridge.settings.clock import local_time
from plone import api
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile


PAGES = (
    ("mailbridge-controlpanel", _("Settings")),
    ("mailbridge-accounts", _("SMTP accounts")),
    ("mailbridge-send-as", _("Send as")),
    ("mailbridge-addresses", _("Secret addresses")),
    ("mailbridge-mailboxes", _("Mailboxes")),
    ("mailbridge-forwarding", _("Forwarding")),
    ("mailbridge-diagnosis", _("Diagnosis")),
    ("mailbridge-dry-run", _("Dry run")),
)


class Navigation:
    """Mixin of the pages; ``page_name`` is the one that is shown."""

    page_name = ""
    navigation = ViewPageTemplateFile("templates/navigation.pt")

    def pages(self):
        """Return what is shown of each page."""
        return [
            {"url": self.page_url(name), "title": title, "current": name == self.page_name}
            for name, title in PAGES
        ]

    def page_url(self, name):
        """Return the address of a page of the site."""
        return f"{api.portal.get().absolute_url()}/@@{name}"

    def time(self, moment):
        """Return an aware datetime in the time zone and notation of the site."""
        # Without its zone: Plone would turn an aware time into that of the server's own.
        return api.portal.get_localized_time(local_time(moment).replace(tzinfo=None), long_format=True)
