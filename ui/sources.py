"""The source panel: each cited sentence, highlighted where it stands in its document."""

from __future__ import annotations

import re
from pathlib import PurePath

from index import CorpusIndex, Document, InputError, Span
from qa import Answer, Citation
from qa.small_talk import is_talk
from ui.document_routes import original_address, text_address
from ui.markup import escape, escape_lines
from ui.whole import citation_check
from ui.words import date_in_words

__all__ = ["NEAREST", "passage_around", "render_panel", "render_sources"]

BEFORE_ANY_ANSWER = "Les phrases qui prouvent la réponse apparaîtront ici, à leur place dans le document."
NEAREST = "Phrases les plus proches, qui ne répondent pas à la question"

# Code points of context wanted on each side of a cited sentence: about one paragraph of a news article.
REACH = 420

_BLANK_LINES = re.compile(r"\n\s*\n")


def render_panel(sections: list[str]) -> str:
    """Return the whole panel: one section an answer, of which the page shows one at a time, first the last."""
    body = "".join(sections) if sections else f'<p class="empty">{BEFORE_ANY_ANSWER}</p>'
    steps = (
        '<div class="steps" hidden><button type="button" class="step" data-step="-1" aria-label="Citation précédente">'
        '‹</button><span class="place" aria-live="polite"></span><button type="button" class="step" data-step="1"'
        ' aria-label="Citation suivante">›</button></div>'
    )
    close = '<button type="button" class="close" aria-label="Fermer les sources">✕</button>'
    return f'<div class="proof-panel"><div class="proof-head"><h2>Sources</h2>{steps}{close}</div>{body}</div>'


def render_sources(answer: Answer, turn: int, *, corpus: CorpusIndex) -> str:
    """Return the section of one answer: its citations, or the nearest sentences where it is a refusal.

    Args:
        answer: what the chatbot said.
        turn: its number in the conversation.
        corpus: where the cited documents are.
    """
    kind = "proofs" if answer.answered else "nearest"
    heading = "" if answer.answered or not answer.citations else f'<h3 class="warning">{escape(NEAREST)}</h3>'
    cards = "".join(_card(citation, turn, corpus) for citation in answer.citations)
    if not cards and not is_talk(answer.question):
        cards = '<p class="empty">Aucune phrase des documents ne s’en approche.</p>'
    about = f'<p class="about">{escape(answer.question)}</p>'
    return f'<section class="sources {kind}" id="sources-{turn}" tabindex="-1">{about}{heading}{cards}</section>'


def passage_around(document: Document, start: int, end: int) -> Span:
    """Return the part of a document to show around a cited sentence.

    Whole paragraphs where they fit within `REACH`, else whole words; never less than ``[start, end)``, and nothing of
    the document's header unless the sentence is there.
    """
    text = document.text
    first, last = max(min(document.body_start, start), start - REACH), min(len(text), end + REACH)
    if first > document.body_start:
        cuts = (text.find("\n", first, start), text.find(" ", first, start), start - 1)
        first = next(cut for cut in cuts if cut >= 0) + 1
    if last < len(text):
        cuts = (text.rfind("\n", end, last), text.rfind(" ", end, last), end)
        last = next(cut for cut in cuts if cut >= 0)
    return Span(first, last)


def _card(citation: Citation, turn: int, corpus: CorpusIndex) -> str:
    name = PurePath(citation.source).name
    where = [date_in_words(citation.date)] if citation.date else []
    where += [f"page {citation.page}"] if citation.page else []
    if citation.title:
        where.append(name)
    return (
        f'<article class="source" id="source-{turn}-{citation.marker}" tabindex="-1"'
        f' aria-label="Source {citation.marker}"><header><span class="number">{citation.marker}</span>'
        f"<div><h3>{escape(citation.title or name)}</h3>"
        f'<p class="where" title="{escape(citation.source)}">{escape(" · ".join(where))}</p></div></header>'
        f'<div class="passage">{_passage(citation, corpus)}</div>'
        f'<button type="button" class="copy" data-copy="{escape(_quotation(citation, where or [name]))}">'
        f"Copier la citation</button>{_fault(citation, turn)}{_tools(citation, corpus)}</article>"
    )


def _tools(citation: Citation, corpus: CorpusIndex) -> str:
    """Return what shows the whole document, and what saves its file, or its text where it is but a part of a file."""
    original = original_address(citation.source, corpus.listing.file_of(citation.source))
    address, label = (original, "Fichier d’origine") if original else (text_address(citation.source), "Texte (.txt)")
    return (
        f'<br><button type="button" class="whole" data-source="{escape(citation.source)}" data-start="{citation.start}"'
        f' data-end="{citation.end}" data-check="{citation_check(citation.text)}">Document entier</button>'
        f'<a class="file" href="{address}" target="_blank" rel="noopener">{label}</a>'
    )


def _fault(citation: Citation, turn: int) -> str:
    return (
        f'<button type="button" class="copy judge" data-judge="unsupported" data-turn="{turn}"'
        f' data-marker="{citation.marker}" aria-pressed="false">Cette phrase ne le dit pas</button>'
    )


def _quotation(citation: Citation, where: list[str]) -> str:
    return f"« {citation.text} » ({', '.join([*([citation.title] if citation.title else []), *where])})"


def _passage(citation: Citation, corpus: CorpusIndex) -> str:
    sentence = f"<mark>{escape_lines(citation.text)}</mark>"
    document = _document_as_cited(citation, corpus)
    if document is None:
        return f'{sentence}<p class="where">Le document a changé depuis : la phrase est montrée seule.</p>'
    shown = passage_around(document, citation.start, citation.end)
    before = document.text[shown.start : citation.start].lstrip()
    after = document.text[citation.end : shown.end].rstrip()
    opening = "… " if shown.start > document.body_start else ""
    closing = " …" if shown.end < len(document.text.rstrip()) else ""
    return f"{opening}{_paragraphs(before)}{sentence}{_paragraphs(after)}{closing}"


def _paragraphs(text: str) -> str:
    return '<span class="gap"></span>'.join(escape_lines(part) for part in _BLANK_LINES.split(text))


def _document_as_cited(citation: Citation, corpus: CorpusIndex) -> Document | None:
    """Return the cited document, or None where another change has altered or removed it since the answer."""
    try:
        document = corpus.document(citation.source)
    except InputError:
        return None
    return document if document.text[citation.start : citation.end] == citation.text else None
