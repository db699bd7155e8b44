"""Writes docs/tables.rst from the tables of the message layer: ``python -m devel.tables``."""

from collections.abc import Iterable
from collections.abc import Iterator
from imio.mailbridge.message.classification import absence_forms
from imio.mailbridge.message.classification import bounce_forms
from imio.mailbridge.message.classification import forward_words
from imio.mailbridge.message.classification import reaction_forms
from imio.mailbridge.message.classification import redirect_forms
from imio.mailbridge.message.classification import sender_forms
from imio.mailbridge.message.classification import stand_in_forms
from imio.mailbridge.message.classification import subject_prefix_forms
from imio.mailbridge.message.parsing import filter_forms
from imio.mailbridge.message.parsing import server_forms
from imio.mailbridge.message.syntax import calendar_words
from imio.mailbridge.message.syntax.form import Form
from pathlib import Path


PAGE = Path(__file__).resolve().parent.parent / "docs" / "tables.rst"
HEADER = """\
.. Written by `python -m devel.tables`; a test compares the two.

What is recognised
==================

What mail programs, servers and filters write is data: a program, a server or a language is one row of a table, and a row
needs no code. Each row has an example that it accepts and a near miss that it does not; tests hold both, and fail on a row
without them. Case, accents and invisible marks never count.
"""
#: Title, module, outcome, rows of form ``Form``.
WORDINGS = (
    (
        "Absence messages: fields",
        absence_forms,
        "One such field is enough: the message is recorded on the e-mail that it answers, as an absence message.",
        absence_forms.FIELDS,
    ),
    (
        "Absence messages: subjects",
        absence_forms,
        "The wording must be the whole subject (a date, or the subject that is answered, may follow), and a second witness must "
        "be there: In-Reply-To, References or a null envelope sender.",
        absence_forms.SUBJECTS,
    ),
    (
        "Bounces without a standard report",
        bounce_forms,
        "An origin (author, null envelope sender) and words (subject, sentence) together: the recipients that the text names are "
        "noted as returned, or as delayed.",
        bounce_forms.FORMS,
    ),
    (
        "Reactions: parts",
        reaction_forms,
        "Recorded on the e-mail; no document is made.",
        reaction_forms.PARTS,
    ),
    (
        "Reactions: sentences",
        reaction_forms,
        "Outlook has no part of its own: the sentence stands alone, above the quoted message.",
        reaction_forms.SENTENCES,
    ),
    (
        "What a server hands over in place of a message",
        stand_in_forms,
        "Not filed: the message stays in its mailbox, is tried again, and is named on the page of mailboxes. Both rows must match.",
        stand_in_forms.FORMS,
    ),
    (
        "Authors that are nobody to answer",
        sender_forms,
        "The person in Reply-To, X-Original-From or the name is proposed as sender; so it is where a source mailbox is the author.",
        sender_forms.FORMS,
    ),
    (
        "Before a subject",
        subject_prefix_forms,
        "``reply``: an unknown address may be that of the only recipient, who then has answered. ``forward``: the message was "
        "passed on.",
        subject_prefix_forms.FORMS,
    ),
    (
        "Marks of filters: unwanted",
        filter_forms,
        "A note on the document. Anyone can write such a mark, so that it decides nothing.",
        filter_forms.UNWANTED,
    ),
    (
        "Marks of filters: the sender is not confirmed",
        filter_forms,
        "A note on the document.",
        filter_forms.SENDER,
    ),
    (
        "What servers add: tags before a subject",
        server_forms,
        "Two copies of a message that differ by nothing else are one document.",
        server_forms.TAGS,
    ),
    (
        "What servers add: sentences",
        server_forms,
        "A paragraph at the beginning or the end of a text that holds nothing else makes no difference between two copies.",
        server_forms.SENTENCES,
    ),
)


def page() -> str:
    """Return the page."""
    blocks = [HEADER]
    for title, module, outcome, forms in WORDINGS:
        blocks += [_head(title, module, outcome), _wordings(forms)]
    blocks += [*_links(), *_redirects(), *_forwards(), *_dates()]
    return "\n".join(blocks)


def _head(title: str, module: object, outcome: str) -> str:
    name = getattr(module, "__name__", "").removeprefix("imio.mailbridge.").replace(".", "/")
    return f"{title}\n{'-' * len(title)}\n\n{outcome} Table: ``{name}``.\n"


def _table(*rows: Iterable[str]) -> str:
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in rows:
        for mark, cell in zip(_marks(), row, strict=False):
            lines.append(f"   {mark} - {cell}".rstrip())
    return "\n".join(lines) + "\n"


def _marks() -> Iterator[str]:
    yield "*"
    while True:
        yield " "


def _literal(text: str) -> str:
    """Return a text as it stands, for a cell."""
    shown = " ".join(text.split())
    return f"``{shown}``" if shown else ""


def _wordings(forms: Iterable[Form]) -> str:
    rows = ([form.name, form.where, _literal(form.example), _literal(form.near_miss)] for form in forms)
    return _table(["Name", "Where", "Example", "Near miss"], *rows)


def _links() -> Iterator[str]:
    yield _head(
        "What servers change: links",
        server_forms,
        "Two copies are compared by the links that their author wrote.",
    )
    yield _table(
        ["Name", "Example", "Near miss"],
        *([each.name, _literal(each.example), _literal(each.near_miss)] for each in server_forms.REWRITERS),
    )


def _redirects() -> Iterator[str]:
    marks = (
        (
            "Marks of a redirect",
            redirect_forms.MARKS,
            "Filed as mail of the source mailbox that the mark names.",
        ),
        (
            "Traces of a redirect",
            redirect_forms.TRACES,
            "They count where they name a declared source mailbox, and tell which one where no mark does.",
        ),
    )
    for title, detectors, outcome in marks:
        yield _head(title, redirect_forms, outcome)
        yield _table(
            ["Name", "Where", "Example", "Near miss"],
            *(
                [each.name, each.header, _literal(each.example), _literal(each.near_miss)]
                for each in detectors
            ),
        )


def _forwards() -> Iterator[str]:
    yield _head(
        "Forwards as text: forms",
        forward_words,
        "Quarantined, or filed as a proposal where the site allows it; the agent is told how to forward as an attachment.",
    )
    yield _table(
        ["Name", "Programs", "Looks like", "Counts only behind a prefix of a forward"],
        *(
            [form.name, form.programs, _literal(form.looks_like), "yes" if form.needs_prefix else "no"]
            for form in forward_words.FORMS
        ),
    )
    yield _head(
        "Forwards as text: languages", forward_words, "Each form is recognised in each of these languages."
    )
    yield _table(
        ["Language", "Header block", "Before the subject", "Announces a forward", "Above a quote"],
        *(
            [
                each.name,
                _literal("; ".join(value.split(";")[0] for value in each.labels.values())),
                _literal(each.prefixes.replace(";", "; ")),
                _literal(each.markers[0]),
                _literal(each.wrote[0].replace("{}", "…")),
            ]
            for each in forward_words.LANGUAGES
        ),
    )


def _dates() -> Iterator[str]:
    yield _head(
        "Dates: months", calendar_words, "Beginnings of names; several for one month stand between bars."
    )
    yield _table(
        ["Language", "January to December"],
        *([code, _literal(row)] for code, row in calendar_words.MONTHS.items()),
    )
    yield _head(
        "Dates: time zones",
        calendar_words,
        "A date in any other named zone is not guessed; one that names none is in the zone of the town, and a note says so.",
    )
    yield _table(
        ["Written", "Means"],
        *(
            [_literal(name), zone if isinstance(zone, str) else f"{zone:+03d}:00"]
            for name, zone in calendar_words.ZONES.items()
        ),
    )


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
