"""The lexical half of a segment: which passages hold a term, and how often. Scored by BM25 with corpus-wide weights.

An inverted index as plain arrays: the postings of one term lie together, terms in the order of their 64-bit hash. The
terms themselves are not kept, so a segment holds no word of a document. Weights and mean length come from the whole
corpus, so the way in which it is cut into segments changes no score.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from index.rank import K1

__all__ = ["MAX_ROWS", "Postings", "PostingsBuilder", "hashes_of", "term_hash"]

MAX_ROWS = 2**16
"""Passages that one set of postings can hold: a row number is written in 16 bits."""

_MAX_COUNT = 255
"""Highest count kept, in 8 bits; BM25 has long levelled off there."""


def term_hash(term: str) -> int:
    """Return the 64-bit hash by which a term is known.

    A vocabulary of a million terms has a colliding pair with a probability of 3e-8 (birthday bound), which would add
    the passages of one to those of the other.
    """
    # A question may hold half of a surrogate pair, which no document does.
    digest = hashlib.blake2b(term.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


@dataclass(frozen=True, slots=True, eq=False)
class Postings:
    """Which rows hold each term of one field, and how often.

    Attributes:
        terms: hashes of the terms, uint64, shape ``(n_terms,)``, increasing.
        offsets: where the postings of each term begin, uint32, shape ``(n_terms + 1,)``.
        rows: rows that hold the term, uint16, shape ``(n_postings,)``, increasing within a term.
        counts: how often, 1 to 255, uint8, shape ``(n_postings,)``.
        lengths: number of terms of each row's text, uint32, shape ``(n_rows,)``.
    """

    terms: NDArray[np.uint64]
    offsets: NDArray[np.uint32]
    rows: NDArray[np.uint16]
    counts: NDArray[np.uint8]
    lengths: NDArray[np.uint32]

    def arrays(self, field: str) -> dict[str, NDArray[np.generic]]:
        """Return the arrays under the names that `from_arrays` knows them by."""
        return {f"{field}.{name}": getattr(self, name) for name in _ARRAYS}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]], field: str) -> Postings:
        """Take back what `arrays` gave.

        Raises:
            KeyError: if one is missing.
        """
        return cls(**{name: arrays[f"{field}.{name}"] for name in _ARRAYS})  # type: ignore[arg-type]

    def counts_of(self, hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return in how many rows each term occurs, shape ``(len(hashes),)``."""
        places, known = self._places(hashes)
        found = np.zeros(len(hashes), dtype=np.int64)
        found[known] = self.offsets[places[known] + 1].astype(np.int64) - self.offsets[places[known]]
        return found

    def impacts(
        self, hashes: NDArray[np.uint64], weights: NDArray[np.float64], norms: NDArray[np.float64]
    ) -> tuple[NDArray[np.uint16], NDArray[np.float64]]:
        """Return what each term gives to the BM25 score of each row that holds it, term after term.

        Args:
            hashes: the terms, uint64, shape ``(n,)``.
            weights: how much each of them counts: its idf, times the weight of this field; shape ``(n,)``.
            norms: `rank.length_norms` of the rows, shape ``(n_rows,)``.

        Returns:
            Rows and impacts, shape ``(n_impacts,)``; the score of a row is the sum of its impacts.
        """
        places, known = self._places(hashes)
        spans = [slice(self.offsets[place], self.offsets[place + 1]) for place in places[known].tolist()]
        if not spans:
            return np.empty(0, dtype=np.uint16), np.empty(0)
        rows = np.concatenate([self.rows[span] for span in spans])
        counts = np.concatenate([self.counts[span] for span in spans]).astype(np.float64)
        weight = np.repeat(weights[known] * (K1 + 1.0), [span.stop - span.start for span in spans])
        return rows, weight * counts / (counts + norms[rows])

    def fill_counts(self, hashes: NDArray[np.uint64], rows: NDArray[np.int64], into: NDArray[np.uint8]) -> None:
        """Write how often each term occurs in each of some rows.

        Args:
            hashes: the terms, shape ``(n_terms,)``.
            rows: increasing, shape ``(n,)``, ``n >= 1``.
            into: zeros, shape ``(n_terms, n)``.
        """
        places, known = self._places(hashes)
        for term in np.flatnonzero(known).tolist():
            span = slice(self.offsets[places[term]], self.offsets[places[term] + 1])
            held = self.rows[span]
            found = np.searchsorted(held, rows.astype(np.uint16))
            found[found == len(held)] = 0
            into[term] = np.where(held[found] == rows, self.counts[span][found], 0)

    def kept(self, rows: NDArray[np.bool_]) -> Postings:
        """Return the postings of some rows only, numbered anew.

        Args:
            rows: which ones, shape ``(n_rows,)``.
        """
        stays = rows[self.rows]
        renumbered = (np.cumsum(rows) - 1).astype(np.uint16)
        before = np.concatenate(([0], np.cumsum(stays)))
        offsets = before[self.offsets]
        used = np.diff(offsets) > 0
        return Postings(
            terms=self.terms[used],
            offsets=np.concatenate((offsets[:-1][used], offsets[-1:])).astype(np.uint32),
            rows=renumbered[self.rows[stays]],
            counts=self.counts[stays],
            lengths=self.lengths[rows],
        )

    @classmethod
    def joined(cls, parts: Sequence[Postings]) -> Postings:
        """Return the postings of several sets, the rows of each after those of the one before.

        Args:
            parts: at least one, with at most `MAX_ROWS` rows together.
        """
        firsts = np.cumsum([0, *(len(part.lengths) for part in parts)])
        hashes = np.concatenate([np.repeat(part.terms, np.diff(part.offsets)) for part in parts])
        rows = np.concatenate([part.rows + np.uint32(first) for part, first in zip(parts, firsts, strict=False)])
        counts = np.concatenate([part.counts for part in parts])
        # Stable, so that the rows of a term, increasing from part to part, stay so.
        order = np.argsort(hashes, kind="stable")
        lengths = np.concatenate([part.lengths for part in parts])
        return _packed(hashes[order], rows[order], counts[order], lengths)

    def _places(self, hashes: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return where each term stands among `terms`, and whether it does."""
        places = np.searchsorted(self.terms, hashes)
        known = places < len(self.terms)
        known[known] = self.terms[places[known]] == hashes[known]
        return places, known


class PostingsBuilder:
    """Collects the terms of texts, row by row."""

    def __init__(self) -> None:
        self._vocabulary: defaultdict[str, int] = defaultdict()
        self._vocabulary.default_factory = self._vocabulary.__len__
        self._terms = array("I")
        self._lengths = array("I")

    def add(self, terms: Sequence[str]) -> None:
        """Add the terms of the next row, in any order, repeated ones as often as they stand there."""
        self._terms.extend(map(self._vocabulary.__getitem__, terms))
        self._lengths.append(len(terms))

    def build(self) -> Postings:
        """Return the postings of what was added."""
        lengths = np.frombuffer(self._lengths, dtype=np.uint32) if self._lengths else np.empty(0, dtype=np.uint32)
        hashes = np.fromiter(map(term_hash, self._vocabulary), dtype=np.uint64, count=len(self._vocabulary))
        rank = np.empty(len(hashes), dtype=np.int64)  # place of each term in the order of hashes
        rank[np.argsort(hashes)] = np.arange(len(hashes))
        terms = np.frombuffer(self._terms, dtype=np.uint32) if self._terms else np.empty(0, dtype=np.uint32)
        keys = rank[terms] * MAX_ROWS + np.repeat(np.arange(len(lengths)), lengths)
        keys, counts = np.unique(keys, return_counts=True)
        return _packed(
            np.sort(hashes)[keys // MAX_ROWS], keys % MAX_ROWS, np.minimum(counts, _MAX_COUNT), lengths.copy()
        )


def hashes_of(terms: Iterable[str]) -> NDArray[np.uint64]:
    """Return the hashes of terms, shape ``(n,)``."""
    return np.fromiter(map(term_hash, terms), dtype=np.uint64)


def _packed(
    hashes: NDArray[np.uint64], rows: NDArray[np.integer], counts: NDArray[np.integer], lengths: NDArray[np.uint32]
) -> Postings:
    """Return postings that are given one by one, sorted by hash and row."""
    terms, firsts = np.unique(hashes, return_index=True)
    return Postings(
        terms=terms,
        offsets=np.append(firsts, len(hashes)).astype(np.uint32),
        rows=rows.astype(np.uint16),
        counts=counts.astype(np.uint8),
        lengths=lengths,
    )


_ARRAYS = tuple(field.name for field in fields(Postings))
