"""Tells what an SMTP answer means; the table ``answer_table`` holds what is known."""

from imio.mailbridge.delivery.answer_table import ANSWERS


def answer_to(reply):
    """Return the first row of ``ANSWERS`` for an ``SmtpReply``; the last row fits every reply."""
    return next(row for row in ANSWERS if row.fits(reply))


def answer_named(name):
    """Return the row with this name, or None."""
    return next((row for row in ANSWERS if row.name == name), None)
