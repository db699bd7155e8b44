"""No two processes of the tests are given the same port, and waiting ends."""

from pathlib import Path
from tests.servers.waiting import free_port
from tests.servers.waiting import PORTS_OF_A_PROCESS
from tests.servers.waiting import wait_for
import pytest
import socket
import subprocess
import sys


ROOT = Path(__file__).resolve().parent.parent.parent
GIVEN = "from tests.servers.waiting import free_port; print(*(free_port() for _ in range(50)))"


def test_ports_of_processes_differ():
    own = {free_port() for _ in range(50)}
    assert len(own) == 50
    done = subprocess.run([sys.executable, "-c", GIVEN], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not own & set(map(int, done.stdout.split()))


def test_a_port_that_is_taken_is_not_given():
    with socket.create_server(("127.0.0.1", free_port())) as server:
        assert server.getsockname()[1] not in {free_port() for _ in range(PORTS_OF_A_PROCESS)}


def test_waiting_ends_with_what_there_is_to_say():
    with pytest.raises(TimeoutError, match="nothing came"):
        wait_for(lambda: False, 0, lambda: "nothing came")
    assert wait_for(iter([0, 0, 3]).__next__) == 3
