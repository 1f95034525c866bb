"""The catalog: one SQLite file that is the source of truth.

Documents, sentence spans, passages and their embeddings live here; the lexical and vector indexes are derived
from it and named, with their SHA-256, by the manifest row. A change is one transaction: it writes the rows, the
manifest and the generation together, so a reader sees the former index or the new one and never a mix.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.database import MAX_VARIABLES, Database
from index.dates import date_bounds
from index.errors import IndexDamagedError, InputError, LoadError
from index.manifest import Manifest
from index.types import Document, Passage, Sentence, Span

__all__ = ["Catalog", "NewPassage", "StoredFile", "document_hash", "text_hash"]

Embedding = NDArray[np.float16]

_SCHEMA = """
CREATE TABLE manifest (only INTEGER PRIMARY KEY CHECK (only = 1), value TEXT NOT NULL);
CREATE TABLE roots (path TEXT PRIMARY KEY, given TEXT NOT NULL);
CREATE TABLE files (path TEXT PRIMARY KEY, source TEXT NOT NULL UNIQUE, hash TEXT NOT NULL);
CREATE TABLE problems (path TEXT NOT NULL, source TEXT NOT NULL, reason TEXT NOT NULL);
CREATE INDEX problems_path ON problems (path);
CREATE TABLE documents (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL UNIQUE,
    id TEXT NOT NULL,
    path TEXT NOT NULL,
    hash BLOB NOT NULL,
    title TEXT,
    date TEXT,
    first_day TEXT,
    last_day TEXT,
    body_start INTEGER NOT NULL,
    metadata TEXT NOT NULL,
    text TEXT NOT NULL,
    sentences BLOB NOT NULL
);
CREATE INDEX documents_path ON documents (path);
CREATE INDEX documents_id ON documents (id);
CREATE TABLE passages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL REFERENCES documents (number) ON DELETE CASCADE,
    first INTEGER NOT NULL,
    past INTEGER NOT NULL,
    n_terms INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    hash BLOB NOT NULL,
    vector BLOB NOT NULL
);
CREATE INDEX passages_document ON passages (document);
CREATE INDEX passages_hash ON passages (hash);
CREATE INDEX passages_generation ON passages (generation, n_terms);
CREATE TABLE removals (passage INTEGER PRIMARY KEY, generation INTEGER NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that was read: its absolute path, its source and the hash of its bytes."""

    path: str
    source: str
    hash: str


@dataclass(frozen=True, slots=True)
class NewPassage:
    """A passage about to be stored.

    Attributes:
        first: index of its first sentence in the document.
        past: one past the index of its last sentence.
        n_terms: number of terms of its text.
        hash: hash of the text that was embedded.
        vector: its embedding, float16, shape ``(dimension,)``.
    """

    first: int
    past: int
    n_terms: int
    hash: bytes
    vector: NDArray[np.float16]


class Catalog:
    """The catalog of an index. Safe to use from several threads.

    Every method raises IndexDamagedError where the content of the file is wrong, and StoreError where the disk, the
    rights or another process stand in the way.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path)

    @classmethod
    def open(cls, path: Path) -> Catalog:
        """Open an existing catalog.

        Raises:
            IndexMissingError: if there is no such file.
            IndexMismatchError: if it has another format.
            IndexDamagedError: if it is not a catalog or cannot be read.
        """
        catalog = cls(path)
        catalog.manifest()
        return catalog

    @classmethod
    def create(cls, path: Path, manifest: Manifest) -> None:
        """Make an empty catalog, in place at once or not at all."""
        tables = [(statement, ()) for statement in filter(str.strip, _SCHEMA.split(";"))]
        Database.create(path, [*tables, ("INSERT INTO manifest VALUES (1, ?)", (manifest.to_json(),))])

    def read(self) -> AbstractContextManager[None]:
        """Hold one snapshot: everything read inside belongs to the same generation. Nests."""
        return self._database.read()

    def write(self) -> AbstractContextManager[None]:
        """Run one change: all of it is committed, or none of it."""
        return self._database.write()

    def checkpoint(self) -> None:
        """Empty the write-ahead log, so that a removed text does not survive there."""
        self._database.checkpoint()

    def check(self) -> list[str]:
        """Return what SQLite finds wrong with the file, nothing when it is sound."""
        return self._database.check()

    def close(self) -> None:
        """Close what this thread has open; it is opened again when needed."""
        self._database.close()

    # -- manifest -----------------------------------------------------------------------------------------------

    def manifest(self) -> Manifest:
        """Return the manifest of the generation in force.

        Raises:
            IndexMismatchError: if the index has another format.
        """
        folder = self._database.path.parent
        row = self._database.row("SELECT value FROM manifest")
        return Manifest.from_json(row[0] if row else "null", folder)

    def set_manifest(self, manifest: Manifest) -> None:
        """Write the manifest; called last in a change."""
        self._database.run("UPDATE manifest SET value = ?", (manifest.to_json(),))

    # -- files, roots and problems --------------------------------------------------------------------------------

    def roots(self) -> list[tuple[str, str]]:
        """Return ``(absolute path, path as given)`` of everything that was built or added."""
        return [(path, given) for path, given in self._database.rows("SELECT path, given FROM roots ORDER BY rowid")]

    def set_roots(self, roots: Iterable[tuple[str, str]]) -> None:
        """Replace the roots."""
        self._database.run("DELETE FROM roots")
        self._database.many("INSERT OR REPLACE INTO roots VALUES (?, ?)", roots)

    def files(self) -> dict[str, StoredFile]:
        """Return every file that was read, by its absolute path."""
        rows = self._database.rows("SELECT path, source, hash FROM files")
        return {path: StoredFile(path, source, hash_) for path, source, hash_ in rows}

    def put_file(self, file: StoredFile, problems: Iterable[LoadError]) -> None:
        """Record a file as read, with the lines of it that could not be."""
        self._database.run("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", (file.path, file.source, file.hash))
        self._put_problems(file.path, problems)

    def forget_file(self, path: str) -> None:
        """Drop the record of a file and its problems; its documents are deleted by `delete_documents`."""
        self._database.run("DELETE FROM files WHERE path = ?", (path,))
        self._put_problems(path, ())

    def set_unread(self, problems: Iterable[LoadError]) -> None:
        """Replace the list of what could not be opened at all, which belongs to no file that was read."""
        self._put_problems(_UNREAD, problems)

    def unread(self) -> list[LoadError]:
        """Return what could not be opened at all."""
        rows = self._database.rows("SELECT source, reason FROM problems WHERE path = ? ORDER BY rowid", (_UNREAD,))
        return [LoadError(source, reason) for source, reason in rows]

    def problems(self) -> list[LoadError]:
        """Return what could not be read, by source."""
        rows = self._database.rows("SELECT source, reason FROM problems ORDER BY source, rowid")
        return [LoadError(source, reason) for source, reason in rows]

    def _put_problems(self, path: str, problems: Iterable[LoadError]) -> None:
        self._database.run("DELETE FROM problems WHERE path = ?", (path,))
        rows = [(path, error.source, error.reason) for error in problems]
        self._database.many("INSERT INTO problems VALUES (?, ?, ?)", rows)

    # -- changing documents and passages --------------------------------------------------------------------------

    def put_document(self, document: Document, *, path: str, content_hash: bytes, sentences: Sequence[Span]) -> int:
        """Store a document and return its number."""
        first_day, last_day = date_bounds(document.date) if document.date else (None, None)
        spans = np.array([(span.start, span.end) for span in sentences], dtype=np.uint32)
        row = (
            document.source,
            document.id,
            path,
            content_hash,
            document.title,
            document.date,
            first_day,
            last_day,
            document.body_start,
            json.dumps(dict(document.metadata), ensure_ascii=False, sort_keys=True),
            document.text,
            spans.tobytes(),
        )
        columns = "source, id, path, hash, title, date, first_day, last_day, body_start, metadata, text, sentences"
        return self._database.run(f"INSERT INTO documents ({columns}) VALUES ({', '.join('?' * len(row))})", row)

    def put_passages(self, document: int, passages: Iterable[NewPassage], *, generation: int) -> list[int]:
        """Store the passages of a document and return their numbers."""
        columns = "document, first, past, n_terms, generation, hash, vector"
        statement = f"INSERT INTO passages ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)"
        return [
            self._database.run(
                statement, (document, new.first, new.past, new.n_terms, generation, new.hash, new.vector.tobytes())
            )
            for new in passages
        ]

    def set_term_counts(self, counts: Iterable[tuple[int, int]]) -> None:
        """Replace the numbers of terms of passages, given as ``(number of terms, passage)``."""
        self._database.many("UPDATE passages SET n_terms = ? WHERE number = ?", counts)

    def delete_documents(self, numbers: Sequence[int], *, generation: int) -> list[int]:
        """Delete documents with their passages, and return the numbers of those passages."""
        found = self._database.rows_of("SELECT number FROM passages WHERE document IN ({keys})", numbers)
        removed = [row[0] for row in found]
        self._database.many("DELETE FROM documents WHERE number = ?", [(number,) for number in numbers])
        self._database.many("INSERT INTO removals VALUES (?, ?)", [(number, generation) for number in removed])
        return removed

    def forget_line(self, source: str) -> int | None:
        """Make the file of a single document be read again by the next build, so that the document may be removed.

        Returns:
            The number of the document, or None if there is none of that source.
        """
        row = self._database.row("SELECT number, path FROM documents WHERE source = ?", (source,))
        if row is None:
            return None
        self._database.run("UPDATE files SET hash = '' WHERE path = ?", (row[1],))
        return int(row[0])

    def forget_removals(self, *, until: int) -> None:
        """Drop the list of passages removed up to a generation, once a vector snapshot no longer holds them."""
        self._database.run("DELETE FROM removals WHERE generation <= ?", (until,))

    # -- reading embeddings ---------------------------------------------------------------------------------------

    def cached_vectors(self, hashes: Sequence[bytes]) -> dict[bytes, Embedding]:
        """Return the embeddings already stored for texts, by the hash of the text."""
        rows = self._database.rows_of("SELECT hash, vector FROM passages WHERE hash IN ({keys})", hashes)
        return {hash_: np.frombuffer(vector, dtype=np.float16) for hash_, vector in rows}

    def document_vectors(self, documents: Sequence[int]) -> dict[bytes, Embedding]:
        """Return the embeddings of documents' passages, by the hash of the embedded text."""
        rows = self._database.rows_of("SELECT hash, vector FROM passages WHERE document IN ({keys})", documents)
        return {hash_: np.frombuffer(vector, dtype=np.float16) for hash_, vector in rows}

    def vectors(self, numbers: Sequence[int]) -> dict[int, Embedding]:
        """Return the embeddings of passages, by number."""
        rows = self._database.rows_of("SELECT number, vector FROM passages WHERE number IN ({keys})", numbers)
        return {number: np.frombuffer(vector, dtype=np.float16) for number, vector in rows}

    def changes_since(self, generation: int, *, dimension: int) -> tuple[list[int], Embedding, list[int]]:
        """Return passages added after a generation, their embeddings (n, dimension), and passages removed after it."""
        added = self._database.rows(
            "SELECT number, vector FROM passages WHERE generation > ? ORDER BY number", (generation,)
        )
        removed = self._database.rows("SELECT passage FROM removals WHERE generation > ?", (generation,))
        vectors = np.frombuffer(b"".join(row[1] for row in added), dtype=np.float16)
        if vectors.size != len(added) * dimension:
            raise self._damaged(f"the embeddings hold {vectors.size} numbers, expected {len(added)} x {dimension}")
        return [row[0] for row in added], vectors.reshape(-1, dimension), [row[0] for row in removed]

    # -- reading documents and passages ---------------------------------------------------------------------------

    def document(self, *, source: str) -> Document | None:
        """Return a document, or None if there is none of that source."""
        row = self._database.row(f"SELECT {_DOCUMENT} FROM documents WHERE source = ?", (source,))
        return None if row is None else self._document(row)[0]

    def document_hashes(self, path: str) -> dict[str, tuple[int, bytes]]:
        """Return ``{source: (number, hash)}`` of the documents that came from a file."""
        rows = self._database.rows("SELECT source, number, hash FROM documents WHERE path = ?", (path,))
        return {source: (number, hash_) for source, number, hash_ in rows}

    def document_number(self, source: str) -> int | None:
        """Return the number of a document, or None if there is none of that source."""
        row = self._database.row("SELECT number FROM documents WHERE source = ?", (source,))
        return None if row is None else int(row[0])

    def walk_documents(self) -> Iterator[tuple[Document, bytes]]:
        """Yield every document with its hash, in the order of their numbers."""
        hashes = self._database.rows("SELECT number, hash FROM documents ORDER BY number")
        for first in range(0, len(hashes), MAX_VARIABLES):
            part = hashes[first : first + MAX_VARIABLES]
            found = self._documents([number for number, _ in part])
            yield from ((found[number][0], hash_) for number, hash_ in part)

    def passage_hashes(self) -> dict[int, bytes]:
        """Return the hash of the embedded text of every passage, by number."""
        return dict(self._database.rows("SELECT number, hash FROM passages"))

    def passages(self, numbers: Sequence[int]) -> dict[int, Passage]:
        """Return passages by number; a number that is not in this generation is left out."""
        statement = "SELECT number, document, first, past FROM passages WHERE number IN ({keys})"
        rows = list(self._database.rows_of(statement, numbers))
        documents = self._documents(sorted({row[1] for row in rows}))
        found: dict[int, Passage] = {}
        for number, parent, first, past in rows:
            document, bounds = documents[parent]
            if not 0 <= first < past <= len(bounds):
                raise self._damaged(f"passage {number} names sentences {first} to {past} of {len(bounds)}")
            try:
                sentences = tuple(Sentence(document, Span(start, end)) for start, end in bounds[first:past].tolist())
                span = Span(sentences[0].span.start, sentences[-1].span.end)
            except InputError as error:
                raise self._damaged(f"the sentences of passage {number}: {error}") from error
            found[number] = Passage(number, document, first, span, sentences)
        return found

    def walk_passages(self) -> Iterator[Passage]:
        """Yield every passage, document by document, in the order of their numbers."""
        numbers = self.passage_numbers().tolist()
        for first in range(0, len(numbers), MAX_VARIABLES):
            found = self.passages(numbers[first : first + MAX_VARIABLES])
            yield from (found[number] for number in sorted(found))

    def passage_numbers(self) -> NDArray[np.int64]:
        """Return the numbers of all passages, sorted."""
        rows = self._database.rows("SELECT number FROM passages ORDER BY number")
        return np.fromiter((row[0] for row in rows), dtype=np.int64)

    def passages_dated(self, *, since: str | None, until: str | None) -> NDArray[np.int64]:
        """Return the passages whose document's date range meets the days from ``since`` to ``until``, sorted.

        A document without a date meets no range.
        """
        rows = self._database.rows(
            "SELECT passages.number FROM passages JOIN documents ON documents.number = passages.document "
            "WHERE documents.last_day >= ? AND documents.first_day <= ? ORDER BY passages.number",
            (since or "", until or "9999-12-31"),
        )
        return np.fromiter((row[0] for row in rows), dtype=np.int64)

    def _documents(self, numbers: Sequence[int]) -> dict[int, tuple[Document, NDArray[np.uint32]]]:
        rows = self._database.rows_of(f"SELECT {_DOCUMENT} FROM documents WHERE number IN ({{keys}})", numbers)
        found = {row[0]: self._document(row) for row in rows}
        if len(found) < len(numbers):
            raise self._damaged("a passage has no document")
        return found

    def _document(self, row: tuple[Any, ...]) -> tuple[Document, NDArray[np.uint32]]:
        """Return a document and the bounds of its sentences, shape ``(n, 2)``."""
        _, id_, source, text, title, date, body_start, metadata, spans = row
        try:
            document = Document(id_, source, text, title, date, body_start, json.loads(metadata))
            return document, np.frombuffer(spans, dtype=np.uint32).reshape(-1, 2)
        except (ValueError, TypeError) as error:
            raise self._damaged(f"the row of document {source!r} cannot be read, {error}") from error

    def _damaged(self, reason: str) -> IndexDamagedError:
        folder = self._database.path.parent
        return IndexDamagedError(
            f"the catalog of {folder} is damaged ({reason}): build it again with `python -m index build PATHS "
            f"--index {folder}`"
        )

    # -- counts ---------------------------------------------------------------------------------------------------

    def counts(self) -> tuple[int, int, int]:
        """Return the number of files, documents and passages."""
        tables = ("files", "documents", "passages")
        files, documents, passages = (self._database.rows(f"SELECT count(*) FROM {name}")[0][0] for name in tables)
        return files, documents, passages

    def mean_terms(self) -> float:
        """Return the mean number of terms of a passage, 0.0 without passages."""
        return float(self._database.rows("SELECT avg(n_terms) FROM passages")[0][0] or 0.0)

    def date_range(self) -> tuple[str | None, str | None]:
        """Return the first and the last day that a document's date covers, None without dated documents."""
        first, last = self._database.rows("SELECT min(first_day), max(last_day) FROM documents")[0]
        return first, last


_UNREAD = ""
_DOCUMENT = "number, id, source, text, title, date, body_start, metadata, sentences"


def document_hash(document: Document) -> bytes:
    """Return a hash of all that a document says, its source left out."""
    fields = [document.id, document.text, document.title, document.date, document.body_start, dict(document.metadata)]
    return text_hash(json.dumps(fields, sort_keys=True, ensure_ascii=False))


def text_hash(text: str) -> bytes:
    """Return the hash of a text, 16 bytes."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
