"""Builds mailbridge-gateway.pyz, the programs of a mail host in one file: ``python -m devel.gateway FOLDER``.

It holds the modules of ours that the programs import, and the libraries that these import: as they are installed here, at the
versions of constraints.txt. All is Python source, so the file runs on any machine; two builds by one Python are the same bytes.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from devel import dependencies
from devel import versions
from devel.gateway_main import PROGRAMS
from importlib.metadata import Distribution
from importlib.metadata import distribution
from importlib.metadata import packages_distributions
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pathlib import Path
import ast
import re
import sys
import zipfile


ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src"
NAME = "mailbridge-gateway.pyz"
SHEBANG = b"#!/usr/bin/env python3\n"
#: Of imio.mailbridge, and of it together with libraries under Apache-2.0.
LICENCE, LICENCE_OF_ALL = ROOT / "LICENSE.GPL", ROOT / "devel/LICENSE.GPL3"
#: Folders of libraries that no program runs.
LEFT_OUT = {"tests", "docs"}
LICENCE_FILE = re.compile(r"(licen[cs]e|copying|notice|authors)[^/]*$", re.IGNORECASE)
#: Replaced by gateway_certifi: a list of authorities in the file would age with it.
STOOD_FOR = "certifi"
HEAD = """\
{name} holds imio.mailbridge {version}, under the GNU General Public License, version 2 or any later version, and the libraries
below. Apache-2.0 does not go with version 2, so the file as a whole is passed on under version 3. It is its own source code:

    python3 -m zipfile -e {name} FOLDER

"""


class CannotBuild(Exception):
    """The file cannot be built; the argument says why and what to do."""


def own_modules(roots: Iterable[str]) -> dict[str, Path]:
    """Return the modules of imio.mailbridge that ``roots`` import, and the packages around them, by name."""
    found: dict[str, Path] = {}
    left = list(roots)
    while left:
        name = left.pop()
        path = SRC / name.replace(".", "/")
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if name not in found and path.is_file():
            found[name] = path
            left += [each for each in imported(path) if each.startswith("imio.mailbridge.")]
            left.append(name.rpartition(".")[0])
    return found


def imported(path: Path) -> Iterator[str]:
    """Yield the names that a module imports, also those in its functions."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def libraries(roots: Iterable[str]) -> set[str]:
    """Return the distributions that ``roots`` and the modules of ours below them import, by canonical name."""
    names = {name.partition(".")[0] for path in own_modules(roots).values() for name in imported(path)}
    owners = packages_distributions()
    foreign = names - sys.stdlib_module_names - {"imio"}
    return {canonicalize_name(owners[name][0]) for name in foreign}


def with_requirements(names: Iterable[str]) -> list[Distribution]:
    """Return the ``names`` and what they require, sorted, without what is stood for."""
    found: dict[str, Distribution] = {}
    left = set(names)
    while left:
        name = left.pop()
        if name in found or name == STOOD_FOR:
            continue
        found[name] = distribution(name)
        needed = [Requirement(line) for line in found[name].requires or ()]
        left |= {
            canonicalize_name(each.name)
            for each in needed
            if each.marker is None or each.marker.evaluate({"extra": ""})
        }
    return [found[name] for name in sorted(found)]


def check(library: Distribution, pinned: dict[str, str]) -> None:
    """Errors: ``CannotBuild`` for a version that is not pinned, a licence that does not fit, and a part that is no source."""
    name, version = library.name, library.version
    if pinned.get(canonicalize_name(name)) != version:
        raise CannotBuild(
            f"{name} {version} is installed, which constraints.txt does not say: make clean gateway"
        )
    if not dependencies.fits(name, dependencies.licence(name) or "", []):
        raise CannotBuild(f"{name}: its licence does not fit ours")
    paths = {str(file) for file in library.files or ()}
    for path in paths:
        # mypyc compiles modules that stay beside as source, and one of its own.
        if path.endswith(".so") and "__mypyc." not in path and f"{path.partition('.')[0]}.py" not in paths:
            raise CannotBuild(
                f"{name} is compiled and cannot be loaded from the file; which module needs it?"
            )


def library_files(library: Distribution) -> Iterator[tuple[str, bytes]]:
    """Yield the path in the file and the content of each module of a library, and of its metadata."""
    for file in library.files or ():
        parts = file.parts
        is_metadata = parts[0].endswith(".dist-info") and (
            file.name == "METADATA" or LICENCE_FILE.match(file.name)
        )
        if is_metadata or (file.suffix == ".py" and parts[0] != ".." and not LEFT_OUT & set(parts)):
            yield file.as_posix(), file.read_binary()


def licences(version: str, found: list[Distribution]) -> str:
    """Return the licence of each library, and their texts."""
    rows = [f"{each.name:20} {each.version:12} {dependencies.licence(each.name)}\n" for each in found]
    texts = [(f"imio.mailbridge: {path.name}", path.read_text()) for path in (LICENCE, LICENCE_OF_ALL)]
    for library in found:
        named = [file for file in library.files or () if LICENCE_FILE.match(file.name)]
        if not named:
            raise CannotBuild(f"{library.name} has no file with its licence")
        texts += [(f"{library.name}: {file.name}", file.read_text()) for file in sorted(named)]
    return (
        HEAD.format(version=version, name=NAME)
        + "".join(rows)
        + "".join(f"\n\n{title}\n{'=' * len(title)}\n\n{text.strip()}\n" for title, text in texts)
    )


def contents() -> dict[str, bytes]:
    """Return all that the file holds, by path. Errors: ``CannotBuild``."""
    roots = list(PROGRAMS.values())
    pinned = {canonicalize_name(k): v for k, v in versions.pins(versions.CONSTRAINTS.read_text()).items()}
    version = str(dependencies.setup_arguments()["version"])
    found = with_requirements(libraries(roots))
    files = {}
    for library in found:
        check(library, pinned)
        files |= dict(library_files(library))
    files |= {path.relative_to(SRC).as_posix(): path.read_bytes() for path in own_modules(roots).values()}
    metadata = f"Metadata-Version: 2.4\nName: imio.mailbridge\nVersion: {version}\n"
    return {
        **files,
        f"imio_mailbridge-{version}.dist-info/METADATA": metadata.encode(),
        "LICENCES.txt": licences(version, found).encode(),
        "__main__.py": (ROOT / "devel/gateway_main.py").read_bytes(),
        f"{STOOD_FOR}.py": (ROOT / "devel/gateway_certifi.py").read_bytes(),
        "imio/": b"",  # a namespace, which zipimport sees only as an entry
    }


def build(folder: Path) -> Path:
    """Write the file into ``folder``; return its path. Errors: ``CannotBuild``."""
    files = contents()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    with path.open("wb") as stream:
        stream.write(SHEBANG)
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in sorted(files):
                info = zipfile.ZipInfo(name)  # of 1980, the beginning of time for zip
                info.external_attr = (0o40755 << 16 | 0x10) if name.endswith("/") else 0o100644 << 16
                archive.writestr(info, files[name], zipfile.ZIP_DEFLATED)
    path.chmod(0o755)
    return path


if __name__ == "__main__":
    try:
        print(build(Path(sys.argv[1])))
    except CannotBuild as error:
        sys.exit(f"{NAME}: {error}")
