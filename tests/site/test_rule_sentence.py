"""A row of the routing read as a sentence, and back: whatever is read means what the row means."""

from dataclasses import fields
from imio.mailbridge.settings.routing import RoutingRow
from imio.mailbridge.settings.routing import StateRow
from imio.mailbridge.settings.rule_sentence import conditions
from imio.mailbridge.settings.rule_sentence import sender
from imio.mailbridge.settings.rule_sentence import Sentence
from imio.mailbridge.settings.rule_sentence import sentence
from imio.mailbridge.settings.rules import placed
import pytest
import random
import re


@pytest.mark.parametrize(
    ("row", "read"),
    [
        ({}, Sentence()),
        ({"tg_value": "uid", "user_value": "agent"}, Sentence()),
        ({"subject_pat": r"permis\ \(1\)"}, Sentence(subject="permis (1)")),
        ({"subject_pat": "permis de bâtir - copie"}, Sentence(subject="permis de bâtir - copie")),
        ({"subject_pat": r"50\ %\ \\o/"}, Sentence(subject=r"50 % \o/")),
        (
            {"original_email_pat": r"jeanne\.dupont@citizen\.test"},
            Sentence(sender="jeanne.dupont@citizen.test"),
        ),
        ({"original_email_pat": r"[^@]+@citizen\.test"}, Sentence(sender="@citizen.test")),
        ({"forward": "direct"}, Sentence(forward="direct")),
        ({"recipient_pat": r"in\+cpas@bridge\.test"}, Sentence(recipient="in+cpas@bridge.test")),
        ({"tal_condition_1": "python: mailbox == 'info@x.test'"}, Sentence(mailbox="info@x.test")),
        ({"tal_condition_1": 'python: mailbox == "o\'neil@x.test"'}, Sentence(mailbox="o'neil@x.test")),
        *(
            (row, None)
            for row in (
                {"subject_pat": "permis|facture"},
                {"subject_pat": "^permis"},
                {"subject_pat": r"permis\d"},
                {"subject_pat": r"permis\b"},
                {"subject_pat": "permis ?"},
                {"subject_pat": r"\ permis"},
                {"subject_pat": "a\nb"},
                {"subject_pat": "x" * 201},
                {"subject_pat": "permis\\"},
                {"original_email_pat": "jeanne.dupont@citizen.test"},
                {"original_email_pat": "jeanne"},
                {"original_email_pat": r"@citizen\.test"},
                {"original_email_pat": r"[^@]+@x@citizen\.test"},
                {"original_email_pat": "[^@]+@"},
                {"original_email_pat": r".+@citizen\.test"},
                {"recipient_pat": ".*"},
                {"transfer_email_pat": r"al\.bert@maville\.test"},
                {"tal_condition_1": "python: mailbox"},
                {"tal_condition_1": "python: mailbox == 'a' or 'b'"},
                {"tal_condition_1": "python: mailbox == x"},
                {"tal_condition_1": "python: mailbox == ''"},
                {"tal_condition_1": "python:mailbox == 'a@x.test'"},
                {"tal_condition_2": "python: assigned_user"},
                {"forward": "reply"},
            )
        ),
    ],
)
def test_a_row_is_a_sentence_or_for_experts(row, read):
    assert sentence(RoutingRow(**row)) == read


def test_state_rows_are_read_too():
    assert sentence(StateRow(subject_pat="permis", state_value="x")) == Sentence(subject="permis")


SIGNS = r"abcé01 .^$*+?{}[]|()\-@#&~'" + '"/<>%:,_'


def texts(chance, count):
    return ["".join(chance.choices(SIGNS, k=chance.randint(1, 12))).strip() for _number in range(count)]


def test_what_is_written_is_read_again():
    chance = random.Random(15)
    senders = ["", "a+b@x.test", "@x-y.test", "d'or@sous.x.test", "é@ville.test"]
    for subject, recipient in zip(texts(chance, 2000), texts(chance, 2000), strict=True):
        written = Sentence(
            subject,
            chance.choice(senders),
            chance.choice(["", "agent", "server", "direct"]),
            recipient,
            chance.choice(["", "info@x.test", "d'or@x.test"]),
        )
        row = RoutingRow(**conditions(written))
        assert sentence(row) == written
        assert not subject or re.search(row.subject_pat, f"Re: {subject.upper()}!", re.IGNORECASE)
        assert not recipient or re.fullmatch(row.recipient_pat, recipient)


def test_what_is_read_means_the_same():
    """Whatever pattern is read as words matches these words, and no text that they are not in."""
    chance, read = random.Random(7), 0
    probes = texts(chance, 50)
    for pattern in texts(chance, 4000):
        found = sentence(RoutingRow(subject_pat=pattern))
        if found is None:
            continue
        read += 1
        for probe in (*probes, found.subject):
            matches = re.search(pattern, probe, re.IGNORECASE) is not None
            assert matches == (found.subject.lower() in probe.lower()), pattern
    assert read > 100


def test_any_row_is_read_without_an_error():
    chance = random.Random(3)
    names = [field.name for field in fields(RoutingRow)]
    for _number in range(2000):
        values = dict(zip(chance.sample(names, 3), texts(chance, 3), strict=True))
        sentence(RoutingRow(**values))


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (" Jeanne@Citizen.TEST ", "jeanne@citizen.test"),
        ("@citizen.test", "@citizen.test"),
        ("citizen.test", "@citizen.test"),
        ("", ""),
    ],
)
def test_sender_is_an_address_or_a_domain(typed, read):
    assert sender(typed) == read


@pytest.mark.parametrize("typed", ["jeanne", "a@b", "a b@c.test", "x@", "a@b@c.test", ".*@c.test\r\n.", "@"])
def test_sender_that_is_neither_is_refused(typed):
    with pytest.raises(ValueError, match=re.escape(typed)):
        sender(typed)


@pytest.mark.parametrize(
    ("place", "instead_of", "result", "number"),
    [
        ("first", 0, "xabc", 1),
        ("last", 0, "abcx", 4),
        ("before-2", 0, "axbc", 2),
        ("before-9", 0, "abcx", 4),
        ("same", 2, "axc", 2),
        ("first", 2, "xac", 1),
        ("last", 2, "acx", 3),
        ("before-1", 3, "xab", 1),
        ("before-3", 1, "bxc", 2),
        ("before-2", 2, "axc", 2),
        ("before-3", 2, "axc", 2),
    ],
)
def test_places(place, instead_of, result, number):
    assert placed("abc", "x", place, instead_of) == (tuple(result), number)
