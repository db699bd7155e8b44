"""The pictures of the guides show their pages as they are now, and are small."""

from devel import screenshots
from PIL import Image
from tests.docs.guides import pages
import json
import pytest


MADE_OF = json.loads(screenshots.MADE_OF.read_text())


@pytest.mark.parametrize("name", screenshots.PICTURES)
def test_a_picture_is_not_older_than_its_page(name):
    assert MADE_OF[name] == screenshots.digest(name), "the page has changed: make screenshots, look, commit"


@pytest.mark.parametrize("name", screenshots.PICTURES)
def test_a_picture_is_small(name):
    path = screenshots.IMAGES / f"{name}.png"
    with Image.open(path) as picture:
        assert picture.width <= screenshots.WIDTH
        assert picture.mode == "P"
    assert path.stat().st_size < 100_000


def test_each_picture_is_shown_and_none_is_forgotten():
    texts = "".join(path.read_text() for path in pages())
    files = {path.stem for path in screenshots.IMAGES.glob("*.png")}
    assert {name for name in files if f"images/{name}.png" not in texts} == set()
    assert files == set(screenshots.PICTURES)


def test_a_changed_page_is_noticed(monkeypatch, tmp_path):
    monkeypatch.setattr(screenshots, "PACKAGE", tmp_path)
    monkeypatch.setattr(screenshots, "PICTURES", {"page": ("page.pt",)})
    page = tmp_path / "page.pt"
    page.write_text("<p>\n  Send</p>")
    before = screenshots.digest("page")
    page.write_text("<p>\n    Send</p>\n")
    assert screenshots.digest("page") == before, "only indented"
    page.write_text("<p>Dispatch</p>")
    assert screenshots.digest("page") != before
