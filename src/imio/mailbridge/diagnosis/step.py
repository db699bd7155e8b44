"""The steps of a diagnosis and what each of them found."""

from dataclasses import dataclass
from dataclasses import field
from imio.mailbridge.diagnosis.dialogue import Dialogue
from imio.mailbridge.i18n import _
from imio.mailbridge.transport.smtp_reply import SmtpReply
import time


OK, WARNING, BAD, SKIPPED = "ok", "warning", "bad", "skipped"


@dataclass(frozen=True)
class Step:
    """One step: ``title``, ``sentence``, ``notes`` and ``ask`` are msgids, ``seconds`` is how long it took.

    ``ask`` is what to ask the mail provider, or empty; ``dialogue`` what was said, in lines that begin with ``C:`` or ``S:``.
    """

    name: str
    title: str
    verdict: str
    sentence: str
    ask: str = ""
    notes: tuple[str, ...] = ()
    dialogue: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass
class Report:
    """The steps so far. ``planned`` maps the name of each step to its title; the dialogue goes to the next one that is added.

    ``learned`` holds (agent, allowed, ``SmtpReply``) for what the server said of an agent as sender, ``returned`` the headers
    of the test messages that arrived.
    """

    planned: dict[str, str]
    dialogue: Dialogue
    steps: list[Step] = field(default_factory=list)
    learned: list[tuple[str, bool, SmtpReply]] = field(default_factory=list)
    returned: list[bytes] = field(default_factory=list)
    _since: float = field(default_factory=time.monotonic)

    def add(self, name, verdict, sentence, ask="", notes=()):
        """Add what a step found; return whether the next step can follow."""
        now = time.monotonic()
        self.steps.append(
            Step(
                name,
                self.planned[name],
                verdict,
                sentence,
                ask,
                tuple(notes),
                self.dialogue.take(),
                now - self._since,
            )
        )
        self._since = now
        return verdict not in (BAD, SKIPPED)

    def skip_rest(self):
        """Add every planned step that was not done as skipped."""
        done = {step.name for step in self.steps}
        for name in self.planned:
            if name not in done:
                self.add(name, SKIPPED, _("Not tried, because an earlier step failed."))
