"""A SQLite file with its connections, transactions and errors: the only door to sqlite3."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from index.errors import IndexDamagedError, IndexMissingError, StoreError

__all__ = ["MAX_VARIABLES", "Database", "sync"]

logger = logging.getLogger(__name__)

MAX_VARIABLES = 900
"""Values in one statement; SQLite builds from before 3.32 accept 999."""

_BUSY_SECONDS = 10.0
_READER_CACHE_KIB = 2_000
_WRITER_CACHE_KIB = 96 * 1024
"""Pages held while writing: the hashes of texts come in no order, and each page pushed out is written once more."""
_PASSING_ERRORS = frozenset(
    [
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_AUTH,
    ]
)
"""What the machine around the file does to it; any other error means that the file is not what it should be."""


class _Held(threading.local):
    """The connection of each thread, and the stamp of the file that it opened."""

    connection: sqlite3.Connection | None = None
    stamp: tuple[int, ...] = ()


class Database:
    """A SQLite file in WAL mode. Safe to use from several threads: each has its own connection.

    A file that was replaced by another is opened again at the next transaction or statement outside one.
    Every method raises IndexDamagedError where the content of the file is wrong, StoreError where the disk, the rights
    or another process stand in the way, and IndexMissingError where there is no file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._held = _Held()

    @classmethod
    def create(cls, path: Path, statements: Iterable[tuple[str, Sequence[Any]]]) -> None:
        """Make a file, in place at once or not at all.

        Args:
            path: where to; its folder is there and the file is not.
            statements: what makes its tables and first rows, each with its values.
        """
        aside = path.with_name(f"{path.name}.new")
        for leftover in path.parent.glob(f"{aside.name}*"):  # with the journal of a process that was killed here
            leftover.unlink()
        with _guarded(aside):
            connection = sqlite3.connect(aside, isolation_level=None)
            try:
                (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
                connection.execute("BEGIN")
                for statement, values in statements:
                    connection.execute(statement, values)
                connection.execute("COMMIT")
            finally:
                connection.close()
        if mode != "wal":
            raise StoreError(f"{path.parent}: this file system cannot hold an index (journal mode {mode}): use another")
        aside.replace(path)
        sync(path.parent)

    def close(self) -> None:
        """Close the connection of this thread; it is opened again when needed."""
        if self._held.connection is not None:
            self._held.connection.close()
            self._held.connection = None

    # -- transactions -------------------------------------------------------------------------------------------

    @contextmanager
    def read(self) -> Iterator[None]:
        """Hold one snapshot: everything read inside belongs to the same moment. Nests, also in `write`."""
        connection = self._connection()
        if connection.in_transaction:
            yield
            return
        with _guarded(self.path):
            connection.execute("BEGIN")
        try:
            yield
        finally:
            _roll_back(connection)

    @contextmanager
    def write(self) -> Iterator[None]:
        """Run one change: all of it is committed, or none of it. Does not nest."""
        connection = self._connection()
        with _guarded(self.path):
            connection.execute(f"PRAGMA cache_size = -{_WRITER_CACHE_KIB}")
            connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            with _guarded(self.path):
                connection.execute("COMMIT")
        finally:
            _roll_back(connection)
            connection.execute(f"PRAGMA cache_size = -{_READER_CACHE_KIB}")

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file, so that a removed text does not survive there.

        Waits for those who read the former state; the log stays for the next call if they hold it for long.
        """
        busy, *_ = self.rows("PRAGMA wal_checkpoint(TRUNCATE)")[0]
        if busy:
            logger.warning(
                "%s is being read: what was removed stays in its log until the next change or `python -m index repair`",
                self.path,
            )

    def check(self) -> list[str]:
        """Return what SQLite finds wrong with the file, nothing when it is sound."""
        found = [str(row[0]) for row in self.rows("PRAGMA integrity_check")]
        found += [f"row without its parent in {row[0]}" for row in self.rows("PRAGMA foreign_key_check")]
        return [line for line in found if line != "ok"]

    # -- statements -----------------------------------------------------------------------------------------------

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement and return all its rows."""
        connection = self._connection()
        with _guarded(self.path):
            return connection.execute(statement, values).fetchall()

    def row(self, statement: str, values: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """Run a statement and return its first row, None without any."""
        found = self.rows(statement, values)
        return found[0] if found else None

    def run(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Run a statement that changes rows, and return the number of the row that it inserted, if any, else 0."""
        connection = self._connection()
        with _guarded(self.path):
            return int(connection.execute(statement, values).lastrowid or 0)

    def many(self, statement: str, values: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each row of values."""
        connection = self._connection()
        with _guarded(self.path):
            connection.executemany(statement, values)

    def rows_of(self, statement: str, keys: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        """Run a statement for many keys, in parts, and yield all rows.

        Args:
            statement: with ``{keys}`` where the list of values belongs: ``… WHERE number IN ({keys})``.
            keys: the values, any number of them.
        """
        for first in range(0, len(keys), MAX_VARIABLES):
            part = keys[first : first + MAX_VARIABLES]
            yield from self.rows(statement.format(keys=", ".join("?" * len(part))), part)

    # -- connections ----------------------------------------------------------------------------------------------

    def _connection(self) -> sqlite3.Connection:
        held = self._held
        if held.connection is not None and held.connection.in_transaction:
            return held.connection
        stamp, unchanging = self._stamp()
        if held.connection is None or held.stamp != stamp:
            self.close()
            held.connection, held.stamp = self._connect(unchanging), stamp
        return held.connection

    def _stamp(self) -> tuple[tuple[int, ...], bool]:
        """Return what tells this file from one put in its place, and whether it cannot be changed for now.

        SQLite needs to write beside a file in WAL mode, even to read it. Where the folder cannot be written and there
        is no log, nobody is writing, and SQLite is told so; the stamp then changes as soon as anybody does.
        """
        try:
            found = self.path.stat()
            logged = self.path.with_name(f"{self.path.name}-wal").exists()
        except (FileNotFoundError, NotADirectoryError) as error:
            folder = self.path.parent
            raise IndexMissingError(
                f"no index in {folder}: build one with `python -m index build PATHS --index {folder}`"
            ) from error
        except OSError as error:
            raise StoreError(f"{self.path} cannot be read ({error.strerror}): check the rights") from error
        same = (found.st_dev, found.st_ino)
        if logged or os.access(self.path.parent, os.W_OK):
            return same, False
        return (*same, found.st_mtime_ns, found.st_size), True

    def _connect(self, unchanging: bool) -> sqlite3.Connection:
        address = self.path.absolute().as_uri() + ("?immutable=1" if unchanging else "?mode=rw")
        with _guarded(self.path):
            connection = sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA secure_delete = ON")  # a removed text leaves no trace in free pages
            connection.execute("PRAGMA synchronous = FULL")  # a committed change survives a power cut
        return connection


def sync(path: Path) -> None:
    """Make a file, or the names in a folder, survive a power cut.

    Raises:
        OSError: if it cannot.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:  # SQLite has already left it after some errors, such as a full disk
        connection.execute("ROLLBACK")


@contextmanager
def _guarded(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.ProgrammingError:
        raise
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", None)
        if code is not None and code & 0xFF in _PASSING_ERRORS:
            raise StoreError(
                f"the catalog {path} cannot be used ({error}): check free disk space, the rights of the folder and "
                "other processes, then try again"
            ) from error
        raise IndexDamagedError(
            f"the catalog {path} is damaged ({error}): build it again with `python -m index build PATHS "
            f"--index {path.parent}`"
        ) from error
