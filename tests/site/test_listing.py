"""Lists find records by facets, by time and by words, in the order of time, as a plain list of all would."""

from datetime import datetime
from datetime import timedelta
from datetime import UTC
from imio.mailbridge.store import words
from imio.mailbridge.store.store import key_at
from imio.mailbridge.store.store import Record
from imio.mailbridge.store.store import Store
from imio.mailbridge.store.store import time_at
from imio.mailbridge.store.words import matches
from imio.mailbridge.store.words import terms_of
from imio.mailbridge.store.words import words_of
from transaction import TransactionManager
from ZODB.DemoStorage import DemoStorage
import pytest
import random
import ZODB


BEGIN = datetime(2026, 11, 1, 12, tzinfo=UTC)
STATES = ("new", "done", "lost")


class Letter(Record):
    def __init__(self, number, state="new", colour="red", text=""):
        super().__init__(f"id{number}", state)
        self.created = BEGIN + timedelta(seconds=number)
        self.colour, self.text = colour, text

    @property
    def facets(self):
        return (self.state, self.colour)

    @property
    def searched(self):
        return self.text


class Letters(Store):
    PASSING = frozenset({"new"})


class BusyLetters(Letters):
    BUSY = Letters.PASSING


@pytest.fixture(autouse=True)
def one_is_worth_a_step(monkeypatch):
    monkeypatch.setattr(words, "WORTH", 1)


def of(store, *states):
    """Return what a list finds, the slow way."""
    found = [each for each in store.records.values() if not states or each.state in states]
    return [each.id for each in sorted(found, key=lambda each: each.created, reverse=True)]


@pytest.mark.parametrize("kind", [Letters, BusyLetters])
@pytest.mark.parametrize("seed", range(40))
def test_lists_are_those_of_all_records(seed, kind):
    store, choose = kind(), random.Random(seed)
    for _ in range(seed * 3):
        number, state = choose.randrange(30), choose.choice((*STATES, "gone"))
        colour = choose.choice(("red", "blue"))
        record = store.get(f"id{number}")
        if record is None:
            store.add(Letter(number, colour=colour))
        elif state == "gone":
            store.remove(record)
        else:
            record.colour = colour
            store.set_state(record, state)
    assert list(store.newest_ids()) == of(store)
    for states in ((), ("new",), ("done", "lost")):
        found = store.newest_ids(*states)
        assert (list(found), len(found)) == (of(store, *states), len(of(store, *states)))
        assert found[1:3] == of(store, *states)[1:3]
        if states:
            assert store.count(*states) == len(found)
        for place, id in enumerate(of(store, *states)):
            assert (id in found, found.index(id), found[place]) == (True, place, id)
            rest = of(store, *states)
            expected = (rest[place + 1 :] or rest[:place][-1:] or [""])[0]
            assert found.after(id) == expected
    assert store.counts() == {state: len(of(store, state)) for state in STATES if of(store, state)}
    assert len(store) == len(of(store))


def test_a_list_says_what_is_not_there():
    store = Letters()
    store.add(Letter(1))
    found = store.newest_ids("done")
    assert (bool(found), len(found), list(found), found.after("id1")) == (False, 0, [], "")
    with pytest.raises(IndexError):
        found[0]
    with pytest.raises(ValueError, match="id1"):
        found.index("id1")
    assert "nobody" not in store.newest_ids()
    with pytest.raises(KeyError):
        store.add(Letter(1))


def test_keys_are_times():
    at = datetime(2026, 3, 1, 1, 2, 3, 456789, UTC)
    assert time_at(key_at(at)) == at
    assert key_at(at + timedelta(microseconds=1)) < key_at(at), "the newest first"
    store = Letters()
    for number in (1, 2):
        record = Letter(number)
        record.created = at
        store.add(record)
    assert len({store.get(id).key for id in ("id1", "id2")}) == 2, "made in the same microsecond"


def test_a_list_between_two_times():
    store = Letters()
    for number in range(10):
        store.add(Letter(number))
    cells = store.listing.cells("new")
    low, high = store.get("id7").key, store.get("id3").key
    assert list(store.in_cells(cells, low, high)) == ["id6", "id5", "id4"]
    assert list(store.everything(low)) == [f"id{number}" for number in range(6, -1, -1)]
    assert len(store.everything(None, high)) == 6
    assert list(store.newest_ids().since(store.get("id2").key)) == ["id2", "id1", "id0"]
    assert [each.id for each in store.oldest_first("new", before=BEGIN + timedelta(seconds=3))] == [
        "id0",
        "id1",
        "id2",
    ]
    assert store.oldest("new") == BEGIN


@pytest.mark.parametrize(
    ("text", "search", "is_found"),
    [
        ("Demande de permis", "PERM", True),
        ("Demande de permis", "permis demande", True),
        ("Demande de permis", "permis facture", False),
        ("Demande de permis", "de", True),
        ("Demande de permis", "d", False),
        ("Échéance dépassée", "echeance depasse", True),
        ("Jeanne <jeanne.dupont@citizen.test>", "jeanne.dupont@citizen.test", True),
        ("Jeanne <jeanne.dupont@citizen.test>", "jeanne.dupont@", True),
        ("Jeanne <jeanne.dupont@citizen.test>", "dupont@citizen.test", False),
        ("Jeanne <jeanne.dupont@citizen.test>", "dupont citizen", True),
        ("Straße", "STRASSE", True),
        ("x", "*** %", False),
    ],
)
def test_what_a_search_finds(text, search, is_found):
    terms = terms_of(search)
    assert (bool(terms) and matches(words_of(text), terms)) is is_found
    store = Letters()
    store.add(Letter(1, text=text))
    assert bool(store.matching(search)) is is_found, "before its words are read"
    while words.catch_up(store, key_at(BEGIN + timedelta(days=1))):
        pass
    assert store.words.size() == 1
    assert bool(store.matching(search)) is is_found, "afterwards"


def test_searches_in_what_is_read_and_in_what_is_not(monkeypatch):
    monkeypatch.setattr(words, "STEP", 3)
    store = Letters()
    for number in range(10):
        store.add(Letter(number, "done" if number % 2 else "new", text=f"permis {number % 3}"))
    before = list(store.matching("perm"))
    for _ in range(8):
        words.catch_up(store, key_at(BEGIN + timedelta(seconds=5 + 120)))
        assert list(store.matching("perm")) == before
    assert store.words.size() == 6, "the youngest are left"
    done = store.listing.of(store.listing.cells("done"))
    assert list(store.matching("permis 1", done)) == ["id7", "id1"]
    late = Letter(2.5, text="permis tardif")
    store.add(late)
    store.remove(store.get("id1"))
    for _ in range(3):
        words.catch_up(store, key_at(BEGIN + timedelta(seconds=5 + 120)))
    assert list(store.matching("tardif")) == [late.id], "committed late, and found"
    assert list(store.matching("permis 1", done)) == ["id7"], "what is gone is not found"


def test_words_that_change_are_found():
    store = Letters()
    store.add(record := Letter(1, text="avant"))
    words.catch_up(store, key_at(BEGIN + timedelta(days=1)))
    record.text = "après"
    store.set_state(record, "done")
    assert list(store.matching("apres")) == ["id1"]


def test_many_keys_are_intersected_as_few_are(monkeypatch):
    store = Letters()
    for number in range(40):
        store.add(
            Letter(
                number, "done", colour="red" if number % 3 else "blue", text="permis" if number % 2 else "x"
            )
        )
    words.catch_up(store, key_at(BEGIN + timedelta(days=1)))
    sets = store.listing.of([("done", "blue")])
    few = list(store.matching("permis", sets))
    monkeypatch.setattr("imio.mailbridge.store.listing.FEW", 2)
    assert list(store.matching("permis", sets)) == few != []


def test_a_word_is_cut_and_so_is_what_looks_for_it():
    store = Letters()
    store.add(Letter(1, text="x" * 5000))
    words.catch_up(store, key_at(BEGIN + timedelta(days=1)))
    assert list(store.matching("x" * 4000)) == ["id1"]
    assert len(words_of(" ".join(f"w{number}" for number in range(5000)))) <= words.MAX_WORDS


def test_few_records_wait_until_they_are_worth_a_step(monkeypatch):
    monkeypatch.setattr(words, "WORTH", 3)
    store, later = Letters(), key_at(BEGIN + timedelta(days=1))
    for number in range(4):
        store.add(Letter(number, text="permis"))
        words.catch_up(store, later)
        assert store.words.size() == (0, 0, 3, 3)[number]
        assert len(store.matching("permis")) == number + 1


def test_the_size_of_a_frequent_word_is_known():
    store, later = Letters(), key_at(BEGIN + timedelta(days=1))
    for number in range(30):
        store.add(Letter(number, text=f"permis {number}"))
    words.catch_up(store, later)
    assert dict(store.words.sizes) == {"permis": 30}
    store.add(Letter(31, text="permis"))
    words.catch_up(store, later)
    assert (len(store.matching("permis")), store.words.sizes["permis"]) == (31, 31)
    assert len(store.matching("perm")) == 31
    assert len(store.matching("permis 7")) == 1


def test_a_wrong_count_keeps_no_words_unread(monkeypatch):
    store, later = Letters(), key_at(BEGIN + timedelta(days=1))
    store.add(Letter(1, text="permis"))
    words.catch_up(store, later)
    store.add(Letter(2, text="facture"))
    monkeypatch.setattr(Letters, "__len__", lambda store: 7)
    words.catch_up(store, later)
    assert store.words.size() == 2


def test_who_enters_a_busy_state_does_not_conflict_with_who_leaves_it():
    """One letter leaves ``new``, where it is the only one, while another one enters."""
    database = ZODB.DB(DemoStorage())
    managers = TransactionManager(), TransactionManager()
    one, two = (database.open(manager) for manager in managers)
    store = one.root()["store"] = BusyLetters()
    for number in range(3):  # each cell is there already, as in any store that is in use
        store.add(Letter(number, state="new" if number == 2 else "done"))
    managers[0].commit()
    managers[1].begin()
    store.set_state(store.get("id2"), "done")
    managers[0].commit()
    two.root()["store"].add(Letter(4))
    managers[1].commit()
    managers[0].begin()
    assert list(store.newest_ids("new")) == ["id4"]
    assert store.counts() == {"new": 1, "done": 3}
    database.close()
