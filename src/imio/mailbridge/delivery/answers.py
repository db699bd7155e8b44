"""Tells what an SMTP answer means; the table ``answer_table`` holds what is known."""

from imio.mailbridge.delivery.answer_table import Answer
from imio.mailbridge.delivery.answer_table import ANSWERS


def answer_to(reply):
    """Return the first row of ``ANSWERS`` for an ``SmtpReply``; the last row fits every reply."""
    return next(row for row in ANSWERS if row.fits(reply))


def answer_named(name):
    """Return the row with this name, or None."""
    return next((row for row in ANSWERS if row.name == name), None)


def is_of_the_server(reply, row: Answer):
    """Tell whether a reply that puts a message off would put off every other one: it is not about one recipient."""
    return reply.stage != "rcpt" or reply.enhanced_status.startswith("4.3.") or row.name == "name-refused"
