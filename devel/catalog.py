"""Compares the catalogs with the messages of the sources: ``python -m devel.catalog`` names what is missing or left over."""

from i18ndude.catalog import MessageCatalog
from pathlib import Path
import re
import subprocess
import sys
import tempfile


DOMAIN = "imio.mailbridge"
ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "src/imio/mailbridge"
LOCALES = SOURCES / "locales"
POT = LOCALES / f"{DOMAIN}.pot"
BIN = Path(sys.executable).parent
VARIABLE = re.compile(r"\$\{\w+\}")


def read(catalog: Path) -> dict[str, str | None]:
    """Return the default text of each message in ``catalog``, a .pot or .po file."""
    return {
        msgid: entry.getDefault() for msgid, entry in MessageCatalog(filename=str(catalog)).items() if msgid
    }


def extracted() -> dict[str, str | None]:
    """Return the default text of each message in the sources, as ``i18ndude rebuild-pot`` finds them."""
    with tempfile.TemporaryDirectory() as folder:
        pot = Path(folder) / "new.pot"
        command = [BIN / "i18ndude", "rebuild-pot", "--pot", pot, "--create", DOMAIN, SOURCES]
        subprocess.run(command, check=True, capture_output=True)
        return read(pot)


def outdated() -> list[str]:
    """Return in what the .pot differs from the sources, a line each."""
    known, now = read(POT), extracted()
    lines = [f"missing: {msgid}" for msgid in now if msgid not in known]
    lines += [f"left over: {msgid}" for msgid in known if msgid not in now]
    lines += [f"other default: {msgid}" for msgid in now if msgid in known and now[msgid] != known[msgid]]
    return sorted(lines)


def untranslated(language: str) -> list[str]:
    """Return what is wrong in the catalog of ``language``, a line each: messages of the .pot that it lacks, others that it has,
    empty and fuzzy ones, and translations with other variables than their message."""
    catalog = MessageCatalog(filename=str(LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.po"))
    template = read(POT)
    lines = [f"missing: {msgid}" for msgid in template if msgid not in catalog]
    for msgid, entry in catalog.items():
        if not msgid:
            continue
        if msgid not in template:
            lines.append(f"left over: {msgid}")
        elif not entry.msgstr:
            lines.append(f"empty: {msgid}")
        elif set(VARIABLE.findall(entry.msgstr)) != set(VARIABLE.findall(template[msgid] or msgid)):
            lines.append(f"other variables: {msgid}")
        if any("fuzzy" in comment for comment in entry.comments if comment.startswith(",")):
            lines.append(f"fuzzy: {msgid}")
    return sorted(lines)


def main() -> int:
    """Print what to mend and return the exit status."""
    if not POT.exists():
        print(f"{POT.relative_to(ROOT)} is not there yet: nothing to compare")
        return 0
    lines = outdated()
    if lines:
        print(f"{POT.relative_to(ROOT)} differs from the sources; run {LOCALES.relative_to(ROOT)}/update.sh")
        print("\n".join(f"  {line}" for line in lines))
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
