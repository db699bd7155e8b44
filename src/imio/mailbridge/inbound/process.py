"""stub"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    as_: str = "proposal"
    sender: object = None
    date: object = None
    service: str = ""


def process(record, choice=None):
    raise NotImplementedError
