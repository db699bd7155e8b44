"""The screens up to the log-in and the sender: address, provider, way, server, authority, login, sender."""

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from dataclasses import replace
from imio.mailbridge.controlpanel.setup import answers as kept
from imio.mailbridge.controlpanel.setup import server
from imio.mailbridge.controlpanel.setup.screen import Field
from imio.mailbridge.controlpanel.setup.screen import Screen
from imio.mailbridge.controlpanel.setup.screen import Templated
from imio.mailbridge.controlpanel.trial_mail import password_unreadable
from imio.mailbridge.controlpanel.trial_mail import translated
from imio.mailbridge.delivery.trial import probe_sender
from imio.mailbridge.diagnosis import dns
from imio.mailbridge.diagnosis import foreseen
from imio.mailbridge.diagnosis import knowledge
from imio.mailbridge.diagnosis.bounds import Deadline
from imio.mailbridge.diagnosis.dialogue import Dialogue
from imio.mailbridge.diagnosis.forecast import advised_policy
from imio.mailbridge.diagnosis.forecast import domain_of
from imio.mailbridge.diagnosis.forecast import failing
from imio.mailbridge.diagnosis.provider import recognise
from imio.mailbridge.diagnosis.step import BAD
from imio.mailbridge.diagnosis.step import OK
from imio.mailbridge.i18n import _
from imio.mailbridge.i18n import translatable
from imio.mailbridge.message.composition.sender_policy import SenderRefused
from imio.mailbridge.settings import secrets
from imio.mailbridge.settings import validate
from imio.mailbridge.settings.presets import TENANT
from imio.mailbridge.settings.providers import provider
from imio.mailbridge.settings.providers import PROVIDERS
from imio.mailbridge.settings.read import settings
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.secrets import PasswordUnreadable
from imio.mailbridge.settings.smtp import Account
from imio.mailbridge.settings.smtp import SECURITY
from imio.mailbridge.store.commit import committed
from imio.mailbridge.transport.tls import certificates_in
import re


#: Seconds that DNS may take.
DNS = 10
#: The largest file of certificates, in bytes.
LARGEST = 64 * 1024
TENANT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{1,99}")


class AddressScreen(Screen):
    """An agent's address, whose domain is looked up."""

    name = "address"
    title = _("What is the e-mail address of an agent?")
    lead = _(
        "A colleague who will send e-mails from iA.docs. The domain of the address tells who hosts your mail."
    )

    def fields(self):
        return [
            Field(
                "address",
                _("E-mail address of an agent"),
                _("Example: marie.dupont@maville.be"),
                self.answers.address,
                "email",
            )
        ]

    def go_on(self):
        """Look the domain up."""
        address = self.entered("address").lower()
        if not self.check("address", validate.address, address):
            return self.page._show()
        found = recognised(address.rpartition("@")[2], self.settings.dns_resolver)
        sources = tuple(map(kept.stored, found.sources))
        if not found.answered:
            sources = (kept.stored(_("No DNS server answers, so your provider could not be recognized.")),)
        is_other = address.rpartition("@")[2] != self.answers.domain
        kept.keep(
            address=address,
            provider="" if is_other else self.answers.provider,
            recognised=found.provider,
            sources=sources,
            smtp=_values(found.smtp),
            imap=_values(found.imap),
        )
        return None


def recognised(domain, resolver):
    """Return what DNS says of the mail of a domain: a ``Recognised``, within ``DNS`` seconds."""
    dialogue = Dialogue("")
    try:
        return recognise(domain, dns.Lookup(resolver, Deadline(DNS), dialogue))
    except dns.Unreachable:
        return recognise(domain, _no_answer)


def _no_answer(name, kind):
    raise dns.Unreachable


def _values(found):
    return (found.host, found.port, found.security) if found else ()


class ProviderScreen(Templated):
    """Who runs the mail; a server that is known is tried at once."""

    name = "provider"
    title = _("Who hosts your mail?")

    @property
    def sources(self):
        """Return where the proposal comes from, as sentences."""
        return [kept.message(each) for each in self.answers.sources]

    def fields(self):
        options = tuple((each.name, each.title, "") for each in PROVIDERS)
        chosen = self.answers.provider or self.answers.recognised
        return [Field("provider", _("Your mail provider"), "", chosen, "radio", options)]

    def go_on(self):
        """Try the provider's server, if it is known."""
        chosen = provider(self.entered("provider"))
        if chosen is None:
            return self.wrong("provider", _("Choose your mail provider first."))
        if chosen.name != self.answers.provider:
            kept.keep_now(
                provider=chosen.name,
                auth=chosen.logins[0].kind,
                oauth_token_url="",
                host="",
                port=0,
                security="",
                ca_file="",
                asks_server=False,
                asks_authority=False,
                found={},
            )
            self.answers = kept.answers()
        host, port, security = known_server(self.answers)
        if host:
            return try_server(self, host, port, security)
        kept.keep(asks_server=True)
        return None


def known_server(given):
    """Return (host, port, security) of the server that the provider or DNS names, with an empty host where none does."""
    preset = provider(given.provider).preset
    if preset is not None and preset.values["host"]:
        return tuple(preset.values[name] for name in ("host", "port", "security"))
    return tuple(given.smtp) or ("", 0, "")


def try_server(screen, host, port, security, ca_file=""):
    """Keep the server if it works; go on to the question that follows, or show the page again with what failed."""
    account, step = server.find(host, port, security, ca_file)
    if step is not None and server.is_issuer_unknown(step):
        account, step = with_known_authority(account, step)
    unknown = step is not None and server.is_issuer_unknown(step)
    kept.keep(
        host=account.host,
        port=account.port,
        security=account.security,
        ca_file=account.ca_file if step is None else "",
        asks_server=screen.answers.asks_server or not (step is None or unknown),
        asks_authority=unknown or screen.name == "authority",
    )
    if step is not None:
        kept.note("server", BAD, step.sentence, ask=step.ask)
        is_next = screen.name == "provider" or (screen.name == "server" and unknown)
        return None if is_next else screen.failed(account, step)
    mapping = {"host": account.host, "port": str(account.port)}
    kept.note("server", OK, _("The server answers at ${host}, port ${port}.", mapping=mapping))
    if port and account.port != port:
        mapping["other"] = str(port)
        screen.page._say(
            _(
                "Port ${other} of ${host} does not work; port ${port} does, and is used.",
                mapping=mapping,
            )
        )
    return None


def with_known_authority(account, step):
    """Return (account, step) with an authority that the settings hold and that vouches for the server, else as they are."""
    values = settings()
    others = (*values.accounts.values(), *values.imap_mailboxes.values())
    for ca_file in dict.fromkeys(each.ca_file for each in others):
        if ca_file and ca_file != account.ca_file:
            other = replace(account, ca_file=ca_file)
            if server.reach(other) is None:
                return other, None
    return account, step


class WayScreen(Screen):
    """By password or by OAuth 2.0."""

    name = "way"
    title = _("How should iA.docs log in?")

    def fields(self):
        options = tuple(
            (each.kind, WAYS[each.kind], each.note) for each in provider(self.answers.provider).logins
        )
        return [Field("auth", _("Authentication"), "", self.answers.auth, "radio", options)]

    def go_on(self):
        """Keep the way."""
        if self.entered("auth") not in WAYS:
            return self.wrong("auth", _("Choose one of them."))
        kept.keep(auth=self.entered("auth"))
        return None


WAYS = {"password": _("With a password"), "oauth2": _("With OAuth 2.0, without a password")}


class ServerScreen(Templated):
    """The SMTP server, where neither provider nor DNS names one that works."""

    name = "server"
    title = _("Which server sends your mail?")
    lead = _("Whoever manages your mail knows it: ask for the “SMTP server”.")

    @property
    def problem(self):
        """Say what is wrong with the server that is known, or nothing."""
        found = self.answers.found.get("server", {})
        bad = found.get("verdict") == BAD and not self.page.failure and not self.page.errors
        return (
            [kept.message(each) for each in (*found["sentences"], found["ask"])]
            if bad and self.answers.host
            else []
        )

    def fields(self):
        host, port, security = (self.answers.host, self.answers.port, self.answers.security)
        options = (("", _("Find out"), ""), *((each.value, each.title, "") for each in SECURITY))
        return [
            Field("host", _("SMTP server"), _("Example: smtp.maville.be"), host),
            Field(
                "port",
                _("Port"),
                _("Leave it empty if you do not know it: the usual ones are tried."),
                str(port or ""),
            ),
            Field("security", _("Encryption"), "", security, "radio", options),
        ]

    def go_on(self):
        """Try the server, at other ports too."""
        port, security = self.entered("port"), self.entered("security")
        self.check("host", validate.host)
        if port and not is_port(port):
            self.page.errors["port"] = _("This is not a port.")
        if security and security not in SECURITY.by_value:
            self.page.errors["security"] = _("Choose one of them.")
        if self.page.errors:
            return self.page._show()
        kept.keep_now(asks_server=True, ca_file="")
        self.answers = kept.answers()
        return try_server(self, self.entered("host"), int(port or 0), security)


def is_port(text):
    """Tell whether a text is the number of a port."""
    return text.isascii() and text.isdecimal() and 0 < int(text[:6]) < 65536


class AuthorityScreen(Screen):
    """The town's own certificate authority."""

    name = "authority"
    title = _("Who issued the certificate of your mail server?")

    @property
    def lead(self):
        """Say who issued the certificate."""
        (sentence, *_rest) = self.answers.found.get("server", {}).get("sentences") or [{}]
        issuer = sentence.get("mapping", {}).get("issuer", "?")
        return _(
            "The certificate of ${host} was issued by ${issuer}, which iA.docs does not know. If that is the town's own "
            "authority, give its certificate here. Otherwise ask your provider: the server may not be sending its whole "
            "certificate chain.",
            mapping={"host": self.answers.host, "issuer": issuer},
        )

    def fields(self):
        return [
            Field(
                "certificate",
                _("Certificate of your own authority"),
                _("A file that your IT people have; its name often ends in .pem, .crt or .cer."),
                "",
                "file",
            ),
            Field("pem", _("… or its text"), _("It begins with -----BEGIN CERTIFICATE-----"), "", "textarea"),
        ]

    def go_on(self):
        """Try the server with this authority."""
        upload = self.request.form.get("certificate")
        content = upload.read(LARGEST + 1) if hasattr(upload, "read") else b""
        content = content or self.entered("pem").encode()
        if not content:
            return self.wrong("certificate", _("Choose the file, or paste its text."))
        text = as_pem(content) if len(content) <= LARGEST else ""
        if not text:
            return self.wrong("certificate", _("No certificate can be read in it."))
        return try_server(self, self.answers.host, self.answers.port, self.answers.security, text)


def as_pem(content):
    """Return the certificates in the bytes of a file, PEM or DER, as PEM on one line; an empty string where there is none."""
    is_text = b"-----BEGIN" in content
    try:
        found = certificates_in(content.decode("ascii", "replace")) if is_text else [content]
        pem = (x509.load_der_x509_certificate(each).public_bytes(Encoding.PEM).decode() for each in found)
        return " ".join(" ".join(pem).split("\n")).strip()
    except ValueError:
        return ""


class LoginScreen(Templated):
    """Login and secrets; with a log-in that works, the settings are written."""

    name = "login"
    title = _("Which account does iA.docs log in with?")
    buttons = ("go_on", "use_oauth2", "use_password")
    commits = True

    @property
    def lead(self):
        """Say where the log-in goes."""
        mapping = {"host": self.answers.host, "port": str(self.answers.port)}
        return _("iA.docs logs in at ${host}, port ${port}, and sends from this account.", mapping=mapping)

    @property
    def other_way(self):
        """Return the other way to log in, or an empty string where there is none."""
        other = "password" if self.answers.auth == "oauth2" else "oauth2"
        ways = [each.kind for each in provider(self.answers.provider).logins]
        return other if other in ways else ""

    @property
    def actions(self):
        """Return the buttons: to go on, and the other way to log in."""
        other = {
            "oauth2": _("Log in with OAuth 2.0 instead"),
            "password": _("Log in with a password instead"),
        }
        return [*super().actions, *((f"use_{kind}", other[kind]) for kind in [self.other_way] if kind)]

    @property
    def note(self):
        """Return what the provider says of this way to log in."""
        ways = {each.kind: each.note for each in provider(self.answers.provider).logins}
        return ways.get(self.answers.auth, "")

    @property
    def kept_elsewhere(self):
        """Tell whether the server of iA.docs was given the password."""
        return self.answers.auth == "password" and secrets.source() in ("environment", "file")

    @property
    def token_url(self):
        """Return the token endpoint of the provider, with a place for the tenant, or an empty string."""
        preset = provider(self.answers.provider).preset
        return preset.values["oauth_token_url"] if preset else ""

    def fields(self):
        given = self.answers
        found = [
            Field("login", _("Login"), _("Usually an e-mail address of the town."), given.login),
        ]
        if given.login_address or "login_address" in self.page.errors:
            text = _("The login is not an address, so iA.docs must know from which one it sends.")
            found.append(Field("login_address", _("Login address"), text, given.login_address, "email"))
        if given.auth == "oauth2":
            found += self._token_fields(given)
        elif not self.kept_elsewhere:
            found.append(
                Field("password", _("Password"), _("iA.docs stores it and never shows it."), "", "password")
            )
        return found

    def _token_fields(self, given):
        if TENANT in self.token_url:
            tenant = given.oauth_token_url.removeprefix(self.token_url.partition(TENANT)[0]).partition("/")[0]
            text = _("Microsoft Entra admin center, Overview.")
            yield Field("tenant", _("Tenant ID"), text, tenant)
        elif not self.token_url:
            yield Field("token_url", _("Token endpoint"), "", given.oauth_token_url, "url")
        text = _("Of the application that was registered for iA.docs.")
        yield Field("client_id", _("Client ID"), text, given.oauth_client_id)
        yield Field(
            "client_secret", _("Client secret"), _("iA.docs stores it and never shows it."), "", "password"
        )
        if TENANT not in self.token_url:
            text = _("With Google, or where your provider gives you one. It is never shown.")
            yield Field("refresh_token", _("Refresh token"), text, "", "password")

    def use_oauth2(self):
        """Ask for what OAuth 2.0 needs."""
        kept.keep(auth="oauth2", login=self.entered("login")[:200] or self.answers.login)
        return self.page.again()

    def use_password(self):
        """Ask for a password."""
        kept.keep(auth="password", login=self.entered("login")[:200] or self.answers.login)
        return self.page.again()

    def go_on(self):
        """Log in for real."""
        account, given = self._account(), self._secrets()
        if self.page.errors:
            return self.page._show()
        kept.keep_now(
            login=account.login,
            login_address=self.entered("login_address"),
            oauth_token_url=account.oauth_token_url,
            oauth_client_id=account.oauth_client_id,
        )
        failed = server.log_in(account, given)
        self.answers = kept.answers()
        if failed is not None:
            committed(lambda: kept.note("login", BAD, failed.sentence, ask=failed.ask))
            return self.failed(account, failed)
        mapping = {"address": account.login_address, "host": account.host}
        text = _("iA.docs logs in at ${host} and may send from ${address}.", mapping=mapping)
        committed(lambda: kept.note("login", OK, text))
        self.page._say(text)
        return None

    def _account(self):
        given, login = self.answers, self.entered("login")
        self.check("login", validate.one_line)
        if login and not self.page.errors and is_address(login):
            login_address = login
        else:
            login_address = self.entered("login_address")
            if "login" not in self.page.errors and not is_address(login_address):
                self.page.errors["login_address"] = _("Enter the e-mail address that iA.docs sends from.")
        preset = provider(given.provider).preset
        values = preset.values if preset else {}
        with_token = given.auth == "oauth2"
        return Account(
            secrets.TRIAL,
            given.host,
            given.port,
            given.security,
            given.ca_file,
            given.auth,
            login,
            self._token_url() if with_token else "",
            self._client_id() if with_token else "",
            values.get("oauth_scope", "") if with_token else "",
            login_address,
            rate=values.get("rate", 0),
            attachment_limit=values.get("attachment_limit", 0),
        )

    def _token_url(self):
        if TENANT in self.token_url:
            tenant = self.entered("tenant")
            if not TENANT_ID.fullmatch(tenant) or tenant == TENANT:
                self.page.errors["tenant"] = _("This is not the tenant ID of an organization.")
            return self.token_url.replace(TENANT, tenant)
        url = self.token_url or self.entered("token_url")
        self.check("token_url", validate.token_url, url)
        return url

    def _client_id(self):
        if not self.entered("client_id"):
            self.page.errors["client_id"] = _("OAuth 2.0 needs the client ID of the application.")
        self.check("client_id", validate.one_line)
        return self.entered("client_id")

    def _secrets(self):
        kinds = ("client_secret", "refresh_token") if self.answers.auth == "oauth2" else ("password",)
        return secrets_in(self, kinds)


def secrets_in(screen, kinds):
    """Return kind → secret of those that were entered; spaces are part of a password."""
    given = {}
    for kind in kinds:
        value = screen.request.form.get(kind)
        if isinstance(value, str) and value and screen.check(kind, validate.one_line, value):
            given[kind] = value
    return given


def is_address(text):
    """Tell whether mail can be sent to a text."""
    try:
        return validate.address(text)
    except validate.NotValid:
        return False


class SenderScreen(Templated):
    """Whose address stands in From; tried with a real message."""

    name = "sender"
    title = _("May iA.docs send in the name of the agents?")
    skip = _("Skip: send from the login address")
    commits = True

    def fields(self):
        text = _("A message is sent in this name to ${address}.", mapping={"address": self.login_address})
        return [Field("agent", _("E-mail address of an agent"), text, self.answers.address, "email")]

    @property
    def agent(self):
        """Return the address of the example."""
        return self.answers.address

    @property
    def login_address(self):
        """Return the address that logs in."""
        return self.settings.default_account.login_address

    def leave_out(self):
        """Let the login address send; ask DNS what receivers will find."""
        foreseen.ask(self.settings.default_account, self.settings)
        stored_settings().sender_policy = "login"
        kept.note("sender", OK, LOGIN_SENDS)

    def go_on(self):
        """Send a message as the agent, and keep what the server said."""
        agent, account = self.entered("agent").lower(), self.settings.default_account
        if not self.check("agent", validate.address, agent):
            return self.page._show()
        subject = translated(
            _("Test of the iA.docs mail bridge: sending as ${address}", mapping={"address": agent})
        )
        text = translated(
            _(
                "This message was sent to find out whether the mail server lets iA.docs send from this address."
            )
        )
        try:
            probe = probe_sender(account, agent, account.login_address, subject, f"<p>{text}</p>", True)
        except SenderRefused as refused:
            return self.wrong("agent", translatable(refused.args[0]))
        except PasswordUnreadable as error:
            return self.wrong("agent", password_unreadable(error))
        if probe.allowed is None:
            self.page.errors["agent"] = translatable(probe.answer.explanation)
            return self.page._show()
        committed(lambda: knowledge.keep_agent(account.host, domain_of(agent)))
        foreseen.ask(account, self.settings)
        forecasts = foreseen.foreseen(account, self.settings).forecasts
        policy = (advised_policy(forecasts, "auto") or "auto") if probe.allowed else "login"
        sentence = LOGIN_SENDS if policy == "login" else AGENT_SENDS
        failed = failing(forecasts, "send_as") if probe.allowed and policy == "login" else None
        mapping = {"login": account.login or account.login_address}
        ask = _("Can you give the login ${login} the right to send as our agents (Send As)?", mapping=mapping)

        def remember():
            stored_settings().sender_policy = policy
            kept.keep(address=agent)
            kept.note(
                "sender", OK, sentence, failed and failed.dmarc.sentence, ask="" if probe.allowed else ask
            )

        committed(remember)
        self.page._say(sentence)
        return None


AGENT_SENDS = _(
    "The server lets iA.docs send as the agents: e-mails come from the agent's address. Where it refuses one, the login address "
    "is used."
)
LOGIN_SENDS = _("E-mails come from the login address, and answers go to the agent (Reply-To).")
