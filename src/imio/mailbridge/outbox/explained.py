"""Puts a line of a timeline into words."""

from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import translatable
from typing import Any


def explained(line: dict[str, Any]) -> str:
    """Return what a line says to the agent, as a msgid: what happened and what follows; an empty text where it says nothing."""
    happened, follows = translatable(line["explanation"]), translatable(line["follows"])
    both: str = _("${happened} ${follows}", mapping={"happened": happened, "follows": follows})
    return both if follows else happened
