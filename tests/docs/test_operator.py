"""The operator's guide names options, variables, packages and fields that exist, and all packages that its programs need."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import packages_distributions
from importlib.metadata import requires
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pathlib import Path
from tests.docs.guides import DOCS
import json
import pytest
import re
import subprocess
import sys


PAGE = (DOCS / "operator.rst").read_text()
PACKAGE = DOCS.parent / "src/imio/mailbridge"
BIN = Path(sys.executable).parent
MODULES = {
    "mailbridge-explain": "imio.mailbridge.message.explain",
    "mailbridge-fetch": "imio.mailbridge.gateway.fetch_command",
    "mailbridge-lmtp": "imio.mailbridge.gateway.lmtp_command",
}
#: Imports a module where nothing but the distributions named after it can be imported.
ALONE = """
import importlib, json, sys
module, refused = sys.argv[1], set(json.loads(sys.argv[2]))
class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Refusing())
importlib.import_module(module)
"""


def listed(program):
    """Return the packages that the page says a program needs."""
    row = re.search(rf"^``{program}`` (.*\n(?:  .*\n)*)", PAGE, re.MULTILINE)[1]
    return set(re.findall(r"``([\w-]+)``", row))


def with_requirements(names):
    """Return distributions and all that they require, by canonical name; extras are not followed."""
    found, left = set(), {canonicalize_name(name) for name in names}
    while left:
        found.add(name := left.pop())
        try:
            lines = [Requirement(line) for line in requires(name) or ()]
        except PackageNotFoundError:  # for another Python
            continue
        needed = {each.name for each in lines if each.marker is None or each.marker.evaluate({"extra": ""})}
        left |= {canonicalize_name(each) for each in needed} - found
    return found


def start(module, packages):
    """Return what a start of the program leaves on stderr with these packages alone."""
    allowed = with_requirements(packages) | {"imio-mailbridge"}
    refused = [
        name
        for name, owners in packages_distributions().items()
        if name != "imio" and not allowed & {canonicalize_name(owner) for owner in owners}
    ]
    command = [sys.executable, "-c", ALONE, module, json.dumps(refused)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stderr


@pytest.mark.parametrize("program", MODULES)
def test_a_program_needs_the_packages_of_the_page(program):
    assert start(MODULES[program], listed(program)) == ""


@pytest.mark.parametrize("program", MODULES)
def test_the_page_names_no_package_too_many(program):
    for package in listed(program):
        others = listed(program) - {package}
        if canonicalize_name(package) not in with_requirements(others):
            assert start(MODULES[program], others) != "", package


def test_options_exist():
    programs = [BIN / f"mailbridge-{name}" for name in ("explain", "fetch", "lmtp", "worker")]
    helps = [
        subprocess.run([program, "--help"], capture_output=True, text=True, timeout=60, check=False).stdout
        for program in (*programs, PACKAGE / "pipe/mailbridge-pipe")
    ]
    assert all(helps)
    text = re.sub(r"pip install --no-deps", "", PAGE)
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))
    assert len(named) > 10
    assert {option for option in named if not any(option in each for each in helps)} == set()


def test_variables_exist():
    code = "".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    named = set(re.findall(r"MAILBRIDGE_[A-Z_]+", PAGE))
    built = {f"MAILBRIDGE_SMTP_{name}" for name in ("HOST", "PASSWORD")}  # from a prefix and a name
    assert len(named) > 3
    assert {name for name in named - built if f'"{name}"' not in code} == set()


def test_fields_of_the_status_exist():
    code = (PACKAGE / "restapi/status/get.py").read_text()
    table = PAGE.partition("raise an alarm when")[2].partition("Watch beside it")[0]
    named = set(re.findall(r"^``([a-z_]+)[^`]*``", table, re.MULTILINE))
    assert {"worker", "held", "oldest_waiting", "mailboxes"} <= named
    assert {name for name in named if f'"{name}"' not in code} == set()
