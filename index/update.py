"""One change of the index: from files to a new generation, in reading order.

`apply_change` plans what goes and what comes, and splits, analyses and embeds only what is new. Embeddings are found
again by the hash of the embedded text, so a renamed file or a sentence changed elsewhere in a document costs nothing.
It runs inside one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index import derived
from index.analyze import Analyzer
from index.catalog import Catalog, NewPassage, text_hash
from index.derived import Derived
from index.embed import Embedder
from index.errors import LoadError
from index.lexical import LexicalEntry
from index.plan import FileChange, FreshDocument, Plan, Progress, ProgressCallback, make_plan
from index.split import split_passages, split_sentences
from index.types import Document, Span
from index.vectors import VectorIndex

__all__ = ["UpdateReport", "apply_change", "embedded_text"]

Embedding = NDArray[np.float16]

_BATCH = 256
"""Documents embedded together: enough for the tokenizer to use every core, little enough to bound memory."""


@dataclass(frozen=True, slots=True)
class UpdateReport:
    """What a change did.

    Attributes:
        n_added: documents that were not there before.
        n_changed: documents whose text, title, date or metadata changed.
        n_removed: documents that are gone.
        n_unchanged: documents left as they were.
        n_embedded: passages embedded; the others were found again by their text.
        problems: what could not be read, and why; everything else was indexed.
        warnings: what was read with a doubt, such as a file decoded as cp1252.
        generation: generation in force afterwards.
    """

    n_added: int
    n_changed: int
    n_removed: int
    n_unchanged: int
    n_embedded: int
    problems: tuple[LoadError, ...]
    warnings: tuple[str, ...]
    generation: int


def apply_change(
    directory: Path,
    catalog: Catalog,
    before: Derived,
    what: FileChange,
    *,
    analyzer: Analyzer,
    embedder: Embedder,
    progress: ProgressCallback,
) -> tuple[UpdateReport, Derived]:
    """Bring the catalog and the derived files to a new generation; the caller commits.

    Args:
        directory: folder of the index.
        catalog: inside its writing transaction.
        before: the derived indexes of the generation in force.
        what: the files concerned.
        analyzer: text to terms.
        embedder: text to embeddings; another model than the manifest's embeds everything again, and needs every
            file of the index to be listed.
        progress: called with each step.

    Returns:
        What was done, and the derived indexes afterwards: those of before where no document changed.

    Raises:
        StoreError: if the catalog or a file of the index cannot be written.
    """
    manifest = catalog.manifest()
    n_before = catalog.counts()[1]
    other_model = manifest.fingerprint != embedder.fingerprint
    plan = make_plan(catalog, what, everything=other_model, progress=progress)
    state, n_embedded = before, 0
    if plan.fresh or plan.dropped or manifest.generation == 0:
        writing = _Writing(catalog, analyzer, embedder, progress)
        state = _next_generation(directory, catalog, before, plan, writing)
        n_embedded = writing.n_embedded
    elif manifest.embedder != embedder.name:  # the same model, which now lies elsewhere
        catalog.set_manifest(replace(manifest, embedder=embedder.name))
    report = UpdateReport(
        n_added=plan.n_added,
        n_changed=plan.n_changed,
        n_removed=plan.n_removed,
        n_unchanged=n_before - plan.n_changed - plan.n_removed,
        n_embedded=n_embedded,
        problems=tuple(plan.problems),
        warnings=tuple(plan.warnings),
        generation=catalog.manifest().generation,
    )
    return report, state


def _next_generation(directory: Path, catalog: Catalog, before: Derived, plan: Plan, writing: _Writing) -> Derived:
    """Carry out a plan and return the derived indexes afterwards."""
    manifest, embedder = catalog.manifest(), writing.embedder
    generation = manifest.generation + 1
    other_model = manifest.fingerprint != embedder.fingerprint
    dropped = sorted(plan.dropped)
    known = {} if other_model else catalog.document_vectors(dropped)
    removed = catalog.delete_documents(dropped, generation=generation)
    entries = writing.store(list(plan.fresh.values()), generation=generation, known=known)
    manifest, lexical = derived.write_lexical(
        directory, catalog, manifest, entries, analyzer=writing.analyzer, removed=removed, generation=generation
    )
    former = VectorIndex(embedder.dimension) if other_model else before.vectors
    vectors = former.changed(added=writing.numbers, vectors=writing.matrix(), removed=removed)
    n_held, n_added, n_removed = vectors.drift
    if other_model or manifest.vectors is None or derived.worn(n_held=n_held, n_added=n_added, n_removed=n_removed):
        vectors = vectors.compacted()
        manifest = derived.write_vectors(directory, manifest, vectors, generation=generation)
        catalog.forget_removals(until=generation)
    catalog.set_manifest(
        replace(
            manifest,
            generation=generation,
            embedder=embedder.name,
            fingerprint=embedder.fingerprint,
            dimension=embedder.dimension,
            analyzer=writing.analyzer.version,
        )
    )
    return Derived(generation, lexical, vectors, catalog.mean_terms())


class _Writing:
    """Stores documents in the catalog, batch by batch, and remembers their passages for the derived indexes."""

    def __init__(self, catalog: Catalog, analyzer: Analyzer, embedder: Embedder, progress: ProgressCallback) -> None:
        self.analyzer = analyzer
        self.embedder = embedder
        self.numbers: list[int] = []
        self.n_embedded = 0
        self._catalog = catalog
        self._progress = progress
        self._vectors: list[Embedding] = []

    def matrix(self) -> Embedding:
        """Return the embeddings of `numbers`, shape ``(n, dimension)``."""
        if not self._vectors:
            return np.empty((0, self.embedder.dimension), dtype=np.float16)
        return np.stack(self._vectors)

    def store(
        self, fresh: Sequence[FreshDocument], *, generation: int, known: Mapping[bytes, Embedding]
    ) -> Iterator[LexicalEntry]:
        """Store documents, and yield what the lexical index needs of each of their passages.

        Args:
            fresh: the documents.
            generation: the generation that they belong to.
            known: embeddings by the hash of their text, beside those in the catalog.
        """
        for first in range(0, len(fresh), _BATCH):
            batch = fresh[first : first + _BATCH]
            cut = [_cut(each.document) for each in batch]
            texts = [
                embedded_text(each.document, text)
                for each, (_, passages) in zip(batch, cut, strict=True)
                for _, _, text in passages
            ]
            embedded = iter(self._embed(texts, known))
            for each, (sentences, passages) in zip(batch, cut, strict=True):
                number = self._catalog.put_document(
                    each.document, path=each.path, content_hash=each.hash, sentences=sentences
                )
                yield from self._store_passages(number, each.document, passages, embedded, generation)
            self._progress(Progress("indexation", first + len(batch), len(fresh)))

    def _store_passages(
        self,
        number: int,
        document: Document,
        passages: Sequence[tuple[int, int, str]],
        embedded: Iterator[tuple[bytes, Embedding]],
        generation: int,
    ) -> Iterator[LexicalEntry]:
        title = self.analyzer.terms(document.title or "")
        rows, bodies = [], []
        for (first, past, text), (hash_, vector) in zip(passages, embedded, strict=False):
            terms = self.analyzer.terms(text)
            bodies.append(terms)
            rows.append(NewPassage(first, past, len(terms), hash_, vector))
        numbers = self._catalog.put_passages(number, rows, generation=generation)
        self.numbers += numbers
        self._vectors += [row.vector for row in rows]
        days = derived.day_range(document)
        yield from (LexicalEntry(n, body, title, days) for n, body in zip(numbers, bodies, strict=True))

    def _embed(self, texts: Sequence[str], known: Mapping[bytes, Embedding]) -> list[tuple[bytes, Embedding]]:
        hashes = [text_hash(text) for text in texts]
        found = {hash_: known[hash_] for hash_ in hashes if hash_ in known}
        found |= self._catalog.cached_vectors([hash_ for hash_ in hashes if hash_ not in found])
        missing = {hash_: text for hash_, text in zip(hashes, texts, strict=True) if hash_ not in found}
        if missing:
            matrix = self.embedder.embed_passages(list(missing.values())).astype(np.float16)
            found |= dict(zip(missing, matrix, strict=True))
            self.n_embedded += len(missing)
        return [(hash_, found[hash_]) for hash_ in hashes]


def embedded_text(document: Document, text: str) -> str:
    """Return what is embedded of a passage: its text, after the title of its document."""
    return f"{document.title}\n{text}" if document.title else text


def _cut(document: Document) -> tuple[list[Span], list[tuple[int, int, str]]]:
    """Return the sentences of a document and its passages as ``(first sentence, one past the last, text)``."""
    sentences = split_sentences(document.text, start=document.body_start)
    ranges = split_passages(document.text, sentences)
    return sentences, [(a, b, document.text[sentences[a].start : sentences[b - 1].end]) for a, b in ranges]
