"""Questions and answers as messages of the conversation."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence

from index import SourcierError
from qa import Answer, Citation, Statement
from qa.draft import UNSUPPORTED_SIGN
from qa.generate import escape as escape_markdown
from qa.small_talk import is_talk
from ui.checks import render_checks, render_mark
from ui.markup import escape, escape_lines
from ui.words import confidence_in_words, count, date_in_words, error_in_words

__all__ = ["render_answer", "render_error", "render_further", "render_question"]

_BLANK_LINES = re.compile(r"\n\s*\n")
# The Markdown of an answer: a character after a backslash is itself, ``**…**`` is bold, ``[1]`` is a marker.
_INLINE = re.compile(r"\\(?P<literal>[^a-zA-Z0-9\s])|\*\*(?P<bold>(?:\\.|[^*\\])+)\*\*|\[(?P<marker>\d+)\]")

# What follows a statement that a language model wrote: the sign of one without support, and its markers.
_AFTER_STATEMENT = re.compile(rf"(?: {UNSUPPORTED_SIGN})?((?: \[\d+\])*) ?")


def render_question(question: str) -> str:
    """Return a question as it was typed."""
    return f'<div class="question">{escape_lines(question)}</div>'


def render_error(error: SourcierError) -> str:
    """Return what happened and what is safe, as a message."""
    return f'<div class="failure" role="alert">{escape(error_in_words(error))}</div>'


def render_further(questions: Sequence[str]) -> str:
    """Return questions to ask next as chips; nothing for none."""
    chips = " ".join(f'<button type="button" class="chip ask">{escape(each)}</button>' for each in questions)
    return f'<p class="further">{chips}</p>' if chips else ""


def render_answer(answer: Answer, turn: int) -> str:
    """Return an answer, or its refusal, as one HTML block without a blank line.

    Args:
        answer: what the chatbot said; nothing yet while a language model is silent.
        turn: its number in the conversation, which ties its markers to the sections of the source panel.
    """
    if answer.is_written and not answer.text:
        return '<div class="waiting" role="status">Le modèle de langage n’a encore rien écrit…</div>'
    read = _understood(answer) + _dates(answer) + _notice(answer)
    if not answer.answered:
        if is_talk(answer.question):
            return f'<div class="refusal talk">{_paragraph(answer.text, deque(), answer, turn)}</div>'
        return f'<div class="refusal">{read}{_refusal(answer, turn)}</div>'
    statements = deque(answer.statements if answer.is_written else ())
    body = "".join(_paragraph(text, statements, answer, turn) for text in _BLANK_LINES.split(answer.text.strip()))
    sources = f'<a class="show" href="#sources-{turn}">{count(len(answer.citations), "source")}</a>'
    copy = f'<button type="button" class="copy-answer turn-{turn}">Copier avec les sources</button>'
    judge = _judge(turn, good="Bonne réponse", bad="Mauvaise réponse")
    notes = f'<p class="notes">Confiance {confidence_in_words(answer.confidence)} · {sources} {copy} {judge}</p>'
    checks = render_checks(answer.statements) if answer.is_written else ""
    return f'<div class="answer">{read}{body}{_meanings(answer)}{checks}{notes}</div>'


def _judge(turn: int, *, good: str, bad: str) -> str:
    """Return the two buttons that say what an answer is worth; of a button Gradio keeps the classes, but no data."""
    return "".join(
        f' <button type="button" class="judge {judgement} turn-{turn}">{label}</button>'
        for judgement, label in (("good", good), ("bad", bad))
    )


def _understood(answer: Answer) -> str:
    """Return how a follow-up was read, to be changed and asked again; nothing where it was read as typed."""
    if answer.understood_as == answer.question:
        return ""
    edit = '<button type="button" class="chip edit">modifier</button>'
    reading = f'<span class="reading">{escape(answer.understood_as)}</span>'
    return f'<p class="understood">Compris comme : {reading} {edit}</p>'


def _dates(answer: Answer) -> str:
    """Return the dates that documents had to have; where they were read from the question, what asks without them."""
    if answer.dates is None:
        return ""
    bounds = " – ".join(date_in_words(day) if day else "…" for day in (answer.dates.since, answer.dates.until))
    again = (
        ""
        if answer.dates_read is None
        else (
            '<button type="button" class="chip undated"'
            f' aria-label="Chercher sans ce filtre de dates">{escape(answer.dates_read)} ✕</button>'
        )
    )
    return f'<p class="dates">Documents datés : {escape(bounds)} {again}</p>'


def _notice(answer: Answer) -> str:
    return f'<p class="notice">{escape(answer.notice)}</p>' if answer.notice else ""


def _refusal(answer: Answer, turn: int) -> str:
    nearest = (
        f'<a class="show" href="#sources-{turn}">Voir les phrases les plus proches</a>' if answer.citations else ""
    )
    judge = _judge(turn, good="En effet", bad="La réponse y est")
    return f'<p class="sorry">Sans réponse</p><p>{escape_lines(answer.text)}</p><p class="notes">{nearest} {judge}</p>'


def _paragraph(text: str, statements: deque[Statement], answer: Answer, turn: int) -> str:
    """Return a paragraph, with a mark after each statement that was checked; takes these from ``statements``."""
    citations = {citation.marker: citation for citation in answer.citations}
    parts: list[str] = []
    while statements and text.startswith(told := escape_markdown(statements[0].text)):
        after = _AFTER_STATEMENT.match(text, len(told))
        assert after is not None  # it matches nothing, too
        statement = statements.popleft()
        parts.append(f"{_inline(told, citations, turn)}{_inline(after[1], citations, turn)} {render_mark(statement)} ")
        text = text[after.end() :]
    tag = "blockquote" if text.startswith("«") and not parts else "p"
    return f"<{tag}>{''.join(parts)}{_inline(text, citations, turn)}</{tag}>"


def _inline(text: str, citations: dict[int, Citation], turn: int) -> str:
    parts: list[str] = []
    end = 0
    for match in _INLINE.finditer(text):
        parts.append(escape_lines(text[end : match.start()]))
        if match["literal"] is not None:
            parts.append(escape(match["literal"]))
        elif match["bold"] is not None:
            parts.append(f"<strong>{_inline(match['bold'], citations, turn)}</strong>")
        else:
            citation = citations.get(int(match["marker"]))
            parts.append(_marker(citation, turn) if citation else escape(match[0]))
        end = match.end()
    parts.append(escape_lines(text[end:]))
    return "".join(parts)


def _marker(citation: Citation, turn: int) -> str:
    return (
        f'<a class="marker" href="#source-{turn}-{citation.marker}" title="{escape(citation.text)}"'
        f' aria-label="Source {citation.marker}">{citation.marker}</a>'
    )


def _meanings(answer: Answer) -> str:
    """Return what "mardi" and the like in the sentences cited mean."""
    told = dict.fromkeys((note.text, note.meaning) for citation in answer.citations for note in citation.date_notes)
    said = " · ".join(f"« {escape(text)} » : {escape(meaning)}" for text, meaning in told)
    return f'<p class="dates">{said}</p>' if said else ""
