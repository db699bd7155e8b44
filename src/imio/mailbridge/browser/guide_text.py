"""Turns the guides in ``guides`` of this package into HTML: what ``make docs`` builds for the web is read in the site, offline."""

from docutils import nodes
from docutils.core import publish_parts
from docutils.parsers.rst.roles import register_generic_role
from docutils.parsers.rst.roles import register_local_role
from docutils.writers import html5_polyglot
from functools import cache
from pathlib import Path
from typing import NamedTuple
import posixpath
import re


FOLDER = Path(__file__).parent.parent / "guides"
#: Names of the guides, which are paths: ``fr/agent``.
NAMES = frozenset(path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("*.rst"))
#: In the HTML stands for where the guides and where their pictures are.
GUIDES, IMAGES = "guides:", "images:"
SETTINGS = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "embed_stylesheet": False,
    "initial_header_level": 2,
    "section_self_link": False,
    "smart_quotes": False,
    "syntax_highlight": "none",
    "table_style": "table",
}
#: Report each doubtful markup to nobody: tests halt at it.
QUIET = {"report_level": 5, "halt_level": 5}


class Guide(NamedTuple):
    """A guide: ``title`` as text, the rest as HTML without its title."""

    title: str
    html: str


def title_of(name):
    """Return the title of a guide: its first line."""
    with (FOLDER / f"{name}.rst").open(encoding="utf-8") as file:
        return file.readline().strip()


def section_id(title):
    """Return the anchor of the section with this title."""
    return nodes.make_id(title)


def target_of(name, link):
    """Return the guide that ``:doc:`` in the guide ``name`` leads to; None where it is not shipped."""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(name), link))
    return target if target in NAMES else None


def _doc(_role, rawtext, text, _line, inliner, options=None, content=None):
    found = re.fullmatch(r"(?s)(.+?)\s*<(.+)>", text)
    words, link = found.groups() if found else ("", text)
    target = target_of(inliner.document.settings.guide_name, link)
    words = words or (title_of(target) if target else link)
    node = (
        nodes.reference(rawtext, words, refuri=f"{GUIDES}/{target}") if target else nodes.emphasis("", words)
    )
    return [node], []


def _menuselection(_role, rawtext, text, _line, _inliner, options=None, content=None):
    return [nodes.strong(rawtext, text.replace("-->", "›"))], []


# roles of Sphinx, which docutils lacks
register_generic_role("guilabel", nodes.strong)
register_local_role("menuselection", _menuselection)
register_local_role("doc", _doc)


class Translator(html5_polyglot.HTMLTranslator):
    """HTML with the classes of Plone's theme; a drawing that is too wide is scrolled by itself, and by keys."""

    def visit_image(self, node):
        """Take the picture from the resources of the package."""
        node["uri"] = f"{IMAGES}/{posixpath.basename(node['uri'])}"
        node["classes"] += ["img-fluid", "border", "my-3"]
        super().visit_image(node)

    def visit_literal_block(self, node):
        """Let keys scroll a drawing or a piece of configuration."""
        self.body.append(self.starttag(node, "pre", "", CLASS="border rounded p-2", tabindex="0"))

    def depart_literal_block(self, _node):
        """End it."""
        self.body.append("\n</pre>\n")


class Writer(html5_polyglot.Writer):
    """Writes by ``Translator``."""

    def __init__(self):
        super().__init__()
        self.translator_class = Translator


def render(name, **settings):
    """Return a guide; ``settings`` are docutils' own."""
    settings = SETTINGS | QUIET | {"guide_name": name} | settings
    parts = publish_parts(
        (FOLDER / f"{name}.rst").read_text("utf-8"),
        source_path=f"{name}.rst",
        writer=Writer(),
        settings_overrides=settings,
    )
    return Guide(title_of(name), parts["body"])


#: The guides change with the package only: each process renders one once.
guide = cache(render)
