"""Dates in documents and in questions, in French words. What reads or writes one date is in `index.date_values`."""

from __future__ import annotations

import datetime
import re
from calendar import monthrange
from dataclasses import dataclass

from index.date_values import (
    DAY,
    MONTH,
    MONTHS,
    SHORT_MONTH,
    WEEKDAYS,
    date_bounds,
    fold,
    format_date,
    parse_date,
    period,
)
from index.types import Span

__all__ = ["DatePhrase", "date_bounds", "find_date_phrase", "format_date", "parse_date", "read_header"]

_WEEKDAY = f"(?:{'|'.join(WEEKDAYS)})"
_HEADER = re.compile(
    r"[ \ufeff]*date *(?P<colon>:)? *(?P<date>"
    r"\d{4}-\d{2}-\d{2}t[\d:.,z+-]+|\d{4}(?:[-/]\d{2}){0,2}|\d{1,2}[/.]\d{1,2}[/.]\d{4}"
    rf"|(?:(?:{_WEEKDAY} )?{DAY} )?(?:{MONTH}|{SHORT_MONTH}) \d{{4}})(?: |\Z)"
)
_HEADER_SIZE = 200
"""Characters at the start of a text in which the header, with the white space before it, must lie."""


def read_header(text: str) -> tuple[str | None, int]:
    """Read the header that a text file may begin with, such as `` date 2022-10 `` or ``Date : 11 octobre 2022``.

    A year without a colon is a header only if no lower-case word follows it on its line ("date 2022 du traité").

    Returns:
        The date as ISO 8601 at its own precision, and the offset of the first character of prose, after the header and
        its white space; ``(None, 0)`` without a header or where its date is invalid.
    """
    folded, offsets = fold(text[:_HEADER_SIZE])
    match = _HEADER.match(folded)
    if match is None:
        return None, 0
    date = parse_date(match["date"])
    rest = text[offsets[match.end("date")] :]
    body_start = len(text) - len(rest.lstrip())
    is_bare_year = match["colon"] is None and match["date"].isdigit()
    if date is None or (is_bare_year and text[body_start : body_start + 1].islower() and rest[:1] not in "\r\n"):
        return None, 0
    return date, body_start


_NUMBERS = {
    **{"un": 1, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6, "sept": 7, "huit": 8, "neuf": 9},
    **{"dix": 10, "onze": 11, "douze": 12, "quinze": 15, "vingt": 20, "trente": 30},
}
_NUMBER = rf"(?:{'|'.join(_NUMBERS)}|\d{{1,3}})"

# A number that a plural noun follows is a quantity ("entre 1600 et 2000 euros"), unless that word is one of these.
_NO_NOUN = (
    "les|des|aux|ses|ces|nos|vos|mes|leurs|ils|elles|nous|vous|apres|dans|sans|sous|vers|mais|plus|moins|pas|alors|depuis"
    "|lors|tous|toutes|puis|parmi|chez|quels|quelles|certains|certaines|plusieurs|quelques|ceux|celles|deux|trois|six|dix"
    "|as|es|suis|avons|avez|sommes|etes|tres|jamais|toujours|paris"
)
_COUNTED = rf"(?! ?[%€$])(?! (?!(?:{_NO_NOUN})\b)(?:[a-z]+[sx]|m|km|kg|g|h|ha|mw|go|mo)\b)"
_A_YEAR = rf"(?:(?:1[5-9]|20)\d{{2}}(?![\d.,]*\d){_COUNTED})"
_EDGE = r"(?:(?:debut|milieu|fin) (?:de l'annee |du mois de |du mois d'|de |d')?|mi-)"
_A_MONTH = rf"{MONTH}\b(?: (?:de )?(?:l'annee )?{_A_YEAR})?"
_A_DAY = rf"(?:\d{{1,2}}/\d{{1,2}}/\d{{4}}|\d{{4}}-\d{{2}}-\d{{2}}|(?:{_WEEKDAY} )?{DAY} {MONTH}\b(?: {_A_YEAR})?)"
_POINT = rf"(?:{_A_DAY}|\d{{4}}-\d{{2}}|{_EDGE}?(?:{_A_MONTH}|(?:l'annee |l'an )?{_A_YEAR}))"
_UNIT = r"(?:jour|semaine|mois|an|annee)"
_RELATIVE = (
    rf"(?:il y a (?:environ |pres d[e'] ?)?(?P<ago>{_NUMBER}) (?P<ago_unit>{_UNIT})s?"
    rf"|(?:l'|la |le )?(?P<last>an|annee|semaine|mois|week-?end|{_WEEKDAY}) (?:derniere?|passee?)"
    rf"|(?:au cours des |dans les |ces |les )(?:(?P<recent>{_NUMBER}) )?derniere?s? (?P<recent_unit>{_UNIT})s?"
    r"|(?:cette (?P<this>semaine|annee)|ce (?P<this_month>mois))(?:-ci)?"
    r"|(?P<days_ago>avant[- ]hier|hier|aujourd'hui|ce jour|ce matin|ce soir|cet apres-midi))"
)
_TO = r"(?:et|a|au|jusqu'(?:en|a|au))"
_DECADE = r"(?:les |es )?annees (?P<decade>(?:18|19|20)\d0|[1-9]0)"
_WHEN = rf"(?:le |la )?(?:(?P<to>{_POINT})|{_RELATIVE}|{_DECADE})\b"
_NEWS = r"(?:actualites?|nouvelles|articles?|depeches?|infos?|informations?|evenements?|edition|journal|presse|journee)"

_PHRASES = tuple(
    re.compile(rf"(?<![\w-]){pattern}")
    for pattern in (
        rf"(?:entre |de |du |d')(?:le )?(?P<from>{_POINT}|{DAY}) {_TO} (?:le )?(?P<to>{_POINT})\b",
        r"en (?P<from>(?:19|20)\d{2}) ?[-–/] ?(?P<to>(?:19|20)\d{2})\b",
        rf"(?P<since>depuis|a partir d[eu]|des(?! (?:\d{{1,2}}|annees)\b)) {_WHEN}",
        rf"(?P<since>depuis) (?P<length>{_NUMBER}) (?P<length_unit>{_UNIT})s?\b",
        rf"(?P<after>apres) {_WHEN}",
        rf"(?P<before>avant) (?!hier){_WHEN}",
        rf"(?P<up_to>jusqu'(?:en|au|a)) {_WHEN}",
        rf"(?:en|courant|pendant|durant|au cours de) (?:le )?(?:mois de |mois d')?(?P<to>{_POINT})\b",
        rf"(?:(?:au|a la) )?(?P<to>(?:mois de |mois d'|{_EDGE})(?:{_A_MONTH}|{_A_YEAR})|l'an(?:nee)? {_A_YEAR})\b",
        rf"(?:le |la journee du |{_NEWS} (?:du |de |d'))(?P<to>{_A_DAY}|{MONTH} {_A_YEAR})\b",
        rf"(?:(?:dans |durant |pendant |au cours d(?=es )){_DECADE}|(?:dans |durant |pendant )?{_RELATIVE})\b",
    )
)
_USUAL_RECENT = {"jour": 7, "semaine": 4, "mois": 6, "an": 5, "annee": 5}
"""What "ces derniers jours" and the like mean, in their own unit."""

_Days = tuple[datetime.date, datetime.date]
_OpenDays = tuple[datetime.date | None, datetime.date | None]


@dataclass(frozen=True, slots=True)
class DatePhrase:
    """The words of a question that say when, as days.

    Attributes:
        since: first day, ``YYYY-MM-DD``, or None where open.
        until: last day, included, or None where open.
        span: the words in the question.
    """

    since: str | None
    until: str | None
    span: Span


def find_date_phrase(question: str, *, today: datetime.date) -> DatePhrase | None:
    """Find the words of a French question that say of when its documents should be.

    "en octobre 2022", "depuis 2019", "avant le 3 mai", "entre mars et mai 2020", "l'an dernier", "il y a trois jours".
    A month or day without a year is the last one that has begun; "début", "mi-" and "fin" mean the whole period. A year
    that no preposition introduces ("Coupe du monde 2022") or that counts things ("2022 personnes") says nothing.

    Args:
        question: as typed; accents are optional, either apostrophe will do.
        today: the day that relative words count from; weeks begin on Monday.

    Returns:
        The first such phrase, the longest of those that begin there, or None.
    """
    folded, offsets = fold(question)
    found = [match for pattern in _PHRASES for match in pattern.finditer(folded)]
    for match in sorted(found, key=lambda match: (match.start(), -match.end())):
        days = _days_of_phrase(match.groupdict(), today)
        if days is not None:
            since, until = (day.isoformat() if day else None for day in days)
            return DatePhrase(since, until, Span(offsets[match.start()], offsets[match.end() - 1] + 1))
    return None


def _days_of_phrase(parts: dict[str, str | None], today: datetime.date) -> _OpenDays | None:
    """First and last day of a matched phrase, None where open; None if it names a day that does not exist."""
    if length := parts.get("length"):
        return _back(today, _count(length), parts["length_unit"] or ""), None
    point, start = parts.get("to"), parts.get("from")
    days = _days_of_point(point, today) if point else _days_of_relative(parts, today)
    if days and start:
        days = _days_between(start, days[1], today)
    if days is None:
        return None
    if parts.get("after"):
        return days[1] + datetime.timedelta(days=1), None
    if parts.get("before"):
        return None, days[0] - datetime.timedelta(days=1)
    return None if parts.get("up_to") else days[0], None if parts.get("since") else days[1]


def _days_between(start: str, last: datetime.date, today: datetime.date) -> _Days | None:
    """Days from the words of a start to the last day; the start takes the month and year that it lacks from there."""
    if re.search(r"\d{4}", start):
        days = _days_of_point(start, today)
    elif re.search(MONTH, start):
        days = _days_of_point(f"{start} {last.year}", today)
        if days and days[0] > last:
            days = _days_of_point(f"{start} {last.year - 1}", today)
    else:
        days = _days_of_point(f"{start} {fold(MONTHS[last.month - 1])[0]} {last.year}", today)
    return (days[0], last) if days and days[0] <= last else None


def _days_of_point(point: str, today: datetime.date) -> _Days | None:
    """First and last day of a day, month or year in folded words; without a year, of the last that has begun."""
    words = re.search(rf"(?:\b{DAY} )?{MONTH}", point)
    year = re.search(r"\d{4}", point)
    if words and not year:
        # A leap day comes back after 8 years at most.
        candidates = (_days_of_date(f"{words[0]} {today.year - back}") for back in range(9))
        return next((days for days in candidates if days and days[0] <= today), None)
    return _days_of_date(f"{words[0]} {year[0]}" if words and year else point.rpartition(" ")[2].removeprefix("mi-"))


def _days_of_date(words: str) -> _Days | None:
    """First and last day of a date that `parse_date` reads."""
    date = parse_date(words)
    if date is None:
        return None
    first, last = date_bounds(date)
    return datetime.date.fromisoformat(first), datetime.date.fromisoformat(last)


def _days_of_relative(parts: dict[str, str | None], today: datetime.date) -> _Days:
    """First and last day of relative words, whose named parts are those of ``_RELATIVE`` and ``_DECADE``."""
    if decade := parts["decade"]:
        first_year = int(decade) if len(decade) == 4 else 1900 + int(decade)
        return datetime.date(first_year, 1, 1), datetime.date(first_year + 9, 12, 31)
    if unit := parts["recent_unit"]:
        recent = parts["recent"]
        number = _count(recent) if recent else _USUAL_RECENT[unit]
        return _back(today, number, unit), today
    if unit := parts["ago_unit"]:
        return _unit_around(_back(today, _count(parts["ago"] or ""), unit), unit)
    if unit := parts["last"]:
        return _last(unit, today)
    if unit := parts["this"] or parts["this_month"]:
        return _unit_around(today, unit)
    days_ago = {"hier": 1, "avant-hier": 2, "avant hier": 2}.get(parts["days_ago"] or "", 0)
    return _unit_around(_back(today, days_ago, "jour"), "jour")


def _count(words: str) -> int:
    """Value of a number in digits or in words."""
    return int(words) if words.isdigit() else _NUMBERS[words]


def _back(day: datetime.date, number: int, unit: str) -> datetime.date:
    """The day ``number`` units before; the last day of the month where that month is shorter."""
    if unit in ("jour", "semaine"):
        return day - datetime.timedelta(days=number * (7 if unit == "semaine" else 1))
    months = day.year * 12 + day.month - 1 - number * (1 if unit == "mois" else 12)
    year, month = months // 12, months % 12 + 1
    return datetime.date(year, month, min(day.day, monthrange(year, month)[1]))


def _unit_around(day: datetime.date, unit: str) -> _Days:
    """First and last day of the day, week, month or year that holds ``day``."""
    if unit == "jour":
        return day, day
    if unit == "semaine":
        monday = day - datetime.timedelta(days=day.weekday())
        return monday, monday + datetime.timedelta(days=6)
    return period(day.year, day.month if unit == "mois" else 0, 0)


def _last(unit: str, today: datetime.date) -> _Days:
    """First and last day of the last week, week-end, month, year or day of the week, today's not counted."""
    if unit in WEEKDAYS:
        day = _back(today, (today.weekday() - WEEKDAYS.index(unit) - 1) % 7 + 1, "jour")
        return day, day
    if unit.startswith("week"):
        sunday = _back(today, today.weekday() + 1, "jour")
        return _back(sunday, 1, "jour"), sunday
    return _unit_around(_back(today, 1, unit), unit)
