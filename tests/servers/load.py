"""Load on a site: mail hosts that hand mail over until it is taken, and agents who send until they see that it is in the Outbox."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextlib import suppress
from email import message_from_bytes
from imio.mailbridge import pipe
from itertools import count
from itertools import cycle
from pathlib import Path
from tests.mails import redirected
from tests.servers.waiting import TIMEOUT
import requests
import subprocess
import threading
import time


PIPE = Path(pipe.__file__).parent / "mailbridge-pipe"
DOCUMENT = "/outgoing-mail/permis-durbanisme/@send-email"


class Load:
    """What was handed over to the ``instances`` in turn: ``taken`` holds the subjects of mail in, ``entered`` those of mail out."""

    def __init__(self, *instances):
        self._instances = instances
        self.taken, self.entered = [], []
        self.answers = Counter()  #: exit status of mailbridge-pipe → how often
        self._go_on = threading.Event()
        self._numbers = count(1)

    @contextmanager
    def running(self, pipes=3, agents=1):
        """Hand over mail while the block runs, a message at a time for each pipe and agent; at its end all of it is taken."""
        with ThreadPoolExecutor(pipes + agents) as pool:
            self._go_on.set()
            jobs = [pool.submit(self._repeat, self.hand_over, self.taken, "Entrant") for _ in range(pipes)]
            jobs += [pool.submit(self._repeat, self.send, self.entered, "Sortant") for _ in range(agents)]
            try:
                yield self
            finally:
                self._go_on.clear()
            for job in jobs:
                job.result()

    def _repeat(self, deliver, done, word):
        while self._go_on.is_set():
            subject = f"{word} {next(self._numbers)}"
            deliver(subject)
            done.append(subject)
            time.sleep(0.1)

    def hand_over(self, subject):
        """Deliver a message as Postfix does: run mailbridge-pipe, another time after status 75, until it ends in 0."""
        for instance in self._in_turn():
            status = run_pipe(instance.url, redirected(subject))
            self.answers[status] += 1
            if not status:
                return
            assert status == 75, f"{subject} bounces"
        raise TimeoutError(f"{subject} is never taken")

    def send(self, subject):
        """Send an e-mail from a document as an agent does, who looks into its list of e-mails when no answer comes."""
        data = {"to": ["jeanne.dupont@citizen.test"], "subject": subject, "body": "<p>Bonjour</p>"}
        for instance in self._in_turn():
            with suppress(requests.RequestException):
                answer = instance.post(DOCUMENT, "agent", json=data)
                assert answer.status_code == 202 or answer.status_code >= 500, answer.text
                if answer.status_code == 202:
                    return
            if self._is_stored(subject):
                return
        raise TimeoutError(f"{subject} is never stored")

    def _is_stored(self, subject):
        """Tell whether a message is in the Outbox, as soon as an instance can say."""
        for instance in self._in_turn():
            with suppress(requests.RequestException):
                answer = instance.get(DOCUMENT, "agent")
                if answer.ok:
                    return subject in {item["subject"] for item in answer.json()["items"]}
        raise TimeoutError("no instance answers any more")

    def _in_turn(self):
        """Yield the instances one after the other, with a pause between, for a while."""
        deadline = time.monotonic() + TIMEOUT
        for instance in cycle(self._instances):
            if time.monotonic() > deadline:
                return
            yield instance
            time.sleep(0.3)


def run_pipe(url, raw, *options):
    """Run mailbridge-pipe for the mail-in address of the demo, without tries of its own; return its exit status."""
    command = [PIPE, "--url", url, "--recipient", "in@bridge.test", "--client-address", "127.0.0.1"]
    command += ["--sender", "srs@maville.test", "--retries", "0", *options]
    environment = {"PATH": "/usr/bin:/bin", "MAILBRIDGE_TOKEN": "gateway:demo-iadocs"}
    done = subprocess.run(command, input=raw, capture_output=True, env=environment, check=False)
    return done.returncode


def inbox(instance):
    """Return what became of the mail that came in: (subject, state) → how often."""
    items = instance.get("/@mail-in?b_size=2000", "chef").json()["items"]
    return Counter((item["subject"], item["state"]) for item in items)


def filed(instance):
    """Return the documents of mail that came in: title → how often."""
    found = instance.get("/@search?portal_type=dmsincoming_email&b_size=2000", "admin").json()["items"]
    return Counter(item["title"] for item in found)


def sent(catcher):
    """Return subject → how often, and Message-ID → how often, of what the server took."""
    messages = [message_from_bytes(message.content) for message in catcher.messages]
    return Counter(message["Subject"] for message in messages), Counter(
        message["Message-ID"] for message in messages
    )
