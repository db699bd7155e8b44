"""Does the code keep the rules that no single test sees? Imports, registrations, messages."""

from lxml import etree
from pathlib import Path
import subprocess
import sys


ROOT = Path(__file__).resolve().parent.parent.parent
SRC = ROOT / "src" / "imio" / "mailbridge"
BIN = Path(sys.executable).parent
BROWSER = "{http://namespaces.zope.org/browser}"
PLONE = "{http://namespaces.plone.org/plone}"
SHOWN = {  # directives that put something on the web, and what each must say
    BROWSER + "page": {"for", "layer", "permission"},
    BROWSER + "pages": {"for", "layer", "permission"},
    BROWSER + "view": {"for", "layer", "permission"},
    BROWSER + "viewlet": {"for", "layer", "permission"},
    BROWSER + "viewletManager": {"for", "layer", "permission"},
    BROWSER + "menuItem": {"for", "layer", "permission"},
    BROWSER + "resource": {"layer"},
    BROWSER + "resourceDirectory": {"layer"},
    PLONE + "service": {"for", "layer", "permission"},
    PLONE + "portletRenderer": {"for", "layer"},
}


def directives():
    """Return each directive of the package's ZCML as (place, element)."""
    return [
        (f"{path.relative_to(SRC)}:{element.sourceline}", element)
        for path in sorted(SRC.rglob("*.zcml"))
        for element in etree.parse(path).iter(etree.Element)
    ]


def lint_imports(config):
    """Run import-linter on a configuration; return its result."""
    command = [BIN / "lint-imports", "--no-logo", "--no-cache", "--config", config]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_imports_point_downwards():
    done = lint_imports("pyproject.toml")
    assert done.returncode == 0, done.stdout
    assert "5 kept, 0 broken" in done.stdout


def test_a_forbidden_import_is_seen(tmp_path):
    config = tmp_path / "contracts.toml"
    config.write_text(
        '[tool.importlinter]\nroot_packages = ["imio.mailbridge"]\ninclude_external_packages = true\n'
        '[[tool.importlinter.contracts]]\nname = "n"\ntype = "forbidden"\n'
        'source_modules = ["imio.mailbridge.settings"]\nforbidden_modules = ["zope"]\n'
    )
    done = lint_imports(config)
    assert done.returncode == 1
    assert "0 kept, 1 broken" in done.stdout


def test_what_the_web_reaches_names_context_layer_and_permission():
    shown = [(place, element) for place, element in directives() if element.tag in SHOWN]
    assert len(shown) > 20
    lacking = {
        place: sorted(SHOWN[element.tag] - set(element.keys()))
        for place, element in shown
        if SHOWN[element.tag] - set(element.keys())
    }
    assert lacking == {}


def test_every_browser_and_plone_directive_is_known():
    known = set(SHOWN) | {PLONE + "behavior"}
    tags = {element.tag for _, element in directives() if element.tag.startswith((BROWSER, PLONE))}
    assert tags - known == set(), "say in SHOWN what these must name"


def test_nothing_is_registered_for_everything():
    open_to_all = [place for place, element in directives() if "*" in (element.get("for") or "").split()]
    assert open_to_all == []


def test_layers_are_those_of_the_package():
    layers = {element.get("layer").rpartition(".")[2] for _, element in directives() if element.get("layer")}
    assert layers == {"IMailbridgeLayer", "ITaskLayer", "IDefaultBrowserLayer"}
    at_root = [
        element
        for _, element in directives()
        if (element.get("layer") or "").endswith("IDefaultBrowserLayer")
    ]
    assert {element.get("for") for element in at_root} == {"OFS.interfaces.IApplication"}, "no site, no layer"


def test_permissions_are_known_ones():
    own = {element.get("id") for _, element in directives() if element.tag.endswith("}permission")}
    used = {element.get("permission") for _, element in directives() if element.get("permission")}
    assert used <= own | {
        "zope.Public",
        "zope2.View",
        "cmf.ManagePortal",
        "cmf.ModifyPortalContent",
        "plone.app.controlpanel.Mail",
    }


def test_public_pages_are_the_ones_that_check_by_themselves():
    public = {
        element.get("name") for _, element in directives() if element.get("permission") == "zope.Public"
    }
    assert public == {
        "@mail-in",  # POST; a pipe needs a 401
        "@outbox",  # the sender sees own messages
        "index.html",  # of an exception: says to try again
        "mail-in",
        "mailbridge-health",  # of the root of Zope: one of a few words
        "mailbridge-ready",
        "mailbridge-fetch",
        "mailbridge-sweep-mailboxes",
        "mailbridge-deliver",  # on the task layer, which the web cannot reach
        "mailbridge-process",
        "mailbridge-sweep-inbox",
        "mailbridge-sweep-renditions",
        "mailbridge-render",
        "mailbridge-sweep-due",
        "mailbridge-sweep-outbox",
        "mailbridge-sweep-sites",
        "mailbridge-verify",
    }


def test_templates_leave_no_text_untranslated():
    command = [BIN / "i18ndude", "find-untranslated", "-n", *SRC.rglob("*.pt")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout
