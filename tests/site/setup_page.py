"""The set-up as an admin without scripts goes through it."""

from tests.site.panel import HTML
import html
import lxml.html


PAGE = "/@@mailbridge-setup"


class Conversation:
    """``text`` is the page that is open, ``step`` the name of its question."""

    def __init__(self, site, user="admin"):
        self.site, self.user = site, user
        self.open()

    def open(self, step=""):
        """Open the page, or a question of it."""
        return self._read(self.site.get(f"{PAGE}?step={step}" if step else PAGE, self.user, headers=HTML))

    def _read(self, answer):
        while answer.status_code in (302, 303):
            cookies = answer.cookies
            answer = self.site.get(answer.headers["Location"], self.user, headers=HTML, cookies=cookies)
        assert answer.status_code == 200, answer.text[:2000]
        self.text = html.unescape(answer.text)
        self.tree = lxml.html.fromstring(answer.text)
        (self.step,) = [each.get("data-step") for each in self.tree.cssselect(".mailbridge-setup")]
        return self

    def form(self):
        """Return name → value of the fields of the question."""
        found = {}
        for form in self.tree.forms:
            if form.get("enctype"):
                for field in form.inputs:
                    if field.get("type") in ("submit", "file") or field.tag == "button":
                        continue
                    if field.get("type") == "radio" and not field.checked:
                        continue
                    found[field.name] = field.get("value", "") if field.tag == "input" else field.value or ""
        return found

    def press(self, button="go_on", value="1", files=None, **entered):
        """Fill fields in and press a button; return itself at the page that follows."""
        data = {**self.form(), **entered, button: value}
        data.setdefault("step", self.step)
        if "_authenticator" not in data:
            data["_authenticator"] = self.tree.cssselect("input[name=_authenticator]")[0].get("value")
        return self._read(self.site.post(PAGE, self.user, data=data, files=files, headers=HTML))

    @property
    def errors(self):
        """Return field → error."""
        return {each.get("data-error"): each.text_content() for each in self.tree.cssselect("[data-error]")}

    @property
    def failed(self):
        """Return the name of the step that failed just now, or None."""
        return next((each.get("data-failed") for each in self.tree.cssselect("[data-failed]")), None)

    @property
    def verdicts(self):
        """Return the verdicts of the last page, by their titles."""
        return {
            " ".join(each.cssselect("h3")[0].text_content().split()): each.get("data-verdict")
            for each in self.tree.cssselect("[data-verdict]")
        }
