"""Embedding models of LangChain and of Sourcier, each as the other knows it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import ArrayLike, NDArray

from index.embed import Embedder, check_unicode, open_embedder, unit_rows
from index.errors import ModelError

__all__ = ["LangChainEmbedder", "SourcierEmbeddings"]

_PROBES = ("Paris", "trois navires", "le prix du blé", "Who wrote it?", "2022-10-11", "santé", "un accord", "zoo")
"""Texts whose vectors tell one model from another."""


class SourcierEmbeddings(Embeddings):
    """An embedding model of Sourcier for LangChain; each vector is of unit length, or all zeros for unknown words."""

    def __init__(self, embedder: Embedder | None = None) -> None:
        """Take a model, or open the bundled one: no torch, nothing to download.

        Raises:
            ModelError: if the bundled model is missing or damaged.
        """
        self.embedder = embedder or open_embedder()

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return the vectors of texts to be found, in their order.

        Raises:
            InputError: if a text is not valid Unicode.
        """
        vectors: list[list[float]] = self.embedder.embed_passages(texts).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of a question.

        Raises:
            InputError: if the text is not valid Unicode.
        """
        vector: list[float] = self.embedder.embed_question(text).tolist()
        return vector


class LangChainEmbedder:
    """Any embedding model of LangChain as an `index.embed.Embedder`; its vectors are brought to unit length.

    Attributes:
        embeddings: the model as LangChain knows it.
    """

    def __init__(self, embeddings: Embeddings, *, fingerprint: str | None = None) -> None:
        """Take a model; it is first asked when a vector, the dimension or the fingerprint is.

        Args:
            embeddings: the model.
            fingerprint: your own name for the model and its version, for one whose vectors waver from call to call.
        """
        self.embeddings = embeddings
        self._given_fingerprint = fingerprint

    @property
    def name(self) -> str:
        """The model as shown to the user: ``langchain:`` and its class."""
        return f"langchain:{type(self.embeddings).__name__}"

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        return len(self._probes[0])

    @cached_property
    def fingerprint(self) -> str:
        """The class, the dimension, and which component is the largest in the vectors of eight texts.

        The largest component, not the vector itself: services round differently from one call to the next.
        """
        if self._given_fingerprint is not None:
            return self._given_fingerprint
        largest = np.abs(self._probes).argmax(axis=1)
        signs = np.sign(self._probes[np.arange(len(largest)), largest]).astype(int)
        shape = f"{self.name} {self.dimension} {largest.tolist()} {signs.tolist()}"
        return f"sha256:{hashlib.sha256(shape.encode()).hexdigest()[:32]}"

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row a text, shape ``(len(texts), dimension)``, of unit length or all zeros.

        Raises:
            InputError: if a text is not valid Unicode.
            ModelError: if the model fails, or gives no vector of its dimension for each text.
        """
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        check_unicode(texts)
        return self._rows(lambda: self.embeddings.embed_documents(list(texts)), len(texts), self.dimension)

    def embed_question(self, text: str) -> NDArray[np.float32]:
        """Return the vector of a question, shape ``(dimension,)``, of unit length or all zeros.

        Raises:
            InputError: if the text is not valid Unicode.
            ModelError: if the model fails, or gives no vector of its dimension.
        """
        check_unicode([text])
        vector: NDArray[np.float32] = self._rows(lambda: [self.embeddings.embed_query(text)], 1, self.dimension)[0]
        return vector

    @cached_property
    def _probes(self) -> NDArray[np.float32]:
        return self._rows(lambda: self.embeddings.embed_documents(list(_PROBES)), len(_PROBES), None)

    def _rows(self, embed: Callable[[], ArrayLike], n: int, dimension: int | None) -> NDArray[np.float32]:
        try:
            rows = np.asarray(embed(), dtype=np.float64)
        except Exception as error:  # each model and service raises what it likes
            raise ModelError(f"embedding model {self.name} failed: {error}") from error
        if rows.ndim != 2 or len(rows) != n or rows.shape[1] != (dimension or rows.shape[1] or 1):
            expected = f"({n}, {dimension or 'dimension'})"
            raise ModelError(f"embedding model {self.name}: found vectors of shape {rows.shape}, expected {expected}")
        if not np.isfinite(rows).all():
            raise ModelError(f"embedding model {self.name}: found a vector with NaN or infinity, expected numbers")
        return unit_rows(rows)
