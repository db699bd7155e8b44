"""Writes DEPENDENCIES.rst, the licence of each distribution that setup.py requires: ``python -m devel.dependencies``.

A licence is what the installed distribution declares; a test compares the file, and refuses a licence that is not in ``FITTING``.
"""

from contextlib import suppress
from importlib.metadata import metadata
from importlib.metadata import PackageNotFoundError
from packaging.requirements import Requirement
from pathlib import Path
from typing import Any
import ast
import re


ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "DEPENDENCIES.rst"

#: Licences whose works may be combined with ours under version 2 of the GPL, or under version 3.
FITTING = {
    "Apache-2.0",
    "Apache-2.0 AND BSD-2-Clause",
    "Apache-2.0 OR BSD-3-Clause",
    "BSD",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "GPL",
    "GPL-2.0",
    "GPL-2.0-or-later",
    "GPL-3.0-or-later",
    "ISC",
    "LGPL",
    "LGPL-3.0-only",
    "MIT",
    "MIT OR Apache-2.0",
    "MIT-CMU",
    "MPL-2.0",
    "MPL-2.0 AND MIT",
    "Public Domain",
    "Zlib",
    "ZPL-2.1",
}

#: What distributions say who do not say it in the words of SPDX.
WORDS = {
    "Apache 2.0": "Apache-2.0",
    "BSD 2-Clause License": "BSD-2-Clause",
    "BSD License": "BSD",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GPL version 2": "GPL-2.0",
    "GPLv2": "GPL-2.0",
    "LGPL with exceptions": "LGPL",  # psycopg2: version 3 or later, and OpenSSL
    "MIT License": "MIT",
    "ZPL": "ZPL-2.1",
    "gpl": "GPL",
}

#: The licence file of those whose metadata name none.
READ = {
    "axe-playwright-python": "MIT",
    "dkimpy": "Zlib",
    "huey": "MIT",
    "IMAPClient": "BSD-3-Clause",
}

#: What ``GPL-2.0-only`` may come from: packages of Plone (see the text of the file), and programs that our code does not import.
PLONE = ("plone.", "pytest-plone")
PROGRAMS = {"check", "release"}

TEXT = """\
Dependencies and their licences
===============================

.. Written by `python -m devel.dependencies`; a test compares it with what is installed.

imio.mailbridge is free software under the GNU General Public License, version 2 or any later version
(``GPL-2.0-or-later``, ``LICENSE.GPL``). Apache-2.0 does not go with version 2, so an installation with those packages
is used and passed on under version 3.

Packages of Plone name version 2 of the GPL in several words, some of them ``GPL-2.0-only``, and Plone depends on
Apache-2.0 packages itself (requests, by plone.cachepurging). Whether the two may be passed on together is the same
question with and without this add-on.

"Needed for" names the extras of ``setup.py``. Those of ``check`` and ``release`` are programs that run beside our code,
not with it.

"""


def setup_arguments() -> dict[str, Any]:
    """Return what setup.py says of the distribution, but for what it computes."""
    call = next(
        node
        for node in ast.walk(ast.parse((ROOT / "setup.py").read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "setup"
    )
    found = {}
    for keyword in call.keywords:
        with suppress(ValueError):
            found[str(keyword.arg)] = ast.literal_eval(keyword.value)
    return found


def required() -> dict[str, list[str]]:
    """Return the extras that need each distribution, by name; none for what the add-on itself needs."""
    arguments = setup_arguments()
    own = {Requirement(line).name for line in arguments["install_requires"]}
    found: dict[str, list[str]] = {name: [] for name in own}
    for extra, lines in arguments["extras_require"].items():
        for name in {Requirement(line).name for line in lines} - own:
            found.setdefault(name, []).append(extra)
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def licence(name: str) -> str | None:
    """Return the licence that the distribution ``name`` declares, or None when it is not installed."""
    try:
        declared = metadata(name)
    except PackageNotFoundError:
        return None
    classifiers = [each for each in declared.get_all("Classifier") or () if each.startswith("License ::")]
    text = declared["License-Expression"] or READ.get(name) or declared["License"]
    text = (text or "".join(classifiers[:1]).rpartition(" :: ")[2]).strip().partition("\n")[0]
    return WORDS.get(text, text)


def fits(name: str, text: str, extras: list[str]) -> bool:
    """Tell whether the licence ``text`` of the distribution ``name``, needed for ``extras``, allows ``GPL-2.0-or-later`` for us."""
    is_excepted = name.startswith(PLONE) or bool(extras and set(extras) <= PROGRAMS)
    return text in FITTING or (text == "GPL-2.0-only" and is_excepted)


def table(rows: list[tuple[str, str, str]]) -> str:
    """Return a simple table of reStructuredText."""
    head = [("Distribution", "Licence", "Needed for")]
    widths = [max(len(row[column]) for row in head + rows) for column in range(3)]
    line = " ".join("=" * width for width in widths)
    body = [
        " ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    top = " ".join(cell.ljust(width) for cell, width in zip(head[0], widths, strict=True)).rstrip()
    return "\n".join([line, top, line, *body, line]) + "\n"


def listed() -> dict[str, tuple[str, str]]:
    """Return licence and use of each distribution in the file, by name."""
    lines = FILE.read_text().splitlines()
    rule = next(line for line in lines if re.fullmatch("=+ =+ =+", line))
    name, text, _use = map(len, rule.split())
    start, end = lines.index(rule) + 3, len(lines) - 1
    return {
        line[:name].strip(): (line[name + 1 :][:text].strip(), line[name + text + 2 :])
        for line in lines[start:end]
    }


def rows() -> list[tuple[str, str, str]]:
    """Return name, licence and use of each dependency; what is not installed keeps its licence. Errors: ``LookupError``."""
    known, found = listed(), []
    for name, extras in required().items():
        text = licence(name) or known.get(name, ("",))[0]
        if not text:
            raise LookupError(f"{name} is not installed: pip install -e '.[{','.join(extras)}]'")
        found.append((name, text, ", ".join(extras) or "the add-on"))
    return found


if __name__ == "__main__":
    FILE.write_text(TEXT + table(rows()))
