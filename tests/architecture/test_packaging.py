"""Is all that the package needs in what is released, and named in its metadata? Built offline from a copy of the tree."""

from devel import dependencies
from devel import versions
from email.parser import Parser
from importlib.metadata import distributions
from importlib.metadata import EntryPoint
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from pathlib import Path
import ast
import configparser
import pytest
import re
import shutil
import stat
import subprocess
import sys
import zipfile


ROOT = Path(__file__).resolve().parent.parent.parent
SRC = ROOT / "src"
PACKAGE = SRC / "imio" / "mailbridge"
NEEDED = {".css", ".js", ".png", ".po", ".pot", ".pt", ".py", ".rst", ".sh", ".svg", ".xml", ".zcml"}
RELEASED = (
    "MANIFEST.in",
    "CHANGES.rst",
    "CONTRIBUTING.rst",
    "DEPENDENCIES.rst",
    "LICENSE.GPL",
    "README.rst",
    "pyproject.toml",
    "setup.py",
)
LEFT_OUT = shutil.ignore_patterns("*.egg-info", "*.mo", "__pycache__")
PIPE = ("mailbridge-pipe", "mailbridge_pipe.py")


def build(kind, source, target):
    """Build a ``kind`` (sdist or wheel) as a PEP 517 front end does, with what is installed; return its path."""
    code = f"from setuptools import build_meta; build_meta.build_{kind}({str(target)!r})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=source, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return next(target.glob("*.whl" if kind == "wheel" else "*.tar.gz"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """The sdist, unpacked: a Path of its top folder."""
    folder = tmp_path_factory.mktemp("sdist")
    tree = folder / "tree"
    tree.mkdir()
    for name in RELEASED:
        shutil.copy2(ROOT / name, tree)
    for name in ("docs", "devel", "news", "src", "tests"):
        shutil.copytree(ROOT / name, tree / name, symlinks=True, ignore=LEFT_OUT)
    (tree / "locales").symlink_to("src/imio/mailbridge/locales")
    shutil.unpack_archive(build("sdist", tree, folder), folder / "unpacked")
    return next((folder / "unpacked").iterdir())


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    """The wheel, made from the sdist as on a release."""
    with zipfile.ZipFile(build("wheel", sdist, tmp_path_factory.mktemp("wheel"))) as archive:
        yield archive


@pytest.fixture(scope="module")
def metadata(wheel):
    """The metadata in the wheel."""
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return Parser().parsestr(wheel.read(name).decode())


def needed():
    """The paths below src of the files that the package needs when it runs."""
    return {
        path.relative_to(SRC).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix in NEEDED and "__pycache__" not in path.parts
    }


def script(wheel, name):
    """Return what the wheel knows about a file that it puts on the PATH."""
    return next(info for info in wheel.infolist() if info.filename.endswith(f".data/scripts/{name}"))


def test_all_kinds_of_files_are_looked_for():
    suffixes = {Path(name).suffix for name in needed()}
    assert {".js", ".pt", ".py", ".xml", ".zcml"} <= suffixes
    others = {p.name for p in PACKAGE.rglob("*") if p.is_file() and p.suffix not in NEEDED | {".mo", ".pyc"}}
    assert others <= {".gitkeep", "mailbridge-pipe", "update.sh"}, "add the kind of these files to NEEDED"


def test_sdist_has_the_sources_their_tests_and_documents(sdist):
    names = {path.relative_to(sdist).as_posix() for path in sdist.rglob("*")}
    assert {f"src/{name}" for name in needed()} - names == set()
    assert set(RELEASED) <= names
    assert "tests/architecture/test_packaging.py" in names
    assert any(name.startswith("tests/messages/") for name in names)
    assert any(name.startswith("docs/") for name in names)
    assert any(name.startswith("news/") for name in names)


def test_sdist_has_no_links(sdist):
    assert [path.name for path in sdist.rglob("*") if path.is_symlink()] == []
    assert not (sdist / "locales").exists(), "a link to the package's own locales; pip would install a copy"


def test_wheel_has_every_file_of_the_package(wheel):
    assert needed() - set(wheel.namelist()) == set()


def test_wheel_has_nothing_else(wheel):
    names = [name for name in wheel.namelist() if not re.match(r"imio\.mailbridge-|imio_mailbridge-", name)]
    assert [name for name in names if not name.startswith("imio/mailbridge/")] == []
    assert [name for name in names if "/tests/" in name or name.endswith(".pyc")] == []
    assert "imio/__init__.py" not in names, "the namespace is native"


def test_wheel_has_a_compiled_catalog_for_each_language(wheel):
    catalogs = {name for name in wheel.namelist() if name.endswith(".po")}
    assert catalogs, "no catalog at all"
    compiled = {name for name in wheel.namelist() if name.endswith(".mo")}
    assert {name.removesuffix(".po") for name in catalogs} == {name.removesuffix(".mo") for name in compiled}
    for name in compiled:
        assert len(wheel.read(name)) > 100


@pytest.mark.parametrize("name", PIPE)
def test_wheel_puts_the_pipe_on_the_path_as_it_is(wheel, name):
    info = script(wheel, name)
    mode = info.external_attr >> 16
    assert mode & stat.S_IXUSR
    assert mode & stat.S_IXOTH
    source = (PACKAGE / "pipe" / name).read_bytes()
    if name == "mailbridge-pipe":
        assert wheel.read(info) == source
        assert source.startswith(b"#!/bin/sh\n")
    else:  # a Python file gets the shebang of the environment
        assert wheel.read(info).split(b"\n", 1)[1] == source.split(b"\n", 1)[1]


def test_pipe_is_executable_in_the_tree_too():
    assert (PACKAGE / "pipe" / "mailbridge-pipe").stat().st_mode & stat.S_IXUSR, "buildout.cfg links to it"


def test_metadata(metadata):
    assert metadata["Name"] == "imio.mailbridge"
    assert re.fullmatch(r"\d+\.\d+(\.\d+)?(a\d+|b\d+|rc\d+)?(\.dev0)?", metadata["Version"])
    assert (metadata["License-Expression"] or metadata["License"]) == "GPL-2.0-or-later"
    assert metadata.get_all("License-File") == ["LICENSE.GPL"]
    assert set(metadata.get_all("Provides-Extra")) == {
        "check",
        "docs",
        "pdf",
        "postgresql",
        "redis",
        "release",
        "relstorage",
        "test",
    }
    assert metadata["Description-Content-Type"] == "text/x-rst"
    assert "Framework :: Plone :: 6.2" in metadata.get_all("Classifier")


def test_commands_and_autoinclude(wheel):
    parser = configparser.ConfigParser(delimiters=("=",))
    parser.read_string(
        wheel.read(next(n for n in wheel.namelist() if n.endswith("entry_points.txt"))).decode()
    )
    for group in ("plone.autoinclude.plugin", "z3c.autoinclude.plugin"):
        assert parser[group]["target"] == "plone"
    commands = parser["console_scripts"]
    assert set(commands) >= {f"mailbridge-{name}" for name in ("explain", "fetch", "lmtp", "worker")}
    for name, target in commands.items():
        assert callable(EntryPoint(name, target, "console_scripts").load())


def test_buildout_makes_the_commands_of_the_wheel(wheel):
    released = configparser.ConfigParser(delimiters=("=",))
    released.read_string(
        wheel.read(next(n for n in wheel.namelist() if n.endswith("entry_points.txt"))).decode()
    )
    files = {Path(name).name for name in wheel.namelist() if ".data/scripts/" in name}
    buildout = configparser.RawConfigParser(delimiters=("=",))
    buildout.read(ROOT / "buildout.cfg")
    assert set(buildout["instance"]["scripts"].split()) == set(released["console_scripts"])
    assert set(re.findall(r"\$\{:folder\}/(\S+)", buildout["pipe"]["cmds"])) == files == set(PIPE)


def owners():
    """Return which distribution each installed module belongs to; namespace packages belong to none."""
    found = {}
    for distribution in distributions():
        name = canonicalize_name(distribution.metadata["Name"])
        for file in distribution.files or ():
            path = Path(str(file))
            if path.suffix not in (".py", ".so") or path.parts[0] in ("..", "/"):
                continue
            parts = [*path.parts[:-1], path.name.split(".")[0]]
            if parts[-1] == "__init__":
                parts.pop()
                if is_namespace(distribution.locate_file(file)):
                    continue
            found[".".join(parts)] = name
    return found


def is_namespace(path):
    """Say whether an ``__init__.py`` only declares a namespace shared by several distributions."""
    text = Path(path).read_text(errors="replace") if Path(path).exists() else ""
    return "declare_namespace" in text or "extend_path" in text


def imported():
    """Return where each foreign module is imported; ``testing.py`` has the extra ``test`` for it."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        if path == PACKAGE / "testing.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            else:
                continue
            for name in names:
                if name.split(".")[0] not in sys.stdlib_module_names and not name.startswith(
                    "imio.mailbridge"
                ):
                    found.setdefault(name, str(path.relative_to(SRC)))
    for path in PACKAGE.rglob("*.zcml"):
        for name in re.findall(r'package="([^".][^"]*)"', path.read_text()):
            if name != "imio.mailbridge":
                found.setdefault(name, str(path.relative_to(SRC)))
    return found


def distribution_of(name, known):
    """Return the distribution of the longest module that the dotted ``name`` starts with."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        owner = known.get(".".join(parts[:length]))
        if owner:
            return owner
    raise LookupError(f"no installed distribution has {name}")


def test_every_distribution_that_is_imported_is_required(metadata):
    required = {
        canonicalize_name(Requirement(line).name)
        for line in metadata.get_all("Requires-Dist")
        if "extra ==" not in line or 'extra == "pdf"' in line  # what is not installed is not imported
    }
    known = owners()
    missing = {}
    for name, path in imported().items():
        owner = distribution_of(name, known)
        if owner not in required:
            missing.setdefault(owner, f"{name} in {path}")
    assert missing == {}


def test_requirements_are_sorted():
    arguments = dependencies.setup_arguments()
    for required in (arguments["install_requires"], *arguments["extras_require"].values()):
        assert required == sorted(required)


def test_buildout_takes_the_versions_of_the_constraints():
    assert versions.VERSIONS.read_text() == versions.buildout(versions.CONSTRAINTS.read_text()), (
        "run python -m devel.versions"
    )


def test_constraints_suit_the_python_of_debian():
    """Debian 12 has 3.11.2; a pin made on a later 3.11 may refuse it."""
    pinned = {canonicalize_name(name) for name in versions.pins(versions.CONSTRAINTS.read_text())}
    refusing = {
        f"{distribution.metadata['Name']}=={distribution.version}": distribution.metadata["Requires-Python"]
        for distribution in distributions()
        if canonicalize_name(distribution.metadata["Name"]) in pinned
        and not SpecifierSet(distribution.metadata["Requires-Python"] or "").contains("3.11.2")
    }
    assert refusing == {}


def test_buildout_pins_only_its_own_tools_elsewhere():
    def pinned(path):
        parser = configparser.RawConfigParser(delimiters=("=",))
        parser.read(path)
        return {canonicalize_name(name) for name in parser["versions"]}

    assert pinned(ROOT / "buildout.cfg") & pinned(versions.VERSIONS) == set()


@pytest.mark.parametrize(
    "line", ["plone.api", "plone.api>=3", "-e .", "plone.api == 3", "git+https://example.test/a"]
)
def test_a_constraint_that_pins_nothing_is_an_error(line):
    with pytest.raises(ValueError, match="not NAME==VERSION"):
        versions.pins(f"Plone==6.2.2\n{line}\n")
