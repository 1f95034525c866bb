"""CorpusIndex: a folder of documents that can be searched, brought up to date, checked and repaired."""

from __future__ import annotations

import logging
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.analyze import Analyzer
from index.asked import corpus_idfs
from index.catalog import Catalog
from index.changes import to_add, to_equal, to_refresh, to_remove, unknown_source
from index.embed import Embedder, open_embedder
from index.errors import IndexDamagedError, IndexMismatchError, IndexMissingError, InputError, LoadError
from index.filters import Filter
from index.listing import Listing
from index.load import SourceFile, source_name
from index.manifest import Manifest
from index.plan import FileChange, ProgressCallback
from index.rank import FusionWeights
from index.reembed import CostCallback, EmbeddingCost, estimate_cost
from index.results import SearchResult, search_in_full
from index.roots import files_to_read
from index.search import MAX_QUESTION_CHARS, check_question, nearest_passages
from index.status import Status
from index.store import Store
from index.types import Document, Hit, Passage
from index.update import UpdateReport, apply_change, preview_change
from index.verify import find_faults

__all__ = ["MAX_QUESTION_CHARS", "CorpusIndex", "SearchResult", "Status"]

logger = logging.getLogger(__name__)


class CorpusIndex:
    """Documents on disk, as passages that can be searched. Safe to use from several threads.

    Made by `open`, `build` or `create`. Readers in other processes see each change once it is committed, and never half
    of it.
    """

    def __init__(self, store: Store, *, analyzer: Analyzer, embedder: Embedder | None = None) -> None:
        self._store = store
        self._catalog = store.catalog
        self._analyzer = analyzer
        self._given_embedder = embedder
        self._opened_embedder: Embedder | None = None
        self._coming_embedder: Embedder | None = None
        self._opening = threading.Lock()
        self._replacing = threading.Lock()

    @classmethod
    def open(cls, directory: str | Path, *, embedder: Embedder | None = None) -> CorpusIndex:
        """Open an index.

        Args:
            directory: its folder.
            embedder: the model that it was built with; None loads it by its name when first needed.

        Raises:
            IndexMissingError: if the folder holds none.
            IndexMismatchError: if it has another format or was made by another analyzer.
            IndexDamagedError: if its catalog cannot be read.
        """
        analyzer = Analyzer()
        return cls(Store.open(Path(directory), analyzer), analyzer=analyzer, embedder=embedder)

    @classmethod
    def create(
        cls, directory: str | Path, *, embedder: Embedder | None = None, analyzer: Analyzer | None = None
    ) -> CorpusIndex:
        """Make an empty index, to be filled by `put` or `add`, or open the one that the folder holds.

        Args:
            directory: folder of the index, made if missing.
            embedder: embedding model; None takes the bundled one, or that of an existing index.
            analyzer: one that remembers the words that it has read; None takes a new one.

        Raises:
            IndexMismatchError: if the folder holds an index of another format or model.
            StoreError: if the folder cannot be written.
        """
        corpus = cls._open_to_build(Path(directory), analyzer or Analyzer(), embedder)
        if not corpus.generation:
            corpus._change(lambda: FileChange(complete=True), may_empty=True)
        return corpus

    @classmethod
    def build(
        cls,
        paths: Sequence[str | Path],
        directory: str | Path,
        *,
        embedder: Embedder | None = None,
        progress: ProgressCallback | None = None,
        on_cost: CostCallback | None = None,
    ) -> CorpusIndex:
        """Make the index of a folder equal to the given paths, processing only what changed, and open it.

        Args:
            paths: files and folders.
            directory: folder of the index, made if missing.
            embedder: embedding model; None keeps that of an existing index, else takes the bundled one. Another
                one than before embeds everything again.
            progress: called with each step.
            on_cost: called before everything is embedded again, with what that will cost.

        Raises:
            InputError: if a path does not exist, or nothing in them can be read.
            IndexLockedError: if another process is writing.
        """
        corpus, _ = cls.build_with_report(paths, directory, embedder=embedder, progress=progress, on_cost=on_cost)
        return corpus

    @classmethod
    def build_with_report(
        cls,
        paths: Sequence[str | Path],
        directory: str | Path,
        *,
        embedder: Embedder | None = None,
        progress: ProgressCallback | None = None,
        on_cost: CostCallback | None = None,
    ) -> tuple[CorpusIndex, UpdateReport]:
        """Do as `build`, and return what was done too."""
        folder, analyzer = Path(directory), Analyzer()
        files, problems = files_to_read(paths, index=folder)
        try:
            corpus = cls._open_to_build(folder, analyzer, embedder)
            return corpus, corpus._equal(paths, files, problems, progress=progress, on_cost=on_cost)
        except (IndexMismatchError, IndexDamagedError) as error:
            logger.warning("%s; it is built anew", error)
        former = Store(folder, analyzer)
        model = embedder or open_embedder(former.embedder_on_record())
        with former.building_anew() as aside:
            corpus = cls._open_to_build(aside, analyzer, model)
            report = corpus._equal(paths, files, problems, progress=progress)
            corpus._catalog.close()
        return cls.open(folder, embedder=embedder), report

    @classmethod
    def preview_build(
        cls, paths: Sequence[str | Path], directory: str | Path, *, progress: ProgressCallback | None = None
    ) -> UpdateReport:
        """Return what `build` would add, change and remove, without doing it.

        Raises:
            InputError: if a path does not exist, or nothing in them can be read.
        """
        folder, analyzer = Path(directory), Analyzer()
        files, problems = files_to_read(paths, index=folder)
        with tempfile.TemporaryDirectory() as aside:
            try:
                corpus = cls(Store.open(folder, analyzer, any_analyzer=True), analyzer=analyzer)
            except (IndexMissingError, IndexMismatchError, IndexDamagedError):  # build would begin with nothing
                corpus = cls.create(aside)
            return corpus._preview(lambda: to_equal(corpus._catalog, paths, files, problems), progress=progress)

    @classmethod
    def _open_to_build(cls, folder: Path, analyzer: Analyzer, embedder: Embedder | None) -> CorpusIndex:
        """Open an index and bring it to the analyzer in force; make an empty one if there is none."""
        try:
            store = Store.open(folder, analyzer, any_analyzer=True)
        except IndexMissingError:
            model = embedder or open_embedder(None)
            manifest = Manifest(model.name, model.fingerprint, model.dimension, analyzer.version)
            return cls(Store.create(folder, analyzer, manifest), analyzer=analyzer, embedder=model)
        if store.is_outdated:
            store.mend(always=True, reason="another version of the analyzer made them")
        return cls(store, analyzer=analyzer, embedder=embedder)

    # -- changes ------------------------------------------------------------------------------------------------

    def update(self, paths: Sequence[str | Path], *, progress: ProgressCallback | None = None) -> UpdateReport:
        """Make the index equal to the given paths: what is not in them is removed.

        Raises:
            InputError: if a path does not exist, or nothing in them can be read.
            IndexLockedError: if another process is writing.
        """
        return self._equal(paths, *files_to_read(paths, index=self.directory), progress=progress)

    def add(
        self,
        paths: Sequence[str | Path],
        *,
        embedder: Embedder | None = None,
        progress: ProgressCallback | None = None,
        on_cost: CostCallback | None = None,
        dry_run: bool = False,
    ) -> UpdateReport:
        """Add the given paths, or bring them up to date; no other file is touched.

        Args:
            paths: files and folders.
            embedder: embedding model from now on; None keeps that of the index. Another one than before embeds
                everything again, in the same change.
            progress: called with each step.
            on_cost: called before everything is embedded again, with what that will cost.
            dry_run: only say what would be done.

        Raises:
            InputError: if a path does not exist, or nothing in them can be read.
            IndexLockedError: if another process is writing.
            IndexMismatchError: if the index was built with another embedding model.
        """
        files, problems = files_to_read(paths, index=self.directory)
        return self._run(
            lambda: to_add(self._catalog, paths, files, problems),
            embedder=embedder,
            progress=progress,
            on_cost=on_cost,
            dry_run=dry_run,
        )

    def embed(
        self,
        embedder: Embedder | None = None,
        *,
        progress: ProgressCallback | None = None,
        on_cost: CostCallback | None = None,
    ) -> UpdateReport:
        """Embed every passage again with another model, from the catalog: no file is read.

        Args:
            embedder: embedding model from now on; None takes the one that the index names, as it is installed now.
                Nothing is done where it is the one that the index was built with.
            progress: called with each step.
            on_cost: called before everything is embedded again, with what that will cost.

        Raises:
            IndexLockedError: if another process is writing.
            ModelError: if the model fails; the index is left as it was.
        """
        return self._change(
            FileChange, embedder=embedder, any_model=True, may_empty=True, progress=progress, on_cost=on_cost
        )

    def embedding_cost(self, embedder: Embedder | None = None) -> EmbeddingCost | None:
        """Return what `embed` would cost, measured on a sample; None where it would do nothing."""
        with self._catalog.read():
            manifest = self._catalog.manifest()
            model = embedder or self._embedder_of(manifest, any_model=True)
            return None if model.fingerprint == manifest.fingerprint else estimate_cost(self._catalog, model)

    def put(self, documents: Iterable[Document], *, progress: ProgressCallback | None = None) -> UpdateReport:
        """Add documents that are in no file, or replace those of the same sources; of several, the last one counts.

        They stay until `remove` names them, or a build or `update` makes the index equal to paths.

        Raises:
            IndexLockedError: if another process is writing.
            IndexMismatchError: if the index was built with another embedding model.
        """
        latest = {document.source: document for document in documents}
        return self._change(lambda: FileChange(documents=latest.values()), may_empty=True, progress=progress)

    def change(self, what: FileChange, *, progress: ProgressCallback | None = None) -> UpdateReport:
        """Carry out a change of documents given directly and of sources, in one generation.

        Raises:
            IndexLockedError: if another process is writing.
            IndexMismatchError: if the index was built with another embedding model.
        """
        return self._change(lambda: what, may_empty=True, progress=progress)

    @contextmanager
    def holding_catalog(self) -> Iterator[Catalog]:
        """Hold one generation, and give its catalog to read."""
        with self._catalog.read():
            yield self._catalog

    def refresh(self, *, progress: ProgressCallback | None = None) -> UpdateReport:
        """Bring everything that was built or added up to date with the disk.

        A folder that is no longer there at all, such as a drive that is not mounted, keeps its documents and is
        named as a problem; a file that is gone is removed.

        Raises:
            InputError: if no document would be left; the index is left as it was.
            IndexLockedError: if another process is writing.
            IndexMismatchError: if the index was built with another embedding model.
        """
        return self._change(lambda: to_refresh(self._catalog, self.directory), progress=progress)

    def remove(self, sources: Sequence[str], *, dry_run: bool = False) -> UpdateReport:
        """Remove files, folders or single records, by source as citations name them, or by path.

        No file of the index holds a word of their text or an embedding of it afterwards. A file that is still on disk
        comes back with the next `build` or `refresh` of its folder.

        Args:
            sources: what to remove, in one change.
            dry_run: only say what would be removed.

        Raises:
            InputError: if the index holds nothing of that name.
            IndexLockedError: if another process is writing.
            IndexMismatchError: if the index was built with another embedding model.
        """
        return self._run(lambda: to_remove(self._catalog, sources), may_empty=True, dry_run=dry_run)

    def _equal(
        self,
        paths: Sequence[str | Path],
        files: Sequence[SourceFile],
        problems: Sequence[LoadError],
        *,
        progress: ProgressCallback | None,
        on_cost: CostCallback | None = None,
    ) -> UpdateReport:
        return self._change(
            lambda: to_equal(self._catalog, paths, files, problems), any_model=True, progress=progress, on_cost=on_cost
        )

    def _run(
        self,
        what: Callable[[], FileChange],
        *,
        dry_run: bool,
        embedder: Embedder | None = None,
        may_empty: bool = False,
        progress: ProgressCallback | None = None,
        on_cost: CostCallback | None = None,
    ) -> UpdateReport:
        if dry_run:
            return self._preview(what, may_empty=may_empty, progress=progress)
        return self._change(what, embedder=embedder, may_empty=may_empty, progress=progress, on_cost=on_cost)

    def _preview(
        self, what: Callable[[], FileChange], *, progress: ProgressCallback | None, may_empty: bool = False
    ) -> UpdateReport:
        with self._catalog.read():
            report = preview_change(self._catalog, what(), progress=progress or _silent)
        if not may_empty and not (report.n_added + report.n_changed + report.n_unchanged):
            raise _nothing_read(report)
        return report

    def _change(
        self,
        what: Callable[[], FileChange],
        *,
        embedder: Embedder | None = None,
        any_model: bool = False,
        may_empty: bool = False,
        progress: ProgressCallback | None = None,
        on_cost: CostCallback | None = None,
    ) -> UpdateReport:
        """Run one change; ``what`` is asked inside its transaction, so that it sees what other writers have done.

        A model given as ``embedder`` takes the place of the former one when the change is committed, for searches in
        other threads too, or not at all.
        """
        with self._taking_over(embedder), self._store.writing() as change:
            model = embedder or self._embedder_of(self._catalog.manifest(), any_model=any_model)
            report, change.after = apply_change(
                self._store.directory,
                self._catalog,
                change.before,
                what(),
                analyzer=self._analyzer,
                embedder=model,
                progress=progress or _silent,
                on_cost=on_cost,
            )
            if not may_empty and self._catalog.is_empty():
                raise _nothing_read(report)
        return report

    @contextmanager
    def _taking_over(self, embedder: Embedder | None) -> Iterator[None]:
        """Have a model at hand while the change to it is being committed, and keep it once it is."""
        if embedder is None:
            yield
            return
        with self._replacing:
            self._coming_embedder = embedder
            try:
                yield
                if self._given_embedder is not None:
                    self._given_embedder = embedder
                else:
                    self._opened_embedder = embedder
            finally:
                self._coming_embedder = None

    # -- questions ----------------------------------------------------------------------------------------------

    def search(
        self,
        question: str,
        *,
        k: int = 10,
        since: str | None = None,
        until: str | None = None,
        sources: Sequence[str] = (),
        where: Mapping[str, Any] | None = None,
        weights: FusionWeights | None = None,
    ) -> list[Hit]:
        """Return the passages that fit a question best, best first.

        Args:
            question: any text of 1 to `MAX_QUESTION_CHARS` characters.
            k: passages wanted, at least 1.
            since: ISO date of any precision; only documents dated then or later. Undated ones are left out.
            until: ISO date; only documents dated then or earlier.
            sources: only documents of these files, folders or single records, named as citations name them.
            where: only documents whose metadata have, in each of these fields, the value or one of the list of values.
            weights: order by fused scores alone, with these weights; None for the learned ranker.

        Returns:
            ``k`` hits, fewer where there are fewer that pass the filters and share a term with the question or have an
            embedding.

        Raises:
            InputError: if the question is empty or too long, ``k < 1``, a date is none or a value cannot be compared.
        """
        only = Filter.of(since=since, until=until, sources=sources, where=where)
        return list(self.search_in_full(question, k=k, only=only, weights=weights).hits)

    def search_in_full(
        self, question: str, *, k: int = 10, only: Filter | None = None, weights: FusionWeights | None = None
    ) -> SearchResult:
        """Do as `search`, and return what was known of the question too."""
        with self._store.reading() as segments:
            embedder = self._embedder_of(self._catalog.manifest())
            return search_in_full(
                self._catalog,
                segments,
                check_question(question),
                analyzer=self._analyzer,
                embedder=embedder,
                k=k,
                only=only or Filter(),
                weights=weights,
            )

    def nearest(
        self,
        vector: NDArray[np.float32],
        *,
        k: int = 10,
        since: str | None = None,
        until: str | None = None,
        sources: Sequence[str] = (),
        where: Mapping[str, Any] | None = None,
    ) -> list[Hit]:
        """Return the passages whose embeddings lie nearest to a vector, best first; filters as for `search`.

        Exact up to 65,536 passages and where a filter is given; above, nearly so (benchmarks/README.md).

        Args:
            vector: float32, shape ``(dimension,)``, of unit length; all zeros find nothing.
            k: passages wanted, at least 1.
            since: first date.
            until: last date.
            sources: files, folders or single records.
            where: metadata fields.

        Raises:
            InputError: if ``k < 1``, the shape is wrong, a date is none or a value cannot be compared.
        """
        only = Filter.of(since=since, until=until, sources=sources, where=where)
        with self._store.reading() as segments:
            dimension = self._catalog.manifest().dimension
            if vector.shape != (dimension,):
                raise InputError(f"a vector of shape {vector.shape}: expected ({dimension},)")
            query = np.ascontiguousarray(vector, dtype=np.float32)
            return nearest_passages(self._catalog, segments, vector=query, k=k, only=only)

    def vectors(self, passages: Sequence[Passage]) -> NDArray[np.float32]:
        """Return the embeddings of passages, shape ``(len(passages), dimension)``.

        Raises:
            InputError: if one is not in this generation any more.
        """
        with self._catalog.read():
            dimension = self._catalog.manifest().dimension
            found = self._catalog.vectors([passage.number for passage in passages])
        if missing := [passage for passage in passages if passage.number not in found]:
            raise InputError(
                f"passage {missing[0].number} of {missing[0].document.source} is not in the index any more"
            )
        rows = [found[passage.number].astype(np.float32) for passage in passages]
        return np.stack(rows) if rows else np.empty((0, dimension), dtype=np.float32)

    def idfs(self, terms: Sequence[str]) -> dict[str, float]:
        """Return how rare each term is, above 0, in this corpus and in French news at large together."""
        with self._store.reading() as segments:
            return corpus_idfs(segments, terms)

    @property
    def analyzer(self) -> Analyzer:
        """The analyzer that the index was made with."""
        return self._analyzer

    @property
    def embedder(self) -> Embedder:
        """The embedding model that the index was made with, loaded when first asked for.

        Raises:
            IndexMismatchError: if the model that was given, or is installed, is another one.
        """
        return self._embedder_of(self._catalog.manifest())

    def document(self, source: str) -> Document:
        """Return the document of a source.

        Raises:
            InputError: if the index holds none of that name.
        """
        found = self.find_documents([source]).get(source)
        if found is None:
            raise unknown_source(source)
        return found

    def find_documents(self, sources: Sequence[str]) -> dict[str, Document]:
        """Return documents by the sources asked for; those that the index does not hold are left out."""
        with self._catalog.read():
            return self._catalog.find_documents(sources)

    def newest_documents(self, n: int) -> list[Document]:
        """Return the documents of the latest dates, then those added last, at most ``n``; undated ones come last."""
        with self._catalog.read():
            return self._catalog.newest_documents(n)

    def sources(self) -> list[str]:
        """Return the source of everything that the index holds, sorted."""
        return self._catalog.sources()

    @property
    def listing(self) -> Listing:
        """What the index holds, for people to look through: page by page, by time, with what could not be read."""
        return self._catalog.listing

    def close(self) -> None:
        """Let go of the files of the index, which go on where it is asked again."""
        self._catalog.close()

    # -- state --------------------------------------------------------------------------------------------------

    @property
    def directory(self) -> Path:
        """The folder of the index."""
        return self._store.directory

    @property
    def generation(self) -> int:
        """The generation in force; grows by one with each committed change."""
        return self._catalog.manifest().generation

    def status(self) -> Status:
        """Return what the index holds now."""
        with self._catalog.read():
            manifest, counts = self._catalog.manifest(), self._catalog.counts()
            first, last = self._catalog.date_range()
            return Status(
                directory=str(self.directory),
                generation=manifest.generation,
                n_files=counts["files"],
                n_sources=counts["sources"],
                n_documents=counts["documents"],
                n_passages=counts["passages"],
                first_date=first,
                last_date=last,
                embedder=manifest.embedder,
                dimension=manifest.dimension,
                n_bytes=self._store.n_bytes(),
                roots=tuple(source_name(given) for _, given in self._catalog.files.roots()),
                problems=tuple(self._catalog.files.problems()),
            )

    def verify(self) -> list[str]:
        """Return what is wrong with the index, one line for each; nothing when it is sound.

        Checks the catalog's own integrity, the SHA-256 of every segment, that each document and passage is what was
        read, and that the segments hold each passage once, with its terms and its embedding, and nothing else.
        """
        return find_faults(self._store, self._analyzer)

    @classmethod
    def repair(cls, directory: str | Path) -> CorpusIndex:
        """Make the segments again from the catalog, without embedding, and open the index.

        Raises:
            IndexDamagedError: if the catalog itself cannot be read; then only `build` helps.
        """
        folder, analyzer = Path(directory), Analyzer()
        store = Store.open(folder, analyzer, any_analyzer=True)
        store.mend(always=True)
        return cls.open(folder)

    def _embedder_of(self, manifest: Manifest, *, any_model: bool = False) -> Embedder:
        """Return the embedding model that was given, else the one that the manifest names, opened when first needed.

        Args:
            manifest: manifest of the generation concerned.
            any_model: accept another model than the manifest's.

        Raises:
            IndexMismatchError: if it is not the model that the index was built with.
        """
        coming, embedder = self._coming_embedder, self._given_embedder
        if coming is not None and coming.fingerprint == manifest.fingerprint:
            return coming
        if embedder is None:
            with self._opening:
                embedder = self._opened_embedder
                # Another process may have built the index with another model meanwhile.
                if embedder is None or embedder.fingerprint != manifest.fingerprint:
                    embedder = self._opened_embedder = open_embedder(manifest.embedder)
        if any_model or embedder.fingerprint == manifest.fingerprint:
            return embedder
        raise IndexMismatchError(
            f"the index in {self.directory} was built with embedding model {manifest.embedder} "
            f"({manifest.fingerprint}), this is {embedder.name} ({embedder.fingerprint}): embed it again with "
            f"`python -m index embed --embedder {embedder.name} --index {self.directory}`, or build it again with "
            f"`python -m index build PATHS --index {self.directory}`",
            found=manifest.fingerprint,
            expected=embedder.fingerprint,
        )


def _nothing_read(report: UpdateReport) -> InputError:
    """Return the error for a change after which there would be no document."""
    reason = f" ({report.problems[0]})" if report.problems else ""
    return InputError(f"no document could be read{reason}: the index is left as it was")


def _silent(_: object) -> None:
    """Take a progress report that nobody wants."""
