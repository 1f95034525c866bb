"""A segment: some thousand passages, ready to be searched by terms and by embedding. One immutable file each.

The file is in the safetensors format: named arrays and nothing that could be run. It holds passage numbers, hashes of
terms and embeddings, but no text.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.errors import StoreError
from index.lexical import Postings, PostingsBuilder
from index.vectors import VectorBlock

__all__ = ["FULL_ROWS", "UNDATED", "Segment", "SegmentBuilder", "joined"]

FULL_ROWS = 16_384
"""Passages of a segment that a build writes: what has to be written again when one of them goes stays small."""

UNDATED = (np.iinfo(np.int32).max, -1)
"""First and last day of a passage without a date: a range that meets no other."""

_NUMBERS, _DOCUMENTS, _DAYS, _VECTORS, _CODES = "numbers", "documents", "days", "vectors", "codes"


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """Passages of a corpus, row by row. Safe to use from several threads.

    Attributes:
        numbers: passage numbers, int64, shape ``(n,)``, in no order.
        documents: number of each passage's document, int64, shape ``(n,)``.
        days: first and last day of its document as proleptic Gregorian ordinals, int32, shape ``(n, 2)``; `UNDATED`
            without a date.
        body: terms of the passages.
        title: terms of their documents' titles.
        vectors: their embeddings.
    """

    numbers: NDArray[np.int64]
    documents: NDArray[np.int64]
    days: NDArray[np.int32]
    body: Postings
    title: Postings
    vectors: VectorBlock

    def __len__(self) -> int:
        return len(self.numbers)

    def to_bytes(self) -> bytes:
        """Return the segment as the content of its file."""
        from safetensors.numpy import save  # noqa: PLC0415 - not needed to look at the catalog

        arrays = {_NUMBERS: self.numbers, _DOCUMENTS: self.documents, _DAYS: self.days, _VECTORS: self.vectors.rows}
        if (codes := self.vectors.codes) is not None:
            arrays[_CODES] = codes
        arrays |= self.body.arrays("body") | self.title.arrays("title")
        return save({name: np.ascontiguousarray(values) for name, values in arrays.items()})

    @classmethod
    def from_bytes(cls, data: bytes) -> Segment:
        """Take back what `to_bytes` gave.

        Raises:
            StoreError: if it is something else.
        """
        from safetensors import SafetensorError  # noqa: PLC0415
        from safetensors.numpy import load  # noqa: PLC0415

        try:
            arrays = load(data)
            return cls(
                numbers=arrays[_NUMBERS],
                documents=arrays[_DOCUMENTS],
                days=arrays[_DAYS],
                body=Postings.from_arrays(arrays, "body"),
                title=Postings.from_arrays(arrays, "title"),
                vectors=VectorBlock.of(arrays[_VECTORS], arrays.get(_CODES)),
            )
        except (SafetensorError, ValueError, KeyError) as error:
            raise StoreError(f"is no segment ({error})") from error

    def without(self, removed: NDArray[np.int64]) -> Segment:
        """Return the segment without some passages; itself where it holds none of them.

        Args:
            removed: passage numbers; absent ones are ignored.
        """
        stays = np.isin(self.numbers, removed, invert=True, assume_unique=True)
        return self if stays.all() else self._kept(stays)

    def _kept(self, stays: NDArray[np.bool_]) -> Segment:
        return Segment(
            numbers=self.numbers[stays],
            documents=self.documents[stays],
            days=self.days[stays],
            body=self.body.kept(stays),
            title=self.title.kept(stays),
            vectors=VectorBlock.of(self.vectors.rows[stays]),
        )


def joined(parts: Sequence[Segment]) -> Segment:
    """Return one segment of several that hold different passages; `lexical.MAX_ROWS` at most together."""
    if len(parts) == 1:
        return parts[0]
    parts = sorted(parts, key=lambda part: int(part.numbers[0]))
    return Segment(
        numbers=np.concatenate([part.numbers for part in parts]),
        documents=np.concatenate([part.documents for part in parts]),
        days=np.concatenate([part.days for part in parts]),
        body=Postings.joined([part.body for part in parts]),
        title=Postings.joined([part.title for part in parts]),
        vectors=VectorBlock.of(np.concatenate([part.vectors.rows for part in parts])),
    )


class SegmentBuilder:
    """Collects passages for one segment.

    Args:
        dimension: length of an embedding.
    """

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._numbers = array("q")
        self._documents = array("q")
        self._days = array("i")
        self._body = PostingsBuilder()
        self._title = PostingsBuilder()
        self._vectors = bytearray()

    def __len__(self) -> int:
        return len(self._numbers)

    def add(
        self,
        number: int,
        *,
        document: int,
        days: tuple[int, int] | None,
        body: Sequence[str],
        title: Sequence[str],
        vector: NDArray[np.float16],
    ) -> None:
        """Add a passage, whose number is above that of every one added before.

        Args:
            number: its number.
            document: the number of its document.
            days: first and last day of the document as ordinals, None without a date.
            body: terms of its text.
            title: terms of its document's title.
            vector: its embedding, shape ``(dimension,)``.
        """
        self._numbers.append(number)
        self._documents.append(document)
        self._days.extend(days or UNDATED)
        self._body.add(body)
        self._title.add(title)
        self._vectors += vector.tobytes()

    def build(self) -> Segment:
        """Return the segment of what was added, at least one passage."""
        rows = np.frombuffer(bytes(self._vectors), dtype=np.float16).reshape(-1, self._dimension)
        return Segment(
            numbers=np.array(self._numbers, dtype=np.int64),
            documents=np.array(self._documents, dtype=np.int64),
            days=np.array(self._days, dtype=np.int32).reshape(-1, 2),
            body=self._body.build(),
            title=self._title.build(),
            vectors=VectorBlock.of(rows),
        )
