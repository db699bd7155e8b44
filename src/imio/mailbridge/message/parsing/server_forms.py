"""The tables of what mail servers change in a message on the way: tags in the subject, sentences, links.

Each row is one more server, provider or language. What a row accepts makes no difference between two copies of a message, so that
a row must hold nothing that a person could mean: fixed sentences, or a fixed beginning and words of a closed list.
"""

from imio.mailbridge.message.syntax.form import Form
from typing import NamedTuple


class Rewriter(NamedTuple):
    """How a provider writes a link anew: ``pattern`` matches all of it and names what holds the original ``url``.

    ``coding`` is how the original is written in it: ``percent``, ``dashes`` and ``stars`` (versions 2 and 3 of URL Defense; the
    group ``stars`` holds what stars stand for), ``base64``. ``example`` stands for ``original``; ``near_miss`` is no such link.
    """

    name: str
    pattern: str
    coding: str
    example: str
    near_miss: str
    original: str = "https://impots.example/f?id=1"


def _sentence(beginning: str, words: str) -> str:
    """Return the pattern of a sentence: a beginning, and then any of the ``words``, which may be patterns."""
    listed = "|".join(words.split())
    return rf"(?:{beginning})(?!\w)(?:[^\w]{{1,6}}(?:{listed})(?!\w)){{0,80}}+"


_ENGLISH = r"""
a an and any are at be been before by came can careful caution clicking click comes content do does don t domain e mails? email
emails exercise expected expecting external extra from has have if in is it know links? mail message messages? network not of on
open opening or organi[sz]ation organi[sz]ations originated originates our outside please recipient recogni[sz]e replying reply
report responding respond s safe sender senders sent source suspicious sure system that the this to town treat trusted? unknown
unless untrusted use verified verify warning was were when with you your company city attachments? attention
"""
_FRENCH = r"""
a administration adresse au aucune? aux avant avec c ce cet cette cliquer cliquez commune confiance connaitre connaissez
connaissiez connue? contenu courriel courrier d dans d de des du e electronique en emetteur entreprise envoye envoyee est et etes
etre expediteur exterieure? externe faites fiable il inconnue? inattendue? l la le les lien liens mail email mefiez message moins
n ne ni notre organisation origine ou ouvrez ouvrir par pas piece pieces jointe jointes pour provenance provenant provient
prudence prudente?s? que qui reconnaissez reconnaissiez reseau restez s sachiez sans savez sauf si soit source soyez sur surs? un
une verifie verifiez verifier vigilante? vigilants vient ville vos votre vous attention
"""
_DUTCH = r"""
aan afkomstig afzender als bericht bijlagen? buiten de deze die dit e een email en externe? gemeente geen het herkent inhoud is
kent klik koppelingen? let links? mail met naar niet of om onbekende? onze op open openen opent organisatie stad tenzij u uw van
vertrouwt veilig verzonden verstuurd voor voorzichtig wanneer weet wees zeker ze zijn dat komt klikken bron waarschuwing
"""
_GERMAN = r"""
absender achtung adressen? an anhange anhang auf aus au?sserhalb bekannt der den dem des die das diese dieser dieses e ein einem
einer eine einen email enthaltene erkennen extern externe externen externer gemeinde gesendet hat inhalt ist keine kennen klicken
kommt links? mail nachricht nicht nur offnen oder organisation quelle sein seien sicher sie sind stadt stammt und unserer unsere
vertrauen vertrauenswurdig von vorsicht vorsichtig warnung wenn wurde
"""

#: Tags before a subject, also behind ``RE:``.
TAGS: tuple[Form, ...] = (
    Form("lists, and filters in brackets", "subject", r"\[[^\[\]]{1,40}\]", "[EXTERNE] Taxe", "[EXTERNE Taxe"),
    Form("filters in braces", "subject", r"\{[^{}]{1,30}\}", "{Spam?} Taxe", "{Spam? Taxe"),
    Form("filters in stars", "subject", r"\*{2,5}[^*]{1,30}\*{2,5}", "***SPAM*** Taxe", "*SPAM* Taxe"),
    Form("external, in parentheses", "subject", r"[(<](?:ext|externe?|external)[)>]", "(Externe) Taxe", "(Externat) Taxe"),
    Form("external, and a colon", "subject", r"(?:ext|externe?|external)\s?[:|]", "EXTERNE : Taxe", "Externes : Taxe"),
)  # fmt: skip

#: Sentences at the beginning or the end of a text: a paragraph counts that holds nothing else. The first row that matches is taken.
SENTENCES: tuple[Form, ...] = (
    Form(
        "exchange: unusual sender",
        "text",
        r"you don't often get email from [^\s]{1,254}(?: learn why this is important)?|learn why this is important|"
        r"vous n'obtenez pas souvent d'e-mail (?:a partir )?de [^\s]{1,254}(?: (?:pourquoi c'est important|decouvrez pourquoi "
        r"(?:ceci|cela|c'est|ceci est) (?:est )?important))?|pourquoi c'est important",
        "You don't often get email from paul@citizen.test. Learn why this is important",
        "You don't often get email from paul@citizen.test. Pay him",
    ),
    Form(
        "exchange: unusual sender, to some",
        "text",
        r"some people who received this message don't often get email from [^\s]{1,254}(?: learn why this is important)?|"
        r"(?:vous|certaines personnes qui ont recu ce message) ne (?:recevez|recoivent) pas souvent (?:d'e-?mails?|de courriers?|"
        r"de messages?|de courriels?) (?:de|provenant de) [^\s]{1,254}"
        r"(?: decouvrez pourquoi (?:ceci|cela) (?:est|peut etre) important)?|"
        r"decouvrez pourquoi (?:ceci|cela) (?:est|peut etre) important",
        "Vous ne recevez pas souvent de courriers de paul@citizen.test. Découvrez pourquoi cela est important",
        "Vous ne recevez pas souvent de courriers de paul@citizen.test. Payez-le",
    ),
    Form(
        "exchange: unusual sender, dutch and german",
        "text",
        r"u (?:ontvangt|krijgt) niet vaak (?:e-?mails?|berichten) van [^\s]{1,254}"
        r"(?: meer informatie over waarom dit belangrijk is)?|meer informatie over waarom dit belangrijk is|"
        r"sie erhalten nicht (?:oft|haufig) (?:eine )?e-?mails? von [^\s]{1,254}(?: erfahren sie,? warum dies wichtig ist)?|"
        r"erfahren sie,? warum dies wichtig ist",
        "U ontvangt niet vaak e-mail van paul@citizen.test. Meer informatie over waarom dit belangrijk is",
        "U ontvangt niet vaak e-mail van paul@citizen.test. Betaal hem",
    ),
    Form(
        "avast, avg",
        "text",
        r"(?:virus-?free|sans virus|garanti sans virus|virenfrei|virusvrij)[^\w]{0,3}(?:www\.)?(?:avast|avg)\.com|"
        r"l'absence de virus dans ce courrier electronique a ete verifiee par le logiciel antivirus (?:d')?(?:avast|avg)|"
        r"cet e-?mail a ete verifie par le logiciel antivirus (?:d')?(?:avast|avg)|"
        r"dit e-?mailbericht is gecontroleerd op virussen met (?:avast|avg) antivirussoftware|"
        r"diese e-?mail wurde von (?:avast|avg)[ -]antivirussoftware auf viren gepruft|"
        r"this email has been checked for viruses by (?:avast|avg)(?: antivirus)?(?: software)?|"
        r"(?:https?://)?(?:www\.)?(?:avast|avg)\.com(?:/[\w./?=&-]{0,99})?",
        "L'absence de virus dans ce courrier électronique a été vérifiée par le logiciel antivirus Avast.",
        "L'absence de virus dans ce courrier électronique sera payée.",
    ),
    Form(
        "antivirus: english",
        "text",
        r"(?:this|the) (?:message|e-?mail) (?:has been|was) (?:scanned|checked)(?: for(?:,? (?:viruses|spam|malware|and|"
        r"dangerous|content|"
        r"other|harmful|threats)){1,12})?(?: by (?:mailscanner|clamav|eset|kaspersky|sophos|symantec|mcafee|bitdefender|norton|"
        r"barracuda|fortinet|trend micro)[ \w]{0,3})?(?:,? and is believed to be clean)?|"
        r"no virus(?:es)? found(?: in this message)?|"
        r"antivirus scan: (?:nothing|ok|clean)|mailscanner",
        "This message has been scanned for viruses and dangerous content by MailScanner, and is believed to be clean.",
        "This message has been scanned for viruses and costs 500 EUR.",
    ),
    Form(
        "antivirus: french",
        "text",
        r"analyse (?:anti-?virus|anti-?spam) ?: (?:rien|ok|aucune menace(?: detectee)?|aucun virus(?: trouve| detecte)?|"
        r"message sain)|"
        r"ce(?:t|tte)? (?:message|e-?mail|courriel|mail) a ete (?:verifie|analyse|controle|scanne)e?(?: par (?:un|le|notre)"
        r"(?: logiciel| programme| service)? ?(?:anti-?virus|anti-?spam)(?: (?:eset|kaspersky|sophos|bitdefender|norton|"
        r"clamav|mcafee))?)?"
        r"(?: et ne contient (?:pas de|aucun) virus(?: connu)?)?|aucun virus (?:trouve|detecte)(?: dans ce (?:message|"
        r"courriel|mail))?",
        "Analyse antivirus : rien.",
        "Analyse antivirus : rien, sauf la facture.",
    ),
    Form(
        "signature of a phone",
        "text",
        r"(?:envoye (?:depuis|de|a partir d[e']|avec) ?(?:mon|un)|sent from my|(?:verzonden|verstuurd) (?:vanaf|met|vanuit) mijn|"
        r"(?:gesendet )?von meinem) "
        r"(?:(?:iphone|ipad|android|smartphone|telephone|mobile|handy|telefoon|appareil|apparaat|toestel|device|samsung|galaxy)"
        r"(?:[ -](?=\w))?){1,3}(?:gesendet)?",
        "Envoyé de mon iPhone",
        "Envoyé de mon bureau",
    ),
    Form(
        "signature of a program",
        "text",
        r"(?:(?:envoye|sent|verzonden|verstuurd|gesendet|provenance ?:|telecharge[rz]|obtenir|obtenez|get|download)"
        r" (?:a partir de |depuis |de |from |via |vanuit |vanaf |avec |with |met |von |mit |aus )?)?"
        r"(?:outlook|yahoo mail|courrier|mail|gmail)"
        r" (?:pour|for|voor|fur|sur|on) (?:(?:ios|android|mac|iphone|ipad|windows)(?: (?:10|11))?)"
        r"(?: (?:downloaden|herunterladen))?"
        r"|(?:envoye|sent|verzonden|gesendet) (?:avec|with|met|mit|from|depuis|vanuit) (?:la messagerie securisee )?"
        r"(?:proton ?mail|bluemail)(?: secure email)?",
        "Obtenir Outlook pour iOS",
        "Courrier pour la commune",
    ),
    Form(
        "antivirus: dutch, german",
        "text",
        r"(?:dit bericht|deze e-?mail) (?:is|werd) (?:gescand|gecontroleerd) op virussen|"
        r"diese (?:e-?mail|nachricht) wurde (?:auf viren|von einem virenscanner) (?:gepruft|uberpruft)",
        "Dit bericht is gescand op virussen.",
        "Dit bericht is gescand op het gemeentehuis.",
    ),
    Form(
        "mailman",
        "text",
        r"[\w.-]{1,60} mailing list(?: -- [^\s]{1,254})?|liste(?: de diffusion)? [\w.-]{1,60}(?: -- [^\s]{1,254})?|"
        r"[\w.+-]{1,64}@[\w.-]{1,190}|https?://[^\s]{1,190}/(?:mailman/)?listinfo/[\w.-]{1,60}|"
        r"to unsubscribe send an e-?mail to [\w.+-]{1,64}-leave@[\w.-]{1,190}|"
        r"pour (?:vous|se) desabonner,? envoyez un (?:e-?mail|courriel|message) a [\w.+-]{1,64}-leave@[\w.-]{1,190}",
        "Conseil mailing list -- conseil@lists.maville.test",
        "Conseil mailing list -- à payer",
    ),
    Form(
        "google groups",
        "text",
        r"you received this message because you are subscribed to the google groups \"[^\"]{1,80}\" group|"
        r"to unsubscribe from this group and stop receiving emails from it, send an email to [^\s]{1,254}|"
        r"to view this discussion(?: on the web)?,? visit https://groups\.google\.com/[^\s]{1,400}|"
        r"vous recevez ce message,? car vous etes abonne au groupe google groupes \"[^\"]{1,80}\"|"
        r"pour vous desabonner de ce groupe et ne plus recevoir d'e-mails le concernant, "
        r"envoyez un e-mail a l'adresse [^\s]{1,254}|pour vous desabonner de ce groupe,? envoyez un e-mail a [^\s]{1,254}",
        'You received this message because you are subscribed to the Google Groups "Info" group.',
        'You received this message because you are subscribed to the Google Groups "Info" course.',
    ),
    Form(
        "sympa, and others",
        "text",
        r"(?:pour se desinscrire de (?:cette|la) liste|to unsubscribe from (?:this|the) list|se desabonner|unsubscribe) ?:? "
        r"(?:<?https?://[^\s]{1,400}|<?mailto:[^\s]{1,254}|[\w.+-]{1,64}@[\w.-]{1,190})",
        "Pour se désinscrire de cette liste : https://lists.maville.test/sigrequest/info",
        "Pour se désinscrire de cette liste : payer demain",
    ),
    Form(
        "external: english",
        "text",
        _sentence(
            r"caution|warning|attention|external|(?:this|the) (?:message|e-?mail) (?:is|was|has|came|comes|"
            r"originate[sd]) (?:been |sent )?"
            r"(?:from|external|outside)|(?:do not|don't) (?:click|open)|(?:be careful|be cautious|exercise caution|use caution)",
            _ENGLISH,
        ),
        "CAUTION: This email originated from outside of the organization. Do not click links or open attachments unless you "
        "recognize the sender and know the content is safe.",
        "CAUTION: This email originated from outside of the organization. Pay to BE68 5390 0754 7034.",
    ),
    Form(
        "external: french",
        "text",
        _sentence(
            r"attention|avertissement|prudence|mefiance|(?:e-?mail|mail|message|courriel|expediteur) externe|"
            r"ce(?:t|tte)? (?:message|e-?mail|courriel|mail) (?:est|provient|vient|a ete)"
            r"(?: envoyee? par une personne (?:exterieure|externe))?|ne cliquez pas|n'ouvrez pas|merci de ne pas cliquer|"
            r"(?:soyez|restez) (?:prudente?s?|vigilante?s?)",
            _FRENCH,
        ),
        "ATTENTION : message externe.",
        "ATTENTION : message externe, à payer demain.",
    ),
    Form(
        "external: dutch",
        "text",
        _sentence(
            r"let op|opgelet|waarschuwing|externe? (?:e-?mail|bericht|afzender)|(?:deze e-?mail|dit bericht|"
            r"deze mail) (?:is|komt|werd)|"
            r"klik niet|open geen|wees voorzichtig",
            _DUTCH,
        ),
        "LET OP: deze e-mail is afkomstig van buiten de organisatie. Klik niet op links tenzij u de afzender kent.",
        "LET OP: deze e-mail is morgen te betalen.",
    ),
    Form(
        "external: german",
        "text",
        _sentence(
            r"achtung|vorsicht|warnung|externe (?:e-?mail|nachricht)|diese (?:e-?mail|nachricht) (?:ist|kommt|stammt|wurde)|"
            r"klicken sie nicht|seien sie vorsichtig",
            _GERMAN,
        ),
        "ACHTUNG: Diese E-Mail kommt von einem externen Absender. Klicken Sie nicht auf Links.",
        "ACHTUNG: Diese E-Mail ist morgen zu bezahlen.",
    ),
    Form(
        "tag: external",
        "text",
        r"ext|externe?|external|extern e-?mail|external e-?mail|e-?mail externe",
        "[EXTERNE]",
        "[EXTERNE 2]",
    ),
)  # fmt: skip

REWRITERS: tuple[Rewriter, ...] = (
    Rewriter(
        "exchange online (safelinks)",
        r"https?://[\w.-]*safelinks\.protection\.(?:outlook\.com|office365\.us)/[^?]*\?(?:[^#]*?&)?url=(?P<url>[^&#]+).*",
        "percent",
        "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fimpots.example%2Ff%3Fid%3D1&data=05&reserved=0",
        "https://safelinks.example/?url=https%3A%2F%2Fimpots.example%2Ff%3Fid%3D1",
    ),
    Rewriter(
        "proofpoint (url defense 3)",
        r"https?://urldefense\.(?:com|us)/v3/__(?P<url>.+?)__;(?P<stars>[\w-]*)!.*",
        "stars",
        "https://urldefense.com/v3/__https://impots.example/f?id=1__;!!AbCd!xyz$",
        "https://urldefense.example/v3/__https://impots.example/f?id=1__;!!AbCd!xyz$",
    ),
    Rewriter(
        "proofpoint (url defense 2)",
        r"https?://urldefense\.(?:proofpoint\.)?com/v2/url\?(?:.*?&)?u=(?P<url>[^&#]+).*",
        "dashes",
        "https://urldefense.proofpoint.com/v2/url?u=https-3A__impots.example_f-3Fid-3D1&d=DwMF&c=x",
        "https://urldefense.proofpoint.com.example/v2/url?u=https-3A__impots.example_f-3Fid-3D1",
    ),
    Rewriter(
        "proofpoint (url defense 1)",
        r"https?://urldefense\.(?:proofpoint\.)?com/v1/url\?(?:.*?&)?u=(?P<url>[^&#]+).*",
        "percent",
        "https://urldefense.proofpoint.com/v1/url?u=https%3A%2F%2Fimpots.example%2Ff%3Fid%3D1&k=x",
        "https://urldefense.proofpoint.com/v4/url?u=https%3A%2F%2Fimpots.example%2Ff%3Fid%3D1",
    ),
    Rewriter(
        "barracuda",
        r"https?://linkprotect\.cudasvc\.com/url\?(?:.*?&)?a=(?P<url>[^&#]+).*",
        "percent",
        "https://linkprotect.cudasvc.com/url?a=https%3a%2f%2fimpots.example%2ff%3fid%3d1&c=E,1,x&typo=1",
        "https://linkprotect.example/url?a=https%3a%2f%2fimpots.example%2ff%3fid%3d1",
    ),
    Rewriter(
        "cisco",
        r"https?://secure-web\.cisco\.com/[\w-]+/(?P<url>https?%3A.+)",
        "percent",
        "https://secure-web.cisco.com/1AbC-x/https%3A%2F%2Fimpots.example%2Ff%3Fid%3D1",
        "https://secure-web.example/1AbC-x/https%3A%2F%2Fimpots.example%2Ff%3Fid%3D1",
    ),
    Rewriter(
        "sophos",
        r"https?://[\w.-]+\.protection\.sophos\.com/?\?(?:.*?&)?u=(?P<url>[\w=%+/-]+).*",
        "base64",
        "https://eu-central-1.protection.sophos.com/?d=impots.example&u=aHR0cHM6Ly9pbXBvdHMuZXhhbXBsZS9mP2lkPTE=&p=m",
        "https://protection.sophos.example/?u=aHR0cHM6Ly9pbXBvdHMuZXhhbXBsZS9mP2lkPTE=",
    ),
    Rewriter(
        "trend micro",
        r"https?://[\w.-]+\.trendmicro\.com(?::443)?/wis/clicktime/v\d/(?:query|clickresult)?/?\?(?:.*?&)?url=(?P<url>[^&#]+).*",
        "percent",
        "https://eu1.imp.trendmicro.com/wis/clicktime/v1/query?url=https%3a%2f%2fimpots.example%2ff%3fid%3d1&umid=x",
        "https://trendmicro.example/wis/clicktime/v1/query?url=https%3a%2f%2fimpots.example%2ff%3fid%3d1",
    ),
    Rewriter(
        "fireeye, trellix",
        r"https?://protect\d?\.fireeye\.com/(?:v1/)?(?:url|link)\?(?:.*?&)?u=(?P<url>https?(?::|%3A).+)",
        "percent",
        "https://protect2.fireeye.com/v1/url?k=x&q=1&e=y&u=https%3A%2F%2Fimpots.example%2Ff%3Fid%3D1",
        "https://protect2.fireeye.example/v1/url?k=x&u=https%3A%2F%2Fimpots.example%2Ff%3Fid%3D1",
    ),
    Rewriter(
        "symantec",
        r"https?://clicktime\.symantec\.com/.*?[?&]u=(?P<url>[^&#]+).*",
        "percent",
        "https://clicktime.symantec.com/3AbC/7V?u=https%3A%2F%2Fimpots.example%2Ff%3Fid%3D1",
        "https://clicktime.example/3AbC/7V?u=https%3A%2F%2Fimpots.example%2Ff%3Fid%3D1",
    ),
    Rewriter(
        "check point",
        r"https?://(?:protect\.checkpoint\.com|url\.avanan\.click)/v2/___(?P<url>.+?)___\..*",
        "percent",
        "https://protect.checkpoint.com/v2/___https://impots.example/f?id=1___.YzJl",
        "https://protect.checkpoint.example/v2/___https://impots.example/f?id=1___.YzJl",
    ),
    Rewriter(
        "mailinblack",
        r"https?://[\w.-]+\.mailinblack\.com/securelink/?\?(?:.*?&)?url=(?P<url>[^&#]+).*",
        "percent",
        "https://mibc-fr-07.mailinblack.com/securelink/?key=x&url=https%3A%2F%2Fimpots.example%2Ff%3Fid%3D1",
        "https://mailinblack.example/securelink/?url=https%3A%2F%2Fimpots.example%2Ff%3Fid%3D1",
    ),
    Rewriter(
        "vade",
        r"https?://antiphishing\.vadesecure\.com/v\d/?\?(?:.*?&)?u=(?P<url>[^&#]+).*",
        "percent",
        "https://antiphishing.vadesecure.com/v4?f=x&i=y&k=z&r=w&s=q&u=https%3A%2F%2Fimpots.example%2Ff%3Fid%3D1",
        "https://antiphishing.vadesecure.example/v4?f=x&u=https%3A%2F%2Fimpots.example%2Ff%3Fid%3D1",
    ),
    Rewriter(
        "libraesva",
        r"https?://urlsand\.esvalabs\.com/?\?(?:.*?&)?u=(?P<url>[^&#]+).*",
        "percent",
        "https://urlsand.esvalabs.com/?u=https%3A%2F%2Fimpots.example%2Ff%3Fid%3D1&e=x&h=y&f=y&p=y",
        "https://urlsand.example/?u=https%3A%2F%2Fimpots.example%2Ff%3Fid%3D1",
    ),
    Rewriter(
        "ionos, gmx",
        r"https?://deref-(?:mail\.com|gmx\.(?:net|com|fr)|web\.de)/mail/client/[\w-]+/dereferrer/?\?(?:.*?&)?redirectUrl=(?P<url>[^&#]+).*",
        "percent",
        "https://deref-mail.com/mail/client/AbC-x/dereferrer/?redirectUrl=https%3A%2F%2Fimpots.example%2Ff%3Fid%3D1",
        "https://deref-mail.example/mail/client/x/dereferrer/?redirectUrl=https%3A%2F%2Fimpots.example%2Ff%3Fid%3D1",
    ),
    Rewriter(
        "google",
        r"https?://www\.google\.com/url\?(?:.*?&)?q=(?P<url>[^&#]+).*",
        "percent",
        "https://www.google.com/url?q=https://impots.example/f?id%3D1&source=gmail&ust=1&usg=x",
        "https://www.google.example/url?q=https://impots.example/f?id%3D1",
    ),
)  # fmt: skip
