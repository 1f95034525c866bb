"""What tells whether a passage answers a question, read off the segments alone: numbers for the ranker, no text.

The passages around a candidate in its document count too, since an article answers as a whole more often than one
passage holds every word of the question.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from index.asked import names_among
from index.lexical import hashes_of
from index.rank import DIGITS, K1, highest_weight, ranks_of, share_of_best, share_of_weight, standard_scores
from index.segments import Segments

__all__ = ["PASSAGE_FEATURES", "AskedTerms", "passage_rows"]

_REACH = 6
"""Passages before and after a candidate that count as its document; articles of the news have four on average."""

_MAX_TERMS = 48
"""Terms of a question that are looked at one by one, the rarest ones."""

_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")

PASSAGE_FEATURES = (
    "fused", "fused_share", "lexical", "lexical_share", "title", "cosine_z", "cosine_share", "rank",
    "lexical_rank", "cosine_rank", "cover", "cover_title", "cover_both", "cover_near", "cover_document",
    "beyond_document", "document_lexical", "document_lexical_share", "document_sum_share", "document_cosine_z",
    "document_best_rank", "n_found", "missing_document", "missing_both", "rarest", "rarest_document", "names",
    "names_both", "names_document", "n_question", "weight_question", "place", "n_around", "length", "year",
    "lead_cover", "lead_cosine_z",
)  # fmt: skip
"""The columns of the trees, in order."""


@dataclass(frozen=True, slots=True)
class AskedTerms:
    """The terms of a question.

    Attributes:
        idfs: inverse document frequency of each, above 0, shape ``(n,)``; the rarest ones first.
        hashes: by which the segments know them, uint64, shape ``(n,)``.
        is_name: which were written with a capital, but not at the head of the question, or with a digit; ``(n,)``.
        years: the years that the question names.
    """

    idfs: NDArray[np.float64]
    hashes: NDArray[np.uint64]
    is_name: NDArray[np.bool_]
    years: tuple[int, ...]

    @classmethod
    def read(cls, text: str, tokens: Sequence[tuple[str, int, int]], idfs: Mapping[str, float]) -> AskedTerms:
        """Make them from the analyzer's tokens of a question."""
        names = names_among(text, tokens)
        terms = sorted(idfs, key=lambda term: (-idfs[term], term))[:_MAX_TERMS]
        return cls(
            np.array([idfs[term] for term in terms], dtype=np.float64),
            hashes_of(terms),
            np.array([term in names for term in terms], dtype=np.bool_),
            tuple(int(year) for year in _YEAR.findall(text)),
        )


def passage_rows(
    segments: Segments,
    asked: AskedTerms,
    rows: NDArray[np.int64],
    *,
    lexical: Sequence[NDArray[np.float64]],
    cosines: NDArray[np.float64],
    fused: NDArray[np.float64],
    vector: NDArray[np.float32],
) -> NDArray[np.float64]:
    """Return the columns of the trees for some candidates, shape ``(n, len(PASSAGE_FEATURES))``.

    Args:
        segments: what is searched.
        asked: the question.
        rows: the candidates, increasing row numbers over all segments, shape ``(n,)``, ``n >= 1``.
        lexical: BM25 score of every row of each segment, title included.
        cosines: of the candidates, shape ``(n,)``.
        fused: their fused scores, shape ``(n,)``.
        vector: the embedding of the question.
    """
    around = _Around.of(segments, rows)
    body, title = _counts(segments, asked.hashes, around.rows)
    scores = np.concatenate([part[here] for part, here in zip(lexical, around.by_segment, strict=True)])
    near = _cosines(segments, vector, around)
    total = float(asked.idfs.sum()) or 1.0
    best = total * (K1 + 1.0)
    weights = asked.idfs / total
    named = np.where(asked.is_name, asked.idfs, 0.0)
    held, titled = body > 0, title > 0
    both = held | titled
    starts = around.starts
    document = np.logical_or.reduceat(both, starts, axis=1)[:, around.document]
    own = around.own
    beside = both[:, own] | _shifted(both, around, -1) | _shifted(both, around, 1)
    doc_lexical = np.maximum.reduceat(scores, starts)[around.document][own] / best
    doc_sum = np.add.reduceat(scores, starts)[around.document][own] / best
    doc_cosine = np.maximum.reduceat(near, starts)[around.document][own]
    ranks = ranks_of(fused)
    groups = around.document[own]
    best_rank = np.full(len(starts), len(rows), dtype=np.int64)
    np.minimum.at(best_rank, groups, ranks)
    place = own - starts[groups]
    lead = starts[groups]
    mine = scores[own] / best
    strongest = asked.idfs.max(initial=0.0) or 1.0
    columns = {
        "fused": fused,
        "fused_share": share_of_best(fused),
        "lexical": mine,
        "lexical_share": share_of_best(mine),
        "title": weights @ titled[:, own],
        "cosine_z": standard_scores(cosines, among=cosines),
        "cosine_share": share_of_best(cosines),
        "rank": ranks,
        "lexical_rank": ranks_of(mine),
        "cosine_rank": ranks_of(cosines),
        "cover": weights @ held[:, own],
        "cover_title": weights @ titled[:, own],
        "cover_both": weights @ both[:, own],
        "cover_near": weights @ beside,
        "cover_document": weights @ document[:, own],
        "beyond_document": weights @ (document[:, own] & ~both[:, own]),
        "document_lexical": doc_lexical,
        "document_lexical_share": share_of_best(doc_lexical),
        "document_sum_share": share_of_best(doc_sum),
        "document_cosine_z": standard_scores(doc_cosine, among=cosines),
        "document_best_rank": best_rank[groups],
        "n_found": np.bincount(groups, minlength=len(starts))[groups],
        "missing_document": highest_weight(asked.idfs, ~document[:, own]) / strongest,
        "missing_both": highest_weight(asked.idfs, ~both[:, own]) / strongest,
        "rarest": highest_weight(asked.idfs, both[:, own]) / strongest,
        "rarest_document": highest_weight(asked.idfs, document[:, own]) / strongest,
        "names": share_of_weight(named, held[:, own]),
        "names_both": share_of_weight(named, both[:, own]),
        "names_document": share_of_weight(named, document[:, own]),
        "n_question": np.full(len(rows), len(asked.idfs)),
        "weight_question": np.full(len(rows), total),
        "place": place,
        "n_around": np.diff(np.append(starts, len(around.rows)))[groups],
        "length": np.log1p(around.lengths[own]),
        "year": _years(asked.years, around.days[own]),
        "lead_cover": weights @ both[:, lead],
        "lead_cosine_z": standard_scores(near[lead], among=cosines),
    }
    return np.column_stack([columns[name].astype(np.float64) for name in PASSAGE_FEATURES]).round(DIGITS)


@dataclass(frozen=True, slots=True)
class _Around:
    """The candidates and the passages around them in their documents.

    Attributes:
        rows: row numbers over all segments, increasing, shape ``(m,)``.
        by_segment: the same, in each segment.
        own: where each candidate stands among ``rows``, shape ``(n,)``.
        starts: where each document begins among ``rows``, shape ``(n_documents,)``.
        document: which of these each row belongs to, shape ``(m,)``.
        lengths: terms of each row, shape ``(m,)``.
        days: first and last day of each row's document, shape ``(m, 2)``.
    """

    rows: NDArray[np.int64]
    by_segment: list[NDArray[np.int64]]
    own: NDArray[np.int64]
    starts: NDArray[np.int64]
    document: NDArray[np.int64]
    lengths: NDArray[np.uint32]
    days: NDArray[np.int32]

    @classmethod
    def of(cls, segments: Segments, rows: NDArray[np.int64]) -> _Around:
        steps = np.arange(-_REACH, _REACH + 1)
        by_segment, found, documents, lengths, days, first = [], [], [], [], [], 0
        for part in segments.parts.values():
            here = rows[slice(*np.searchsorted(rows, (first, first + len(part))).tolist())] - first
            beside = here[:, None] + steps
            inside = (beside >= 0) & (beside < len(part))
            beside = np.where(inside, beside, here[:, None])
            same = part.documents[beside] == part.documents[here][:, None]
            kept = np.unique(beside[same])
            by_segment.append(kept)
            found.append(kept + first)
            documents.append(part.documents[kept])
            lengths.append(part.body.lengths[kept])
            days.append(part.days[kept])
            first += len(part)
        every, owners = np.concatenate(found), np.concatenate(documents)
        begins = np.append(True, owners[1:] != owners[:-1])
        return cls(
            every,
            by_segment,
            np.searchsorted(every, rows),
            np.flatnonzero(begins),
            np.cumsum(begins) - 1,
            np.concatenate(lengths),
            np.concatenate(days),
        )


def _counts(
    segments: Segments, hashes: NDArray[np.uint64], rows: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return how often each term occurs in each row's text and title, shape ``(n_terms, n_rows)`` each."""
    body = np.zeros((len(hashes), len(rows)), dtype=np.uint8)
    title = np.zeros_like(body)
    first = 0
    for part in segments.parts.values():
        here = slice(*np.searchsorted(rows, (first, first + len(part))).tolist())
        if here.start < here.stop:
            wanted = rows[here] - first
            part.body.fill_counts(hashes, wanted, body[:, here])
            part.title.fill_counts(hashes, wanted, title[:, here])
        first += len(part)
    return body, title


def _cosines(segments: Segments, vector: NDArray[np.float32], around: _Around) -> NDArray[np.float64]:
    parts = zip(segments.parts.values(), around.by_segment, strict=True)
    asked = vector.astype(np.float64)
    return np.concatenate([part.vectors.rows[here].astype(np.float64) @ asked for part, here in parts if len(here)])


def _shifted(both: NDArray[np.bool_], around: _Around, step: int) -> NDArray[np.bool_]:
    """Return which terms the passage before or after each candidate holds; none where it is another document's."""
    beside = np.clip(around.own + step, 0, len(around.rows) - 1)
    same = around.document[beside] == around.document[around.own]
    held: NDArray[np.bool_] = both[:, beside] & same
    return held


def _years(years: Sequence[int], days: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return 1.0 where a document is of a year asked for, 0.0 where not, -1.0 where no year is asked for."""
    if not years:
        return np.full(len(days), -1.0)
    matches = np.zeros(len(days))
    for year in years:
        first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
        matches = np.maximum(matches, (days[:, 0] <= last) & (days[:, 1] >= first))
    return matches
