"""The words of forwards as text, by language, and the forms of the programs that write them. Data only: a language is a row.

Words are compared as ``fold`` leaves them: case, accents and invisible marks do not count.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Language:
    """What mail programs write in one language; ``;`` stands between words of one kind.

    ``labels`` holds the labels of the header block by field, ``prefixes`` and ``replies`` what stands before the subject of a
    forward and of a reply. ``markers`` announce a forward, between dashes or before a colon; where one ends in ``{}`` a name
    follows. ``originals`` stand between dashes above the original in replies too. ``wrote`` is the line above a quote: ``{}``
    stands for any name, address or date.
    """

    code: str
    name: str
    labels: dict[str, str]
    prefixes: str
    replies: str
    markers: tuple[str, ...]
    originals: tuple[str, ...]
    wrote: tuple[str, ...]


def _labels(from_: str, date: str, to: str, subject: str, cc: str = "Cc") -> dict[str, str]:
    return {"from": from_, "date": date, "to": to, "subject": subject, "cc": cc}


LANGUAGES = (
    Language(
        "en", "English",
        _labels("From;Sender", "Date;Sent", "To;Recipient", "Subject", "Cc;Bcc"),
        "fwd;fw;fwrd;forwarded", "re",
        ("forwarded message", "begin forwarded message", "start of forwarded message", "forwarded by {}"),
        ("original message", "original appointment", "original mail"),
        ("{} wrote", "{} wrote on {}"),
    ),
    Language(
        "fr", "French",
        _labels("De;Expéditeur", "Date;Envoyé;Envoyée;Envoyé le;Envoyé à;Date d'envoi", "À;Pour;Destinataire;Destinataires",
                "Objet;Sujet",
                "Cc;Cci;Copie;Copie à"),
        "tr;trans;transf", "re;rép",
        ("message transféré", "mail transféré", "courriel transféré", "message transmis", "message réexpédié", "courriel réexpédié",
         "début du message réexpédié", "début du message transféré", "début du courriel transféré", "début du courriel réexpédié",
         "transféré par {}", "réacheminé par {}"),
        ("message d'origine", "message original", "message initial", "mail original", "courriel original"),
        ("{} a écrit", "{} écrivait", "{} a écrit le {}"),
    ),
    Language(
        "nl", "Dutch",
        _labels("Van;Afzender", "Datum;Verzonden;Verzonden op;Verstuurd", "Aan;Ontvanger", "Onderwerp", "Cc;Kopie"),
        "doorst;doorgest;doorgestuurd", "antw;antwoord;betr",
        ("doorgestuurd bericht", "doorgestuurde e-mail", "doorgestuurde mail", "doorgestuurd e-mailbericht",
         "begin doorgestuurd bericht",
         "doorgestuurd door {}"),
        ("oorspronkelijk bericht", "oorspronkelijke bericht", "oorspronkelijke e-mail", "origineel bericht"),
        ("op {} schreef {}", "{} schreef", "{} schreef op {}", "op {} geschreven"),
    ),
    Language(
        "de", "German",
        _labels("Von;Absender", "Datum;Gesendet;Gesendet am", "An;Empfänger", "Betreff", "Cc;Kopie"),
        "wg;wtrlt", "aw;antwort",
        ("weitergeleitete nachricht", "weitergeleitete e-mail", "weitergeleitete mail", "anfang der weitergeleiteten nachricht",
         "anfang der weitergeleiteten e-mail", "weitergeleitet von {}"),
        ("ursprüngliche nachricht", "ursprüngliche e-mail", "originalnachricht", "original-nachricht"),
        ("am {} schrieb {}", "{} schrieb", "{} hat am {} geschrieben", "{} schrieb am {}"),
    ),
    Language(
        "es", "Spanish",
        _labels("De;Remitente", "Fecha;Enviado;Enviado el;Enviada", "Para;Destinatario", "Asunto", "Cc;Cco;Copia"),
        "rv;reenv", "re",
        ("mensaje reenviado", "correo reenviado", "inicio del mensaje reenviado", "reenviado por {}"),
        ("mensaje original",),
        ("{} escribió", "{} escribió el {}"),
    ),
    Language(
        "it", "Italian",
        _labels("Da;Mittente", "Data;Inviato;Inviato il;Inviata", "A;Per;Destinatario", "Oggetto", "Cc;Ccn"),
        "i;inoltro", "r;rif",
        ("messaggio inoltrato", "inizio messaggio inoltrato", "inizio del messaggio inoltrato", "inoltrato da {}"),
        ("messaggio originale",),
        ("{} ha scritto",),
    ),
    Language(
        "pt", "Portuguese",
        _labels("De;Remetente", "Data;Enviado;Enviada;Enviada em;Enviado em;Enviados", "Para;Destinatário", "Assunto",
                "Cc;Cco;Cópia"),
        "enc;tf;reenc", "res",
        ("mensagem encaminhada", "mensagem reencaminhada", "início da mensagem encaminhada", "início da mensagem reencaminhada",
         "a iniciar mensagem reencaminhada", "a iniciar mensagem encaminhada", "encaminhado por {}", "reenviado por {}"),
        ("mensagem original",),
        ("{} escreveu", "{} escreveu ({})"),
    ),
    Language(
        "pl", "Polish",
        _labels("Od;Nadawca", "Data;Wysłano;Wysłane;Wysłana", "Do;Adresat;Odbiorca", "Temat", "DW;UDW;Kopia"),
        "pd", "odp",
        ("przekazana wiadomość", "wiadomość przekazana", "przesłana dalej wiadomość", "treść przekazanej wiadomości",
         "początek przekazanej wiadomości", "początek przekazywanej wiadomości", "wiadomość przekazana dalej",
         "przekazane przez {}"),
        ("wiadomość oryginalna", "oryginalna wiadomość"),
        ("w dniu {} pisze", "{} napisał(a)", "{} napisał", "wiadomość napisana przez {}"),
    ),
    Language(
        "ro", "Romanian",
        _labels("De la;Expeditor", "Dată;Data;Trimis;Trimisă;Trimis la", "Către;La;Destinatar", "Subiect", "Cc;Copie"),
        "redir", "răspuns",
        ("mesaj redirecționat", "mesaj transmis", "mesaj înaintat", "mesaj retrimis", "începutul mesajului redirecționat",
         "început mesaj redirecționat", "redirecționat de {}"),
        ("mesaj original", "mesajul original"),
        ("{} a scris",),
    ),
    Language(
        "tr", "Turkish",
        _labels("Gönderen;Kimden", "Tarih;Gönderildi;Gönderme tarihi;Gönderim tarihi;Gönderilme tarihi", "Kime;Alıcı", "Konu",
                "Bilgi;Cc"),
        "ilt", "ynt;yanıt",
        ("iletilen mesaj", "iletilmiş mesaj", "yönlendirilmiş ileti", "yönlendirilen mesaj",
         "yönlendirilmiş mesaj", "iletilen ileti", "iletilen mesajın başlangıcı"),
        ("özgün ileti", "orijinal mesaj", "orijinal ileti", "asıl mesaj"),
        ("{} yazdı",),
    ),
    Language(
        "ar", "Arabic",
        _labels("من;المرسل", "التاريخ;تاريخ;تاريخ الإرسال;تم الإرسال;أرسل;أُرسلت", "إلى;الى;المستلم", "الموضوع;الموضع",
                "نسخة;نسخة إلى;Cc"),
        "إعادة توجيه;إعادة-توجيه;تحويل", "رد;الرد",
        ("رسالة معاد توجيهها", "الرسالة المعاد توجيهها", "رسالة مُعاد توجيهها", "رسالة محولة", "رسالة تم تحويلها",
         "بداية الرسالة المعاد توجيهها",
         "بداية رسالة معاد توجيهها", "بدء الرسالة المعاد توجيهها"),
        ("الرسالة الأصلية", "رسالة أصلية"),
        ("في {} كتب {}", "{} كتب", "كتب {}", "في {} تمت كتابة ما يلي بواسطة {}", "بتاريخ {} كتب {}"),
    ),
    Language(
        "uk", "Ukrainian",
        _labels("Від;Відправник", "Дата;Надіслано;Відправлено", "Кому;До;Отримувач", "Тема", "Копія;Cc"),
        "пер;переслати", "відп;на",
        ("переслане повідомлення", "перенаправлене повідомлення", "переадресоване повідомлення", "пересланий лист",
         "початок переадресованого повідомлення", "початок листа, що пересилається", "початок пересланого повідомлення",
         "переслано {}"),
        ("вихідне повідомлення", "оригінальне повідомлення", "початкове повідомлення"),
        ("{} пише", "{} написав", "{} написала", "{} написав(-ла)", "{} пише(-те)"),
    ),
    Language(
        "bg", "Bulgarian",
        _labels("От;Подател", "Дата;Изпратено", "До;Получател", "Относно;Тема", "Копие;Cc"),
        "пр;препр", "отг;отн",
        ("препратено съобщение", "препратено писмо", "начало на препратеното съобщение", "начало на препратено съобщение",
         "препратено от {}"),
        ("оригинално съобщение", "първоначално съобщение"),
        ("{} написа", "{} пише"),
    ),
    Language(
        "ru", "Russian",
        _labels("От;От кого;Отправитель", "Дата;Отправлено", "Кому;Получатель", "Тема", "Копия;Cc"),
        "пересл", "отв",
        ("пересылаемое сообщение", "пересланное сообщение", "перенаправленное сообщение", "переадресованное сообщение",
         "начало переадресованного сообщения", "начало пересылаемого сообщения", "переслано {}"),
        ("исходное сообщение", "оригинальное сообщение"),
        ("{} пишет", "{} написал", "{} написал(а)", "{} написала"),
    ),
    Language(
        "sv", "Swedish",
        _labels("Från;Avsändare", "Datum;Skickat;Skickades", "Till;Mottagare", "Ämne", "Kopia;Cc"),
        "vb;vidarebefordrat", "sv",
        ("vidarebefordrat meddelande", "vidarebefordrat mail", "vidarebefordrat brev", "början på vidarebefordrat meddelande",
         "vidarebefordrat av {}"),
        ("ursprungligt meddelande", "originalmeddelande"),
        ("den {} skrev {}", "{} skrev"),
    ),
    Language(
        "da", "Danish",
        _labels("Fra;Afsender", "Dato;Sendt", "Til;Modtager", "Emne", "Kopi;Cc"),
        "vs", "sv",
        ("videresendt meddelelse", "videresendt besked", "videresendt mail", "start på videresendt besked",
         "start på videresendt meddelelse",
         "videresendt af {}"),
        ("oprindelig meddelelse", "original meddelelse", "oprindelig besked"),
        ("den {} skrev {}", "{} skrev"),
    ),
    Language(
        "nb", "Norwegian",
        _labels("Fra;Avsender", "Dato;Sendt", "Til;Mottaker", "Emne", "Kopi;Cc"),
        "vs", "sv",
        ("videresendt melding", "videresendt e-post", "start på videresendt melding", "videresendt av {}"),
        ("opprinnelig melding",),
        ("{} kl. {} skrev {}", "{} skrev"),
    ),
    Language(
        "fi", "Finnish",
        _labels("Lähettäjä", "Päivä;Päivämäärä;Lähetetty;Päiväys", "Vastaanottaja", "Aihe", "Kopio;Cc"),
        "vl", "re",
        ("välitetty viesti", "edelleenlähetetty viesti", "välitetty viesti alkaa", "edelleenlähetetty viesti alkaa"),
        ("alkuperäinen viesti",),
        ("{} kirjoitti", "{} kirjoitti {}"),
    ),
    Language(
        "cs", "Czech",
        _labels("Od;Odesílatel", "Datum;Odesláno", "Komu;Příjemce", "Předmět", "Kopie;Cc"),
        "přep", "odp",
        ("přeposlaná zpráva", "předaná zpráva", "začátek přeposílané zprávy", "začátek přeposlané zprávy", "přeposlal(a) {}"),
        ("původní zpráva", "původní e-mail"),
        ("{} napsal(a)", "{} napsal", "{} napsala"),
    ),
    Language(
        "hu", "Hungarian",
        _labels("Feladó", "Dátum;Küldve;Elküldve", "Címzett", "Tárgy", "Másolat;Másolatot kap;Cc"),
        "tov", "vá",
        ("továbbított üzenet", "továbbított levél", "továbbított levél kezdete", "továbbított üzenet kezdete"),
        ("eredeti üzenet",),
        ("{} ezt írta ({})", "{} ezt írta", "{} írta"),
    ),
    Language(
        "el", "Greek",
        _labels("Από;Αποστολέας", "Ημερομηνία;Στάλθηκε;Εστάλη", "Προς;Παραλήπτης", "Θέμα", "Κοιν.;Κοινοποίηση;Cc"),
        "πρθ;προωθ", "απ;απάντηση",
        ("προωθημένο μήνυμα", "προωθούμενο μήνυμα", "έναρξη προωθημένου μηνύματος", "αρχή προωθημένου μηνύματος"),
        ("αρχικό μήνυμα",),
        ("{} έγραψε",),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Form:
    """How programs write a forward as text: ``name`` is the style of a ``Proposal``, ``looks_like`` shows it in English.

    ``needs_prefix`` tells that a reply can look the same, so that the subject must begin as that of a forward does.
    """

    name: str
    programs: str
    looks_like: str
    needs_prefix: bool


FORMS = (
    Form(
        "dashes",
        "Gmail, Thunderbird, Zimbra, BlueMind, Notes",
        "---------- Forwarded message ----------",
        False,
    ),
    Form("sentence", "Apple Mail, MailMate", "Begin forwarded message:", False),
    Form("one-line", "Yahoo, as text", "----- Forwarded Message ----- From: …To: …Sent: …Subject: …", False),
    Form("quoted", "Apple Mail as text, IONOS, Orange", "> Begin forwarded message:", False),
    Form("original", "Outlook, Roundcube, Samsung", "-----Original Message-----", True),
    Form("header-block", "Outlook", "From: …", True),
    Form("quote-line", "Outlook for Mac", "On … wrote:", True),
)
