"""No reference is given twice, also when two count at the same time."""

from imio.mailbridge.iadocs.reference import next_number
from transaction import TransactionManager
from ZODB.POSException import ConflictError
import pytest


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


@pytest.mark.parametrize("counted_before", [0, 3])
def test_two_at_once_conflict(sites, counted_before):
    (first, site), (second, same_site) = sites
    for _count in range(counted_before):
        next_number(site)
    first.commit()
    second.begin()
    assert next_number(site) == next_number(same_site) == counted_before + 1
    first.commit()
    with pytest.raises(ConflictError):
        second.commit()
    second.abort()
    assert next_number(same_site) == counted_before + 2


def test_number_of_an_aborted_transaction_is_given_again(sites):
    (manager, site), _other = sites
    first = next_number(site)
    manager.abort()
    assert next_number(site) == first
