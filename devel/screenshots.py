"""Makes the pictures of the guides from what the browser tests see: ``make screenshots``.

``pictures.json`` keeps what each page was when its picture was made; a test fails when the page has changed since.
"""

from hashlib import sha256
from pathlib import Path
from PIL import Image
import json
import subprocess
import sys


ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "src/imio/mailbridge/guides/images"
MADE_OF = Path(__file__).with_name("pictures.json")
PACKAGE = ROOT / "src" / "imio" / "mailbridge"
WIDTH = 1000  #: pixels, at most
COLOURS = 256
STORY = "tests/acceptance/test_guide_browser.py"

#: The pictures, and the templates of the page that each shows.
PICTURES = {
    "guide-my-mail": ("desk/templates/my_mail.pt", "desk/templates/drop_area.pt"),
    "guide-document": (
        "desk/templates/document.pt",
        "desk/templates/conversation.pt",
        "desk/templates/files.pt",
    ),
    "guide-compose": (
        "browser/templates/compose.pt",
        "browser/templates/compose_form.pt",
        "browser/templates/insert_template.pt",
        "browser/templates/attach.pt",
    ),
    "guide-list": ("desk/templates/mail_list.pt", "desk/templates/drop_area.pt"),
    "guide-my-emails": ("browser/templates/my_emails.pt", "browser/templates/buttons.pt"),
    "guide-deciding": ("browser/templates/inbox.pt", "browser/templates/inbox_pane.pt"),
    "guide-secret-addresses": ("controlpanel/templates/addresses.pt", "controlpanel/templates/navigation.pt"),
    "guide-forwarding": ("controlpanel/templates/forwarding.pt", "controlpanel/templates/navigation.pt"),
    "guide-mailboxes": ("controlpanel/templates/mailboxes.pt", "controlpanel/templates/navigation.pt"),
}


def digest(name: str) -> str:
    """Return what identifies the page of the picture ``name``; how its templates are indented does not count."""
    text = "\n".join(" ".join((PACKAGE / template).read_text("utf-8").split()) for template in PICTURES[name])
    return sha256(text.encode()).hexdigest()


def reduce(source: Path, target: Path) -> None:
    """Write the screenshot ``source`` as a small picture."""
    with Image.open(source) as screenshot:
        picture = screenshot.convert("RGB")
    picture.thumbnail((WIDTH, picture.height), Image.Resampling.LANCZOS)
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)


def main() -> int:
    """Run the tests and write the pictures; return the status of the tests."""
    screenshots = ROOT / "screenshots"
    for name in PICTURES:
        (screenshots / f"{name}.png").unlink(missing_ok=True)
    status = subprocess.call([sys.executable, "-m", "pytest", "-q", STORY], cwd=ROOT)
    if status == 0:
        for name in PICTURES:
            reduce(screenshots / f"{name}.png", IMAGES / f"{name}.png")
        MADE_OF.write_text(json.dumps({name: digest(name) for name in PICTURES}, indent=2) + "\n")
        print(f"Look at each: {IMAGES.relative_to(ROOT)}/guide-*.png")
    return status


if __name__ == "__main__":
    sys.exit(main())
