"""A corpus in which some documents cannot be found, to ask questions whose source is taken away."""

from __future__ import annotations

from collections.abc import Iterator, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from index.analyze import Analyzer
from index.corpus import CorpusIndex
from index.embed import Embedder
from index.filters import Filter
from index.rank import FusionWeights
from index.results import SearchResult

__all__ = ["HidingCorpus"]


class HidingCorpus(CorpusIndex):
    """An index that leaves documents out of what it finds while `hiding` lasts; nothing on disk changes.

    The rarity of terms is still that of the whole corpus. For one thread.
    """

    _hidden: frozenset[str] = frozenset()

    @classmethod
    def open(cls, directory: str | Path, *, embedder: Embedder | None = None) -> HidingCorpus:
        """Do as `CorpusIndex.open`."""
        return cast("HidingCorpus", super().open(directory, embedder=embedder))  # it makes what it is called on

    @classmethod
    def create(
        cls, directory: str | Path, *, embedder: Embedder | None = None, analyzer: Analyzer | None = None
    ) -> HidingCorpus:
        """Do as `CorpusIndex.create`."""
        return cast("HidingCorpus", super().create(directory, embedder=embedder, analyzer=analyzer))

    @contextmanager
    def hiding(self, documents: Set[str]) -> Iterator[None]:
        """Hide documents, by id, for as long as the context lasts."""
        before, self._hidden = self._hidden, frozenset(documents)
        try:
            yield
        finally:
            self._hidden = before

    def search_in_full(
        self,
        question: str,
        *,
        k: int = 10,
        only: Filter | None = None,
        weights: FusionWeights | None = None,
        **options: Any,
    ) -> SearchResult:
        """Do as `CorpusIndex.search_in_full`, asking for more until ``k`` hits are left without the hidden ones."""
        if not self._hidden:
            return super().search_in_full(question, k=k, only=only, weights=weights, **options)
        depth = k
        while True:
            found = super().search_in_full(question, k=depth, only=only, weights=weights, **options)
            kept = tuple(hit for hit in found.hits if hit.passage.document.id not in self._hidden)
            if len(kept) >= k or len(found.hits) < depth:
                return found.with_hits(kept[:k])
            depth *= 2
