"""What a test needs from the machine: without it the test fails in CI, and is skipped elsewhere. No other module skips a test."""

import os
import pytest
import shutil


SYSTEM_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"  # not on the PATH of every user


def required(binary, package):
    """Return the path of ``binary``, or end the test and say which Debian ``package`` has it."""
    path = shutil.which(binary) or shutil.which(binary, path=SYSTEM_FOLDERS)
    if path is None:
        missing(f"{binary} is not installed: apt-get install {package}")
    return path


def missing(reason):
    """End the test: failed where CI=true, because a run that skips proves nothing; else skipped."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def forbidden(reason):
    """Skip the test, in CI too: the machine forbids what it needs, and nothing that is installed would change that."""
    pytest.skip(reason)
