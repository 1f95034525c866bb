"""A whole document as the page shows it, with the cited sentence marked."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import PurePath

from index import Document, Span
from index.catalog import text_hash
from ui.markup import escape, escape_lines
from ui.words import count, date_in_words

__all__ = ["MAX_SHOWN", "citation_check", "render_whole"]

# Code points shown at once, some 500 pages: a browser takes seconds over more.
MAX_SHOWN = 1_000_000

_BLANK_LINES = re.compile(r"\n\s*\n")


def citation_check(text: str) -> str:
    """Return what tells the cited text from another that a document may hold at its place later."""
    return text_hash(text).hex()


def render_whole(document: Document, *, cited: Span | None = None, check: str | None = None) -> str:
    """Return a document as a fragment of HTML: its title, where it comes from, all of its text.

    Args:
        document: the document.
        cited: what is marked.
        check: `citation_check` of the sentence as it was cited; where the document says something else there by now,
            nothing is marked, and a line says so.
    """
    changed = cited is not None and citation_check(document.text[cited.start : cited.end]) != check
    marked = Span(document.body_start, document.body_start) if cited is None or changed else cited
    shown = _shown(document, marked)
    notes = []
    if changed:
        notes.append("Le document a changé depuis la réponse : la phrase citée n’y est plus à sa place.")
    if len(shown) < len(document.text) - document.body_start:
        notes.append(
            f"Ce document compte {count(len(document.text), 'caractère')} : une partie est montrée, le fichier a tout."
        )
    name = PurePath(document.source).name
    where = [date_in_words(document.date)] if document.date else []
    where += [name] if document.title else []
    where += [count(len(document.text), "caractère")]
    told = "".join(f'<p class="notice">{escape(note)}</p>' for note in notes)
    return (
        f'<h2 id="whole-title">{escape(document.title or name)}</h2>'
        f'<p class="where">{escape(" · ".join(where))}</p>{told}'
        f'<div class="passage">{_body(document, shown, marked)}</div>'
    )


def _shown(document: Document, marked: Span) -> Span:
    """Return the whole body, with the header where the sentence is there; of a very long one, what is near."""
    start = min(document.body_start, marked.start)
    if len(document.text) - start <= MAX_SHOWN:
        return Span(start, len(document.text))
    first = max(start, min(marked.start - MAX_SHOWN // 2, len(document.text) - MAX_SHOWN))
    return Span(first, max(marked.end, min(len(document.text), first + MAX_SHOWN)))


def _body(document: Document, shown: Span, marked: Span) -> str:
    """Return the text with its mark, and the number of each page where it begins."""
    inside = [page for page in document.pages if shown.start <= page < shown.end]
    cuts = sorted({shown.start, marked.start, marked.end, shown.end, *inside})
    parts = []
    for start, end in pairwise(cuts):
        if start in inside:
            parts.append(f'<span class="page">page {document.page_at(start)}</span>')
        text = _paragraphs(document.text[start:end])
        parts.append(f"<mark>{text}</mark>" if marked.start <= start and end <= marked.end else text)
    return "".join(parts)


def _paragraphs(text: str) -> str:
    return '<span class="gap"></span>'.join(escape_lines(part) for part in _BLANK_LINES.split(text))
