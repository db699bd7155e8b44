"""Dates as mail programs write them into a forward."""

from datetime import datetime
from datetime import timedelta
from datetime import timezone
from datetime import UTC
from imio.mailbridge.message.syntax.calendar_words import MONTHS
from imio.mailbridge.message.syntax.calendar_words import ZONES
from imio.mailbridge.message.syntax.written_date import parse_date
from imio.mailbridge.message.syntax.written_date import parse_written_date
from zoneinfo import ZoneInfo
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
    found = parse_written_date(text, CET).at
    assert (found.isoformat() if found else None) == expected


#: One date of each language of the table, as a program of that language writes it.
WRITTEN = {
    "en": "Thursday, March 12, 2026 9:12 PM",
    "fr": "jeudi 12 mars 2026 à 21 h 12",
    "nl": "donderdag 12 maart 2026 om 21:12",
    "de": "Donnerstag, 12. März 2026 um 21:12 Uhr",
    "es": "jueves, 12 de marzo de 2026 9:12 p. m.",
    "it": "giovedì 12 marzo 2026 alle ore 21:12",
    "pt": "quinta-feira, 12 de março de 2026 às 21:12",
    "pl": "czwartek, 12 marca 2026 21:12",
    "ro": "joi, 12 martie 2026 21:12",
    "tr": "12 Mart 2026 Perşembe 21:12",
    "ar": "الخميس، ١٢ مارس ٢٠٢٦ ٩:١٢ م",
    "uk": "четвер, 12 березня 2026 р. о 21:12",
    "bg": "четвъртък, 12 март 2026 г., 21:12",
    "ru": "четверг, 12 марта 2026 г. в 21:12",
    "sv": "den 12 mars 2026 kl. 21:12",
    "da": "12. marts 2026 kl. 21.12",
    "nb": "torsdag 12. mars 2026 kl. 21:12",
    "fi": "torstai 12. maaliskuuta 2026 klo 21.12",
    "cs": "čtvrtek 12. března 2026 21:12",
    "hu": "2026. március 12., csütörtök 21:12",
    "el": "Πέμπτη, 12 Μαρτίου 2026 9:12 μ.μ.",
}


@pytest.mark.parametrize("language", MONTHS)
def test_each_language_has_a_date(language):
    assert parse_written_date(WRITTEN[language], CET).at == datetime(2026, 3, 12, 21, 12, tzinfo=CET)


@pytest.mark.parametrize("language", MONTHS)
def test_no_month_is_another_one_in_another_language(language):
    for number, beginnings in enumerate(MONTHS[language].split(), 1):
        for beginning in beginnings.split("|"):
            assert parse_written_date(f"12 {beginning} 2026 09:12").at.month == number, beginning


@pytest.mark.parametrize(
    ("month", "names"),
    [
        (2, "lutego februarie Şubat فبراير лютого февруари února"),
        (6, "czerwca iunie Haziran يونيو червня юни června"),
        (7, "lipca iulie Temmuz يوليو липня юли července"),
        (8, "sierpnia august Ağustos أغسطس серпня август srpna"),
        (10, "października octombrie Ekim أكتوبر жовтня октомври října"),
        (11, "listopada noiembrie Kasım نوفمبر листопада ноември listopadu"),
    ],
)
def test_whole_names_of_months(month, names):
    assert [parse_written_date(f"3 {name} 2026 09:12").at.month for name in names.split()] == [month] * 7


@pytest.mark.parametrize("zone", ZONES)
def test_each_zone_is_understood(zone):
    found = parse_date(f"Wed, 8 Jul 2026 20:30:00 {zone.upper()}")
    known = ZONES[zone]
    offset = (
        timedelta(hours=known)
        if isinstance(known, int)
        else datetime(2026, 7, 8, 20, 30, tzinfo=ZoneInfo(known)).utcoffset()
    )
    assert (found.at.utcoffset(), found.guess) == (offset, "")


@pytest.mark.parametrize(
    ("text", "expected", "guess"),
    [
        ("Wed, 25 Nov 2026 23:30:00 +0100", "2026-11-25T23:30:00+01:00", ""),
        ("Wed, 25 Nov 2026 23:30:00 +01:00", "2026-11-25T23:30:00+01:00", ""),
        ("Wed, 25 Nov 2026 23:30:00 GMT+01:00", "2026-11-25T23:30:00+01:00", ""),
        ("Wed, 25 Nov 2026 23:30:00 GMT+0100 (heure normale)", "2026-11-25T23:30:00+01:00", ""),
        ("Wed, 25 Nov 2026 23:30:00 \u22120500", "2026-11-25T23:30:00-05:00", ""),
        ("Wed, 25 Nov 2026 23:30:00 CET", "2026-11-25T23:30:00+01:00", ""),
        ("Wed, 25 Nov 2026 23:30:00 MEZ", "2026-11-25T23:30:00+01:00", ""),
        ("Wed, 25 Nov 2026 23:30:00 (CET)", "2026-11-25T23:30:00+01:00", ""),
        ("Fri, 10 Jul 2026 20:30:00 EST5EDT", "2026-07-10T20:30:00-04:00", ""),
        ("25 Nov 2026 11:30:00 PM", "2026-11-25T23:30:00+01:00", "zone-guessed"),
        ("Wed, 25 Nov 2026 23:30:00", "2026-11-25T23:30:00+01:00", "zone-guessed"),
        ("Wed, 8 Jul 2026 23:30:00", "2026-07-08T23:30:00+02:00", "zone-guessed"),
        ("Wed, 25 Nov 2026 23:30:00 XYZ", None, "date-unreadable"),
        ("Wed, 25 Nov 2026 23:30:00 +9999", None, "date-unreadable"),
        ("jeu., 26 nov. 2026 09:12:00 +0100", "2026-11-26T09:12:00+01:00", "date-guessed"),
        ("Thu Nov 26 09:12:00 2026", "2026-11-26T09:12:00+01:00", "date-guessed"),
        ("2026-11-26T09:12:00Z", "2026-11-26T09:12:00+00:00", "date-guessed"),
        ("26/11/2026 09:12 +0100", "2026-11-26T09:12:00+01:00", "date-guessed"),
        ("5 Jan 26 10:11 +0100", "2026-01-05T10:11:00+01:00", ""),
        ("5 Jan 99 10:11 +0100", "1999-01-05T10:11:00+01:00", ""),
        ("Wed, 31 Jun 2026 23:30:00 +0100", None, "date-unreadable"),
        ("hier", None, "date-unreadable"),
    ],
)
def test_date_field(text, expected, guess):
    found = parse_date(text, ZoneInfo("Europe/Brussels"))
    assert (found.at.isoformat() if found.at else None, found.guess) == (expected, guess)


def test_without_a_zone_it_is_in_brussels():
    found = parse_written_date("5 mai 2026 10:00")
    assert (found.at.isoformat(), found.guess) == ("2026-05-05T10:00:00+02:00", "zone-guessed")


def test_numbers_are_day_first_unless_that_is_after_the_forward():
    forward = datetime(2026, 11, 16, tzinfo=UTC)
    found = parse_written_date("11/12/2026 9:12 AM CET", None, forward)
    assert (found.at.isoformat(), found.guess) == ("2026-11-12T09:12:00+01:00", "date-guessed")
    assert parse_written_date("11/12/2026 9:12", CET).at == datetime(2026, 12, 11, 9, 12, tzinfo=CET)
    assert parse_written_date("09/10/2026 09:12 CET", None, forward).guess == ""
