"""As whom does an account let its login send? Learned from real answers and from probes; one entry an address or domain.

An address comes before its domain. The entry ``bounce`` says whether the account takes the bridge's own envelope sender.
"""

from BTrees.OOBTree import OOBTree
from dataclasses import dataclass
from datetime import datetime
from imio.mailbridge.settings.smtp import DEFAULT
from imio.mailbridge.store.store import now
from imio.mailbridge.store.store import stored


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


def knowledge():
    """Return the mapping of (account name, address or domain) → ``Verdict``, for the current site."""
    return stored(KEY, OOBTree)


def verdict(account, addr_spec):
    """Return what is known of an address under an account, by itself or by its domain, or None."""
    known, wanted = knowledge(), addr_spec.lower()
    return known.get((account, wanted)) or known.get((account, wanted.rpartition("@")[2]))


def has_own_envelope(sender, account):
    """Tell whether the envelope sender of a ``Sender`` is the bridge's own: neither the author's address nor the login's."""
    return sender.envelope_sender not in (sender.author.addr_spec, account.login_address)


def blames_envelope(reply, sender, account):
    """Tell whether a refusal of the sender is about the bridge's own envelope sender: before DATA the server saw no From."""
    return reply.stage != "data" and has_own_envelope(sender, account)


def learn(account, name, allowed, text="", source="answer"):
    """Note what the server said of an address or domain; what is known already is not written again."""
    key = (account, name.lower())
    known = knowledge().get(key)
    if known is None or known.allowed != allowed or source == "probe":
        knowledge()[key] = Verdict(allowed, now(), text[:500], source)


def forget(account, name=None):
    """Forget one entry of an account, or all of them; return how many."""
    keys = [key for key in knowledge() if key[0] == account and name in (None, key[1])]
    for key in keys:
        del knowledge()[key]
    return len(keys)


def forget_refused(account):
    """Forget what an account was refused."""
    for key, known in list(knowledge().items()):
        if key[0] == account and not known.allowed:
            del knowledge()[key]


def rename(old, new):
    """Let an account keep what it learned under its old name."""
    for key, known in list(knowledge().items()):
        if key[0] == old:
            knowledge()[new, key[1]] = known
            del knowledge()[key]


def forget_refusals(settings, event):
    """Forget what another server was asked: all of it, or the refusals if only port or policy changed (registry subscriber)."""
    if event.oldValue == event.newValue:
        return
    if event.record.fieldName in ("smtp_host", "smtp_login"):
        forget(DEFAULT)
    elif event.record.fieldName in ("smtp_port", "sender_policy"):
        forget_refused(DEFAULT)
