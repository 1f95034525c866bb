"""The segments of a generation: how they are named, written, checked, kept few, and made again from the catalog.

`segments/<name>.segment` is written once and never changed; the manifest names the ones in force with the SHA-256 of
each. A change writes a segment of what is new, and writes those anew that hold something removed, so that nothing of it
stays. Small segments are joined by eights (a log-structured merge, O'Neil et al. 1996), so that their number follows
the logarithm of the changes. What the manifest does not name belongs to nobody and is deleted by the next writer.
Embeddings live in the catalog, so nothing here ever embeds.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.analyze import Analyzer
from index.catalog import Catalog
from index.database import sync
from index.dates import date_bounds
from index.errors import StoreError
from index.lexical import MAX_ROWS, hashes_of
from index.manifest import Manifest
from index.rank import length_norms
from index.segment import FULL_ROWS, Segment, SegmentBuilder, joined
from index.types import Document

__all__ = [
    "SegmentWriter",
    "Segments",
    "change_segments",
    "damaged_files",
    "day_range",
    "delete_unnamed",
    "load_segments",
    "missing_files",
    "rebuild_segments",
]

_FOLDER = "segments"
_JOINED = 8
"""Segments of about one size that are joined into one of the next size, while they are small."""

_JOINED_LARGE = 16
"""Larger segments that are let be. More of them are joined into full ones, since each costs time in every search; fewer
are not, since a removal writes a segment again."""

_ROOM = 16
"""A sixteenth of a large segment is left for the rest of a document that begins in it."""


class Segments:
    """What is searched in one generation. Immutable; safe to use from several threads.

    Attributes:
        generation: the generation.
        parts: its segments, by the name of their file.
    """

    def __init__(self, generation: int, parts: Mapping[str, Segment]) -> None:
        self.generation = generation
        self.parts = dict(parts)

    def __len__(self) -> int:
        return sum(map(len, self.parts.values()))

    @cached_property
    def numbers(self) -> NDArray[np.int64]:
        """Passage numbers of all rows, segment after segment, shape ``(n,)``."""
        return np.concatenate([np.empty(0, dtype=np.int64), *(part.numbers for part in self.parts.values())])

    @cached_property
    def mean_terms(self) -> float:
        """Mean number of terms of a passage, 0.0 without passages."""
        n_terms = sum(int(part.body.lengths.sum()) for part in self.parts.values())
        return n_terms / len(self) if len(self) else 0.0

    @cached_property
    def norms(self) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Length norms of BM25 of each segment's texts and titles, shape ``(n,)`` each."""
        mean = self.mean_terms or 1.0
        return [
            (length_norms(part.body.lengths, mean_terms=mean), length_norms(part.title.lengths, mean_terms=mean))
            for part in self.parts.values()
        ]

    def document_frequencies(self, terms: Sequence[str]) -> dict[str, int]:
        """Return how many passages hold each term in their text."""
        hashes = hashes_of(terms)
        counts = sum((part.body.counts_of(hashes) for part in self.parts.values()), np.zeros(len(hashes), np.int64))
        return dict(zip(terms, counts.tolist(), strict=True))


def day_range(document: Document) -> tuple[int, int] | None:
    """Return the first and last day of a document as proleptic Gregorian ordinals, or None without a date."""
    if not document.date:
        return None
    first, last = (date.fromisoformat(day).toordinal() for day in date_bounds(document.date))
    return first, last


@dataclass(frozen=True, slots=True)
class _Written:
    """A segment and the SHA-256 of its file."""

    segment: Segment
    sha256: str


class SegmentWriter:
    """Writes the segments of one change.

    Args:
        directory: folder of the index, or None to keep them in memory (a folder that cannot be written).
        generation: generation that they are for.
        dimension: length of an embedding.
    """

    def __init__(self, directory: Path | None, *, generation: int, dimension: int) -> None:
        self._directory = directory
        self._generation = generation
        self._dimension = dimension
        self.written: dict[str, _Written] = {}
        self._builder = SegmentBuilder(dimension)
        self._document = -1

    def builder_for(self, document: int) -> SegmentBuilder:
        """Return the builder that takes the next passage of a document.

        Full segments are written on the way; from the sixteenth on they are as large as those become that are joined. A
        document's passages stay together, since the ranker looks at them together, unless no segment could hold them.
        """
        full = FULL_ROWS if len(self.written) < _JOINED_LARGE else MAX_ROWS - MAX_ROWS // _ROOM
        if len(self._builder) >= (full if document != self._document else MAX_ROWS):
            self.write_rest()
        self._document = document
        return self._builder

    def rest(self) -> list[Segment]:
        """Return what was added and is not written yet, as no segment or one."""
        return [self._builder.build()] if len(self._builder) else []

    def write_rest(self) -> None:
        """Write what was added and is not written yet, at least one passage."""
        self.write(self._builder.build())
        self._builder = SegmentBuilder(self._dimension)

    def write(self, segment: Segment) -> None:
        """Write a segment.

        Raises:
            StoreError: if it cannot be written.
        """
        name = f"{_FOLDER}/{self._generation}-{secrets.token_hex(6)}.segment"
        sha256 = "" if self._directory is None else _write(self._directory / name, segment.to_bytes())
        self.written[name] = _Written(segment, sha256)


def change_segments(
    writer: SegmentWriter, manifest: Manifest, before: Segments, *, removed: Sequence[int]
) -> tuple[Manifest, Segments]:
    """Write what a change adds and takes away, and return the manifest that names the segments afterwards.

    Args:
        writer: holds the passages that are new.
        manifest: manifest of the generation to come, which still names the files of ``before``.
        before: segments of the generation in force.
        removed: numbers of the passages that are gone.

    Raises:
        StoreError: if a segment cannot be written.
    """
    gone = np.asarray(removed, dtype=np.int64)
    kept: dict[str, _Written] = {}
    anew = writer.rest()
    for name, segment in before.parts.items():
        rest = segment.without(gone) if len(gone) else segment
        if rest is segment:
            kept[name] = _Written(segment, manifest.sha256[name])
        elif len(rest):
            anew.append(rest)
    kept |= writer.written
    early = set(writer.written)
    for segment in _few(kept, anew):
        writer.write(segment)
    parts = kept | {name: each for name, each in writer.written.items() if name not in early}
    sums = {name: each.sha256 for name, each in parts.items()}
    return replace(manifest, sha256=sums), Segments(
        manifest.generation, {name: each.segment for name, each in parts.items()}
    )


def _few(kept: dict[str, _Written], anew: Sequence[Segment]) -> list[Segment]:
    """Return the segments to write: those given, and those of ``kept`` joined to them, which are taken out of it."""
    todo = list(anew)
    while True:
        sizes = Counter(_size_class(len(each)) for each in todo)
        sizes.update(_size_class(len(each.segment)) for each in kept.values())
        crowded = min((size for size, n in sizes.items() if n >= _MOST.get(size, _JOINED)), default=None)
        if crowded is None or crowded == _FULL:
            return todo
        group = [each for each in todo if _size_class(len(each)) == crowded]
        todo = [each for each in todo if _size_class(len(each)) != crowded]
        for name in [name for name, each in kept.items() if _size_class(len(each.segment)) == crowded]:
            group.append(kept.pop(name).segment)
        todo += _packed(group)


_LARGE_CLASS, _FULL = 4, 5
_MOST = {_LARGE_CLASS: _JOINED_LARGE}


def _size_class(n_rows: int) -> int:
    """Return the class of a segment's size: its power of eight while small, then large, and full."""
    if n_rows >= MAX_ROWS // 2:  # any two that are smaller can be joined
        return _FULL
    return next((power for power in range(_LARGE_CLASS) if n_rows < _JOINED ** (power + 1)), _LARGE_CLASS)


def _packed(group: Sequence[Segment]) -> list[Segment]:
    """Join segments, the smallest first, into as few as can hold them."""
    packs: list[list[Segment]] = [[]]
    for segment in sorted(group, key=lambda each: (len(each), int(each.numbers[0]))):
        if sum(map(len, packs[-1])) + len(segment) > MAX_ROWS:
            packs.append([])
        packs[-1].append(segment)
    return [joined(pack) for pack in packs]


def damaged_files(directory: Path, sha256: Mapping[str, str]) -> list[str]:
    """Return what is wrong with segment files: one line for each that is missing or has other bytes."""
    lines = []
    for name, expected in sha256.items():
        try:
            _read(directory, name, expected)
        except StoreError as error:
            lines.append(str(error))
    return lines


def load_segments(directory: Path, manifest: Manifest, former: Segments | None) -> Segments:
    """Open the segments that a manifest names; those that are open already are taken over.

    Raises:
        StoreError: if a file is missing or damaged.
    """
    known = former.parts if former else {}
    parts, wrong = {}, []
    for name, expected in manifest.sha256.items():
        try:
            parts[name] = known[name] if name in known else Segment.from_bytes(_read(directory, name, expected))
        except StoreError as error:
            wrong.append(str(error))
    if wrong:
        raise StoreError(f"{directory}: {'; '.join(wrong)}")
    return Segments(manifest.generation, parts)


def rebuild_segments(
    directory: Path | None, catalog: Catalog, manifest: Manifest, analyzer: Analyzer
) -> tuple[Manifest, Segments]:
    """Make the segments again from the catalog, without embedding.

    Args:
        directory: folder of the index, or None to build in memory only (a folder that cannot be written).
        catalog: inside a transaction.
        manifest: manifest of the generation in force.
        analyzer: the analyzer in force.

    Returns:
        The manifest that names the new files, and the segments opened.
    """
    writer = SegmentWriter(directory, generation=manifest.generation, dimension=manifest.dimension)
    for passage, document, vector in catalog.walk_embedded(dimension=manifest.dimension):
        writer.builder_for(document).add(
            passage.number,
            document=document,
            days=day_range(passage.document),
            body=analyzer.terms(passage.text),
            title=analyzer.terms(passage.document.title or ""),
            vector=vector,
        )
    bare = replace(manifest, sha256={}, analyzer=analyzer.version)
    empty = Segments(manifest.generation, {})
    after, segments = change_segments(writer, bare, empty, removed=[])
    return (manifest if directory is None else after), segments


def missing_files(directory: Path, sha256: Mapping[str, str]) -> list[str]:
    """Return the segment files that are not there; much faster than `damaged_files`, which reads each."""
    return [name for name in sha256 if not (directory / name).is_file()]


def delete_unnamed(directory: Path, manifest: Manifest) -> None:
    """Delete segment files that the manifest does not name; called by the writer at the end of a change.

    A reader that is opening them meanwhile finds them gone and starts again from the new manifest.

    Raises:
        OSError: if one cannot be deleted; the next change tries again.
    """
    for path in (directory / _FOLDER).glob("*"):
        if path.relative_to(directory).as_posix() not in manifest.sha256:
            path.unlink()


def _read(directory: Path, name: str, expected: str) -> bytes:
    """Read a file of the index whose SHA-256 is known."""
    try:
        data = (directory / name).read_bytes()
    except FileNotFoundError as error:
        raise StoreError(f"{name} is missing") from error
    except OSError as error:
        raise StoreError(f"{name} cannot be read ({error.strerror})") from error
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise StoreError(f"{name} has SHA-256 {found[:12]}…, expected {expected[:12]}…")
    return data


def _write(path: Path, data: bytes) -> str:
    """Write a file that survives a power cut, and return the SHA-256 of its bytes."""
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        sync(path)
        sync(path.parent)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written ({error.strerror}): check free disk space and the rights of the folder, then "
            "try again"
        ) from error
    return hashlib.sha256(data).hexdigest()
