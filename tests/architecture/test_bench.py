"""``make bench`` prints the whole table."""

from devel import bench
from devel import bench_filing
from devel import bench_gateway
from devel import bench_growth
from devel import bench_incoming
from devel import bench_lists
from devel import bench_pages
from devel import bench_sending
from devel import bench_throughput
from devel import bench_waiting


def test_every_part_is_run(monkeypatch):
    ran = []
    parts = (
        (bench, "site"),
        (bench_filing, "main"),
        (bench_gateway, "main"),
        (bench_growth, "main"),
        (bench_incoming, "main"),
        (bench_lists, "main"),
        (bench_pages, "main"),
        (bench_sending, "main"),
        (bench_throughput, "main"),
        (bench_waiting, "main"),
    )
    for home, name in parts:
        monkeypatch.setattr(home, name, lambda home=home: ran.append(home))
    bench.main()
    assert ran == [
        bench_incoming,
        bench_filing,
        bench_lists,
        bench_pages,
        bench_gateway,
        bench,
        bench_sending,
        bench_waiting,
        bench_growth,
        bench_throughput,
    ]
