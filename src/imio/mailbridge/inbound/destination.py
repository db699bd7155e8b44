"""Finds the mail-in address that a message arrived at, and what its envelope recipient proves."""

from collections.abc import Mapping
from dataclasses import dataclass
from hmac import compare_digest
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.inbound.inbox import is_retired
from imio.mailbridge.message.address import without_detail
from imio.mailbridge.message.composition.reply_address import is_reply_address
from imio.mailbridge.message.composition.verp import is_verp
from imio.mailbridge.message.secret_address import is_secret
from imio.mailbridge.outbox.bounce_address import message_of
from imio.mailbridge.outbox.reply_address import is_signed
from imio.mailbridge.outbox.reply_address import message_id_at
from imio.mailbridge.settings.imap import LoginRule
from imio.mailbridge.settings.mailin import MailinAddress
from imio.mailbridge.settings.read import Settings
from imio.mailbridge.store.store import now
from typing import Any


class UnknownRecipient(Exception):
    """The recipient, which is the argument, is no mail-in address."""


@dataclass(frozen=True)
class Destination:
    """Where a message arrived: ``address`` as set (empty where it is unknown), its ``service`` uid.

    ``tag_mailbox`` is None without a secret tag; else the mailbox that alone was given the tag, or empty for the whole town.
    ``about`` is the id of the outgoing message whose signed bounce address this is, ``answers`` the Message-ID of that whose signed
    reply address this is; both may be empty. ``login`` is what becomes of mail to a login address, None for another address.
    """

    address: str = ""
    service: str = ""
    tag_mailbox: str | None = None
    about: str = ""
    answers: str = ""
    login: LoginRule | None = None


def destination(envelope_recipient: str, settings: Settings) -> Destination:
    """Return the ``Destination`` under ``Settings``; errors: ``UnknownRecipient``."""
    rows = settings.mailin_addresses
    if not envelope_recipient:
        candidates = [row for address, row in rows.items() if not is_secret(address)] or list(rows.values())
        return (
            Destination(candidates[0].address, candidates[0].service)
            if len(candidates) == 1
            else Destination()
        )
    if row := _declared(envelope_recipient, rows):
        return Destination(
            row.address, row.service, row.source_mailbox if is_secret(envelope_recipient) else None
        )
    bare = without_detail(envelope_recipient)
    if is_verp(envelope_recipient):
        return _bounce_destination(envelope_recipient, bare, rows)
    if is_reply_address(envelope_recipient):
        return _reply_destination(envelope_recipient, bare, rows)
    if row := rows.get(bare):
        return Destination(row.address, row.service)
    for address in (envelope_recipient, bare):
        if rule := settings.login_rules.get(address):
            return Destination(address, rule.service, login=rule)
    if is_retired(envelope_recipient) or is_retired(bare):
        return Destination()
    raise UnknownRecipient(envelope_recipient)


def _declared(envelope_recipient: str, rows: Mapping[str, MailinAddress]) -> MailinAddress | None:
    """Return the row of an address, or None; the time that it takes tells nothing about secret parts."""
    wanted = envelope_recipient.encode(errors="backslashreplace")
    found = [row for address, row in rows.items() if compare_digest(address.encode(), wanted)]
    return found[0] if found else None


def _bounce_destination(envelope_recipient: str, bare: str, rows: Mapping[str, MailinAddress]) -> Destination:
    """Return the destination of reports on one message, also after the address left the settings; only we can sign one."""
    message = message_of(envelope_recipient)
    if message is None:
        raise UnknownRecipient(envelope_recipient)
    row = _row_of(bare, rows)
    return Destination(bare if row else "", row.service if row else "", about=message.id)


def _reply_destination(envelope_recipient: str, bare: str, rows: Mapping[str, MailinAddress]) -> Destination:
    """Return the destination of answers to one message; where that is gone, it is ordinary mail to the mail-in address."""
    if not is_signed(envelope_recipient):
        raise UnknownRecipient(envelope_recipient)
    answers, row = message_id_at(envelope_recipient), _row_of(bare, rows)
    if row is None and not answers and not is_retired(bare):
        raise UnknownRecipient(envelope_recipient)
    return Destination(bare if row else "", row.service if row else "", answers=answers)


def _row_of(bare: str, rows: Mapping[str, MailinAddress]) -> MailinAddress | None:
    """Return the row of a mail-in address whose detail was left out, or None."""
    return next((row for address, row in rows.items() if without_detail(address) == bare), None)


def retire_removed(proxy: Any, event: Any) -> None:
    """Remember when a mail-in address left the settings (subscriber of the registry records)."""
    if event.record.fieldName != "mailin_addresses":
        return
    before = {row["address"].lower() for row in event.oldValue or ()}
    after = {row["address"].lower() for row in event.newValue or ()}
    retired = inbox().retired
    for address in before - after:
        retired[address] = now()
    for address in after & set(retired):
        del retired[address]
