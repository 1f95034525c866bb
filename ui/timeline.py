"""A picture of the corpus over time: one bar for each month, year or decade, which filters the list of documents."""

from __future__ import annotations

from index.listing import DateCounts, Unit
from ui.markup import escape
from ui.words import count, date_in_words

__all__ = ["period_in_words", "render_timeline"]

UNIT_WORDS: dict[Unit, str] = {"month": "mois", "year": "an", "decade": "décennie"}
SHORT_MONTHS = ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.")

# Up to this many bars are wide, and have their own names under them, as many as there is room for.
FEW = 24


def period_in_words(period: str) -> str:
    """Write what the beginning of an ISO day stands for: ``octobre 2022``, ``2022``, ``années 2020``."""
    return f"années {period}0" if len(period) == 3 else date_in_words(period)


def render_timeline(counts: DateCounts, *, during: str, scope: str) -> str:
    """Return the picture; nothing where no document has a date that fits one bar.

    Args:
        counts: documents of each time.
        during: the period that the list shows, empty for all.
        scope: the longer period that the picture is confined to, empty for all.
    """
    if not counts.counts:
        return ""
    n_of = dict(counts.counts)
    periods = _periods(counts.counts[0][0], counts.counts[-1][0])
    most = max(n_of.values())
    reached = during if during in n_of else next(iter(n_of))
    bars = "".join(
        _bar(period, n_of[period], most, pressed=period == during, reached=period == reached)
        if period in n_of
        else _gap(period)
        for period in periods
    )
    labels = "".join(_label(n, period, len(periods)) for n, period in enumerate(periods))
    unit = UNIT_WORDS[counts.unit]
    back = ""
    if scope:
        back = ' <button type="button" class="chip" data-during="">Toutes les années</button>'
    return (
        f'<div class="timeline"><p class="notes">{escape(_summary(counts, periods, unit))}{back}</p>'
        f'<div class="bars{" few" if len(periods) <= FEW else ""}" style="--n:{len(periods)}" role="group"'
        f' aria-label="{escape(f"Documents par {unit} ; les flèches passent de l’un à l’autre")}">{bars}{labels}</div>'
        "</div>"
    )


def _summary(counts: DateCounts, periods: list[str], unit: str) -> str:
    first, last = period_in_words(periods[0]), period_in_words(periods[-1])
    span = f"{first} → {last}" if len(periods) > 1 else first
    n_empty = len(periods) - len(counts.counts)
    noun = unit if unit == "mois" else f"{unit}{'s' if n_empty > 1 else ''}"
    empty = f" · {n_empty} {noun} sans document" if n_empty else ""
    return f"Documents par {unit}, {span}{empty}"


def _bar(period: str, n: int, most: int, *, pressed: bool, reached: bool) -> str:
    """Return one bar; the Tab key reaches one of them, arrows the others."""
    said = escape(f"{period_in_words(period)} : {count(n, 'document')}")
    return (
        f'<button type="button" class="bar" data-during="{escape(period)}" aria-pressed="{str(pressed).lower()}"'
        f' tabindex="{0 if reached else -1}" title="{said}" aria-label="{said}"'
        f' style="--share:{n / most:.4f}"></button>'
    )


def _gap(period: str) -> str:
    return f'<span class="none" title="{escape(f"{period_in_words(period)} : aucun document")}"></span>'


def _label(place: int, period: str, n_periods: int) -> str:
    """Return what stands under a bar, where something does."""
    is_few = n_periods <= FEW
    if len(period) == 7:
        month = f"{SHORT_MONTHS[int(period[5:]) - 1]} {period[:4]}"
        text = month if is_few and place % 3 == 0 else period[:4] if not is_few and period.endswith("-01") else ""
    else:
        is_named = place % 2 == 0 if is_few else period.endswith("0")
        text = f"{period:0<4}" if is_named else ""
    return f'<span class="when" aria-hidden="true" style="--at:{place + 1}">{text}</span>' if text else ""


def _periods(first: str, last: str) -> list[str]:
    """Return every period from one to another, both included."""
    if len(first) < 7:
        return [str(number) for number in range(int(first), int(last) + 1)]
    start, end = (int(day[:4]) * 12 + int(day[5:]) - 1 for day in (first, last))
    return [f"{month // 12}-{month % 12 + 1:02d}" for month in range(start, end + 1)]
