"""Search of one generation: candidates by terms and by embedding, each scored by both, in one ranking."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from index.asked import Asked
from index.catalog import Catalog
from index.errors import InputError
from index.filters import Filter
from index.lexical import hashes_of
from index.passage_features import AskedTerms, passage_rows
from index.rank import K1, FusionWeights, fuse
from index.ranker import Ranker
from index.segments import Segments
from index.types import Hit

__all__ = [
    "EXACT_ROWS",
    "MAX_QUESTION_CHARS",
    "N_CANDIDATES",
    "Candidates",
    "check_k",
    "check_question",
    "find_candidates",
    "lexical_scores",
    "nearest_passages",
    "reorder",
    "rows_of_candidates",
    "search_passages",
]

_Result = TypeVar("_Result")

MAX_QUESTION_CHARS = 2_000
"""Longer than any question; a text of that length is a document."""

EXACT_ROWS = 65_536
"""Passages up to which every embedding is compared; above, candidates are chosen by their codes."""

_CODED, _MIN_CODED = 1_024, 64
"""Passages that the codes choose in all, and at least in each segment; their recall stands in benchmarks/README.md."""

N_CANDIDATES = 60
"""Passages taken by terms and by embedding before they are ranked, and at least ``k``."""

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


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Passages that may answer, found by their terms or by their embedding.

    Attributes:
        rows: increasing row numbers over all segments, shape ``(n,)``.
        lexical: their BM25 scores, titles included, shape ``(n,)``.
        cosines: of their embeddings and the question's, shape ``(n,)``.
        fused: both in one, shape ``(n,)``.
        every_lexical: the BM25 score of every row of each segment.
    """

    rows: NDArray[np.int64]
    lexical: NDArray[np.float64]
    cosines: NDArray[np.float64]
    fused: NDArray[np.float64]
    every_lexical: Sequence[NDArray[np.float64]]

    def without(self, left_out: NDArray[np.bool_]) -> Candidates:
        """Return the candidates without some, shape ``(n,)``."""
        kept = ~left_out
        return Candidates(self.rows[kept], self.lexical[kept], self.cosines[kept], self.fused[kept], self.every_lexical)


def search_passages(
    catalog: Catalog,
    segments: Segments,
    asked: Asked,
    *,
    k: int,
    only: Filter,
    weights: FusionWeights,
    ranker: Ranker | None,
) -> list[Hit]:
    """Return the passages that fit a question best, best first; equal ones by source and place.

    Args:
        catalog: read at the generation of ``segments``.
        segments: what is searched.
        asked: the question.
        k: passages wanted, at least 1.
        only: which documents may be found.
        weights: how the scores are fused.
        ranker: scores the first `N_CANDIDATES` by terms and by embedding, whatever ``k``; further ones come after
            them in the order of their fused scores. None leaves all of them their fused scores.

    Raises:
        InputError: if ``k < 1``.
    """
    check_k(k)
    allowed = only.rows(catalog, segments)
    found = find_candidates(segments, asked, depth=max(k, N_CANDIDATES), allowed=allowed, weights=weights)
    scores = found.fused
    if ranker is not None and len(found.rows):
        first = found
        if k > N_CANDIDATES:
            first = find_candidates(segments, asked, depth=N_CANDIDATES, allowed=allowed, weights=weights)
        places = np.searchsorted(found.rows, first.rows)
        ranked = ranker.score_passages(rows_of_candidates(segments, asked, first))
        scores = float(ranked.min()) - 1.0 - (found.fused.max() - found.fused)
        scores[places] = ranked
    return _hits(catalog, segments, found.rows, k=k, scores=scores, lexical=found.lexical, cosines=found.cosines)


def find_candidates(
    segments: Segments,
    asked: Asked,
    *,
    depth: int,
    allowed: Sequence[NDArray[np.bool_]] | None,
    weights: FusionWeights,
) -> Candidates:
    """Return the best ``depth`` passages by their terms and as many by their embedding, and those equal to the last.

    Args:
        segments: what is searched.
        asked: the question.
        depth: at least 1.
        allowed: which rows of each segment may be found; None for all.
        weights: how the scores are fused.
    """
    with ThreadPoolExecutor(max_workers=1) as aside:  # the two halves of a large corpus take some milliseconds each
        search = aside.submit if len(segments) > EXACT_ROWS else _now
        near = search(_nearest_rows, segments, asked.vector, k=depth, allowed=allowed)
        scores = lexical_scores(segments, asked.idfs, title_weight=weights.title)
        by_terms = _best_rows(scores, k=depth, allowed=allowed)
        by_embedding = near.result()
    rows = np.union1d(by_terms, by_embedding)
    lexical, cosines = np.concatenate([np.empty(0), *scores])[rows], _cosines(segments, asked.vector, rows)
    best = sum(asked.idfs.values()) * (K1 + 1.0)
    return Candidates(rows, lexical, cosines, fuse(lexical, cosines, best=best, weights=weights), scores)


def rows_of_candidates(segments: Segments, asked: Asked, found: Candidates) -> NDArray[np.float64]:
    """Return what the ranker looks at, `PASSAGE_FEATURES` of each candidate, at least one."""
    terms = AskedTerms.read(asked.text, asked.tokens, asked.idfs)
    return passage_rows(
        segments,
        terms,
        found.rows,
        lexical=found.every_lexical,
        cosines=found.cosines,
        fused=found.fused,
        vector=asked.vector,
    )


def reorder(hits: Sequence[Hit], scores: NDArray[np.float64]) -> list[Hit]:
    """Return hits with the first ones ordered anew, and their own scores given out again in that order.

    What looks at the score of a passage later on was trained on scores of that range.

    Args:
        hits: best first, at least as many as ``scores``.
        scores: what the first hits are ordered by.
    """
    read = [replace(hit, score=score) for hit, score in zip(hits, np.round(scores, _DIGITS).tolist(), strict=False)]
    ordered = sorted(read, key=_order)
    own = [hit.score for hit in hits]
    return [*(replace(hit, score=score) for hit, score in zip(ordered, own, strict=False)), *hits[len(read) :]]


def nearest_passages(
    catalog: Catalog, segments: Segments, *, vector: NDArray[np.float32], k: int, only: Filter
) -> list[Hit]:
    """Return the passages whose embeddings lie nearest to a vector, best first; ``score`` is the cosine.

    Raises:
        InputError: if ``k < 1``.
    """
    check_k(k)
    rows = _nearest_rows(segments, vector, k=k, allowed=only.rows(catalog, segments))
    cosines = _cosines(segments, vector, rows)
    return _hits(catalog, segments, rows, k=k, scores=cosines, lexical=np.zeros(len(rows)), cosines=cosines)


def _now(function: Callable[..., _Result], *arguments: Any, **options: Any) -> Future[_Result]:
    """Call a function, and return what it gave as `ThreadPoolExecutor.submit` does."""
    future: Future[_Result] = Future()
    future.set_result(function(*arguments, **options))
    return future


def check_k(k: int) -> None:
    """Refuse to look for less than one passage.

    Raises:
        InputError: if ``k < 1``.
    """
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
    return np.sort(rows[np.argsort(-reached, kind="stable")[: k + _MAX_TIES]])


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
        best = np.argsort(-all_cosines, kind="stable")[: k + _MAX_TIES]
        all_rows = all_rows[best[all_cosines[best] >= least]]
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
    return sorted(hits, key=_order)[:k]


def _order(hit: Hit) -> tuple[float, str, int]:
    return -hit.score, hit.passage.document.source, hit.passage.span.start
