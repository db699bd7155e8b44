"""The tables of what mail servers leave in a header when a mailbox passes a message on. A new server is one more row."""

from typing import NamedTuple


class Detector(NamedTuple):
    """How a mark is read from the field ``header``.

    ``example`` is a value that names contact@maville.be (or that the message was passed on), ``near_miss`` one that does not;
    empty where every value counts. ``reading`` is how addresses are written in it: ``addresses`` (a list of RFC 5322), ``words``,
    ``before semicolon``, ``caf`` (an envelope sender of Gmail), ``group`` (of Google), or ``nobody``: it says that a server passed
    the message on, not for which mailbox; such a value counts where it contains ``says``, in lower case.
    """

    name: str
    header: str
    reading: str
    example: str
    near_miss: str
    says: str = ""

    @property
    def names_mailbox(self) -> bool:
        """Tell whether the mark says for which mailbox the message was passed on."""
        return self.reading != "nobody"


#: What each server writes when it passes a message on.
MARKS: tuple[Detector, ...] = (
    Detector(
        "gmail-forwarded-for",
        "x-forwarded-for",
        "words",
        "contact@maville.be in@bridge.test",
        "192.0.2.7, 10.0.0.1",
    ),
    Detector(
        "gmail-envelope",
        "return-path",
        "caf",
        "<contact+caf_=in=bridge.test@maville.be>",
        "<contact+news@maville.be>",
    ),
    Detector("workspace-routing", "x-gm-original-to", "addresses", "contact@maville.be", "contact"),
    Detector(
        "exchange-inbox-rule", "x-ms-exchange-inbox-rules-loop", "before semicolon", "contact@maville.be", "1"
    ),
    Detector(
        "exchange-mailbox-forwarding",
        "x-ms-exchange-forwardingloop",
        "before semicolon",
        "contact@maville.be;1f2e3d",
        ";1f2e3d",
    ),
    Detector("zimbra-forwarded", "x-zimbra-forwarded", "addresses", "contact@maville.be", "yes"),
    Detector(
        "sieve-redirected-from", "x-sieve-redirected-from", "addresses", "contact@maville.be", "contact"
    ),
    Detector("resent-from", "resent-from", "addresses", "Contact <contact@maville.be>", "Contact"),
    Detector("gmail-forwarded-to", "x-forwarded-to", "nobody", "in@bridge.test", ""),
    Detector(
        "exchange-external-forward", "x-ld-processed", "nobody", "1f2e3d,ExtFwd", "1f2e3d,ExtAddr", "extfwd"
    ),
)

#: Not marks of a redirect, but a declared source mailbox in them tells where the message was.
TRACES: tuple[Detector, ...] = (
    Detector("delivered-to", "delivered-to", "addresses", "contact@maville.be", "in@bridge.test"),
    Detector("x-original-to", "x-original-to", "addresses", "contact@maville.be", "in@bridge.test"),
    Detector("envelope-to", "envelope-to", "addresses", "contact@maville.be", "in@bridge.test"),
    Detector("x-envelope-to", "x-envelope-to", "addresses", "contact@maville.be", "in@bridge.test"),
    Detector("x-delivered-to", "x-delivered-to", "addresses", "contact@maville.be", "in@bridge.test"),
    Detector("x-loop", "x-loop", "addresses", "contact@maville.be", "in@bridge.test"),
    Detector(
        "google-group",
        "mailing-list",
        "group",
        "list contact@maville.be; contact x@maville.be",
        "list news@maville.be; contact contact@maville.be",
    ),
    Detector("to", "to", "addresses", "Contact <contact@maville.be>", "contact@maville.be.example"),
    Detector("cc", "cc", "addresses", "x@citizen.test, contact@maville.be", "contact@maville.be.example"),
)
