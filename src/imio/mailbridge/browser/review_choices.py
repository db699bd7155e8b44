"""Decisions, services and links to documents, for the list and the page of incoming messages."""

from imio.mailbridge.i18n import _
from imio.mailbridge.inbound import review
from plone import api
from zope.component import getUtility
from zope.schema.interfaces import IVocabularyFactory


#: Decision → the function that carries it out, the message afterwards.
DECISIONS = {
    "replay": (review.replay, _("The message has been replayed.")),
    "accept": (review.accept, _("The message has been filed as you asked.")),
    "discard": (review.discard, _("The message has been discarded; its original is kept.")),
    "restore": (review.restore, _("The message is back where it was.")),
}


def services(context):
    """Return uid and name of the services that a message can be given to."""
    factory = getUtility(IVocabularyFactory, "imio.mailbridge.services")
    return [(term.value, term.title or term.token) for term in factory(context)]


def why_discarded():
    """Return code and words of the reasons to discard a message."""
    return list(review.WHY.items())


def document_links(uids):
    """Return address and title of the documents that the user may see."""
    brains = {brain.UID: brain for brain in api.content.find(UID=list(uids))} if uids else {}
    found = [brains[uid] for uid in uids if uid in brains]
    return [{"url": f"{brain.getURL()}/view", "title": brain.Title} for brain in found]
