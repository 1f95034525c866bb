"""A shared store that is asked where it lies, without a replica: for a corpus that no machine can hold.

The store finds some hundred documents, by their terms and by the mean of their embeddings. These, with the embeddings
that it holds, become an index for the length of the question, and what ranks and reads them is the code that any index
runs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from index.analyze import Analyzer
from index.background import Background
from index.corpus import CorpusIndex
from index.embed import Embedder, open_embedder
from index.errors import InputError
from index.filters import Filter
from index.lance import About, SharedDocument, SharedStore
from index.rank import FusionWeights
from index.results import SearchResult
from index.search import check_question
from index.shared import StoredVectors, check_makers
from index.status import Status
from index.types import Document, Hit

__all__ = ["StoreIndex"]

_N_DOCUMENTS = 60
"""Documents found by terms, and as many by embeddings: as many as passages that a search of an index ranks."""


class StoreIndex:
    """The documents of a store, that can be asked as an index can. Safe to use from several threads.

    Terms are as rare as in French news at large, and a name that is misspelled is not mended: both would need what all
    documents hold.

    Args:
        address: of the store.
        embedder: the model that it was made by; None opens it by its name.
        directory: where a calibration is looked for; None looks nowhere.

    Raises:
        IndexMissingError: if there is no store.
        IndexMismatchError: if it was made by another model or analyzer than those that are here.
        StoreError: if it cannot be reached.
    """

    def __init__(self, address: str, *, embedder: Embedder | None = None, directory: Path | None = None) -> None:
        self._store = SharedStore.open(address)
        self._embedder = embedder or open_embedder(self._store.about.embedder)
        self._directory = directory or Path(tempfile.gettempdir()) / "no-index"
        check_makers(self._store, About.of(self._embedder, self.analyzer))

    @cached_property
    def analyzer(self) -> Analyzer:
        """The analyzer that the documents were read with."""
        return Analyzer()

    @property
    def embedder(self) -> Embedder:
        """The model that they were embedded with."""
        return self._embedder

    @property
    def directory(self) -> Path:
        """Where a calibration is looked for."""
        return self._directory

    @property
    def generation(self) -> int:
        """The version of the store, which grows with each change."""
        return self._store.version()

    def search(self, question: str, *, k: int = 10, only: Filter | None = None) -> list[Hit]:
        """Return the passages that fit a question best, best first; see `CorpusIndex.search`."""
        return list(self.search_in_full(question, k=k, only=only).hits)

    def search_in_full(
        self, question: str, *, k: int = 10, only: Filter | None = None, weights: FusionWeights | None = None
    ) -> SearchResult:
        """Return the passages that fit a question best, and what was known of it.

        Args:
            question: any text of 1 to `MAX_QUESTION_CHARS` characters.
            k: passages wanted, at least 1.
            only: which documents may be found.
            weights: order by fused scores alone, with these weights; None for the learned ranker.

        Raises:
            InputError: if the question is empty or too long, or ``k < 1``.
            StoreError: if the store cannot be reached.
        """
        text, passing = check_question(question), only or Filter()
        version = self._store.version()
        terms = list(dict.fromkeys(self.analyzer.terms(text)))
        vector = self._embedder.embed_question(text)
        sources = self._store.find(terms, vector, k=max(k, _N_DOCUMENTS), only=passing, version=version)
        with self._indexed(self._store.read(sources, version=version)) as corpus:
            found = corpus.search_in_full(text, k=k, only=passing, weights=weights)
        return found.of_generation(version)

    @contextmanager
    def _indexed(self, documents: Iterator[SharedDocument]) -> Iterator[CorpusIndex]:
        """Make an index of some documents for as long as the block lasts; nothing is embedded."""
        vectors = StoredVectors(self._embedder)
        with tempfile.TemporaryDirectory(prefix="sourcier-") as folder:
            corpus = CorpusIndex.create(Path(folder, "index"), embedder=vectors, analyzer=self.analyzer)
            found = list(documents)
            for each in found:
                vectors.learn(each.vectors)
            corpus.put([each.document for each in found])
            try:
                yield corpus
            finally:
                corpus.close()

    def idfs(self, terms: Sequence[str]) -> dict[str, float]:
        """Return how rare each term is in French news at large, above 0."""
        return Background.bundled().idfs(terms)

    def document(self, source: str) -> Document:
        """Return the document of a source.

        Raises:
            InputError: if the store holds none of that name.
        """
        found = self.find_documents([source]).get(source)
        if found is None:
            raise InputError(f"the store holds no {source!r}: name a document as citations do")
        return found

    def find_documents(self, sources: Sequence[str]) -> dict[str, Document]:
        """Return documents by the sources asked for; those that the store does not hold are left out."""
        read = self._store.read(sources, version=self._store.version())
        return {each.document.source: each.document for each in read}

    def newest_documents(self, n: int) -> list[Document]:
        """Return the documents of the latest dates, at most ``n``."""
        documents = self.find_documents(self._store.newest(n))
        return sorted(documents.values(), key=lambda each: each.date or "", reverse=True)

    def sources(self) -> list[str]:
        """Return the source of every document, sorted."""
        return sorted(self._store.snapshot().documents)

    def status(self) -> Status:
        """Return what the store holds now; files and what could not be read are known to those who pushed."""
        told = self._store.tell()
        return Status(
            directory=self._store.address,
            generation=told.version,
            n_files=0,
            n_sources=told.n_documents,
            n_documents=told.n_documents,
            n_passages=told.n_passages,
            first_date=told.first_date,
            last_date=told.last_date,
            embedder=self._store.about.embedder,
            dimension=self._store.about.dimension,
            n_bytes=0,
            roots=(),
            problems=(),
        )
