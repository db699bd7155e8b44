"""Writes sizes in bytes for people."""

from plone import api


def readable_size(size: float) -> str:
    """Return a size in bytes as text with a unit, in the notation of the site's language (``2,4 Mo``).

    As in Plone and in the settings, 1 kB has 1024 bytes.
    """
    french = api.portal.get_current_language().startswith("fr")
    units = ("octets", "Ko", "Mo") if french else ("bytes", "kB", "MB")
    value = float(size)
    for unit in units:
        if value < 1024 or unit == units[-1]:
            break
        value /= 1024
    text = f"{value:.0f}" if unit == units[0] or value >= 100 else f"{value:.1f}".removesuffix(".0")
    return f"{text.replace('.', ',') if french else text} {unit}"


def name_and_size(filename: str, size: float) -> str:
    """Return the name of a file with its size (``permis.pdf (2,4 Mo)``)."""
    return f"{filename} ({readable_size(size)})"
