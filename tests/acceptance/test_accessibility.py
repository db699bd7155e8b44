"""Can everybody use our pages, on a screen, on a phone, enlarged, and by keys alone? What Plone puts around them is Plone's."""

from tests.acceptance.axe import serious
from tests.acceptance.pages import declare
from tests.acceptance.pages import fill
from tests.acceptance.pages import PAGES
import pytest


SCREEN, PHONE = {"width": 1366, "height": 768}, {"width": 390, "height": 844}
#: What a browser at 200 % shows of a screen.
ENLARGED = {"width": 683, "height": 384}

#: What makes a page scroll sideways; what a part of it cuts or scrolls does not.
TOO_WIDE = """() => {
  const page = document.documentElement, width = page.clientWidth;
  if (page.scrollWidth <= width) return [];
  const wide = one => one.getBoundingClientRect().right > width + 1;
  const found = [...document.querySelectorAll('#content, #content *')]
    .filter(one => wide(one) && ![...one.children].some(wide))
    .slice(0, 5).map(one => one.outerHTML.slice(0, 200));
  return found.length ? found : ['something around the content'];
}"""

#: Controls that a mouse can use and the tab key cannot reach; tabs and the widgets of Plone have keys of their own.
WITHOUT_KEYS = """() => {
  const controls = 'a, button, input, select, textarea, summary, [role=button], [onclick], .btn';
  const ways = 'a[href], button, input, select, textarea, summary, [tabindex]';
  const shown = one => one.checkVisibility() && one.getClientRects().length && !one.disabled;
  return [...document.querySelectorAll('#content :is(' + controls + ')')]
    .filter(one => shown(one) && !one.closest('.select2-container, .tox, [role=tablist], [inert]'))
    .filter(one => !one.matches('label') && one.type !== 'hidden')
    .filter(one => !one.matches(ways) || one.tabIndex < 0 || one.tabIndex > 0)
    .map(one => one.outerHTML.slice(0, 200));
}"""


@pytest.fixture(scope="module")
def content(iadocs):
    return fill(iadocs)


def settled(page):
    """Return what is too wide once what Plone's widgets move has come to rest."""
    for _ in range(20):
        if not (found := page.evaluate(TOO_WIDE)):
            break
        page.wait_for_timeout(100)
    return found


def problems(page):
    """Yield what is wrong with a page at each size, with all that can be unfolded."""
    page.locator("#content details").evaluate_all("all => all.forEach(one => { one.open = true })")
    for viewport in (SCREEN, PHONE, ENLARGED):
        page.set_viewport_size(viewport)
        if found := settled(page):
            yield (viewport["width"], "too wide", found)
        if viewport is not ENLARGED and (found := serious(page, "#content")):
            yield (viewport["width"], "axe", found)
    if found := page.evaluate(WITHOUT_KEYS):
        yield ("no key reaches", found)


@pytest.mark.parametrize("user", ["agent", "chef", "admin"])
def test_everybody_can_use_our_pages(iadocs, person, content, user):
    declare(iadocs)
    someone = person(user, **({"password": "admin"} if user == "admin" else {}))
    found = {}
    for path in (path for name, path in PAGES if name == user):
        someone.page.set_viewport_size(PHONE)
        someone.open(path.format(**content))
        if wrong := list(problems(someone.page)):
            found[path] = wrong
    assert found == {}
    assert not someone.errors


def test_what_is_wrong_is_found(person):
    someone = person("agent")
    someone.open("/incoming-mail")
    someone.page.evaluate(
        """document.querySelector('#content').insertAdjacentHTML('beforeend',
          '<img src="x"><p style="width: 2000px">wide</p><span class="btn" role="button">no key</span>')"""
    )
    kinds = {each[1] if isinstance(each[1], str) else each[0] for each in problems(someone.page)}
    assert kinds == {"too wide", "axe", "no key reaches"}
