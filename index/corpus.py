"""CorpusIndex: a folder of documents that can be searched, brought up to date, checked and repaired."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.analyze import Analyzer
from index.embed import Embedder, open_embedder
from index.errors import IndexDamagedError, IndexMismatchError, IndexMissingError, InputError, LoadError
from index.load import SourceFile
from index.manifest import Manifest
from index.plan import FileChange, ProgressCallback
from index.rank import FusionWeights
from index.roots import absolute_path, files_of_root, files_to_read, is_inside, roots_of
from index.search import MAX_QUESTION_CHARS, check_question, corpus_idfs, search_passages
from index.store import Store
from index.types import Document, Hit
from index.update import UpdateReport, apply_change
from index.verify import find_faults

__all__ = ["MAX_QUESTION_CHARS", "CorpusIndex", "SearchResult", "Status"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Status:
    """What an index holds.

    Attributes:
        directory: folder of the index.
        generation: grows by one with each change.
        n_files: files read.
        n_documents: documents in them.
        n_passages: passages of those.
        first_date: first day that a document's date covers, ISO, or None.
        last_date: last such day, or None.
        embedder: name of the embedding model.
        dimension: length of an embedding.
        n_bytes: size of the index on disk.
        roots: the paths that were built or added, as given.
        problems: what could not be read.
    """

    directory: str
    generation: int
    n_files: int
    n_documents: int
    n_passages: int
    first_date: str | None
    last_date: str | None
    embedder: str
    dimension: int
    n_bytes: int
    roots: tuple[str, ...]
    problems: tuple[LoadError, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values; a problem has ``source`` and ``reason``."""
        record = {field.name: getattr(self, field.name) for field in fields(self)}
        return record | {"roots": list(self.roots), "problems": [problem.to_dict() for problem in self.problems]}


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found, and what it knew of the question, all of one generation.

    Attributes:
        hits: passages, best first.
        generation: generation of the index that was searched.
        idfs: how rare each term of the question is, above 0.
        vector: embedding of the question, float32, shape ``(dimension,)``.
        embedder: the model that made it.
    """

    hits: tuple[Hit, ...]
    generation: int
    idfs: Mapping[str, float]
    vector: NDArray[np.float32]
    embedder: Embedder


class CorpusIndex:
    """Documents on disk, as passages that can be searched. Safe to use from several threads.

    Made by `open` or `build`. Readers in other processes see each change once it is committed, and never half of it.
    """

    def __init__(self, store: Store, *, analyzer: Analyzer, embedder: Embedder | None = None) -> None:
        self._store = store
        self._catalog = store.catalog
        self._analyzer = analyzer
        self._given_embedder = embedder
        self._opened_embedder: Embedder | None = None
        self._opening = threading.Lock()

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
    def build(
        cls,
        paths: Sequence[str | Path],
        directory: str | Path,
        *,
        embedder: Embedder | None = None,
        progress: ProgressCallback | None = None,
    ) -> CorpusIndex:
        """Make the index of a folder equal to the given paths, processing only what changed, and open it.

        Args:
            paths: files and folders.
            directory: folder of the index, made if missing.
            embedder: embedding model; None keeps that of an existing index, else takes the bundled one. Another
                one than before embeds everything again.
            progress: called with each step.

        Raises:
            InputError: if a path does not exist, or nothing in them can be read.
            IndexLockedError: if another process is writing.
        """
        corpus, _ = cls.build_with_report(paths, directory, embedder=embedder, progress=progress)
        return corpus

    @classmethod
    def build_with_report(
        cls,
        paths: Sequence[str | Path],
        directory: str | Path,
        *,
        embedder: Embedder | None = None,
        progress: ProgressCallback | None = None,
    ) -> tuple[CorpusIndex, UpdateReport]:
        """Do as `build`, and return what was done too."""
        folder, analyzer = Path(directory), Analyzer()
        files, problems = files_to_read(paths, index=folder)
        try:
            corpus = cls._open_to_build(folder, analyzer, embedder)
            return corpus, corpus._replace(paths, files, problems, progress=progress)
        except (IndexMismatchError, IndexDamagedError) as error:
            logger.warning("%s; it is built anew", error)
        former = Store(folder, analyzer)
        model = embedder or open_embedder(former.embedder_on_record())
        with former.building_anew() as aside:
            corpus = cls._open_to_build(aside, analyzer, model)
            report = corpus._replace(paths, files, problems, progress=progress)
            corpus._catalog.close()
        return cls.open(folder, embedder=embedder), report

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
        return self._replace(paths, *files_to_read(paths, index=self.directory), progress=progress)

    def add(self, paths: Sequence[str | Path], *, progress: ProgressCallback | None = None) -> UpdateReport:
        """Add the given paths, or bring them up to date; no other file is touched.

        Raises:
            InputError: if a path does not exist, or nothing in them can be read.
            IndexLockedError: if another process is writing.
            IndexMismatchError: if the index was built with another embedding model.
        """
        files, problems = files_to_read(paths, index=self.directory)

        def what() -> FileChange:
            roots = dict([*self._catalog.roots(), *roots_of(paths)])
            self._catalog.set_roots(roots.items())
            return FileChange(tuple(files), problems=tuple(problems))

        return self._change(what, progress=progress)

    def refresh(self, *, progress: ProgressCallback | None = None) -> UpdateReport:
        """Bring everything that was built or added up to date with the disk.

        A folder that is no longer there at all, such as a drive that is not mounted, keeps its documents and is
        named as a problem; a file that is gone is removed.

        Raises:
            InputError: if no document would be left; the index is left as it was.
            IndexLockedError: if another process is writing.
            IndexMismatchError: if the index was built with another embedding model.
        """

        def what() -> FileChange:
            files: list[SourceFile] = []
            problems: list[LoadError] = []
            away: list[str] = []
            known = self._catalog.files()
            for path, given in self._catalog.roots():
                if os.path.lexists(path):
                    found, wrong = files_of_root(path, given, index=self.directory)
                    files += found
                    problems += wrong
                elif path not in known:
                    away.append(path)
                    problems.append(LoadError(given, "the folder is not there; its documents are kept until `remove`"))
            listed = {str(file.path) for file in files}
            gone = [p for p in known if p not in listed and not any(is_inside(p, folder) for folder in away)]
            return FileChange(tuple(files), tuple(gone), problems=tuple(problems), complete=True)

        return self._change(what, progress=progress)

    def remove(self, sources: Sequence[str]) -> UpdateReport:
        """Remove files, folders or single JSON lines, by source as citations name them, or by path.

        Their text is in no file of the index afterwards. A file that is still on disk comes back with the next `build`
        or `refresh` of its folder. In an index of more than a thousand passages, word stems and embeddings of what was
        removed stay in the search files until a tenth has changed; `repair` drops them at once.

        Raises:
            InputError: if the index holds nothing of that name.
            IndexLockedError: if another process is writing.
            IndexMismatchError: if the index was built with another embedding model.
        """

        def what() -> FileChange:
            known = self._catalog.files()
            gone: set[str] = set()
            lines: list[str] = []
            roots = self._catalog.roots()
            for source in sources:
                name, absolute = source.rstrip("/"), absolute_path(source)
                paths = {p for p, f in known.items() if is_inside(f.source, name) or is_inside(p, absolute)}
                if not name or not (paths or self._catalog.document_number(source) is not None):
                    raise _unknown(source)
                gone |= paths
                lines += [] if paths else [source]
                roots = [(p, given) for p, given in roots if not (is_inside(p, absolute) or is_inside(given, name))]
            self._catalog.set_roots(root for root in roots if root[0] not in gone)
            return FileChange(gone=tuple(sorted(gone)), lines=tuple(lines))

        return self._change(what, may_empty=True)

    def _replace(
        self,
        paths: Sequence[str | Path],
        files: Sequence[SourceFile],
        problems: Sequence[LoadError],
        *,
        progress: ProgressCallback | None,
    ) -> UpdateReport:
        def what() -> FileChange:
            self._catalog.set_roots(roots_of(paths))
            listed = {str(file.path) for file in files}
            gone = tuple(path for path in self._catalog.files() if path not in listed)
            return FileChange(tuple(files), gone, problems=tuple(problems), complete=True)

        return self._change(what, any_model=True, progress=progress)

    def _change(
        self,
        what: Callable[[], FileChange],
        *,
        any_model: bool = False,
        may_empty: bool = False,
        progress: ProgressCallback | None = None,
    ) -> UpdateReport:
        """Run one change; ``what`` is asked inside its transaction, so that it sees what other writers have done."""
        with self._store.writing() as change:
            embedder = self._embedder_of(self._catalog.manifest(), any_model=any_model)
            report, change.after = apply_change(
                self._store.directory,
                self._catalog,
                change.before,
                what(),
                analyzer=self._analyzer,
                embedder=embedder,
                progress=progress or (lambda _: None),
            )
            if not may_empty and not self._catalog.counts()[1]:
                reason = f" ({report.problems[0]})" if report.problems else ""
                raise InputError(f"no document could be read{reason}: the index is left as it was")
        return report

    # -- questions ----------------------------------------------------------------------------------------------

    def search(
        self,
        question: str,
        *,
        k: int = 10,
        since: str | None = None,
        until: str | None = None,
        weights: FusionWeights | None = None,
    ) -> list[Hit]:
        """Return the passages that fit a question best, best first.

        Args:
            question: any text of 1 to `MAX_QUESTION_CHARS` characters.
            k: passages wanted, at least 1.
            since: ISO date of any precision; only documents dated then or later. Undated ones are left out.
            until: ISO date; only documents dated then or earlier.
            weights: how the scores are fused; None for the weights chosen on the training questions.

        Returns:
            At most ``k`` hits; none where no term of the question occurs and its embedding says nothing.

        Raises:
            InputError: if the question is empty or too long, ``k < 1`` or a date is none.
        """
        return list(self.search_in_full(question, k=k, since=since, until=until, weights=weights).hits)

    def search_in_full(
        self,
        question: str,
        *,
        k: int = 10,
        since: str | None = None,
        until: str | None = None,
        weights: FusionWeights | None = None,
    ) -> SearchResult:
        """Do as `search`, and return what was known of the question too."""
        text = check_question(question)
        terms = list(dict.fromkeys(self._analyzer.terms(text)))
        with self._store.reading() as state:
            embedder = self._embedder_of(self._catalog.manifest())
            vector, idfs = embedder.embed_question(text), corpus_idfs(state, terms)
            hits = search_passages(
                self._catalog,
                state,
                self._analyzer,
                idfs=idfs,
                vector=vector,
                k=k,
                period=(since, until),
                weights=weights or FusionWeights(),
            )
        return SearchResult(tuple(hits), state.generation, idfs, vector, embedder)

    def idfs(self, terms: Sequence[str]) -> dict[str, float]:
        """Return how rare each term is, above 0, in this corpus and in French news at large together."""
        with self._store.reading() as state:
            return corpus_idfs(state, terms)

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
        found = self._catalog.document(source=source)
        if found is None:
            raise _unknown(source)
        return found

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
            manifest = self._catalog.manifest()
            n_files, n_documents, n_passages = self._catalog.counts()
            first, last = self._catalog.date_range()
            return Status(
                directory=str(self.directory),
                generation=manifest.generation,
                n_files=n_files,
                n_documents=n_documents,
                n_passages=n_passages,
                first_date=first,
                last_date=last,
                embedder=manifest.embedder,
                dimension=manifest.dimension,
                n_bytes=self._store.n_bytes(),
                roots=tuple(given for _, given in self._catalog.roots()),
                problems=tuple(self._catalog.problems()),
            )

    def verify(self) -> list[str]:
        """Return what is wrong with the index, one line for each; nothing when it is sound.

        Checks the catalog's own integrity, the SHA-256 of every derived file, that each document and passage is what
        was read, and that each vector and each lexical entry belongs to a passage and each passage has both.
        """
        return find_faults(self._store)

    @classmethod
    def repair(cls, directory: str | Path) -> CorpusIndex:
        """Make everything derived again from the catalog, without embedding, and open the index.

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
        embedder = self._given_embedder
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
            f"({manifest.fingerprint}), this is {embedder.name} ({embedder.fingerprint}): build it again with "
            f"`python -m index build PATHS --index {self.directory}`",
            found=manifest.fingerprint,
            expected=embedder.fingerprint,
        )


def _unknown(source: str) -> InputError:
    return InputError(
        f"the index holds no {source!r}: name a file, a folder or a JSON line as citations do; `python -m index "
        "status` says what the index was built from"
    )
