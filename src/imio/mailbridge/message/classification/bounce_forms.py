"""The table of what bounces without a standard report say: who writes them, and the words of their subjects and texts.

A new server or language is one more row. ``where`` is ``author`` (the whole local part, or the whole display name, of From),
``certain-author`` (one who writes nothing else), ``subject`` and ``text`` (somewhere in them), ``delayed`` (in either: the message
is still being tried), ``returned`` (the whole line in the text under which the returned message begins).
"""

from imio.mailbridge.message.syntax.form import Form


FORMS: tuple[Form, ...] = (
    Form("mailer-daemon", "certain-author", r"mailer[-_. ]?daemon", "MAILER-DAEMON", "daemon.mailer"),
    Form(
        "mail daemon",
        "author",
        r"mail[-_. ]?daemon|mdaemon|smtpd|daemon|uucp|mmdf",
        "Mail Daemon",
        "daemonic",
    ),
    Form("postmaster", "author", r"post[-_. ]?master|post[-_. ]?office", "post_master", "postmaster-team"),
    Form(
        "mail system",
        "author",
        r"mail[-_. ]?system|internet[-_. ]?mail|mta[-_. ]?admin",
        "Mail System",
        "systems",
    ),
    Form("mail delivery", "author", r"mail[-_. ]?delivery.*", "Mail Delivery Subsystem", "delivery"),
    Form(
        "exchange",
        "author",
        r"microsoftexchange[0-9a-f]+|microsoft outlook",
        "MicrosoftExchange329e71ec88ae",
        "exchange",
    ),
    Form("filter", "author", r"antispam|mailadm(?:in)?", "antispam", "antispam-info"),
    Form("bounce", "author", r"bounce[sd]?|ndr", "bounces", "bouncer"),
    # subjects
    Form(
        "mail delivery failed",
        "subject",
        r"mail delivery (?:failed|failure|error|problem|subsystem)",
        "Mail delivery failed: returning message",
        "Mail delivery on Monday",
    ),
    Form(
        "delivery failure",
        "subject",
        r"delivery (?:status notification|failure|failed|report|notification|error|problem|unsuccessful)"
        r"(?! \((?:success|relay|delivered))",
        "Delivery Status Notification (Failure)",
        "Delivery of the bins",
    ),
    Form(
        "delivery has failed",
        "subject",
        r"delivery has (?:failed|been delayed)",
        "Delivery has failed",
        "Delivery has begun",
    ),
    Form("undeliverable", "subject", r"un-?deliver(?:able|ed)", "Undeliverable: Permis", "Delivered: Permis"),
    Form(
        "returned mail",
        "subject",
        r"returned (?:mail|to sender|message)",
        "Returned mail: see transcript for details",
        "Returned books",
    ),
    Form("failure notice", "subject", r"failure notice", "failure notice", "Power failure"),
    Form("non-delivery", "subject", r"non[- ]?deliver(?:y|able)", "Non-delivery notification", "Non-smoking"),
    Form(
        "mail failure",
        "subject",
        r"mail (?:system )?(?:error|failure)|failed mail",
        "Mail System Error",
        "Mail system works",
    ),
    Form(
        "warning",
        "subject",
        r"warning: (?:could not send|message)",
        "Warning: could not send message for past 4 hours",
        "Warning: ice on the roads",
    ),
    Form(
        "cannot deliver",
        "subject",
        r"(?:could not|couldn'?t|cannot) (?:be )?deliver(?:ed)?|unable to deliver|cannot send message"
        r"|(?:was not|wasn't) delivered|not deliverable|problems? delivering|failed delivery",
        "Mail could not be delivered",
        "Could not be reached",
    ),
    Form(
        "message status",
        "subject",
        r"message (?:delivery|not delivered|status)|message (?:was |is )?rejected",
        "Message not delivered",
        "Message from the mayor",
    ),
    Form(
        "french",
        "subject",
        r"non (?:remis\b|distribu|délivr)|échec (?:de |de la |de l'|d')(?:remise|distribution|livraison|envoi|acheminement)"
        r"|notification d'échec|remise (?:différée|retardée|impossible)|n'(?:a|ont) pas pu être (?:remis|distribué|délivré)",
        "Échec de remise : Permis",
        "Non remise des documents par le notaire",
    ),
    Form(
        "french: report",
        "subject",
        r"(?:avis|rapport) (?:de non|d'échec de)[- ](?:remise|distribution|livraison)|erreur de (?:remise|distribution)"
        r"|état de (?:la )?(?:remise|distribution) \((?:échec|retard)|impossible de (?:remettre|distribuer|délivrer)",
        "Notification d’état de remise (échec)",
        "Notification d’état civil (échec)",
    ),
    Form(
        "french: returned",
        "subject",
        r"retour(?:né)? à l'(?:expéditeur|envoyeur)",
        "Courriel retourné à l’expéditeur",
        "Retour à la bibliothèque",
    ),
    Form(
        "french, dutch, german: delayed",
        "subject",
        r"^(?:retardé|vertraagd|verzögert)e? ?:",
        "Retardé : Permis",
        "Courriel : retardé",
    ),
    Form(
        "dutch",
        "subject",
        r"niet[- ](?:te bezorgen|bestelbaar|afgeleverd|bezorgd)|onbestelbaar|k[ao]n niet (?:worden )?(?:bezorgd|afgeleverd)",
        "Onbestelbaar: Vergunning",
        "Niet bereikbaar",
    ),
    Form(
        "dutch: failed",
        "subject",
        r"(?:bezorging|aflevering) (?:is )?mislukt|mislukte (?:bezorging|aflevering)|retour afzender"
        r"|(?:bezorg|aflever)(?:ing|status)\b.{0,20} \(?mislukt",
        "Bezorging mislukt",
        "Mislukte betaling",
    ),
    Form(
        "german",
        "subject",
        r"unzustellbar|nicht zu(?:gestellt|stellbar)|zustell(?:ungs)?fehler|fehler bei der zustellung|fehlgeschlagen"
        r"|zustellungsbenachrichtigung \(fehler",
        "Unzustellbar: Antrag",
        "Zustellung am Montag",
    ),
    Form(
        "spanish",
        "subject",
        r"no se (?:puede|pudo|ha podido) entregar|no entreg(?:able|ado)|error (?:de|en la) entrega",
        "No se puede entregar: permiso",
        "Entregado: permiso",
    ),
    Form(
        "italian",
        "subject",
        r"(?:mancato|mancata) (?:recapito|consegna)|(?:recapito|consegna) non riuscit[oa]|non (?:recapitabile"
        r"|recapitato|consegnato)",
        "Recapito non riuscito: permesso",
        "Consegna riuscita",
    ),
    Form(
        "portuguese",
        "subject",
        r"não (?:é|foi) possível entregar|não entreg(?:ue|ável)|falha (?:na|de) entrega",
        "Não é possível entregar: licença",
        "Entregue: licença",
    ),
    Form(
        "polish",
        "subject",
        r"niedostarczalne|nie można dostarczyć|nie dostarczono|niepowodzenie dostarcz",
        "Niedostarczalne: pozwolenie",
        "Dostarczono: pozwolenie",
    ),
    Form(
        "romanian",
        "subject",
        r"nelivrabil|nu (?:se|a) (?:poate|putut) (?:fi )?livra|livrare (?:nereușită|eșuată)",
        "Nelivrabil: autorizație",
        "Livrare reușită",
    ),
    Form(
        "turkish",
        "subject",
        r"teslim edileme(?:di|z|yen)|iletileme(?:di|yen)|teslimat ba[sş]ar[ıi]s[ıi]z",
        "Teslim edilemedi: ruhsat",
        "Teslim edildi",
    ),
    Form(
        "arabic",
        "subject",
        r"غير قابل للتسليم|تعذر (?:ال)?تسليم|لم يتم التسليم",
        "غير قابل للتسليم: رخصة",
        "تم التسليم",
    ),
    Form(
        "ukrainian",
        "subject",
        r"не вдалося доставити|не доставлено|недоставлен",
        "Не вдалося доставити: дозвіл",
        "Доставлено: дозвіл",
    ),
    Form(
        "bulgarian",
        "subject",
        r"недоставим|не може да (?:бъде|се) достав|неуспешно доставяне",
        "Недоставимо: разрешително",
        "Доставено: разрешително",
    ),
    # sentences
    Form(
        "qmail",
        "text",
        r"hi\. this is the|i'm afraid i wasn't able to deliver",
        "Hi. This is the qmail-send program at mx.test.",
        "Hi. This is Ann.",
    ),
    Form(
        "exim",
        "text",
        r"created automatically by (?:the )?mail (?:delivery )?(?:software|system)",
        "This message was created automatically by mail delivery software.",
        "Created by hand",
    ),
    Form(
        "opensmtpd",
        "text",
        r"error has occurred while attempting to deliver",
        "An error has occurred while attempting to deliver a message for",
        "An error has occurred while printing",
    ),
    Form(
        "not delivered",
        "text",
        r"(?:could not|couldn'?t|cannot) be delivered|(?:not (?:yet )?been|was not|wasn't) delivered"
        r"|unable to deliver|un-?deliver(?:able|ed)",
        "Your message could not be delivered",
        "Your parcel was delivered",
    ),
    Form(
        "delivery failed",
        "text",
        r"delivery (?:has |to the following recipients? )?failed|failed to (?:deliver|reach)"
        r"|did not reach (?:the following recipient|some or all)",
        "Delivery has failed to these recipients",
        "Delivery to the town hall",
    ),
    Form(
        "errors",
        "text",
        r"permanent(?: fatal)? errors?|transient non-fatal errors",
        "The following addresses had permanent fatal errors",
        "A permanent place",
    ),
    Form(
        "unknown user",
        "text",
        r"user unknown|unknown user|no such user|invalid user address|(?:address(?:es)?|recipients?) not found"
        r"|recipients? address(?:es)? (?:rejected|unknown)|no mailbox here by that name|couldn't find any host"
        r"|account .{0,40}does not exist",
        "550 No such user here",
        "The user is known",
    ),
    Form(
        "mailbox",
        "text",
        r"mailbox (?:is )?(?:full|unavailable|not found|unknown)|over quota|quota exceeded",
        "As their mailbox is full.",
        "The mailbox is empty",
    ),
    Form(
        "returned",
        "text",
        r"returned to sender|message was rejected",
        "Your message was rejected by the filter",
        "Your request was accepted",
    ),
    Form(
        "addresses",
        "text",
        r"following address(?:es)? (?:had|failed|is|are)|failed addresses follow",
        "The following addresses failed:",
        "My new address",
    ),
    Form(
        "french",
        "text",
        r"n'a (?:pas )?pu être (?:remis|livré|distribué|délivré|acheminé|transmis|envoyé)|n'a pas été (?:remis|distribué|délivré)",
        "Votre message n’a pas pu être remis",
        "Votre demande n’a pas pu être lue",
    ),
    Form(
        "french: failed",
        "text",
        r"échec de la remise (?:à|aux|pour)|impossible de (?:remettre|distribuer|délivrer) |n'est pas (?:arrivé|parvenu) à"
        r"|n'(?:a|ont) (?:pas )?pu être (?:atteint|joint)s?\b|impossible de joindre le(?: ou les)? destinataire",
        "Échec de la remise à ces destinataires ou groupes :",
        "Impossible de joindre votre service par téléphone",
    ),
    Form(
        "french: unknown",
        "text",
        r"(?:utilisateur|destinataire) (?:inconnu|introuvable)|adresse (?:e-?mail )?(?:du destinataire )?(?:est )?introuvable"
        r"|adresse (?:e-?mail )?(?:du destinataire )?n'existe (?:pas|plus)"
        r"|boîte (?:de réception|aux lettres du destinataire) [^\n]{0,80}(?:pleine|saturée)",
        "La boîte aux lettres du destinataire est pleine",
        "Ma boîte aux lettres est pleine de publicités",
    ),
    Form(
        "german",
        "text",
        r"nicht (?:an [^\n]{3,80} )?zugestellt|nicht zustellbar|fehler bei der (?:nachrichten)?zustellung"
        r"|übermittlung an [^\n]{3,80} fehlgeschlagen",
        "Ihre Nachricht konnte nicht zugestellt werden",
        "Das Paket wurde zugestellt",
    ),
    Form(
        "german: failed",
        "text",
        r"empfänger (?:konnten?|können) nicht erreicht|oder alle empfänger nicht erreicht|adresse nicht gefunden"
        r"|postfach [^.\n]{0,40}voll\b|unbekannter (?:benutzer|empfänger)",
        "Ihre Nachricht hat einige oder alle Empfänger nicht erreicht.",
        "Ich konnte Sie nicht erreichen",
    ),
    Form(
        "dutch",
        "text",
        r"k[ao]n niet (?:bij [^\n]{3,60} )?(?:worden )?(?:bezorgd|afgeleverd)"
        r"|(?:bericht|e-?mail) (?:is|werd) niet (?:bezorgd|afgeleverd)",
        "Uw bericht kon niet worden bezorgd",
        "Uw pakje werd bezorgd",
    ),
    Form(
        "dutch: failed",
        "text",
        r"bezorging [^.\n]{0,60}is mislukt|niet bij [^.\n]{0,40}geadresseerden aangekomen|adres niet gevonden"
        r"|(?:ontvangers?|geadresseerden?)[^.\n]{0,30} niet (?:worden )?bereikt"
        r"|mailbox [^.\n]{0,40}vol\b|(?:gebruiker|ontvanger) (?:is )?onbekend",
        "Bezorging bij deze ontvangers of groepen is mislukt:",
        "Ik heb u niet bereikt",
    ),
    Form(
        "spanish",
        "text",
        r"no (?:se )?(?:puede|pudo|ha podido) (?:ser )?entreg(?:ar|ado)",
        "El mensaje no se ha podido entregar",
        "Se ha podido entregar",
    ),
    Form(
        "italian",
        "text",
        r"non è stato possibile (?:recapitare|consegnare)|non (?:può|ha potuto) essere (?:recapitato"
        r"|consegnato)",
        "Non è stato possibile recapitare il messaggio",
        "È stato possibile recapitare",
    ),
    Form(
        "portuguese",
        "text",
        r"não (?:pôde|pode) ser entregue|não (?:foi|é) possível entregar",
        "A sua mensagem não pôde ser entregue",
        "A mensagem foi entregue",
    ),
    Form(
        "polish",
        "text",
        r"nie można (?:było )?dostarczyć|nie (?:została|mogła być) dostarczona",
        "Nie można dostarczyć wiadomości do odbiorcy",
        "Wiadomość została dostarczona",
    ),
    Form(
        "romanian",
        "text",
        r"nu a putut fi livrat|nu s-a putut livra|livrarea .{0,80}nu a reușit",
        "Mesajul nu a putut fi livrat",
        "Mesajul a fost livrat",
    ),
    Form(
        "turkish",
        "text",
        r"teslim edileme(?:di|z)|iletileme(?:di|z)",
        "İletiniz teslim edilemedi",
        "İletiniz teslim edildi",
    ),
    Form("arabic", "text", r"تعذر (?:ال)?تسليم|لم يتم تسليم", "تعذر تسليم رسالتك", "تم تسليم رسالتك"),
    Form(
        "ukrainian",
        "text",
        r"не вдалося доставити|не було доставлено|не доставлено",
        "Не вдалося доставити повідомлення",
        "Повідомлення доставлено",
    ),
    Form(
        "bulgarian",
        "text",
        r"не може да (?:бъде|се) достав|не беше доставено",
        "Съобщението не може да бъде доставено",
        "Съобщението беше прочетено",
    ),
    # delays
    Form(
        "english",
        "delayed",
        r"delayed|warning: (?:could not send|message)|has not yet been delivered|will (?:be retried|retry"
        r"|keep trying|continue to)|do not need to resend|still being retried",
        "Warning: message delayed 4 hours",
        "Undelivered Mail Returned to Sender",
    ),
    Form(
        "french",
        "delayed",
        r"remise (?:différée|retardée)|^retardée? ?:|n'a pas encore été (?:remis|distribué|délivré)",
        "Remise différée : Permis",
        "Échec de remise",
    ),
    Form("dutch", "delayed", r"vertraagd", "Vertraagd: Vergunning", "Onbestelbaar"),
    Form("german", "delayed", r"verzögert", "Verzögert: Antrag", "Unzustellbar"),
    Form("spanish", "delayed", r"retrasad[oa]", "Entrega retrasada: permiso", "No se puede entregar"),
    Form("italian", "delayed", r"ritardat[oa]", "Consegna ritardata: permesso", "Consegna non riuscita"),
    Form("portuguese", "delayed", r"atrasad[oa]", "Entrega atrasada: licença", "Não entregue"),
    Form("polish", "delayed", r"opóźnion[aey]", "Dostarczanie opóźnione: pozwolenie", "Niedostarczalne"),
    Form("romanian", "delayed", r"întârziat", "Livrare întârziată: autorizație", "Nelivrabil"),
    Form("turkish", "delayed", r"gecik(?:ti|en|me)", "Teslimat gecikti: ruhsat", "Teslim edilemedi"),
    Form("ukrainian", "delayed", r"затрим(?:ка|ано|ується)", "Доставку затримано: дозвіл", "Не доставлено"),
    Form("bulgarian", "delayed", r"забавен", "Забавено: разрешително", "Недоставимо"),
    # where the returned message begins
    Form(
        "dashes",
        "returned",
        r"-{2,50}.{0,60}(?:copy of (?:the|your) (?:original )?message|(?:original|unsent|returned) message"
        r"|below this line|message (?:header|text)|message d'origine|included).{0,60}",
        "   ----- Unsent message follows -----",
        "Unsent message",
    ),
    Form(
        "sentence",
        "returned",
        r"(?:below is|this is) a copy of (?:the|your) (?:original )?message.{0,60}",
        "    Below is a copy of the original message:",
        "A copy of the deed",
    ),
    Form(
        "field",
        "returned",
        r"(?:received|return-path|message-id)\s?:.*",
        "Message-ID: <x@citizen.test>",
        "The message id",
    ),
)
