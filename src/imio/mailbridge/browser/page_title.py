"""Names our pages in the title of the browser's window: of itself Plone names only the document, or the site."""

from html import escape
from imio.mailbridge.i18n import _
from imio.mailbridge.message.secret_address import masked
from plone.app.layout.viewlets.common import TitleViewlet
from zope.i18n import translate


#: Page → its name. Forms have theirs in ``label``.
NAMES = {
    "mailbridge-accounts": _("SMTP accounts"),
    "mailbridge-addresses": _("Addresses"),
    "mailbridge-diagnosis": _("Diagnosis"),
    "mailbridge-dry-run": _("Dry run"),
    "mailbridge-figures": _("Figures for the last 30 days"),
    "mailbridge-forwarding": _("Forwarding check"),
    "mailbridge-hand-in": _("Hand in mail"),
    "mailbridge-history": _("Changes to settings"),
    "mailbridge-inbox": _("Incoming e-mails"),
    "mailbridge-import": _("Old settings of iA.docs"),
    "mailbridge-mailboxes": _("Mailboxes read over IMAP"),
    "mailbridge-new-contact": _("New contact"),
    "mailbridge-other-fields": _("Other fields"),
    "mailbridge-outbox": _("Outbox"),
    "mailbridge-proof": _("Proof"),
    "mailbridge-returned": _("Addresses that keep bouncing"),
    "mailbridge-rules": _("Rules for incoming e-mails"),
    "mailbridge-send-as": _("Send as"),
    "mailbridge-setup": _("Set up mail"),
    "mailbridge-sheet": _("Set-up sheet"),
    "mailbridge-templates": _("Templates and text blocks"),
    "mailbridge-tokens": _("Mail hosts"),
    "my-emails": _("My e-mails"),
    "my-forwards": _("My forwards"),
    "my-mail": _("My mail"),
    "send-email": _("Send by e-mail"),
}
#: Page of one message → what stands after its subject.
OF_MESSAGE = {
    "mailbridge-inbox-message": NAMES["mailbridge-inbox"],
    "mailbridge-outbox-message": NAMES["mailbridge-outbox"],
    "mailbridge-sent-message": _("Message"),
}
#: Page that deletes a row → its name.
DELETING = {
    "mailbridge-account-delete": _("Delete the account ${name}"),
    "mailbridge-address-delete": _("Delete the mail-in address ${name}"),
    "mailbridge-mailbox-delete": _("Stop reading the mailbox ${name}"),
    "mailbridge-source-delete": _("Delete the source mailbox ${name}"),
}


def page_names(view):
    """Return what stands before Plone's own title, the most precise first; nothing where that title is right."""
    page = getattr(view, "__name__", "")
    if page in OF_MESSAGE:
        return (masked(view.record.subject), OF_MESSAGE[page])
    if page in DELETING:
        return (_(DELETING[page], mapping={"name": view.name}),)
    if page in NAMES:
        return (NAMES[page],)
    label = getattr(view, "label", "") if page.startswith("mailbridge-") else ""
    return (label() if callable(label) else label,)


class PageTitle(TitleViewlet):
    """The title: the page, the document, the site."""

    def update(self):
        """Put the names of the page before what Plone says."""
        super().update()
        names = [escape(translate(name, context=self.request)) for name in page_names(self.view) if name]
        self.site_title = self.sep.join([*names, self.site_title])
