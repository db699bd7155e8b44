"""The directory port: what the bridge asks about the people and services of the town."""

from dataclasses import dataclass
from imio.mailbridge.message.address import Address
from zope.interface import Interface


@dataclass(frozen=True)
class Identity:
    """A name under which a user may send: an own position, or a service the user is a member of.

    ``may_send_as`` is what the agent's record declares: the SMTP server lets the login send as this address. ``service`` is the
    name of the organization of the position, ``services`` the names from the first below the town down to it, ``signature`` the
    HTML in the record. ``street``, ``number``, ``zip_code`` and ``city`` are those of the nearest that has any: the position, its
    organization, those above. All texts but ``uid`` and ``kind`` may be empty; a service has no ``firstname`` and ``lastname``.
    """

    uid: str
    kind: str  # "position" | "service"
    address: Address
    may_send_as: bool = False
    function: str = ""
    service: str = ""
    service_address: str = ""
    phone: str = ""
    firstname: str = ""
    lastname: str = ""
    services: tuple[str, ...] = ()
    street: str = ""
    number: str = ""
    zip_code: str = ""
    city: str = ""
    signature: str = ""


class IDirectory(Interface):
    """The people and services of the town. Adapter of the site root.

    An agent is an active person with a userid; services and items are named by their uids. Where there is none, the answer is an
    empty string or tuple.
    """

    # who sends

    def identities(userid, service_uids):
        """Return the ``Identity`` tuple of a user: own positions first, then those of ``service_uids`` the user belongs to.

        An identity without a usable address is kept (the sender policy explains what is wrong with it).
        """

    # whom to write to

    def complete(text, limit=10):
        """Return up to ``limit`` ``Address`` values of the directory whose name or address contains ``text``."""

    # who wrote, and who treats it

    def agent_userid(addr_spec):
        """Return the userid of the agent who has this address."""

    def senders(addr_spec, is_proven=True):
        """Return the contacts that an item is related to as the senders of a mail from this address; agents only if proven."""

    def is_agent(userid):
        """Tell whether an agent has this userid."""

    def is_member(userid, service_uid):
        """Tell whether an agent belongs to a service, or to one below it."""

    def primary_service(userid):
        """Return the uid of the primary service of an agent."""

    def services_of(userid):
        """Return the uids of the services in which an agent has a position."""

    def service_of_position(addr_spec):
        """Return the uid of the service of the agent's position that has this address."""
