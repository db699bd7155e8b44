"""What has to cost the same however much mail a town has: pages, services and tasks, asked of a ``Publisher``.

Each part of ``PARTS`` is a function that prepares a request and returns it, ready to be called: only the call is measured.
"""

from functools import partial
from tests.mails import redirected
from tests.site.panel import fields
from zope.component import getUtility
from zope.ramcache.interfaces.ram import IRAMCache
import uuid


PAGE = {"Accept": "text/html", "Accept-Language": "fr"}
DOCUMENT = "/outgoing-mail/permis-durbanisme"
RULE = "/@@mailbridge-rule"
#: A word of more than half of the subjects.
WORD = "demande"


def _service(path, user="chef"):
    return lambda site: partial(site.get, path, user)


def _page(path, user="chef"):
    return lambda site: partial(site.get, path, user, headers=PAGE)


def _page_of(service, path, user="chef"):
    """Return the part that opens the page of the first item of a list."""

    def prepare(site):
        id = site.get(f"{service}&b_size=1", "chef").json()["items"][0]["id"]
        return partial(site.get, path.format(id=id), user, headers=PAGE)

    return prepare


def _task(view):
    return lambda site: partial(site.task, view)


def _figures(site):
    getUtility(IRAMCache).invalidateAll()  # the page keeps its figures for ten minutes
    return partial(site.get, "/@@mailbridge-figures", "chef", headers=PAGE)


def _trial(site):
    data = fields(site.get(RULE, "chef", headers=PAGE).text)
    data |= {"form.widgets.subject": WORD, "form.widgets.place:list": "last", "form.buttons.try": "x"}
    return partial(site.post, RULE, "chef", data=data, headers=PAGE)


def _mail_in(site):
    author = f"{uuid.uuid4().hex}@citizen.test"  # of many by one author some are not filed
    return partial(site.mail_in, redirected(f"Demande {uuid.uuid4()}", From=author))


def _send(site):
    data = {"to": ["jeanne.dupont@citizen.test"], "subject": "Votre permis", "body": "<p>Bonjour</p>"}
    return partial(site.post, f"{DOCUMENT}/@send-email", "agent", json=data)


def _deliver(site):
    return partial(site.task, "mailbridge-deliver", id=_send(site)().json()["id"])


PARTS = {
    "GET @mail-in": _service("/@mail-in"),
    "GET @mail-in?transfer=": _service("/@mail-in?transfer=forward"),
    "GET @mail-in?state=": _service("/@mail-in?state=filed"),
    "GET @mail-in, last batch": _service("/@mail-in?b_start=75"),
    "GET @outbox": _service("/@outbox"),
    "GET @outbox?state=": _service("/@outbox?state=sent"),
    "GET @mailbridge-status": _service("/@mailbridge-status"),
    "GET @send-email of a document": _service(f"{DOCUMENT}/@send-email", "agent"),
    "outbox": _page("/@@mailbridge-outbox"),
    "outbox with a text": _page(f"/@@mailbridge-outbox?q={WORD}"),
    "outbox of an account": _page("/@@mailbridge-outbox?account=default"),
    "outbox of an agent and a state": _page("/@@mailbridge-outbox?agent=agent&state=sent"),
    "a message of the outbox": _page_of("/@outbox?state=sent", "/@@mailbridge-outbox-message?id={id}"),
    "incoming messages to decide": _page("/@@mailbridge-inbox"),
    "incoming messages, all": _page("/@@mailbridge-inbox?state=all"),
    "incoming messages with a text": _page(f"/@@mailbridge-inbox?state=all&text={WORD}"),
    "incoming messages with a reason": _page("/@@mailbridge-inbox?state=all&reason=unproven-redirect"),
    "an incoming message to decide": _page_of(
        "/@mail-in?state=quarantined", "/@@mailbridge-inbox-message?id={id}&list=state%3Dopen"
    ),
    "my e-mails": _page("/@@my-emails", "agent"),
    "my e-mails of a state": _page("/@@my-emails?state=replied", "agent"),
    "my forwards": _page("/@@my-forwards", "agent"),
    "my mail, an agent": _page("/@@my-mail", "agent"),
    "my mail, a manager of mail": _page("/@@my-mail"),
    "my mail, the counts": _service("/@@my-mail-counts", "agent"),
    "figures": _figures,
    "returned addresses": _page("/@@mailbridge-returned"),
    "accounts": _page("/@@mailbridge-accounts", "admin"),
    "mailboxes": _page("/@@mailbridge-mailboxes", "admin"),
    "secret addresses": _page("/@@mailbridge-addresses", "admin"),
    "control panel": _page("/@@mailbridge-controlpanel", "admin"),
    "an outgoing document": _page(f"{DOCUMENT}/view", "agent"),
    "write an e-mail": _page(f"{DOCUMENT}/@@send-email", "agent"),
    "a rule is tried": _trial,
    "POST @@mail-in": _mail_in,
    "POST @send-email": _send,
    "delivery of one message": _deliver,
    "sweep of the outbox": _task("mailbridge-sweep-outbox"),
    "sweep of the inbox": _task("mailbridge-sweep-inbox"),
    "sweep of the mailboxes": _task("mailbridge-sweep-mailboxes"),
    "sweep of the renditions": _task("mailbridge-sweep-renditions"),
}
#: Statuses of the answers to what is no page, list or task.
EXPECTED = {"POST @@mail-in": (201,), "POST @send-email": (202,)}


def asked(site, part):
    """Return the answer of a part and how many objects it loads from a cold cache; errors: it is none that succeeded."""
    answer, loads = site.loaded(PARTS[part](site))
    assert answer.status_code in EXPECTED.get(part, (200, 204)), (
        part,
        answer.status_code,
        answer.text[-3000:],
    )
    return answer, loads
