"""The table of automatic answers: fields that only they have, and subjects that as a whole say that nobody wrote the message.

A new provider or language is one more row. ``where`` is the field, whose whole value must match, or ``subject``: there the wording
must be all of the subject, but for what ``TAILS`` allow after it, which is usually the subject of the message that is answered.
"""

from imio.mailbridge.message.syntax.form import Form


#: A value that says yes, whatever its words are.
_SET = r"(?!(?:no|false|0|none)?\s*$).*"

FIELDS: tuple[Form, ...] = (
    Form("rfc 3834", "auto-submitted", r"auto-replied.*", "Auto-Replied (vacation); x=y", "auto-generated"),
    Form("autoreply", "x-autoreply", _SET, "yes", "no"),
    Form("autorespond", "x-autorespond", _SET, "Permis", "false"),
    Form("autoresponder", "x-autoresponder", _SET, "vacation", "0"),
    Form("auto-reply-from", "x-auto-reply-from", _SET, "jeanne@citizen.test", "none"),
    Form("autoreply-from", "x-autoreply-from", _SET, "jeanne@citizen.test", ""),
    Form("mail-autoreply", "x-mail-autoreply", _SET, "1", "No"),
    Form("vacation", "x-vacation", _SET, "true", "false"),
    Form("apple", "x-apple-action", r"vacation.*", "VACATION", "MOVE_TO_FOLDER"),
    Form("precedence", "precedence", r"auto[_-]reply", "auto_reply", "bulk"),
    Form(
        "qmail autoresponder", "delivered-to", r"autoresponder", "Autoresponder", "autoresponder@citizen.test"
    ),
)

SUBJECTS: tuple[Form, ...] = (
    Form(
        "english: automatic reply",
        "subject",
        r"auto(?:matic|mated|-)?[ -]?(?:reply|response)|autoreply",
        "Auto reply: Permis",
        "Automatic reply form for the library",
    ),
    Form(
        "english: out of office",
        "subject",
        r"(?:auto:? )?(?:[^:]{1,60} (?:is|am|will be) |i'm )?(?:currently )?(?:out[ -]of[ -](?:(?:the|my)[ -])?office"
        r"|ooo)(?:[ :-]+(?:auto-?(?:reply|response)|notification|message))?",
        "AUTO: Ann Example is out of the office (returning 7/12)",
        "Out of office space to rent",
    ),
    Form(
        "english: on leave",
        "subject",
        r"(?:i am |i'm |currently )?(?:on (?:annual |parental |maternity )?leave|on (?:vacation|holidays?)|away)"
        r"|vacation(?: (?:(?:auto-?)?reply|message|notice))?|holiday (?:reply|message|notice)",
        "On leave until 7 December",
        "Vacation request for the hall",
    ),
    Form(
        "french: réponse automatique",
        "subject",
        r"(?:réponse|message|répondeur) auto(?:mati(?:que|sée?))?(?: d'absence)?",
        "Réponse automatique : Permis",
        "Réponse automatique du formulaire de l’école",
    ),
    Form(
        "french: absence du bureau",
        "subject",
        r"(?:auto ?: [^:]{1,60} est |je suis |actuellement )?(?:absen(?:ce|te?|t\(e\)) (?:du|de mon) bureau|hors (?:du )?bureau)"
        r"|(?:avis|message|notification|réponse) (?:d'absence|de vacances|de congés?)(?: du bureau)?",
        "Absence du bureau : Permis",
        "Absence du bureau de vote à la salle",
    ),
    Form(
        "french: absent",
        "subject-alone",
        r"(?:je suis )?(?:actuellement )?(?:absences?|absente?|absent\(e\)|indisponible"
        r"|en (?:congés?|vacances)(?: de maternité| parental| annuels?)?)",
        "Absente jusqu’au 7 décembre",
        "Absence de ma fille vendredi",
    ),
    Form(
        "dutch: automatisch antwoord",
        "subject",
        r"automatische? (?:antwoord|beantwoording|bericht)|auto(?:-| )?antwoord",
        "Automatisch antwoord: Vergunning",
        "Automatisch antwoordapparaat kapot",
    ),
    Form(
        "dutch: afwezig",
        "subject",
        r"(?:auto ?: [^:]{1,60} is |ik ben )?(?:tijdelijk |momenteel )?(?:afwezig|niet aanwezig|niet op kantoor|buiten kantoor)"
        r"|afwezigheids(?:bericht|melding|assistent)|(?:bericht van )?afwezigheid",
        "Afwezig: Vergunning",
        "Afwezig kind op school melden",
    ),
    Form(
        "dutch: met verlof",
        "subject-alone",
        r"(?:ik ben )?(?:momenteel )?(?:(?:met|op) (?:verlof|vakantie)|verlof|niet beschikbaar)",
        "Met verlof tot 7 december",
        "Op vakantie: toezicht op mijn woning",
    ),
    Form(
        "german: automatische antwort",
        "subject",
        r"automatische (?:antwort|antwortmail|e-?mail-antwort|beantwortung|rückmeldung)|auto-?antwort",
        "Automatische Antwort: Antrag",
        "Automatische Antwortfunktion im Formular",
    ),
    Form(
        "german: abwesend",
        "subject",
        r"(?:auto ?: [^:]{1,60} ist |ich bin )?(?:derzeit |zurzeit |zur zeit |momentan )?(?:abwesend|nicht im (?:büro|haus)"
        r"|außer haus|im urlaub)|(?:automatische )?abwesenheits(?:notiz|meldung|nachricht|assistent|agent|benachrichtigung)"
        r"|abwesenheit",
        "Abwesenheitsnotiz: Antrag",
        "Abwesenheit meiner Tochter am Freitag",
    ),
    Form(
        "italian",
        "subject",
        r"risposta automatica|(?:sono )?(?:fuori (?:dall')?(?:ufficio|sede)|assente(?: dall'ufficio)?)"
        r"|(?:messaggio di |avviso di )?assenza(?: dall'ufficio)?|in ferie",
        "Fuori sede: permesso",
        "Assenza di mia figlia venerdì",
    ),
    Form(
        "spanish",
        "subject",
        r"(?:respuesta|contestación|contesta) automática|(?:estoy )?fuera de (?:la |mi )?oficina"
        r"|(?:mensaje de |aviso de )?ausencia(?: de (?:la )?oficina)?|de vacaciones",
        "Respuesta automática: permiso",
        "Ausencia de mi hija el viernes",
    ),
    Form(
        "portuguese",
        "subject",
        r"resposta automática|(?:estou )?(?:fora do escritório|ausente(?: do escritório)?)"
        r"|(?:mensagem de |aviso de )?ausência(?: temporária| do escritório)?|de férias",
        "Ausência temporária: licença",
        "Ausência da minha filha na sexta",
    ),
    Form(
        "polish",
        "subject",
        r"(?:odpowiedź automatyczna|automatyczna odpowiedź|autoodpowiedź|autoresponder)"
        r"|(?:jestem )?(?:poza biurem|nieobecn[ya] w (?:biurze|pracy))|nieobecność(?: w (?:biurze|pracy))?"
        r"|na urlopie",
        "Odpowiedź automatyczna: pozwolenie",
        "Nieobecność córki w piątek",
    ),
    Form(
        "romanian",
        "subject",
        r"răspuns automat|(?:sunt )?(?:în afara biroului|plecată? din birou|absentă?(?: din birou)?)"
        r"|(?:mesaj de )?absență(?: din birou)?|în concediu",
        "Răspuns automat: autorizație",
        "Absența fiicei mele vineri",
    ),
    Form(
        "turkish",
        "subject",
        r"otomatik (?:yan[ıi]t|cevap)|(?:ofis|i[sş]yeri) d[ıi][sş][ıi]nda(?:y[ıi]m)?|iz(?:in|n)de(?:yim)?",
        "Otomatik yanıt: ruhsat",
        "Otomatik yanıt veren kapı",
    ),
    Form(
        "arabic",
        "subject",
        r"(?:ال)?رد (?:ال)?(?:تلقائي|آلي)|(?:أنا )?خارج المكتب|في إجازة",
        "رد تلقائي: رخصة",
        "رد تلقائي من آلة البلدية",
    ),
    Form(
        "ukrainian",
        "subject",
        r"автоматична відповідь|автовідповідь|(?:я )?(?:поза офісом|не в офісі|відсутн(?:ій|я)(?: в офісі"
        r"| на роботі)?)|у відпустці",
        "Автоматична відповідь: дозвіл",
        "Автоматична відповідь банкомата не працює",
    ),
    Form(
        "bulgarian",
        "subject",
        r"автоматичен отговор|(?:аз съм )?извън (?:офиса|службата)|(?:отсъствие|отсъствам) от (?:офиса"
        r"|работа)|в отпуск",
        "Автоматичен отговор: разрешително",
        "Отсъствие на дъщеря ми в петък",
    ),
    Form(
        "russian",
        "subject",
        r"автоматический ответ|автоответ(?:чик)?|(?:я )?(?:вне офиса|нет на месте)|(?:я )?в отпуске",
        "Автоматический ответ: разрешение",
        "Автоматический ответ банкомата неверен",
    ),
    Form(
        "swedish",
        "subject",
        r"automatiskt svar|autosvar|(?:jag är )?(?:frånvarande|inte på kontoret)|frånvaro(?:meddelande)?",
        "Automatiskt svar: tillstånd",
        "Frånvaro i skolan på fredag",
    ),
    Form(
        "danish, norwegian",
        "subject",
        r"automatisk svar|autosvar|(?:jeg er )?(?:ikke (?:til stede|på kontoret)|fraværende)|fravær(?:smelding|sbesked)?",
        "Automatisk svar: tilladelse",
        "Fravær i skolen på fredag",
    ),
    Form(
        "finnish",
        "subject",
        r"automaattinen vastaus|(?:olen )?(?:poissa(?: toimistosta)?|lomalla)|poissaoloilmoitus",
        "Automaattinen vastaus: lupa",
        "Poissaolo koulusta perjantaina",
    ),
    Form(
        "czech",
        "subject",
        r"automatická odpověď|(?:jsem )?mimo (?:kancelář|pracoviště)|nepřítomnost(?: v kanceláři)?",
        "Automatická odpověď: povolení",
        "Nepřítomnost dcery v pátek",
    ),
    Form(
        "hungarian",
        "subject",
        r"automatikus válasz|(?:irodán|házon) kívül(?: vagyok)?|szabadságon(?: vagyok)?",
        "Automatikus válasz: engedély",
        "Automatikus válaszgép hibája",
    ),
    Form(
        "greek",
        "subject",
        r"αυτόματη απάντηση|(?:είμαι )?εκτός γραφείου|(?:μήνυμα )?απουσίας?(?: από το γραφείο)?",
        "Αυτόματη απάντηση: άδεια",
        "Απουσία της κόρης μου την Παρασκευή",
    ),
)

#: What may follow a wording of ``subject``: another subject, a remark in brackets.
TAILS = r"[\s.!]*(?:[:：|–—]|\s-\s|\s[(\[]|\s(?:re|tr|fwd?|aw|antw)\s?:).*"
#: What may follow every wording: until when. A colon after it begins what a person has to say.
UNTIL = (
    r"[\s,:–-]+(?:(?:until|till|from|back|jusqu'|du \d|à partir du|de retour|retour|tot|t/m|vanaf|terug|van \d|bis|vom|ab|zurück"
    r"|fino|dal|hasta|del|até|desde|do dia|do \d|od|până|de la|حتى|до|з|от|till och med|til|asti|do|-ig|έως|μέχρι)\b"
    r"(?:(?!\s?:\s).){0,80}"
    r"|pour le moment|en ce moment|momenteel|op dit moment|zurzeit|derzeit|at the moment)"
)
#: What may follow every wording too: the whole subject that is answered.
ANSWERED = r"\s*[:：|–—-]\s*(?:re|tr|fwd?|aw|antw|rép)\s?:.*"
