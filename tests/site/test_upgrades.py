"""A site of an older version becomes one of this version: the steps that Plone shows, until none is left."""

from imio.mailbridge.settings.interfaces import PREFIX
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.rows import PersistentRow
from plone import api
from plone.registry.field import List
from plone.registry.field import PersistentField
from plone.registry.interfaces import IRegistry
from tests.site.panel import press
from tests.site.rows import row
from zope.component import getUtility
from zope.schema import Object
import pytest
import sys
import transaction
import types


PROFILE = "imio.mailbridge:default"


class OldRow(PersistentField, Object):
    """What kept the rows before; its package may be gone."""

    _type = dict

    def _validate(self, value):
        pass


@pytest.fixture
def old_rows(site, monkeypatch):
    """A site of version 1001, whose tables have a field that cannot be imported any more."""
    module = types.ModuleType("datagrid_that_is_gone")
    module.OldRow = OldRow
    monkeypatch.setattr(OldRow, "__module__", module.__name__)
    records = getUtility(IRegistry).records
    values = {
        # the file was deleted since: the value would not be taken today
        "smtp_accounts": [row(ca_file="/gone/ca.pem")],
        "mailin_addresses": [{"address": "in@bridge.test", "service": None, "mailbox": None}],
        "iemail_state_set": [
            {"subject_pat": "urgent", "state_value": "created"}
        ],  # before it had more columns
    }
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, module.__name__, module)
        for name, value in values.items():
            record = records[f"{PREFIX}.{name}"]
            schema = record.field.value_type.schema
            field = List(title=name, value_type=OldRow(schema=schema), required=False)
            field.interfaceName, field.fieldName = record.field.interfaceName, name
            record.field = field
            record.value = value
        transaction.commit()
    site.portal._p_jar.cacheMinimize()
    api.portal.get_tool("portal_setup").setLastVersionForProfile(PROFILE, "1001")
    transaction.commit()
    return values


def test_from_1001(site, old_rows):
    setup = api.portal.get_tool("portal_setup")
    permission = "imio.mailbridge: Hand in mail"
    site.portal.manage_permission(permission, ["Manager"])
    records = getUtility(IRegistry).records
    before = {name: records[name].value for name in records if name.startswith(f"{PREFIX}.")}
    assert "Broken" in repr(type(records[f"{PREFIX}.smtp_accounts"].field.value_type).__mro__)

    setup.upgradeProfile(PROFILE)
    transaction.commit()

    assert not setup.listUpgrades(PROFILE)
    assert {name: records[name].value for name in before} == before
    for name, value in old_rows.items():
        assert records[f"{PREFIX}.{name}"].value == value
        assert isinstance(records[f"{PREFIX}.{name}"].field.value_type, PersistentRow)
    roles = {role["name"] for role in site.portal.rolesOfPermission(permission) if role["selected"]}
    assert "Mail Manager" in roles
    answer = site.request(
        "PATCH", "/@controlpanels/mailbridge", "admin", json={"smtp_accounts": [row("new", port=2525)]}
    )
    assert answer.status_code == 204, answer.text
    answer = site.request(
        "PATCH", "/@controlpanels/mailbridge", "admin", json={"mailboxes": [{"address": "x"}]}
    )
    assert "This is not an e-mail address" in answer.text
    assert (
        press(site, "/@@mailbridge-state", "save", subject_pat="a", state_value="created").status_code == 302
    )
    transaction.begin()
    old, new = settings().iemail_state_set
    assert (old.subject_pat, new.subject_pat) == ("urgent", "a"), "an old row is no obstacle"
