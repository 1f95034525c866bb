"""A question as it is searched: its terms, how rare each is, and its embedding."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from index.analyze import Analyzer
from index.background import Background
from index.embed import Embedder
from index.segments import Segments
from index.spelling import nearest_spellings, surface_of
from index.types import Hit

__all__ = ["Asked", "corpus_idfs", "names_among", "read_asked"]

_NAME = re.compile(r"[A-ZÀ-ÖØ-Þ\d]")


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A question as it is searched.

    Attributes:
        text: the question.
        tokens: its terms with their places in the text, as the analyzer gives them.
        idfs: inverse document frequency of each term, above 0.
        vector: its embedding, float32, shape ``(dimension,)``, of unit length or all zeros.
        respelled: terms that were put in the place of others that the corpus does not hold.
    """

    text: str
    tokens: Sequence[tuple[str, int, int]]
    idfs: Mapping[str, float]
    vector: NDArray[np.float32]
    respelled: frozenset[str] = field(default=frozenset())

    def spelled_as_in(self, hits: Sequence[Hit], analyzer: Analyzer) -> Asked:
        """Return the question with the words that were read otherwise, written as the hits write them.

        A word that no hit holds stays as it was typed.
        """
        text = self.text
        for term, start, end in sorted(self.tokens, key=lambda token: -token[1]):
            surface = surface_of(term, hits, analyzer) if term in self.respelled else None
            if surface is not None:
                text = text[:start] + surface + text[end:]
        return replace(self, text=text, tokens=analyzer.tokens(text)) if self.respelled else self


def read_asked(text: str, segments: Segments, *, analyzer: Analyzer, embedder: Embedder) -> Asked:
    """Read a question for some segments; words that they do not hold are read as the nearest that they do."""
    tokens = analyzer.tokens(text)
    meant = nearest_spellings(segments, [term for term, _, _ in tokens])
    tokens = [(meant.get(term, term), start, end) for term, start, end in tokens]
    idfs = corpus_idfs(segments, [term for term, _, _ in tokens])
    return Asked(text, tokens, idfs, embedder.embed_question(text), frozenset(meant.values()))


def corpus_idfs(segments: Segments, terms: Sequence[str]) -> dict[str, float]:
    """Return how rare each term is, above 0, in the corpus and in French news at large together."""
    background, n_passages = Background.bundled(), len(segments)
    counts = segments.document_frequencies(list(dict.fromkeys(terms)))
    return {term: background.idf(term, count=n, n_documents=n_passages) for term, n in counts.items()}


def names_among(text: str, tokens: Sequence[tuple[str, int, int]]) -> frozenset[str]:
    """Return the terms that were written with a capital, but not at the head of the text, or with a digit.

    Args:
        text: the question.
        tokens: its terms with their places.
    """
    return frozenset(term for term, start, end in tokens if start and _NAME.search(text, start, end))
