"""Habits of the tests: what tests share is in modules with plain names, nothing is asserted about how long something took, and
one module alone says what is skipped.
"""

from pathlib import Path
import ast
import pytest


TESTS = Path(__file__).resolve().parent.parent
MODULES = sorted(TESTS.rglob("*.py"))
CLOCKS = {"monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "time", "time_ns"}


def imported_tests(tree):
    """Return the test modules that a module imports."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names += [node.module or "", *(alias.name for alias in node.names)]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    return [name for name in names if any(part.startswith("test_") for part in name.split("."))]


def reads_clock(node, known):
    """Tell whether an expression asks the clock, or uses one of the ``known`` names that hold what it said."""
    for each in ast.walk(node):
        if isinstance(each, ast.Call):
            function = each.func
            if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
                if function.value.id == "time" and function.attr in CLOCKS:
                    return True
            elif isinstance(function, ast.Name) and function.id in CLOCKS:
                return True
        elif isinstance(each, ast.Name) and each.id in known:
            return True
    return False


def timed_assertions(tree):
    """Return the lines of the assertions about wall time; processor time (``process_time``) does not depend on the load."""
    lines = []
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        known = set()
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and reads_clock(node.value, known):
                known |= {
                    name.id
                    for target in node.targets
                    for name in ast.walk(target)
                    if isinstance(name, ast.Name)
                }
        lines += [
            node.lineno
            for node in ast.walk(function)
            if isinstance(node, ast.Assert) and reads_clock(node.test, known)
        ]
    return sorted(set(lines))


def skips(tree):
    """Tell whether a module skips tests by itself."""
    return any(
        isinstance(node, ast.Attribute) and node.attr in ("skip", "skipif", "importorskip", "xfail")
        for node in ast.walk(tree)
    )


def test_only_one_module_skips_so_that_ci_skips_nothing_unseen():
    assert [path.name for path in MODULES if skips(ast.parse(path.read_text()))] == ["required.py"]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(TESTS)))
def test_module(path):
    tree = ast.parse(path.read_text())
    assert imported_tests(tree) == []
    assert timed_assertions(tree) == []


@pytest.mark.parametrize(
    "code", ["from tests.site.test_x import y", "import tests.site.test_x", "from tests.site import test_x"]
)
def test_an_import_is_found(code):
    assert imported_tests(ast.parse(code))
    assert not imported_tests(ast.parse(code.replace("test_x", "x")))


@pytest.mark.parametrize(
    "code",
    [
        "begun = time.monotonic()\n assert time.monotonic() - begun < 3",
        "begun = perf_counter()\n took = perf_counter() - begun\n assert took < 3",
        "assert x == approx(time.time(), abs=60)",
    ],
)
def test_an_assertion_on_the_clock_is_found(code):
    assert timed_assertions(ast.parse(f"def test():\n {code}"))


@pytest.mark.parametrize(
    "code",
    [
        "deadline = time.monotonic() + 5\n while time.monotonic() < deadline:\n  wait()\n assert done",
        "begun = time.process_time()\n assert time.process_time() - begun < 5",
    ],
)
def test_other_uses_of_the_clock_are_not(code):
    assert not timed_assertions(ast.parse(f"def test():\n {code}"))
