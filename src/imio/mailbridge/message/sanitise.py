"""Which HTML may leave, or be shown? What nh3 lets pass: no script, no style sheet, no form, no event handler."""

import nh3


_TAGS = nh3.ALLOWED_TAGS - {"map", "area"}
_ATTRIBUTES = {tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items()}
_ATTRIBUTES.setdefault("img", set()).update({"src", "alt", "width", "height", "title"})
_ATTRIBUTES.setdefault("*", set()).update({"dir", "lang"})
_IMAGE_DATA = ("data:image/png;", "data:image/jpeg;", "data:image/gif;", "data:image/webp;")


def _attribute(tag: str, name: str, value: str) -> str | None:
    if value.strip().lower().startswith("data:"):
        return value if tag == "img" and name == "src" and value.startswith(_IMAGE_DATA) else None
    return value


def clean_html(html: str) -> str:
    """Return ``html`` with only harmless elements and attributes; ``data:`` stays for raster images alone."""
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
        link_rel="noopener noreferrer",
    )
