"""The vector index: which passages lie nearest to a question's embedding. The only door to faiss.

An exact inner-product scan over half-precision embeddings (`IndexIDMap2` over a flat fp16 scalar quantizer). A
`VectorIndex` is a value: a change returns a new one that shares the large base and carries a small delta, so
threads search the former while the next is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.errors import InputError, StoreError

__all__ = ["VectorIndex"]


class VectorIndex:
    """Embeddings of passages, searched by cosine.

    Args:
        dimension: length of an embedding.
    """

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self._base = _empty(dimension)
        self._delta = _empty(dimension)
        self._removed: NDArray[np.int64] = np.empty(0, dtype=np.int64)

    @classmethod
    def load(cls, path: Path) -> VectorIndex:
        """Read a snapshot that `save` wrote.

        Raises:
            StoreError: if the file cannot be read as one.
        """
        import faiss  # noqa: PLC0415 - 0.2 s that only a search has to pay

        try:
            base = faiss.read_index(str(path))
        except (RuntimeError, MemoryError) as error:
            raise StoreError(f"{path} is no vector snapshot: `python -m index repair` makes it again") from error
        if not isinstance(base, faiss.IndexIDMap2):
            raise StoreError(f"{path} is no vector snapshot but another faiss index: `python -m index repair` mends it")
        index = cls(base.d)
        index._base = base
        return index

    def save(self, path: Path) -> None:
        """Write a snapshot that holds the passages of this index and no others.

        Raises:
            StoreError: if it cannot be written.
        """
        import faiss  # noqa: PLC0415

        try:
            faiss.write_index(self.compacted()._base, str(path))
        except RuntimeError as error:
            raise StoreError(
                f"{path} cannot be written: check free disk space and the rights of the folder, then try again"
            ) from error

    def __len__(self) -> int:
        return int(self._base.ntotal + self._delta.ntotal - len(self._removed))

    @property
    def drift(self) -> tuple[int, int, int]:
        """How many passages the snapshot holds, how many were added since, and how many of it are left out."""
        return int(self._base.ntotal), int(self._delta.ntotal), len(self._removed)

    def changed(self, *, added: Sequence[int], vectors: NDArray[Any], removed: Sequence[int]) -> VectorIndex:
        """Return an index with passages added and removed.

        Args:
            added: numbers of new passages, none of them present.
            vectors: their embeddings, shape ``(len(added), dimension)``, any float type.
            removed: numbers of passages to leave out; absent ones are ignored.
        """
        import faiss  # noqa: PLC0415

        after = VectorIndex(self.dimension)
        after._base = self._base
        after._delta = faiss.clone_index(self._delta)
        gone = np.asarray(removed, dtype=np.int64)
        after._delta.remove_ids(gone)
        in_base = gone[np.isin(gone, faiss.vector_to_array(self._base.id_map))]
        after._removed = np.union1d(self._removed, in_base)
        if len(added):
            after._delta.add_with_ids(np.ascontiguousarray(vectors, dtype=np.float32), np.asarray(added, np.int64))
        return after

    def compacted(self) -> VectorIndex:
        """Return the same index with an empty delta."""
        import faiss  # noqa: PLC0415

        if not self._delta.ntotal and not len(self._removed):
            return self
        after = VectorIndex(self.dimension)
        after._base = faiss.clone_index(self._base) if self._base.ntotal else _empty(self.dimension)
        after._base.remove_ids(self._removed)
        if self._delta.ntotal:
            numbers = faiss.vector_to_array(self._delta.id_map)
            after._base.add_with_ids(self._delta.index.reconstruct_n(0, self._delta.ntotal), numbers)
        return after

    def numbers(self) -> NDArray[np.int64]:
        """Return the numbers of the passages held, sorted."""
        import faiss  # noqa: PLC0415

        held = [faiss.vector_to_array(part.id_map) for part in (self._base, self._delta)]
        return np.setdiff1d(np.concatenate(held), self._removed)

    def embeddings(self, numbers: Sequence[int]) -> NDArray[np.float32]:
        """Return the embeddings of passages that are held, shape ``(len(numbers), dimension)``."""
        import faiss  # noqa: PLC0415

        in_delta = set(faiss.vector_to_array(self._delta.id_map).tolist())
        rows = [(self._delta if number in in_delta else self._base).reconstruct(number) for number in numbers]
        return np.stack(rows) if rows else np.empty((0, self.dimension), dtype=np.float32)

    def search(
        self, vector: NDArray[np.float32], *, k: int, allowed: NDArray[np.int64] | None = None
    ) -> list[tuple[int, float]]:
        """Return the passages nearest to a query vector, best first.

        Args:
            vector: float32, shape ``(dimension,)``, of unit length or all zeros.
            k: passages wanted, at least 1.
            allowed: sorted numbers of the only passages wanted, or None for all.

        Returns:
            ``(passage number, cosine)`` with cosine in [-1, 1]; fewer than ``k`` when fewer are held; nothing
            for a vector of zeros, which says nothing.

        Raises:
            InputError: if ``k < 1`` or the shape is wrong.
        """
        import faiss  # noqa: PLC0415

        if k < 1 or vector.shape != (self.dimension,):
            raise InputError(f"k = {k}, vector of shape {vector.shape}: expected k >= 1 and shape ({self.dimension},)")
        if not vector.any():
            return []
        # A scan takes milliseconds: on busy cores, several threads would wait for each other five times as long.
        faiss.omp_set_num_threads(1)
        query = np.ascontiguousarray(vector, dtype=np.float32)[None, :]
        found: list[tuple[int, float]] = []
        for part, without in ((self._base, self._removed), (self._delta, None)):
            if not part.ntotal:
                continue
            scores, numbers = part.search(query, min(k, part.ntotal), params=_parameters(allowed, without))
            found += [(int(n), float(s)) for n, s in zip(numbers[0], scores[0], strict=True) if n >= 0]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:k]


def _empty(dimension: int) -> Any:
    import faiss  # noqa: PLC0415

    flat = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    return faiss.IndexIDMap2(flat)


def _parameters(allowed: NDArray[np.int64] | None, without: NDArray[np.int64] | None) -> Any:
    import faiss  # noqa: PLC0415

    if allowed is not None:
        kept = allowed if without is None else np.setdiff1d(allowed, without, assume_unique=True)
        return faiss.SearchParameters(sel=faiss.IDSelectorBatch(kept))  # type: ignore[call-arg] # set by faiss's own wrapper
    if without is not None and len(without):
        selector = faiss.IDSelectorNot(faiss.IDSelectorBatch(without))
        return faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
    return None
