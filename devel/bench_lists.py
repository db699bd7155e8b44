"""Measures the list of mail and the search with many documents.

Run by ``make bench``; alone: ``python -m devel.bench_lists [COUNT]``.
Beside them stands Plone's own listing of a folder in the same run: what the page around costs.
"""

from devel.bench_incoming import row
from pathlib import Path
from tests.servers.instance import BIN
from tests.servers.instance import Instance
import os
import statistics
import subprocess
import sys
import tempfile
import time


COUNT, ROUNDS = 10_000, 15
ROOT = Path(__file__).resolve().parent.parent
#: Where Linux keeps files in memory.
MEMORY = Path("/dev/shm")


def make(instance, count, script="many_mails"):
    """Run a script of this folder in the console of the stopped instance; return the last word that it prints."""
    command = [BIN / "zconsole", "run", instance.home / "etc/zope.conf", ROOT / f"devel/{script}.py"]
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    environment = {**os.environ, "MAILBRIDGE_WORKER": "off", "PYTHONPATH": path}
    if MEMORY.is_dir():
        environment["TMPDIR"] = str(MEMORY)  # a blob begins as a temporary file
    done = subprocess.run(
        [*command, "--", str(count)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return (done.stdout.split() or [""])[-1]


def _milliseconds(instance, path):
    """Return the median time of a page, after one that fills the caches, and that first one's."""
    times = []
    for _round in range(ROUNDS + 1):
        start = time.perf_counter()
        answer = instance.get(path, "agent", headers={"Accept": "text/html"})
        times.append((time.perf_counter() - start) * 1000)
        assert answer.status_code == 200, answer.status_code
    return statistics.median(times[1:]), times[0]


def main(count=COUNT):
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        instance = Instance(Path(folder), pdf=False)
        instance.make()
        start = time.perf_counter()
        word = make(instance, count)
        row(f"{count} mails made", f"{time.perf_counter() - start:.0f}", "s")
        instance.start(MAILBRIDGE_WORKER="off")
        try:
            plain, _first = _milliseconds(instance, "/incoming-mail/bench-000/listing_view")
            row("Plone's listing of a folder with 200 of them", f"{plain:.0f}", "ms")
            for what, path in (
                ("list of all, first page", "/incoming-mail"),
                ("list of all, page 100", "/incoming-mail?b_start:int=3000"),
                ("  sorted by sender", "/incoming-mail?sort=name"),
                ("  mine, without service", "/incoming-mail?agent=me&service=-"),
                ("  of one state and month", "/incoming-mail?state=created&from=2026-11-01&to=2026-11-30"),
                ("  not answered", "/incoming-mail?answered=no"),
                ("  a word of the text", f"/incoming-mail?q={word}"),
                ("  a word of all", "/incoming-mail?q=demande"),
                ("list of a period", "/incoming-mail/bench-000"),
                ("Plone's search, a word of the text", f"/@@search?SearchableText={word}"),
                ("Plone's live search", f"/@@ajax-search?SearchableText={word}"),
            ):
                median, first = _milliseconds(instance, path)
                row(what, f"{median:.0f}", "ms", f"first {first:.0f}; ratio {median / plain:.2f}")
        finally:
            instance.stop()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
