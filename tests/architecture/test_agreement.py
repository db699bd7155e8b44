"""What is said in several places is the same: Python, layers, commands, licences, versions of tools."""

from devel import dependencies
from devel import versions
from packaging.specifiers import SpecifierSet
from pathlib import Path
import pytest
import re
import tomllib


ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGE = ROOT / "src" / "imio" / "mailbridge"
README = (ROOT / "README.rst").read_text()
OPERATOR = (ROOT / "docs/operator.rst").read_text()
ADMINISTRATOR = (ROOT / "docs/administrator.rst").read_text()
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SETUP = dependencies.setup_arguments()
#: What every layer may use, and folders without code.
COMMON = {"former_words", "guides", "i18n", "interfaces", "locales", "profiles"}


def layers():
    """Return the layers of the contract, without the name of the package."""
    contract = next(each for each in PYPROJECT["tool"]["importlinter"]["contracts"] if each["id"] == "layers")
    return [layer.replace("imio.mailbridge.", "") for layer in contract["layers"]]


# Python


def test_classifiers_and_linter_are_for_the_python_that_is_required():
    required = SpecifierSet(SETUP["python_requires"])
    allowed = [minor for minor in range(40) if required.contains(f"3.{minor}.5")]
    prefix = "Programming Language :: Python :: 3."
    said = [int(each.removeprefix(prefix)) for each in SETUP["classifiers"] if each.startswith(prefix)]
    assert said == allowed
    assert PYPROJECT["tool"]["ruff"]["target-version"] == f"py3{allowed[0]}"
    assert f"Python 3.{allowed[0]}" in README
    assert f"Python 3.{allowed[0]}" in (ROOT / "CONTRIBUTING.rst").read_text()


def test_the_pipe_is_linted_for_the_python_of_mail_hosts():
    targets = PYPROJECT["tool"]["ruff"]["per-file-target-version"]
    target = targets["src/imio/mailbridge/pipe/mailbridge_pipe.py"]
    assert re.search(r"``mailbridge-pipe`` .*Python (3\.\d+)", OPERATOR)[1] == target.replace("py3", "3.")


# layers and commands


def test_each_package_is_in_a_layer():
    packages = {path.stem for path in PACKAGE.iterdir() if path.suffix in ("", ".py") and path.stem[0] != "_"}
    assert {name for layer in layers() for name in layer.split(" | ")} == packages - COMMON


def test_the_operators_guide_explains_each_command():
    commands = [line.partition(" = ")[0] for line in SETUP["entry_points"]["console_scripts"]]
    commands += [Path(script).name for script in SETUP["scripts"]]
    assert [name for name in commands if f"``{name}" not in OPERATOR and f"bin/{name}" not in OPERATOR] == []


def test_the_guides_name_each_extra_of_an_installation():
    extras = set(SETUP["extras_require"]) - {"check", "docs", "release", "test"}
    assert {name for name in extras if f"``{name}``" not in OPERATOR + ADMINISTRATOR} == set()


# licences


def test_each_dependency_is_listed():
    needed = {name: ", ".join(extras) or "the add-on" for name, extras in dependencies.required().items()}
    assert {name: use for name, (_licence, use) in dependencies.listed().items()} == needed, (
        "python -m devel.dependencies"
    )


def test_the_licences_are_those_that_are_installed():
    said = {name: licence for name, (licence, _use) in dependencies.listed().items()}
    installed = {name: text for name in said if (text := dependencies.licence(name)) is not None}
    assert len(installed) > 70, "most are needed by the tests"
    assert {name: said[name] for name in installed} == installed, "python -m devel.dependencies"


def test_the_licences_fit_ours():
    required = dependencies.required()
    unfit = {
        name: licence
        for name, (licence, _use) in dependencies.listed().items()
        if not dependencies.fits(name, licence, required[name])
    }
    assert unfit == {}


@pytest.mark.parametrize(
    ("name", "text", "extras", "expected"),
    [
        ("requests", "Apache-2.0", [], True),
        ("somebody.addon", "GPL-2.0-only", [], False),
        ("somebody.addon", "GPL-2.0-only", ["test"], False),
        ("plone.api", "GPL-2.0-only", [], True),
        ("codespell", "GPL-2.0-only", ["check"], True),
        ("somebody.addon", "Proprietary", ["check"], False),
        ("somebody.addon", "", [], False),
        ("somebody.addon", "AGPL-3.0-only", [], False),
    ],
)
def test_a_licence_that_does_not_fit_is_seen(name, text, extras, expected):
    assert dependencies.fits(name, text, extras) is expected


def test_no_licence_is_read_by_hand_that_is_declared():
    declared = {
        name: text
        for name in dependencies.READ
        if (text := dependencies.metadata(name)["License-Expression"])
    }
    assert declared == {}, "take them out of READ"


def test_our_licence_is_said_alike():
    assert SETUP["license"] == "GPL-2.0-or-later"
    assert "GPL, version 2 or any later version" in README
    assert "``GPL-2.0-or-later``" in dependencies.FILE.read_text()
    assert "Version 2, June 1991" in (ROOT / SETUP["license_files"][0]).read_text()


# tools


def test_hooks_before_a_commit_are_the_tools_of_make_check():
    hooks = re.findall(r"repo: \S+/(\S+)\n    rev: v?(\S+)\n", (ROOT / ".pre-commit-config.yaml").read_text())
    pinned = versions.pins(versions.CONSTRAINTS.read_text())
    assert hooks
    assert {name: pinned[name.removesuffix("-pre-commit")] for name, _version in hooks} == dict(hooks)


def test_news_are_of_a_kind_that_towncrier_knows():
    kinds = {each["directory"] for each in PYPROJECT["tool"]["towncrier"]["type"]}
    folder = ROOT / PYPROJECT["tool"]["towncrier"]["directory"]
    news = [
        path for path in folder.iterdir() if path.name != ".gitkeep"
    ]  # which keeps the folder after a release
    wrong = [
        path.name
        for path in news
        if not re.fullmatch(rf"(\d+|\+[a-z0-9-]+)\.({'|'.join(kinds)})\.rst", path.name)
    ]
    assert wrong == []
    assert [path.name for path in news if not path.read_text().strip()] == []


def test_the_contributors_are_told_the_kinds_of_news():
    text = (ROOT / "CONTRIBUTING.rst").read_text()
    kinds = [each["directory"] for each in PYPROJECT["tool"]["towncrier"]["type"]]
    assert [kind for kind in kinds if f"``{kind}``" not in text] == []


def test_contributors_are_told_only_targets_that_exist():
    targets = set(re.findall(r"(?m)^([a-z0-9-]+):", (ROOT / "Makefile").read_text()))
    told = set(re.findall(r"``make ([a-z0-9-]+)", (ROOT / "CONTRIBUTING.rst").read_text() + README))
    assert told - targets == set()
