"""One date: read from metadata or French words, written as ISO 8601 at its own precision, or in French words."""

from __future__ import annotations

import datetime
import re
import unicodedata
from calendar import monthrange
from email.utils import parsedate_to_datetime

from index.errors import InputError

__all__ = [
    "DAY",
    "MONTH",
    "MONTHS",
    "SHORT_MONTH",
    "WEEKDAYS",
    "date_bounds",
    "fold",
    "format_date",
    "parse_date",
    "period",
]

MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)
WEEKDAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")

# Patterns for text as `fold` gives it: lower case, no accents, straight apostrophes.
MONTH = "(?:janvier|fevrier|mars|avril|mai|juin|juillet|aout|septembre|octobre|novembre|decembre)"
SHORT_MONTH = r"(?:(?:janv?|fevr?|avr|juil|sept?|oct|nov|dec)\b\.?)"
DAY = r"(?:1 ?er|[0-3]?\d)"
_YEAR = r"(?:1\d|20|21)\d{2}"

_ISO = re.compile(
    r"(?P<year>\d{4})(?:[-/](?P<month>\d{2})(?:[-/](?P<day>\d{2})"
    r"(?:[t ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?(?:z|utc|gmt|[+-]\d{2}:?(?:\d{2})?))?)?)?)?"
)
_DAY_FIRST = re.compile(r"(?:(?P<day>\d{1,2})[/.-])?(?P<month>\d{1,2})[/.-](?P<year>\d{4})")
_IN_WORDS = re.compile(
    rf"(?:(?:le )?(?:(?:{'|'.join(WEEKDAYS)}),? )?(?P<day>{DAY}) )?(?P<name>{MONTH}|{SHORT_MONTH}) (?P<year>{_YEAR})"
    r"(?:,? (?:a )?\d{1,2} ?[h:] ?(?:\d{2})?)?"
)
_RFC_2822 = re.compile(r"(?:[a-z]{3}, ?)?\d{1,2} [a-z]{3} \d{4} \d{2}:\d{2}(?::\d{2})?(?: .{1,12})?")
_LONGEST = 200
"""Characters of a metadata value that are read as a date."""


def parse_date(value: object) -> str | None:
    """Read a metadata value as a date.

    Args:
        value: an ISO date, month or datetime, a year (text or integer, 1000 to 2199), ``11/10/2022`` (day first),
            ``10/2022``, French words (``11 octobre 2022``, ``1er mai 2020``, ``octobre 2022``, ``sept. 2019``), an
            RFC 2822 date, or a ``datetime.date``.

    Returns:
        ISO 8601 at the value's own precision, the day of a datetime as it is written, or None if it is no valid date.
    """
    if isinstance(value, datetime.date):
        return datetime.date(value.year, value.month, value.day).isoformat()
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    folded = " ".join(fold(value[:_LONGEST])[0].split())
    for pattern in (_ISO, _DAY_FIRST, _IN_WORDS):
        match = pattern.fullmatch(folded)
        if match:
            return _iso_of(match.groupdict())
    if _RFC_2822.fullmatch(folded):
        try:
            return parsedate_to_datetime(folded).date().isoformat()
        except ValueError:
            return None
    return None


def _iso_of(parts: dict[str, str | None]) -> str | None:
    """ISO date of matched parts ``year``, ``month`` or ``name``, ``day``; None if there is no such day."""
    year, name = parts["year"] or "", parts.get("name")
    month = _month_number(name) if name else int(parts.get("month") or 0)
    day = int(re.sub(r"\D", "", parts.get("day") or "") or 0)
    if not re.fullmatch(_YEAR, year):
        return None
    if parts.get("day") is None:
        if name is None and parts.get("month") is None:
            return year
        return f"{year}-{month:02}" if 1 <= month <= 12 else None
    try:
        return datetime.date(int(year), month, day).isoformat()
    except ValueError:
        return None


def _month_number(name: str) -> int:
    """Number of a folded month name or of its abbreviation."""
    stem = name.rstrip(".")
    return next(number for number, month in enumerate(MONTHS, start=1) if fold(month)[0].startswith(stem))


_PLAIN = {"’": "'", "ʼ": "'", "‑": "-", "–": "-"}


def fold(text: str) -> tuple[str, list[int]]:
    """Return the text in lower case, without accents, and for each folded character its offset in ``text``.

    Apostrophes become straight and white space becomes a space. The offsets have one more entry, the text's length.
    """
    characters: list[str] = []
    offsets: list[int] = []
    for offset, character in enumerate(text):
        for part in unicodedata.normalize("NFKD", character.lower()):
            if not unicodedata.combining(part):
                characters.append(_PLAIN.get(part, " " if part.isspace() else part))
                offsets.append(offset)
    return "".join(characters), [*offsets, len(text)]


def date_bounds(date: str) -> tuple[str, str]:
    """Return the first and the last day of an ISO date at its own precision, as ``YYYY-MM-DD``.

    Raises:
        InputError: if ``date`` is none of ``2022``, ``2022-10``, ``2022-10-11``, or there is no such day.
    """
    if not re.fullmatch(r"\d{4}(-\d{2}){0,2}", date, re.ASCII) or parse_date(date) is None:
        raise InputError(f"date {date!r}: expected YYYY, YYYY-MM or YYYY-MM-DD")
    year, month, day = (*(int(part) for part in date.split("-")), 0, 0)[:3]
    first, last = period(year, month, day)
    return first.isoformat(), last.isoformat()


def period(year: int, month: int, day: int) -> tuple[datetime.date, datetime.date]:
    """First and last day of a date whose month or day may be 0, that is, not given."""
    last_month = month or 12
    last_day = day or monthrange(year, last_month)[1]
    return datetime.date(year, month or 1, day or 1), datetime.date(year, last_month, last_day)


def format_date(date: str) -> str:
    """Return an ISO date in French words: ``octobre 2022``, ``11 octobre 2022``, ``1er mai 2020``, ``2022``.

    Raises:
        InputError: as `date_bounds`.
    """
    date_bounds(date)
    year, *rest = date.split("-")
    words = [year]
    if rest:
        words.insert(0, MONTHS[int(rest[0]) - 1])
    if len(rest) == 2:
        words.insert(0, "1er" if rest[1] == "01" else str(int(rest[1])))
    return " ".join(words)
