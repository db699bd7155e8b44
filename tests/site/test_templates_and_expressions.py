"""What an administrator can type, a signature template or a condition of a route, sees the given names and nothing of Zope."""

from imio.mailbridge.settings import signature
from imio.mailbridge.settings.expression import holds
from plone.app.testing import login
from plone.app.testing import SITE_OWNER_NAME
from Products.PageTemplates.Expressions import SecureModuleImporter
from zope.globalrequest import getRequest
import pytest


SECRET = "cookie-of-the-reader"
NAMES = {"sender": {"name": "Al Bert"}, "subject": "Permis"}
ZOPE = (
    "request",
    "request/HTTP_COOKIE",
    "request/response/headers",
    "request/PUBLISHED",
    "CONTEXTS/request",
    "CONTEXTS",
    "here",
    "here/Title",
    "context",
    "context/portal_url",
    "container",
    "container/Title",
    "root",
    "root/acl_users",
    "options",
    "args",
    "view",
    "user",
    "portal",
    "template",
    "template/macros",
    "template/body",
    "macros",
    "modules",
    "modules/random",
    "modules/Products.CMFPlone.utils",
    "nocall:modules",
    "nocall:template",
    "nocall:__zt_engine__",
    "nocall:__zt_context__",
    "__zt_context__",
    "nocall:__translate",
    "nocall:__import__",
    "python: request",
    "python: here",
    "python: context",
    "python: template",
    "python: modules",
    "python: modules['random']",
    "python: path('request/HTTP_COOKIE')",
    "python: path('here/Title')",
    "python: nocall('modules')",
    "python: provider('plone.portaltop')",
    "python: open('/etc/passwd')",
    "python: getSite()",
    "python: sender.__class__",
    "python: '{0.__class__}'.format(sender)",
    "python: '{0.__class__}'.format_map({'0': sender})",
    "python: str.format('{0.__class__}', sender)",
    "sender/__class__",
    "sender/keys/__self__",
    "sender/++attribute++__class__",
    "sender/++attribute++keys",
    "sender/++adapter++plone",
    "sender/++item++name",
    "sender/++resource++plone.png",
    "sender/++acquire++contacts",
    "sender/@@plone_portal_state",
    "sender/@@plone",
    "subject/@@plone_tools",
    "sender/plone:x",
    "sender/zope:pagination",
    "provider:plone.portaltop",
    "load: /etc/passwd",
    "import: os",
    "nocall:here/main_template/macros/master",
)  # fmt: skip
GIVEN = (
    "sender/name",
    "subject",
    "subject/lower",
    "subject/upper | nothing",
    "here/Title | subject",
    "exists:subject",
    "not:exists:here",
    "not:exists:unknown",
    "string:${subject}",
    "string:a",
    "structure:subject",
    "nocall:sender",
    "python: subject.lower() and sender['name'] and sender.get('name')",
    "python: len([each for each in subject]) and str(1) and same_type(1, 2)",
    "python: path('sender/name') and exists('subject')",
    "python: '{0}'.format(subject)",
    "not:nothing",
)
METAL = (
    '<p metal:use-macro="here/main_template/macros/master">x</p>',
    '<p metal:use-macro="context/@@main_template/macros/master">x</p>',
    '<p metal:use-macro="template/macros/x">x</p>',
    '<p metal:use-macro="modules/random">x</p>',
    '<p metal:use-macro="load: /etc/passwd">x</p>',
    '<p metal:use-macro="sender/@@main_template">x</p>',
)
CODE = (
    "<?python raise SystemError ?>",
    "<?pyth<?python x?>on raise SystemError ?>",
    "<?PYTHON raise SystemError ?>",
    "<?xml version='1.0'?><p>x</p>",
)


@pytest.fixture(autouse=True)
def reader(portal):
    """A reader with every right, whose request holds a cookie."""
    request = getRequest()
    request.environ["HTTP_COOKIE"] = SECRET
    request.response.setHeader("X-Secret", SECRET)
    login(portal.aq_parent, SITE_OWNER_NAME)
    return portal


def sees(expression):
    """Return what a condition yields: False also where it raises."""
    try:
        return holds(expression, NAMES)
    except Exception:  # noqa: BLE001
        return False


def renders(template):
    """Return what a template yields: nothing where it raises."""
    try:
        return signature.render(template, NAMES)
    except SystemError:
        return "code was run"
    except Exception:  # noqa: BLE001
        return ""


def test_the_reader_has_what_must_not_be_seen(reader):
    assert getRequest()["HTTP_COOKIE"] == SECRET
    assert SecureModuleImporter["random"]


@pytest.mark.parametrize("expression", ZOPE)
def test_conditions_see_nothing_of_zope(expression):
    assert not sees(expression)


@pytest.mark.parametrize("expression", ZOPE)
def test_templates_see_nothing_of_zope(expression):
    assert renders(f'<p tal:define="it {expression}" tal:condition="it">seen</p>').strip() == ""
    assert renders(f'<p tal:content="{expression}">x</p>') in ("", "<p></p>")
    assert renders(f"<p>${{{expression}}}</p>") in ("", "<p></p>")


@pytest.mark.parametrize("expression", GIVEN)
def test_conditions_see_the_given_names(expression):
    assert holds(expression, NAMES)


@pytest.mark.parametrize("expression", GIVEN)
def test_templates_see_the_given_names(expression):
    template = f'<p tal:condition="{expression}">seen</p>'
    assert signature.render(template, NAMES) == "<p>seen</p>"


@pytest.mark.parametrize("template", METAL)
def test_no_macro_of_the_site(template):
    assert renders(template) == ""


def test_a_template_has_its_own_loops():
    template = "<p tal:repeat=\"part python: ['a', 'b']\">${part}${repeat/part/number}</p>"
    assert signature.render(template, NAMES).split() == ["<p>a1</p>", "<p>b2</p>"]


@pytest.mark.parametrize("template", CODE)
def test_no_code_block_is_run(template):
    assert renders(template) == ""


@pytest.mark.parametrize("name", ["__zt_engine__", "__zt_context__", "_x"])
def test_what_the_engine_keeps_cannot_be_replaced(name):
    assert renders(f'<p tal:define="{name} subject">${{subject}}</p>') in ("", "<p>Permis</p>")
