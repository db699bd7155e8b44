"""The page ``@@mailbridge-sheet``: what iMio asks of a town's IT service, filled in from the settings, to print or as PDF."""

from functools import cached_property
from html import escape
from imio.mailbridge.browser.button_page import may
from imio.mailbridge.browser.button_page import SET_UP
from imio.mailbridge.controlpanel.navigation import Navigation
from imio.mailbridge.controlpanel.navigation import PAGES
from imio.mailbridge.controlpanel.sheet_missing import missing
from imio.mailbridge.controlpanel.sheet_parts import Parts
from imio.mailbridge.i18n import _
from imio.mailbridge.message.rendition import pdf
from imio.mailbridge.message.rendition.confined import ProgramFailed
from imio.mailbridge.message.rendition.confined import Unfinished
from imio.mailbridge.settings.clock import readable_time
from imio.mailbridge.settings.read import settings
from imio.mailbridge.store.store import now
from pathlib import Path
from plone import api
from Products.Five.browser import BrowserView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from tempfile import TemporaryFile
from urllib.parse import quote
from zope.i18n import translate
import imio.mailbridge.browser
import itertools
import logging


logger = logging.getLogger(__name__)


#: Seconds that somebody waits for the PDF.
LONGEST = 60
_STYLE = Path(imio.mailbridge.browser.__path__[0]) / "static/sheet.css"
NO_PDF = _("The PDF could not be made. Print the page instead.")


class SheetView(Navigation, BrowserView):
    """The sheet; ``?format=pdf`` is its PDF, ``?secret=1`` shows the secret addresses."""

    page_name = "mailbridge-sheet"
    content = ViewPageTemplateFile("templates/sheet_content.pt")

    def __call__(self):
        self.request.response.setHeader("Cache-Control", "private, no-store")
        if self.request.form.get("format") == "pdf" and self.has_pdf():
            return self._pdf()
        return self.index()

    def has_pdf(self):
        """Tell whether this server can make PDFs."""
        return pdf.is_available()

    @cached_property
    def settings(self):
        """The settings, read once for the page."""
        return settings()

    @property
    def shows_secrets(self):
        """Tell whether the secret addresses are wanted by somebody who may see them."""
        return self.request.form.get("secret") == "1" and may(SET_UP)

    @property
    def own_url(self):
        """Return the address of the sheet as it is shown."""
        return f"{self.url}?secret=1" if self.shows_secrets else self.url

    @property
    def pdf_url(self):
        """Return the address of its PDF."""
        return f"{self.url}?format=pdf" + ("&secret=1" if self.shows_secrets else "")

    # what the sheet holds

    def parts(self):
        """Return the parts of the sheet."""
        return Parts(self.settings, self.request, self.shows_secrets).all()

    def missing(self):
        """Return what is still missing, and who must do it."""
        return list(missing(self.settings))

    def title_of(self, page):
        """Return what the navigation calls a page."""
        return dict(itertools.chain.from_iterable(PAGES.values()))[page]

    def town(self):
        """Return the name of the site, with its description."""
        site = api.portal.get()
        return " – ".join(filter(None, (site.Title(), site.Description())))

    def today(self):
        """Return the time at which the sheet is made."""
        return readable_time(now())

    # its PDF

    def _pdf(self):
        with TemporaryFile() as source, TemporaryFile() as target:
            source.write(self._document().encode("utf-8", "replace"))
            try:
                pdf.render(source, target, LONGEST)
            except (ProgramFailed, Unfinished) as error:
                logger.warning("no PDF of the set-up sheet: %s", error)
                api.portal.show_message(NO_PDF, self.request, "error")
                return self.request.response.redirect(self.own_url)
            target.seek(0)
            body = target.read()
        response = self.request.response
        response.setHeader("Content-Type", "application/pdf")
        response.setHeader("X-Content-Type-Options", "nosniff")
        name = translate(_("set-up-sheet"), context=self.request)
        response.setHeader("Content-Disposition", f"inline; filename*=UTF-8''{quote(name)}.pdf")
        return body

    def _document(self):
        title = escape(translate(_("Set-up sheet"), context=self.request))
        language = escape(api.portal.get_current_language())
        style = _STYLE.read_text("utf-8")
        return (
            f'<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>'
            f"<style>{style}</style></head><body>{self.content()}</body></html>"
        )
