"""Follows the addresses in a text written in the site: they become absolute, and images of the site are read to go along."""

from AccessControl import getSecurityManager
from Acquisition import aq_base
from functools import partial
from imio.mailbridge.message.composition.compose import File
from io import BytesIO
from plone.app.uuid.utils import uuidToURL
from plone.namedfile.interfaces import INamed
from plone.scale.storage import IImageScaleStorage
from Products.CMFCore.permissions import View
from typing import Any
from urllib.parse import unquote
from urllib.parse import urljoin
from urllib.parse import urlsplit
from zope.component import getMultiAdapter
from zope.component.hooks import getSite
import re


#: Bytes of the images of one message together, without those that were pasted.
MAX_IMAGES = 5 * 1024**2
IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")

_UID = re.compile(r".*/resolveuid/([0-9a-f]{32})", re.IGNORECASE)


class SiteAddresses:
    """The addresses in a text written from ``context``, for the current user; ``left_out`` names images that cannot go along."""

    def __init__(self, context: Any, room: int = MAX_IMAGES) -> None:
        self._base = f"{context.absolute_url()}/"
        self._room = min(room, MAX_IMAGES)
        self.left_out: list[str] = []

    def absolute(self, address: str) -> str:
        """Return the absolute form of an address; one of this text (``#top``) or that cannot be read stays."""
        if not address or address.startswith("#"):
            return address
        try:
            found = urljoin(self._base, address)
        except ValueError:
            return address
        match = _UID.match(found) if found.startswith(f"{getSite().absolute_url()}/") else None
        url = uuidToURL(match[1].lower()) if match else None
        return url + found[match.end() :] if match and url else found

    def image(self, address: str) -> File | None:
        """Return the image at an absolute address of the site, if the user may view it and there is room; else None."""
        site_url = f"{getSite().absolute_url()}/"
        if not address.startswith(site_url):
            return None
        path = unquote(urlsplit(address.removeprefix(site_url)).path)
        found = _named_image(path)
        if found is None or found.getSize() > self._room:
            self.left_out.append(address)
            return None
        self._room -= found.getSize()
        name = found.filename or f"image.{found.contentType.partition('/')[2]}"
        return File(name, found.contentType, found.getSize(), partial(BytesIO, found.data))


def _named_image(path: str) -> Any:
    """Return the image (``INamed``) at a path of the site, or None where there is none that the user may view."""
    where, _, view = path.partition("/@@")
    content = getSite().restrictedTraverse(where.rstrip("/"), None)
    if content is None or not getSecurityManager().checkPermission(View, content):
        return None
    name, *rest = view.split("/") if view else ("",)
    field = rest[0] if rest else ""
    found: Any = None
    if name == "images" and len(rest) == 2:
        scale = content.restrictedTraverse("@@images").scale(field, scale=rest[1])
        found = getattr(scale, "data", None)
    elif name == "images" and "-" in field:  # the id of a scale
        scale = getMultiAdapter((content, None), IImageScaleStorage).get_or_generate(field.partition(".")[0])
        found = scale and scale["data"]
    elif name in ("images", "download", "display-file") and field:
        found = getattr(aq_base(content), field, None)
    elif not view:
        found = getattr(aq_base(content), "image", None) or getattr(aq_base(content), "file", None)
    return found if INamed.providedBy(found) and getattr(found, "contentType", "") in IMAGES else None
