"""Where is the SMTP password? Outside the registry, so that no registry view or export shows it."""

from pathlib import Path
from zope.annotation.interfaces import IAnnotations
from zope.component.hooks import getSite
import os


KEY = "imio.mailbridge.smtp_password"
ENVIRONMENT = "MAILBRIDGE_SMTP_PASSWORD"
FILE = "MAILBRIDGE_SMTP_PASSWORD_FILE"


class PasswordUnreadable(Exception):
    """The password file that the environment names cannot be read."""


def source():
    """Return where the password comes from: ``environment``, ``file``, ``site``, or an empty string when none is set."""
    if os.environ.get(ENVIRONMENT):
        return "environment"
    if os.environ.get(FILE):
        return "file"
    return "site" if IAnnotations(getSite()).get(KEY) else ""


def read():
    """Return the password or an empty string; errors: ``PasswordUnreadable``."""
    if value := os.environ.get(ENVIRONMENT):
        return value
    if path := os.environ.get(FILE):
        try:
            return Path(path).read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise PasswordUnreadable(f"{path}: {error}") from error
    return IAnnotations(getSite()).get(KEY, "")


def write(value):
    """Keep ``value`` in the site; an empty one removes it."""
    annotations = IAnnotations(getSite())
    if value:
        annotations[KEY] = value
    else:
        annotations.pop(KEY, None)
