"""The table of receipts of certified mail (PEC, Italy, ``X-Ricevuta``). Another kind of receipt is one more row."""

from imio.mailbridge.message.classification.report import ReportKind
from typing import NamedTuple


class Receipt(NamedTuple):
    """What a value of ``X-Ricevuta`` says: the kind of the report, and the action as in RFC 3464 §2.3.3."""

    value: str
    kind: ReportKind
    action: str


RECEIPTS: tuple[Receipt, ...] = (
    Receipt("accettazione", ReportKind.RECEIPT, "relayed"),
    Receipt("presa-in-carico", ReportKind.RECEIPT, "relayed"),
    Receipt("avvenuta-consegna", ReportKind.RECEIPT, "delivered"),
    Receipt("preavviso-errore-consegna", ReportKind.BOUNCE, "delayed"),
    Receipt("errore-consegna", ReportKind.BOUNCE, "failed"),
    Receipt("non-accettazione", ReportKind.BOUNCE, "failed"),
    Receipt("rilevazione-virus", ReportKind.BOUNCE, "failed"),
)
