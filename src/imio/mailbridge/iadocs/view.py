"""The page of a document or contact: its fields, and the content below them."""

from plone.dexterity.browser.view import DefaultView


class ContainerView(DefaultView):
    """The fields as in any Dexterity view, and a list of the content."""

    def content(self):
        """Return the listing of what the current user may see, in the order of the folder."""
        return self.context.restrictedTraverse("@@contentlisting")()
