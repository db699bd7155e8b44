"""Leaves the line "by … — last modified …" away from an incoming mail: Plone would name who assigned it as its author."""

from imio.mailbridge.iadocs import names
from plone.app.layout.viewlets.content import DocumentBylineViewlet


class BylineViewlet(DocumentBylineViewlet):
    """Plone's line, on other documents."""

    def render(self):
        """Return nothing for an incoming mail; its page names its sender."""
        return "" if self.context.portal_type == names.INCOMING_EMAIL else super().render()
