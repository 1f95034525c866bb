"""What "mardi" or "l'an dernier" in a cited sentence means, from the date of its document (pure).

Nothing is said more precisely than the document's date allows, and nothing that its date does not say already.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass

from index.date_values import MONTHS, WEEKDAYS, fold, format_date, parse_date

__all__ = ["DateNote", "explain_dates"]

_NUMBERS = {"un": 1, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6, "sept": 7, "huit": 8, "dix": 10}
_NUMBER = rf"(?P<number>{'|'.join(_NUMBERS)}|\d{{1,3}})"
_UNIT = r"(?P<unit>an|annee|mois|semaine|jour)s?"
_PHRASE = re.compile(
    rf"(?<![\w'-])(?:(?<!\ble )(?<!\bles )(?<!\bchaque )(?<!\bdu )(?<!\bau )(?P<weekday>{'|'.join(WEEKDAYS)})"
    r"(?! ?\d| 1er)(?: (?P<side>dernier|prochain))?"
    r"|(?P<day>avant-hier|hier|aujourd'hui|apres-demain|demain|ce matin|ce soir|cette nuit|cet apres-midi)"
    r"|(?:la |cette )?(?P<week>semaine) (?P<week_side>derniere|passee|prochaine)|(?P<this_week>cette semaine)"
    r"|le (?P<month>mois) (?P<month_side>dernier|passe|prochain)|(?P<this_month>ce mois-ci)"
    r"|l'(?P<year>an|annee) (?P<year_side>derniere?|passee?|prochaine?)|(?P<this_year>cette annee)"
    rf"|(?P<ago>il y a|dans) {_NUMBER} {_UNIT})(?![\w-])"
)
_FUTURE = re.compile(
    r"\b\w{2,}(?:era|eront|ira|iront|dra|dront|vra|vront|aura|auront)\b"
    r"|\b(?:sera|seront|va|vont|doit|doivent) (?:\w+ )?\w+(?:er|ir|re)\b"
)
_BACK = ("dernier", "derniere", "passe", "passee")
_DAYS = {"avant-hier": -2, "hier": -1, "demain": 1, "apres-demain": 2}


@dataclass(frozen=True, slots=True)
class DateNote:
    """What words of a document mean in the calendar.

    Attributes:
        start: first character of the words in the document's text.
        end: one past their last.
        text: the words.
        meaning: the day, week, month or year in French words.
    """

    start: int
    end: int
    text: str
    meaning: str


def explain_dates(text: str, date: str | None, *, start: int = 0) -> tuple[DateNote, ...]:
    """Return what the relative dates of a sentence mean, in their order.

    A weekday is the last one until the day of the document, or the next one where "prochain" or a verb in the future
    says so; where only the month of the document is known, it is in that month, which its date says already.

    Args:
        text: a sentence.
        date: ISO date of its document at its own precision, or None.
        start: place of the sentence in the document.
    """
    if date is None:
        return ()
    told = format_date(date) if parse_date(date) else date
    folded, offsets = fold(text)
    notes = []
    for match in _PHRASE.finditer(folded):
        meaning = _meaning(match, date, is_future=bool(_FUTURE.search(folded)))
        if meaning is not None and meaning != told:
            first, last = offsets[match.start()], offsets[match.end() - 1] + 1
            notes.append(DateNote(start + first, start + last, text[first:last], meaning))
    return tuple(notes)


def _meaning(match: re.Match[str], date: str, *, is_future: bool) -> str | None:
    parts = match.groupdict()
    for read in (_in_years, _in_months, _in_days):
        meaning = read(parts, date, is_future=is_future)
        if meaning is not None:
            return meaning
    return None


def _in_years(parts: dict[str, str | None], date: str, *, is_future: bool) -> str | None:
    """Read what needs the year of the document only."""
    year = int(date[:4])
    if parts["this_year"]:
        return str(year)
    if parts["year"]:
        return str(year + (-1 if parts["year_side"] in _BACK else 1))
    if parts["ago"] and parts["unit"] in ("an", "annee"):
        return str(year + _amount(parts))
    return None


def _in_months(parts: dict[str, str | None], date: str, *, is_future: bool) -> str | None:
    """Read what needs the month too."""
    if len(date) < 7:
        return None
    if parts["this_month"]:
        moved = 0
    elif parts["month"]:
        moved = -1 if parts["month_side"] in _BACK else 1
    elif parts["ago"] and parts["unit"] == "mois":
        moved = _amount(parts)
    else:
        return None
    months = int(date[:4]) * 12 + int(date[5:7]) - 1 + moved
    return f"{MONTHS[months % 12]} {months // 12}" if months >= 12 else None


def _in_days(parts: dict[str, str | None], date: str, *, is_future: bool) -> str | None:
    """Read what needs the day."""
    if len(date) < 10:
        return None
    day = datetime.date.fromisoformat(date)
    if parts["weekday"]:
        behind = (day.weekday() - WEEKDAYS.index(parts["weekday"])) % 7
        side = parts["side"]
        if side == "dernier":
            moved = -(behind or 7)
        elif side == "prochain" or (is_future and side is None):
            moved = (7 - behind) if behind or side else 0
        else:
            moved = -behind
        return _day(day, moved)
    if parts["day"]:
        return _day(day, _DAYS.get(parts["day"], 0))
    if parts["ago"]:
        return _day(day, _amount(parts) * (7 if parts["unit"] == "semaine" else 1))
    if parts["week"] or parts["this_week"]:
        moved = 0 if parts["this_week"] else -7 if parts["week_side"] in _BACK else 7
        return _week(day, moved)
    return None


def _amount(parts: dict[str, str | None]) -> int:
    """Return how many units later, fewer than 0 for earlier."""
    words = parts["number"] or "0"
    number = int(words) if words.isdigit() else _NUMBERS[words]
    return -number if parts["ago"] == "il y a" else number


def _day(day: datetime.date, moved: int) -> str | None:
    try:
        found = day + datetime.timedelta(days=moved)
    except OverflowError:
        return None
    return f"{WEEKDAYS[found.weekday()]} {_words(found)}"


def _week(day: datetime.date, moved: int) -> str | None:
    try:
        monday = day + datetime.timedelta(days=moved - day.weekday())
        sunday = monday + datetime.timedelta(days=6)
    except OverflowError:
        return None
    return " ".join(_within(monday, sunday))


def _words(day: datetime.date) -> str:
    """Return a day in French words, of any year: documents are dated from 1000 to 2199, their words may go beyond."""
    return f"{'1er' if day.day == 1 else day.day} {MONTHS[day.month - 1]} {day.year}"


def _within(first: datetime.date, last: datetime.date) -> Iterator[str]:
    """Yield the words of a week: its first day without what it shares with its last."""
    yield "semaine du"
    kept = 3 if first.year != last.year else 2 if first.month != last.month else 1
    yield from _words(first).split()[:kept]
    yield f"au {_words(last)}"
