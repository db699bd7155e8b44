"""The page ``@@mailbridge-tokens``: makes and revokes the tokens of mail hosts.

A token is shown once, in the answer that made it: no message in a cookie and no later page holds it.
"""

from datetime import date
from imio.mailbridge.browser.button_page import ButtonPage
from imio.mailbridge.controlpanel.navigation import Navigation
from imio.mailbridge.i18n import _
from imio.mailbridge.settings import tokens
from plone import api


LONGEST_LABEL = 80


class TokensView(Navigation, ButtonPage):
    """A table of tokens, and the buttons make and revoke."""

    page_name = "mailbridge-tokens"
    buttons = {"make": "_make", "revoke": "_revoke"}
    made = ""

    def _make(self):
        label = self.entered("label")[:LONGEST_LABEL]
        if not label:
            self._say(_("Say which mail host the token is for."), "warning")
            return None
        self.made = tokens.make(label)
        self.request.response.setHeader("Cache-Control", "no-store")
        return self.index()

    def _revoke(self):
        if tokens.revoke(self.entered("revoke")):
            self._say(_("The token has been revoked: it no longer opens anything."))
        else:
            self._say(_("This token was already revoked."), "warning")

    def command(self):
        """Return the line that writes the new token into the token file of a mail host."""
        return f"echo {self.made} | sudo install -o mailbridge -m 600 /dev/stdin /etc/mailbridge/token"

    def rows(self):
        """Return label and times of each token, readable."""
        return [
            {**row, "created": self.time(row["created"]), "used": _readable_day(row["used"])}
            for row in tokens.listed()
        ]


def _readable_day(day):
    return str(api.portal.get_localized_time(date.fromisoformat(day))) if day else ""
