"""Finds the port and encryption at which an SMTP server answers, and logs in there, before anything of the settings changes."""

from dataclasses import replace
from imio.mailbridge.diagnosis import tls
from imio.mailbridge.diagnosis.bounds import Deadline
from imio.mailbridge.diagnosis.bounds import Limits
from imio.mailbridge.diagnosis.diagnose import diagnose
from imio.mailbridge.diagnosis.diagnose import Options
from imio.mailbridge.diagnosis.step import BAD
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings import secrets
from imio.mailbridge.settings.moved_secrets import OWNERS
from imio.mailbridge.settings.presets import OF_DEFAULT
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.secrets import TRIAL
from imio.mailbridge.settings.server import ServerLogin
from imio.mailbridge.settings.smtp import Account
from imio.mailbridge.settings.smtp import DEFAULT
from imio.mailbridge.store.commit import committed


#: Ports that are usual for sending, and their encryption.
USUAL = ((587, "starttls"), (465, "tls"), (25, "starttls"))

#: Somebody waits, and up to four ports are tried one after the other.
QUICK = Limits(total=40, resolve=8, connect=4, smtp=25, answer=8)
#: Seconds after which no other port is tried.
PATIENCE = 45

#: Steps that concern the server itself.
OF_SERVER = ("resolve", "connect", "tls", "features")
#: What the bridge can be told about the certificate of a server: who issued it.
ISSUER_UNKNOWN = {tls.SENTENCES["self-signed"][0], tls.SENTENCES["unknown-authority"][0]}

#: Limits that a provider has; without one, what an expert set stays.
LIMITS = ("rate", "attachment_limit")

#: Fields of an account that the set-up writes, and the setting of each.
WRITTEN = {
    name: OF_DEFAULT.get(name, {"ca_file": "smtp_ca_file", "login": "smtp_login"}.get(name, name))
    for name in (*ServerLogin.__dataclass_fields__, "login_address", *LIMITS)
    if name != "name"
}


def ports(port, security):
    """Return the (port, encryption) pairs to try, best first; 0 and an empty string are not known."""
    if security == "none":
        return [(port or 25, "none")]
    both = ("tls", "starttls") if port == 465 else ("starttls", "tls")
    own = [(port, each) for each in ([security] if security else both)] if port else []
    usual = [each for each in USUAL if each not in own and (port or not security or each[1] == security)]
    return [*own, *usual]


def reach(account):
    """Return the ``Step`` at which a server cannot be used, or None. No login is tried."""
    bare = replace(account, name=TRIAL, auth="password", login="", login_address="")
    steps = diagnose(bare, Options(dns=False), limits=QUICK)
    return next((step for step in steps if step.name in OF_SERVER and step.verdict == BAD), None)


def find(host, port, security, ca_file=""):
    """Return (``Account``, None) for the first port that works, else (the account that was tried first, its bad ``Step``).

    A server whose certificate nobody vouches for is found: its account comes with its step.
    """
    failed, deadline = None, Deadline(PATIENCE)
    for number, encryption in ports(port, security):
        account = Account(TRIAL, host, number, encryption, ca_file)
        step = reach(account)
        if step is None or is_issuer_unknown(step):
            return account, step
        failed = failed or (account, step)
        if step.name == "resolve" or deadline.passed:
            break
    return failed


def is_issuer_unknown(step):
    """Tell whether a step failed because nobody vouches for the server's certificate."""
    return str(step.sentence) in ISSUER_UNKNOWN


def log_in(account, given):
    """Log in with the secrets that were ``given`` (kind → secret); return the ``Step`` that failed, or None once all is saved.

    Without any, those are used that the site keeps for just this account. A secret that does not work is kept nowhere.
    """
    present = settings().default_account
    elsewhere = account.auth == "password" and secrets.source() in ("environment", "file")
    is_same = all(getattr(present, name) == getattr(account, name) for name in OWNERS)
    if elsewhere or (is_same and not any(given.values())):
        account = replace(account, name=DEFAULT)
    committed(lambda: _write(TRIAL, given))
    try:
        steps = diagnose(account, Options(dns=False))
        failed = next((step for step in steps if step.verdict == BAD), None)
        if failed is None:
            committed(lambda: _save(account))
    finally:
        committed(lambda: secrets.forget(TRIAL))
    return failed


def _write(name, given):
    for kind, secret in given.items():
        secrets.write(secret, name, kind)


def _save(account):
    """Write the account that works into the settings of the default one, and its secrets beside them."""
    records, before = stored_settings(), settings().default_account
    for name, setting in WRITTEN.items():
        value = getattr(account, name)
        if name == "login_address" and value == account.login:
            value = ""  # it follows the login
        if value or name not in LIMITS:
            setattr(records, setting, value or None)
    if any(getattr(before, name) != getattr(account, name) for name in OWNERS):
        records.sender_policy = "login"  # what another server allowed says nothing of this one
    if account.name == TRIAL:
        kept = {kind: secrets.read(TRIAL, kind) for kind in (*secrets.KINDS, secrets.ROTATED)}
        secrets.forget(DEFAULT)
        _write(DEFAULT, kept)
    outbox().retry_held()
