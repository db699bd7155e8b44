"""Which Message-ID does a stored e-mail have? Read from the head of its bytes, without parsing."""

import re


#: header fields end at the first empty line; what comes later than this is not looked at
_HEAD = 256 * 1024
_END = re.compile(rb"\r?\n\r?\n|\r\r")
_MESSAGE_ID = re.compile(rb"^message-id[ \t]*:\s*[^<\r\n]*(<[^<>\s]+>)", re.IGNORECASE | re.MULTILINE)


def read_message_id(stream):
    """Return the Message-ID with its angle brackets, or an empty string."""
    head = _END.split(stream.read(_HEAD), maxsplit=1)[0]
    match = _MESSAGE_ID.search(head)
    return match[1].decode("ascii", "ignore") if match else ""
