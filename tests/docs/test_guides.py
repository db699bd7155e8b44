"""The guides say the same in both languages, can be read by docutils, and name what exists."""

from docutils.core import publish_doctree
from docutils.nodes import image
from docutils.nodes import literal_block
from docutils.nodes import section
from docutils.nodes import table
from docutils.nodes import title
from imio.mailbridge.browser.guide_text import render
from imio.mailbridge.browser.guide_text import section_id
from imio.mailbridge.browser.guide_text import SETTINGS
from imio.mailbridge.gateway import fetch_config
from imio.mailbridge.inbound.forwarding.outcomes import OUTCOMES
from importlib.metadata import entry_points
from pathlib import Path
from tests.docs.guides import blocks
from tests.docs.guides import FRENCH_ONLY
from tests.docs.guides import GUIDES
import pytest
import re


LANGUAGES = ("en", "fr")
NAMES = sorted(path.stem for path in (GUIDES / "en").glob("*.rst"))
CATALOG = GUIDES.parent.parent / "src/imio/mailbridge/locales/fr/LC_MESSAGES/imio.mailbridge.po"


def tree(language, name):
    path = GUIDES / language / f"{name}.rst"
    settings = {**SETTINGS, "report_level": 2, "halt_level": 2, "guide_name": f"{language}/{name}"}
    return publish_doctree(path.read_text("utf-8"), source_path=str(path), settings_overrides=settings)


def titles(language, name):
    document = tree(language, name)
    return [each.astext() for each in document.findall(title)]


def test_same_files_in_both_languages():
    assert sorted({path.stem for path in (GUIDES / "fr").glob("*.rst")} - FRENCH_ONLY) == NAMES
    index = (GUIDES / "index.rst").read_text("utf-8")
    for name in NAMES:
        for language in LANGUAGES:
            assert f":doc:`{language}/{name}`" in index


@pytest.mark.parametrize("name", NAMES)
def test_same_structure_in_both_languages(name):
    english, french = (tree(language, name) for language in LANGUAGES)
    for kind in (section, table, image, literal_block):
        assert len(list(english.findall(kind))) == len(list(french.findall(kind))), kind
    codes = [
        [text for each in document.findall(literal_block) if "│" not in (text := each.astext())]
        for document in (english, french)
    ]
    assert codes[0] == codes[1], "drawings alone have words"
    for language in LANGUAGES:
        found = titles(language, name)
        assert len(found) == len(set(found))


@pytest.mark.parametrize("name", sorted(FRENCH_ONLY))
def test_images_are_there(name):
    for each in tree("fr", name).findall(image):
        assert (GUIDES / "fr" / each["uri"]).resolve().is_file(), each["uri"]
        assert each["alt"]


def test_remedies_of_the_forwarding_check_name_sections_that_exist():
    catalog = CATALOG.read_text("utf-8")
    named = {outcome.guide for outcome in OUTCOMES.values() if outcome.guide}
    assert len(named) > 3
    for guide in named:
        assert guide.section in titles("en", guide.file)
        assert f'id="{section_id(guide.section)}"' in render(f"en/{guide.file}").html
        french = re.search(rf'^msgid "{re.escape(guide.section)}"\nmsgstr "(.*)"$', catalog, re.MULTILINE)[1]
        assert french in titles("fr", guide.file)
        assert f'id="{section_id(french)}"' in render(f"fr/{guide.file}").html


def test_the_toml_example_can_be_used(tmp_path):
    (text,) = blocks("imap", "toml")
    for name in ("contact", "client-secret"):
        (tmp_path / name).write_text("secret")
        (tmp_path / name).chmod(0o600)
    config = tmp_path / "fetch.toml"
    config.write_text(text.replace("/etc/mailbridge/", f"{tmp_path}/"))
    found = fetch_config.read(str(config))
    assert [(each.role, each.done, each.port) for each in found.imap_accounts] == [
        ("mail-in", "move", 993),
        ("login", "flag", 993),
    ]
    assert found.imap_accounts[1].grant is not None


def test_commands_exist():
    known = {each.name for each in entry_points(group="console_scripts")} | {"mailbridge-pipe"}
    text = "".join(path.read_text("utf-8") for path in GUIDES.rglob("*.rst"))
    assert (
        set(re.findall(r"\bmailbridge-[a-z]+\b(?!/)", text.replace("/var/lib/mailbridge-fetch", ""))) <= known
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_seven_steps_of_microsoft_365(language):
    text = (GUIDES / language / "microsoft-365.rst").read_text("utf-8")
    first = text.partition("\n1. ")[2].partition("\n\n")[0]
    assert [number for number in range(2, 9) if f"\n{number}. " in first] == [2, 3, 4, 5, 6, 7]


def test_no_long_file_is_forgotten():
    assert {path.suffix for path in Path(GUIDES).rglob("*") if path.is_file()} == {".png", ".rst"}
