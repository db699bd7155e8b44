"""The groups of fields that an administrator sees, by question, and which of them stand under "Advanced options"."""

from dataclasses import dataclass
from imio.mailbridge.i18n import _


@dataclass(frozen=True)
class FieldGroup:
    """``fields`` are seen at once, ``advanced`` are folded; a name that a form does not have is passed over."""

    name: str
    title: str
    question: str
    fields: tuple[str, ...]
    advanced: tuple[str, ...] = ()


def _server(prefix="", advanced=()):
    return FieldGroup(
        "server",
        _("Mail server"),
        _("Which server does the bridge use?"),
        ("preset", f"{prefix}host", f"{prefix}port", f"{prefix}security"),
        (f"{prefix}ca_file", *advanced),
    )


def _login(prefix=""):
    return FieldGroup(
        "login",
        _("Logging in"),
        _("How does the bridge log in?"),
        (
            f"{prefix}auth",
            f"{prefix}login",
            f"{prefix}password",
            "oauth_token_url",
            "oauth_client_id",
            f"{prefix}client_secret",
        ),
        ("oauth_scope", f"{prefix}refresh_token", "forget_refresh_token"),
    )


SETTINGS = (
    _server("smtp_", ("ehlo_name", "smtp_rate")),
    _login("smtp_"),
    FieldGroup(
        "sender",
        _("Sender"),
        _("Who appears as the sender, and where do replies go?"),
        ("sender_policy", "login_address", "reply_to_agent", "own_reply_address", "service_senders"),
        ("envelope_sender",),
    ),
    FieldGroup(
        "sending",
        _("Sending"),
        _("What happens when an agent sends an e-mail?"),
        ("undo_seconds", "signature", "attachment_limit", "bcc_default", "close_on_send"),
        ("retry_minutes", "give_up_hours", "keep_sent_days", "whole_site"),
    ),
    FieldGroup(
        "notices",
        _("Notices"),
        _("Who is told what?"),
        (
            "notify_agent",
            "ask_sender",
            "digest_address",
            "alarm_address",
            "silence_alarm",
            "forwarding_canary",
        ),
    ),
    FieldGroup(
        "incoming",
        _("Incoming mail"),
        _("What becomes of the mail that comes in?"),
        ("inline_forward", "reply_transition", "max_size"),
        ("max_per_sender", "max_deliveries", "max_volume", "keep_received_days"),
    ),
    FieldGroup(
        "trust",
        _("Trust"),
        _("What proves where an e-mail comes from?"),
        ("trust_preset", "trusted_gateways", "agent_patterns"),
        ("proofs", "dkim_alignment", "arc_sealers", "authserv_id", "dns_resolver"),
    ),
)

ACCOUNT = (
    FieldGroup("purpose", _("Purpose"), _("Whose mail leaves by this account?"), ("name", "senders")),
    _server(advanced=("rate",)),
    _login(),
    FieldGroup(
        "sender",
        _("Sender"),
        _("Who appears as the sender, and where do replies go?"),
        ("sender_policy", "login_address", "own_reply_address", "attachment_limit"),
    ),
)

MAILBOX = (
    FieldGroup(
        "purpose",
        _("Mailbox"),
        _("Whose mail is it?"),
        ("name", "role", "address", "new_mail", "service", "copy_to_agent"),
    ),
    _server(),
    _login(),
    FieldGroup(
        "reading",
        _("Reading"),
        _("Which messages are read, and what happens to them then?"),
        ("since", "done", "done_folder"),
        ("folder", "recipient_header"),
    ),
)
