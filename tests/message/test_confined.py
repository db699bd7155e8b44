"""A program that reads hostile input takes no more than it is given, whatever it does."""

from imio.mailbridge.message.rendition import confined
from tempfile import TemporaryFile
import pytest


PROGRAM = """
from imio.mailbridge.message.rendition.confined import Bounds, confine, write
import os, sys
confine(Bounds(processor=1, memory=400 << 20, output=1 << 20))
"""
ENDS = {
    "processor time": "while True: pass",
    "memory": "x = b'x' * (1 << 30)",
    "output": "write(b'x' * (2 << 20))",
    "it ended with status 3": "os._exit(3)",
    "ValueError: bad": "raise ValueError('bad')",
}


def run(tmp_path, code, seconds=60):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM + code)
    with TemporaryFile() as source, TemporaryFile() as target:
        source.write(b"input")
        target.write(b"of an earlier run")
        confined.run(str(program), source, target, seconds)
        target.seek(0)
        return target.read()


@pytest.mark.parametrize("said", ENDS)
def test_end_is_told_by_its_cause(tmp_path, said):
    with pytest.raises(confined.ProgramFailed, match=f"^{said}$") as raised:
        run(tmp_path, ENDS[said])
    assert isinstance(raised.value, confined.LimitExceeded) is (
        said in ("processor time", "memory", "output")
    )


def test_what_is_written_replaces_what_was_there(tmp_path):
    assert run(tmp_path, "sys.stdout.write(sys.stdin.read().upper())") == b"INPUT"


def test_machine_that_is_too_slow_is_not_the_fault_of_the_input(tmp_path):
    with pytest.raises(confined.Unfinished):
        run(tmp_path, "import time; time.sleep(60)", seconds=2)


def test_program_that_cannot_begin_is_not_the_fault_of_the_input(tmp_path, monkeypatch):
    monkeypatch.setattr(confined.sys, "executable", str(tmp_path / "missing"))
    with pytest.raises(confined.Unfinished):
        run(tmp_path, "")


def test_child_yields_to_others(tmp_path):
    code = "sys.stdout.write(f'{os.nice(0)} ' + open('/proc/self/oom_score_adj').read())"
    nice, oom = run(tmp_path, code).decode().split()
    assert int(nice) >= 5
    assert int(oom) == 1000


def test_child_knows_no_proxy(tmp_path, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert run(tmp_path, "print([name for name in os.environ if 'proxy' in name.lower()])") == b"[]\n"
