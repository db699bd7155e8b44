"""Compares the catalogs with the messages of the sources: ``python -m devel.catalog`` names what is missing or left over.

``make i18n`` brings them up to date first.
"""

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
#: How many lines are printed of one catalog.
SHOWN = 12


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


def languages() -> list[str]:
    """Return the languages that have a catalog."""
    return sorted(path.parent.parent.name for path in LOCALES.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def untranslated(language: str, locales: Path = LOCALES) -> list[str]:
    """Return what is wrong in the catalog of ``language``, a line each: messages of the .pot that it lacks, others that it has,
    empty and fuzzy ones, and translations with other variables than their message."""
    catalog = MessageCatalog(filename=str(locales / language / "LC_MESSAGES" / f"{DOMAIN}.po"))
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
    """Print what to mend in each catalog, in a few lines, and return the exit status."""
    found = {f"{DOMAIN}.pot": outdated(), **{language: untranslated(language) for language in languages()}}
    for name, lines in found.items():
        print(f"{name}: {f'{len(lines)} to mend' if lines else 'complete'}")
        for line in lines[:SHOWN]:
            print(f"  {line}")
        if len(lines) > SHOWN:
            print(f"  and {len(lines) - SHOWN} more")
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
