"""A ZEO server."""

from contextlib import contextmanager
from pathlib import Path
from tests.servers.waiting import free_port
from tests.servers.waiting import wait_for
import socket
import subprocess
import sys


BIN = Path(sys.executable).parent
ZEO_CONF = """\
<zeo>
  address 127.0.0.1:{port}
</zeo>
<filestorage 1>
  path {var}/Data.fs
  blob-dir {var}/blobstorage
</filestorage>
"""


@contextmanager
def zeo_server(var):
    """Serve the database in the folder ``var``; yield the address of the server."""
    port = free_port()
    (var / "zeo.conf").write_text(ZEO_CONF.format(port=port, var=var))
    server = subprocess.Popen(
        [BIN / "runzeo", "-C", var / "zeo.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(lambda: not socket.socket().connect_ex(("127.0.0.1", port)))
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(60)
