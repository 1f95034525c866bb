"""The vector half of a segment: which passages lie nearest to a question's embedding. The only door to faiss.

Half-precision embeddings in a flat FAISS index, scanned exactly. A large block also has RaBitQ codes (Gao and Long,
SIGMOD 2024; faiss `IndexRaBitQFastScan`), one bit a dimension, which choose the candidates that are then scored
exactly: a large corpus is scanned several times as fast, and the scores are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["CODED_ROWS", "VectorBlock"]

CODED_ROWS = 4_096
"""Rows from which a block has codes; a smaller one is scanned as fast without."""

_FEW = 16
"""Rows are scored one by one where they are at most one in so many; a scan is faster for more."""

_EQUAL = 1e-6
"""Cosines that differ by less may be those of equal embeddings, summed in another order."""

_MAX_TIES = 1_000
"""Rows as near as the last one wanted that are given too, so that who asks can order them."""


@dataclass(frozen=True, slots=True, eq=False)
class VectorBlock:
    """Embeddings of the rows of one segment. Immutable; safe to use from several threads.

    Attributes:
        rows: the embeddings, float16, shape ``(n, dimension)``, each of unit length or all zeros.
    """

    rows: NDArray[np.float16]
    _flat: Any
    _coded: Any

    @classmethod
    def of(cls, rows: NDArray[np.float16], codes: NDArray[np.uint8] | None = None) -> VectorBlock:
        """Index embeddings.

        Args:
            rows: float16, shape ``(n, dimension)``.
            codes: what `codes` gave for a block of the same rows, or None to make them where the block is large.

        Raises:
            ValueError: if the codes are not those of so many rows.
        """
        import faiss  # noqa: PLC0415 - 0.2 s that only a search has to pay

        n, dimension = rows.shape
        flat = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
        if n:  # half precision is the code of this quantizer, so the rows are taken as they are
            flat.add_sa_codes(np.ascontiguousarray(rows).view(np.uint8).reshape(n, -1))
            rows = faiss.rev_swig_ptr(flat.codes.data(), flat.codes.size()).view(np.float16).reshape(n, dimension)
        if n < CODED_ROWS:
            return cls(rows, flat, None)
        if codes is None:
            coded = faiss.IndexRaBitQFastScan(dimension, faiss.METRIC_INNER_PRODUCT)
            exact = rows.astype(np.float32)
            coded.train(exact)
            coded.add(exact)
            return cls(rows, flat, coded)
        try:
            read = faiss.deserialize_index(codes)
        except RuntimeError as error:
            raise ValueError(f"no faiss index ({error})") from error
        if not isinstance(read, faiss.IndexRaBitQFastScan) or (read.ntotal, read.d) != (n, dimension):
            raise ValueError(f"codes of {read.ntotal} x {read.d}, expected {n} x {dimension}")
        return cls(rows, flat, read)

    @property
    def codes(self) -> NDArray[np.uint8] | None:
        """The codes as faiss writes them, uint8, or None for a small block."""
        import faiss  # noqa: PLC0415

        return None if self._coded is None else faiss.serialize_index(self._coded)

    def cosines(self, vector: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the cosine of a query vector to some rows, shape ``(len(rows),)``."""
        found: NDArray[np.float32] = self.rows[rows].astype(np.float32) @ vector
        return found

    def search(
        self, vector: NDArray[np.float32], *, k: int, n_candidates: int | None, allowed: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the rows nearest to a query vector, in no order, with their cosines.

        These are ``k`` rows where there are so many, and up to a thousand more that are as near as the last of them;
        of the latter, those that the codes tell of where the codes are asked.

        Args:
            vector: float32, shape ``(dimension,)``.
            k: rows wanted, at least 1.
            n_candidates: rows that the codes choose, ``k`` at least, to be scored exactly; None to scan all embeddings.
            allowed: the only rows wanted, increasing, or None for all; these are always scanned exactly.
        """
        n = len(self.rows)
        if not n:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
        if allowed is not None:
            few = len(allowed) * _FEW <= n or len(allowed) <= k
            return self._nearest(vector, allowed, k) if few else self._scan(vector, k, allowed)
        if n_candidates is None or self._coded is None or n <= n_candidates:
            return self._scan(vector, k, None)
        _one_thread()
        _, found = self._coded.search(vector[None], max(k, n_candidates))
        return self._nearest(vector, found[0][found[0] >= 0], k)

    def _scan(
        self, vector: NDArray[np.float32], k: int, allowed: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        import faiss  # noqa: PLC0415

        _one_thread()
        parameters = None
        if allowed is not None:
            selector = faiss.IDSelectorBatch(allowed)
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg] # set by faiss's own wrapper
        for n_asked in (k + 1, k + _MAX_TIES):  # more only where one more is as near as the last
            (scores,), (found,) = self._flat.search(vector[None], min(n_asked, len(self.rows)), params=parameters)
            if len(scores) <= k:
                return found, scores
            near = scores >= scores[k - 1] - _EQUAL
            if not near[-1]:
                break
        return found[near], scores[near]

    def _nearest(
        self, vector: NDArray[np.float32], rows: NDArray[np.int64], k: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        scores = self.cosines(vector, rows)
        if len(rows) > k:
            near = scores >= np.partition(scores, -k)[-k] - _EQUAL
            return rows[near], scores[near]
        return rows, scores


def _one_thread() -> None:
    import faiss  # noqa: PLC0415

    # A scan takes milliseconds: on busy cores, several threads would wait for each other five times as long.
    faiss.omp_set_num_threads(1)
