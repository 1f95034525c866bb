"""What a change has to do: files compared with the catalog by the hash of their bytes, then document by document.

The comparison only reads. It yields one event after the other, so that a change of any size is carried out as it is
read, and a preview of it can be shown without a change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from index.catalog import Catalog, StoredSource, document_hash
from index.errors import InputError, LoadError
from index.file_records import StoredFile
from index.load import LoadNotes, SourceFile, hash_file, source_name, stream_documents
from index.types import Document

__all__ = [
    "Comparison",
    "Event",
    "FileChange",
    "FileGone",
    "FileRead",
    "Incoming",
    "Outgoing",
    "Progress",
    "ProgressCallback",
]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a change has come: ``done`` of ``total`` files read, then documents indexed; None where unknown.

    Attributes:
        stage: what is being done.
        done: how much of it.
        total: of how much.
        source: the file that is about to be read, where files are.
    """

    stage: str
    done: int
    total: int | None
    source: str | None = None


ProgressCallback = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class FileChange:
    """What is asked of a change.

    Attributes:
        files: files to add or to bring up to date.
        documents: documents given directly, to add or to bring up to date.
        gone: absolute paths of files whose documents are to be removed.
        sources: single sources to be removed.
        problems: what was found unreadable while looking for files.
        roots: what the index is made of from now on, ``(absolute path, path as given)`` each; None to leave it.
        complete: whether ``files`` and ``gone`` are every file on disk and in the index.
    """

    files: tuple[SourceFile, ...] = ()
    documents: Iterable[Document] = ()
    gone: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    problems: tuple[LoadError, ...] = ()
    roots: tuple[tuple[str, str], ...] | None = None
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Incoming:
    """A source that is new or has other content than before.

    Attributes:
        document: what it holds now.
        hash: hash of the document.
        path: absolute path of its file, "" for a document given directly.
        former: what it held before, None for a new source.
    """

    document: Document
    hash: bytes
    path: str
    former: StoredSource | None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A source that is gone."""

    former: StoredSource


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file was read to its end; its incoming and outgoing sources came before."""

    file: StoredFile
    problems: tuple[LoadError, ...]


@dataclass(frozen=True, slots=True)
class FileGone:
    """A file is gone, or no longer wanted; its outgoing sources came before."""

    path: str


Event = Incoming | Outgoing | FileRead | FileGone


class Comparison:
    """The events that bring an index to what is asked of it; iterated once.

    Args:
        catalog: read while iterating, inside a snapshot or a transaction.
        what: what is asked.
        progress: called before each file.

    Attributes:
        problems: what could not be read, complete once the iteration has ended.
        warnings: what was read with a doubt, likewise.
        unread: those of the problems that belong to no file that was read.
        gone_sources: names of the files that are gone.
    """

    def __init__(self, catalog: Catalog, what: FileChange, *, progress: ProgressCallback) -> None:
        self.problems: list[LoadError] = []
        self.warnings: list[str] = []
        self.unread: list[LoadError] = list(what.problems)
        self.gone_sources: set[str] = set()
        self._catalog = catalog
        self._what = what
        self._progress = progress
        self._incoming: set[str] = set()
        self._outgoing: set[str] = set()
        self._gone = frozenset(what.gone)

    def __iter__(self) -> Iterator[Event]:
        what, known = self._what, self._catalog.files.all()
        for path in what.gone:
            if path in known:
                self.gone_sources.add(known[path].source)
            yield from map(self._going, self._catalog.sources_of(path).values())
            yield FileGone(path)
        for source in what.sources:
            found = self._catalog.source(source)
            if found is not None and source not in self._outgoing:
                yield self._going(found)
        yield from self._given()
        taken = {file.source: path for path, file in known.items() if path not in self._gone}
        for done, file in enumerate(what.files):
            self._progress(Progress("lecture", done, len(what.files), file.source))
            path = str(file.path)
            try:
                found_hash = hash_file(file.path)
            except LoadError as error:  # for now: what was indexed of it stays
                self.unread.append(LoadError(file.source, error.reason))
                continue
            former = known.get(path)
            if former is not None and former.hash == found_hash:
                continue
            named = file
            if former is not None:
                named = replace(file, source=former.source)  # a file keeps the name that it was first given
            elif taken.get(file.source, path) != path:
                named = replace(file, source=_free_name(path, taken))  # two folders of the same name
            taken[named.source] = path
            yield from self._read(named, found_hash)
        self.problems = [*self.unread, *self.problems]

    def _given(self) -> Iterator[Event]:
        """Compare the documents that were given directly, each by its source."""
        for document in self._what.documents:
            hash_ = _hash_of_given(document)
            yield from self._compared(document, hash_, "", self._catalog.source(document.source))

    def _read(self, file: SourceFile, file_hash: str) -> Iterator[Event]:
        """Compare the documents of a file with those that it gave before."""
        path, notes = str(file.path), LoadNotes()
        former = self._catalog.sources_of(path)
        for document in stream_documents(file, notes):
            before = former.pop(document.source, None)
            if before is None and self._is_taken(document.source):
                reason = "another file has a document of this name; rename the file"
                notes.problems.append(LoadError(document.source, reason))
                file_hash = ""  # to be read again, since the name may become free though the file stays the same
            else:
                yield from self._compared(document, document_hash(document), path, before)
        yield from map(self._going, former.values())
        self.problems += notes.problems
        self.warnings += notes.warnings
        yield FileRead(StoredFile(path, file.source, file_hash), tuple(notes.problems))

    def _compared(self, document: Document, hash_: bytes, path: str, former: StoredSource | None) -> Iterator[Event]:
        self._incoming.add(document.source)
        if former is None or former.hash != hash_ or former.path != path:
            yield Incoming(document, hash_, path, former)

    def _is_taken(self, source: str) -> bool:
        if source in self._incoming:
            return True
        found = self._catalog.source(source)
        return found is not None and source not in self._outgoing

    def _going(self, former: StoredSource) -> Outgoing:
        self._outgoing.add(former.source)  # in a preview, the catalog goes on naming it
        return Outgoing(former)


def _free_name(path: str, taken: Mapping[str, str]) -> str:
    """Return a name that no other file has: the absolute path, marked where another one is shown alike."""
    name = source_name(path)
    while taken.get(name, path) != path:
        name += "~"
    return name


def _hash_of_given(document: Document) -> bytes:
    """Return the hash of a document that no loader has made.

    Raises:
        InputError: if it holds what cannot be stored.
    """
    try:
        document.source.encode()
        return document_hash(document)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"document {document.source!r} cannot be stored ({error}): expected text that can be written as UTF-8, and "
            "JSON values as metadata"
        ) from error
