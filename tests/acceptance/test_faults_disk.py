"""A disk is full, at each place that is written to: what was taken is whole, the rest waits, and goes on when there is room."""

from contextlib import contextmanager
from contextlib import ExitStack
from tests.mails import redirected
from tests.servers.instance import copied
from tests.servers.load import DOCUMENT
from tests.servers.load import filed
from tests.servers.load import inbox
from tests.servers.load import run_pipe
from tests.servers.load import sent
from tests.servers.required import forbidden
from tests.servers.town import clock
from tests.servers.waiting import wait_for
import os
import pytest
import shutil
import subprocess


pytestmark = pytest.mark.slow
#: Statuses of answers to mail and to an agent by the place that is full: it is taken or it is not.
TAKEN, LATER = (0, 202), (75, 500)
PLACES = {"Data.fs": LATER, "blobstorage": LATER, "tmp": LATER, "queue": TAKEN}
#: Longer than a worker may take for a PDF, in seconds.
AFTER_A_LEASE = 3600
HTML = {"Accept": "text/html"}
ROOM = 20_000_000  # bytes beside what is there


@contextmanager
def disk(place, size):
    """Mount a small disk at ``place``."""
    place.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", place]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        forbidden(f"this machine lets nobody mount a small tmpfs: {done.stderr}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


@contextmanager
def full(place):
    """Fill the disk of ``place`` to the last byte."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file:
        size = 1 << 16
        while size:
            try:
                file.write(bytes(size))
            except OSError:
                size //= 2
    try:
        yield
    finally:
        filler.unlink()


@pytest.fixture(scope="module")
def places(demo, tmp_path_factory):
    """Name → a disk of its own, for all that an instance writes."""
    folder = tmp_path_factory.mktemp("disks")
    var = demo.home / "var"
    used = sum(path.stat().st_size for path in var.rglob("*") if path.is_file())
    with ExitStack() as stack:
        yield {name: stack.enter_context(disk(folder / name, used + ROOM)) for name in PLACES}


def start(town, places, **environment):
    town.start(MAILBRIDGE_QUEUE_URL=town.queue_url, TMPDIR=str(places["tmp"]), **environment)


@pytest.fixture(scope="module")
def town(demo, tmp_path_factory, places):
    """An instance with a worker, whose files are on these disks."""
    instance = copied(demo, tmp_path_factory.mktemp("town"))
    var = instance.home / "var"
    shutil.move(var / "Data.fs", places["Data.fs"] / "Data.fs")
    shutil.copytree(var / "blobstorage", places["blobstorage"] / "blobs")
    conf = instance.home / "etc/zope.conf"
    text = conf.read_text().replace(f"{var}/Data.fs", f"{places['Data.fs']}/Data.fs")
    conf.write_text(text.replace(f"{var}/blobstorage", f"{places['blobstorage']}/blobs"))
    instance.queue_url = f"sqlite:///{places['queue']}/queue.sqlite"
    start(instance, places)
    yield instance
    instance.stop()


@pytest.fixture(autouse=True)
def smtp(town, catcher):
    town.set(smtp_port=catcher.port, undo_seconds=0)


@pytest.mark.parametrize("name", PLACES)
def test_full_disk(town, places, catcher, name):
    """Database, blobs or temporary files: a mail host keeps its mail, an agent gets an error, and nothing half is kept; pages
    can be read. Queue: all is taken, and what an agent sends waits for room. With room again, what waits goes on by itself.
    """
    # large enough for the server to put it into a temporary file
    mails = [redirected(f"{name} {number}") + os.urandom(300_000).hex().encode() for number in range(2)]
    data = {"to": ["jeanne.dupont@citizen.test"], "subject": f"{name} sortant", "body": "x"}

    def pipe():
        return [run_pipe(town.url, raw) for raw in mails]

    with full(places[name]):
        statuses = pipe()
        answer = town.post(DOCUMENT, "agent", json=data)
        assert town.get("/@@mailbridge-inbox?state=all", "chef", headers=HTML).ok
    assert set(statuses) == {PLACES[name][0]}, town.log[-3000:]
    # a process that ends leaves room for a small file, and then the e-mail is kept and sent
    assert answer.status_code in {PLACES[name][1], 202}, town.log[-3000:]
    if PLACES[name] == LATER:
        assert not [subject for subject, _state in inbox(town) if subject.startswith(name)]
        if answer.status_code != 202:
            answer = town.post(DOCUMENT, "agent", json=data)
        assert answer.status_code == 202, answer.text
    assert pipe() == [0, 0]  # as Postfix does, or a second time
    if name == "queue":
        town.sweep()
    wait_for(lambda: sent(catcher)[0], what=lambda: town.log[-3000:])
    assert sent(catcher)[0] == {f"{name} sortant": 1}
    mine = {title: times for title, times in filed(town).items() if title.startswith(name)}
    assert mine == {f"{name} {number}": 1 for number in range(2)}


def test_no_room_for_a_pdf(town, places):
    """The document is there with its original and says that the PDF is being made, until there is room and a worker tries again."""
    town.stop()
    start(town, places, MAILBRIDGE_WORKER="off")
    path = town.mail_in(redirected("Sans place")).json()["items"][0]["@id"].removeprefix(town.url)
    town.stop()
    failed = "mailbridge-render answered 500"
    before = town.log.count(failed)
    with full(places["blobstorage"]):
        start(town, places)
        town.sweep()
        wait_for(lambda: town.log.count(failed) > before, what=lambda: town.log[-3000:])
        assert "No space left on device" in town.log
        assert "Le PDF est en préparation" in town.get(f"{path}/mail/view", "agent", headers=HTML).text
        assert town.get(f"{path}/mail/@@download/file", "agent").ok
        assert town.get(f"{path}/mail/@@rendition.pdf", "agent").status_code == 404
        town.stop()
    start(town, places, **clock(AFTER_A_LEASE, pdf=True))

    def pdf():
        town.sweep()
        answer = town.get(f"{path}/mail/@@rendition.pdf", "agent")
        return answer.content if answer.ok else b""

    assert wait_for(pdf, what=lambda: town.log[-3000:]).startswith(b"%PDF")
