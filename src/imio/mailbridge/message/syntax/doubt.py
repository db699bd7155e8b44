"""What was guessed while a message was read, is wrong with it or is said of it: facts, which others put into words."""

from typing import NamedTuple


class Doubt(NamedTuple):
    """A fact: ``code`` is a key of ``DOUBTS``, ``saw`` what the message says, on one line, or empty."""

    code: str
    saw: str = ""


#: Each code and what it says of a message.
DOUBTS = {
    "charset-guessed": "text is not in the charset that it declares (saw: that charset)",
    "date-missing": "there is no Date field",
    "date-repeated": "there are several Date fields (saw: all); the first that can be read counts",
    "date-unreadable": "the Date field cannot be read, or is in a zone that is not known (saw: its text)",
    "date-guessed": "the date is not written as RFC 5322 wants, or could be read in two ways (saw: its text)",
    "zone-guessed": "the date names no time zone (saw: its text); the town's zone on that day was taken",
    "message-id-missing": "there is no Message-ID",
    "header-damaged": "lines that are no fields stand in the header (saw: the first)",
    "truncated": "the end is missing",
    "attachment-damaged": "the end of an attachment is missing, though that of the message is there (saw: its name)",
    "marked-as-unwanted": "a filter on the way took it for unwanted mail (saw: its mark)",
    "sender-doubted": "a server on the way could not confirm its sender (saw: the field that says so)",
}
