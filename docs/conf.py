"""Settings of Sphinx for ``make docs``. The pages are read by docutils alone too: GitHub, tests."""

from pathlib import Path
import re


project = "imio.mailbridge"
author = "iMio"
copyright = "iMio"  # noqa: A001 - Sphinx's name
release = re.search(r'version="([^"]+)"', (Path(__file__).parents[1] / "setup.py").read_text("utf-8"))[1]

exclude_patterns = ["_build"]
nitpicky = True
language = "en"
highlight_language = "none"  # most blocks are of configuration, or drawings
smartquotes = False  # the French pages have their own quotes, all pages have commands
html_theme = "alabaster"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_sidebars = {"**": ["about.html", "searchfield.html", "navigation.html"]}
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "description": "The mail bridge of iA.docs",
    "fixed_sidebar": True,
    "font_family": "system-ui, sans-serif",
    "head_font_family": "system-ui, sans-serif",
    "page_width": "1100px",
    "sidebar_width": "260px",
    "show_powered_by": False,
}

#: Where the pages in French are.
FRENCH = "guides/fr/"


def setup(app):
    """Let pages in French say that they are: screen readers and translating browsers ask for it."""

    def language_of(_app, pagename, _template, context, _doctree):
        if pagename.startswith(FRENCH):
            context["language"] = "fr"

    app.connect("html-page-context", language_of)
