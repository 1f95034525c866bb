"""Store: the catalog and its segments as one thing that is read and written generation by generation."""

from __future__ import annotations

import json
import logging
import os
import secrets
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from index.analyze import Analyzer
from index.catalog import Catalog
from index.database import sync
from index.errors import IndexLockedError, IndexMismatchError, IndexMissingError, StoreError
from index.lock import writer_lock
from index.manifest import Manifest
from index.segments import Segments, delete_unnamed, load_segments, missing_files, rebuild_segments

__all__ = ["Change", "Store"]

logger = logging.getLogger(__name__)

_CATALOG = "catalog.sqlite"
_MANIFEST = "manifest.json"
_ANEW = "anew-"
_WRITER_WAIT_SECONDS = 10.0
_READ_ATTEMPTS = 20


@dataclass(slots=True)
class Change:
    """A change in the making: the segments before it, and those after it once they are made."""

    before: Segments
    after: Segments


@dataclass(slots=True)
class _Commit:
    """What this process holds once a transaction is committed."""

    state: tuple[Manifest, Segments] | None = None


class Store:
    """An index folder. Safe to use from several threads and processes.

    Attributes:
        directory: the folder.
        catalog: the source of truth.
    """

    def __init__(self, directory: Path, analyzer: Analyzer) -> None:
        self.directory = directory
        self.catalog = Catalog(directory / _CATALOG)
        self._analyzer = analyzer
        self._state: tuple[Manifest, Segments] | None = None
        self._loading = threading.Lock()

    @classmethod
    def open(cls, directory: Path, analyzer: Analyzer, *, any_analyzer: bool = False) -> Store:
        """Open the store of a folder.

        Args:
            directory: the folder.
            analyzer: the analyzer in force.
            any_analyzer: accept an index made by another analyzer, to mend it.

        Raises:
            IndexMissingError: if the folder holds none.
            IndexMismatchError: if it has another format or was made by another analyzer.
            IndexDamagedError: if its catalog cannot be read.
        """
        store = cls(directory, analyzer)
        manifest = store.catalog.manifest()
        if manifest.generation == 0:
            raise IndexMissingError(
                f"the index in {directory} was never finished: `python -m index build PATHS --index {directory}`"
            )
        if not any_analyzer:
            store._check_analyzer(manifest)
        return store

    @classmethod
    def create(cls, directory: Path, analyzer: Analyzer, manifest: Manifest) -> Store:
        """Make an empty store, or open the one that another process has just made.

        Raises:
            StoreError: if the folder cannot be written.
        """
        try:
            directory.mkdir(parents=True, exist_ok=True)
            with writer_lock(directory, wait_seconds=_WRITER_WAIT_SECONDS):
                if not (directory / _CATALOG).exists():
                    Catalog.create(directory / _CATALOG, manifest)
        except OSError as error:
            raise StoreError(f"{directory} cannot be made ({error.strerror}): name another folder") from error
        return cls(directory, analyzer)

    @property
    def is_outdated(self) -> bool:
        """Whether the index was made by another version of the analyzer, so that `mend` has to come first."""
        return self.catalog.manifest().analyzer != self._analyzer.version

    @contextmanager
    def reading(self) -> Iterator[Segments]:
        """Hold one generation: the segments given belong to the catalog as it is read meanwhile.

        Not to be called while the catalog is being read or written.

        Raises:
            IndexMismatchError: if the index was made by another analyzer since it was opened.
            StoreError: if the segment files cannot be opened, nor made again.
        """
        for _ in range(_READ_ATTEMPTS):
            with self.catalog.read():
                manifest = self.catalog.manifest()
                self._check_analyzer(manifest)
                try:
                    state = self._loaded(manifest)
                except StoreError as error:
                    reason = error
                else:
                    yield state
                    return
            if self.catalog.manifest() == manifest:  # else a writer has swept them up after a newer generation
                self.mend(reason=str(reason))
        raise StoreError(
            f"{self.directory}: the segment files cannot be opened: `python -m index repair --index {self.directory}`"
        )

    @contextmanager
    def writing(self) -> Iterator[Change]:
        """Run one change under the writer's lock; it is committed when the block ends, or not at all.

        Raises:
            IndexLockedError: if another process is writing.
            IndexMismatchError: if the index was made by another analyzer since it was opened.
        """
        with writer_lock(self.directory, wait_seconds=_WRITER_WAIT_SECONDS), self._committing() as commit:
            manifest = self.catalog.manifest()
            if manifest.generation:
                self._check_analyzer(manifest)
            before = self._before(manifest)
            change = Change(before, after=before)
            yield change
            commit.state = self.catalog.manifest(), change.after

    def n_bytes(self) -> int:
        """Return the size of the folder on disk; a file linked twice counts once."""
        sizes = {}
        for folder, _, names in os.walk(self.directory):  # unlike rglob, it bears a writer that sweeps up meanwhile
            for name in names:
                with suppress(FileNotFoundError):
                    found = Path(folder, name).stat()
                    sizes[found.st_ino] = found.st_size
        return sum(sizes.values())

    def mend(self, *, always: bool = False, reason: str = "") -> bool:
        """Make damaged or missing segment files again from the catalog; say whether that was needed.

        Where the folder cannot be written, or a writer holds it for long, they are made in memory.

        Args:
            always: make them again even when nothing is wrong, and raise where the folder cannot be written.
            reason: what is wrong, for the log.
        """
        try:
            with writer_lock(self.directory, wait_seconds=_WRITER_WAIT_SECONDS), self._committing() as commit:
                manifest = self.catalog.manifest()
                if not always and not self._fault(manifest):
                    return False
                commit.state = self._rebuild(manifest, reason)
        except StoreError as error:
            if always or not (isinstance(error, IndexLockedError) or not os.access(self.directory, os.W_OK)):
                raise
            logger.warning("%s; the segment files are made again in memory for this process: %s", error, reason)
            with self.catalog.read():
                state = rebuild_segments(None, self.catalog, self.catalog.manifest(), self._analyzer)
            with self._loading:
                self._state = state
        return True

    def embedder_on_record(self) -> str | None:
        """Return the embedding model that an index whose catalog cannot be used was built with, None if unknown."""
        try:
            record = json.loads((self.directory / _MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        name = record.get("embedder") if isinstance(record, dict) else None
        return name if isinstance(name, str) else None

    @contextmanager
    def building_anew(self) -> Iterator[Path]:
        """Give a folder for another index, which takes the place of this one when the block ends, or not at all.

        Nothing but the files of the index is touched. Its catalog need not be readable.

        Raises:
            IndexLockedError: if another process is writing.
            StoreError: if the folder cannot be written.
        """
        with writer_lock(self.directory, wait_seconds=_WRITER_WAIT_SECONDS):
            aside = self.directory / f"{_ANEW}{secrets.token_hex(4)}"
            try:
                yield aside
                self.catalog.close()
                for path in aside.glob("segments/*"):
                    target = self.directory / path.relative_to(aside)
                    target.parent.mkdir(exist_ok=True)
                    path.rename(target)
                # The log of the former catalog would be taken for one of the new.
                for suffix in ("-wal", "-shm"):
                    (self.directory / f"{_CATALOG}{suffix}").unlink(missing_ok=True)
                (aside / _CATALOG).replace(self.directory / _CATALOG)
                sync(self.directory)
            except OSError as error:
                raise StoreError(
                    f"{self.directory} cannot be written ({error.strerror}): check the rights of the folder"
                ) from error
            finally:
                shutil.rmtree(aside, ignore_errors=True)  # what cannot be deleted now is swept up by the next change
            self._sweep()

    def _check_analyzer(self, manifest: Manifest) -> None:
        if manifest.analyzer != self._analyzer.version:
            raise IndexMismatchError(
                f"the index in {self.directory} was made by analyzer {manifest.analyzer}, this program has "
                f"{self._analyzer.version}: `python -m index repair --index {self.directory}` brings it up to date",
                found=manifest.analyzer,
                expected=self._analyzer.version,
            )

    def _loaded(self, manifest: Manifest) -> Segments:
        """Return the segments of a generation.

        Raises:
            StoreError: if they cannot be opened.
        """
        with self._loading:
            if self._state is None or self._state[0] != manifest:
                former = self._state[1] if self._state else None
                self._state = manifest, load_segments(self.directory, manifest, former)
            return self._state[1]

    def _fault(self, manifest: Manifest) -> str | None:
        """Return why the segments of a generation cannot be opened, None where they can."""
        try:
            self._loaded(manifest)
        except StoreError as error:
            return str(error)
        return None

    def _before(self, manifest: Manifest) -> Segments:
        if manifest.generation == 0:
            return Segments(0, {})
        missing = missing_files(self.directory, manifest.sha256)  # they may be gone though loaded long ago
        fault = f"{', '.join(missing)} missing" if missing else self._fault(manifest)
        if fault:
            return self._rebuild(manifest, fault)[1]
        state = self._loaded(manifest)
        if state.parts.keys() != manifest.sha256.keys():  # made in memory while the folder could not be written
            with self._loading:
                self._state = None
            state = self._loaded(manifest)
        return state

    def _rebuild(self, manifest: Manifest, reason: str) -> tuple[Manifest, Segments]:
        if reason:
            logger.warning("%s: the search files are made again from the catalog (%s)", self.directory, reason)
        after, state = rebuild_segments(self.directory, self.catalog, manifest, self._analyzer)
        self.catalog.set_manifest(after)
        return after, state

    @contextmanager
    def _committing(self) -> Iterator[_Commit]:
        """Commit what the block does to the catalog, or undo it, and sweep up the files of the other case."""
        commit = _Commit()
        try:
            with self.catalog.write():
                yield commit
            if commit.state is not None:
                with self._loading:
                    self._state = commit.state
        finally:
            self._sweep()

    def _sweep(self) -> None:
        """Write the copy of the manifest that people read, and delete what the manifest in force does not name.

        A change is committed or undone by now; what fails here is tried again by the next one.
        """
        temporary = self.directory / f"{_MANIFEST}.new"
        try:
            manifest = self.catalog.manifest()
            temporary.write_text(manifest.to_json() + "\n", encoding="utf-8")
            temporary.replace(self.directory / _MANIFEST)
            delete_unnamed(self.directory, manifest)
            for leftover in self.directory.glob(f"{_ANEW}*"):
                shutil.rmtree(leftover)
            self.catalog.checkpoint()
        except (OSError, StoreError) as error:
            logger.warning("%s: what is no longer needed could not all be deleted (%s)", self.directory, error)
