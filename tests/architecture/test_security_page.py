"""The page on security names every page and service of ours under the permission that opens it."""

from pathlib import Path
from tests.surfaces import surfaces
import pytest
import re


ROOT = Path(__file__).resolve().parent.parent.parent
TEXT = (ROOT / "docs/security.rst").read_text()
#: How the section of a permission begins; the code checks each call of what is public.
SECTIONS = {
    "imio.mailbridge.DeliverMail": "``imio.mailbridge: Deliver mail``",
    "imio.mailbridge.HandInMail": "``imio.mailbridge: Hand in mail``",
    "imio.mailbridge.SendEmail": "``imio.mailbridge: Send email``",
    "imio.mailbridge.ManageMail": "``imio.mailbridge: Manage mail``",
    "plone.app.controlpanel.Mail": "``Plone Site Setup: Mail``",
    "cmf.ManagePortal": "``Manage portal``",
    "cmf.ModifyPortalContent": "``Modify portal content``",
    "zope2.View": "``View``, and a check",
    "zope.Public": "Everybody, and a check",
    "task": "Nobody on the web",
}
#: Checked in the code, since a pipe must get 401 and not a redirect to a form.
IN_CODE = {("POST @mail-in"): "imio.mailbridge.DeliverMail", "mail-in": "imio.mailbridge.DeliverMail"}


def sections():
    """Return the text of each section by the permission that it is about."""
    part = TEXT.partition("Who may do what")[2].partition("What is believed")[0]
    blocks = re.split(r"\n\n(?=\S)", part)
    return {
        permission: next((block for block in blocks if block.startswith(begin)), "")
        for permission, begin in SECTIONS.items()
    }


def test_there_are_surfaces():
    assert len(surfaces()) > 45


@pytest.mark.parametrize(("name", "permission"), surfaces())
def test_surface_is_named_under_its_permission(name, permission):
    text = sections()[IN_CODE.get(name, permission)]
    bare = name.rpartition(" ")[2]
    assert f"``{name}``" in text or f"``{bare}``" in text or f"``POST @@{bare}``" in text


def test_nothing_is_named_that_does_not_exist():
    known = {name.rpartition(" ")[2] for name, _permission in surfaces()}
    said = set(
        re.findall(
            r"``(?:(?:GET|POST) )?(?:@@)?(@?[a-z][a-z-]*[a-z](?:\.[a-z]+)?)``", "".join(sections().values())
        )
    )
    assert said - known == set()
