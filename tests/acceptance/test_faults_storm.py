"""Many mail hosts hand over at once, to one address: the same message, and different ones."""

from concurrent.futures import ThreadPoolExecutor
from tests.servers.load import filed
from tests.servers.load import inbox
from tests.servers.load import Load
import pytest


pytestmark = pytest.mark.slow
PIPES = 8


def test_eight_pipes_at_once(processes):
    """Nothing: each message is one document, however many pipes bring it, to whichever instance. A pipe that is told to try later
    does so, and is taken then.
    """
    load = Load(processes.one, processes.two)
    subjects = [f"Le même {number}" for number in range(3) for _pipe in range(PIPES)]
    subjects += [f"Un autre {number}" for number in range(PIPES * 3)]
    with ThreadPoolExecutor(PIPES) as pool:
        list(pool.map(load.hand_over, subjects))
    print(load.answers)
    assert inbox(processes.one) == {(subject, "filed"): 1 for subject in subjects}
    documents = processes.one.get(
        "/@search?portal_type=dmsincoming_email&fullobjects=1&b_size=500", "admin"
    ).json()["items"]
    assert dict.fromkeys(subjects, 1).items() <= filed(processes.one).items()
    numbers = [document["internal_reference_no"] for document in documents]
    assert len(set(numbers)) == len(numbers)
