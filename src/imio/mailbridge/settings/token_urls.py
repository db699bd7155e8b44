"""Refuses a token endpoint that may not be asked, whoever writes it: the registry itself calls no constraint of a field."""

from imio.mailbridge.settings import validate
from imio.mailbridge.settings.moved_secrets import TABLES
from typing import Any


def check_token_urls(proxy: Any, event: Any) -> None:
    """Validate the token endpoints in a registry record (subscriber). Errors: ``Invalid``."""
    name, new = event.record.fieldName, event.newValue
    rows = ({"oauth_token_url": new},) if name == "oauth_token_url" else new if name in TABLES else ()
    for row in rows or ():
        if url := row.get("oauth_token_url"):
            validate.token_url(url)
