"""Notices what others have changed in the settings while somebody filled in a form: nobody's change is taken back unseen.

A form carries a mark of each value that it began with. What its person left alone keeps the value of now; what both changed is
refused once, with the value of the other.
"""

import hashlib


def marks(values):
    """Return name → a short text that changes with the value; nothing, an empty text and *off* are the same."""
    return {name: _mark(value) for name, value in values.items()}


def read(text):
    """Return the marks of a form that sent ``text``; none where it sent none."""
    parts = (each.partition(":") for each in text.split()) if isinstance(text, str) else ()
    return {name: mark for name, _colon, mark in parts}


def text(found):
    """Return marks as a form sends them."""
    return " ".join(f"{name}:{mark}" for name, mark in sorted(found.items()))


def merged(entered, present, seen):
    """Return the entered values with those of now where they were left alone, and the names of what both changed."""
    now, typed = marks(present), marks(entered)
    by_others = [name for name in now if name in typed and seen.get(name, now[name]) != now[name]]
    alone = {name: present[name] for name in by_others if typed[name] == seen[name]}
    both = [name for name in by_others if name not in alone and typed[name] != now[name]]
    return {**entered, **alone}, both


def _mark(value):
    plain = list(value) if isinstance(value, list | tuple | set | frozenset) else value
    written = "" if not plain and type(plain) is not int else str(plain)
    return hashlib.sha256(written.encode()).hexdigest()[:12]
