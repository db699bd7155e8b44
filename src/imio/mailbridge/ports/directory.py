"""The people and services of the town, as the bridge needs to know them."""

from dataclasses import dataclass
from imio.mailbridge.message.address import Address
from zope.interface import Interface


@dataclass(frozen=True)
class Identity:
    """A name under which a user may send: an own position, or a service the user is a member of.

    ``may_send_as`` says what the agent's record declares: the SMTP server lets the login send as this address. ``service`` is the
    name of the organization of the position, ``signature`` the HTML in the record; both may be empty, as all that follow.
    """

    uid: str
    kind: str  # "position" | "service"
    address: Address
    may_send_as: bool = False
    function: str = ""
    service: str = ""
    service_address: str = ""
    phone: str = ""
    signature: str = ""


class IDirectory(Interface):
    """The people and services of the town. Adapter of the site root."""

    def identities(userid, service_uids):
        """Return the ``Identity`` tuple of a user: own positions first, then those of ``service_uids`` the user belongs to.

        An identity without a usable address is kept (the sender policy explains what is wrong with it).
        """

    def complete(text, limit=10):
        """Return up to ``limit`` ``Address`` values of the directory whose name or address contains ``text``."""

    def agent_userid(addr_spec):
        """Return the userid of the agent who has this address, or an empty string."""
