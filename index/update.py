"""One change of the index: from events to a new generation, in reading order.

`apply_change` carries out what the comparison of files with the catalog yields, and splits, analyses and embeds only
what is new. Embeddings are found again by the hash of the embedded text, so a sentence changed elsewhere in a document
costs nothing; a document whose text is already there under another name, as after a renaming, costs nothing at all.
It runs inside one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.analyze import Analyzer
from index.catalog import Catalog, NewPassage, text_hash
from index.embed import Embedder
from index.errors import LoadError
from index.plan import (
    Comparison,
    Event,
    FileChange,
    FileGone,
    FileRead,
    Incoming,
    Outgoing,
    Progress,
    ProgressCallback,
)
from index.prepare import PreparedDocument
from index.reembed import EMBEDDED_AT_ONCE, CostCallback, embed_again, estimate_cost
from index.segments import Segments, SegmentWriter, change_segments, day_range, rebuild_segments
from index.types import Document
from index.worker import Preparing

__all__ = ["UpdateReport", "apply_change", "preview_change"]

Embedding = NDArray[np.float16]

_BATCH = 256
"""Documents embedded together: enough for the tokenizer to use every core, little enough to bound memory."""


@dataclass(frozen=True, slots=True)
class UpdateReport:
    """What a change did, or would do. Documents are counted by source: one that has two counts twice.

    Attributes:
        added: sources that were not there before.
        changed: sources whose text, title, date or metadata changed.
        removed: sources that are gone.
        n_unchanged: number of sources left as they were.
        n_embedded: passages embedded; the others were found again by their text.
        problems: what could not be read, and why; everything else was indexed.
        warnings: what was read with a doubt, such as a file decoded as cp1252.
        generation: generation in force afterwards.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    n_unchanged: int
    n_embedded: int
    problems: tuple[LoadError, ...]
    warnings: tuple[str, ...]
    generation: int

    @property
    def n_added(self) -> int:
        """Number of sources that were not there before."""
        return len(self.added)

    @property
    def n_changed(self) -> int:
        """Number of sources whose content changed."""
        return len(self.changed)

    @property
    def n_removed(self) -> int:
        """Number of sources that are gone."""
        return len(self.removed)


def preview_change(catalog: Catalog, what: FileChange, *, progress: ProgressCallback) -> UpdateReport:
    """Return what a change would do, without doing it; nothing is embedded.

    Args:
        catalog: inside a snapshot.
        what: what is asked.
        progress: called with each step.
    """
    comparison, tally = Comparison(catalog, what, progress=progress), _Tally()
    for event in comparison:
        tally.count(event)
    return _report(catalog, comparison, tally, n_before=catalog.counts()["sources"], n_embedded=0)


def apply_change(
    directory: Path,
    catalog: Catalog,
    before: Segments,
    what: FileChange,
    *,
    analyzer: Analyzer,
    embedder: Embedder,
    progress: ProgressCallback,
    on_cost: CostCallback | None = None,
) -> tuple[UpdateReport, Segments]:
    """Bring the catalog and the segments to a new generation; the caller commits.

    Args:
        directory: folder of the index.
        catalog: inside its writing transaction.
        before: the segments of the generation in force.
        what: what is asked.
        analyzer: text to terms.
        embedder: text to embeddings; another model than the manifest's embeds every passage again.
        progress: called with each step.
        on_cost: called before every passage is embedded again, with what that will cost.

    Returns:
        What was done, and the segments afterwards: those of before where no document changed.

    Raises:
        StoreError: if the catalog or a file of the index cannot be written.
    """
    manifest = catalog.manifest()
    generation = manifest.generation + 1
    n_before = catalog.counts()["sources"]
    other_model = manifest.fingerprint != embedder.fingerprint
    if other_model and on_cost is not None:
        on_cost(estimate_cost(catalog, embedder))
    n_embedded = embed_again(catalog, embedder, progress=progress) if other_model else 0
    for source in what.sources:
        if (found := catalog.source(source)) is not None:
            catalog.files.read_again(found.path)
    comparison, tally = Comparison(catalog, what, progress=progress), _Tally()
    writing = _Writing(directory, catalog, generation, analyzer=analyzer, embedder=embedder, progress=progress)
    with closing(writing):
        for event in comparison:
            tally.count(event)
            writing.carry_out(event)
        removed = writing.finish()
    if what.roots is not None:
        catalog.files.set_roots(what.roots)
    _record_unread(catalog, what, comparison)
    state = before
    if other_model or tally.is_change or manifest.generation == 0:
        manifest = replace(
            manifest,
            generation=generation,
            embedder=embedder.name,
            fingerprint=embedder.fingerprint,
            dimension=embedder.dimension,
            analyzer=analyzer.version,
        )
        if other_model:
            manifest, state = rebuild_segments(directory, catalog, manifest, analyzer)
        else:
            manifest, state = change_segments(writing.segments, manifest, before, removed=removed)
        catalog.set_manifest(manifest)
    elif manifest.embedder != embedder.name:  # the same model, which now lies elsewhere
        catalog.set_manifest(replace(manifest, embedder=embedder.name))
    report = _report(catalog, comparison, tally, n_before=n_before, n_embedded=n_embedded + writing.n_embedded)
    return report, state


@dataclass(slots=True)
class _Tally:
    """Which sources came, changed and went."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    @property
    def is_change(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    def count(self, event: object) -> None:
        match event:
            case Incoming(document=document, former=None):
                self.added.append(document.source)
            case Incoming(document=document):
                self.changed.append(document.source)
            case Outgoing(former=former):
                self.removed.append(former.source)


def _report(catalog: Catalog, comparison: Comparison, tally: _Tally, *, n_before: int, n_embedded: int) -> UpdateReport:
    return UpdateReport(
        added=tuple(tally.added),
        changed=tuple(tally.changed),
        removed=tuple(tally.removed),
        n_unchanged=n_before - len(tally.changed) - len(tally.removed),
        n_embedded=n_embedded,
        problems=tuple(comparison.problems),
        warnings=tuple(comparison.warnings),
        generation=catalog.manifest().generation,
    )


def _record_unread(catalog: Catalog, what: FileChange, comparison: Comparison) -> None:
    """Keep the list of what could not be opened; what this change did not look at stays on it."""
    seen = (
        {file.source for file in what.files} | {error.source for error in comparison.unread} | comparison.gone_sources
    )
    former = catalog.files.unread()
    unread = [*([] if what.complete else [error for error in former if error.source not in seen]), *comparison.unread]
    if [error.to_dict() for error in unread] != [error.to_dict() for error in former]:
        catalog.files.set_unread(unread)


@dataclass(slots=True)
class _Pending:
    """A document to be stored, with its ``(source, path)``."""

    document: Document
    hash: bytes
    sources: list[tuple[str, str]]


class _Writing:
    """Carries out events in the catalog, batch by batch, and hands new passages to the segments. To be closed."""

    def __init__(
        self,
        directory: Path,
        catalog: Catalog,
        generation: int,
        *,
        analyzer: Analyzer,
        embedder: Embedder,
        progress: ProgressCallback,
    ) -> None:
        self.segments = SegmentWriter(directory, generation=generation, dimension=embedder.dimension)
        self.n_embedded = 0
        self._catalog = catalog
        self._embedder = embedder
        self._progress = progress
        self._preparing: Preparing[_Pending] = Preparing(analyzer, lambda each: each.document)
        self._pending: dict[bytes, _Pending] = {}  # not stored yet, those being prepared included
        self._batch: list[_Pending] = []
        self._left: set[int] = set()  # documents that have lost a source, perhaps their last
        self._n_stored = 0

    def close(self) -> None:
        """End what prepares documents."""
        self._preparing.close()

    def carry_out(self, event: Event) -> None:
        """Do in the catalog what an event says."""
        match event:
            case Incoming():
                self._take_in(event)
            case Outgoing(former=former):
                self._left.add(former.document)
                self._catalog.forget_source(former.source)
            case FileRead(file=file, problems=problems):
                self._catalog.files.put(file, problems)
            case FileGone(path=path):
                self._catalog.files.forget(path)

    def finish(self) -> list[int]:
        """Store what is pending, delete the documents that are left without a source; return their passages."""
        self._submit()
        for batch, prepared in self._preparing.rest():
            self._store(batch, prepared)
        return self._catalog.delete_orphans(self._left)

    def _take_in(self, event: Incoming) -> None:
        if event.former is not None:
            self._left.add(event.former.document)
            if event.former.path != event.path:  # a document given directly has taken the name of a file's
                self._catalog.files.read_again(event.former.path)
        number = self._catalog.document_number(event.hash)
        if number is not None:
            self._catalog.put_source(event.document.source, document=number, path=event.path)
            return
        place = event.document.source, event.path
        if event.hash in self._pending:
            self._pending[event.hash].sources.append(place)
            return
        pending = self._pending[event.hash] = _Pending(event.document, event.hash, [place])
        self._batch.append(pending)
        if len(self._batch) >= _BATCH:
            self._submit()

    def _submit(self) -> None:
        batch, self._batch = self._batch, []
        for ready, prepared in self._preparing.submit(batch):
            self._store(ready, prepared)

    def _store(self, batch: Sequence[_Pending], prepared: Sequence[PreparedDocument]) -> None:
        embedded = iter(self._embed([passage.text for each in prepared for passage in each.passages]))
        for each, ready in zip(batch, prepared, strict=True):
            number = self._catalog.put_document(each.document, content_hash=each.hash, sentences=ready.sentences)
            for source, path in each.sources:
                self._catalog.put_source(source, document=number, path=path)
            self._store_passages(number, each.document, ready, embedded)
            del self._pending[each.hash]
        self._n_stored += len(batch)
        if batch:
            self._progress(Progress("indexation", self._n_stored, None))

    def _store_passages(
        self, document: int, content: Document, ready: PreparedDocument, embedded: Iterator[tuple[bytes, Embedding]]
    ) -> None:
        days = day_range(content)
        rows = [
            NewPassage(passage.first, passage.past, *found)
            for passage, found in zip(ready.passages, embedded, strict=False)
        ]
        numbers = self._catalog.put_passages(document, rows)
        for number, passage, row in zip(numbers, ready.passages, rows, strict=True):
            self.segments.builder_for(document).add(
                number, document=document, days=days, body=passage.terms, title=ready.title, vector=row.vector
            )

    def _embed(self, texts: Sequence[str]) -> list[tuple[bytes, Embedding]]:
        """Return the hash and the embedding of each text; only texts that were never seen are embedded."""
        hashes = [text_hash(text) for text in texts]
        found = self._catalog.cached_vectors(list(dict.fromkeys(hashes)))
        missing = {hash_: text for hash_, text in zip(hashes, texts, strict=True) if hash_ not in found}
        rest = iter(missing.items())
        while part := dict(islice(rest, EMBEDDED_AT_ONCE)):
            matrix = self._embedder.embed_passages(list(part.values())).astype(np.float16)
            found |= dict(zip(part, matrix, strict=True))
            self.n_embedded += len(part)
            if len(missing) > EMBEDDED_AT_ONCE:  # a transformer takes seconds for each part
                self._progress(Progress("vectorisation", self.n_embedded, None))
        return [(hash_, found[hash_]) for hash_ in hashes]
