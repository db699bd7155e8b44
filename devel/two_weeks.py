"""Makes the demo site and fills it with two weeks of mail; run by ``zconsole run``.

Arguments: address of the site, port and maildir of the mail server. No record is written here: letters are posted to ``@@mail-in``,
agents press buttons and call services as their pages do, and what they send is sent to the mail server, by the clock of the day
(``past``). Reports, answers and what went round in circles are made of the messages that this server kept.
"""

from datetime import datetime
from datetime import timedelta
from datetime import UTC
from devel import front_page
from devel import instance
from devel import letters
from devel import odd_mail
from devel import site as demo
from devel.letters import attach
from devel.letters import CIVIL
from devel.letters import GENERAL
from devel.letters import INFO
from devel.letters import LETTERS
from devel.letters import MAIL_IN
from devel.letters import PLANNING
from devel.letters import SERVICES
from devel.letters import URBANISM
from devel.past import Past
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import format_datetime
from email.utils import parseaddr
from imio.mailbridge.taskqueue.queue import get_queue
from imio.mailbridge.taskqueue.queue import RENDITIONS
from pathlib import Path
from plone.app.textfield.value import RichTextValue
from plone.dexterity.utils import addContentToContainer
from plone.dexterity.utils import createContent
from zoneinfo import ZoneInfo
import base64
import heapq
import itertools
import sys
import time_machine
import transaction


ZONE = ZoneInfo(instance.ZONE)
DAYS = 14
TRUSTED, UNKNOWN = "127.0.0.1", "203.0.113.9"
TOWN, PERSONNEL = "/contacts/plonegroup-organization", "/contacts/personnel-folder"
#: A mailbox whose service was closed; nobody has told the bridge.
SPORT = "sport@maville.test"


class Story:
    """What happens, in the order of time. ``now`` is the time of the beginning: all that happens has happened by then."""

    def __init__(self, past, maildir, now):
        self.past, self.maildir, self.now = past, maildir, now
        self._events, self._numbers = [], itertools.count()
        self._kept, self.caught = set(), []
        self.services = {}

    def at(self, time, action, *arguments):
        """Let ``action`` happen at a time; what would be in the future happens at the end."""
        heapq.heappush(self._events, (min(time, self.now), next(self._numbers), action, arguments))

    def day(self, days, time):
        """Return a time of the day ``days`` ago (``09:30``); of today it is the minutes that have passed since."""
        if not days:
            return self.now - timedelta(minutes=int(time))
        hour, minute = map(int, time.split(":"))
        return (self.now - timedelta(days=days)).replace(hour=hour, minute=minute, second=7 * minute % 60)

    def at_work(self, time, hours):
        """Return a time in office hours, ``hours`` after another one."""
        time += timedelta(hours=hours)
        if not 8 <= time.hour < 17:
            time = (time + timedelta(hours=15)).replace(hour=8, minute=(time.minute + 25) % 60)
        while time.weekday() > 4:
            time += timedelta(days=1)
        return time

    def run(self):
        """Let everything happen."""
        while self._events:
            time, _number, action, arguments = heapq.heappop(self._events)
            self.past.move_to(time)
            action(*arguments)
            self.work()

    def work(self):
        """Let the worker work, and read what the mail server has kept since."""
        self.past.work()
        for path in sorted((self.maildir / "new").glob("*")):
            if path.name not in self._kept:
                self._kept.add(path.name)
                self.caught.append(BytesParser(policy=policy.default).parsebytes(path.read_bytes()))

    def last_to(self, address):
        """Return the last message that the mail server took for an address."""
        return next(each for each in reversed(self.caught) if address in each["X-RcptTo"])

    # mail that comes in

    def post(self, raw, recipient=MAIL_IN, sender="", client=TRUSTED):
        """Hand a message over, as the pipe of the mail host does; return the answer."""
        headers = {
            "X_Envelope_Recipient": recipient,
            "X_Client_Address": client,
            "X_Envelope_Sender": sender or "<>",
        }
        return self.past.mail_in(raw, **headers)

    def redirect(self, mail, mailbox=INFO, **options):
        """Hand over a message that a mailbox passed on; return the answer."""
        sender = parseaddr(mail["From"])[1] if "From" in mail else ""
        return self.post(odd_mail.redirected(mail.as_bytes(), mailbox, sender), sender=sender, **options)

    def arrive(self, letter):
        """Let a letter come in; what people do with it follows."""
        at = datetime.now(ZONE)
        mail = letters.message(letter, at)
        path = self.path_of(self.redirect(mail, letter.to))
        steps = [
            (1, letter.agent or letter.service, self.assign, path, letter),
            (1, letter.done, self.open, path, letter.agent or "chef"),
            (0.2, letter.done in ("treated", "closed"), self.move, path, letter.agent, "treat"),
            (2, letter.answer, self.answer, path, letter),
            (1, letter.done == "closed", self.move, path, letter.agent, "close"),
        ]
        for hours, is_done, action, *arguments in steps:
            if is_done:
                at = self.at_work(at, hours if letter.days else 0.2)
                self.at(at, action, *arguments)

    def path_of(self, answer):
        """Return the path, below the site, of the document that was made."""
        return answer["items"][0]["@id"].removeprefix(self.past.url)

    # people

    def assign(self, path, letter):
        """The manager of mail says who treats a letter."""
        data = {"assigned_user": letter.agent or None, "treating_groups": self.services[letter.service]}
        self.past.json("PATCH", path, "chef", data)
        is_for_manager = letter.agent == "chef" and letter.done != "treated"
        self.move(path, "chef", "propose_to_manager" if is_for_manager else "propose_to_agent")

    def open(self, path, user):
        """Somebody opens a letter."""
        self.past.press(f"{path}/@@mailbridge-opened", user, f"{path}/view")

    def move(self, path, user, transition):
        """Somebody changes the state of a document."""
        self.past.json("POST", f"{path}/@workflow/{transition}", user, {})

    def answer(self, path, letter):
        """The agent presses *Répondre*, writes and sends."""
        draft = self.begin(path, letter.agent, path)
        quote = self.past.json("GET", draft, letter.agent)
        self.send(
            draft,
            letter.agent,
            to=[f'"{letter.name}" <{letter.address}>'],
            cc=[letter.cc] if letter.cc else [],
            subject=quote["email_subject"] or quote["title"],
            body=letter.answer + quote["email_body"]["data"],
        )

    def begin(self, path, user, name):
        """Press *Répondre*; return the path of the outgoing mail that was begun."""
        lead = self.past.press(
            f"{path}/@@mailbridge-reply", user, f"{path}/view", kind="reply", press=name, anyway="1"
        )
        return lead.removesuffix("/@@send-email")

    def write(self, user, title, files=(), **fields):
        """Make an outgoing mail with its files, as an agent does; return its path and the uids of the files."""
        data = {"@type": "dmsoutgoingmail", "title": title, "send_modes": ["email"], **fields}
        path = self.past.json("POST", "/outgoing-mail", user, data)["@id"].removeprefix(self.past.url)
        uids = []
        for name in files:
            content, kind = letters.file(name)
            encoded = base64.b64encode(content).decode()
            file = {"data": encoded, "encoding": "base64", "filename": name, "content-type": kind}
            made = self.past.json("POST", path, user, {"@type": "dmsommainfile", "title": name, "file": file})
            uids.append(made["UID"])
        return path, uids

    def send(self, path, user, **data):
        """Send from a document; return the message."""
        message = self.past.json("POST", f"{path}/@send-email", user, data)
        self.work()
        return message

    def compose(self, user, title, to, body, files=(), **data):
        """Write an outgoing mail and send it; return its path and the message."""
        path, uids = self.write(user, title, files, treating_groups=self.services[GENERAL])
        text = f"<p>{body}</p><p>Bien à vous,</p>"
        return path, self.send(path, user, to=to, subject=title, body=text, attachments=uids, **data)

    # the story

    def prepare(self):
        """What an administrator sets before: services, a second mailbox, a rule, the account of the CPAS, templates."""
        for folder in self.past.json("GET", f"{TOWN}?fullobjects=1", "admin")["items"]:
            self.services[{"urbanisme": PLANNING}.get(folder["id"], GENERAL)] = folder["UID"]
        for name, (title, email) in SERVICES.items():
            self.services[name] = self._service(title, email)["UID"]
        sport = self._service("Sport", SPORT)
        cpas = self._service("CPAS", "info@cpas-maville.test")
        position = {
            "@type": "held_position",
            "label": "Coordinateur",
            "email": "samir.benali@cpas-maville.test",
        }
        made = self.past.json(
            "POST", f"{PERSONNEL}/samir-benali", "admin", {**position, "position": cpas["UID"]}
        )
        self.cpas = made["UID"]
        rule = {
            "original_email_pat": r".+@notaires\.test",
            "user_value": "agent2",
            "tg_value": self.services[PLANNING],
        }
        account = {
            "name": "cpas",
            "senders": ["cpas-maville.test"],
            "host": "127.0.0.1",
            "port": self.smtp_port,
        }
        account |= {"security": "none", "login": "info@cpas-maville.test", "sender_policy": "login"}
        self.past.json(
            "PATCH",
            "/@controlpanels/mailbridge",
            "admin",
            {
                "mailboxes": [
                    {"address": INFO, "service": None},
                    {"address": URBANISM, "service": self.services[PLANNING]},
                    {"address": SPORT, "service": sport["UID"]},
                ],
                "iemail_routing": [rule],
                "alarm_address": "informatique@maville.test",
                "smtp_accounts": [account],
                "smtp_account_secrets": {"cpas": {"password": "an old one"}},
            },
        )
        self.past.json("DELETE", sport["@id"].removeprefix(self.past.url), "admin")
        self.move(f"/{front_page.ID}", "admin", "publish")
        for kind, name, body in TEMPLATES:
            page = "/@@mailbridge-template-edit"
            fields = {"form.widgets.kind:list": kind, "form.widgets.name": name, "form.widgets.body": body}
            fields |= {
                "form.widgets.service:list": "--NOVALUE--",
                "form.widgets.subject": "",
                "form.buttons.save": "1",
            }
            self.past.press(page, "chef", page, **fields)

    def _service(self, title, email):
        return self.past.json(
            "POST", TOWN, "admin", {"@type": "organization", "title": title, "email": email}
        )

    def tell(self):
        """Put everything that happens into its time."""
        for letter in LETTERS:
            self.at(self.day(letter.days, letter.time), self.arrive, letter)
        for days, time, action in (
            (14, "09:40", self.twice), (12, "09:20", self.forward), (11, "10:10", self.sports_club),
            (10, "09:15", self.bounced), (9, "15:20", self.undeclared), (8, "10:00", self.stand_in),
            (8, "18:02", self.advertisement), (7, "11:30", self.conversation), (7, "15:10", self.two_forwards),
            (6, "10:05", self.confirmation), (6, "14:12", self.failed), (5, "11:11", self.absent),
            (5, "16:20", self.broken), (4, "10:31", self.unproven), (4, "15:44", self.accepted),
            (3, "10:26", self.encrypted), (3, "12:17", self.too_complex), (3, "15:08", self.unreadable),
            (2, "11:02", self.receipt), (2, "14:19", self.loop), (2, "16:05", self.direct),
            (1, "09:36", self.unproven_agent), (1, "10:44", self.unmatched), (1, "11:50", self.held),
            (1, "15:12", self.cancelled), (1, "16:10", self.text_forward), (0, "130", self.deferred),
            (0, "75", self.scheduled), (0, "50", self.today), (0, "40", self.draft),
        ):  # fmt: skip
            at = self.day(days, time)
            self.at(at - timedelta(days=max(0, at.weekday() - 4)) if days else at, action)
        for minutes in (128, 122, 106, 45):  # what the worker would try again
            self.at(self.day(0, minutes), self.past.sweep)

    def twice(self):
        """A citizen writes to two mailboxes: one document, both services know of it."""
        letter = letters.L(
            14, "09:40", "Olivier Renard olivier.renard@citizen.test", "Panneau de chantier sans permis, rue Haute 30",
            "Bonjour,\n\nUn chantier a commencé au 30 rue Haute, sans affiche de permis. Est-ce normal ?\n\nOlivier Renard",
        )  # fmt: skip
        mail = letters.message(letter, datetime.now(ZONE), f"{INFO}, {URBANISM}")
        self.redirect(mail, URBANISM)
        self.redirect(mail, INFO)

    def forward(self):
        """An agent forwards as attachment what came to his own address."""
        letter = letters.L(
            12, "08:55", "Madeleine Pirotte madeleine.pirotte@citizen.test", "Merci, et une question sur le colombarium",
            "Cher Monsieur Bert,\n\nMerci pour votre aide. Le colombarium sera-t-il agrandi ?\n\nMadeleine Pirotte",
        )  # fmt: skip
        self._forward("Al Bert <al.bert@maville.test>", "TR: colombarium", letter)

    def two_forwards(self):
        """An agent forwards two letters at once: two documents."""
        rows = (
            ("Architecte Dumont info@dumont-archi.test", "PU/2026/117 : avis des pompiers", "Voici l'avis.\n\nP. Dumont"),
            ("Zone de secours prevention@secours.test", "Visite de prévention, salle des fêtes", "La visite a lieu le 8 décembre."),
        )  # fmt: skip
        found = [
            letters.L(7, "14:50", who, subject, text, files=("avis.pdf",)) for who, subject, text in rows
        ]
        self._forward("Claire Fontaine <claire.fontaine@maville.test>", "TR: deux avis", *found)

    def _forward(self, agent, subject, *found):
        at = datetime.now(ZONE)
        inner = [letters.message(each, at - timedelta(minutes=40), parseaddr(agent)[1]) for each in found]
        self.post(odd_mail.forward(agent, subject, at, inner), sender=parseaddr(agent)[1])

    def text_forward(self):
        """An agent forwards as text: it waits, with what could be read of it, and he is told how to attach."""
        self.post(odd_mail.text_forward(datetime.now(ZONE)), sender="al.bert@maville.test")

    def sports_club(self):
        """A letter comes by the mailbox of a service that does not exist any more."""
        letter = letters.L(
            11, "10:10", "Royal Maville FC secretaire@rmfc.test", "Éclairage du terrain B",
            "Bonjour,\n\nDeux projecteurs du terrain B ne s'allument plus. L'équipe s'entraîne dans le noir.\n\nLe secrétaire",
        )  # fmt: skip
        self.redirect(letters.message(letter, datetime.now(ZONE), SPORT), SPORT)

    def undeclared(self):
        """A mailbox that nobody declared passes its mail on."""
        letter = letters.L(
            9, "15:20", "Nathalie Collin nathalie.collin@citizen.test", "Inscription à la plaine de jeux",
            "Bonjour, quand commencent les inscriptions pour la plaine de Pâques ? Nathalie Collin",
        )  # fmt: skip
        mail = letters.message(letter, datetime.now(ZONE), "jeunesse@maville-asbl.test")
        self.redirect(mail, "jeunesse@maville-asbl.test")

    def unproven(self):
        """A redirect from a server that nobody trusts."""
        letter = letters.L(
            4, "10:31", "Alain Wauters alain.wauters@citizen.test", "Demande d'emplacement au marché",
            "Bonjour,\n\nJe vends des fromages et cherche un emplacement au marché du vendredi.\n\nAlain Wauters",
        )  # fmt: skip
        self.redirect(letters.message(letter, datetime.now(ZONE)), client=UNKNOWN)

    def accepted(self):
        """The same, which the manager of mail looks at and accepts."""
        letter = letters.L(
            4, "15:44", "Geneviève Paquet genevieve.paquet@citizen.test", "Changement d'adresse",
            "Bonjour,\n\nNous habitons depuis lundi rue des Prés 7. Geneviève Paquet", files=("bail.pdf",),
        )  # fmt: skip
        answer = self.redirect(letters.message(letter, datetime.now(ZONE)), client=UNKNOWN)
        data = {"as": "proposal", "service": self.services[CIVIL]}
        self.at(self.at_work(datetime.now(ZONE), 1), self.decide, answer["id"], "accept", data)

    def unproven_agent(self):
        """Somebody writes in the name of an agent."""
        letter = letters.L(
            1, "09:30", "Direction direction@gmx.test", "Facture urgente à payer",
            "Merci de payer aujourd'hui la facture jointe.", files=("facture.pdf",),
        )  # fmt: skip
        at = datetime.now(ZONE)
        raw = odd_mail.forward(
            "Al Bert <al.bert@maville.test>", "TR: facture urgente", at, [letters.message(letter, at)]
        )
        self.post(raw, sender="al.bert@maville.test", client=UNKNOWN)

    def direct(self):
        """Somebody knows the mail-in address and writes to it."""
        letter = letters.L(
            2, "16:05", "Cédric Lemaire cedric.lemaire@citizen.test", "Question sur la prime énergie",
            "Bonjour, j'ai trouvé cette adresse dans une réponse. La prime communale existe-t-elle encore ? C. Lemaire",
        )  # fmt: skip
        self._direct(letter)

    def advertisement(self):
        """An advertisement, which the manager of mail discards."""
        letter = letters.L(
            8, "18:02", "Boost Web Agency hello@boostweb.test", "Votre site en première page",
            "Bonjour, nous plaçons votre site en première page. Répondez OUI.",
        )  # fmt: skip
        answer = self._direct(letter)
        self.at(
            self.at_work(datetime.now(ZONE), 14),
            self.decide,
            answer["id"],
            "discard",
            {"reason": "Publicité"},
        )

    def _direct(self, letter):
        return self.post(
            letters.message(letter, datetime.now(ZONE), MAIL_IN).as_bytes(), sender=letter.address
        )

    def decide(self, id, action, data):
        """The manager of mail decides on a message that waits."""
        self.past.json("POST", f"/@mail-in/{id}/{action}", "chef", data)

    def stand_in(self):
        """Exchange could not read a message, and hands over a notice in its place."""
        self.post(odd_mail.stand_in(datetime.now(ZONE)), sender=INFO)

    def confirmation(self):
        """Google asks whether a mailbox may forward here."""
        self.post(odd_mail.confirmation(datetime.now(ZONE)), sender="forwarding-noreply@google.com")

    def encrypted(self):
        """A message that nobody here can open."""
        self.post(
            odd_mail.redirected(odd_mail.encrypted(datetime.now(ZONE)), INFO), sender="dpo@hopital.test"
        )

    def too_complex(self):
        """A message with more fields than any program writes."""
        self.post(odd_mail.redirected(odd_mail.too_complex(datetime.now(ZONE)), INFO), sender="x@fuzz.test")

    def unreadable(self):
        """Something that is no e-mail."""
        self.post(b"\x00\x01\x02 scan0017.tif \xff\xfe" * 40, sender="copieur@maville.test")

    def broken(self):
        """A message whose end is missing: it is filed, and says so."""
        letter = letters.L(
            5, "16:20", "Xavier Poncelet xavier.poncelet@citizen.test", "Photos de l'inondation",
            "Bonjour, voici les photos de l'inondation de dimanche. X. Poncelet", files=("cave.jpg", "jardin.jpg"),
        )  # fmt: skip
        raw = letters.message(letter, datetime.now(ZONE)).as_bytes()
        self.post(odd_mail.redirected(raw[: len(raw) * 2 // 3], INFO, letter.address), sender=letter.address)

    # mail that leaves, and what comes back

    def conversation(self):
        """An agent asks, a citizen answers, the agent answers her, and she answers once more."""
        path, _message = self.compose(
            "agent", "Votre demande de prime : un document manque", ["Bernadette Leclercq <b.leclercq@citizen.test>"],
            "Madame Leclercq, il manque la facture de l'entrepreneur à votre demande de prime. Pouvez-vous nous l'envoyer ?",
        )  # fmt: skip
        asked = self.last_to("b.leclercq@citizen.test")
        answered = self._reply(
            asked, "Bonjour Monsieur Bert,\n\nVoici la facture.\n\nB. Leclercq", "facture-entrepreneur.pdf"
        )
        self.at(datetime.now(ZONE) + timedelta(hours=22), answered)

    def _reply(self, to, text, *files, follow=True):
        """Return what lets the recipient of a message answer it."""

        def come():
            at = datetime.now(ZONE)
            mail = odd_mail.reply(to, text, at)
            attach(mail, files)
            path = self.path_of(self.redirect(mail, "administration@maville.test"))
            if follow:
                self.at(self.at_work(at, 2), self._thank, path)

        return come

    def _thank(self, path):
        draft = self.begin(path, "agent", path)
        begun = self.past.json("GET", draft, "agent")
        body = "<p>Madame Leclercq,</p><p>Votre dossier est complet. La prime est versée ce mois-ci.</p><p>Bien à vous,</p>"
        body += begun["email_body"]["data"]
        self.send(
            draft,
            "agent",
            to=["Bernadette Leclercq <b.leclercq@citizen.test>"],
            subject=begun["title"],
            body=body,
        )
        thanks = self._reply(
            self.last_to("b.leclercq@citizen.test"), "Un grand merci !\n\nB. Leclercq", follow=False
        )
        self.at(datetime.now(ZONE) + timedelta(hours=5), thanks)

    def bounced(self):
        """A message comes back some minutes after a server took it."""
        self.compose(
            "agent", "Convocation : renouvellement de votre carte d'identité", ["valerie.pierard@citizen.test"],
            "Madame Piérard, votre carte d'identité arrive à échéance le 4 janvier.",
        )  # fmt: skip
        raw = odd_mail.bounce(self.last_to("valerie.pierard@citizen.test"), datetime.now(ZONE))
        self.at(datetime.now(ZONE) + timedelta(minutes=7), self.post, raw)

    def failed(self):
        """One of three recipients does not exist any more, and the only one of another message."""
        self.compose(
            "agent", "Réunion d'information sur les travaux de la rue Neuve",
            ["v.hardy@citizen.test", "Jacques Mertens <parti@citizen.test>", "comite.haut@citizen.test"],
            "Vous êtes invités à la réunion d'information du 10 décembre à 19 h, à la maison communale.", ("plan-travaux.pdf",),
        )  # fmt: skip
        self.compose(
            "agent2", "Votre certificat d'urbanisme", ["parti@ancienne-etude.test"],
            "Veuillez trouver le certificat en pièce jointe.", ("certificat.pdf",),
        )  # fmt: skip

    def absent(self):
        """An automatic answer of somebody who is away."""
        self.compose(
            "agent", "Réunion de coordination des secours", ["prevention@secours.test"],
            "La réunion de coordination a lieu le 11 décembre à 10 h.",
        )  # fmt: skip
        raw = odd_mail.absence(self.last_to("prevention@secours.test"), datetime.now(ZONE))
        self.at(datetime.now(ZONE) + timedelta(minutes=1), self.post, raw)

    def receipt(self):
        """The recipient's program says that the message was opened."""
        self.compose(
            "agent2", "Permis PU/2026/121 : décision du collège", ["projets@lignes-archi.test"],
            "Le collège a délivré le permis. Vous le trouverez en pièce jointe.", ("permis-PU-2026-121.pdf",),
            sender=self._position("agent2"),
        )  # fmt: skip
        raw = odd_mail.receipt(self.last_to("projets@lignes-archi.test"), datetime.now(ZONE))
        self.at(datetime.now(ZONE) + timedelta(minutes=40), self.post, raw)

    def _position(self, user):
        person = {"agent2": "claire-fontaine"}[user]
        return self.past.json("GET", f"{PERSONNEL}/{person}/urbanisme", "admin")["UID"]

    def unmatched(self):
        """A report on a message that the bridge did not send."""
        stranger = EmailMessage()
        stranger["From"], stranger["To"] = "martine.legrand@maville.test", "conseil@autre-commune.test"
        stranger["Subject"], stranger["Message-ID"] = (
            "Ordre du jour",
            "<ordre-du-jour@poste-de-travail.maville.test>",
        )
        stranger["Date"], stranger["X-RcptTo"] = (
            format_datetime(datetime.now(ZONE)),
            "conseil@autre-commune.test",
        )
        self.post(odd_mail.bounce(stranger, datetime.now(ZONE)))

    def loop(self):
        """What we sent comes back, because a mailbox of its recipient forwards to us."""
        self.compose(
            "chef", "Ordre du jour du collège", ["college@maville.test"], "L'ordre du jour du collège de vendredi est joint.",
            ("ordre-du-jour.pdf",),
        )  # fmt: skip
        ours = self.last_to("college@maville.test")
        self.post(odd_mail.redirected(ours.as_bytes(), INFO), sender="administration@maville.test")

    def held(self):
        """The account of the CPAS has an old password: what it should send waits, all else leaves."""
        self.compose(
            "agent3", "Repas à domicile : nouveau tarif", ["famille.schmitz@citizen.test", "monique.dubois@citizen.test"],
            "À partir du 1er janvier, le repas à domicile coûte 6,80 €.", sender=self.cpas,
        )  # fmt: skip

    def cancelled(self):
        """An agent takes back what was to leave later."""
        _path, message = self.compose(
            "agent", "Fermeture des guichets le 4 décembre", ["nadia.elamrani@citizen.test"],
            "Les guichets seront fermés le 4 décembre après-midi.", send_at=(self.now + timedelta(days=2)).isoformat(),
        )  # fmt: skip
        self.at(
            datetime.now(ZONE) + timedelta(minutes=8),
            self.past.json,
            "POST",
            f"/@outbox/{message['id']}/cancel",
            "agent",
            {},
        )

    def deferred(self):
        """A server asks to try again later."""
        self.compose(
            "agent", "Convention de collaboration", ["secretariat@greylisted.test"],
            "Veuillez trouver le projet de convention en pièce jointe.", ("convention.pdf",),
        )  # fmt: skip

    def scheduled(self):
        """An agent lets a message leave tomorrow morning."""
        tomorrow = (self.now + timedelta(days=1)).replace(hour=8, minute=30, second=0)
        self.compose(
            "agent", "Rappel : collecte des sapins le 9 janvier", ["brigitte.colson@citizen.test"],
            "Les ouvriers communaux ramassent les sapins le samedi 9 janvier, dès 8 h.", send_at=tomorrow.isoformat(),
        )  # fmt: skip

    def today(self):
        """Two messages of this morning."""
        self.compose(
            "agent", "Réservation confirmée : salle des fêtes, 12 décembre", ["comite.haut@citizen.test"],
            "La salle des fêtes est à vous le 12 décembre de 14 h à 23 h. Le contrat est joint.", ("contrat.pdf",),
        )  # fmt: skip
        self.compose(
            "agent2", "Rendez-vous plan de secteur", ["michel.goffin@citizen.test"],
            "Je confirme notre rendez-vous de mardi à 10 h.",
        )  # fmt: skip

    def draft(self):
        """An agent has begun to write and was called away."""
        path, _uids = self.write(
            "agent", "Réponse à la Maison de repos Les Tilleuls", treating_groups=self.services[GENERAL]
        )
        fields = {
            "to": "direction@lestilleuls.test",
            "subject": "Goûter de Noël",
            "body": "<p>Madame la Directrice,</p><p>Le collège</p>",
        }
        form = {f"form.widgets.{name}": text for name, text in fields.items()}
        self.past.press(f"{path}/@@mailbridge-save-draft", "agent", f"{path}/view", **form)


TEMPLATES = (
    (
        "template",
        "Accusé de réception",
        "<p>Madame, Monsieur {recipient.name},</p><p>Nous avons bien reçu votre demande et vous répondrons dans les dix "
        "jours.</p><p>Bien à vous,</p>",
    ),
    (
        "block",
        "Heures d'ouverture",
        "<p>Nos guichets sont ouverts du lundi au vendredi de 9 h à 12 h, et le samedi sur rendez-vous.</p>",
    ),
)


def make_front_page(site, text):
    """Let the site begin with the page that says what to try."""
    page = createContent("Document", title=front_page.TITLE, exclude_from_nav=True)
    page.id = front_page.ID
    page.text = RichTextValue(text, "text/html", "text/x-html-safe")
    addContentToContainer(site, page, checkConstraints=False)
    site.setDefaultPage(front_page.ID)


def main(app, url, smtp_port, maildir):
    """Make the site and let two weeks pass."""
    now = datetime.now(ZONE)
    start = (now - timedelta(days=DAYS + 1)).astimezone(UTC)
    with time_machine.travel(start, tick=True) as traveller:
        demo.main(app, smtp_port)
        make_front_page(app[demo.SITE_ID], front_page.text(url, smtp_port, maildir))
        transaction.commit()
        story = Story(Past(url, traveller), maildir, now)
        story.smtp_port = smtp_port
        story.prepare()
        story.tell()
        story.run()
    get_queue(RENDITIONS).huey.flush()  # tasks of the past are too old; the sweep of today finds what waits
    story.past.sweep()


if "app" in globals():  # given by zconsole
    main(globals()["app"], sys.argv[-3], int(sys.argv[-2]), Path(sys.argv[-1]))
