"""What agents, managers and administrators ask, where they ask it; the answer is at most two links away, found by their names."""

from tests.acceptance.pages import declare
from tests.acceptance.pages import fill
from tests.acceptance.pages import PAGES
from typing import NamedTuple
from urllib.parse import urldefrag
import lxml.html
import pytest


HELP = "Aide sur cette page (nouvel onglet)"
#: Plone's own page, which shows a warning of ours, and the guides themselves.
WITHOUT_HELP = ("/@@overview-controlpanel", "/@@mailbridge-guide/")


class Question(NamedTuple):
    """``words`` stand in the section to which the last of ``links`` leads."""

    user: str
    asked: str
    page: str
    links: tuple[str, ...]
    words: str


QUESTIONS = [
    Question(
        "agent",
        "Mon e-mail est-il vraiment parti ?",
        "/outgoing-mail/permis-durbanisme",
        (HELP, "Qu’est devenu mon e-mail ?"),
        "Le serveur de messagerie l’a pris.",
    ),
    Question(
        "agent",
        "Mon e-mail n’est pas arrivé : que dois-je faire ?",
        "/@@my-emails",
        (HELP, "Un e-mail n’est pas arrivé : que faire ?"),
        "L’adresse n’existe pas : Modifier et renvoyer, corrigez l’adresse",
    ),
    Question(
        "agent",
        "Comment mettre dans iA.docs un e-mail qui est dans mon Outlook ?",
        "/@@my-forwards",
        (HELP, "Transférer un message en pièce jointe"),
        "Transférer en tant que pièce jointe, ou Ctrl+Alt+F",
    ),
    Question(
        "agent",
        "Sous quel nom mon e-mail part-il, et où arrivent les réponses ?",
        "/outgoing-mail/permis-durbanisme/@@send-email",
        (HELP,),
        "La première ligne dit sous quel nom l’e-mail part et où les réponses arrivent.",
    ),
    Question(
        "agent",
        "J’ai fermé la page : ce que j’écrivais est-il perdu ?",
        "/@@my-mail",
        (HELP, "Brouillons"),
        "Fermez-la sans crainte",
    ),
    Question(
        "chef",
        "J’ai écarté un message par erreur : comment le reprendre ?",
        "/@@mailbridge-inbox",
        (HELP, "Écarter et reprendre"),
        "choisissez écarté dans la liste des états, ouvrez le message et cliquez sur Reprendre",
    ),
    Question(
        "chef",
        "Dois-je décider chaque semaine du même courrier ?",
        "/@@mailbridge-inbox",
        (HELP, "Règles"),
        "Créer une règle à partir de ceci",
    ),
    Question(
        "chef",
        "Deux règles conviennent : laquelle décide ?",
        "/@@mailbridge-rules",
        (HELP,),
        "la première dont toutes les conditions sont remplies décide",
    ),
    Question(
        "chef",
        "Plus rien ne part : faut-il renvoyer les e-mails ?",
        "/@@mailbridge-outbox",
        (HELP, "Comptes à l’arrêt"),
        "partiront d’eux-mêmes. Inutile de les renvoyer.",
    ),
    Question(
        "chef",
        "Cette adresse revient toujours en erreur : que faire ?",
        "/@@mailbridge-returned",
        (HELP,),
        "corrigez le contact",
    ),
    Question(
        "admin",
        "Le compte est à l’arrêt : que faut-il faire, et qu’est-ce qui est perdu ?",
        "/@@mailbridge-accounts",
        (HELP,),
        "Rien n’est perdu",
    ),
    Question(
        "admin",
        "Microsoft refuse le mot de passe : que mettre à la place ?",
        "/@@mailbridge-diagnosis",
        (HELP, "Passer à OAuth 2.0"),
        "Un serveur qui n’en veut pas répond 535 ou 550 5.7.30.",
    ),
    Question(
        "admin",
        "Pourquoi le courrier d’une boîte va-t-il en quarantaine ?",
        "/@@mailbridge-forwarding",
        (HELP, "Donner une adresse secrète à une boîte"),
        "sans preuve, il va en quarantaine",
    ),
    Question(
        "admin",
        "Le serveur laisse-t-il envoyer au nom des agents ?",
        "/@@mailbridge-send-as",
        (HELP,),
        "Un vrai e-mail part ; la réponse du serveur est notée.",
    ),
    Question(
        "admin",
        "Combien de temps les e-mails sont-ils gardés ?",
        "/@@mailbridge-controlpanel",
        (HELP, "Durée de conservation"),
        "Ensuite le message est effacé, l’historique reste.",
    ),
]


@pytest.fixture(scope="module")
def content(iadocs):
    return fill(iadocs)


class Reader:
    """Somebody who reads French pages and follows links by their accessible names."""

    def __init__(self, iadocs, user):
        self.iadocs = iadocs
        self.user = user

    def open(self, url):
        """Go to a page, or to a section of it."""
        self.url, section = urldefrag(url)
        path = self.url.removeprefix(self.iadocs.url)
        answer = self.iadocs.get(path, self.user, headers={"Accept": "text/html", "Accept-Language": "fr"})
        assert answer.status_code == 200, path
        page = lxml.html.fromstring(answer.text)
        self.read = page.get_element_by_id(section) if section else page

    def link(self, name):
        """Return where a link of what is read leads, and whether it is shown as one."""
        found = [
            link.get("href")
            for link in self.read.iter("a")
            if (link.get("aria-label") or " ".join(link.text_content().split())) == name
        ]
        assert found, f"no link {name}"
        return found[0]

    def follow(self, name):
        """Follow a link by its name."""
        href = self.link(name)
        self.open(f"{self.url}{href}" if href.startswith("#") else href)

    def text(self):
        """Return the words of what is read."""
        return " ".join(self.read.text_content().split())


def test_there_are_five_of_each():
    users = [question.user for question in QUESTIONS]
    assert {user: users.count(user) for user in users} == {"agent": 5, "chef": 5, "admin": 5}
    assert all(len(question.links) <= 2 for question in QUESTIONS)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.asked)
def test_an_answer_is_at_most_two_links_away(iadocs, question):
    reader = Reader(iadocs, question.user)
    reader.open(f"{iadocs.url}{question.page}")
    for name in question.links:
        reader.follow(name)
    assert question.words in reader.text()


@pytest.mark.parametrize("user", ["agent", "chef", "admin"])
def test_each_page_of_ours_has_help(iadocs, content, user):
    declare(iadocs)
    reader = Reader(iadocs, user)
    for path in (path for name, path in PAGES if name == user and not path.startswith(WITHOUT_HELP)):
        reader.open(f"{iadocs.url}{path.format(**content)}")
        target = reader.link(HELP)
        assert "#" in target, path
        reader.open(target)
