"""The operator's guide names options, variables and fields that exist; its units of systemd start what there is."""

from devel.gateway import NAME
from devel.gateway_main import USAGE
from pathlib import Path
from tests.docs.guides import DOCS
import pytest
import re
import subprocess
import sys


PAGE = (DOCS / "operator.rst").read_text()
PACKAGE = DOCS.parent / "src/imio/mailbridge"
BIN = Path(sys.executable).parent
UNITS = sorted((DOCS / "examples").glob("*.service"))


def test_options_exist():
    programs = [BIN / f"mailbridge-{name}" for name in ("explain", "fetch", "lmtp", "worker")]
    helps = [
        subprocess.run([program, "--help"], capture_output=True, text=True, timeout=60, check=False).stdout
        for program in (*programs, PACKAGE / "pipe/mailbridge-pipe")
    ]
    assert all(helps)
    helps += [USAGE, "systemctl enable --now"]
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", PAGE))
    assert len(named) > 10
    assert {option for option in named if not any(option in each for each in helps)} == set()


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_a_unit_starts_a_program_as_it_can_be_started(unit):
    text = unit.read_text()
    assert f"examples/{unit.name}" in PAGE
    assert text.startswith(f"# /etc/systemd/system/{unit.name}\n")
    words = re.search(r"^ExecStart=((?:.*\\\n)*.*)", text, re.MULTILINE)[1].replace("\\\n", "").split()
    python, isolated, file, program, *options = words
    assert (python, isolated, file) == ("/usr/bin/python3.11", "-I", f"/usr/local/lib/{NAME}")
    assert f"mailbridge-{program}" == unit.stem
    command = subprocess.run([BIN / unit.stem, "--help"], capture_output=True, text=True, check=True)
    assert {each for each in options if each.startswith("--")} <= set(
        re.findall(r"--[a-z-]+", command.stdout)
    )
    assert f"install -m 755 {NAME} /usr/local/lib/\n" in PAGE


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_a_unit_is_hardened(unit):
    said = set(unit.read_text().splitlines())
    assert said >= {
        "User=mailbridge",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateTmp=yes",
        "SystemCallFilter=@system-service",
    }


def test_variables_exist():
    code = "".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    named = set(re.findall(r"MAILBRIDGE_[A-Z_]+", PAGE))
    built = {f"MAILBRIDGE_SMTP_{name}" for name in ("HOST", "PASSWORD")}  # from a prefix and a name
    assert len(named) > 3
    assert {name for name in named - built if f'"{name}"' not in code} == set()


def test_metrics_exist_and_all_are_named():
    code = (PACKAGE / "restapi/metrics/families.py").read_text()
    table = PAGE.partition("Prometheus reads the same")[2].partition("The numbers are counts")[0]
    named = re.findall(r"``(?:mailbridge_|…)([a-z_]+)``", table)
    assert set(named) == set(re.findall(r'_gauge\(\s*"(\w+)"', code))


def test_fields_of_the_status_exist():
    code = (PACKAGE / "restapi/status/get.py").read_text()
    table = PAGE.partition("raise an alarm when")[2].partition("Watch beside it")[0]
    named = set(re.findall(r"^``([a-z_]+)[^`]*``", table, re.MULTILINE))
    assert {"worker", "held", "oldest_waiting", "mailboxes"} <= named
    assert {name for name in named if f'"{name}"' not in code} == set()
