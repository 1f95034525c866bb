"""Search of one generation: candidates by terms and by embedding, each scored by both, in one ranking."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from index.background import Background
from index.catalog import Catalog
from index.errors import InputError
from index.filters import Filter
from index.lexical import hashes_of
from index.rank import K1, FusionWeights, fuse
from index.segments import Segments
from index.types import Hit

__all__ = [
    "EXACT_ROWS",
    "MAX_QUESTION_CHARS",
    "check_question",
    "corpus_idfs",
    "lexical_scores",
    "nearest_passages",
    "search_passages",
]

_Result = TypeVar("_Result")

MAX_QUESTION_CHARS = 2_000
"""Longer than any question; a text of that length is a document."""

EXACT_ROWS = 65_536
"""Passages up to which every embedding is compared; above, candidates are chosen by their codes."""

_CODED, _MIN_CODED = 1_024, 64
"""Passages that the codes choose in all, and at least in each segment; their recall stands in benchmarks/README.md."""

_CANDIDATES = 40
"""Passages taken by terms and by embedding before fusion, and at least ``k``."""

_MAX_TIES = 1_000
"""Passages of one score that are told apart by source and place."""

_EQUAL = 1e-6
"""Cosines in single precision that differ by less may be those of equal embeddings."""

_DIGITS = 9
"""Digits of a score that count: below them it depends on the order of additions."""


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
    segments: Segments,
    *,
    idfs: Mapping[str, float],
    vector: NDArray[np.float32],
    k: int,
    only: Filter,
    weights: FusionWeights,
) -> list[Hit]:
    """Return the passages that fit a question best, best first; equal ones by source and place.

    Args:
        catalog: read at the generation of ``segments``.
        segments: what is searched.
        idfs: inverse document frequency of each term of the question.
        vector: its embedding, float32, shape ``(dimension,)``, of unit length or all zeros.
        k: passages wanted, at least 1.
        only: which documents may be found.
        weights: how the scores are fused.

    Raises:
        InputError: if ``k < 1``.
    """
    _check_k(k)
    allowed = only.rows(catalog, segments)
    depth = max(k, _CANDIDATES)
    with ThreadPoolExecutor(max_workers=1) as aside:  # the two halves of a large corpus take some milliseconds each
        search = aside.submit if len(segments) > EXACT_ROWS else _now
        near = search(_nearest_rows, segments, vector, k=depth, allowed=allowed)
        scores = lexical_scores(segments, idfs, title_weight=weights.title)
        by_terms = _best_rows(scores, k=depth, allowed=allowed)
        by_embedding = near.result()
    rows = np.union1d(by_terms, by_embedding)
    lexical, cosines = np.concatenate([np.empty(0), *scores])[rows], _cosines(segments, vector, rows)
    best = sum(idfs.values()) * (K1 + 1.0)
    fused = fuse(lexical, cosines, best=best, weights=weights)
    return _hits(catalog, segments, rows, k=k, scores=fused, lexical=lexical, cosines=cosines)


def nearest_passages(
    catalog: Catalog, segments: Segments, *, vector: NDArray[np.float32], k: int, only: Filter
) -> list[Hit]:
    """Return the passages whose embeddings lie nearest to a vector, best first; ``score`` is the cosine.

    Raises:
        InputError: if ``k < 1``.
    """
    _check_k(k)
    rows = _nearest_rows(segments, vector, k=k, allowed=only.rows(catalog, segments))
    cosines = _cosines(segments, vector, rows)
    return _hits(catalog, segments, rows, k=k, scores=cosines, lexical=np.zeros(len(rows)), cosines=cosines)


def corpus_idfs(segments: Segments, terms: Sequence[str]) -> dict[str, float]:
    """Return how rare each term is, above 0, in the corpus and in French news at large together."""
    background, n_passages = Background.bundled(), len(segments)
    counts = segments.document_frequencies(list(dict.fromkeys(terms)))
    return {term: background.idf(term, count=n, n_documents=n_passages) for term, n in counts.items()}


def _now(function: Callable[..., _Result], *arguments: Any, **options: Any) -> Future[_Result]:
    """Call a function, and return what it gave as `ThreadPoolExecutor.submit` does."""
    future: Future[_Result] = Future()
    future.set_result(function(*arguments, **options))
    return future


def _check_k(k: int) -> None:
    if k < 1:
        raise InputError(f"k = {k}: expected at least 1")


def lexical_scores(segments: Segments, idfs: Mapping[str, float], *, title_weight: float) -> list[NDArray[np.float64]]:
    """Return the BM25 score of every row of each segment, its title's included, shape ``(n_rows,)`` each."""
    hashes, weights = hashes_of(idfs), np.fromiter(idfs.values(), dtype=np.float64)
    scores = []
    for part, (body_norms, title_norms) in zip(segments.parts.values(), segments.norms, strict=True):
        rows, impacts = part.body.impacts(hashes, weights, body_norms)
        title_rows, title_impacts = part.title.impacts(hashes, weights * title_weight, title_norms)
        held, given = np.append(rows, title_rows), np.append(impacts, title_impacts)
        scores.append(np.bincount(held, weights=given, minlength=len(part)).astype(np.float64, copy=False))
    return scores


def _best_rows(
    scores: Sequence[NDArray[np.float64]], *, k: int, allowed: Sequence[NDArray[np.bool_]] | None
) -> NDArray[np.int64]:
    """Return the rows with the highest scores above 0: ``k`` of them, more where the last ones are equal."""
    rows, reached, least, first = np.empty(0, dtype=np.int64), np.empty(0), 0.0, 0
    for number, given in enumerate(scores):
        found = np.flatnonzero(given >= least if least > 0.0 else given > 0.0)
        if allowed is not None:
            found = found[allowed[number][found]]
        rows, reached = np.append(rows, found + first), np.append(reached, given[found])
        if len(rows) > k:
            least = float(np.partition(reached, -k)[-k])
            rows, reached = rows[reached >= least], reached[reached >= least]
        first += len(given)
    return rows[: k + _MAX_TIES]


def _nearest_rows(
    segments: Segments, vector: NDArray[np.float32], *, k: int, allowed: Sequence[NDArray[np.bool_]] | None
) -> NDArray[np.int64]:
    """Return the `k` rows nearest to a vector, and those equal to the last; none for zeros, which say nothing."""
    if not vector.any() or not len(segments):
        return np.empty(0, dtype=np.int64)
    shared = max(k, _MIN_CODED, _CODED // len(segments.parts))
    n_candidates = None if len(segments) <= EXACT_ROWS else shared
    rows, cosines, first = [], [], 0
    for number, part in enumerate(segments.parts.values()):
        only = None if allowed is None else np.flatnonzero(allowed[number])
        found, near = part.vectors.search(vector, k=k, n_candidates=n_candidates, allowed=only)
        rows.append(found + first)
        cosines.append(near)
        first += len(part)
    all_rows, all_cosines = np.concatenate(rows), np.concatenate(cosines)
    if len(all_rows) > k:
        least = np.partition(all_cosines, -k)[-k] - _EQUAL
        all_rows = all_rows[all_cosines >= least][: k + _MAX_TIES]
    return np.sort(all_rows)


def _cosines(segments: Segments, vector: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the cosine of a vector to some rows, increasing ones, in double precision, shape ``(len(rows),)``."""
    cosines, first = np.zeros(len(rows)), 0
    for part in segments.parts.values():
        here = slice(*np.searchsorted(rows, (first, first + len(part))).tolist())
        if here.start < here.stop:
            cosines[here] = part.vectors.rows[rows[here] - first].astype(np.float64) @ vector.astype(np.float64)
        first += len(part)
    return cosines


def _hits(
    catalog: Catalog,
    segments: Segments,
    rows: NDArray[np.int64],
    *,
    k: int,
    scores: NDArray[np.float64],
    lexical: NDArray[np.float64],
    cosines: NDArray[np.float64],
) -> list[Hit]:
    """Return the ``k`` best rows as hits, best first; equal ones by source and place."""
    scores = np.round(scores, _DIGITS)
    order = np.argsort(-scores, kind="stable")
    if len(order) > k:
        least = scores[order[k - 1]]
        order = order[: np.count_nonzero(scores >= least)][: k + _MAX_TIES]
    numbers = segments.numbers[rows[order]].tolist()
    passages = catalog.passages(numbers)
    hits = [
        Hit(passages[number], float(scores[place]), float(lexical[place]), float(cosines[place]))
        for number, place in zip(numbers, order.tolist(), strict=True)
    ]
    return sorted(hits, key=lambda hit: (-hit.score, hit.passage.document.source, hit.passage.span.start))[:k]
