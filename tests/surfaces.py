"""All pages and services of ours, as the ZCML declares them."""

from pathlib import Path
from xml.etree import ElementTree


PACKAGE = Path(__file__).resolve().parent.parent / "src/imio/mailbridge"
BROWSER = "{http://namespaces.zope.org/browser}"
PLONE = "{http://namespaces.plone.org/plone}"


def surfaces():
    """Return (name, permission) of all pages and services; a service that is not alone has its method before its name."""
    found = []
    for path in PACKAGE.rglob("*.zcml"):
        for element in ElementTree.parse(path).iter():  # noqa: S314 - our own files
            get = element.attrib.get
            if element.tag == f"{BROWSER}page" and get("name") not in ("view", None):
                layer = get("layer", "").endswith("ITaskLayer")
                found.append((get("name"), "task" if layer else get("permission")))
            elif element.tag == f"{PLONE}service":
                found.append((f"{get('method')} {get('name')}", get("permission")))
    return found
