"""Leaves the line "by … — last modified …" away where Plone would name an author who is none.

Who assigned an incoming mail did not write it; who made a folder of mail or of contacts says nothing about what is in it.
"""

from Acquisition import aq_base
from imio.mailbridge.iadocs import names
from plone.app.layout.viewlets.content import DocumentBylineViewlet


class BylineViewlet(DocumentBylineViewlet):
    """Plone's line, on other documents and folders."""

    def render(self):
        """Return nothing for an incoming mail (its page names its sender) and a folder of mail or contacts."""
        if self.context.portal_type in (names.INCOMING_EMAIL, names.DIRECTORY):
            return ""
        return "" if getattr(aq_base(self.context), "layout", None) == names.MAIL_LIST else super().render()
