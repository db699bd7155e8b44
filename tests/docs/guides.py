"""The guides, and the pieces of configuration in them that tests run."""

from pathlib import Path
import re


GUIDES = Path(__file__).resolve().parent.parent.parent / "docs" / "guides"


def blocks(name, kind, language="en"):
    """Return the code blocks of a kind in a guide, without their indentation."""
    text = (GUIDES / language / f"{name}.rst").read_text("utf-8")
    found = re.findall(rf"^\.\. code-block:: {kind}\n\n((?:   .*\n|\n)+)", text, re.MULTILINE)
    return [re.sub(r"(?m)^   ", "", block).strip() + "\n" for block in found]
