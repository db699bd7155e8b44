"""No reference is given twice, also when many count at the same time, and none is lost that nobody used."""

from concurrent.futures import ThreadPoolExecutor
from imio.mailbridge.iadocs import reference
from imio.mailbridge.iadocs.reference import next_number
from transaction import TransactionManager
from ZODB.POSException import ConflictError
import pytest
import threading
import time


@pytest.fixture
def sites(functional_portal):
    """Return two views of the site, each with a transaction of its own."""
    opened = []
    database = functional_portal._p_jar.db()
    for _count in range(2):
        manager = TransactionManager()
        connection = database.open(manager)
        opened.append((manager, connection, connection.root()["Application"]["plone"]))
    yield [(manager, site) for manager, _connection, site in opened]
    for manager, connection, _site in opened:
        manager.abort()
        connection.close()


@pytest.fixture
def one(sites):
    """Return one of the views."""
    return sites[0]


class Fails:
    """A data manager that fails at one step of the commit, before or behind all others."""

    def __init__(self, manager, step, key):
        self.transaction_manager, self.key = manager, key
        setattr(self, step, self._fail)
        manager.get().join(self)

    def _fail(self, transaction):
        raise ConflictError

    def sortKey(self):
        return self.key

    def _pass(self, transaction):
        pass

    abort = tpc_begin = commit = tpc_vote = tpc_finish = tpc_abort = _pass


@pytest.mark.parametrize("counted_before", [0, 3])
def test_two_at_once_get_two_numbers(sites, counted_before):
    (first, site), (second, same_site) = sites
    for _count in range(counted_before):
        next_number(site)
    first.commit()
    second.begin()
    assert [next_number(site), next_number(same_site)] == [counted_before + 1, counted_before + 2]
    first.commit()
    second.commit()
    assert next_number(site) == counted_before + 3


def test_many_at_once_get_each_number_once(functional_portal):
    database = functional_portal._p_jar.db()

    def draw(number):
        manager = TransactionManager()
        connection = database.open(manager)
        drawn = next_number(connection.root()["Application"]["plone"])
        manager.abort() if number % 3 == 0 else manager.commit()
        connection.close()
        return 0 if number % 3 == 0 else drawn

    with ThreadPoolExecutor(8) as pool:
        used = [drawn for drawn in pool.map(draw, range(60)) if drawn]
    assert len(set(used)) == len(used) == 40
    assert max(used) <= 40 + 8  # no more are missing than were being drawn at once


def test_number_of_an_aborted_transaction_is_given_again(one):
    manager, site = one
    first = next_number(site)
    manager.abort()
    assert next_number(site) == first


def test_the_smallest_unused_number_is_given_first(sites):
    (first, site), (second, same_site) = sites
    numbers = next_number(site), next_number(same_site)
    second.abort()
    first.abort()
    assert (next_number(site), next_number(same_site)) == numbers


def test_number_of_what_was_rolled_back_is_given_again(one):
    manager, site = one
    before = manager.get().savepoint(optimistic=True)
    first = next_number(site)
    before.rollback()
    assert next_number(site) == first
    manager.commit()
    assert next_number(site) == first + 1


def test_a_rollback_to_after_the_draw_leaves_the_number(one):
    manager, site = one
    first = next_number(site)
    after = manager.get().savepoint(optimistic=True)
    assert next_number(site) == first + 1
    after.rollback()
    assert next_number(site) == first + 1


@pytest.mark.parametrize(
    ("step", "key", "is_given_again"),
    [
        ("commit", "0", True),
        ("tpc_vote", "0", True),
        ("tpc_vote", "~", True),  # as a storage that meets a conflict
        ("tpc_finish", "~~~", False),  # the database has committed
    ],
)
def test_a_commit_that_fails(one, step, key, is_given_again):
    manager, site = one
    first = next_number(site)
    Fails(manager, step, key)
    with pytest.raises(ConflictError):
        manager.commit()
    manager.abort()
    assert next_number(site) == (first if is_given_again else first + 1)


def test_who_draws_waits_for_no_commit_that_waits_for_it(sites):
    """One commit is undone while it holds the storage, and somebody who draws waits for that storage."""
    (first, site), (second, same_site) = sites
    drawing = threading.Thread(target=next_number, args=(same_site,), daemon=True)

    def vote(transaction):
        drawing.start()
        time.sleep(0.5)
        raise ConflictError

    number = next_number(site)
    Fails(first, "tpc_vote", "~").tpc_vote = vote
    site.title = "Another"

    def commit():
        with pytest.raises(ConflictError):
            first.commit()
        first.abort()

    committing = threading.Thread(target=commit, daemon=True)
    committing.start()
    for thread in (committing, drawing):
        thread.join(30)
        assert not thread.is_alive()
    second.abort()
    assert next_number(site) == number


def test_another_process_gets_none_that_was_drawn(one, monkeypatch):
    _manager, site = one
    first = next_number(site)
    monkeypatch.setattr(reference, "_draws", type(reference._draws)())
    assert next_number(site) == first + 1


def test_a_site_that_is_being_made_counts_by_itself(functional_app):
    from Products.CMFPlone.Portal import PloneSite

    site = PloneSite("new")
    assert [next_number(site), next_number(site)] == [1, 2]
