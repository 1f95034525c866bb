"""Search of one generation: candidates of both indexes, each scored by both, in one ranking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from index.analyze import Analyzer
from index.background import Background
from index.catalog import Catalog
from index.dates import date_bounds
from index.derived import Derived
from index.errors import InputError
from index.rank import K1, FusionWeights, bm25, fuse
from index.types import Hit, Passage

__all__ = ["MAX_QUESTION_CHARS", "check_question", "corpus_idfs", "search_passages"]

MAX_QUESTION_CHARS = 2_000
"""Longer than any question; a text of that length is a document."""

_CANDIDATES = 40
"""Passages taken from each index before fusion, and at least ``k``."""


def check_question(question: str) -> str:
    """Return a question trimmed.

    Raises:
        InputError: if it is empty or longer than `MAX_QUESTION_CHARS`.
    """
    text = question.strip()
    if not text:
        raise InputError("la question est vide : écrivez une question")
    if len(text) > MAX_QUESTION_CHARS:
        raise InputError(
            f"la question compte {len(text)} caractères, {MAX_QUESTION_CHARS} au plus : posez-la en une phrase"
        )
    return text


def search_passages(
    catalog: Catalog,
    state: Derived,
    analyzer: Analyzer,
    *,
    idfs: Mapping[str, float],
    vector: NDArray[np.float32],
    k: int,
    period: tuple[str | None, str | None] = (None, None),
    weights: FusionWeights,
) -> list[Hit]:
    """Return the passages that fit a question best, best first; equal ones by source and place.

    Args:
        catalog: read at the generation of ``state``.
        state: the derived indexes.
        analyzer: text to terms.
        idfs: inverse document frequency of each term of the question.
        vector: its embedding, float32, shape ``(dimension,)``, of unit length or all zeros.
        k: passages wanted, at least 1.
        period: first and last date wanted, ISO of any precision, None where open; undated documents are left out
            unless both are None.
        weights: how the scores are fused.

    Raises:
        InputError: if ``k < 1`` or a date is none.
    """
    if k < 1:
        raise InputError(f"k = {k}: expected at least 1")
    depth = max(k, _CANDIDATES)
    days = allowed = None
    since, until = period
    if since or until:
        first, last = (date_bounds(since)[0] if since else None), (date_bounds(until)[1] if until else None)
        days = _ordinal(first), _ordinal(last)
        allowed = catalog.passages_dated(since=first, until=last)
    found = state.lexical.search(list(idfs), k=depth, title_boost=weights.title, days=days)
    near = state.vectors.search(vector, k=depth, allowed=allowed)
    wanted = list(dict.fromkeys(number for number, _ in [*found, *near]))
    passages, stored = catalog.passages(wanted), catalog.vectors(wanted)
    numbers = [number for number in wanted if number in passages]
    cosines = [float(stored[number].astype(np.float32) @ vector) for number in numbers]
    hits = _fused(state, analyzer, idfs, [passages[number] for number in numbers], cosines, weights=weights)
    return sorted(hits, key=lambda hit: (-hit.score, hit.passage.document.source, hit.passage.span.start))[:k]


def corpus_idfs(state: Derived, terms: Sequence[str]) -> dict[str, float]:
    """Return how rare each term is, above 0, in the corpus and in French news at large together."""
    background, n_passages = Background.bundled(), len(state.vectors)
    counts = {term: state.lexical.document_frequency(term) for term in terms}
    return {term: background.idf(term, count=n, n_documents=n_passages) for term, n in counts.items()}


def _fused(
    state: Derived,
    analyzer: Analyzer,
    idfs: Mapping[str, float],
    passages: Sequence[Passage],
    cosines: Sequence[float],
    *,
    weights: FusionWeights,
) -> list[Hit]:
    best = sum(idfs.values()) * (K1 + 1.0)
    mean_terms = state.mean_terms or 1.0
    hits = []
    for passage, cosine in zip(passages, cosines, strict=True):
        score = bm25(analyzer.terms(passage.text), idfs, mean_terms=mean_terms)
        score += weights.title * bm25(analyzer.terms(passage.document.title or ""), idfs, mean_terms=mean_terms)
        hits.append(Hit(passage, fuse(score, cosine, best=best, weights=weights), score, cosine))
    return hits


def _ordinal(day: str | None) -> int | None:
    return date.fromisoformat(day).toordinal() if day else None
