"""The page ``@@mailbridge-guide``: the guides, read in the site. ``@@mailbridge-guide/fr/agent#brouillons`` is a section of one."""

from AccessControl import Unauthorized
from imio.mailbridge.browser import guide_text
from plone import api
from Products.Five.browser import BrowserView
from zExceptions import NotFound
from zope.interface import implementer
from zope.publisher.interfaces import IPublishTraverse


INDEX = "index"


def guide_url(name, section=""):
    """Return where a guide, or a section of it, is read in this site."""
    path = f"/{name}" if name else ""
    return f"{api.portal.get().absolute_url()}/@@mailbridge-guide{path}{section and '#'}{section}"


@implementer(IPublishTraverse)
class GuidePage(BrowserView):
    """One guide; without a name, the list of all."""

    path = ()

    def publishTraverse(self, _request, name):  # noqa: N802 - of Zope
        """Take a part of the name of a guide."""
        self.path = (*self.path, name)
        return self

    def __call__(self):
        if api.user.is_anonymous():
            raise Unauthorized("Log in to read the guides.")
        self.name = "/".join(self.path) or INDEX
        if self.name not in guide_text.NAMES:
            raise NotFound(self.name)
        self.guide = guide_text.guide(self.name)
        return self.index()

    @property
    def label(self):
        """Return the title."""
        return self.guide.title

    def language(self):
        """Return the language of the guide; None for the list, which has all."""
        language, found, _rest = self.name.partition("/")
        return language if found else None

    def is_not_translated(self):
        """Tell whether the reader's language is another one, and has no such guide."""
        spoken, (_language, found, rest) = api.portal.get_current_language()[:2], self.name.partition("/")
        return bool(found) and spoken != self.language() and f"{spoken}/{rest}" not in guide_text.NAMES

    def html(self):
        """Return the text, with links into this site."""
        resources = f"{api.portal.get().absolute_url()}/++resource++imio.mailbridge.guides"
        text = self.guide.html.replace(f'"{guide_text.GUIDES}', f'"{guide_url("")}')
        return text.replace(f'"{guide_text.IMAGES}', f'"{resources}')

    def all_url(self):
        """Return where the list of all guides is; None on the list."""
        return guide_url("") if self.name != INDEX else None
