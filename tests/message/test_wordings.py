"""What programs and servers really write, beyond the one example of each row, and what people write that looks like it."""

from imio.mailbridge.message.classification.auto_reply import says_absent
from imio.mailbridge.message.classification.bounce import read_bounce
from imio.mailbridge.message.classification.reaction import read_reaction
from imio.mailbridge.message.classification.subject_prefix import is_answer
from imio.mailbridge.message.parsing.filter_mark import unwanted_mark
from imio.mailbridge.message.parsing.parse import parse
from imio.mailbridge.message.parsing.server_changes import without_additions
import pytest


def message(text="", **fields):
    head = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in fields.items())
    return parse(f"{head}Content-Type: text/plain; charset=utf-8\n\n{text}".encode())


@pytest.mark.parametrize(
    "subject",
    [
        "[Réponse automatique] Permis",
        "(Automatic reply) Permit",
        "Réponse automatisée : Permis",
        "Absence - Re: Permis",
        "Absente : RE: Permis",
        "Je suis absent pour le moment",
        "En congé de maternité",
        "Indisponible jusqu’au 7",
        "Message de vacances",
        "AUTO : Jeanne Dupont est absente du bureau (de retour le 07/12/2026)",
        "AUTO: Jan Peeters is niet op kantoor (terug 07/12/2026)",
        "AUTO: Hans Müller ist außer Haus (Rückkehr am 07.12.2026)",
        "Afwezig tot 7 december: vergunning",
        "Ik ben momenteel afwezig",
        "Ik ben met verlof tot 7 december",
        "Op vakantie",
        "Bericht van afwezigheid",
        "Automatische E-Mail-Antwort: Antrag",
        "Abwesenheitsagent: Antrag",
        "Ich bin zur Zeit abwesend",
        "Out of Office Notification: Permit",
        "I will be out of the office",
        "Vacation Auto-Reply",
    ],
)
def test_subject_of_an_absence_message(subject):
    assert says_absent(subject)


@pytest.mark.parametrize(
    "subject",
    [
        "Absence : certificat médical de Lou",
        "Absence de réponse à mon courrier",
        "Absent lors du passage du recommandé",
        "Congé parental : demande",
        "Congés scolaires et garderie",
        "En congé de maladie : attestation",
        "En vacances du 7 au 21 : arrêt du ramassage",
        "Indisponible pour la réunion de jeudi",
        "Réponse automatique de vos services : plainte",
        "Afwezig bij de vergadering van donderdag",
        "Verlof: aanvraag",
        "Abwesenheit in der Schule: Attest",
        "Auto : plaque d’immatriculation",
        "Autoantwort der Parkuhr",
        "Out of order: ticket machine",
        "Away day for the council",
        "On holiday camps",
    ],
)
def test_subject_of_a_person(subject):
    assert not says_absent(subject)


FROM_THE_SERVER = {"From": "postmaster@mx.test", "Message-ID": "<1@mx.test>"}


@pytest.mark.parametrize(
    "subject",
    [
        "Message non délivré : Permis",
        "Échec de l’envoi",
        "Échec d’acheminement du message",
        "Notification d’état de la distribution (échec)",
        "Avis de non-remise",
        "Rapport de non-distribution : Permis",
        "Votre message n’a pas pu être remis",
        "Impossible de délivrer le message",
        "Remise retardée : Permis",
        "Retour à l’expéditeur",
        "Niet-bestelbaar: Vergunning",
        "Bericht niet bezorgd",
        "Statusmelding van bezorging (mislukt)",
        "Vertraagd: Vergunning",
        "Nicht zustellbar: Antrag",
        "Zustellungsfehler",
        "Your message wasn't delivered",
    ],
)
def test_subject_of_a_bounce(subject):
    assert read_bounce(message("<gone@citizen.test>", Subject=subject, **FROM_THE_SERVER)) is not None


@pytest.mark.parametrize(
    "sentence",
    [
        "Échec de la remise aux destinataires ou groupes suivants :",
        "Votre message n’a pu être délivré",
        "Votre e-mail n’a pas pu être envoyé au destinataire",
        "Le ou les destinataires suivants n’ont pas pu être joints",
        "Votre message n’est pas parvenu à certains ou à tous ses destinataires.",
        "Adresse introuvable",
        "L’adresse e-mail du destinataire n’existe pas",
        "La boîte de réception du destinataire est saturée",
        "Uw bericht is niet bezorgd.",
        "Uw bericht is niet bij sommige of alle geadresseerden aangekomen.",
        "De volgende ontvanger(s) kan/kunnen niet worden bereikt:",
        "Adres niet gevonden",
        "Ihre Nachricht wurde nicht zugestellt",
        "Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Gruppen:",
        "Folgende Empfänger können nicht erreicht werden:",
        "Das Postfach des Empfängers ist voll",
        "Your message did not reach some or all of the intended recipients.",
        "Sorry, no mailbox here by that name.",
        "The email account that you tried to reach does not exist.",
    ],
)
def test_sentence_of_a_bounce(sentence):
    assert (
        read_bounce(message(f"{sentence}\n<gone@citizen.test>", Subject="?", **FROM_THE_SERVER)) is not None
    )


@pytest.mark.parametrize(
    ("author", "subject", "text"),
    [
        ("no-reply@bpost.test", "Votre colis n’a pas pu être livré", "Votre colis n’a pas été remis à x@y.test."),
        ("zoe@citizen.test", "Mail non distribué", "Mon mail à x@maville.test n’a pas pu être remis. Que faire ?"),
        ("jan@citizen.test", "Brief niet bezorgd", "De brief aan x@y.test kon niet worden bezorgd, adres niet gevonden"),
        ("noreply@shop.test", "Delivery failed", "Delivery has failed: x@y.test"),
        ("postmaster@mx.test", "Delivery Status Notification (Success)", "Your message was relayed to <x@y.test>"),
        ("postmaster@mx.test", "Notification d’état de remise (réussite)", "Message remis à <x@y.test>"),
        ("postmaster@mx.test", "Non remise des clés", "Les clés de la salle : <x@y.test>"),
    ],
)  # fmt: skip
def test_what_is_no_bounce(author, subject, text):
    assert read_bounce(message(text, From=author, Subject=subject)) is None


@pytest.mark.parametrize(
    "banner",
    [
        "ATTENTION : Ce mail provient de l’extérieur de l’organisation. Ne cliquez sur aucun lien et n’ouvrez aucune pièce jointe "
        "à moins d’en connaître l’expéditeur.",
        "/!\\ Courriel externe : Merci de ne pas cliquer sur les liens sauf si vous reconnaissez l’expéditeur et que vous savez "
        "que le contenu est sûr.",
        "⚠️ Cet e-mail a été envoyé par une personne extérieure à la commune.",
        "Message externe : restez vigilant.",
        "Expéditeur externe. Soyez prudent avec les liens.",
        "Vous ne recevez pas souvent d’e-mails de paul@citizen.test. Découvrez pourquoi ceci est important",
        "Sie erhalten nicht oft eine E-Mail von paul@citizen.test. Erfahren Sie, warum dies wichtig ist",
        "Some people who received this message don't often get email from paul@citizen.test. Learn why this is important",
        "Achtung: Diese E-Mail wurde von einer externen Adresse gesendet.",
        "Cet e-mail a été vérifié par le logiciel antivirus d’Avast.\nwww.avast.com",
    ],
)
def test_banner_of_a_server(banner):
    assert without_additions([*banner.split("\n"), "", "Bonjour"]) == ["Bonjour"]


@pytest.mark.parametrize(
    "line",
    [
        "Attention : le message du maire est faux.",
        "Externe : je refuse.",
        "Prudence : sol glissant rue Haute",
        "Attention, cette personne est connue de notre administration.",
        "Attention : merci de ne pas répondre à ce courriel.",
        "Envoyé de mon plein gré",
        "Ne cliquez pas sur ce lien, ne payez pas 500 EUR",
        "Vous ne recevez pas souvent de courriers de paul@citizen.test. Payez-le.",
    ],
)
def test_what_a_person_writes_is_no_banner(line):
    assert without_additions([line, "", "Bonjour"]) == [line, "", "Bonjour"]


@pytest.mark.parametrize(
    "subject",
    ["***SPAM*** RE: x", "EXTERN: AW: x", "{Spam?} Re : x", "Betr.: x", "Rép. : x", "[EXT] Antw: x"],
)
def test_answer(subject):
    assert is_answer(subject)


@pytest.mark.parametrize(
    "subject", ["VS: x", "[EXT] TR: RE: x", "***SPAM*** Fwd: Re: x", "Réf. : 12", "Refus : x"]
)
def test_no_answer(subject):
    assert not is_answer(subject)


@pytest.mark.parametrize(
    "text",
    [
        "👍\n\nJeanne Dupont a réagi via Gmail\n",
        "👍 Jeanne Dupont reacted via Gmail",
        "Jeanne heeft op uw bericht gereageerd:\n👍",
    ],
)
def test_sentence_of_a_reaction(text):
    assert read_reaction(message(text, From="jeanne@citizen.test"), "<ours@maville.test>") is not None


@pytest.mark.parametrize(
    "subject",
    ["[Spam probable] x", "[Suspicion de spam] x", "[Mogelijke spam] x", "[Ongewenste mail] x", "[VIRUS] x"],
)
def test_tag_of_a_filter(subject):
    assert unwanted_mark(message(Subject=subject).root)


@pytest.mark.parametrize(
    "subject", ["[Spa] x", "[Virus de la grippe] x", "Spam dans ma boîte", "[Suspects] recherchés"]
)
def test_what_is_no_tag_of_a_filter(subject):
    assert unwanted_mark(message(Subject=subject).root) is None
