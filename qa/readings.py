"""What is read at once, and what a model's logits say of it: log-odds of each sentence and spans of its text (pure)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from index.embed import check_unicode
from index.errors import InputError
from index.types import Document, Sentence, Span

__all__ = [
    "MOST_CHARACTERS",
    "UNREAD",
    "Floats",
    "Ints",
    "Pieces",
    "Reading",
    "Window",
    "best_ends",
    "check_texts",
    "reading_of",
]

UNREAD = -20.0
"""Log-odds of a sentence of which nothing was read: one in half a billion."""

MOST_CHARACTERS = 32
"""Characters for each piece that may be read: what lies further on is not cut into pieces at all."""

_LONGEST_SPAN = 40
"""Most word pieces of a span."""

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ua4cf\uf900-\ufaff\U00020000-\U0003ffff"
"""Scripts that put no space between words, from Thai to Han: there a word is what the model says."""

_WORD = re.compile(rf"(?:[^\W_{_UNSPACED}]|[\u0300-\u036f]|(?<=\d)[.,\u00a0\u202f](?=\d))++")
"""Letters, with their accents, and digits; a number goes on over its point, comma and unbreakable spaces."""

_PAIRS = {"(": ")", ")": "(", "[": "]", "]": "[", "«": "»", "»": "«", "“": "”", "”": "“"}
_INITIAL = re.compile(r"(?:\b[A-ZÀ-Þ]|\.\w+)\.$")
"""A point that ends an initial or a short form of several, as in ``Washington D.C.``."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive sentences of one document, in its order, at least one: what is read at once."""

    sentences: tuple[Sentence, ...]

    def __post_init__(self) -> None:
        if not self.sentences:
            raise InputError("window: found no sentence, expected at least one")

    @property
    def document(self) -> Document:
        """The document of its sentences."""
        return self.sentences[0].document

    @property
    def span(self) -> Span:
        """From the start of its first sentence to the end of its last."""
        return Span(self.sentences[0].span.start, self.sentences[-1].span.end)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader says of a window.

    Attributes:
        answers: log-odds that the window answers the question.
        sentences: log-odds that each sentence holds the answer: `answers`, plus the logarithm of the share of the
            probability of the answer's start that lies in it; -20 for a sentence of which nothing was read.
        spans: the likeliest answer within each sentence, in the document's text, of whole words and numbers; empty, at
            the start of the sentence, where nothing of it was read.
        span_scores: probability of each of them if the window answers, that of its start times that of its end, in
            [0, 1]; 0 where nothing was read.
    """

    answers: float
    sentences: tuple[float, ...]
    spans: tuple[Span, ...]
    span_scores: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Pieces:
    """The word pieces of a window that are read.

    Attributes:
        places: first character of each in the document and the one after its last, shape ``(n, 2)``.
        owners: number of the sentence of each within the window, never falling, ``(n,)``.
    """

    places: Ints
    owners: Ints


def check_texts(question: str, windows: Sequence[Window]) -> None:
    """Refuse what is not valid Unicode.

    Raises:
        InputError: if the question, a sentence or a title holds a lone surrogate.
    """
    titles = (window.document.title or "" for window in windows)
    check_unicode([question, *titles, *(each.text for window in windows for each in window.sentences)])


def reading_of(
    window: Window, answers: float, start: NDArray[np.float32], end: NDArray[np.float32], pieces: Pieces
) -> Reading:
    """Return what logits of the first and the last piece, shape ``(n_pieces,)`` each, say of a window's sentences."""
    starts = _log_shares(start)
    ends, best = best_ends(starts, _log_shares(end), pieces.owners)
    odds, spans, scores = [], [], []
    for number, sentence in enumerate(window.sentences):
        own = np.flatnonzero(pieces.owners == number)
        if not len(own):
            odds.append(UNREAD)
            spans.append(Span(sentence.span.start, sentence.span.start))
            scores.append(0.0)
            continue
        first = own[best[own].argmax()]
        odds.append(answers + float(np.logaddexp.reduce(starts[own])))
        place = Span(int(pieces.places[first, 0]), int(pieces.places[ends[first], 1]))
        spans.append(_trimmed(sentence.document.text, _with_marks(sentence, _whole_words(sentence, place))))
        scores.append(float(np.exp(best[first])))
    return Reading(answers, tuple(odds), tuple(spans), tuple(scores))


def _log_shares(logits: NDArray[np.float32]) -> Floats:
    """Return the logarithm of the softmax."""
    shares: Floats = logits - np.logaddexp.reduce(logits.astype(np.float64))
    return shares


def best_ends(starts: Floats, ends: Floats, owners: Ints) -> tuple[Ints, Floats]:
    """Return the best last piece for each first piece, in its sentence and within `_LONGEST_SPAN`, and their sums."""
    sums = starts[:, None] + _ahead(ends, -np.inf)
    same = owners[:, None] == _ahead(owners, -1)
    sums[~same] = -np.inf
    places = np.arange(len(owners))
    reach = sums.argmax(axis=1)
    return places + reach, sums[places, reach]


def _ahead(values: NDArray[Any], beyond: float) -> NDArray[Any]:
    """Return each value with those after it, shape ``(n, _LONGEST_SPAN)``, and so many of another beyond the last."""
    padded = np.pad(values, (0, _LONGEST_SPAN), constant_values=beyond)
    return sliding_window_view(padded, _LONGEST_SPAN)[:-1]


def _whole_words(sentence: Sentence, span: Span) -> Span:
    """Return a span with all of the words that it begins and ends in: a piece may be a part of a word."""
    start, end = span.start, span.end
    for word in _WORD.finditer(sentence.document.text, sentence.span.start, sentence.span.end):
        if word.start() < span.start < word.end():
            start = word.start()
        if word.start() < span.end < word.end():
            end = word.end()
    return Span(start, end)


def _with_marks(sentence: Sentence, span: Span) -> Span:
    """Return a span with the combining marks that follow it: a tokenizer leaves them out of the letter's piece."""
    text, end = sentence.document.text, span.end
    while end < sentence.span.end and unicodedata.combining(text[end]):
        end += 1
    return Span(span.start, end)


def _trimmed(text: str, span: Span) -> Span:
    """Return a span without the spaces, the points and commas, and the lone quotation marks and brackets at its ends.

    Where nothing else is in it, only the spaces go.
    """
    start, end = span.start, span.end
    while start < end and _is_edge(text[start:end], 0):
        start += 1
    while start < end and _is_edge(text[start:end], -1):
        end -= 1
    if start < end:
        return _trimmed(text, Span(start, end)) if (start, end) != (span.start, span.end) else span
    held = text[span.start : span.end]
    start = span.start + len(held) - len(held.lstrip())
    return Span(start, max(start, span.start + len(held.rstrip())))


def _is_edge(text: str, place: int) -> bool:
    """Say whether the first or the last character does not belong to what is between."""
    character = text[place]
    if character.isspace() or character in ",;:!?…":
        return True
    if character == ".":
        return not (place == -1 and _INITIAL.search(text))
    if character in "'’":
        return place == 0
    if character == '"':
        return text.count(character) % 2 == 1
    partner = _PAIRS.get(character)
    return partner is not None and text.count(character) > text.count(partner)
