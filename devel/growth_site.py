"""Run by ``zconsole run`` for ``bench_growth``: measures one part of ``tests.growth`` for each line of standard input.

A line is the name of a part, which is then measured with the caches as they are; ``cold`` and a name: with empty ones; or it is
``memory`` or ``pack``. An answer is a line of JSON.
"""

from devel.bench_growth import ANCHOR
from tests.growth import asked
from tests.growth import PARTS
from tests.publisher import Publisher
from zope.component.hooks import setSite
import json
import statistics
import sys
import time


#: Times that a part is asked for, unless it takes long, in seconds.
REPEATED, LONG = 3, 1


def warm(site, part):
    """Return the median milliseconds of a part, on the clock and of the processor."""
    times, used = [], []
    while len(times) < REPEATED and sum(times) < LONG:
        run = PARTS[part](site)
        start, begun = time.perf_counter(), time.process_time()
        answer = run()
        times.append(time.perf_counter() - start)
        used.append(time.process_time() - begun)
        assert answer.status_code < 300, (part, answer.status_code, answer.text[-1000:])
    return {"ms": statistics.median(times) * 1000, "processor": statistics.median(used) * 1000}


def cold(site, part):
    """Return how many objects a part loads, and how many bytes it writes to the database beside blobs."""
    before = site.database.getSize()
    _answer, loads = asked(site, part)
    return {"loads": loads, "written": site.database.getSize() - before}


def memory():
    """Return the memory of this process in bytes."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))


def main(app):
    """Answer until standard input ends."""
    PARTS.update(ANCHOR)
    setSite(app["iadocs"])
    site = Publisher("/iadocs", app._p_jar.db())
    for line in map(str.strip, sys.stdin):
        if line == "memory":
            answer = memory()
        elif line == "pack":
            site.database.pack()
            answer = site.database.getSize()
        elif line.startswith("cold "):
            answer = cold(site, line.removeprefix("cold "))
        else:
            answer = warm(site, line)
        print(json.dumps(answer), flush=True)


if "app" in globals():  # given by zconsole
    main(globals()["app"])
