"""Compares the processor time of two sizes: what is quadratic shows on a loaded machine too."""

import time


def cpu_time(read, content):
    """Return the seconds of processor time that ``read(content)`` takes, the least of three runs."""
    times = []
    for _ in range(3):
        started = time.process_time()
        read(content)
        times.append(time.process_time() - started)
    return min(times)


def assert_linear(read, make, factor=8):
    """Fail when ``read(make(4))`` takes more than ``factor`` times the time of ``read(make(1))``: 16 times is quadratic."""
    small, large = cpu_time(read, make(1)), cpu_time(read, make(4))
    assert large < factor * small + 0.02, f"{small:.3f} s, {large:.3f} s"
