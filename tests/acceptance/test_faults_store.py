"""The database is packed while it is in use; yesterday's backup is restored."""

from email import message_from_bytes
from tests.mails import redirected
from tests.servers.instance import BIN
from tests.servers.instance import copied
from tests.servers.load import DOCUMENT
from tests.servers.load import filed
from tests.servers.load import inbox
from tests.servers.load import Load
from tests.servers.load import run_pipe
from tests.servers.load import sent
from tests.servers.waiting import TIMEOUT
from tests.servers.waiting import wait_for
import pytest
import shutil
import subprocess
import time


pytestmark = pytest.mark.slow


def test_packed_while_in_use(processes, catcher):
    """Nothing: mail comes in and leaves meanwhile, and what was stored can be read afterwards."""
    one = processes.one
    processes.worker.start()
    command = [BIN / "zeopack", "-h", "127.0.0.1", "-p", str(processes.zeo.port), "-d", "0"]
    load = Load(one, processes.two)
    with load.running():
        for _ in range(3):
            time.sleep(2)
            done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
            assert done.returncode == 0, done.stderr
    wait_for(lambda: one.get("/@mailbridge-status", "chef").json()["outbox"] == {"sent": len(load.entered)})
    assert set(load.answers) == {0}
    assert inbox(one) == {(subject, "filed"): 1 for subject in load.taken}
    assert dict.fromkeys(load.taken, 1).items() <= filed(one).items()
    assert sent(catcher)[0] == dict.fromkeys(load.entered, 1)
    for name in ("mail-in", "outbox"):
        for item in one.get(f"/@{name}?b_size=500", "chef").json()["items"]:
            source = one.get(f"/@{name}/{item['id']}/source", "chef")
            assert item["subject"] in str(message_from_bytes(source.content)["Subject"])


def test_yesterdays_backup_is_restored(demo, tmp_path, catcher):
    """What came in since is lost in the site until it is handed over again, and filed once then; what the mail host still holds is
    filed; what the site knows already is not filed twice. What left since is in no list. An e-mail that waited at the time of the
    backup leaves a second time, with the same Message-ID, unless somebody cancels it before the worker starts.
    """
    town = copied(demo, tmp_path / "town", pdf=False)
    var, backup = town.home / "var", tmp_path / "backup"

    def send(subject):
        data = {"to": ["jeanne.dupont@citizen.test"], "subject": subject, "body": "x"}
        return town.post(DOCUMENT, "agent", json=data).json()["id"]

    def outbox():
        items = town.get("/@outbox?b_size=500", "chef").json()["items"]
        return {item["subject"]: item["state"] for item in items}

    town.start()
    try:
        town.set(smtp_port=catcher.port, undo_seconds=0)
        assert run_pipe(town.url, redirected("Avant")) == 0
        send("Parti avant")
        wait_for(lambda: outbox() == {"Parti avant": "sent"})
        catcher.answers["mail"] = "451 4.3.0 try later"
        waiting = {subject: send(subject) for subject in ("Attend puis cesse", "Attend encore")}
        wait_for(lambda: set(outbox().values()) == {"sent", "deferred"} and len(outbox()) == 3)
        # as the operator's guide says: first the database, then the blobs
        backup.mkdir()
        shutil.copy(var / "Data.fs", backup)
        shutil.copytree(var / "blobstorage", backup / "blobstorage")

        del catcher.answers["mail"]
        assert run_pipe(town.url, redirected("Depuis")) == 0
        for id in waiting.values():
            town.post(f"/@outbox/{id}/retry", "agent")
        send("Parti depuis")
        wait_for(lambda: set(outbox().values()) == {"sent"} and len(outbox()) == 4)
        town.stop(kill=True)
        assert run_pipe(town.url, redirected("Retenu")) == 75

        shutil.rmtree(var / "blobstorage")
        (var / "Data.fs.index").unlink(missing_ok=True)
        shutil.copytree(backup / "blobstorage", var / "blobstorage")
        shutil.copy(backup / "Data.fs", var)
        town.start(MAILBRIDGE_WORKER="off")
        assert inbox(town) == {("Avant", "filed"): 1}
        assert outbox() == {"Parti avant": "sent", **dict.fromkeys(waiting, "deferred")}
        for subject in ("Retenu", "Depuis", "Avant"):
            assert run_pipe(town.url, redirected(subject)) == 0
        assert town.post(f"/@outbox/{waiting['Attend puis cesse']}/cancel", "agent").ok
        town.stop()
        town.start()
        town.post(f"/@outbox/{waiting['Attend encore']}/retry", "agent")
        wait_for(lambda: outbox()["Attend encore"] == "sent")
        once = dict.fromkeys(("Avant", "Depuis", "Retenu"), 1)
        assert inbox(town) == {(subject, "filed"): 1 for subject in once}
        assert once.items() <= filed(town).items()
    finally:
        town.stop()
    subjects, ids = sent(catcher)
    assert subjects == {"Parti avant": 1, "Attend puis cesse": 1, "Attend encore": 2, "Parti depuis": 1}
    assert sorted(ids.values()) == [1, 1, 1, 2], "the copy has the same Message-ID"
