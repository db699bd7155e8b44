"""What is foretold for an account: from what is kept, and by asking DNS anew."""

from dataclasses import dataclass
from datetime import datetime
from imio.mailbridge.diagnosis import knowledge
from imio.mailbridge.diagnosis.bounds import Deadline
from imio.mailbridge.diagnosis.bounds import Limits
from imio.mailbridge.diagnosis.dialogue import Dialogue
from imio.mailbridge.diagnosis.dns import followed
from imio.mailbridge.diagnosis.dns import Lookup
from imio.mailbridge.diagnosis.dns import Unreachable
from imio.mailbridge.diagnosis.forecast import Case
from imio.mailbridge.diagnosis.forecast import domain_of
from imio.mailbridge.diagnosis.forecast import Forecast
from imio.mailbridge.diagnosis.forecast import forecast
from imio.mailbridge.message.authentication import domain_policy
from imio.mailbridge.store.commit import committed


#: How many domains of agents are looked at for one account.
DOMAINS = 5


@dataclass(frozen=True)
class Foreseen:
    """The forecasts of an account, and since when all that they rest on is known; no forecasts while nothing is."""

    forecasts: tuple[Forecast, ...] = ()
    at: datetime | None = None


def cases(account, settings, known):
    """Return the cases of an account: mail from the login address, and from agents of each domain that it serves."""
    login, bounce = account.login_address, settings.bounce_address
    envelopes = {"login": login, "bounce": bounce}
    found = []
    if login:
        found.append(Case.of("login", login, envelopes.get(settings.envelope_sender) or login))
    served = [sender.rpartition("@")[2] for sender in account.senders]
    agents = served or known.agents(account.host) or ([domain_of(login)] if login else [])
    for domain in list(dict.fromkeys(agents))[:DOMAINS]:
        agent = f"agent@{domain}"
        found.append(Case.of("send_as", agent, envelopes.get(settings.envelope_sender) or agent))
    return found


def foreseen(account, settings):
    """Return the ``Foreseen`` of an account from what is kept; asks nobody."""
    known = knowledge.Known()
    found = []
    for case in cases(account, settings, known):
        of_case = knowledge.Known()
        told = forecast(case, account.host, of_case, returned=of_case.returned)
        if of_case.oldest is not None:
            found.append(told)
            known.oldest = min(filter(None, (known.oldest, of_case.oldest)))
    return Foreseen(tuple(found), known.oldest)


def ask(account, settings, limits=None):
    """Ask DNS about all cases of an account and keep the answers, in a transaction of their own; return whether it answers."""
    lookup = None
    try:
        lookup = Lookup(settings.dns_resolver, Deadline((limits or Limits()).dns), Dialogue())
        for case in cases(account, settings, knowledge.Known()):
            lookup(case.author, "MX")
            forecast(case, account.host, lookup)
            provider = domain_policy.provider_of(account.host)
            if provider is not None:  # for the record with its include
                followed(lookup, provider[1])
    except Unreachable:
        pass
    answers = lookup.answers if lookup else {}
    committed(lambda: knowledge.keep_answers(answers))
    return bool(answers)
