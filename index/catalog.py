"""The catalog: one SQLite file that is the source of truth.

Documents, their sources, sentence spans, passages and embeddings live here; the segments are derived from it and named,
with their SHA-256, by the manifest row. A change is one transaction: it writes the rows, the manifest and the
generation together, so a reader sees the former index or the new one and never a mix.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.database import MAX_VARIABLES, Database
from index.dates import date_bounds
from index.errors import IndexDamagedError, InputError
from index.file_records import FILE_TABLES, FileRecords, as_key, from_column, to_column
from index.listing import Listing
from index.manifest import Manifest
from index.types import Document, Passage, Sentence, Span

__all__ = ["Catalog", "NewPassage", "StoredSource", "document_hash", "field_values", "text_hash"]

Embedding = NDArray[np.float16]

# What is looked through lies before the text, which fills pages of its own.
_SCHEMA = f"""
CREATE TABLE manifest (only INTEGER PRIMARY KEY CHECK (only = 1), value TEXT NOT NULL);
{FILE_TABLES}
CREATE TABLE documents (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    hash BLOB NOT NULL UNIQUE,
    id TEXT NOT NULL,
    title TEXT,
    date TEXT,
    first_day TEXT,
    last_day TEXT,
    body_start INTEGER NOT NULL,
    metadata TEXT NOT NULL,
    pages BLOB NOT NULL,
    sentences BLOB NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX documents_id ON documents (id);
CREATE INDEX documents_days ON documents (first_day, last_day);
CREATE TABLE sources (
    source TEXT PRIMARY KEY,
    document INTEGER NOT NULL REFERENCES documents (number) ON DELETE CASCADE,
    path TEXT NOT NULL
);
CREATE INDEX sources_document ON sources (document);
CREATE INDEX sources_path ON sources (path);
CREATE TABLE fields (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    document INTEGER NOT NULL REFERENCES documents (number) ON DELETE CASCADE,
    PRIMARY KEY (name, value, document)
) WITHOUT ROWID;
CREATE INDEX fields_document ON fields (document);
CREATE TABLE passages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL REFERENCES documents (number) ON DELETE CASCADE,
    first INTEGER NOT NULL,
    past INTEGER NOT NULL,
    hash BLOB NOT NULL,
    vector BLOB NOT NULL
);
CREATE INDEX passages_document ON passages (document);
CREATE INDEX passages_hash ON passages (hash);
"""
_DOCUMENT = "number, id, text, title, date, body_start, metadata, pages, sentences"


@dataclass(frozen=True, slots=True)
class NewPassage:
    """A passage about to be stored.

    Attributes:
        first: index of its first sentence in the document.
        past: one past the index of its last sentence.
        hash: hash of the text that was embedded.
        vector: its embedding, float16, shape ``(dimension,)``.
    """

    first: int
    past: int
    hash: bytes
    vector: Embedding


@dataclass(frozen=True, slots=True)
class StoredSource:
    """Where a document came from.

    Attributes:
        source: as citations name it.
        document: number of the document.
        path: absolute path of its file, "" for a document that was given directly.
        hash: hash of the document.
    """

    source: str
    document: int
    path: str
    hash: bytes


class Catalog:
    """The catalog of an index. Safe to use from several threads.

    Every method raises IndexDamagedError where the content of the file is wrong, and StoreError where the disk, the
    rights or another process stand in the way.

    Attributes:
        files: what is known of files.
        listing: what people look through.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path)
        self.files = FileRecords(self._database)
        self.listing = Listing(self._database)

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

    # -- sources --------------------------------------------------------------------------------------------------

    def source(self, source: str) -> StoredSource | None:
        """Return what is known of a source, or None if there is none of that name."""
        return next(self._sources("source = ?", as_key(source)), None)

    def sources_of(self, path: str) -> dict[str, StoredSource]:
        """Return the sources that came from a file, by name."""
        return {found.source: found for found in self._sources("path = ?", to_column(path))}

    def sources(self) -> list[str]:
        """Return every source, sorted."""
        return [row[0] for row in self._database.rows("SELECT source FROM sources ORDER BY source")]

    def stored_sources(self) -> dict[str, StoredSource]:
        """Return every source with its document and the hash of that."""
        return {found.source: found for found in self._sources("1")}

    def put_source(self, source: str, *, document: int, path: str) -> None:
        """Record that a document came from a source, in place of what the source gave before."""
        self._database.run("INSERT OR REPLACE INTO sources VALUES (?, ?, ?)", (source, document, to_column(path)))

    def forget_source(self, source: str) -> None:
        """Drop a source; its document stays until `delete_orphans`."""
        self._database.run("DELETE FROM sources WHERE source = ?", (source,))

    def _sources(self, condition: str, *values: str | bytes) -> Iterator[StoredSource]:
        statement = (
            "SELECT source, document, path, hash FROM sources JOIN documents ON documents.number = document "
            f"WHERE {condition}"
        )
        for source, document, path, hash_ in self._database.rows(statement, values):
            yield StoredSource(source, document, from_column(path), hash_)

    # -- changing documents and passages --------------------------------------------------------------------------

    def put_document(self, document: Document, *, content_hash: bytes, sentences: Sequence[Span]) -> int:
        """Store a document, without its source, and return its number."""
        first_day, last_day = date_bounds(document.date) if document.date else (None, None)
        spans = np.array([(span.start, span.end) for span in sentences], dtype=np.uint32)
        row = (
            content_hash,
            document.id,
            document.title,
            document.date,
            first_day,
            last_day,
            document.body_start,
            json.dumps(dict(document.metadata), ensure_ascii=False, sort_keys=True),
            np.array(document.pages, dtype=np.uint32).tobytes(),
            spans.tobytes(),
            document.text,
        )
        columns = "hash, id, title, date, first_day, last_day, body_start, metadata, pages, sentences, text"
        number = self._database.run(f"INSERT INTO documents ({columns}) VALUES ({', '.join('?' * len(row))})", row)
        fields = [(name, value, number) for name, value in field_values(document.metadata)]
        self._database.many("INSERT OR IGNORE INTO fields VALUES (?, ?, ?)", fields)
        return number

    def put_passages(self, document: int, passages: Iterable[NewPassage]) -> list[int]:
        """Store the passages of a document and return their numbers."""
        statement = "INSERT INTO passages (document, first, past, hash, vector) VALUES (?, ?, ?, ?, ?)"
        return [
            self._database.run(statement, (document, new.first, new.past, new.hash, new.vector.tobytes()))
            for new in passages
        ]

    def set_vectors(self, vectors: Iterable[tuple[int, Embedding]]) -> None:
        """Replace the embeddings of passages, given with their numbers."""
        rows = [(vector.tobytes(), number) for number, vector in vectors]
        self._database.many("UPDATE passages SET vector = ? WHERE number = ?", rows)

    def delete_orphans(self, documents: Iterable[int]) -> list[int]:
        """Delete those of some documents that have no source left, and return the numbers of their passages."""
        numbers = sorted(set(documents))
        kept = {row[0] for row in self._database.rows_of(_WITH_SOURCE, numbers)}
        gone = [number for number in numbers if number not in kept]
        found = self._database.rows_of("SELECT number FROM passages WHERE document IN ({keys})", gone)
        removed = [row[0] for row in found]
        self._database.many("DELETE FROM documents WHERE number = ?", [(number,) for number in gone])
        return removed

    # -- reading embeddings ---------------------------------------------------------------------------------------

    def cached_vectors(self, hashes: Sequence[bytes]) -> dict[bytes, Embedding]:
        """Return the embeddings already stored for texts, by the hash of the text."""
        rows = self._database.rows_of("SELECT hash, vector FROM passages WHERE hash IN ({keys})", hashes)
        return {hash_: np.frombuffer(vector, dtype=np.float16) for hash_, vector in rows}

    def vectors(self, numbers: Sequence[int]) -> dict[int, Embedding]:
        """Return the embeddings of passages, by number; a number that is not in this generation is left out."""
        rows = self._database.rows_of("SELECT number, vector FROM passages WHERE number IN ({keys})", numbers)
        return {number: np.frombuffer(vector, dtype=np.float16) for number, vector in rows}

    def embeddings_of(self, document: int) -> dict[bytes, bytes]:
        """Return the embedding of each passage of a document, float16 as bytes, by the hash of the text embedded."""
        statement = "SELECT hash, vector FROM passages WHERE document = ? ORDER BY number"
        return dict(self._database.rows(statement, (document,)))

    def walk_embedded(self, *, dimension: int) -> Iterator[tuple[Passage, int, Embedding]]:
        """Yield every passage with the number of its document and its embedding, in the order of their numbers."""
        for numbers in self._number_batches():
            found = self.passages(numbers)
            statement = "SELECT number, document, vector FROM passages WHERE number IN ({keys}) ORDER BY number"
            for number, document, vector in self._database.rows_of(statement, numbers):
                row = np.frombuffer(vector, dtype=np.float16) if len(vector) % 2 == 0 else np.empty(0, np.float16)
                if len(row) != dimension:
                    raise self._damaged(
                        f"the embedding of passage {number} has {len(vector)} bytes, not {dimension} x 2"
                    )
                yield found[number], document, row

    # -- reading documents and passages ---------------------------------------------------------------------------

    def document_number(self, content_hash: bytes) -> int | None:
        """Return the number of the document of a hash, or None if there is none."""
        row = self._database.row("SELECT number FROM documents WHERE hash = ?", (content_hash,))
        return None if row is None else int(row[0])

    def find_documents(self, sources: Sequence[str]) -> dict[str, Document]:
        """Return documents by source, under the source that was asked for; unknown ones are left out."""
        keys = [as_key(source) for source in sources]
        rows = self._database.rows_of("SELECT source, document FROM sources WHERE source IN ({keys})", keys)
        numbers = dict(rows)
        documents = self._documents(sorted(set(numbers.values())))
        return {source: documents[number][0] for source, number in numbers.items()}

    def newest_documents(self, n: int) -> list[Document]:
        """Return the documents of the latest dates, then those added last, at most ``n``; undated ones come last."""
        order = "SELECT number FROM documents ORDER BY last_day DESC NULLS LAST, number DESC LIMIT ?"
        numbers = [number for (number,) in self._database.rows(order, (n,))]
        found = self._documents(numbers)
        return [found[number][0] for number in numbers]

    def walk_documents(self) -> Iterator[tuple[Document, bytes]]:
        """Yield every document with its hash, in the order of their numbers."""
        hashes = self._database.rows("SELECT number, hash FROM documents ORDER BY number")
        for first in range(0, len(hashes), MAX_VARIABLES):
            part = hashes[first : first + MAX_VARIABLES]
            found = self._documents([number for number, _ in part])
            yield from ((found[number][0], hash_) for number, hash_ in part)

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

    def walk_passages(self) -> Iterator[tuple[Passage, bytes]]:
        """Yield every passage with the hash of its embedded text, in the order of their numbers."""
        for numbers in self._number_batches():
            found = self.passages(numbers)
            hashes = dict(self._database.rows_of("SELECT number, hash FROM passages WHERE number IN ({keys})", numbers))
            yield from ((found[number], hashes[number]) for number in numbers)

    def passage_numbers(self) -> NDArray[np.int64]:
        """Return the numbers of all passages, sorted."""
        rows = self._database.rows("SELECT number FROM passages ORDER BY number")
        return np.fromiter((row[0] for row in rows), dtype=np.int64, count=len(rows))

    def _number_batches(self) -> Iterator[list[int]]:
        last = -1
        statement = "SELECT number FROM passages WHERE number > ? ORDER BY number LIMIT ?"
        while numbers := [row[0] for row in self._database.rows(statement, (last, MAX_VARIABLES))]:
            yield numbers
            last = numbers[-1]

    def _documents(self, numbers: Sequence[int]) -> dict[int, tuple[Document, NDArray[np.uint32]]]:
        sources: dict[int, list[str]] = {}
        statement = "SELECT document, source FROM sources WHERE document IN ({keys}) ORDER BY source"
        for number, source in self._database.rows_of(statement, numbers):
            sources.setdefault(number, []).append(source)
        rows = self._database.rows_of(f"SELECT {_DOCUMENT} FROM documents WHERE number IN ({{keys}})", numbers)
        found = {row[0]: self._document(row, sources.get(row[0], [])) for row in rows}
        if len(found) < len(numbers):
            raise self._damaged("a passage has no document")
        return found

    def _document(self, row: tuple[Any, ...], sources: Sequence[str]) -> tuple[Document, NDArray[np.uint32]]:
        """Return a document and the bounds of its sentences, shape ``(n, 2)``."""
        number, id_, text, title, date, body_start, metadata, pages, spans = row
        if not sources:
            raise self._damaged(f"document {number} has no source")
        try:
            starts = tuple(np.frombuffer(pages, dtype=np.uint32).tolist())
            first, *copies = sources
            document = Document(
                id_, first, text, title, date, body_start, json.loads(metadata), pages=starts, copies=tuple(copies)
            )
            return document, np.frombuffer(spans, dtype=np.uint32).reshape(-1, 2)
        except (ValueError, TypeError) as error:
            raise self._damaged(f"the row of document {sources[0]!r} cannot be read, {error}") from error

    def _damaged(self, reason: str) -> IndexDamagedError:
        folder = self._database.path.parent
        return IndexDamagedError(
            f"the catalog of {folder} is damaged ({reason}): build it again with `python -m index build PATHS "
            f"--index {folder}`"
        )

    # -- filters --------------------------------------------------------------------------------------------------

    def documents_from(self, sources: Sequence[str]) -> NDArray[np.int64]:
        """Return the documents that came from files, folders or single records, by number, sorted."""
        found: set[int] = set()
        for source in sources:
            # What lies in a folder begins with its name and "/", a record or a member of a file with its name and "#".
            rows = self._database.rows(
                "SELECT document FROM sources WHERE source = ? OR (source > ? AND source < ?) "
                "OR (source > ? AND source < ?)",
                (source, f"{source}/", f"{source}0", f"{source}#", f"{source}$"),
            )
            found.update(row[0] for row in rows)
        return _sorted_numbers(found)

    def documents_with(self, name: str, values: Iterable[Any]) -> NDArray[np.int64]:
        """Return the documents whose metadata have one of some values in a field, by number, sorted."""
        written = [value for each in values for _, value in field_values({name: each})]
        statement = "SELECT document FROM fields WHERE name = ? AND value = ?"
        return _sorted_numbers({row[0] for value in written for row in self._database.rows(statement, (name, value))})

    # -- counts ---------------------------------------------------------------------------------------------------

    def counts(self) -> dict[str, int]:
        """Return the number of files, sources, documents and passages."""
        tables = ("files", "sources", "documents", "passages")
        return {name: self._database.rows(f"SELECT count(*) FROM {name}")[0][0] for name in tables}

    def is_empty(self) -> bool:
        """Say whether there is no document."""
        return self._database.row("SELECT 1 FROM documents LIMIT 1") is None

    def date_range(self) -> tuple[str | None, str | None]:
        """Return the first and the last day that a document's date covers, None without dated documents."""
        first, last = self._database.rows("SELECT min(first_day), max(last_day) FROM documents")[0]
        return first, last


_MAX_FIELD = 100
_WITH_SOURCE = "SELECT DISTINCT document FROM sources WHERE document IN ({keys})"


def field_values(metadata: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each field of metadata with its value as it is compared: JSON, its hash where it is long.

    Each element of a list is a value by itself; objects are not compared.
    """
    for name, value in metadata.items():
        for each in value if isinstance(value, list) else [value]:
            if not isinstance(each, (list, dict)):
                plain = int(each) if isinstance(each, float) and each.is_integer() else each  # 1.0 is 1 in JSON
                written = json.dumps(plain, ensure_ascii=False)
                yield name, written if len(written) <= _MAX_FIELD else text_hash(written).hex()


def document_hash(document: Document) -> bytes:
    """Return a hash of all that a document says, its source left out."""
    fields = [
        document.id,
        document.text,
        document.title,
        document.date,
        document.body_start,
        dict(document.metadata),
        document.pages,
    ]
    return text_hash(json.dumps(fields, sort_keys=True, ensure_ascii=False))


def text_hash(text: str) -> bytes:
    """Return the hash of a text, 16 bytes."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _sorted_numbers(numbers: set[int]) -> NDArray[np.int64]:
    return np.array(sorted(numbers), dtype=np.int64)
