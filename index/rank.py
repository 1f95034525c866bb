"""Fuses what the two indexes found into one ranking (pure).

Every candidate, found by its terms or by its embedding, gets both scores, so that none is punished for the list it was
missing from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "DIGITS",
    "K1",
    "B",
    "FusionWeights",
    "fuse",
    "highest_weight",
    "length_norms",
    "ranks_of",
    "share_of_best",
    "share_of_weight",
    "standard_scores",
]

K1 = 0.9
B = 0.4
"""BM25 parameters for passages of even length (Lin et al., Anserini: k1 = 0.9, b = 0.4)."""

DIGITS = 6
"""Digits of a feature that count: below them it depends on the order of additions, and so on how the index is cut."""

_ALIKE = 1e-6
"""Standard deviation below which values differ by the rounding of their sums alone."""


@dataclass(frozen=True, slots=True)
class FusionWeights:
    """How much each part of the score counts, chosen on questions of the training sets (benchmarks/README.md).

    Attributes:
        title: weight of a term found in the title, relative to one found in the text.
        dense: weight of the cosine, relative to the share of the best possible BM25 score.
    """

    title: float = 0.5
    dense: float = 0.6


def length_norms(lengths: NDArray[np.uint32], *, mean_terms: float) -> NDArray[np.float64]:
    """Return what BM25 adds to the count of a term for the length of each text, shape ``(n,)``.

    A term that occurs ``n`` times gives ``idf * n * (K1 + 1) / (n + norm)`` (Robertson and Zaragoza 2009, equation
    3.15).

    Args:
        lengths: number of terms of each text, shape ``(n,)``.
        mean_terms: mean number of terms of such texts, above 0.
    """
    norms: NDArray[np.float64] = K1 * (1.0 - B + B * lengths.astype(np.float64) / mean_terms)
    return norms


def fuse(
    lexical: NDArray[np.float64], dense: NDArray[np.float64], *, best: float, weights: FusionWeights
) -> NDArray[np.float64]:
    """Return the fused scores of passages, shape ``(n,)``.

    Args:
        lexical: their BM25 scores, shape ``(n,)``.
        dense: their cosines, shape ``(n,)``.
        best: the sum over the question's terms of ``idf * (K1 + 1)``, which no BM25 score reaches; 0 without terms.
        weights: how much each part counts.
    """
    share = lexical / best if best > 0.0 else np.zeros_like(lexical)
    fused: NDArray[np.float64] = share + weights.dense * dense
    return fused


def ranks_of(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return how many of the values are higher than each one, shape ``(n,)``: 0 for the best; equal ones rank alike."""
    rounded = np.round(values, DIGITS)
    return len(values) - np.searchsorted(np.sort(rounded), rounded, side="right")


def share_of_best(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each value divided by the highest, shape ``(n,)``; zeros where that is not above 0."""
    best = values.max(initial=0.0)
    return values / best if best > 0.0 else np.zeros_like(values)


def standard_scores(values: NDArray[np.float64], *, among: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many standard deviations values lie above the mean of others; 1.0 for one where all are alike."""
    spread = float(among.std())
    scores: NDArray[np.float64] = (values - among.mean()) / (spread if spread > _ALIKE else 1.0)
    return scores


def highest_weight(weights: NDArray[np.float64], chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the highest weight among the chosen terms of each column, 0.0 where there is none.

    Args:
        weights: of the terms, shape ``(n_terms,)``.
        chosen: shape ``(n_terms, n)``.
    """
    highest: NDArray[np.float64] = np.where(chosen, weights[:, None], 0.0).max(axis=0, initial=0.0)
    return highest


def share_of_weight(weights: NDArray[np.float64], held: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the share of the weight that each column holds, -1.0 where there is none to hold; as `highest_weight`."""
    total = weights.sum()
    return weights @ held / total if total else np.full(held.shape[1], -1.0)
