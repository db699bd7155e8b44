"""The "?" of each page of ours leads to a section that exists, and the guides can be read in the site as they are on paper."""

from imio.mailbridge.browser import guide_text
from imio.mailbridge.browser import help as help_table
from imio.mailbridge.browser import page_title
from imio.mailbridge.iadocs import names
from pathlib import Path
from tests.surfaces import surfaces
import pytest
import re


NAMED = {*page_title.NAMES, *page_title.OF_MESSAGE, *page_title.DELETING}


def strictly(name):
    """Return a guide as HTML; doubtful markup is an error."""
    return guide_text.render(name, report_level=2, halt_level=2).html


def sections(name):
    return set(re.findall(r'<section id="([^"]+)"', strictly(name)))


def test_each_page_with_a_name_has_a_section():
    assert NAMED - set(help_table.PAGES) == set()


def test_each_entry_has_a_page():
    assert set(help_table.PAGES) - {name for name, _permission in surfaces()} == set()
    types = {value for value in vars(names).values() if isinstance(value, str)}
    assert set(help_table.TYPES) - types == set()


@pytest.mark.parametrize("name", sorted({name for name, _section in help_table.PAGES.values()}))
def test_each_section_exists(name):
    named = {
        section
        for guide, section in (*help_table.PAGES.values(), *help_table.TYPES.values())
        if guide == name
    }
    assert named - sections(name) == set()


@pytest.mark.parametrize("name", sorted(guide_text.NAMES))
def test_links_and_pictures_of_a_guide_are_shipped(name):
    text = strictly(name)
    source = (guide_text.FOLDER / f"{name}.rst").read_text()
    for link in re.findall(r":doc:`(?:[^`<]+<)?([^`>]+)>?`", source):
        assert guide_text.target_of(name, link), link
    pictures = re.findall(r'src="([^"]+)"', text)
    for picture in pictures:
        assert (guide_text.FOLDER / picture.replace(guide_text.IMAGES, "images")).is_file()
    assert len(pictures) == source.count(".. image::")


def test_a_guide_leads_to_no_file_outside():
    assert guide_text.target_of("fr/agent", "../../setup") is None
    assert guide_text.target_of("fr/agent", "../en/zimbra") == "en/zimbra"
    assert not any(Path(name).is_absolute() or ".." in name for name in guide_text.NAMES)


def test_ways_through_menus_are_readable():
    text = strictly("fr/imap")
    assert "<strong>Passerelle e-mail › Boîtes › Ajouter une boîte</strong>" in text
    assert "--&gt;" not in text


def test_what_a_guide_may_not_do(tmp_path, monkeypatch):
    (tmp_path / "x.rst").write_text(
        "X\n=\n\n.. include:: /etc/passwd\n\n.. raw:: html\n\n   <script></script>\n"
    )
    monkeypatch.setattr(guide_text, "FOLDER", tmp_path)
    text = guide_text.render("x").html
    assert "root:" not in text
    assert "<script" not in text
