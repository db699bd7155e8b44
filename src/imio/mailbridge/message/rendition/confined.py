"""Runs a program of this package on hostile input, in a child process that cannot take more than it is given.

A child has limits of processor time, address space, output and elapsed time, a low priority, and is the first to end when memory
is short (``oom_score_adj``, proc(5)); it knows no proxy. What it says when it fails is for the log.
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO
import os
import resource
import signal
import subprocess
import sys


@dataclass(frozen=True)
class Bounds:
    """What a child may take: ``processor`` time in seconds, ``memory`` (address space) and ``output`` in bytes."""

    processor: int
    memory: int
    output: int


class ProgramFailed(Exception):
    """The program did not end well on this input; the argument says how."""


class LimitExceeded(ProgramFailed):
    """The program took more than it may; the argument names what."""


class Unfinished(Exception):
    """The program was not done in time, or did not get so far as to read its input: the machine's fault, not the input's."""


#: What a program says before it reads anything.
_CONFINED = b"confined\n"
_SIGNALS = {
    signal.SIGXCPU: "processor time",
    signal.SIGKILL: "memory or processor time",
    signal.SIGABRT: "memory",
    signal.SIGSEGV: "memory",
    signal.SIGXFSZ: "output",
}


def confine(bounds: Bounds) -> None:
    """Take the limits upon this process; a program calls it before it reads anything."""
    resource.setrlimit(resource.RLIMIT_AS, (bounds.memory, bounds.memory))
    resource.setrlimit(resource.RLIMIT_CPU, (bounds.processor, bounds.processor + 2))
    resource.setrlimit(resource.RLIMIT_FSIZE, (bounds.output, bounds.output))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(5)
    with suppress(OSError):  # not on Linux, or not allowed: the limits above hold
        Path("/proc/self/oom_score_adj").write_text("1000")
    os.write(sys.stderr.fileno(), _CONFINED)


def write(*pieces: bytes) -> None:
    """Write to standard output, all or with an error: without its buffer (``PYTHONUNBUFFERED``) Python may write a part."""
    with open(sys.stdout.fileno(), "wb", closefd=False) as target:
        target.writelines(pieces)


def run(program: str, source: BinaryIO, target: BinaryIO, seconds: int, *arguments: str) -> None:
    """Run a Python file that confines itself, for ``seconds`` at most.

    ``source`` is its input and ``target`` its output, emptied before: real files, both from their beginning. Errors:
    ``LimitExceeded``, ``ProgramFailed``, ``Unfinished``; ``target`` may then hold a part of the output.
    """
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    # A buildout's eggs are known to this process only.
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    source.seek(0)
    target.seek(0)
    target.truncate()
    os.lseek(
        source.fileno(), 0, os.SEEK_SET
    )  # what the object has read ahead is not the position of the file
    with TemporaryFile() as said:
        try:
            done = subprocess.run(  # noqa: S603 - a file of this package
                [sys.executable, "-P", program, *arguments],
                stdin=source,
                stdout=target,
                stderr=said,
                timeout=seconds,
                env=environment,
                check=False,
            )
        except (subprocess.TimeoutExpired, OSError) as error:
            raise Unfinished(str(error)) from error
        if done.returncode == 0:
            return
        said.seek(0)
        was_confined = said.read(len(_CONFINED)) == _CONFINED
        said.seek(max(said.tell(), said.seek(0, os.SEEK_END) - 2000))
        lines = said.read().decode("utf-8", "replace").strip().splitlines()
    last = lines[-1][:300] if lines else f"it ended with status {done.returncode}"
    if not was_confined:
        raise Unfinished(last)
    if done.returncode < 0 and -done.returncode in _SIGNALS:
        raise LimitExceeded(_SIGNALS[signal.Signals(-done.returncode)])
    if last.startswith("MemoryError"):
        raise LimitExceeded("memory")
    if last.startswith("OSError: [Errno 27]"):  # EFBIG
        raise LimitExceeded("output")
    raise ProgramFailed(last)
