"""Measures what pages, services, deliveries and sweeps cost as the mail of a town grows.

Run by ``make bench``; alone: ``python -m devel.bench_growth [COUNT …] [--busy]``; 100,000 each way take some minutes to make. The
first COUNT is what the others are compared with. Sites of all sizes run at once and are asked in turn, round by round: a figure is
the best round's median. Ratios are of the processor's time: on a busy machine it tells more than the time on the clock. ``--busy``
keeps all its processors busy meanwhile.
"""

from contextlib import contextmanager
from contextlib import ExitStack
from devel.bench_incoming import row
from devel.bench_lists import make
from functools import partial
from pathlib import Path
from tests.growth import PAGE
from tests.growth import PARTS
from tests.servers.catcher import Catcher
from tests.servers.instance import BIN
from tests.servers.instance import copied
from tests.servers.instance import Instance
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time


COUNTS, ROUNDS = (100, 10_000), 5
#: How many times the cost at the first count a part may have at the others.
LIMIT = 1.3
#: What it costs to show anything at all.
ANCHOR = {"a page of Plone": lambda site: partial(site.get, "/bench-page", "agent", headers=PAGE)}
ROOT = Path(__file__).resolve().parent.parent


class Measured:
    """A site with so many messages each way, in a process of its own; use it in ``with``."""

    def __init__(self, template, folder, count):
        self.count = count
        self.instance = copied(template, folder / str(count), pdf=False)
        start = time.perf_counter()
        make(self.instance, count, "town")
        self.seconds = time.perf_counter() - start

    def __enter__(self):
        conf, script = self.instance.home / "etc/zope.conf", ROOT / "devel/growth_site.py"
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
        self._process = subprocess.Popen(
            [BIN / "zconsole", "run", conf, script],
            env={**os.environ, "MAILBRIDGE_WORKER": "off", "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(self.instance.home / "var/log/console.log").open("w"),
            text=True,
        )
        return self

    def __exit__(self, *_exception):
        self._process.stdin.close()
        self._process.wait(60)

    def ask(self, line):
        """Return the answer to a line; see ``growth_site``."""
        print(line, file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        assert answer, (self.instance.home / "var/log/console.log").read_text()[-3000:]
        return json.loads(answer)


@contextmanager
def busy():
    """Keep all processors busy."""
    command = [sys.executable, "-c", "while True: pass"]
    processes = [subprocess.Popen(command) for _each in range(os.cpu_count())]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def measure(sites, parts, rounds=ROUNDS):
    """Return part → for each site a dict of ``ms``, ``processor`` (ms too), ``loads`` and ``written`` (bytes)."""
    found = {part: [site.ask(part) for site in sites] for part in parts}  # compiles templates
    for part in parts:
        for figures, site in zip(found[part], sites, strict=True):
            figures.update(site.ask(f"cold {part}"))
    for _round in range(rounds):
        for part in parts:
            for figures, site in zip(found[part], sites, strict=True):
                figures.update({name: min(value, figures[name]) for name, value in site.ask(part).items()})
    return found


def show(found, sites):
    """Print what was found of each part; return those that grow beyond the limit."""
    head = "  ".join(f"{site.count:>8,}" for site in sites)
    print(f"{'ms, messages each way':<34}{head}  ratio   ms of processor; objects loaded; bytes written")
    grown = []
    for part, figures in found.items():
        ratio = max(each["processor"] for each in figures) / figures[0]["processor"]
        if ratio > LIMIT:
            grown.append(part)
        times = "  ".join(f"{each['ms']:>8.1f}" for each in figures)
        rest = "; ".join(
            " → ".join(f"{each[name]:.0f}" for each in figures) for name in ("processor", "loads", "written")
        )
        mark = "*" if ratio > LIMIT else " "
        print(f"{part:<34}{times}  {ratio:>5.2f}{mark}  {rest}", flush=True)
    return grown


def main(counts=COUNTS, is_busy=False, rounds=ROUNDS):
    """Print the table."""
    with tempfile.TemporaryDirectory() as name, Catcher() as catcher, ExitStack() as stack:
        folder = Path(name)
        template = Instance(folder / "demo", pdf=False)
        template.make(catcher.port)
        sites = [Measured(template, folder, count) for count in counts]
        for site in sites:
            stack.enter_context(site)
            row(f"{site.count:,} messages each way made", f"{site.seconds:.0f}", "s")
        idle = [site.ask("memory") for site in sites]
        if is_busy:
            stack.enter_context(busy())
        grown = show(measure(sites, {**ANCHOR, **PARTS}, rounds), sites)
        row(f"of {len(PARTS)} parts cost more than {LIMIT} times as much", len(grown), "parts")
        for site, before in zip(sites, idle, strict=True):
            note = f"{before / 1e6:.0f} before anything was asked"
            row(f"  memory of the process, {site.count:,}", f"{site.ask('memory') / 1e6:.0f}", "MB", note)
        sizes = [site.ask("pack") for site in sites]
        for site, size in zip(sites[1:], sizes[1:], strict=True):
            pair = (size - sizes[0]) / (site.count - counts[0])
            row(f"  bytes of a pair in the packed database, {site.count:,}", f"{pair:.0f}", "bytes")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="bench_growth", description=main.__doc__)
    parser.add_argument("counts", nargs="*", type=int, default=COUNTS)
    parser.add_argument("--busy", action="store_true", help="keep all processors busy")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    main(arguments.counts, arguments.busy, arguments.rounds)
