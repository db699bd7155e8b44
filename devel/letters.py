"""What citizens, firms and administrations wrote to Maville in the last two weeks: the table from which ``two_weeks`` makes mail."""

from collections.abc import Iterable
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from email.utils import formataddr
from functools import cache
from imio.mailbridge.iadocs.pdf import one_page_pdf
from io import BytesIO
from PIL import Image
from PIL import ImageDraw
from typing import NamedTuple
import hashlib
import zipfile


INFO, URBANISM = "info@maville.test", "urbanisme@maville.test"
MAIL_IN = "in@bridge.test"

GENERAL, PLANNING, CIVIL, WORKS, FINANCE = "general", "planning", "civil", "works", "finance"
#: service → title, address; the first two are there already
SERVICES = {
    CIVIL: ("État civil et population", "etat.civil@maville.test"),
    WORKS: ("Travaux et environnement", "travaux@maville.test"),
    FINANCE: ("Finances", "finances@maville.test"),
}


class Letter(NamedTuple):
    """A letter: ``days`` ago at ``time``; today's ``time`` is minutes ago. ``files`` are names, whose content is made.

    What became of it: ``service`` and ``agent`` in charge (empty: nobody chose), ``done`` is ``""``, ``opened``, ``treated`` or
    ``closed``; ``answer`` is the text of the agent's answer.
    """

    days: int
    time: str
    name: str
    address: str
    subject: str
    text: str
    service: str = ""
    agent: str = ""
    done: str = ""
    answer: str = ""
    files: tuple[str, ...] = ()
    to: str = INFO
    html: str = ""
    cc: str = ""

    @property
    def message_id(self) -> str:
        """The Message-ID, always the same for one letter and day."""
        digest = hashlib.sha256(f"{self.address} {self.subject}".encode()).hexdigest()
        return f"<{digest[:20]}@{self.address.partition('@')[2]}>"


def L(days, time, who, subject, text, *rest, **more):  # noqa: N802 - a row of the table
    """Return the row of a letter; ``who`` is a name and an address."""
    name, _space, address = who.rpartition(" ")
    return Letter(days, time, name, address, subject, text, *rest, **more)


NEWSLETTER = """<div style="font-family:sans-serif"><img src="https://cdn.culture.test/logo.png" width="220" alt="Centre culturel">
<h2 style="color:#7a1f5c">Les rendez-vous de décembre</h2><p>Bonjour,</p><p>Voici le programme du mois, que vous pouvez annoncer dans le
bulletin communal :</p><ul><li>5 décembre : concert de la Sainte-Cécile</li><li>12 décembre : marché de Noël</li>
<li>19 décembre : théâtre, « Le Malade imaginaire »</li></ul><p><img src="https://cdn.culture.test/affiche.jpg" alt="Affiche"></p>
<p>Le Centre culturel de Maville</p><img src="https://track.culture.test/o.gif?id=7731" width="1" height="1" alt=""></div>"""

INVOICE = """<p>Bonjour,</p><p>Veuillez trouver ci-joint notre facture pour la fourniture de 12 tonnes de sel de déneigement.</p>
<table border="1" cellpadding="4"><tr><th>Description</th><th>Quantité</th><th>Prix unitaire</th><th>Total HTVA</th></tr>
<tr><td>Sel de déneigement, vrac</td><td>12 t</td><td>92,50 €</td><td>1 110,00 €</td></tr></table>
<p>Bien à vous,<br>Service comptable, Sel et Gravier SA</p>"""

LETTERS = (
    L(14, "08:41", "Marc Lefèvre marc.lefevre@citizen.test", "Demande de permis d'urbanisme, rue du Moulin 8",
      "Bonjour,\n\nJe souhaite remplacer le garage de ma maison, rue du Moulin 8, par une annexe habitable de 28 m². Vous trouverez le plan "
      "et une photo de la façade en pièces jointes. Faut-il un architecte ?\n\nMarc Lefèvre",
      PLANNING, "agent2", "closed",
      "<p>Monsieur Lefèvre,</p><p>Une annexe de moins de 40 m² ne demande pas d'architecte si elle se trouve à l'arrière. Complétez s'il "
      "vous plaît le formulaire de demande et ajoutez les matériaux prévus.</p><p>Bien à vous,</p>",
      ("plan-annexe.pdf", "facade.jpg"), to=URBANISM),
    L(14, "10:15", "Nadia El Amrani nadia.elamrani@citizen.test", "Acte de naissance de ma fille",
      "Bonjour,\n\nJ'ai besoin de deux copies de l'acte de naissance de ma fille Inès, née à Maville le 3 mars 2019, pour son inscription à "
      "l'école. Puis-je venir les chercher samedi ?\n\nMerci d'avance,\nNadia El Amrani",
      CIVIL, "agent", "closed",
      "<p>Madame El Amrani,</p><p>Les deux copies sont prêtes. Le guichet est ouvert le samedi de 9 h à 12 h ; prenez votre carte "
      "d'identité.</p><p>Bien à vous,</p>"),
    L(14, "11:32", "Hugo Delvaux hugo.delvaux@citizen.test", "Réverbère éteint rue des Tilleuls",
      "Bonjour,\n\nLe réverbère devant le n° 14 de la rue des Tilleuls est éteint depuis une semaine. Le soir, on ne voit plus le passage "
      "pour piétons.\n\nHugo Delvaux", WORKS, "agent", "closed"),
    L(14, "14:20", "ASBL Les Amis du Parc contact@amisduparc.test", "Demande de subside 2027",
      "Mesdames, Messieurs,\n\nNotre association sollicite un subside de 1 500 € pour la plantation de haies le long du sentier du parc. Le "
      "budget et les comptes de l'année passée sont joints.\n\nPour le comité,\nAnne Gillet",
      FINANCE, "agent", "treated", files=("budget-2027.docx", "comptes-2025.pdf")),
    L(13, "07:55", "Jean-Paul Servais jp.servais@citizen.test", "Collecte des déchets oubliée",
      "Bonjour,\n\nLes sacs blancs de la rue Haute n'ont pas été ramassés mardi. Les voisins les ont rentrés. Quand le camion "
      "repassera-t-il ?\n\nJ.-P. Servais", WORKS, "agent", "closed",
      "<p>Monsieur Servais,</p><p>Le camion est tombé en panne. Une tournée de rattrapage passe ce jeudi : sortez les sacs avant "
      "7 h.</p><p>Bien à vous,</p>"),
    L(13, "09:03", "Étude Maréchal et associés etude@notaires.test", "Renseignements urbanistiques, vente rue de la Gare 21",
      "Madame, Monsieur,\n\nEn vue de la vente du bien situé rue de la Gare 21, cadastré section B n° 114/c, nous vous prions de nous "
      "communiquer les renseignements urbanistiques (CoDT, art. D.IV.99 et D.IV.100). L'extrait cadastral est joint.\n\n"
      "Pour l'étude,\nSophie Maréchal, notaire", PLANNING, "agent2", "closed", files=("extrait-cadastral.pdf",)),
    L(13, "13:47", "Lotte Peeters lotte.peeters@citizen.test", "Verhuis naar Maville",
      "Geachte,\n\nWij verhuizen op 1 december naar de Rue du Pont 5 in Maville. Hoe geven we ons nieuwe adres aan, en kan dat in het "
      "Nederlands?\n\nMet vriendelijke groeten,\nLotte Peeters", CIVIL, "agent", "closed",
      "<p>Geachte mevrouw Peeters,</p><p>U kunt uw adreswijziging aangeven aan het loket Bevolking, of online via Mijn Dossier. De "
      "wijkagent komt daarna bij u langs.</p><p>Met vriendelijke groeten,</p>"),
    L(13, "16:28", "Véronique Hardy v.hardy@citizen.test", "Bruit du chantier rue Neuve",
      "Bonjour,\n\nLe chantier de la rue Neuve commence chaque matin à 5 h 30. Est-ce permis ? Je joins les heures que j'ai notées.\n\n"
      "Véronique Hardy", WORKS, "agent3", "treated", files=("heures-notees.pdf",)),
    L(12, "08:12", "Sel et Gravier SA facturation@sel-gravier.test", "Facture 2026-1187",
      "Veuillez trouver ci-joint notre facture.", FINANCE, "agent", "closed", files=("facture-2026-1187.pdf",), html=INVOICE),
    L(12, "10:40", "Comité de quartier du Haut comite.haut@citizen.test", "Réservation de la salle des fêtes",
      "Bonjour,\n\nNous aimerions réserver la salle des fêtes le samedi 12 décembre de 14 h à 23 h pour le souper du quartier (80 "
      "personnes). Est-elle libre, et à quel prix ?\n\nPaul Lambert, président", GENERAL, "agent", "closed",
      "<p>Monsieur Lambert,</p><p>La salle est libre le 12 décembre. Le prix pour une association est de 150 €, et la caution de "
      "250 €. Je vous réserve la date jusqu'à vendredi.</p><p>Bien à vous,</p>"),
    L(12, "15:05", "Thomas Wéry thomas.wery@citizen.test", "Permis de conduire perdu",
      "Bonjour, j'ai perdu mon permis de conduire. Que dois-je apporter pour en obtenir un nouveau ? Merci. Thomas Wéry",
      CIVIL, "agent", "closed"),
    L(11, "09:18", "SWDE, service voirie chantiers@eaux.test", "Ouverture de voirie, rue des Prés, du 7 au 11 décembre",
      "Madame, Monsieur,\n\nNous devons remplacer une conduite rue des Prés. Veuillez trouver la demande d'autorisation et le plan de "
      "signalisation.\n\nLe service des chantiers", WORKS, "agent3", "treated", files=("demande-autorisation.pdf", "signalisation.png")),
    L(11, "11:01", "Isabelle Rousseau isabelle.rousseau@citizen.test", "Mariage en juin",
      "Bonjour,\n\nMon compagnon et moi souhaitons nous marier à Maville le samedi 5 juin 2027. Quels documents devons-nous vous "
      "remettre, et quand ?\n\nIsabelle Rousseau", CIVIL, "agent", "closed",
      "<p>Madame Rousseau,</p><p>Félicitations ! La date est libre à 11 h. La déclaration de mariage se fait au guichet, au plus tôt six "
      "mois avant ; apportez vos cartes d'identité.</p><p>Bien à vous,</p>", cc="Antoine Petit <antoine.petit@citizen.test>"),
    L(11, "14:33", "École Saint-Martin direction@saintmartin.test", "Sécurité aux abords de l'école",
      "Madame, Monsieur,\n\nDes parents s'arrêtent sur le passage pour piétons à 8 h 20. Serait-il possible de placer des potelets ? "
      "Quelques photos en pièces jointes.\n\nB. Collard, directrice", WORKS, "agent3", "opened", files=("abords-1.jpg", "abords-2.jpg")),
    L(11, "17:22", "Karim Benali karim.benali@citizen.test", "Carte d'identité pour enfant",
      "Bonjour, nous partons en Italie à Noël. Combien de temps faut-il pour une Kids-ID ? Karim Benali", CIVIL, "agent", "closed",
      "<p>Monsieur Benali,</p><p>Il faut compter trois semaines. Venez au guichet avec votre fils et une photo récente.</p>"
      "<p>Bien à vous,</p>"),
    L(10, "08:30", "Bureau d'architecture Lignes projets@lignes-archi.test", "Dossier PU/2026/121, plans modifiés",
      "Bonjour,\n\nSuite à notre entretien de lundi, voici les plans modifiés du dossier PU/2026/121.\n\nCéline Gérard, architecte",
      PLANNING, "agent2", "closed", files=("plans-PU-2026-121.pdf", "note.docx"), to=URBANISM),
    L(10, "10:57", "Monique Dubois monique.dubois@citizen.test", "Trottoir dangereux devant la poste",
      "Madame, Monsieur,\n\nJe suis tombée hier devant la poste : trois dalles bougent. À 78 ans, j'ai eu de la chance. Pourriez-vous les "
      "faire réparer ?\n\nMonique Dubois", WORKS, "agent", "closed",
      "<p>Madame Dubois,</p><p>Nous espérons que vous allez bien. Nos ouvriers ont bloqué les dalles ce matin et les remplaceront la "
      "semaine prochaine.</p><p>Bien à vous,</p>"),
    L(10, "13:15", "Centre culturel de Maville info@culture.test", "Les rendez-vous de décembre",
      "Le programme de décembre.", GENERAL, "agent", "closed", html=NEWSLETTER),
    L(9, "19:44", "Kevin Martin kevin.martin@citizen.test", "plainte voisin musique",
      "bonjour mon voisin du 3e met la musique jusque 2h du matin tous les weekends. la police est venue 2 fois. que peut faire la "
      "commune ? kevin martin, résidence les acacias", GENERAL, "chef", "treated"),
    L(8, "11:20", "Claudine Noël claudine.noel@citizen.test", "Concession au cimetière",
      "Bonjour,\n\nLa concession de mes parents (allée C, n° 17) arrive à échéance. Comment la prolonger ?\n\nClaudine Noël",
      CIVIL, "agent", "opened"),
    L(7, "08:05", "Province, service des subsides subsides@province.test", "Appel à projets « Cœur de village »",
      "Madame, Monsieur,\n\nL'appel à projets « Cœur de village » est ouvert jusqu'au 31 janvier. Le règlement et le formulaire sont "
      "joints.\n\nLe service des subsides", GENERAL, "chef", "treated", files=("reglement.pdf", "formulaire.docx")),
    L(7, "09:26", "Étude Maréchal et associés etude@notaires.test", "Renseignements urbanistiques, vente rue Haute 3",
      "Madame, Monsieur,\n\nNous vous prions de nous communiquer les renseignements urbanistiques pour le bien rue Haute 3, section A n° "
      "88/d.\n\nPour l'étude,\nSophie Maréchal, notaire", PLANNING, "agent2", "closed",
      "<p>Maître,</p><p>Le bien se trouve en zone d'habitat à caractère rural au plan de secteur. Aucun permis n'a été délivré après "
      "1977. Le certificat suit par la poste.</p><p>Bien à vous,</p>", ("extrait-88d.pdf",)),
    L(7, "10:48", "Luc Henrotte luc.henrotte@citizen.test", "Arbre qui penche chemin des Dames",
      "Bonjour, le gros frêne au bord du chemin des Dames penche vers la route depuis la tempête. Photo jointe. Luc Henrotte",
      WORKS, "agent3", "treated", files=("frene.jpg",)),
    L(7, "14:02", "Familie Schmitz familie.schmitz@citizen.test", "Anmeldung unserer Tochter in der Krippe",
      "Sehr geehrte Damen und Herren,\n\nwir ziehen im Januar nach Maville und suchen einen Platz in der Krippe für unsere Tochter "
      "(14 Monate). An wen wenden wir uns?\n\nMit freundlichen Grüßen\nPetra Schmitz", GENERAL, "agent", "closed",
      "<p>Sehr geehrte Frau Schmitz,</p><p>bitte wenden Sie sich an die Krippe „Les P'tits Loups“. Wir haben Ihre Anfrage dorthin "
      "weitergegeben.</p><p>Mit freundlichen Grüßen</p>"),
    L(7, "16:39", "Assurances Ethina sinistres@assurances.test", "Sinistre 26/4471, véhicule communal",
      "Madame, Monsieur,\n\nNous avons bien reçu votre déclaration. Il nous manque le constat signé et deux devis.\n\nGestion des sinistres",
      FINANCE, "agent", "treated", files=("courrier-sinistre.pdf",)),
    L(6, "08:50", "Sabrina Costa sabrina.costa@citizen.test", "Attestation de composition de ménage",
      "Bonjour,\n\nJ'ai besoin d'une composition de ménage pour mon employeur avant vendredi. Est-ce possible par e-mail ?\n\n"
      "Sabrina Costa", CIVIL, "agent", "closed",
      "<p>Madame Costa,</p><p>Vous pouvez télécharger l'attestation vous-même sur Mon Dossier avec votre carte d'identité. Je vous "
      "l'envoie aussi par la poste.</p><p>Bien à vous,</p>"),
    L(6, "11:13", "Club de marche Les Godillots godillots@citizen.test", "Marche du 20 décembre : autorisation de passage",
      "Bonjour,\n\nComme chaque année, nous organisons notre marche de Noël le dimanche 20 décembre (400 participants). Voici le parcours. "
      "Pouvez-vous nous autoriser à baliser les chemins communaux ?\n\nLe comité", GENERAL, "agent", "opened", files=("parcours.png",)),
    L(6, "15:31", "Yves Marchal yves.marchal@citizen.test", "Taxe sur les déchets 2026 : réclamation",
      "Madame, Monsieur,\n\nJ'ai reçu un avertissement-extrait de rôle pour deux personnes, alors que mon fils ne vit plus chez moi depuis "
      "février. Je conteste le montant. L'avertissement est joint.\n\nYves Marchal", FINANCE, "agent", "treated",
      files=("avertissement-extrait.pdf",)),
    L(5, "09:07", "Gaëlle Simon gaelle.simon@citizen.test", "Stationnement pour déménagement",
      "Bonjour, je déménage le samedi 5 décembre, rue du Pont 22. Comment réserver deux places devant la maison ? Gaëlle Simon",
      GENERAL, "agent", "closed",
      "<p>Madame Simon,</p><p>L'autorisation est accordée. Les panneaux sont à votre disposition au dépôt communal dès mercredi ; placez-les "
      "48 heures avant.</p><p>Bien à vous,</p>"),
    L(5, "10:22", "Jeanne Dupont jeanne.dupont@citizen.test", "Véranda, rue de la Gare 12 : couleur des châssis",
      "Bonjour,\n\nMon permis demande des châssis gris. Puis-je les choisir en vert foncé, comme ceux du voisin ? Voici une photo.\n\n"
      "Jeanne Dupont", PLANNING, "agent2", "opened", files=("voisin.jpg",), to=URBANISM),
    L(5, "13:58", "Imprimerie du Centre devis@imprimerie.test", "Devis pour le bulletin communal",
      "Bonjour,\n\nVoici notre devis pour 3 200 exemplaires du bulletin de janvier.\n\nCordialement,\nBenoît Adam",
      GENERAL, "chef", "opened", files=("devis-bulletin.pdf",)),
    L(4, "08:33", "Fabrice Thiry fabrice.thiry@citizen.test", "Égout bouché rue Basse",
      "Bonjour,\n\nÀ chaque averse, l'avaloir devant le 9 rue Basse déborde dans ma cave. Il faut le curer d'urgence !\n\nFabrice Thiry",
      WORKS, "agent3", "treated"),
    L(4, "09:49", "Aurélie Bastin aurelie.bastin@citizen.test", "Avis de naissance : Léon",
      "Bonjour,\n\nNotre petit Léon est né le 19 novembre à la maternité de Bastogne. Devons-nous faire quelque chose à la commune ?\n\n"
      "Aurélie Bastin et Simon Leroy", CIVIL, "agent", "closed",
      "<p>Madame Bastin, Monsieur Leroy,</p><p>Toutes nos félicitations ! Si vous avez déclaré la naissance à la maternité, vous n'avez "
      "rien à faire. Une prime de naissance vous attend.</p><p>Bien à vous,</p>"),
    L(4, "11:45", "Fluxia, réseau de gaz planning@fluxia.test", "Travaux de raccordement, rue du Moulin",
      "Madame, Monsieur,\n\nNous prévoyons un raccordement rue du Moulin 8 le 15 décembre. Plan joint.\n\nFluxia", WORKS, "", "",
      files=("raccordement.pdf",)),
    L(4, "14:26", "Michel Goffin michel.goffin@citizen.test", "Consultation du plan de secteur",
      "Bonjour, j'aimerais consulter le plan de secteur pour une parcelle près de l'ancienne gare. Puis-je prendre rendez-vous ? M. Goffin",
      PLANNING, "agent2", "closed",
      "<p>Monsieur Goffin,</p><p>Je peux vous recevoir mardi prochain à 10 h. Prenez le numéro de la parcelle avec vous.</p>"
      "<p>Bien à vous,</p>", to=URBANISM),
    L(4, "20:10", "Laura Fontana laura.fontana@citizen.test", "Chien errant",
      "bonsoir, un grand chien noir sans collier tourne autour de l'école depuis deux jours. qui s'en occupe ? laura", WORKS, "agent", "opened"),
    L(3, "08:20", "CPAS de Valmont secretariat@cpas-valmont.test", "Collaboration repas à domicile",
      "Chers collègues,\n\nNous cherchons une commune voisine pour partager le service des repas à domicile. Une note est jointe ; nous "
      "serions heureux d'en parler.\n\nMarie-Claire Jacob, secrétaire", GENERAL, "chef", "opened", files=("note-repas.docx",)),
    L(3, "09:35", "Société Toiture Plus offres@toitureplus.test", "Offre : toiture de l'école communale",
      "Madame, Monsieur,\n\nVeuillez trouver notre offre pour le marché « Toiture de l'école communale ».\n\nJ. Pirard",
      WORKS, "agent3", "treated", files=("offre.pdf", "annexe-technique.pdf")),
    L(3, "11:08", "Amélie Grosjean amelie.grosjean@citizen.test", "Passeport urgent",
      "Bonjour,\n\nJe dois partir au Canada le 8 décembre pour le travail et mon passeport est périmé. Existe-t-il une procédure "
      "d'urgence ?\n\nAmélie Grosjean", CIVIL, "agent", "closed",
      "<p>Madame Grosjean,</p><p>Oui : une demande introduite avant 15 h donne un passeport le lendemain. Venez aujourd'hui ou demain "
      "avec une photo.</p><p>Bien à vous,</p>"),
    L(3, "14:51", "Roger Lambotte roger.lambotte@citizen.test", "Sentier n° 14 fermé par une clôture",
      "Messieurs,\n\nUn propriétaire a posé une clôture en travers du sentier vicinal n° 14. Voici l'extrait de l'atlas.\n\nR. Lambotte",
      WORKS, "", "opened", files=("atlas.png",)),
    L(3, "17:03", "Jardins d'Ourthe info@jardins.test", "Facture F26-0931",
      "Bonjour, voici la facture de l'entretien des parterres de novembre.", FINANCE, "", "", files=("F26-0931.pdf",)),
    L(2, "08:15", "Daniel Jacquemin daniel.jacquemin@citizen.test", "Nid de guêpes sous le toit de la crèche",
      "Bonjour,\n\nEn allant chercher mon petit-fils, j'ai vu un nid sous le toit de la crèche. À enlever cet hiver ?\n\nD. Jacquemin",
      WORKS, "agent3", "opened", files=("nid.jpg",)),
    L(2, "09:42", "Étude Maréchal et associés etude@notaires.test", "Renseignements urbanistiques, vente place du Marché 2",
      "Madame, Monsieur,\n\nNous vous prions de nous communiquer les renseignements urbanistiques pour le bien place du Marché 2.\n\n"
      "Pour l'étude,\nSophie Maréchal, notaire", PLANNING, "agent2", "", files=("extrait-marche-2.pdf",)),
    L(2, "10:30", "Fatima Ouali fatima.ouali@citizen.test", "Inscription à la garderie",
      "Bonjour,\n\nReste-t-il une place à la garderie du mercredi pour mon fils Adam (6 ans) ?\n\nFatima Ouali", GENERAL, "agent", "treated"),
    L(2, "13:22", "Bernard Istasse bernard.istasse@citizen.test", "Demande d'abattage d'un noyer",
      "Madame, Monsieur,\n\nMon noyer menace la maison. Ai-je besoin d'un permis pour l'abattre ? Photo jointe.\n\nBernard Istasse",
      PLANNING, "agent3", "", files=("noyer.jpg",), to=URBANISM),
    L(2, "15:57", "Radio Ardenne redaction@radio.test", "Question de la rédaction : piscine",
      "Bonjour,\n\nPouvez-vous nous confirmer que la piscine ferme en janvier ? Nous en parlons demain à 8 h.\n\nLa rédaction",
      GENERAL, "chef", "opened"),
    L(1, "08:02", "Pascal Noiret pascal.noiret@citizen.test", "Conteneur à verre qui déborde",
      "Bonjour, le conteneur à verre du parking de la gare déborde, il y a des tessons par terre. P. Noiret", WORKS, "agent", "opened"),
    L(1, "09:14", "Elena Popescu elena.popescu@citizen.test", "Inscription au registre",
      "Bonjour,\n\nJe suis arrivée de Roumanie et j'habite rue du Pont 40 depuis lundi. Quels papiers faut-il pour m'inscrire ?\n\n"
      "Elena Popescu", CIVIL, "agent", ""),
    L(1, "10:05", "Bureau d'architecture Lignes projets@lignes-archi.test", "Dossier PU/2026/128, demande de permis groupé",
      "Bonjour,\n\nVeuillez trouver le dossier complet (plans, note, formulaire).\n\nCéline Gérard, architecte", PLANNING, "agent2", "",
      files=("plans-PU-2026-128.pdf", "note-descriptive.docx", "facade-sud.jpg"), to=URBANISM),
    L(1, "11:29", "Maurice Evrard maurice.evrard@citizen.test", "Vitesse rue du Centre",
      "Messieurs,\n\nLes voitures roulent à 70 rue du Centre. Quand placerez-vous un radar préventif ?\n\nM. Evrard", GENERAL, "", ""),
    L(1, "13:40", "Wim De Smet wim.desmet@citizen.test", "Vakantiehuis: toeristenbelasting",
      "Geachte,\n\nIk kreeg een aangifte voor de toeristenbelasting voor mijn vakantiehuis in Maville. Voor welke datum moet ik ze "
      "terugsturen?\n\nWim De Smet", FINANCE, "agent", ""),
    L(1, "14:18", "Christine Baudoin christine.baudoin@citizen.test", "Salle des fêtes, 9 janvier",
      "Bonjour,\n\nLa salle des fêtes est-elle libre le samedi 9 janvier pour les 80 ans de ma maman ?\n\nChristine Baudoin",
      GENERAL, "", ""),
    L(1, "16:47", "Sébastien Lahaye sebastien.lahaye@citizen.test", "Extension d'un hangar agricole",
      "Bonjour,\n\nJ'aimerais agrandir mon hangar de 15 m, chemin du Bois 2. Avant d'introduire un dossier, puis-je avoir votre avis ?\n\n"
      "S. Lahaye", PLANNING, "", "", files=("croquis.png",), to=URBANISM),
    L(1, "19:33", "Julie Masson julie.masson@citizen.test", "Lampadaire qui clignote",
      "Bonsoir, le lampadaire en face du 31 rue des Tilleuls clignote toute la nuit. Merci ! Julie Masson", "", "", ""),
    L(0, "170", "Philippe Renson philippe.renson@citizen.test", "Fuite d'eau place du Marché",
      "Bonjour, de l'eau coule sur les pavés de la place du Marché depuis ce matin. Il va geler. Ph. Renson", WORKS, "agent", ""),
    L(0, "140", "Anne-Sophie Marot as.marot@citizen.test", "Certificat de bonne vie et mœurs",
      "Bonjour,\n\nPuis-je demander un extrait de casier judiciaire par e-mail ? C'est pour un travail avec des enfants.\n\nA.-S. Marot",
      CIVIL, "agent", ""),
    L(0, "115", "Maison de repos Les Tilleuls direction@lestilleuls.test", "Goûter de Noël : invitation du collège",
      "Madame la Directrice générale,\n\nNous serions heureux d'accueillir le collège à notre goûter de Noël, le 16 décembre à 14 h.\n\n"
      "La direction", "", "", "", files=("invitation.pdf",)),
    L(0, "95", "Nicolas Fraiture nicolas.fraiture@citizen.test", "Permis pour une piscine",
      "Bonjour,\n\nFaut-il un permis pour une piscine hors sol de 25 m² ?\n\nNicolas Fraiture", "", "", "", to=URBANISM),
    L(0, "60", "Brigitte Colson brigitte.colson@citizen.test", "Collecte des sapins",
      "Bonjour, la commune ramassera-t-elle les sapins en janvier ? Brigitte Colson", "", "", ""),
    L(0, "35", "Garage Moderne atelier@garage.test", "Devis, camionnette 1-ABC-234",
      "Bonjour,\n\nVoici le devis pour l'embrayage de votre camionnette. Nous attendons votre accord.\n\nLe garage", "", "", "",
      files=("devis-embrayage.pdf",)),
)  # fmt: skip


def message(letter: Letter, at: datetime, to: str = "") -> EmailMessage:
    """Return the letter as its author's program sent it at an aware time."""
    mail = EmailMessage()
    mail["From"] = formataddr((letter.name, letter.address))
    mail["To"] = to or letter.to
    if letter.cc:
        mail["Cc"] = letter.cc
    mail["Subject"] = letter.subject
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = letter.message_id
    mail.set_content(letter.text + "\n")
    if letter.html:
        mail.add_alternative(letter.html, subtype="html")
    attach(mail, letter.files)
    return mail


def attach(mail: EmailMessage, names: Iterable[str]) -> None:
    """Attach files with these names; the content suits the ending."""
    for name in names:
        content, kind = file(name)
        mail.add_attachment(content, *kind.split("/"), filename=name)


@cache
def file(name: str) -> tuple[bytes, str]:
    """Return content and media type of a file that is to have this name."""
    stem, _dot, ending = name.rpartition(".")
    title = stem.replace("-", " ").capitalize()
    if ending == "pdf":
        return one_page_pdf(f"{title}\n\nMaville, document de démonstration.\n"), "application/pdf"
    if ending == "docx":
        kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
        return _word(title), kind
    return _picture(
        title, "JPEG" if ending == "jpg" else "PNG"
    ), f"image/{'jpeg' if ending == 'jpg' else 'png'}"


def _picture(title: str, form: str) -> bytes:
    shade = hashlib.sha256(title.encode()).digest()
    image = Image.new("RGB", (640, 420), (150 + shade[0] // 4, 170 + shade[1] // 4, 190 + shade[2] // 4))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 300, 640, 420), fill=(90, 120 + shade[3] // 8, 80))
    draw.rectangle(
        (180, 170, 440, 340),
        fill=(200, 190 - shade[4] // 4, 170 - shade[5] // 4),
        outline=(60, 60, 60),
        width=4,
    )
    draw.polygon(((160, 175), (310, 70), (460, 175)), fill=(130, 60, 50))
    draw.rectangle((285, 250, 335, 340), fill=(80, 60, 50))
    draw.text((12, 396), title.encode("ascii", "ignore").decode(), fill=(255, 255, 255))
    stream = BytesIO()
    image.save(stream, form)
    return stream.getvalue()


def _word(title: str) -> bytes:
    stream = BytesIO()
    package = "http://schemas.openxmlformats.org/package/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{package}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.'
            f'relationships+xml"/><Override PartName="/word/document.xml" ContentType="{main}"/></Types>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{office}" Target="word/document.xml"/>'
            "</Relationships>",
        )
        archive.writestr(
            "word/document.xml",
            f'<w:document xmlns:w="{space}"><w:body><w:p><w:r><w:t>{title}</w:t></w:r></w:p></w:body></w:document>',
        )
    return stream.getvalue()
