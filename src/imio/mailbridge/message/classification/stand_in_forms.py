"""The table of what servers say in place of a message: who says it (``from``, without an address), and its ``subject``.

Somewhere in the field. A new server or language is one more row.
"""

from imio.mailbridge.message.syntax.form import Form


FORMS: tuple[Form, ...] = (
    Form("exchange", "from", r"microsoft exchange", '"Microsoft Exchange Server 2019"', "Exchange of books"),
    # the name of the protocol is the same in the subjects of all languages of Exchange
    Form(
        "exchange",
        "subject",
        r"\b(?:imap4?|pop3?)\b",
        "Retrieval using the IMAP4 protocol failed for the following message: 9",
        "Retrieval of the lost keys failed",
    ),
)
