"""Asks DNS about mail: within a deadline, and what was said can be shown."""

from dns.exception import DNSException
from dns.resolver import NoAnswer
from dns.resolver import NXDOMAIN
from imio.mailbridge.message.authentication import domain_policy
from imio.mailbridge.message.one_line import readable
from imio.mailbridge.transport.resolver import resolver


#: Selectors that are tried when the admin names none.
SELECTORS = ("selector1", "selector2", "google", "default", "mail", "s1", "s2", "dkim")

#: How many includes of an SPF record are followed.
INCLUDES = 12


class Unreachable(Exception):
    """The DNS server gives no answer at all."""


class Lookup:
    """DNS queries within a deadline; a missing name has no answers. ``server`` is ``ip[:port]``, or empty for the machine's.

    Nothing is asked twice: ``answers`` maps (name, kind) to the texts that were answered.
    """

    def __init__(self, server, deadline, dialogue):
        self.answers = {}
        self._deadline = deadline
        self._dialogue = dialogue
        try:
            self._resolver = resolver(server)
        except DNSException as error:
            raise Unreachable(readable(error)) from error

    def __call__(self, name, kind):
        """Return the answers as texts. Errors: ``Unreachable``."""
        if (name, kind) not in self.answers:
            self.answers[name, kind] = self._ask(name, kind)
        return self.answers[name, kind]

    def _ask(self, name, kind):
        self._dialogue.client(f"DNS {name} {kind}")
        try:
            answer = self._resolver.resolve(name, kind, lifetime=min(5.0, self._deadline.left), search=False)
        except (NXDOMAIN, NoAnswer):
            self._dialogue.server("(nothing)")
            return []
        except (DNSException, OSError, ValueError, UnicodeError) as error:
            self._dialogue.server(f"({readable(error)})")
            raise Unreachable(readable(error)) from error
        if kind == "TXT":
            texts = [b"".join(record.strings).decode("utf-8", "replace") for record in answer]
        else:
            texts = [record.to_text() for record in answer]
        for text in texts[:10]:
            self._dialogue.server(text)
        return texts


def followed(lookup, domain):
    """Return the TXT records of a domain and of those that its SPF record includes."""
    records, waiting = {}, [domain]
    while waiting and len(records) < INCLUDES:
        name = waiting.pop(0)
        if name not in records:
            records[name] = lookup(name, "TXT")
            for text in domain_policy.spf_records(records[name])[:1]:
                waiting += domain_policy.read_spf(text).followed
    return records
