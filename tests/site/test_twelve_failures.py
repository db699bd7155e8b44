"""Twelve failures as three readers meet them: what agent, administrator and citizen see, word for word, in French.

A text is a tuple of lines; ``~`` stands for a no-break space. What is not named is empty: nobody is told anything there.
"""

from dataclasses import dataclass
from dataclasses import fields
from datetime import datetime
from datetime import timedelta
from datetime import UTC
from email import message_from_bytes
from email import policy
from imio.mailbridge.browser.message_summary import LONG
from imio.mailbridge.delivery.deliver import deliver
from imio.mailbridge.delivery.deliver import sweep
from imio.mailbridge.delivery.send import LEASE
from imio.mailbridge.delivery.send import take
from imio.mailbridge.inbound.inbox import inbox
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.settings import secrets as password
from imio.mailbridge.settings.clock import local_time
from imio.mailbridge.settings.read import stored_settings
from imio.mailbridge.settings.smtp import ISmtpAccountRow
from plone import api
from plone.app.uuid.utils import uuidToObject
from tests.mails import dsn
from tests.mails import redirected
from tests.mails import TEXT_FORWARD
from tests.mails import TRUSTED
from tests.pipe.program import run
from tests.servers.certificates import Certificates
from tests.servers.waiting import free_port
from zope.schema import getFieldNames
import base64
import lxml.html
import pytest
import re
import transaction


ADMIN, AGENT, JEANNE = "admin@maville.test", "al.bert@maville.test", "jeanne.dupont@citizen.test"
DOCUMENT = "outgoing-mail/permis-durbanisme"
HTML = {"Accept": "text/html", "Accept-Language": "fr"}
NOTE_AND_ADVICE = ".mailbridge-decide > [role=alert], .mailbridge-more > summary + p"
TIME = re.compile(r"\d{2}/\d{2}/\d{4}( à)? \d{2}:\d{2}")

# what several failures have in common

NOT_SENT, AGAIN, ON_HOLD, RETURNED = "non envoyé", "nouvel essai prévu", "en suspens", "revenu en erreur"
RETRY, CANCEL, EDIT = "Réessayer maintenant", "Annuler", "Modifier et renvoyer"
NEXT_TRY = "Prochain essai~: TIME"
UNSEEN = ("1", "E-mails non arrivés")
MARKS = "SPF, DKIM et DMARC~: pas encore vérifiés"
WORKS = ("fonctionne", "Dernier message pris~: TIME", MARKS)

KEPT = "Le message est conservé et partira dès que ce sera réglé."
TRIES_AGAIN = "iA.docs réessaie de lui-même."
NOT_YOURS = "Votre texte n’est pas en cause~: prévenez votre service informatique."
SEND_AGAIN = "Pour renvoyer le message à ceux qui ne l’ont pas reçu, ouvrez le document."
SENT_TO_NOBODY = ("Non envoyé~: Votre permis", "Votre message «~Votre permis~» n’a pas pu être envoyé.")
NOTICE_END = (
    "Le document à partir duquel il a été écrit~:",
    f"- Permis d'urbanisme de Madame Dupont (SITE/{DOCUMENT})",
    "Ce message a été écrit automatiquement par iA.docs. Personne ne lit les réponses.",
)
ACCOUNTS = "- Comptes SMTP (SITE/@@mailbridge-accounts)"
SAID, DETAIL, TO_DO = "Réponse du serveur~:", "Détail technique~:", "Que faire~:"
WAITING = "Messages en attente~: 1"
NOT_LOST = f"{WAITING}. Aucun n’est perdu~; ils partiront dès que le compte fonctionnera de nouveau."
GIVES_UP = (
    "Ce qui attend partira dès que le compte fonctionnera de nouveau. Un message qui ne peut pas partir pendant 48 heures "
    "échoue, et son agent en est averti."
)
TELL_IT, DETAILS = "Prévenez votre service informatique.", "Détails"
NONE_LOST = "Aucun message n’est perdu~: ils attendent et partiront d’eux-mêmes."

# one failure each: what happened, what the server or our side says, what the administrator does

NO_SUCH_ADDRESS = "Cette adresse n’existe pas chez le destinataire. Vérifiez-la et envoyez à nouveau."

SEND_AS_DENIED = (
    "Le serveur de messagerie ne laisse pas iA.docs envoyer sous cette adresse d’expéditeur~: le fournisseur ne lui en a pas "
    "donné le droit (Send As)."
)
SEND_AS_WORDS = f"553 5.7.1 <{AGENT}>: Sender address rejected: not owned by user bridge"
SEND_AS_REMEDY = (
    "Demandez au fournisseur de messagerie le droit d’envoyer au nom de cette adresse (Send As), ou choisissez dans le "
    "panneau de configuration que l’adresse du compte envoie et que les réponses vont à l’agent."
)

WRONG_PASSWORD = "Le serveur de messagerie a refusé la connexion d’iA.docs."
PASSWORD_WORDS = "535 5.7.8 Authentication credentials invalid"
PASSWORD_REMEDY = (
    "Corrigez l’identifiant et le mot de passe dans le panneau de configuration. Certains fournisseurs demandent ici un mot "
    "de passe d’application."
)

BAD_CERTIFICATE = "Le certificat du serveur de messagerie n’a pas pu être vérifié."
CERTIFICATE_WORDS = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired"
CERTIFICATE_REMEDY = (
    "Vérifiez le nom du serveur. Pour un certificat émis par l’autorité propre à la commune, indiquez son fichier dans le "
    "panneau de configuration. Un certificat expiré doit être renouvelé par le fournisseur de messagerie."
)

DOWN = "Le serveur de messagerie n’a pas pu être joint."
DOWN_WORDS = "[Errno 111] Connection refused"
DOWN_REMEDY = "Vérifiez le nom et le port du serveur, et que le pare-feu laisse iA.docs l’atteindre."
DOWN_SINCE = "Plus rien ne part par le compte SMTP par défaut depuis le TIME."
NO_LONGER = f"{DOWN} iA.docs n’essaie plus~; envoyez à nouveau, ou prévenez votre service informatique."

GREYLISTED = "Le serveur du destinataire n’accepte un expéditeur inconnu qu’au second essai."

TOO_BIG = "Le message est trop grand pour le serveur de messagerie. Envoyez des pièces jointes moins nombreuses ou plus petites."

AS_TEXT = (
    "Ce message a été transféré sous forme de texte~: l’original y est seulement cité, on ne peut donc pas se fier à son "
    "expéditeur ni à sa date. Ce qui a pu y être lu est gardé comme proposition~; aucun document n’a été créé."
)


@dataclass(frozen=True)
class Seen:
    """What there is to see after a failure."""

    # the agent
    header: tuple = ()  # of every page, before the page of the e-mails is opened
    page: tuple = ()  # the recipient in @@my-emails
    document_page: tuple = ()  # the recipient on the document
    forwards: tuple = ()  # @@my-forwards
    notice: tuple = ()  # the mail, its subject first
    # the administrator, and the managers of mail
    alarm: tuple = ()  # the mail, its subject first
    banner: tuple = ()  # of every page
    account: tuple = ("pas utilisé récemment", MARKS)  # its state in @@mailbridge-accounts
    held: str | None = None  # @mailbridge-status
    errors: tuple = ()
    to_decide: tuple = ()  # the page of the incoming message: what happened, what to do
    # the citizen: how many mails came, all of them written by the agent
    received: int = 0
    # the document
    email_status: str | None = None
    review_state: str = "created"


class Readers:
    """The site and the servers, as seen in French."""

    def __init__(self, site, servers):
        self.site, self.servers = site, servers

    def lines(self, texts):
        """Return texts without empty lines, addresses of the test, times and plain spaces at the ends."""
        found = (re.sub(r"[ \t\r\n]+", " ", text).strip(" ") for text in texts)
        return tuple(
            TIME.sub("TIME", text.replace(self.site.url, "SITE").replace(" (_ssl.c:1006)", "")).replace(
                "\xa0", "~"
            )
            for text in found
            if text
        )

    def shown(self, path, user, css):
        """Return what a page shows in the elements ``css``."""
        answer = self.site.get(path, user, headers=HTML)
        assert answer.status_code == 200, answer.text
        found = []
        for element in lxml.html.fromstring(answer.text).cssselect(css):
            for hidden in element.cssselect(".visually-hidden"):
                hidden.drop_tree()
            found += element.itertext()
        return self.lines(found)

    def on_document(self):
        """Return what the conversation of the document says of each recipient, its lines opened."""
        page = lxml.html.fromstring(self.site.get(f"/{DOCUMENT}", "agent", headers=HTML).text)
        links = [a.get("href") for a in page.cssselect("#mailbridge-messages a.pat-inject")]
        return tuple(
            line
            for link in links
            for line in self.shown(link.removeprefix(self.site.url), "agent", ".mailbridge-recipients")
        )

    def mails(self, to):
        """Return what came to an address: subjects and texts."""
        found = []
        for server in self.servers:
            for caught in server.messages:
                if to in caught.rcpt_tos:
                    mail = message_from_bytes(caught.content, policy=policy.default)
                    found += [mail["Subject"], *mail.get_body(("plain",)).get_content().splitlines()]
        return self.lines(found)

    def seen(self):
        """Return what there is to see, once all that is due has left."""
        deliver()
        transaction.begin()
        status = self.site.get("/@mailbridge-status", "chef", headers={"Accept-Language": "fr"}).json()
        document = self.site.portal.unrestrictedTraverse(DOCUMENT)
        written = {record.message_id for record in outbox().records.values() if record.origin == "agent"}
        mails = [each for server in self.servers for each in server.messages if JEANNE in each.rcpt_tos]
        assert {message_from_bytes(each.content)["Message-ID"] for each in mails} <= written
        return Seen(
            header=self.shown("/", "agent", ".mailbridge-unseen"),
            page=self.shown("/@@my-emails", "agent", ".mailbridge-mine tbody td:last-child"),
            document_page=self.on_document(),
            forwards=self.shown("/@@my-forwards", "agent", "tbody td:last-child"),
            notice=self.mails(AGENT),
            alarm=self.mails(ADMIN),
            banner=self.shown("/", "chef", ".mailbridge-alarm"),
            account=self.shown("/@@mailbridge-accounts", "admin", "[data-account=default] td:nth-of-type(3)"),
            held=status["held"],
            errors=self.lines(status["errors"]),
            to_decide=tuple(
                line
                for id in inbox().newest_ids("quarantined")
                for line in self.shown(f"/@@mailbridge-inbox-message?id={id}", "chef", NOTE_AND_ADVICE)
            ),
            received=len(mails),
            email_status=document.email_status and self.lines([document.email_status])[0],
            review_state=api.content.get_state(document),
        )


def change(**values):
    for name, value in values.items():
        setattr(stored_settings(), name, value)
    transaction.commit()


def due():
    """Let the message of the agent be tried now."""
    for record in outbox().records.values():
        outbox().try_at(record, None)
    transaction.commit()
    sweep()


@pytest.fixture
def french(site):
    """A site in French, for its users and for the mails that it writes."""
    api.portal.set_registry_record("plone.available_languages", ["fr"])
    api.portal.set_registry_record("plone.default_language", "fr")
    transaction.commit()
    return site


@pytest.fixture
def readers(french, catcher_factory, caught):
    """The readers; an account of its own carries the alarms."""
    alarms = catcher_factory()
    row = {
        "name": "cpas", "senders": ["cpas.test"], "host": "127.0.0.1", "port": alarms.port, "security": "none",
        "login_address": "noreply@cpas.test", "sender_policy": "login", "auth": "password",
    }  # fmt: skip
    change(alarm_address=ADMIN, smtp_accounts=[dict.fromkeys(getFieldNames(ISmtpAccountRow)) | row])
    return Readers(french, [caught, alarms])


# mail that leaves


@pytest.fixture
def refused_recipient(caught, send):
    caught.answers[f"rcpt:{JEANNE}"] = f"550 5.1.1 <{JEANNE}>: User unknown"
    send(JEANNE)


@pytest.fixture
def send_as_denied(caught, send):
    change(sender_policy="send_as")
    caught.answers[f"mail:{AGENT}"] = (
        f"553 5.7.1 <{AGENT}>: Sender address rejected: not owned by user bridge"
    )
    send(JEANNE)


@pytest.fixture
def wrong_password(catcher_factory, certificates, send):
    server = catcher_factory(login="bridge", password="right", security="starttls", certificates=certificates)
    password.write("wrong")
    change(
        smtp_host="localhost", smtp_port=server.port, smtp_login="bridge", smtp_security="starttls",
        smtp_ca_file=str(certificates.ca_file),
    )  # fmt: skip
    send(JEANNE)


@pytest.fixture
def expired_certificate(catcher_factory, tmp_path, send):
    expired = Certificates(tmp_path, ends=datetime(2026, 1, 1, tzinfo=UTC))
    server = catcher_factory(security="starttls", certificates=expired)
    change(
        smtp_host="localhost",
        smtp_port=server.port,
        smtp_security="starttls",
        smtp_ca_file=str(expired.ca_file),
    )
    send(JEANNE)


@pytest.fixture
def server_down(caught, send):
    caught.stop()
    return send(JEANNE)


@pytest.fixture
def server_down_for_half_an_hour(server_down):
    trouble = outbox().troubles["default"]
    outbox().troubles["default"] = {**trouble, "at": trouble["at"] - timedelta(minutes=30)}
    transaction.commit()
    sweep()


@pytest.fixture
def server_down_for_two_days_and_up_again(caught, server_down_for_half_an_hour, server_down):
    server_down.trying_since -= timedelta(hours=49)
    due()
    caught.start()
    due()


@pytest.fixture
def greylisted(caught, send):
    caught.answers[f"rcpt:{JEANNE}"] = [f"450 4.2.0 <{JEANNE}>: Recipient address rejected: Greylisted"]
    send(JEANNE)


@pytest.fixture
def greylisted_and_taken(greylisted):
    due()


@pytest.fixture
def too_big(caught, send):
    caught.answers["mail"] = ["552 5.3.4 Message size exceeds fixed limit"]
    send(JEANNE)


@pytest.fixture
def bounced_later(site, send):
    change(envelope_sender="bounce")
    record = send(JEANNE)
    to = record.sender.envelope_sender
    raw = dsn(message_id=record.message_id)
    answer = site.mail_in(raw, **{"X-Envelope-Recipient": to, "X-Envelope-Sender": "<>"})
    assert answer.json()["state"] == "recorded"
    sweep()


# mail that comes in


@pytest.fixture
def text_forward(site):
    outlook = b"Message-ID: <m1@maville.test>\nX-Mailer: Microsoft Outlook 16.0\nTo: in@"
    answer = site.mail_in(TEXT_FORWARD.replace(b"To: in@", outlook))
    assert (answer.status_code, answer.json()["reason"]) == (202, "inline-forward")


@pytest.fixture
def forged_redirect(site):
    answer = site.mail_in(redirected(), **{"X-Client-Address": "203.0.113.9"})
    assert (answer.status_code, answer.json()["reason"]) == (202, "unproven-redirect")


@pytest.fixture
def broken_mime(site):
    answer = site.mail_in(b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\n")
    assert (answer.status_code, answer.json()["reason"]) == (202, "unreadable")


def stopped(happened, label, words, remedy):
    """Return what the administrator sees of an account that is stopped."""
    return {
        "alarm": (
            "iA.docs n’envoie plus d’e-mails~: le compte par défaut est arrêté",
            "Le compte SMTP par défaut est arrêté depuis le TIME.",
            happened,
            f"{label} {words}",
            f"{TO_DO} {remedy}",
            NOT_LOST,
            ACCOUNTS,
        ),
        "banner": (
            "Le compte SMTP par défaut est arrêté depuis le TIME.",
            WAITING,
            TELL_IT,
            DETAILS,
            happened,
            label,
            words,
            NONE_LOST,
        ),
        "account": ("arrêté", "depuis TIME", happened, label, words, TO_DO, remedy, WAITING, MARKS),
        "held": happened,
    }


DOWN_NOW = {
    "page": (AGAIN, JEANNE, f"{DOWN} {TRIES_AGAIN}", DOWN_WORDS, NEXT_TRY, RETRY, CANCEL),
    "document_page": (AGAIN, "À", JEANNE, "TIME", f"{DOWN} {TRIES_AGAIN}", NEXT_TRY),
    "account": ("rien ne part", "depuis TIME", DOWN, DETAIL, DOWN_WORDS, TO_DO, DOWN_REMEDY, WAITING, MARKS),
    "errors": (f"default: {DOWN} ({DOWN_WORDS})",),
}
DOWN_ALARM = (
    "iA.docs n’envoie plus d’e-mails~: rien ne part par le compte par défaut",
    DOWN_SINCE,
    DOWN,
    f"{DETAIL} {DOWN_WORDS}",
    f"{TO_DO} {DOWN_REMEDY}",
    WAITING,
    GIVES_UP,
    ACCOUNTS,
)

FAILURES = {
    "refused_recipient": Seen(
        header=UNSEEN,
        page=(NOT_SENT, JEANNE, NO_SUCH_ADDRESS, f"550 5.1.1 <{JEANNE}>: User unknown", RETRY, EDIT),
        document_page=(NOT_SENT, "À", JEANNE, "TIME", NO_SUCH_ADDRESS),
        notice=(
            *SENT_TO_NOBODY,
            f"- {JEANNE}~: {NO_SUCH_ADDRESS} {SAID} 550 5.1.1 <{JEANNE}>: User unknown",
            SEND_AGAIN,
            *NOTICE_END,
        ),
        account=WORKS,
    ),
    "send_as_denied": Seen(
        header=UNSEEN,
        page=(NOT_SENT, JEANNE, f"{SEND_AS_DENIED} {NOT_YOURS}", SEND_AS_WORDS, RETRY, EDIT),
        document_page=(NOT_SENT, "À", JEANNE, "TIME", f"{SEND_AS_DENIED} {NOT_YOURS}"),
        notice=(
            *SENT_TO_NOBODY,
            f"- {JEANNE}~: {SEND_AS_DENIED} {NOT_YOURS} {SAID} {SEND_AS_WORDS}",
            "Dès que votre service informatique l’a réglé, ouvrez le document pour renvoyer le message.",
            *NOTICE_END,
        ),
        alarm=(
            "iA.docs~: le serveur de messagerie refuse des e-mails du compte par défaut",
            SEND_AS_DENIED,
            f"{SAID} {SEND_AS_WORDS}",
            f"{TO_DO} {SEND_AS_REMEDY}",
            ACCOUNTS,
        ),
        account=WORKS,
    ),
    "wrong_password": Seen(
        page=(ON_HOLD, JEANNE, f"{WRONG_PASSWORD} {KEPT}", PASSWORD_WORDS, CANCEL),
        document_page=(ON_HOLD, "À", JEANNE, "TIME", f"{WRONG_PASSWORD} {KEPT}"),
        **stopped(WRONG_PASSWORD, SAID, PASSWORD_WORDS, PASSWORD_REMEDY),
    ),
    "expired_certificate": Seen(
        page=(ON_HOLD, JEANNE, f"{BAD_CERTIFICATE} {KEPT}", CERTIFICATE_WORDS, CANCEL),
        document_page=(ON_HOLD, "À", JEANNE, "TIME", f"{BAD_CERTIFICATE} {KEPT}"),
        **stopped(BAD_CERTIFICATE, DETAIL, CERTIFICATE_WORDS, CERTIFICATE_REMEDY),
    ),
    "server_down": Seen(**DOWN_NOW),
    "server_down_for_half_an_hour": Seen(
        **DOWN_NOW,
        alarm=DOWN_ALARM,
        banner=(DOWN_SINCE, WAITING, TELL_IT, DETAILS, DOWN, DETAIL, DOWN_WORDS, GIVES_UP),
    ),
    "server_down_for_two_days_and_up_again": Seen(
        header=UNSEEN,
        page=(NOT_SENT, JEANNE, NO_LONGER, DOWN_WORDS, RETRY, EDIT),
        document_page=(NOT_SENT, "À", JEANNE, "TIME", NO_LONGER),
        notice=(
            *SENT_TO_NOBODY,
            f"- {JEANNE}~: {NO_LONGER} {DETAIL} {DOWN_WORDS}",
            SEND_AGAIN,
            *NOTICE_END,
        ),
        alarm=(
            *DOWN_ALARM,
            "iA.docs envoie de nouveau des e-mails~: le compte par défaut fonctionne",
            "Le compte SMTP par défaut fonctionne de nouveau. Les messages en attente partent maintenant~: 1.",
            ACCOUNTS,
        ),
        account=WORKS,
    ),
    "greylisted": Seen(
        page=(
            AGAIN,
            JEANNE,
            f"{GREYLISTED} {TRIES_AGAIN}",
            f"450 4.2.0 <{JEANNE}>: Recipient address rejected: Greylisted",
            NEXT_TRY,
            RETRY,
            CANCEL,
        ),
        document_page=(AGAIN, "À", JEANNE, "TIME", f"{GREYLISTED} {TRIES_AGAIN}", NEXT_TRY),
        account=("pas utilisé récemment", WAITING, MARKS),
    ),
    "greylisted_and_taken": Seen(
        page=("envoyé", JEANNE),
        document_page=("envoyé", "À", JEANNE, "TIME"),
        account=WORKS,
        received=1,
        email_status="Envoyé le TIME~: 1 destinataire sur 1",
        review_state="sent",
    ),
    "too_big": Seen(
        header=UNSEEN,
        page=(NOT_SENT, JEANNE, TOO_BIG, "552 5.3.4 Message size exceeds fixed limit", RETRY, EDIT),
        document_page=(NOT_SENT, "À", JEANNE, "TIME", TOO_BIG),
        notice=(
            *SENT_TO_NOBODY,
            f"- {JEANNE}~: {TOO_BIG} {SAID} 552 5.3.4 Message size exceeds fixed limit",
            SEND_AGAIN,
            *NOTICE_END,
        ),
        account=WORKS,
    ),
    "bounced_later": Seen(
        header=UNSEEN,
        page=(RETURNED, JEANNE, NO_SUCH_ADDRESS, "550 5.1.1 no such user", EDIT),
        document_page=(RETURNED, "À", JEANNE, "TIME", NO_SUCH_ADDRESS),
        notice=(
            "Revenu en erreur~: Votre permis",
            "Votre message «~Votre permis~» a été envoyé, mais il est revenu en erreur.",
            f"- {JEANNE}~: {NO_SUCH_ADDRESS} Un avis du serveur de messagerie du destinataire dit~: "
            "«~550 5.1.1 no such user~»",
            SEND_AGAIN,
            *NOTICE_END,
        ),
        account=WORKS,
        received=1,
        email_status="Envoyé le TIME~: 1 destinataire sur 1, 1 revenu en erreur",
        review_state="sent",
    ),
    "text_forward": Seen(
        forwards=("en quarantaine", AS_TEXT),
        notice=(
            "Merci de transférer en pièce jointe~: TR: Demande en texte",
            "Bonjour,",
            "Vous avez transféré le message «~TR: Demande en texte~» à iA.docs sous forme de texte. L’original n’y est que "
            "cité~: son expéditeur, sa date et ses pièces jointes sont perdus. Le message est conservé, mais aucun document "
            "n’a été créé.",
            "Merci de transférer à nouveau l’original, en pièce jointe. Dans Outlook~:",
            "- Sélectionnez le message dans la liste, puis Accueil, Plus (dans le groupe Répondre), Transférer en tant que "
            "pièce jointe, ou Ctrl+Alt+F.",
            "Inutile de faire autre chose~: le premier transfert attend qu’un gestionnaire du courrier l’écarte.",
            "Ce message a été écrit automatiquement par iA.docs. Personne ne lit les réponses.",
        ),
        account=WORKS,
        to_decide=(
            "Transféré en texte",
            AS_TEXT,
            TO_DO,
            "Vérifiez la proposition et acceptez-la, ou transférez à nouveau l’original en pièce jointe. Si une boîte le fait "
            "automatiquement, changez sa règle de «~transférer~» en «~rediriger~».",
        ),
    ),
    "forged_redirect": Seen(
        to_decide=(
            "Redirection non prouvée",
            "Le message dit que l’une de vos boîtes l’a transmis, mais rien ne le prouve. N’importe qui peut écrire une telle "
            "ligne~; aucun document n’a donc été créé.",
            TO_DO,
            "Si le message paraît correct, acceptez-le. Si tous les e-mails de cette boîte aboutissent ici, ajoutez aux "
            "serveurs de messagerie de confiance l’adresse du serveur qui les transmet, ou faites rediriger la boîte vers une "
            "adresse d’entrée avec une partie secrète, puis traitez à nouveau le message.",
        ),
    ),
    "broken_mime": Seen(
        to_decide=(
            "Pas un e-mail",
            "Ce qui est arrivé n’est pas un e-mail~: il n’y a ni expéditeur, ni objet, ni date, ou le contenu est vide. Les "
            "données ont été conservées telles quelles, mais aucun document n’a été créé.",
            TO_DO,
            "Téléchargez l’original pour voir ce que c’est. Si votre serveur de messagerie transmet encore un tel contenu, "
            "prévenez la personne qui le gère~; sinon, écartez le message.",
        ),
    ),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_what_is_seen(readers, failure, request):
    request.getfixturevalue(failure)
    found, expected = readers.seen(), FAILURES[failure]
    for field in fields(Seen):
        assert getattr(found, field.name) == getattr(expected, field.name), field.name


def test_typography():
    """Text of ours has the typographic apostrophe, and a no-break space (here ``~``) before ; : ? ! and inside guillemets."""
    values = [getattr(seen, field.name) for seen in FAILURES.values() for field in fields(Seen)]
    lines = [line for value in values if isinstance(value, tuple) for line in value]
    assert len(lines) > 100
    title = NOTICE_END[1]
    assert [line for line in lines if "'" in line and line != title] == []
    assert [line for line in lines if re.search(" [;:?!»]|« |[^~]»", line)] == []


# what is read on the document that was made of a message with a cut file


CUT = {
    "message": (redirected()[:-30], "Le message semble incomplet~: la fin manque"),
    "attachment": (
        redirected().replace(base64.b64encode(b"%PDF-1.4\0plan"), b"JVBERi0xLj"),
        "Une pièce jointe semble incomplète~: la fin manque (plan.pdf)",
    ),
}


@pytest.mark.parametrize(("raw", "note"), CUT.values(), ids=CUT)
def test_cut(readers, site, raw, note):
    record = site.receive(raw)
    (uid,) = record.items
    document = uuidToObject(uid, unrestricted=True)
    mail = document["mail"]
    site.task("@@mailbridge-render", uid=mail.UID())
    frame = readers.shown(f"{mail.absolute_url()}/@@mailbridge-frame", "agent", "body")
    assert note in frame
    assert readers.seen() == Seen()


# Plone is down


def test_plone_down(readers, tmp_path):
    token = tmp_path / "token"
    token.write_text("gateway:demo-iadocs\n")
    token.chmod(0o600)
    options = (
        "--token-file",
        str(token),
        "--recipient",
        TRUSTED["X-Envelope-Recipient"],
        "--client-address",
        "127.0.0.1",
    )
    raw = redirected()
    down = run("--url", f"http://127.0.0.1:{free_port()}/plone", *options, message=raw)
    assert down.deferred, "the citizen's mail server is told nothing: ours keeps the message and tries again"
    assert b"4.4.1 no connection to" in down.output
    assert b"Connection refused" in down.output
    assert readers.seen() == Seen(), "nobody is told anything"
    up = run("--url", readers.site.url, *options, message=raw)
    assert (up.status, up.output[:14]) == (0, b"2.0.0 'filed' ")
    assert run("--url", readers.site.url, *options, message=raw).output.split()[3] == up.output.split()[3]
    transaction.begin()
    (record,) = inbox().records.values()
    with record.raw.open() as kept:
        assert kept.read() == raw


# a worker dies while it sends


def test_sending_that_was_interrupted(readers, send):
    record = send(JEANNE, run=False)
    take(outbox(), record, [JEANNE])
    transaction.commit()
    since, latest = hours(record)
    found = readers.seen()
    assert found.page == ("envoi en cours", JEANNE, f"Envoi en cours depuis {since}.")
    assert found.document_page == ("envoi en cours", "À", JEANNE, f"Envoi en cours depuis {since}.")
    record.lease_until -= LONG
    transaction.commit()
    since, latest = hours(record)
    sentence = (
        f"Envoi en cours depuis {since}. Il a peut-être été interrompu~; iA.docs le reprend alors de lui-même, au plus tard à "
        f"{latest}."
    )
    found = readers.seen()
    assert found.page == ("envoi en cours", JEANNE, sentence)
    assert found.document_page == ("envoi en cours", "À", JEANNE, sentence)
    assert sentence in readers.shown(f"/@@mailbridge-outbox-message?id={record.id}", "chef", "li")
    record.lease_until -= LEASE - LONG
    transaction.commit()
    sweep()
    assert readers.seen() == FAILURES["greylisted_and_taken"]


def hours(record):
    """Return since when a message is being sent, and when that goes on at the latest."""
    times = (record.lease_until - LEASE, record.lease_until + timedelta(minutes=1))
    return tuple(f"{local_time(time):%H:%M}" for time in times)
