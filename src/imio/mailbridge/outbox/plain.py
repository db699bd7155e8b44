"""Converts senders and addresses into the plain values that a record holds, and back."""

from collections.abc import Callable
from collections.abc import Iterable
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.composition.sender_policy import Sender
from typing import Any
from typing import Generic
from typing import TypeVar


V = TypeVar("V")


def plain_address(address: Address) -> tuple[str, str]:
    """Return (display name, addr-spec)."""
    return str(address.display_name), str(address.addr_spec)


def read_address(plain: tuple[str, str]) -> Address:
    """Return what ``plain_address`` was given."""
    return Address(*plain)


def plain_addresses(addresses: Iterable[Address]) -> tuple[tuple[str, str], ...]:
    """Return (display name, addr-spec) of each."""
    return tuple(map(plain_address, addresses))


def read_addresses(plain: Iterable[tuple[str, str]]) -> tuple[Address, ...]:
    """Return what ``plain_addresses`` was given, as a tuple."""
    return tuple(map(read_address, plain))


def plain_sender(sender: Sender) -> dict[str, Any]:
    """Return ``policy``, ``author``, ``reply_to`` and ``agent`` (or None), and ``envelope_sender``."""
    return {
        "policy": str(sender.policy),
        "author": plain_address(sender.author),
        "reply_to": _plain_or_none(sender.reply_to),
        "envelope_sender": str(sender.envelope_sender),
        "agent": _plain_or_none(sender.agent),
    }


def read_sender(plain: dict[str, Any]) -> Sender:
    """Return what ``plain_sender`` was given."""
    return Sender(
        plain["policy"],
        read_address(plain["author"]),
        _read_or_none(plain["reply_to"]),
        plain["envelope_sender"],
        _read_or_none(plain.get("agent")),
    )


def _plain_or_none(address: Address | None) -> tuple[str, str] | None:
    return plain_address(address) if address is not None else None


def _read_or_none(plain: tuple[str, str] | None) -> Address | None:
    return read_address(plain) if plain is not None else None


def plain_fallback(sender: Sender | None) -> dict[str, Any] | None:
    """Return ``plain_sender`` of a sender that may be None."""
    return plain_sender(sender) if sender is not None else None


def read_fallback(plain: dict[str, Any] | None) -> Sender | None:
    """Return what ``plain_fallback`` was given."""
    return read_sender(plain) if plain is not None else None


class Plain(Generic[V]):
    """An attribute of a persistent object that is a value for its readers, and plain in the database, as ``plain_<name>``."""

    def __init__(self, to_plain: Callable[[V], Any], from_plain: Callable[[Any], V]) -> None:
        self._to_plain = to_plain
        self._from_plain = from_plain

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f"plain_{name}"

    def __get__(self, record: Any, owner: type) -> V:
        return self._from_plain(getattr(record, self._name))

    def __set__(self, record: Any, value: V) -> None:
        setattr(record, self._name, self._to_plain(value))
