"""``make bench`` prints the whole table."""

from devel import bench
from devel import bench_incoming
from devel import bench_sending


def test_every_part_is_run(monkeypatch):
    ran = []
    for home, name in ((bench, "site"), (bench_incoming, "main"), (bench_sending, "main")):
        monkeypatch.setattr(home, name, lambda home=home: ran.append(home))
    bench.main()
    assert ran == [bench_incoming, bench, bench_sending]
