"""Queues at each kind of store that huey has for them."""

from contextlib import contextmanager
from tests.servers.postgresql import postgresql_server
from tests.servers.redis import redis_server
from tests.servers.waiting import wait_for


KINDS = ("sqlite", "redis", "postgresql")


@contextmanager
def queue_url(kind, folder):
    """Yield the URL of an empty queue of a kind of ``KINDS``."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/queue.sqlite"
    elif kind == "redis":
        with redis_server(folder) as url:
            yield url
    else:
        with postgresql_server() as url:
            wait_for(lambda: _accepts(url))
            yield url


def _accepts(url):
    """Tell whether PostgreSQL is past its start."""
    import psycopg

    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True
