"""What did one step of a diagnosis find?"""

from dataclasses import dataclass
from dataclasses import field
from imio.mailbridge.diagnosis.dialogue import Dialogue
from imio.mailbridge.i18n import _
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
class Course:
    """The steps so far. ``planned`` maps the name of each step to its title; the dialogue goes to the next one that is added."""

    planned: dict[str, str]
    dialogue: Dialogue
    steps: list[Step] = field(default_factory=list)
    _since: float = field(default_factory=time.monotonic)

    def add(self, name, verdict, sentence, ask="", notes=()):
        """Add what a step found; return whether the next one can follow."""
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
        """Add all that was planned and not done as skipped."""
        done = {step.name for step in self.steps}
        for name in self.planned:
            if name not in done:
                self.add(name, SKIPPED, _("Not tried, because an earlier step failed."))
