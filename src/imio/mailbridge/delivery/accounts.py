"""Carries mail, secrets and knowledge along when an SMTP account is renamed, changed or removed."""

from imio.mailbridge.delivery.hold import release_held
from imio.mailbridge.i18n import _
from imio.mailbridge.message.composition.compose import sender_headers
from imio.mailbridge.message.composition.sender_policy import SenderRefused
from imio.mailbridge.outbox import send_as
from imio.mailbridge.outbox.delivery_task import queue_delivery
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.sender import sender_for
from imio.mailbridge.ports.directory import Identity
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.smtp import DEFAULT
import contextlib


def rename(old, new):
    """Move all that the account ``old`` has to ``new``; the caller writes the settings afterwards, in the same transaction."""
    for kind in (*password.KINDS, password.ROTATED):
        if secret := password.read(old, kind):
            password.write(secret, new, kind)
    password.forget(old)
    box = outbox()
    for record in list(box.waiting_in(account=old)):
        record.account = new
        box.reindex(record)
    for by_name in (box.holds, box.troubles, box.recent):
        if old in by_name:
            by_name[new] = by_name.pop(old)
    send_as.rename(old, new)


def move(record):
    """Give a message whose account was removed to the account that serves its author now; return whether there is one."""
    values, sender = settings(), record.sender
    agent = sender.agent or sender.reply_to or sender.author
    account = values.account_for(agent.addr_spec)
    if account is None:
        return False
    chosen, fallback = sender, record.fallback  # what no agent wrote keeps its sender; the new server judges
    if record.origin == "agent":
        with contextlib.suppress(SenderRefused):
            chosen, fallback = sender_for(Identity("", "position", agent), account, values, record.id)
    record.size += len(sender_headers(chosen)) - len(sender_headers(sender))
    record.account, record.sender, record.fallback = account.name, chosen, fallback
    outbox().reindex(record)
    queue_delivery(record)
    return True


#: The keys of an ``Account`` that say where and how it logs in, and the settings that hold them of the default account.
OF_THE_SERVER = {
    "host": "smtp_host",
    "port": "smtp_port",
    "security": "smtp_security",
    "ca_file": "smtp_ca_file",
    "auth": "smtp_auth",
    "login": "smtp_login",
    "oauth_token_url": "oauth_token_url",
    "oauth_client_id": "oauth_client_id",
    "oauth_scope": "oauth_scope",
}


def accounts_changed(proxy, event):
    """Let mail leave by the new server or login of an account, or under our new name; forget what belongs to the old one.

    Subscriber of the registry.
    """
    if event.record.fieldName in OF_THE_SERVER.values() and event.oldValue != event.newValue:
        outbox().wake(DEFAULT)
    if event.record.fieldName == "ehlo_name" and event.oldValue != event.newValue:
        for name in settings().accounts:
            outbox().wake(name)
    if event.record.fieldName != "smtp_accounts":
        return
    before = {row["name"]: row for row in event.oldValue or ()}
    after = {row["name"]: row for row in event.newValue or ()}
    for name, row in before.items():
        if name not in after:
            _forget(name)
            continue
        if any(row.get(key) != after[name].get(key) for key in OF_THE_SERVER):
            outbox().wake(name)
        if any(row.get(key) != after[name].get(key) for key in ("host", "login")):
            send_as.forget(name)
        elif any(row.get(key) != after[name].get(key) for key in ("port", "sender_policy")):
            send_as.forget_refused(name)


def _forget(name):
    """Forget an account. What was held is due again; the delivery gives it to the account that serves its sender."""
    password.forget(name)
    send_as.forget(name)
    outbox().recent.pop(name, None)
    release_held(name, _("The account it was waiting for was removed. Another one sends it."))
