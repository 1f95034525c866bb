"""What is known of a sentence that is read: the columns of the trees that rank evidence (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from index.sentence_features import SENTENCE_FEATURES
from index.types import Span
from qa.span import ScoredSpan
from qa.types import Kind

__all__ = ["CLOSE_FEATURES", "KINDS", "READ_FEATURES", "SentenceReading", "close_rows", "read_rows"]

KINDS: tuple[Kind, ...] = get_args(Kind)

_FROM_SEARCH = (*SENTENCE_FEATURES, *(f"kind_{kind}" for kind in KINDS), "first", "first_lead")
"""What search knew of the sentence, the kind of question, the log-odds that search gave and how far they lie below the
best ones."""

CLOSE_FEATURES = (*_FROM_SEARCH, "answer", "answer_rank")
"""The columns without a reader: what search knew, the probability that the sentence holds a short answer, and that
probability compared with the other sentences read closely."""

READ_FEATURES = (*_FROM_SEARCH, "window", "window_lead", "reads", "reads_lead", "share", "span", "fit")
"""The columns with a reader: what search knew, the log-odds that the window of the sentence answers, those that the
sentence holds the answer, how far both lie below the best, the difference of both, the probability of the span, and
whether it is of the kind asked for."""


@dataclass(frozen=True, slots=True)
class SentenceReading:
    """What a reader says of one sentence.

    Attributes:
        window: log-odds that the window that it was read in answers.
        reads: log-odds that the sentence holds the answer.
        span: the likeliest answer in it, in the document's text.
        span_score: probability of that span if the window answers, in [0, 1].
        fit: whether its words are of the kind asked for, as `qa.answer_types.fit_of`.
    """

    window: float
    reads: float
    span: Span
    span_score: float
    fit: float


def close_rows(
    kind: Kind, rows: NDArray[np.float64], first: NDArray[np.float64], answers: Sequence[ScoredSpan | None]
) -> NDArray[np.float64]:
    """Return the columns of the sentences of one question, shape ``(n, len(CLOSE_FEATURES))``.

    Args:
        kind: what the question asks for.
        rows: their `SENTENCE_FEATURES`, shape ``(n, len(SENTENCE_FEATURES))``.
        first: the log-odds that search gave, shape ``(n,)``.
        answers: the short answer of each sentence, or None.
    """
    scores = np.array([answer.score if answer else 0.0 for answer in answers], dtype=np.float64)
    best = scores.max(initial=0.0)
    return np.column_stack([_from_search(kind, rows, first), scores, scores / best if best else scores])


def read_rows(
    kind: Kind, rows: NDArray[np.float64], first: NDArray[np.float64], readings: Sequence[SentenceReading]
) -> NDArray[np.float64]:
    """Return the columns of the sentences of one question, shape ``(n, len(READ_FEATURES))``.

    Args:
        kind: what the question asks for.
        rows: their `SENTENCE_FEATURES`, shape ``(n, len(SENTENCE_FEATURES))``.
        first: the log-odds that search gave, shape ``(n,)``.
        readings: what the reader says of each sentence.
    """
    window = np.array([each.window for each in readings], dtype=np.float64)
    reads = np.array([each.reads for each in readings], dtype=np.float64)
    span = np.array([each.span_score for each in readings], dtype=np.float64)
    fit = np.array([each.fit for each in readings], dtype=np.float64)
    return np.column_stack(
        [_from_search(kind, rows, first), window, _lead(window), reads, _lead(reads), reads - window, span, fit]
    )


def _from_search(kind: Kind, rows: NDArray[np.float64], first: NDArray[np.float64]) -> NDArray[np.float64]:
    kinds = np.tile([float(each == kind) for each in KINDS], (len(rows), 1))
    return np.column_stack([rows, kinds, first, _lead(first)])


def _lead(values: NDArray[np.float64]) -> NDArray[np.float64]:
    lead: NDArray[np.float64] = values - values.max(initial=-np.inf)
    return lead
