"""What answering needs of a corpus: the seam between questions and the two places where documents may lie."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from index.analyze import Analyzer
from index.embed import Embedder
from index.filters import Filter
from index.rank import FusionWeights
from index.results import SearchResult
from index.status import Status
from index.types import Document

__all__ = ["Searchable"]


class Searchable(Protocol):
    """Documents that can be asked: `index.CorpusIndex` on disk, `index.store_index.StoreIndex` in a shared store."""

    @property
    def analyzer(self) -> Analyzer:
        """The analyzer that the documents were read with."""
        ...

    @property
    def embedder(self) -> Embedder:
        """The model that they were embedded with."""
        ...

    @property
    def directory(self) -> Path:
        """Where what belongs to the corpus is kept beside it."""
        ...

    @property
    def generation(self) -> int:
        """Grows with each change."""
        ...

    def search_in_full(
        self, question: str, *, k: int = 10, only: Filter | None = None, weights: FusionWeights | None = None
    ) -> SearchResult:
        """Return the passages that fit a question best, and what was known of it; see `CorpusIndex.search`."""
        ...

    def idfs(self, terms: Sequence[str]) -> dict[str, float]:
        """Return how rare each term is, above 0."""
        ...

    def document(self, source: str) -> Document:
        """Return the document of a source; InputError where there is none."""
        ...

    def find_documents(self, sources: Sequence[str]) -> dict[str, Document]:
        """Return documents by the sources asked for; those that are not there are left out."""
        ...

    def newest_documents(self, n: int) -> list[Document]:
        """Return the documents of the latest dates, at most ``n``."""
        ...

    def sources(self) -> list[str]:
        """Return the source of every document, sorted."""
        ...

    def status(self) -> Status:
        """Return what the corpus holds now."""
        ...
