"""Writes versions.cfg for zc.buildout from constraints.txt: ``python -m devel.versions``."""

from pathlib import Path
import re


ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
VERSIONS = ROOT / "versions.cfg"
HEADER = """\
# Written from constraints.txt by `python -m devel.versions`; a test compares the two.
[versions]
"""
PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;#]+)\s*(#.*)?")


def pins(text: str) -> dict[str, str]:
    """Return the version of each distribution in the ``text`` of a constraints file; a line that pins nothing is an error."""
    found = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        pin = PIN.fullmatch(line.strip())
        if pin is None:
            raise ValueError(f"constraints.txt: not NAME==VERSION: {line}")
        found[pin["name"]] = pin["version"]
    return found


def buildout(text: str) -> str:
    """Return what versions.cfg holds for the ``text`` of a constraints file."""
    return HEADER + "".join(f"{name} = {version}\n" for name, version in pins(text).items())


if __name__ == "__main__":
    VERSIONS.write_text(buildout(CONSTRAINTS.read_text()))
