"""Words of a question that the corpus does not hold, read as the nearest one that it does: "Stoltenbeg".

The segments know terms by their hashes alone, so every spelling one step away is tried (Damerau, 1964: a letter left
out, added, changed, or two swapped): some five hundred hashes a word, in half a millisecond.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from index.analyze import Analyzer
from index.background import Background
from index.lexical import hashes_of
from index.segments import Segments
from index.types import Hit

__all__ = ["nearest_spellings", "surface_of"]

_MIN_LETTERS = 5
"""Shorter words have too many neighbours."""

_MAX_WORDS = 4
"""Unknown words of a question that are looked at; more of them mean another language."""


def nearest_spellings(segments: Segments, terms: Sequence[str]) -> dict[str, str]:
    """Return the term of the corpus that is meant by each term that it does not hold, where one is a step away.

    A term that French news at large hold is spelled rightly, whatever the corpus holds. Of several, the most frequent
    is meant; of equals, the first in the alphabet.
    """
    background = Background.bundled()
    asked = [
        term
        for term in dict.fromkeys(terms)
        if len(term) >= _MIN_LETTERS and term.isalpha() and not background.count(term)
    ]
    unknown = [term for term, count in zip(asked, _counts(segments, asked), strict=True) if not count]
    meant = {}
    for term in unknown[:_MAX_WORDS]:
        tried = sorted(set(_one_step_away(term)))
        found = _counts(segments, tried)
        if found.any():
            meant[term] = tried[int(np.argmax(found))]
    return meant


def _counts(segments: Segments, terms: Sequence[str]) -> NDArray[np.int64]:
    """Return how many texts and titles hold each term."""
    hashes = hashes_of(terms)
    counts = np.zeros(len(terms), dtype=np.int64)
    for part in segments.parts.values():
        counts += part.body.counts_of(hashes) + part.title.counts_of(hashes)
    return counts


def _one_step_away(term: str) -> Iterator[str]:
    for i in range(len(term) + 1):
        head, tail = term[:i], term[i:]
        if tail:
            yield head + tail[1:]
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
        for letter in string.ascii_lowercase:
            yield head + letter + tail
            if tail:
                yield head + letter + tail[1:]


def surface_of(term: str, hits: Sequence[Hit], analyzer: Analyzer) -> str | None:
    """Return how the first hit that holds a term writes it, in its text or its title; None where none does."""
    for hit in hits:
        for text in (hit.passage.text, hit.passage.document.title or ""):
            for found, start, end in analyzer.tokens(text):
                if found == term:
                    return text[start:end]
    return None
