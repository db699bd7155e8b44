"""The page ``@@mailbridge-mailboxes``: the mailboxes that the bridge reads by IMAP, and whether they work."""

from imio.mailbridge.browser.button_page import ButtonPage
from imio.mailbridge.controlpanel.navigation import Navigation
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import translatable
from imio.mailbridge.inbound.imap_answers import imap_answer
from imio.mailbridge.inbound.imap_reading import status_of
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.message.secret_address import masked
from imio.mailbridge.settings.imap import account_of
from imio.mailbridge.settings.imap import NEW_MAIL
from imio.mailbridge.settings.imap import ROLE
from imio.mailbridge.transport.fetch_state import FetchState
from imio.mailbridge.transport.fetch_state import KEPT
from imio.mailbridge.transport.fetch_state import LEFT
from imio.mailbridge.transport.fetch_state import REFUSED
from imio.mailbridge.transport.imap_connection import CannotOpen
from imio.mailbridge.transport.imap_connection import CONNECTION_ERRORS
from imio.mailbridge.transport.imap_connection import server_text
from imio.mailbridge.transport.imap_connection import stage_of
from imio.mailbridge.transport.imap_folder import selected_folder
from urllib.parse import quote
from zExceptions import NotFound


#: How many of the messages that could not be filed are named.
NAMED = 10
#: Seconds that trying a mailbox may take: somebody waits for it.
LONGEST_TRY = 60


class MailboxesView(Navigation, ButtonPage):
    """A table of the mailboxes, and the button that tries one."""

    page_name = "mailbridge-mailboxes"
    buttons = {"try": "_try"}

    def _try(self):
        imap_mailbox = self.settings.imap_mailboxes.get(self.entered("try"))
        if imap_mailbox is None:
            raise NotFound(self.page_name)
        self._say(*tried(imap_mailbox))

    def rows(self):
        """Return what the table shows of each mailbox."""
        mailboxes = self.settings.imap_mailboxes.values()
        return [self._row(each, inbox().counts_of(each.address)) for each in mailboxes]

    def _row(self, imap_mailbox, counts):
        about = status_of(imap_mailbox.name)
        problem = about.problem if about is not None else None
        words = about.counts if about is not None else {}
        query = f"?mailbox={quote(imap_mailbox.name)}"
        is_login = imap_mailbox.is_login
        waiting = about.waiting if about is not None else 0
        failed = list(FetchState.from_json(about.state).failed.values()) if about is not None else []
        return {
            "name": imap_mailbox.name,
            "address": masked(imap_mailbox.address),
            "role": ROLE.getTerm(imap_mailbox.role).title,
            "is_login": is_login,
            "server": f"{imap_mailbox.host}:{imap_mailbox.port}" if imap_mailbox.host else "",
            "login": imap_mailbox.login,
            "new_mail": NEW_MAIL.getTerm(imap_mailbox.new_mail).title if is_login else "",
            "agents_get_copies": is_login and imap_mailbox.copy_to_agent,
            "checked": self.time(about.checked) if about is not None and about.checked else "",
            "problem": problem
            and {
                "since": self.time(problem["since"]),
                "sentence": imap_answer(problem["stage"], problem["text"]).explanation,
                "remedy": imap_answer(problem["stage"], problem["text"]).remedy,
                "text": problem["text"],
            },
            "waiting": waiting,
            "failed": len(failed),
            "failures": [
                {"text": translatable(each.text), "subject": each.subject, "author": each.author}
                for each in failed[:NAMED]
            ],
            "kept": words.get(KEPT, 0),
            "left": words.get(LEFT, 0),
            "refused": words.get(REFUSED, 0),
            "counts": counts,
            "nobody": is_login
            and not (problem or waiting or failed)
            and self._nobody(imap_mailbox, words, about),
            "edit": f"{self.page_url('mailbridge-mailbox-edit')}{query}",
            "delete": f"{self.page_url('mailbridge-mailbox-delete')}{query}",
            "inbox": f"{self.page_url('mailbridge-inbox')}?state=quarantined",
        }

    def _nobody(self, imap_mailbox, words, about):
        """Tell whether nobody needs to look into the login mailbox: it was read, and nothing is left in it."""
        return imap_mailbox.new_mail != "leave" and not words.get(REFUSED) and bool(about and about.checked)


def tried(imap_mailbox):
    """Open a mailbox; return a sentence on the outcome, and its kind."""
    account = account_of(imap_mailbox)
    if account is None:
        return _("Another machine reads this mailbox; there is nothing to try from here."), "info"
    try:
        with selected_folder(account, LONGEST_TRY) as folder:
            number = len(folder.pending())
    except (CannotOpen, *CONNECTION_ERRORS) as error:
        row = imap_answer(stage_of(error), server_text(error))
        mapping = {
            "sentence": row.explanation,
            "remedy": row.remedy,
            "words": server_text(error)[:300],
        }
        return _("${sentence} ${remedy} The server said: ${words}", mapping=mapping), "error"
    return _(
        "The mailbox can be read. Messages in the folder that are still to be read: ${count}",
        mapping={"count": number},
    ), "info"
