"""What is known of a sentence that is read closely: the columns of the trees that rank evidence (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from index.sentence_features import SENTENCE_FEATURES
from qa.span import ScoredSpan
from qa.types import Kind

__all__ = ["FEATURES", "KINDS", "close_rows"]

KINDS: tuple[Kind, ...] = get_args(Kind)

FEATURES = (
    *SENTENCE_FEATURES,
    *(f"kind_{kind}" for kind in KINDS),
    "first",
    "first_lead",
    "answer",
    "answer_rank",
)
"""The columns, in order: what search knew of the sentence, the kind of question, the log-odds that search gave and how
far they lie below the best ones, the probability that the sentence holds a short answer, and that probability compared
with the other sentences read closely."""


def close_rows(
    kind: Kind, rows: NDArray[np.float64], first: NDArray[np.float64], answers: Sequence[ScoredSpan | None]
) -> NDArray[np.float64]:
    """Return the columns of the sentences of one question, shape ``(n, len(FEATURES))``.

    Args:
        kind: what the question asks for.
        rows: their `SENTENCE_FEATURES`, shape ``(n, len(SENTENCE_FEATURES))``.
        first: the log-odds that search gave, shape ``(n,)``.
        answers: the short answer of each sentence, or None.
    """
    kinds = np.tile([float(each == kind) for each in KINDS], (len(rows), 1))
    scores = np.array([answer.score if answer else 0.0 for answer in answers], dtype=np.float64)
    best = scores.max(initial=0.0)
    lead = first - first.max(initial=-np.inf)
    return np.column_stack([rows, kinds, first, lead, scores, scores / best if best else scores])
