"""Fuses what the two indexes found into one ranking (pure).

Every candidate of either index gets both scores, so that none is punished for the list it was missing from: BM25
is computed here from the terms of the passage, the cosine from its stored embedding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["K1", "B", "FusionWeights", "bm25", "fuse"]

K1 = 0.9
B = 0.4
"""BM25 parameters for passages of even length (Lin et al., Anserini: k1 = 0.9, b = 0.4)."""


@dataclass(frozen=True, slots=True)
class FusionWeights:
    """How much each part of the score counts, chosen on questions of the training sets (benchmarks/README.md).

    Attributes:
        title: weight of a term found in the title, relative to one found in the text.
        dense: weight of the cosine, relative to the share of the best possible BM25 score.
    """

    title: float = 0.5
    dense: float = 0.6


def bm25(terms: Sequence[str], idfs: Mapping[str, float], *, mean_terms: float) -> float:
    """Return the BM25 score of a text for a question, at least 0 (Robertson and Zaragoza 2009, equation 3.15).

    Args:
        terms: terms of the text.
        idfs: inverse document frequency of each term of the question.
        mean_terms: mean number of terms of such texts, above 0.
    """
    norm = K1 * (1.0 - B + B * len(terms) / mean_terms)
    counts = Counter(term for term in terms if term in idfs)
    return sum(idfs[term] * n * (K1 + 1.0) / (n + norm) for term, n in counts.items())


def fuse(lexical: float, dense: float, *, best: float, weights: FusionWeights) -> float:
    """Return the fused score of a passage.

    Args:
        lexical: its BM25 score.
        dense: its cosine.
        best: the sum over the question's terms of ``idf * (K1 + 1)``, which no BM25 score reaches; 0 without terms.
        weights: how much each part counts.
    """
    share = lexical / best if best > 0.0 else 0.0
    return share + weights.dense * dense
