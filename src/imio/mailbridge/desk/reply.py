"""Answers an incoming e-mail, or passes it on: ``POST @@mailbridge-reply`` makes the outgoing mail and opens it to be written.

Where the user began the same before and has not sent it, or a program wrote the message, the page asks first.
"""

from AccessControl import Unauthorized
from functools import cached_property
from imio.mailbridge.browser.button_page import ButtonPage
from imio.mailbridge.desk.conversation import messages_of
from imio.mailbridge.i18n import _
from imio.mailbridge.iadocs import answer
from imio.mailbridge.iadocs import names
from imio.mailbridge.message.address import without_detail
from imio.mailbridge.outbox.permission import action_visible
from imio.mailbridge.outbox.permission import may_send
from imio.mailbridge.outbox.sender import identities
from plone import api
from zExceptions import NotFound
import secrets


NO_ADDRESS = _(
    "This e-mail has no address that can be answered. Forward it, or write to the person from their contact."
)


def may_reply(document):
    """Tell whether the current user may answer a document."""
    return document.portal_type == names.INCOMING_EMAIL and may_send(document) and answer.may_answer(document)


def reply_visible(document):
    """Tell whether the buttons are shown: the user may answer, and sending is set up."""
    return action_visible(document) and may_reply(document)


def new_press():
    """Return a name for a page with the buttons."""
    return secrets.token_hex(16)


class Reply(ButtonPage):
    """The button ``kind`` has one of ``answer.KINDS``; ``press`` names the page that it stood on.

    A double click finds by it what the first click made.
    """

    buttons = {"kind": "_reply"}
    begun = None  #: the outgoing mail that the user began so and has not sent
    people = answer.People()

    def _show(self):
        return self._give_back()

    def _give_back(self):
        return self.request.response.redirect(self.next_url)

    @property
    def next_url(self):
        """Return the page of the incoming e-mail."""
        return f"{self.context.absolute_url()}/view"

    def _find_target(self, name):
        if not may_reply(self.context):
            raise Unauthorized("This needs the right to add an outgoing mail and to send it.")
        if self.kind not in answer.KINDS:
            raise NotFound(self.kind)

    @property
    def kind(self):
        """Return which button was pressed."""
        return self.entered("kind")

    @property
    def press(self):
        """Return what names the page on which the button stood."""
        return self.entered("press")[:64]

    @property
    def new_press(self):
        """Return a name for the page that is shown."""
        return new_press()

    @cached_property
    def userid(self):
        """The id of the current user."""
        return api.user.get_current().getId()

    @cached_property
    def _identities(self):
        return identities(self.userid, self.settings)

    def _reply(self):
        before, press = answer.begun(self.context, self.userid, self.kind)
        if before is not None and self._is_unsent(before):
            if self.press and press == self.press:
                return self._write(before)
            self.begun = before
        self.people = answer.people(self.context, self.kind, self._own_addresses())
        if self.kind != answer.FORWARD and not self.people.to:
            self._say(NO_ADDRESS, "warning")
            return None
        if (self.begun is not None or self.people.is_doubtful) and not self.entered("anyway"):
            return self.index()
        own = [each.uid for each in self._identities if each.kind == "position"]
        sender = next(iter(own), "")
        made = answer.begin(self.context, self.kind, self.people, sender, self.userid, self.press)
        return self._write(made)

    def _is_unsent(self, document):
        return (
            not messages_of(document)
            and not getattr(document, "email_status", None)
            and api.user.has_permission("View", obj=document)
        )

    def _own_addresses(self):
        values = self.settings
        return {
            *values.mailin_addresses,
            *map(without_detail, values.mailin_addresses),
            *values.source_mailboxes,
            *values.login_rules,
            *(each.login_address for each in values.accounts.values() if each.login_address),
            *(each.address.addr_spec for each in self._identities),
        }

    def _write(self, document):
        return self.request.response.redirect(f"{document.absolute_url()}/@@send-email")
