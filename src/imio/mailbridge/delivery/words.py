"""Keeps the words of a server about one recipient off the lines of the others, who must not learn of a blind copy."""

from imio.mailbridge.message.address import wire_address
import contextlib
import re


#: Stands for an address that is not of the recipient concerned.
HIDDEN = "…"

_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"']+@[^\s<>()\[\],;:\"']+")


def words_about(address, reply, record, account):
    """Return the words of an ``SmtpReply`` for the line of the recipient ``address`` of a message that an ``account`` sent.

    The answer to RCPT is about this recipient: only the other recipients are hidden. Any other answer is about the whole message
    and may name one of them, or who stands behind an address: what is no address of this recipient or of ours is hidden, and the
    name before the @ of a blind copy too.
    """
    own = _key(address)
    others = {_key(each) for each in record.recipients} - {own}
    sender = record.sender
    senders = sender.author.addr_spec, sender.envelope_sender, account.login, account.login_address
    ours = {own, *map(_key, filter(None, senders))}

    def shown(found):
        written = _key(found[0].rstrip("."))
        is_shown = written not in others if reply.stage == "rcpt" else written in ours
        return found[0] if is_shown else HIDDEN

    text = _ADDRESS.sub(shown, reply.text)
    for blind in {each.addr_spec for each in record.bcc} - {address}:
        name = re.escape(blind.rpartition("@")[0])
        text = re.sub(rf"(?<![\w.@-]){name}(?![\w@-])", HIDDEN, text, flags=re.IGNORECASE)
    return text


def _key(address):
    """Return what an address, however a server writes it, has in common with ours."""
    with contextlib.suppress(UnicodeError):
        return wire_address(address).lower()
    return address.lower()
