"""BM25 of one text by the book, against which the postings and the ranking are held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from index.rank import K1, B


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
