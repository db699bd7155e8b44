"""Resolves the values of a routing row in the directory of iA.docs: the agent and the service that a message is assigned to."""

from dataclasses import dataclass
from imio.mailbridge.i18n import _
from imio.mailbridge.inbound.routing import condition
from imio.mailbridge.ports.directory import IDirectory


@dataclass(frozen=True)
class Assignment:
    """``user`` is a userid and ``service`` a uid, or empty; ``notes`` say what could not be done (msgids)."""

    user: str = ""
    service: str = ""
    notes: tuple[str, ...] = ()


def assign(site, filing):
    """Return the ``Assignment`` of a filing: that of its route, or the forwarding agent where no row matched.

    What was handed in on a page came to no address that stands for a service: it goes to the primary service of the agent.
    """
    directory, route = IDirectory(site), filing.route
    transferrer = directory.agent_userid(filing.transferred_by) if filing.transferred_by else ""
    if directory.is_agent(filing.handed_in_by):
        transferrer = filing.handed_in_by
    if route is None or not route.row:
        own = directory.primary_service(transferrer) if filing.handed_in_by else ""
        return Assignment(transferrer, filing.service or own)
    user = {"_transferer_": transferrer, "_empty_": "", "": ""}.get(route.user_value, route.user_value)
    notes = []
    if user and not directory.is_agent(user):
        notes.append(_("The agent of the route no longer exists, or is not active."))
        user = ""
    service = filing.service
    names = {**filing.facts.names(), "assigned_user": user} if filing.facts else {"assigned_user": user}
    if not route.tal_condition_2 or condition(route.tal_condition_2, names):
        service = _service(directory, route.tg_value, user, filing) or service
    if user and service and not directory.is_member(user, service):
        notes.append(
            _("The agent of the route is not in the service that handles the mail, so nobody is assigned.")
        )
        user = ""
    return Assignment(user, service, tuple(notes))


def _service(directory, value, user, filing):
    if value in ("", "_empty_"):
        return ""
    if value == "_primary_org_":
        return directory.primary_service(user)
    if value == "_hp_":
        return directory.service_of_position(filing.transferred_by)
    if value == "_uni_org_only_":
        services = directory.services_of(user)
        return services[0] if len(services) == 1 else ""
    return value
