"""The table of authors that are nobody to answer: addresses that nobody reads, and names that a list or a service wrote.

``where`` is ``local-part`` (before the ``@``; more may stand before and after it, set off by ``+``, ``=``, ``.``, ``_`` or ``-``)
or ``display-name``; a row must match all of it. A new language is one more row.
"""

from imio.mailbridge.message.syntax.form import Form


FORMS: tuple[Form, ...] = (
    Form("english", "local-part", r"no[-_.]?reply|do[-_.]?not[-_.]?reply", "no-reply", "reply"),
    Form("french", "local-part", r"ne[-_.]?pas[-_.]?repondre|pas[-_.]?de[-_.]?reponse", "nepasrepondre", "repondre"),
    Form("dutch", "local-part", r"niet[-_.]?beantwoorden|geen[-_.]?antwoord", "geen-antwoord", "antwoord"),
    Form("german", "local-part", r"nicht[-_.]?antworten|keine[-_.]?antwort", "nicht-antworten", "antworten"),
    Form("italian", "local-part", r"non[-_.]?rispondere", "non-rispondere", "rispondere"),
    Form("spanish, portuguese", "local-part", r"no[-_.]?responder|nao[-_.]?respond[ae]r?", "noresponder", "responder"),
    Form("web servers", "local-part", r"wordpress|www-data", "wordpress", "press"),
    Form("mail servers", "local-part", r"mailer-daemon|postmaster|bounces?", "bounces+1", "bouncer"),
    Form("mailman, google groups, services", "display-name", r".{1,200} via .{1,200}", "Jean Dupont via Info", "Via Roma"),
    Form("certified mail (PEC)", "display-name", r"per conto di ?:? .{1,200}", "Per conto di: rossi@pec.example", "Conto di Rossi"),
)  # fmt: skip
