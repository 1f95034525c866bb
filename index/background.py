"""How common terms are in French news at large: what a small corpus cannot tell about its own words.

In a corpus of one document every term is in every document, and none seems rarer than another. The counts of a
large background corpus are therefore added to those of the user's own. Plain data, made by
`python -m training.count_terms`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

from index.errors import ModelError

__all__ = ["Background"]

_FILE = "models/term-counts.json"


class Background:
    """Document frequencies of a background corpus.

    Attributes:
        n_documents: number of documents counted.
    """

    def __init__(self, n_documents: int, counts: Mapping[str, int]) -> None:
        self.n_documents = n_documents
        self._counts = counts

    @classmethod
    @cache
    def bundled(cls) -> Background:
        """Return the counts that are shipped.

        Raises:
            ModelError: if their file cannot be read.
        """
        try:
            record = json.loads(files("index").joinpath(_FILE).read_text(encoding="utf-8"))
            counts = {term: int(n) for n, terms in record["terms"].items() for term in terms.split()}
            return cls(record["n_documents"], counts)
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(f"index/{_FILE}: {error}; expected the shipped counts, install Sourcier again") from error

    def count(self, term: str) -> int:
        """Return in how many background documents a term occurs, 0 for one that was too rare to be kept."""
        return self._counts.get(term, 0)

    def idf(self, term: str, *, count: int = 0, n_documents: int = 0) -> float:
        """Return the inverse document frequency of a term, above 0, in the background and the user's corpus together.

        BM25's idf (Robertson and Zaragoza 2009) with Lucene's + 1, over the sum of both corpora.

        Args:
            term: a term of the analyzer.
            count: documents of the user's corpus that hold it.
            n_documents: documents of the user's corpus.
        """
        held = self.count(term) + count
        return math.log(1.0 + (self.n_documents + n_documents - held + 0.5) / (held + 0.5))

    def idfs(self, terms: Iterable[str]) -> dict[str, float]:
        """Return the background's inverse document frequency of each term."""
        return {term: self.idf(term) for term in terms}
