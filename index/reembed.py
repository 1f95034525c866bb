"""Every passage of an index embedded again with another model, from the catalog, and what that will cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

import numpy as np

from index.catalog import Catalog
from index.embed import Embedder
from index.plan import Progress, ProgressCallback
from index.prepare import embedded_text

__all__ = ["EMBEDDED_AT_ONCE", "CostCallback", "EmbeddingCost", "embed_again", "estimate_cost"]

EMBEDDED_AT_ONCE = 256
"""Passages embedded between two reports of progress: some seconds of a transformer on a processor."""

_SAMPLE, _SAMPLE_SLICES, _SAMPLE_S = 64, 4, 2.0
"""Passages embedded to estimate the time, in how many steps, and seconds after which they are enough."""


@dataclass(frozen=True, slots=True)
class EmbeddingCost:
    """What it costs to embed every passage of an index with another model.

    Attributes:
        embedder: the model, as shown to the user.
        former: the model that the index was made with.
        n_passages: passages to embed.
        n_sampled: passages embedded to measure the time, at most 64, spread over the index.
        seconds: estimated time on this machine as busy as it is now.
    """

    embedder: str
    former: str
    n_passages: int
    n_sampled: int
    seconds: float

    def __str__(self) -> str:
        with_whom = f"with {self.embedder}, instead of {self.former}"
        if self.embedder == self.former:
            with_whom = f"with {self.embedder}, whose files have changed"
        return (
            f"{self.n_passages:,} passages are to be embedded again {with_whom}: about {_duration(self.seconds)} "
            f"on this machine (measured on {self.n_sampled})"
        )


CostCallback = Callable[[EmbeddingCost], None]


def estimate_cost(catalog: Catalog, embedder: Embedder) -> EmbeddingCost:
    """Measure on a sample what it costs to embed every passage.

    Args:
        catalog: inside a snapshot or a transaction.
        embedder: the model to come.
    """
    former, numbers = catalog.manifest().embedder, catalog.passage_numbers()
    sample = numbers[np.unique(np.linspace(0, len(numbers) - 1, _SAMPLE).astype(np.int64))] if len(numbers) else numbers
    found = catalog.passages(sample.tolist())
    texts = [embedded_text(found[number].document, found[number].text) for number in sample.tolist()]
    n_sampled, seconds = 0, 0.0
    for first in range(_SAMPLE_SLICES if texts else 0):
        if seconds >= _SAMPLE_S:
            break
        part = texts[first::_SAMPLE_SLICES]
        if first == 0:
            embedder.embed_passages(part[:1])  # what happens only once is not counted
        start = time.perf_counter()
        embedder.embed_passages(part)
        seconds += time.perf_counter() - start
        n_sampled += len(part)
    return EmbeddingCost(
        embedder.name, former, len(numbers), n_sampled, seconds * len(numbers) / n_sampled if n_sampled else 0.0
    )


def embed_again(catalog: Catalog, embedder: Embedder, *, progress: ProgressCallback) -> int:
    """Replace the embedding of every passage, and return how many were embedded.

    Nothing embedded by the former model is left in the catalog, where embeddings are found again by their text.

    Args:
        catalog: inside its writing transaction.
        embedder: the model to come.
        progress: called after each step.
    """
    walk, n_embedded, total = catalog.walk_passages(), 0, catalog.counts()["passages"]
    while batch := [passage for passage, _ in islice(walk, EMBEDDED_AT_ONCE)]:
        matrix = embedder.embed_passages([embedded_text(each.document, each.text) for each in batch])
        catalog.set_vectors(zip([each.number for each in batch], matrix.astype(np.float16), strict=True))
        n_embedded += len(batch)
        progress(Progress("vectorisation", n_embedded, total))
    return n_embedded


def _duration(seconds: float) -> str:
    """Return a duration in its two largest units, such as ``1 h 10 min``."""
    if seconds < 1.0:
        return "1 s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
