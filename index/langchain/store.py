"""LangChain's view of an index: a vector store.

One document of LangChain is one document here: its id is the source, and a hit is the whole document as it was added.
A long one is split into passages inside, and its best passage decides.
"""

from __future__ import annotations

import shutil
import tempfile
import uuid
import weakref
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
from langchain_core.documents import Document as LangChainDocument
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore
from numpy.typing import NDArray

from index.corpus import CorpusIndex
from index.embed import Embedder, unit_rows
from index.errors import InputError
from index.langchain.documents import from_langchain, search_filters, to_langchain
from index.langchain.embeddings import LangChainEmbedder, SourcierEmbeddings
from index.types import Hit

__all__ = ["CorpusVectorStore"]

_Result = TypeVar("_Result")
_ATTEMPTS = 5


class CorpusVectorStore(VectorStore):
    """A `CorpusIndex` as a vector store of LangChain: FAISS underneath, on disk, without pickle. Thread-safe.

    The metadata of a document are JSON values. Its field ``title`` is embedded and searched with the text, as every
    title is here; its field ``date``, else a header such as `` date 2022-10 `` in the text, is what ``since`` and
    ``until`` look at. An index that was built from files can be searched too: their documents come whole, and their
    metadata hold ``source``, ``title`` and ``date`` as well. Every search takes these keyword arguments, looks inside
    the documents that fit them all, and raises InputError for any other keyword:

    - ``filter``: dict of metadata field and the value wanted, or a list of values, any of which fits;
    - ``since``, ``until``: ISO dates of any precision; undated documents are left out;
    - ``source``: an id, file or folder, or a list of them.

    `similarity_search` and `max_marginal_relevance_search` also take ``hybrid=True``: words and embeddings are searched
    together, as `CorpusIndex.search` does, which finds names and numbers that embeddings miss.

    Attributes:
        corpus: the index itself.
    """

    def __init__(self, corpus: CorpusIndex) -> None:
        self.corpus = corpus

    @classmethod
    def open(cls, directory: str | Path, embedding: Embeddings | None = None) -> Self:
        """Open the store of a folder, or make an empty one there.

        Args:
            directory: folder of the index.
            embedding: any embedding model of LangChain; None for the one that the index was made with, by its name, or
                the bundled one for a new index.

        Raises:
            IndexMismatchError: if the index was made with another embedding model.
            IndexDamagedError: if its catalog cannot be read.
        """
        return cls(CorpusIndex.create(directory, embedder=_embedder(embedding)))

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings | None = None,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        directory: str | Path | None = None,
        **kwargs: Any,
    ) -> Self:
        """Open a store and add texts to it; see `open` and `add_texts`.

        Args:
            texts: the texts.
            embedding: the embedding model; None for the bundled one.
            metadatas: the metadata of each.
            ids: the id of each, or None where one is to be made.
            directory: folder of the index; None for a temporary one, deleted once the index is no longer used.
            **kwargs: taken as `add_texts` does.
        """
        store = cls.open(directory or tempfile.mkdtemp(prefix="sourcier-"), embedding)
        if directory is None:
            weakref.finalize(store.corpus, shutil.rmtree, store.corpus.directory, ignore_errors=True)
        store.add_texts(texts, metadatas, ids=ids, **kwargs)
        return store

    @property
    def embeddings(self) -> Embeddings:
        """The embedding model of the index, as LangChain knows it."""
        embedder = self.corpus.embedder
        return embedder.embeddings if isinstance(embedder, LangChainEmbedder) else SourcierEmbeddings(embedder)

    # -- changes ------------------------------------------------------------------------------------------------

    def add_documents(
        self, documents: list[LangChainDocument], *, ids: Sequence[str | None] | None = None, **kwargs: Any
    ) -> list[str]:
        """Add documents, all of them or none; one of a known id replaces the former, an unchanged one costs nothing.

        Args:
            documents: the documents; of two with one id, the last counts.
            ids: the id of each, or None where one is to be made; None for the documents' own.
            **kwargs: not looked at; `langchain_core.indexing.index` gives its batch size.

        Returns:
            The id of each.

        Raises:
            InputError: if there are not as many ids as documents.
            InputError: if metadata hold anything but JSON values.
            IndexLockedError: if another process is writing.
        """
        wanted = [document.id for document in documents] if ids is None else ids
        if len(wanted) != len(documents):
            raise InputError(f"{len(wanted)} ids for {len(documents)} documents: expected one for each")
        named = [id_ or str(uuid.uuid4()) for id_ in wanted]
        stored = {id_: from_langchain(document, id_) for id_, document in zip(named, documents, strict=True)}
        if stored:
            self.corpus.put(stored.values())
        return named

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: Sequence[dict[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Add texts, as `add_documents` does.

        Raises:
            InputError: if there are not as many metadata or ids as texts.
        """
        listed = list(texts)
        fields = metadatas or [{}] * len(listed)
        if len(fields) != len(listed):
            raise InputError(f"{len(fields)} metadatas for {len(listed)} texts: expected one for each")
        documents = [LangChainDocument(text, metadata=data) for text, data in zip(listed, fields, strict=True)]
        return self.add_documents(documents, ids=ids, **kwargs)

    def delete(self, ids: list[str] | None = None, **kwargs: Any) -> bool:
        """Delete documents in one change; unknown ids are passed over.

        Args:
            ids: their ids; None for every document, those of files too.
            **kwargs: not looked at.

        Returns:
            True, as LangChain's contract has it.

        Raises:
            IndexLockedError: if another process is writing.
        """
        _again_if_changed(lambda: self._remove(ids))
        return True

    # -- questions ----------------------------------------------------------------------------------------------

    def get_by_ids(self, ids: Sequence[str], /) -> list[LangChainDocument]:
        """Return the documents of ids, in their order, each once; unknown ids are passed over."""
        found = self.corpus.find_documents(list(dict.fromkeys(ids)))
        return [to_langchain(found[id_]) for id_ in dict.fromkeys(ids) if id_ in found]

    def similarity_search(
        self, query: str, k: int = 4, *, hybrid: bool = False, **kwargs: Any
    ) -> list[LangChainDocument]:
        """Return the documents that fit a question best, best first; ``k`` of them where so many fit the filters.

        A question of which the embedding model knows no word finds nothing, unless it is searched with ``hybrid``.

        Args:
            query: the question.
            k: documents wanted, at least 1.
            hybrid: search words and embeddings together, not embeddings only.
            **kwargs: ``filter``, ``since``, ``until``, ``source``.

        Raises:
            InputError: if ``k < 1``, a filter cannot be used or, with ``hybrid``, the question is empty or too long.
        """
        if hybrid:
            return [to_langchain(hit.passage.document) for hit in self._hybrid(query, k, **kwargs)]
        return [document for document, _ in self.similarity_search_with_score(query, k, **kwargs)]

    def similarity_search_with_score(
        self, query: str, k: int = 4, **kwargs: Any
    ) -> list[tuple[LangChainDocument, float]]:
        """Return the documents nearest to a question with their cosine in [-1, 1], higher is better, best first."""
        return self._scored(self.corpus.embedder.embed_question(query), k, **kwargs)

    def similarity_search_by_vector(self, embedding: list[float], k: int = 4, **kwargs: Any) -> list[LangChainDocument]:
        """Return the documents nearest to a vector of any length, best first.

        Raises:
            InputError: if it has not the dimension of the index, or holds no finite numbers.
        """
        return [document for document, _ in self.similarity_search_with_score_by_vector(embedding, k, **kwargs)]

    def similarity_search_with_score_by_vector(
        self, embedding: list[float], k: int = 4, **kwargs: Any
    ) -> list[tuple[LangChainDocument, float]]:
        """Do as `similarity_search_by_vector`, and return the cosine of each, in [-1, 1]."""
        return self._scored(self._vector(embedding), k, **kwargs)

    def max_marginal_relevance_search(
        self,
        query: str,
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        *,
        hybrid: bool = False,
        **kwargs: Any,
    ) -> list[LangChainDocument]:
        """Return documents that fit a question and differ from each other, in the order chosen.

        Args:
            query: the question.
            k: documents wanted.
            fetch_k: best documents to choose from.
            lambda_mult: 1 to look at the question only, 0 at the differences only.
            hybrid: take those to choose from by words and embeddings together.
            **kwargs: ``filter``, ``since``, ``until``, ``source``.
        """
        vector = self.corpus.embedder.embed_question(query)

        def find() -> list[Hit]:
            if hybrid:
                return self._hybrid(query, fetch_k, **kwargs)
            return self._nearest(vector, fetch_k, **kwargs)

        return _again_if_changed(lambda: self._diverse(vector, find(), k, lambda_mult))

    def max_marginal_relevance_search_by_vector(
        self, embedding: list[float], k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[LangChainDocument]:
        """Do as `max_marginal_relevance_search`, for a vector of any length."""
        vector = self._vector(embedding)
        return _again_if_changed(
            lambda: self._diverse(vector, self._nearest(vector, fetch_k, **kwargs), k, lambda_mult)
        )

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        """Return what makes a relevance in [0, 1] of a score: the cosine, 0 where it is negative."""
        return lambda cosine: min(max(cosine, 0.0), 1.0)  # rounding can carry the cosine of equal vectors past 1

    def _remove(self, ids: list[str] | None) -> None:
        known = self.corpus.sources() if ids is None else list(self.corpus.find_documents(ids))
        if known:
            self.corpus.remove(known)

    def _hybrid(self, query: str, k: int, **kwargs: Any) -> list[Hit]:
        """Return the best passage of each of the ``k`` documents that fit best by words and embeddings together."""
        filters = search_filters(kwargs)
        return _best_of_each(lambda n: self.corpus.search(query, k=n, **filters), k)

    def _nearest(self, vector: NDArray[np.float32], k: int, **kwargs: Any) -> list[Hit]:
        """Return the nearest passage of each of the ``k`` nearest documents."""
        filters = search_filters(kwargs)
        return _best_of_each(lambda n: self.corpus.nearest(vector, k=n, **filters), k)

    def _scored(self, vector: NDArray[np.float32], k: int, **kwargs: Any) -> list[tuple[LangChainDocument, float]]:
        return [(to_langchain(hit.passage.document), hit.dense_score) for hit in self._nearest(vector, k, **kwargs)]

    def _vector(self, embedding: Sequence[float]) -> NDArray[np.float32]:
        """Return a vector given by the caller, of unit length or all zeros."""
        vector = np.asarray(embedding, dtype=np.float64)
        dimension = self.corpus.embedder.dimension
        if vector.shape != (dimension,) or not np.isfinite(vector).all():
            raise InputError(f"vector of shape {vector.shape}: expected ({dimension},), of finite numbers")
        unit: NDArray[np.float32] = unit_rows(vector[None])[0]
        return unit

    def _diverse(
        self, vector: NDArray[np.float32], hits: Sequence[Hit], k: int, lambda_mult: float
    ) -> list[LangChainDocument]:
        rows = self.corpus.vectors([hit.passage for hit in hits])
        return [to_langchain(hits[row].passage.document) for row in _marginal_relevance(vector, rows, k, lambda_mult)]


def _embedder(embedding: Embeddings | None) -> Embedder | None:
    if embedding is None:
        return None
    return embedding.embedder if isinstance(embedding, SourcierEmbeddings) else LangChainEmbedder(embedding)


def _again_if_changed(call: Callable[[], _Result]) -> _Result:
    """Call again where InputError may only mean that another writer removed what had just been read."""
    for _ in range(_ATTEMPTS - 1):
        with suppress(InputError):
            return call()
    return call()


def _best_of_each(find: Callable[[int], list[Hit]], k: int) -> list[Hit]:
    """Ask for more and more passages until they belong to ``k`` documents, and return the first passage of each."""
    n = k
    while True:
        hits = find(n)
        best: dict[str, Hit] = {}
        for hit in hits:
            best.setdefault(hit.passage.document.source, hit)
        if len(best) >= k or len(hits) < n:
            return list(best.values())[:k]
        n *= 4


def _marginal_relevance(
    vector: NDArray[np.float32], rows: NDArray[np.float32], k: int, lambda_mult: float
) -> list[int]:
    """Return the rows that fit a vector and differ from each other, in the order chosen.

    Carbonell and Goldstein 1998, "The use of MMR", equation 1, with cosines for both similarities.

    Args:
        vector: shape ``(dimension,)``, of unit length or all zeros.
        rows: shape ``(n, dimension)``, likewise.
        k: rows wanted at most.
        lambda_mult: weight of the first similarity, in [0, 1].
    """
    chosen: list[int] = []
    rows = unit_rows(rows)  # the index keeps them in half precision
    relevance = lambda_mult * (rows @ vector)
    redundancy = np.full(len(rows), -np.inf, dtype=np.float32)
    while len(chosen) < min(k, len(rows)):
        score = relevance - (1.0 - lambda_mult) * redundancy if chosen else rows @ vector
        score[chosen] = -np.inf
        chosen.append(int(score.argmax()))
        redundancy = np.maximum(redundancy, rows @ rows[chosen[-1]])
    return chosen
