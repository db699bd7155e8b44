"""Mistakes that are found before an e-mail is sent, and what only looks like one."""

from imio.mailbridge.message.composition.checks import mentions_attachment
from imio.mailbridge.message.composition.checks import typo_of
from imio.mailbridge.message.composition.mail_domains import ONLY
from imio.mailbridge.message.composition.mail_domains import REAL
from imio.mailbridge.message.composition.mail_domains import SUGGESTED
from tests.message.cpu_time import assert_linear
import pytest


MENTIONS = [
    "Veuillez trouver ci-joint le permis.",
    "Ci-joints, les plans",
    "ci-jointe&nbsp;: la facture",
    "ci&#8209;joint le plan",  # a hyphen that does not break
    "Le règlement est ci-annexé.",
    "Vous trouverez en annexe le permis",
    "Voir les pièces jointes.",
    "VOIR PIE&#768;CE JOINTE",  # the accent as a character of its own
    "Le document en PJ.",
    "Je vous joins le formulaire",
    "Le fichier joint contient la liste.",
    "le plan annexé au présent courrier",
    "Vous trouverez attaché le document.",
    "Please find attached the invoice.",
    "I have attached the plan.",
    "The documents are attached.",
    "The plan is attached to this e-mail.",
    "See the attached building permit.",
    "Attached you will find the minutes",
    "You will find the list in the attachment.",
    "Please find enclosed our offer",
    "In bijlage vindt u de vergunning.",
    "Zie bijlagen",
    "De bijgevoegde documenten",
    "Bijgaand stuur ik u het formulier",
    "Als Anhang sende ich Ihnen den Plan.",
    "Die Genehmigung finden Sie im Anhang.",
    "Anbei das Formular",
    "Die beigefügten Unterlagen",
    "In der Anlage finden Sie",
    "<p>Bonjour</p><div>Le permis se trouve <b>ci-joint</b>.</div>",
    "Voir ci-joint.<blockquote>Bonjour</blockquote>",
    "<blockquote>Bonjour</blockquote><p>Voir ci-joint</p>",
]
NO_MENTIONS = [
    "",
    "Un attachement affectif",
    "L'annexe du bâtiment est fermée.",
    "Un compte joint",
    "Rejoindre le service",
    "Veuillez me joindre au 081 12 34 56",
    "Envoyez-moi le plan, sans pièce jointe.",
    "I am attached to this house.",
    "A garage attached to the house",
    "No strings attached",
    "The garage is attached to the house.",
    "The attachment theory",
    "Our attachment to the region",
    "There are no attachments.",
    "Hij is eraan gehecht.",
    "Zonder bijlage",
    "Ein anhängliches Kind",
    "Die Anlage wird gereinigt.",
    "Der Anhänger steht vor dem Haus.",
    "<p>Merci.</p><blockquote>Veuillez trouver <blockquote>en annexe</blockquote> ci-joint</blockquote>",
    "<p>Merci.</p><blockquote type=cite><p>ci-joint",
    "Merci.<br>&gt; Veuillez trouver ci-joint<br>&gt; le plan",
    "Merci.<br>-----Message d'origine-----<br>Objet: plan<br>Veuillez trouver ci-joint",
    "<style>.ci-joint {}</style><p>Bonjour</p>",
    "<p title='ci-joint'>Bonjour</p><!-- ci-joint -->",
]


@pytest.mark.parametrize("html", MENTIONS)
def test_an_attachment_is_mentioned(html):
    assert mentions_attachment("Permis", html)


@pytest.mark.parametrize("html", NO_MENTIONS)
def test_no_attachment_is_mentioned(html):
    assert not mentions_attachment("Permis", html)


def test_the_subject_counts_but_not_the_one_that_is_answered():
    assert mentions_attachment("Le plan ci-joint", "<p>Bonjour</p>")
    assert not mentions_attachment("Re: Le plan ci-joint", "<p>Bonjour</p>")
    assert not mentions_attachment("TR : Le plan ci-joint", "<p>Bonjour</p>")


@pytest.mark.parametrize("piece", ["<blockquote>", "</blockquote>", "< blockquote", "ci-", "en "])
def test_hostile_text_takes_linear_time(piece):
    def read(html):
        assert not mentions_attachment("", html)

    assert_linear(read, lambda n: piece * n * 50_000)


TYPOS = {
    "gmial.com": "gmail.com",
    "gamil.com": "gmail.com",
    "gmal.com": "gmail.com",
    "gmaill.com": "gmail.com",
    "gmail.con": "gmail.com",
    "gmail.cmo": "gmail.com",
    "gmail.co": "gmail.com",
    "gmail.be": "gmail.com",
    "gmail.fr": "gmail.com",
    "GMIAL.COM": "gmail.com",
    "gmial.con": "gmail.com",
    "hotmial.com": "hotmail.com",
    "hotmal.be": "hotmail.be",
    "hotmai.fr": "hotmail.fr",
    "homtail.com": "hotmail.com",
    "hotmail.cm": "hotmail.com",
    "hotmail.bee": "hotmail.be",
    "htomail.com": "hotmail.com",
    "outlok.com": "outlook.com",
    "outllook.be": "outlook.be",
    "skyent.be": "skynet.be",
    "skynet.eb": "skynet.be",
    "telent.be": "telenet.be",
    "telenet.bz": "telenet.be",
    "proximsu.be": "proximus.be",
    "proxmus.be": "proximus.be",
    "ovo.be": "voo.be",
    "yaho.fr": "yahoo.fr",
    "yahooo.com": "yahoo.com",
    "iclound.com": "icloud.com",
    "icloud.be": "icloud.com",
    "liev.be": "live.be",
    "live.bee": "live.be",
    "belgacom.ne": "belgacom.net",
}
NO_TYPOS = [
    *sorted(REAL),
    "maville.be",
    "citizen.test",
    "zoo.be",
    "five.be",
    "olive.be",
    "vol.be",
    "hotel.be",
    "telecom.be",
    "sky.be",
    "gmail.com.maville.be",
    "telenet.nl",
    "yahoo.co.uk",
    "example.org",
]


@pytest.mark.parametrize(("domain", "meant"), TYPOS.items())
def test_typo(domain, meant):
    assert typo_of(f"Jeanne.Dupont+x@{domain}") == f"Jeanne.Dupont+x@{meant}"


@pytest.mark.parametrize("domain", NO_TYPOS)
def test_no_typo(domain):
    assert typo_of(f"jeanne@{domain}") is None


@pytest.mark.parametrize(
    "text", ["", "@", "jeanne", "jeanne@", "@gmial.com", "a b@gmial.com", "a@" + "x" * 300 + ".com"]
)
def test_what_is_no_address_has_no_typo(text):
    assert typo_of(text) is None


def test_only_real_domains_are_suggested():
    assert set(SUGGESTED) <= REAL
    assert set(ONLY.values()) <= set(SUGGESTED)
    assert len(set(SUGGESTED)) == len(SUGGESTED)
