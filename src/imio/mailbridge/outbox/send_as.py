"""Remembers under which addresses an account lets its login send: learned from real answers and from probes.

There is one entry for each address or domain; an address comes before its domain. The entry ``bounce`` says whether the account
takes the bridge's own envelope sender.
"""

from BTrees.OOBTree import OOBTree
from dataclasses import asdict
from dataclasses import dataclass
from datetime import datetime
from imio.mailbridge.message.composition.sender_policy import Sender
from imio.mailbridge.settings.smtp import Account
from imio.mailbridge.settings.smtp import DEFAULT
from imio.mailbridge.store.store import now
from imio.mailbridge.store.store import site_store
from imio.mailbridge.transport.smtp_reply import SmtpReply
from typing import Any


KEY = "imio.mailbridge.send_as"

#: Stands for the bridge's own envelope sender.
BOUNCE = "bounce"


@dataclass(frozen=True)
class Verdict:
    """What the server said: ``text`` is its answer, ``source`` ``answer`` (to a real message) or ``probe``."""

    allowed: bool
    at: datetime
    text: str = ""
    source: str = "answer"


def store() -> Any:
    """Return the tree of (account name, address or domain) → the fields of a ``Verdict`` as a dict, for the current site."""
    return site_store(KEY, OOBTree)


def verdicts() -> dict[tuple[str, str], Verdict]:
    """Return (account name, address or domain) → ``Verdict`` of all that is known."""
    return {key: Verdict(**fields) for key, fields in store().items()}


def verdict(account: str, addr_spec: str) -> Verdict | None:
    """Return what is known of an address under an account, by itself or by its domain, or None."""
    known, wanted = store(), addr_spec.lower()
    fields = known.get((account, wanted)) or known.get((account, wanted.rpartition("@")[2]))
    return Verdict(**fields) if fields else None


def has_own_envelope(sender: Sender, account: Account) -> bool:
    """Tell whether the envelope sender of a ``Sender`` is the bridge's own: neither the author's address nor the login's."""
    return sender.envelope_sender not in (sender.author.addr_spec, account.login_address)


def blames_envelope(reply: SmtpReply, sender: Sender, account: Account) -> bool:
    """Tell whether a refusal of the sender is about the bridge's own envelope sender: before DATA the server has seen no From."""
    return reply.stage != "data" and has_own_envelope(sender, account)


def learn(account: str, name: str, allowed: bool, text: str = "", source: str = "answer") -> None:
    """Note what the server said of an address or domain; what is known already is not written again."""
    key = (str(account), str(name).lower())
    known = store().get(key)
    if known is None or known["allowed"] != allowed or source == "probe":
        store()[key] = asdict(Verdict(bool(allowed), now(), str(text)[:500], source))


def forget(account: str, name: str | None = None) -> int:
    """Forget one entry of an account, or all of them; return how many."""
    keys = [key for key in store() if key[0] == account and name in (None, key[1])]
    for key in keys:
        del store()[key]
    return len(keys)


def forget_refused(account: str) -> None:
    """Forget what an account was refused."""
    for key, known in list(store().items()):
        if key[0] == account and not known["allowed"]:
            del store()[key]


def rename(old: str, new: str) -> None:
    """Let an account keep what it learned under its old name."""
    for key, known in list(store().items()):
        if key[0] == old:
            store()[new, key[1]] = known
            del store()[key]


def forget_refusals(settings: Any, event: Any) -> None:
    """Forget what another server was asked: all of it, or the refusals if only port or policy changed (registry subscriber)."""
    if event.oldValue == event.newValue:
        return
    if event.record.fieldName in ("smtp_host", "smtp_login"):
        forget(DEFAULT)
    elif event.record.fieldName in ("smtp_port", "sender_policy"):
        forget_refused(DEFAULT)
