"""A message as Outlook saves it."""

from tests.message.compound_file import msg


MSG = msg(
    {
        0x0037: "Demande en .msg é",
        0x1000: "Texte du citoyen\r\n",
        0x0C1A: "Jeanne Dupont",
        0x5D01: "jeanne.dupont@citizen.test",
        0x1035: "<msg.1@citizen.test>",
    },
    [("plan.pdf", "application/pdf", b"%PDF-msg" * 1000)],
)
