"""The part of the catalog that knows files: what was built from, which files were read, what could not be read."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from index.database import Database
from index.errors import LoadError

__all__ = ["FILE_TABLES", "FileRecords", "StoredFile", "as_key", "from_column", "to_column"]

FILE_TABLES = """
CREATE TABLE roots (path TEXT PRIMARY KEY, given TEXT NOT NULL);
CREATE TABLE files (path TEXT PRIMARY KEY, source TEXT NOT NULL UNIQUE, hash TEXT NOT NULL);
CREATE TABLE problems (path TEXT NOT NULL, source TEXT NOT NULL, reason TEXT NOT NULL);
CREATE INDEX problems_path ON problems (path);
"""

_UNREAD = ""


def to_column(path: str) -> str | bytes:
    """Return a path as SQLite keeps it: bytes where its name is not UTF-8, which Python shows as lone surrogates."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return path


def from_column(path: str | bytes) -> str:
    """Return the path that `to_column` was given."""
    return path if isinstance(path, str) else os.fsdecode(path)


def as_key(text: str) -> str | bytes:
    """Return a text as SQLite compares it; one that holds half a character is equal to none that it keeps."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that was read: its absolute path, its source and the hash of its bytes."""

    path: str
    source: str
    hash: str


class FileRecords:
    """Roots, files and problems of a catalog; see `Catalog` for transactions and errors."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def roots(self) -> list[tuple[str, str]]:
        """Return ``(absolute path, path as given)`` of everything that was built or added."""
        rows = self._database.rows("SELECT path, given FROM roots ORDER BY rowid")
        return [(from_column(path), from_column(given)) for path, given in rows]

    def set_roots(self, roots: Iterable[tuple[str, str]]) -> None:
        """Replace the roots."""
        self._database.run("DELETE FROM roots")
        rows = [(to_column(path), to_column(given)) for path, given in roots]
        self._database.many("INSERT OR REPLACE INTO roots VALUES (?, ?)", rows)

    def all(self) -> dict[str, StoredFile]:
        """Return every file that was read, by its absolute path."""
        rows = self._database.rows("SELECT path, source, hash FROM files")
        return {from_column(path): StoredFile(from_column(path), source, hash_) for path, source, hash_ in rows}

    def put(self, file: StoredFile, problems: Iterable[LoadError]) -> None:
        """Record a file as read, with what of it could not be."""
        row = (to_column(file.path), file.source, file.hash)
        self._database.run("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", row)
        self._put_problems(file.path, problems)

    def forget(self, path: str) -> None:
        """Drop the record of a file and its problems."""
        self._database.run("DELETE FROM files WHERE path = ?", (to_column(path),))
        self._put_problems(path, ())

    def read_again(self, path: str) -> None:
        """Make the next build read a file again, though its bytes be the same."""
        self._database.run("UPDATE files SET hash = '' WHERE path = ?", (to_column(path),))

    def set_unread(self, problems: Iterable[LoadError]) -> None:
        """Replace the list of what could not be opened at all, which belongs to no file that was read."""
        self._put_problems(_UNREAD, problems)

    def unread(self) -> list[LoadError]:
        """Return what could not be opened at all."""
        rows = self._database.rows("SELECT source, reason FROM problems WHERE path = ? ORDER BY rowid", (_UNREAD,))
        return [LoadError(source, reason) for source, reason in rows]

    def problems(self) -> list[LoadError]:
        """Return all that could not be read, by source."""
        rows = self._database.rows("SELECT source, reason FROM problems ORDER BY source, rowid")
        return [LoadError(source, reason) for source, reason in rows]

    def _put_problems(self, path: str, problems: Iterable[LoadError]) -> None:
        self._database.run("DELETE FROM problems WHERE path = ?", (to_column(path),))
        rows = [(to_column(path), error.source, error.reason) for error in problems]
        self._database.many("INSERT INTO problems VALUES (?, ?, ?)", rows)
