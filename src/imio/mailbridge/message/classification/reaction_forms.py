"""The tables of reactions (an emoji in place of an answer): the parts that hold one, and the sentences that tell of one.

The whole value, or the whole line, must match. A new program or language is one more row.
"""

from imio.mailbridge.message.syntax.form import Form


PARTS: tuple[Form, ...] = (
    Form(
        "gmail",
        "content-type",
        r"(?:text|application)/(?:vnd\.|x-)[a-z.-]*reaction(?:\+json)?",
        "text/vnd.google.email-reaction+json",
        "application/json",
    ),
    Form("rfc 9078", "content-disposition", r"reaction", "reaction", "inline"),
)
#: Outlook writes one such line above the message that it is about, and has no part of its own for it.
SENTENCES: tuple[Form, ...] = (
    Form(
        "english",
        "text",
        r".{1,120} (?:reacted to|liked|loved|laughed at) your (?:message|e-?mail)",
        "Jeanne Dupont reacted to your message:",
        "I reacted to your message of Monday, here is why:",
    ),
    Form(
        "gmail",
        "text",
        r".{1,120} (?:reacted|a réagi|heeft gereageerd|hat(?: .{1,10})? reagiert) (?:via|avec|über|mit) gmail",
        "👍 Jeanne Dupont reacted via Gmail",
        "I reacted via Gmail, did you see it?",
    ),
    Form(
        "french",
        "text",
        r".{1,120} a (?:réagi à|aimé|adoré) votre (?:message|courriel|e-?mail)",
        "Jeanne Dupont a réagi à votre message :",
        "Mon mari a réagi à votre message hier",
    ),
    Form(
        "dutch",
        "text",
        r".{1,120} heeft (?:gereageerd op (?:je|uw) (?:bericht|e-?mail)|op (?:je|uw) (?:bericht|e-?mail) gereageerd"
        r"|(?:je|uw) (?:bericht|e-?mail) leuk gevonden)",
        "Jeanne Dupont heeft gereageerd op uw bericht:",
        "Niemand heeft gereageerd op mijn bericht",
    ),
    Form(
        "german",
        "text",
        r".{1,120} hat auf (?:ihre|deine) (?:nachricht|e-?mail) reagiert",
        "Jeanne Dupont hat auf Ihre Nachricht reagiert:",
        "Niemand hat auf meine Nachricht reagiert",
    ),
    Form(
        "italian",
        "text",
        r".{1,120} ha reagito al (?:tuo|suo) messaggio",
        "Jeanne Dupont ha reagito al tuo messaggio:",
        "Nessuno ha reagito al mio messaggio",
    ),
    Form(
        "spanish",
        "text",
        r".{1,120} (?:ha reaccionado|reaccionó) a (?:tu|su) (?:mensaje|correo)",
        "Jeanne Dupont ha reaccionado a tu mensaje:",
        "Nadie ha reaccionado a mi mensaje",
    ),
    Form(
        "portuguese",
        "text",
        r".{1,120} reagiu (?:à|a) (?:tua|sua) mensagem",
        "Jeanne Dupont reagiu à sua mensagem:",
        "Ninguém reagiu à minha mensagem",
    ),
    Form(
        "polish",
        "text",
        r".{1,120} zareagował(?:a|\(a\))? na (?:twoją|twoja|państwa) wiadomość",
        "Jeanne Dupont zareagował(a) na Twoją wiadomość:",
        "Nikt nie zareagował na moją wiadomość",
    ),
    Form(
        "romanian",
        "text",
        r".{1,120} a reacționat la mesajul (?:tău|dvs\.?|dumneavoastră)",
        "Jeanne Dupont a reacționat la mesajul dvs.:",
        "Nimeni nu a reacționat la mesajul meu",
    ),
    Form(
        "turkish",
        "text",
        r".{1,120} (?:iletiniz|mesaj[ıi]n[ıi]z)e? ?(?:a )?tepki verdi",
        "Jeanne Dupont iletinize tepki verdi:",
        "Kimse mesajıma tepki vermedi",
    ),
    Form(
        "arabic",
        "text",
        r".{1,120} تفاعل(?:ت)? مع رسالتك|تفاعل(?:ت)? .{1,120} مع رسالتك",
        "Jeanne Dupont تفاعل مع رسالتك:",
        "لم يتفاعل أحد مع رسالتي",
    ),
    Form(
        "ukrainian",
        "text",
        r".{1,120} (?:від)?реагува(?:в|ла|в\(-ла\)) на ваше повідомлення",
        "Jeanne Dupont відреагувала на ваше повідомлення:",
        "Ніхто не відреагував на моє повідомлення",
    ),
    Form(
        "bulgarian",
        "text",
        r".{1,120} реагира на (?:вашето|вашия|твоето) (?:съобщение|имейл)",
        "Jeanne Dupont реагира на вашето съобщение:",
        "Никой не реагира на моето съобщение",
    ),
)
