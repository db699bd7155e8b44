"""The last screens: a message as an agent would send it, and the page that says what works and who must do what."""

from imio.mailbridge.browser import titles
from imio.mailbridge.controlpanel.setup import answers as kept
from imio.mailbridge.controlpanel.setup.receiving import outcome
from imio.mailbridge.controlpanel.setup.screen import Field
from imio.mailbridge.controlpanel.setup.screen import NEXT
from imio.mailbridge.controlpanel.setup.screen import Templated
from imio.mailbridge.controlpanel.trial_mail import admin_addresses
from imio.mailbridge.controlpanel.trial_mail import first_address
from imio.mailbridge.controlpanel.trial_mail import SUBJECT
from imio.mailbridge.controlpanel.trial_mail import TEXT
from imio.mailbridge.controlpanel.trial_mail import translated
from imio.mailbridge.diagnosis import knowledge
from imio.mailbridge.diagnosis.dns_entries import entries
from imio.mailbridge.diagnosis.foreseen import foreseen
from imio.mailbridge.diagnosis.step import BAD
from imio.mailbridge.diagnosis.step import OK
from imio.mailbridge.diagnosis.step import SKIPPED
from imio.mailbridge.diagnosis.step import WARNING
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import translatable
from imio.mailbridge.inbound.forwarding.store import forwardings
from imio.mailbridge.message.address import Address
from imio.mailbridge.message.composition.compose import compose
from imio.mailbridge.message.composition.compose import message_id
from imio.mailbridge.message.composition.sender_policy import SenderRefused
from imio.mailbridge.message.secret_address import masked
from imio.mailbridge.outbox.explained import explained
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.outbox.sender import sender_for
from imio.mailbridge.outbox.states import LOST
from imio.mailbridge.outbox.states import TAKEN
from imio.mailbridge.outbox.states import WAITING
from imio.mailbridge.outbox.submit import submit_own
from imio.mailbridge.ports.directory import Identity
from imio.mailbridge.settings import validate
from imio.mailbridge.settings.clock import local_time
from imio.mailbridge.store.store import now
from typing import NamedTuple
import secrets
import uuid


class TestScreen(Templated):
    """A message to an address that one looks into; its fate in the words that agents read."""

    __test__ = False  # of pytest

    name = "test"
    title = _("Does an e-mail arrive?")
    lead = _("iA.docs sends one as an agent would, to an address whose mailbox you can open.")
    skip = _("Skip the test")
    buttons = ("go_on", "send")

    @property
    def actions(self):
        """Return the buttons: to go on comes first once a message was sent."""
        send = ("send", _("Send the test") if self.record is None else _("Send another one"))
        return [send] if self.record is None else [("go_on", NEXT), send]

    @property
    def record(self):
        """Return the message that was sent, or None."""
        return outbox().get(self.answers.test) if self.answers.test else None

    def fields(self):
        to = self.record.to[0].addr_spec if self.record is not None else first_address(admin_addresses())
        return [Field("to", _("Recipient of the test"), "", to, "email")]

    def is_running(self):
        """Tell whether the message may still leave."""
        return self.record is not None and state_of(self.record) in WAITING - {"held"}

    def result(self):
        """Return what the page says of the message, or None."""
        record = self.record
        if record is None:
            return None
        state = state_of(record)
        line = next((each for each in reversed(record.history) if each["state"] == state), None)
        return {
            "to": record.to[0].addr_spec,
            "from": str(record.sender.author),
            "reply_to": str(record.sender.reply_to or ""),
            "state": state,
            "title": titles.OUTGOING[state],
            "colour": titles.colour(state),
            "explanation": explained(line) if line else "",
            "words": masked(f"{line['code'] or ''} {line['text']}".strip())
            if line and state not in TAKEN
            else "",
        }

    def send(self):
        """Send it as the agent of the first question."""
        to = self.entered("to")
        if not self.check("to", validate.address):
            return self.page._show()
        values = self.settings
        account = values.account_for(self.answers.address)
        if account is None:
            return self.wrong("to", _("No SMTP server is set yet."))
        id = uuid.uuid4().hex
        identity = Identity("", "position", Address("", self.answers.address))
        try:
            sender, fallback = sender_for(identity, account, values, id)
        except SenderRefused as refused:
            return self.wrong("to", translatable(refused.args[0]))
        subject = translated(SUBJECT)
        new_id = message_id(secrets.token_hex(16), sender.author.addr_spec.rpartition("@")[2])
        body = compose(
            message_id=new_id,
            date=now(),
            to=[Address("", to)],
            cc=[],
            subject=subject,
            html=f"<p>{translated(TEXT)}</p>",
        )
        submit_own(account, sender, to, subject, new_id, body, "notice", id=id, fallback=fallback)
        kept.keep(test=id)
        return self.page.again()

    def leave_out(self):
        """Go on without a test."""

    def go_on(self):
        """Go on; a message that is not yet sent stands on the last page."""


def state_of(record):
    """Return the state of a message to one recipient."""
    return next(iter(record.recipients.values()))


class Line(NamedTuple):
    """A line of the last page: ``who`` must do what ``ask`` says; ``verdict`` is that of a ``Step``.

    Mail flows without what is ``optional`` and left out. ``records`` are those to enter in DNS, each with a note.
    """

    verdict: str
    title: str
    sentences: tuple[str, ...]
    ask: str = ""
    who: str = ""
    optional: bool = False
    records: tuple[tuple[str, str], ...] = ()


#: Who must do what.
TOWN, PROVIDER, DNS = (
    _("Your IT people"),
    _("Your mail provider"),
    _("Whoever manages the DNS of your domain"),
)
NOT_SET = _("Not set up yet.")
SIGNS = {
    OK: (_("good"), "success", "✓"),
    WARNING: (_("warning"), "warning", "!"),
    BAD: (_("does not work"), "danger", "✗"),
    SKIPPED: (_("skipped"), "secondary", "–"),
    "to-do": (_("to do"), "info", "→"),
}


class EndScreen(Templated):
    """What works, what does not, who must do what; to print, or to copy."""

    name = "end"
    title = _("What works, and what is left to do")
    buttons = ("restart",)
    actions = ()

    def restart(self):
        """Begin anew; the settings stay."""
        kept.forget()

    @property
    def works(self):
        """Tell whether nothing is left to do for mail to flow."""
        return all(
            line.verdict in (OK, WARNING) or (line.optional and line.verdict == SKIPPED)
            for line in self.lines()
        )

    @property
    def warns(self):
        """Tell whether something is not as good as it can be."""
        return any(line.verdict == WARNING for line in self.lines())

    def lines(self):
        """Return the lines of the page."""
        return [
            self._server(),
            self._found("login", _("Login"), who=TOWN),
            self._found("sender", _("Sender"), who=PROVIDER),
            self._dns(),
            *self._mailboxes(),
            self._watch(),
            self._test(),
        ]

    def _found(self, name, title, who=PROVIDER):
        found = self.answers.found.get(name)
        if found is None:
            return Line(SKIPPED, title, (NOT_SET,))
        sentences = tuple(map(kept.message, found["sentences"]))
        ask = kept.message(found["ask"])
        return Line(found["verdict"], title, sentences, ask, who if ask else "")

    def _server(self):
        account = self.settings.default_account
        line = self._found("server", _("Mail server"))
        if not account.host:
            return line._replace(verdict=BAD if line.verdict == BAD else SKIPPED)
        return line

    def _dns(self):
        """Say what receivers will find, from what is kept, and which records are to be entered."""
        title, account = _("SPF, DKIM and DMARC"), self.settings.default_account
        found = [
            each
            for each in foreseen(account, self.settings).forecasts
            if account.sender_policy in (each.case.policy, "auto")
        ]
        if not found:
            return Line(SKIPPED, title, (_("No DNS server answers."),), optional=True)
        sentences = {
            translated(part.sentence): part.sentence
            for each in found
            for part in (each.spf, each.dkim, each.dmarc)
        }
        missing = entries(found, account.host, knowledge.Known())
        verdict = WARNING if missing or any(each.fails for each in found) else OK
        ask = _("Please enter or check these records in DNS.") if missing else ""
        records = tuple((f"{each.name} {each.kind} {each.value}".strip(), each.note) for each in missing)
        return Line(verdict, title, tuple(sentences.values()), ask, DNS if missing else "", records=records)

    def _mailboxes(self):
        known = forwardings()
        if not self.answers.mailboxes:
            text = _("No mailbox forwards to iA.docs.")
            yield Line(SKIPPED, _("Mailboxes that forward"), (text,), optional=True)
        for mailbox in self.answers.mailboxes:
            found = outcome(known.get(mailbox))
            title = _("Forwarding of ${mailbox}", mapping={"mailbox": mailbox})
            if found["good"]:
                yield Line(OK, title, (found["sentence"],))
            elif found["good"] is False:
                yield Line(BAD, title, (found["sentence"],), found["remedy"], TOWN)
            else:
                text = _("Have the mailbox forward to its secret address, then check it.")
                yield Line(SKIPPED, title, (_("Not checked yet."),), text, TOWN)

    def _watch(self):
        title = _("Mailbox of the login address")
        address = self.settings.default_account.login_address.lower()
        if address and address in self.settings.login_rules:
            return self._found("watch", title)._replace(
                verdict=OK,
                sentences=(_("iA.docs reads the mailbox of ${address}.", mapping={"address": address}),),
            )
        if "watch" in self.answers.left_out:
            text = _("Check the mailbox of ${address} regularly.", mapping={"address": address})
            return Line(WARNING, title, (_("iA.docs does not read it."),), text, TOWN)
        return self._found("watch", title)

    def _test(self):
        title = _("Test e-mail")
        record = outbox().get(self.answers.test) if self.answers.test else None
        if record is None:
            return Line(SKIPPED, title, (_("None was sent."),))
        state = state_of(record)
        verdict = BAD if state in (*LOST, "held") else OK if state in TAKEN else SKIPPED
        mapping = {"address": record.to[0].addr_spec, "state": titles.OUTGOING[state]}
        return Line(verdict, title, (_("The e-mail to ${address}: ${state}.", mapping=mapping),))

    def shown(self):
        """Return what the page shows of each line."""
        for line in self.lines():
            word, colour, sign = SIGNS["to-do" if line.verdict == SKIPPED and line.ask else line.verdict]
            yield {**line._asdict(), "word": word, "colour": colour, "sign": sign}

    def text(self):
        """Return the page as text, to send to the provider."""
        found = [f"iA.docs, {self.answers.domain}, {local_time(now()):%Y-%m-%d %H:%M %Z}"]
        account = self.settings.default_account
        if account.host:
            found.append(f"{account.host}:{account.port} ({account.security}), {account.login or '-'}")
        for line in self.shown():
            found += ["", f"[{translated(line['word'])}] {translated(line['title'])}"]
            found += [f"  {translated(each)}" for each in line["sentences"]]
            if line["ask"]:
                mapping = {"who": line["who"], "ask": line["ask"]}
                found.append(f"  {translated(_('${who}: ${ask}', mapping=mapping))}")
            for record, note in line["records"]:
                found += [f"    {each}" for each in (record, translated(note)) if each]
        return masked("\n".join(found))
