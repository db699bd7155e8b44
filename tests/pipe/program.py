"""Runs mailbridge-pipe as Postfix does, and reads what it says."""

from imio.mailbridge.pipe import mailbridge_pipe
from pathlib import Path
from typing import NamedTuple
import re
import subprocess
import sys


PIPE = Path(mailbridge_pipe.__file__).with_name("mailbridge-pipe")
MESSAGE = b"From: a@citizen.test\nSubject: hello\n\nhello\n"
TEMPORARY = re.compile(rb"4\.\d\.\d \S")


class Result(NamedTuple):
    status: int
    output: bytes  # of both streams in the order of writing: what Postfix looks at

    @property
    def deferred(self):
        return self.status == 75 and TEMPORARY.match(self.output) is not None


def start(*arguments, pipe=PIPE, env=None, **options):
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **options}
    env = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", **(env or {})}
    return subprocess.Popen([pipe, *arguments], env=env, **options)


def run(*arguments, message=MESSAGE, retries=0, **options):
    """Run the pipe to its end; it tries once, unless ``retries`` is None or another number."""
    if "stdin" in options:
        message = None
    if "--url" in arguments and retries is not None:
        arguments = (*arguments, "--retries", str(retries))
    with start(*arguments, **options) as process:
        output, _ = process.communicate(message, timeout=30)
    return Result(process.returncode, output)
