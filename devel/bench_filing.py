"""Measures filing in parallel, as a town runs it: web processes on a ZEO server, Redis as their queue, pipes that post at once.

Each cell is a number of messages with one attachment, all different, redirected and filed in the request: messages a second,
conflicts, answers that are no 2xx. ``--conflicts`` says of which objects the conflicts were. Nothing renders meanwhile. Run by
``make bench``; alone: ``python -m devel.bench_filing``.
"""

from Acquisition import aq_base
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from devel.bench_incoming import row
from pathlib import Path
from tests.mails import redirected
from tests.mails import TRUSTED
from tests.servers.instance import Instance
from tests.servers.redis import redis_server
from tests.servers.zeo import zeo_server
from ZODB import DB
from ZODB.FileStorage import FileStorage
from ZODB.serialize import get_refs
from ZODB.utils import p64
import contextlib
import itertools
import re
import statistics
import sys
import tempfile
import time


#: Messages of one cell, and how often the whole table is measured; the median counts.
COUNT, ROUNDS = 48, 3
PROCESSES, PIPES = (1, 2), (1, 2, 4, 8)
_CONFLICT = re.compile(r"made again, try \d+: .*?(?:oid (0x[0-9a-f]+))")
_numbers = itertools.count()


def _message(number):
    """Return a message that nobody sent before, from somebody who sent none."""
    return redirected(f"Demande {number}", From=f"Jeanne Dupont <citizen{number}@citizen.test>")


def measure(instances, pipes, count=COUNT, **headers):
    """Post ``count`` messages by ``pipes`` at once, to each of ``instances`` in turn; return messages/s and the statuses."""
    messages = [_message(next(_numbers)) for _count in range(count)]
    turns = itertools.cycle(instances)

    def post(raw, instance):
        return instance.post("/@@mail-in", "gateway", data=raw, headers={**TRUSTED, **headers}).status_code

    with ThreadPoolExecutor(pipes) as pool:
        start = time.perf_counter()
        statuses = Counter(pool.map(post, messages, [next(turns) for _message in messages]))
        return count / (time.perf_counter() - start), statuses


def conflicts(instances):
    """Return the oids that conflicts were met at, as they were logged so far."""
    return [oid for instance in instances for oid in _CONFLICT.findall(instance.log)]


def names(data, oids):
    """Return the way from the root to each object of a database file: names of attributes and classes."""
    database = DB(FileStorage(str(data), read_only=True, blob_dir=str(data.parent / "blobstorage")))
    connection, above, new = database.open(), {p64(0): None}, [p64(0)]
    while new:
        oid = new.pop(0)
        for target, _class in get_refs(database.storage.load(oid)[0]):
            if target not in above:
                above[target] = oid
                new.append(target)
    found = {oid: _way(connection, above, oid) for oid in oids}
    connection.close()
    database.close()
    return found


def _way(connection, above, oid):
    way, child = "", None
    while oid is not None:
        each = connection.get(oid)
        each._p_activate()
        held = next(
            (key for key, value in getattr(each, "__dict__", {}).items() if aq_base(value) is child), ""
        )
        held = held or (hasattr(each, "id") and str(each.id)) or ""
        way = f"{type(each).__name__} {held}/{way}"
        child, oid = each, above[oid]
    return way


def table(instances):
    """Return the rates of each cell, and its conflicts and statuses: one round."""
    found = {}
    for pipes in PIPES:
        for processes in PROCESSES:
            before = len(conflicts(instances))
            rate, statuses = measure(instances[:processes], pipes)
            found[processes, pipes] = rate, len(conflicts(instances)) - before, statuses
    return found


def report(rounds):
    """Print the median of each cell, with all conflicts and refusals."""
    rates = {cell: statistics.median(each[cell][0] for each in rounds) for cell in rounds[0]}
    for (processes, pipes), rate in sorted(rates.items()):
        cells = [each[processes, pipes] for each in rounds]
        refused = sum(n for _rate, _met, found in cells for status, n in found.items() if status // 100 != 2)
        met = sum(met for _rate, met, _found in cells)
        note = f"{met} conflicts, {refused} refused, of {COUNT * len(rounds)}; {rate / rates[1, 1]:.2f} of the first"
        row(f"file: {processes} process(es), {pipes} pipe(s)", f"{rate:.1f}", "messages/s", note)
    for pipes in PIPES:
        ratios = [each[2, pipes][0] / each[1, pipes][0] for each in rounds]
        print(f"  2 processes to 1, {pipes} pipe(s): " + " ".join(f"{ratio:.2f}" for ratio in ratios))
    ratios = [each[1, 8][0] / each[1, 1][0] for each in rounds]
    print("  8 pipes to 1, one process: " + " ".join(f"{ratio:.2f}" for ratio in ratios), flush=True)


def main():
    """Print the table."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "redis").mkdir()
        queue = {
            "MAILBRIDGE_QUEUE_URL": stack.enter_context(redis_server(folder / "redis")),
            "MAILBRIDGE_QUEUE_KEY": "bench",
        }
        made = Instance(folder / "made")
        made.make()
        zeo = stack.enter_context(zeo_server(made.home / "var"))
        instances = [
            Instance(folder / name, zeo, pdf=False, MAILBRIDGE_WORKER="off", **queue)
            for name in ("one", "two")
        ]
        for instance in instances:
            stack.callback(instance.stop)
            instance.start()
        instances[0].set(max_per_sender=0, max_deliveries=0, max_volume=0)
        measure(instances, 2)  # caches are filled
        before = len(conflicts(instances))
        report([table(instances) for _round in range(ROUNDS)])
        accepted, _statuses = measure(instances[:1], 8, Prefer="respond-async")
        row("  accepted only, 1 process, 8 pipes", f"{accepted:.1f}", "messages/s")
        if "--conflicts" in sys.argv:
            oids = [p64(int(oid, 16)) for oid in conflicts(instances)[before:]]
            ways = names(made.home / "var/Data.fs", set(oids))
            met = Counter(map(ways.get, oids))
            for way, number in met.most_common(30):
                print(f"{number:>6} {way}")


if __name__ == "__main__":
    main()
