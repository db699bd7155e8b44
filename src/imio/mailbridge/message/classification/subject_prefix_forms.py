"""The table of what mail programs put before the colon at the beginning of a subject, when one answers or passes a mail on.

``where`` is ``reply`` or ``forward``. A new language is one more row.
"""

from imio.mailbridge.message.syntax.form import Form


FORMS: tuple[Form, ...] = (
    Form("english, and most programs", "reply", r"re", "Re: Permis", "Reminder: Permis"),
    Form("french", "reply", r"rép?|réponse", "RÉP : Permis", "Réunion : Permis"),
    Form("dutch", "reply", r"antw(?:oord)?|betr", "Antw: Vergunning", "Antwerpen: vergunning"),
    Form("german", "reply", r"aw|antwort", "AW: Antrag", "Awaiting: Antrag"),
    Form("scandinavian", "reply", r"sv", "SV: Ansökan", "VS: Ansøgning"),
    Form("italian", "reply", r"r|rif|i?risp(?:osta)?", "R: permesso", "Richiesta: permesso"),
    Form("portuguese, spanish", "reply", r"res(?:p|posta|puesta)?", "RES: licença", "Resumo: licença"),
    Form("polish", "reply", r"odp", "Odp: pozwolenie", "Odpady: pozwolenie"),
    Form("turkish", "reply", r"ynt|yan[ıi]t", "Ynt: ruhsat", "Yangın: ruhsat"),
    Form("romanian", "reply", r"răspuns", "Răspuns: autorizație", "Rășină: autorizație"),
    Form("arabic", "reply", r"رد", "رد: رخصة", "رخصة: رد"),
    Form("ukrainian, bulgarian", "reply", r"відп|отг|отн|на", "Отг: разрешително", "Отпуск: разрешително"),
    Form("russian", "reply", r"отв", "Отв: разрешение", "Отвод: разрешение"),
    Form("hungarian", "reply", r"vá", "Vá: engedély", "Vám: engedély"),
    Form("greek", "reply", r"απ(?:άντηση)?", "Απ: άδεια", "Από: άδεια"),
    Form("english", "forward", r"fwd?", "Fwd: Permis", "Forward planning: Permis"),
    Form("french", "forward", r"tr|transf?(?:éré)?", "TR: Permis", "Travaux: Permis"),
    Form(
        "dutch", "forward", r"doorst|doorgest(?:uurd)?|dg", "Doorst: Vergunning", "Doorstroming: vergunning"
    ),
    Form("german", "forward", r"wg|wtr?lt", "WG: Antrag", "WG-Zimmer: Antrag"),
    Form("italian", "forward", r"i|inoltro|inoltrat[oa]", "I: permesso", "Informazione: permesso"),
    Form(
        "spanish, portuguese",
        "forward",
        r"rv|reenv(?:iado)?|enc|encaminhad[ao]",
        "RV: permiso",
        "Reunión: permiso",
    ),
    Form("scandinavian", "forward", r"v[bs]", "VS: Ansøgning", "Svar: ansøgning"),
    Form("polish", "forward", r"pd", "PD: pozwolenie", "Podanie: pozwolenie"),
    Form("turkish", "forward", r"[iı]lt", "İLT: ruhsat", "İlan: ruhsat"),
    Form("arabic", "forward", r"إعادة توجيه|تحويل", "إعادة توجيه: رخصة", "رخصة: تحويل"),
    Form("ukrainian, bulgarian", "forward", r"пер|переслано|препр", "Пер: дозвіл", "Перевезення: дозвіл"),
)
