"""Short answers whose brackets and quotation marks are whole (pure).

Rules that lengthen or cut a span further (whole names, units, relative clauses, what follows a comma) were tried on
6,174 training questions whose sentence the reader had: none changed exact match or F1 by more than 0.001.
"""

from __future__ import annotations

from index.types import Span

__all__ = ["balanced"]

_PAIRS = (("(", ")"), ("[", "]"), ("«", "»"), ("“", "”"))
_MARKS = " \t\n,;:"


def balanced(text: str, span: Span) -> Span:
    """Return a span whose brackets and quotation marks come in pairs: cut at one that stands alone, or with its twin.

    Args:
        text: the text that the span is of.
        span: a short answer; returned as it is where nothing would be left of it.
    """
    start, end = span.start, span.end
    for opening, closing in _PAIRS:
        inside = text[start:end]
        if inside.count(opening) > inside.count(closing):
            end = start + inside.rindex(opening)
        elif inside.count(closing) > inside.count(opening):
            start = start + inside.index(closing) + 1
    if text[start:end].count('"') % 2:
        start, end = _quoted(text, start, end)
    while start < end and text[start] in _MARKS:
        start += 1
    while start < end and text[end - 1] in _MARKS:
        end -= 1
    return Span(start, end) if start < end else span


def _quoted(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a span with the quotation mark that it lacks where it stands beside it, else its longer part."""
    if text[end : end + 1] == '"':
        return start, end + 1
    if text[start - 1 : start] == '"' and start > 0:
        return start - 1, end
    mark = start + text[start:end].index('"')
    return (start, mark) if mark - start >= end - mark else (mark + 1, end)
