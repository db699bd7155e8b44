"""Reads the mail settings that iA.docs had before the bridge from an export in JSON.

Three shapes are taken: a plain object ``{name: value}``, a list ``[{"name", "value"}]``, and what ``@registry`` of plone.restapi
answers, that list under ``items``. A name may have any prefix (``imio.dms.mail.browser.settings.IImioDmsMailConfig.omail_…``).
"""

from dataclasses import dataclass
from imio.mailbridge.i18n import _
from typing import Any
from typing import NoReturn
import json


#: Bytes of an export; the whole registry of a site has about one million.
MAX_BYTES = 5 * 1024**2
#: Characters of the mail settings alone: the preview carries them.
MAX_CHARACTERS = 300_000
#: Levels of lists and objects; a registry has five.
MAX_DEPTH = 20

#: The records that are understood, in the order in which they are shown.
NAMES = (
    "omail_replyto_email_send",
    "omail_sender_email_default",
    "omail_bcc_email_default",
    "omail_close_on_email_send",
    "omail_email_signature",
    "iemail_routing",
    "iemail_state_set",
    "iemail_manual_forward_transition",
)


class NotReadable(Exception):
    """The export cannot be used; the argument says why and what to do (a msgid)."""


@dataclass(frozen=True)
class Export:
    """``records`` maps names in ``NAMES`` to values; ``others`` counts the records that are not about mail."""

    records: dict[str, Any]
    others: int

    def text(self) -> str:
        """Return the records as JSON, which ``read_export`` reads; errors: ``NotReadable`` for too many."""
        text = json.dumps(self.records)
        if len(text) > MAX_CHARACTERS:
            raise NotReadable(_("The mail settings in it are too large to be those of iA.docs."))
        return text


def read_export(raw: bytes) -> Export:
    """Return the ``Export`` in the bytes of a file; errors: ``NotReadable``."""
    if len(raw) > MAX_BYTES:
        raise NotReadable(
            _(
                "The file is too large: an export of the registry has less than ${size} MB.",
                mapping={"size": str(MAX_BYTES // 1024**2)},
            )
        )
    if not raw.strip():
        raise NotReadable(_("Choose the file with the export, or paste its text."))
    records: dict[str, Any] = {}
    others = 0
    for full_name, value in _pairs(_loaded(raw)):
        name = full_name.rpartition(".")[2]
        if name not in NAMES:
            others += 1
        elif name in records and records[name] != value:
            raise NotReadable(
                _("${name} is in it twice, with two values. Keep one of them.", mapping={"name": name})
            )
        else:
            records[name] = value
    if not records:
        raise NotReadable(_("It contains none of the mail settings of iA.docs (omail_…, iemail_…)."))
    return Export({name: records[name] for name in NAMES if name in records}, others)


def _loaded(raw: bytes) -> Any:
    try:
        text = raw.decode(json.detect_encoding(raw))
        data = json.loads(text.removeprefix("\ufeff"), parse_constant=_refuse, object_pairs_hook=_Pairs)
        if _is_deep(data):
            raise RecursionError
        json.dumps(data, ensure_ascii=False).encode()  # a lone surrogate cannot be stored
    except RecursionError as error:
        raise NotReadable(_("It is nested too deeply to be an export of the registry.")) from error
    except UnicodeError as error:
        raise NotReadable(_("It contains characters that cannot be read. Save it as UTF-8.")) from error
    except json.JSONDecodeError as error:
        mapping = {"line": str(error.lineno), "column": str(error.colno)}
        raise NotReadable(
            _("This is not JSON: it cannot be read from line ${line}, column ${column}.", mapping=mapping)
        ) from error
    except ValueError as error:
        raise NotReadable(_("It contains numbers that no setting has.")) from error
    return data


class _Pairs(dict[str, Any]):
    """An object that keeps names which stand twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


def _is_deep(data: Any) -> bool:
    level = [data]
    for _depth in range(MAX_DEPTH):
        level = [
            each
            for outer in level
            if isinstance(outer, (dict, list))
            for each in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return bool(level)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _pairs(data: Any) -> list[tuple[str, Any]]:
    """Return name and value of each record."""
    if isinstance(data, _Pairs) and isinstance(data.get("items"), list):
        total = data.get("items_total")
        if isinstance(total, int) and total > len(data["items"]):
            mapping = {"count": str(len(data["items"])), "total": str(total)}
            raise NotReadable(
                _(
                    "It contains only ${count} of ${total} records. Ask for all of them: @registry?b_size=${total}",
                    mapping=mapping,
                )
            )
        data = data["items"]
    if isinstance(data, _Pairs):
        return data.pairs
    if isinstance(data, list) and all(
        isinstance(each, dict) and isinstance(each.get("name"), str) and "value" in each for each in data
    ):
        return [(each["name"], each["value"]) for each in data]
    raise NotReadable(
        _(
            "It is JSON, but not an export of the registry: names with values are expected, or items with name and value."
        )
    )
