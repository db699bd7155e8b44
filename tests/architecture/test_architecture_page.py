"""``docs/architecture.rst`` names rooms, features and modules that exist, and walks that only go down."""

from pathlib import Path
import ast
import pytest
import re
import tomllib


ROOT = Path(__file__).resolve().parent.parent.parent
SRC = ROOT / "src" / "imio" / "mailbridge"
PAGE = (ROOT / "docs" / "architecture.rst").read_text()
#: Steps that no import leads to: the queue runs the one, a port the other.
DOORS = {"delivery/deliver", "iadocs/filing"}


def rooms():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = [each["layers"] for each in contracts if each["id"] == "layers"]
    return [re.findall(r"imio\.mailbridge\.(\w+)", layer) for layer in layers]


def walk(title):
    section = PAGE.split(f"\n{title}\n---", 1)[1].split("\n---", 1)[0]
    return re.findall(r"^#\. ``([\w/]+)``", section, re.MULTILINE)


def imported_by(module):
    """Return the modules of ours that one imports, as paths from the package."""
    found = set()
    for node in ast.walk(ast.parse((SRC / f"{module}.py").read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("imio.mailbridge."):
            path = node.module.removeprefix("imio.mailbridge.").replace(".", "/")
            found |= {path, *(f"{path}/{each.name}" for each in node.names)}
    return found


def test_the_rooms_are_drawn_in_the_order_of_the_contract():
    drawing = PAGE.split("(``pyproject.toml``). ::\n\n", 1)[1].split("\n\n", 1)[0]
    assert [sorted(line.split()) for line in drawing.splitlines()] == [sorted(layer) for layer in rooms()]
    table = re.findall(r"^``(\w+)`` +\S", PAGE, re.MULTILINE)
    assert sorted(table) == sorted(room for layer in rooms() for room in layer)


@pytest.mark.parametrize("title", ["One message in", "One message out"])
def test_a_message_is_read_downwards_in_at_most_eight_modules(title):
    steps = walk(title)
    assert 6 <= len(steps) <= 8
    for number, step in enumerate(steps[1:], 1):
        assert step in DOORS or any(step in imported_by(before) for before in steps[:number]), step


def test_what_the_page_names_exists():
    known = {room for layer in rooms() for room in layer}
    named = [name for name in re.findall(r"``([a-z_]+(?:/[a-z_]+)+)``", PAGE) if name.split("/")[0] in known]
    assert len(named) > 20
    assert [name for name in named if not ((SRC / f"{name}.py").is_file() or (SRC / name).is_dir())] == []


def test_each_diagram_of_crashes_is_named():
    section = PAGE.split("\nCrashes\n", 1)[1].split("\nWhat zope", 1)[0]
    drawn = {str(path.relative_to(SRC))[:-3] for path in SRC.rglob("*.py") if "✝1" in path.read_text()}
    assert drawn <= set(re.findall(r"^``(\S+)``", section, re.MULTILINE))


def test_each_feature_has_a_folder():
    table = PAGE.split("\nFeatures\n", 1)[1].split("\nOne message in\n", 1)[0]
    folders = re.findall(r"``([\w/]+)``$", table, re.MULTILINE)
    assert len(folders) > 20
    assert [name for name in folders if not (SRC / name).is_dir()] == []
    described = {name.split("/")[0] for name in folders}
    assert {room for layer in rooms() for room in layer} - described == {
        "setuphandlers",
        "testing",
        "store",
        "upgrades",
    }
