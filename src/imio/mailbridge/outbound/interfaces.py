"""What does sending need to know of the content? Ports that iA.docs (or another product) implements."""

from dataclasses import dataclass
from imio.mailbridge.message.address import Address
from zope.interface import Attribute
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


@dataclass(frozen=True)
class FileReference:
    """A file in the document that can be attached: ``size`` in bytes."""

    uid: str
    filename: str
    content_type: str
    size: int


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


class ISendByEmail(Interface):
    """Marker (by behavior): e-mails can be sent from this content."""


class ISendingContext(Interface):
    """What a content item offers to the e-mail written from it. Adapter of ``ISendByEmail`` content."""

    def defaults():
        """Return a dict with any of ``to``, ``cc``, ``bcc`` (lists of text), ``subject``, ``body`` (HTML),
        ``attachments`` (uids), ``sender`` (uid) to prefill the form."""

    def files():
        """Return the ``FileReference`` tuple of what the current user may view and attach."""

    def open(uid):
        """Return a binary stream of one of ``files()``."""

    def known_addresses():
        """Return the set of the addr-specs, in lower case, of the contacts of the document; empty where it has none."""

    def write_status(sent, total, sent_at):
        """Write on the document that ``sent`` of ``total`` recipients were taken by the server (``sent_at``: aware datetime)."""

    def close():
        """Run the closing transition if the document has one that can run now."""

    reply_to_message_id = Attribute("Message-ID of the e-mail that this document answers, or an empty string")
