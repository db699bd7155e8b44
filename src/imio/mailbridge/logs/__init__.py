"""Lines of the log that a machine can read: each says which record and site it is about."""

from imio.mailbridge.logs.about import about
from imio.mailbridge.logs.formatter import Formatter


__all__ = ["Formatter", "about"]
