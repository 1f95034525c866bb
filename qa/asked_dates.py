"""The dates that a question asks for, as a filter of documents (pure)."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace

from index.dates import find_date_phrase
from index.filters import Filter

__all__ = ["AskedDates", "read_asked_dates", "without_dates"]

_ANY_DAY = datetime.date(2020, 1, 1)
"""Where words of dates are only looked for, which days they mean does not matter."""

_EARLIER = datetime.timedelta(days=31)
_LATER = datetime.timedelta(days=92)
"""How far outside of the period the documents may be dated: events are announced before and told of after. Of 2,411
training questions on the news with such words, the article is dated in the period in 81 %, and with these in 90 %."""


@dataclass(frozen=True, slots=True)
class AskedDates:
    """What the words of a question say of the dates of documents.

    Attributes:
        words: the words, as typed.
        only: the filter that the caller gave, with these dates.
    """

    words: str
    only: Filter


def read_asked_dates(question: str, only: Filter, *, today: datetime.date) -> AskedDates | None:
    """Return the dates that a question asks for, or None where it has none or the caller gave some.

    Args:
        question: as it is searched.
        only: what the caller asked for.
        today: the day that "hier" and the like count from.
    """
    if only.since or only.until:
        return None
    phrase = find_date_phrase(question, today=today)
    if phrase is None:
        return None
    since = _moved(phrase.since, -_EARLIER) if phrase.since else None
    until = _moved(phrase.until, _LATER) if phrase.until else None
    return AskedDates(question[phrase.span.start : phrase.span.end], replace(only, since=since, until=until))


def _moved(day: str, by: datetime.timedelta) -> str:
    """Return a day some days earlier or later, within what the calendar holds."""
    try:
        return (datetime.date.fromisoformat(day) + by).isoformat()
    except OverflowError:
        return day


def without_dates(question: str) -> str:
    """Return a question without its first words that say of when its documents should be."""
    phrase = find_date_phrase(question, today=_ANY_DAY)
    return question if phrase is None else f"{question[: phrase.span.start].rstrip(' ,')}{question[phrase.span.end :]}"
