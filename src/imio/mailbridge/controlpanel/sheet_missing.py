"""What a town's set-up still lacks, and who must do it: read from the settings and from what the bridge has seen."""

from dataclasses import dataclass
from imio.mailbridge.i18n import _
from imio.mailbridge.inbound.forwarding.outcomes import OUTCOMES
from imio.mailbridge.inbound.forwarding.store import forwardings
from imio.mailbridge.message.secret_address import is_secret
from imio.mailbridge.outbox import send_as
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings import secrets
from imio.mailbridge.settings import tokens
from imio.mailbridge.settings.imap import secrets_of
from imio.mailbridge.settings.smtp import DEFAULT
from plone import api


IT = _("IT service of the town")
ADMIN = _("administrator of iA.docs")
HOST = _("whoever runs the mail server of iA.docs")


@dataclass(frozen=True)
class Missing:
    """A task (a msgid), who does it, and the page of the control panel where it is done or seen."""

    task: str
    who: str
    page: str


def missing(settings):
    """Yield what is still missing, the most important first."""
    yield from _outgoing(settings)
    yield from _incoming(settings)
    yield from _alarms(settings)


def _outgoing(settings):
    if not settings.accounts:
        yield Missing(
            _("Name the SMTP server, its port, the encryption and the login."), IT, "mailbridge-controlpanel"
        )
        return
    for account in settings.accounts.values():
        mapping = {"server": account.host}
        if account.login and not _has_secret(account):
            task = _("Give the password or the secret of the login at ${server}.", mapping=mapping)
            yield Missing(task, IT, "mailbridge-accounts")
        if not account.login_address:
            task = _("Name the address that sends through ${server}.", mapping=mapping)
            yield Missing(task, IT, "mailbridge-accounts")
        if outbox().hold_of(account.name) is not None:
            task = _("Sending through ${server} is stopped. The page says why.", mapping=mapping)
            yield Missing(task, ADMIN, "mailbridge-accounts")
        known = [each for (of, _name), each in send_as.verdicts().items() if of == account.name]
        if account.sender_policy == "send_as" and not any(each.allowed for each in known):
            task = _(
                "Allow the login at ${server} to send as the agents, then try it for one address.",
                mapping=mapping,
            )
            yield Missing(task, IT, "mailbridge-send-as")


def _has_secret(account):
    if account.name == DEFAULT and account.auth == "password" and secrets.source():
        return True
    kinds = ["password"] if account.auth == "password" else ["client_secret", "refresh_token"]
    return any(secrets.read(account.name, kind) for kind in kinds)


def _incoming(settings):
    if not settings.mailin_addresses:
        yield Missing(_("Name a mail-in address for the mail of the town."), HOST, "mailbridge-controlpanel")
    if not settings.source_mailboxes:
        yield Missing(
            _("Name the mailboxes of the town whose mail is to be filed."), IT, "mailbridge-controlpanel"
        )
    if not tokens.listed() and not settings.imap_mailboxes:
        yield Missing(
            _(
                "Nothing brings mail in yet: make a token for the mail host, or have a mailbox read over IMAP."
            ),
            HOST,
            "mailbridge-tokens",
        )
    yield from _mailboxes(settings)
    if not settings.agent_patterns:
        yield Missing(
            _("Say which addresses agents have, so that they can forward e-mails."),
            ADMIN,
            "mailbridge-controlpanel",
        )


def _mailboxes(settings):
    results = {name: about.results for name, about in forwardings().items()}
    last = {name: next(iter(results.get(name, ())), None) for name in settings.source_mailboxes}
    proven = {row.source_mailbox for row in settings.mailin_addresses.values() if is_secret(row.address)}
    groups = (
        (
            _("Make secret addresses: nothing else proves what these mailboxes forward: ${mailboxes}"),
            ADMIN,
            "mailbridge-addresses",
            [name for name in last if name not in proven and not settings.trusted_gateways],
        ),
        (
            _("Have these mailboxes pass their mail on unchanged, then check the forwarding: ${mailboxes}"),
            IT,
            "mailbridge-forwarding",
            [name for name, result in last.items() if result is None],
        ),
        (
            _("Correct the forwarding of these mailboxes, whose last check failed: ${mailboxes}"),
            IT,
            "mailbridge-forwarding",
            [name for name, result in last.items() if result and not OUTCOMES[result["outcome"]].good],
        ),
        (
            _("Give the passwords or secrets of the mailboxes that are read over IMAP: ${mailboxes}"),
            IT,
            "mailbridge-mailboxes",
            [each.name for each in settings.imap_mailboxes.values() if each.host and not _is_kept(each)],
        ),
    )
    for text, who, page, found in groups:
        if found:
            yield Missing(_(text, mapping={"mailboxes": ", ".join(found)}), who, page)


def _is_kept(imap_mailbox):
    return any(secrets.is_kept(secrets_of(imap_mailbox.name), kind) for kind in secrets.KINDS)


def _alarms(settings):
    site = api.portal.get_registry_record("plone.email_from_address", default="") or ""
    if not settings.alarm_address and not site:
        yield Missing(
            _("Say who is told when mail no longer leaves or comes in."), ADMIN, "mailbridge-controlpanel"
        )
    if not settings.signature:
        yield Missing(_("Write the signature below e-mails."), ADMIN, "mailbridge-controlpanel")
