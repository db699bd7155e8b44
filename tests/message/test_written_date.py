"""Dates as mail programs write them into a forward."""

from datetime import datetime
from datetime import timedelta
from datetime import timezone
from datetime import UTC
from imio.mailbridge.message.syntax.written_date import parse_written_date
import pytest


CET = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lundi 5 janvier 2026 10:32", "2026-01-05T10:32:00+01:00"),
        ("lun. 5 janv. 2026 à 10:32", "2026-01-05T10:32:00+01:00"),
        ("1er août 2026 à 9 h 05", "2026-08-01T09:05:00+01:00"),
        ("11 décembre 2025 à 23:59:58 UTC+2", "2025-12-11T23:59:58+02:00"),
        ("juillet 14, 2026 10:00", "2026-07-14T10:00:00+01:00"),
        ("14 juil. 2026, 10:00", "2026-07-14T10:00:00+01:00"),
        ("Monday, January 5, 2026 10:32 AM", "2026-01-05T10:32:00+01:00"),
        ("Monday, January 5, 2026 12:05 AM", "2026-01-05T00:05:00+01:00"),
        ("Mon, Jan 5, 2026 at 9:12\u202fPM", "2026-01-05T21:12:00+01:00"),
        ("Monday, 5 January 2026 15:04", "2026-01-05T15:04:00+01:00"),
        ("maandag 5 januari 2026 10:32", "2026-01-05T10:32:00+01:00"),
        ("ma 2 mrt 2026 om 08:15", "2026-03-02T08:15:00+01:00"),
        ("Montag, 5. Januar 2026 10:32", "2026-01-05T10:32:00+01:00"),
        ("Am 3. März 2026 um 10:32", "2026-03-03T10:32:00+01:00"),
        ("05/01/2026 10:32", "2026-01-05T10:32:00+01:00"),
        ("05.01.26 10:32", "2026-01-05T10:32:00+01:00"),
        ("2026-01-05 10:32", "2026-01-05T10:32:00+01:00"),
        ("Tue, 20 Jan 2026 07:15:00 +0000", "2026-01-20T07:15:00+00:00"),
        ("Tue, 20 Jan 2026 07:15:00 GMT", "2026-01-20T07:15:00+00:00"),
        ("5 janvier 2026", "2026-01-05T00:00:00+01:00"),
        ("seg., 5 de jan. de 2026 às 10:32", "2026-01-05T10:32:00+01:00"),
        ("segunda-feira, 5 de janeiro de 2026 às 10h32", "2026-01-05T10:32:00+01:00"),
        ("lun, 5 ene 2026 a las 10:32", "2026-01-05T10:32:00+01:00"),
        ("lunes, 5 de enero de 2026 9:12 p. m.", "2026-01-05T21:12:00+01:00"),
        ("Lunes, 5 de Enero 2026 10:32:00", "2026-01-05T10:32:00+01:00"),
        ("lun 5 gen 2026 alle ore 10:32", "2026-01-05T10:32:00+01:00"),
        ("5 luglio 2026 alle ore 10:32:00 CEST", "2026-07-05T10:32:00+02:00"),
        ("5 de julho de 2026, 10:32:00 WEST", "2026-07-05T10:32:00+01:00"),
        ("5. Juli 2026 um 10:32:00 MESZ", "2026-07-05T10:32:00+02:00"),
        ("January 5, 2026 10:32:00 AM GMT+02:00", "2026-01-05T10:32:00+02:00"),
        ("On Monday, January 5th, 2026 at 10:32 AM", "2026-01-05T10:32:00+01:00"),
        ("1/15/2026 10:32 AM", "2026-01-15T10:32:00+01:00"),
        ("15/13/2026 10:32", None),
        ("31 février 2026 10:00", None),
        ("demain 10:00", None),
        ("", None),
        ("9" * 5000, None),
    ],
)
def test_written_date(text, expected):
    found = parse_written_date(text, CET)
    assert (found.isoformat() if found else None) == expected


def test_without_any_zone_it_is_utc():
    assert parse_written_date("5 mai 2026 10:00", None) == datetime(2026, 5, 5, 10, tzinfo=UTC)
