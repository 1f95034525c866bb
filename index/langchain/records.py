"""What `langchain_core.indexing.index` remembers of its runs, in a SQLite file: `CorpusRecordManager`."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from langchain_core.indexing import RecordManager
from langchain_core.runnables.config import run_in_executor

from index.database import Database
from index.errors import IndexDamagedError, IndexMissingError, InputError, StoreError
from index.lock import writer_lock

__all__ = ["CorpusRecordManager"]

# A record keeps its row, and so its place in `list_keys`, when it is updated.
_SCHEMA = (
    "CREATE TABLE records (number INTEGER PRIMARY KEY, namespace TEXT NOT NULL, key TEXT NOT NULL, group_id TEXT, "
    "updated_at REAL NOT NULL, UNIQUE (namespace, key))",
    "CREATE INDEX records_by_time ON records (namespace, updated_at)",
    "CREATE TABLE clock (only INTEGER PRIMARY KEY CHECK (only = 1), latest REAL NOT NULL)",
    "INSERT INTO clock VALUES (1, 0.0)",
)
_UPSERT = (
    "INSERT INTO records (namespace, key, group_id, updated_at) VALUES (?, ?, ?, ?) ON CONFLICT (namespace, key) "
    "DO UPDATE SET group_id = excluded.group_id, updated_at = excluded.updated_at"
)
_LOCK_WAIT_SECONDS = 10.0


class CorpusRecordManager(RecordManager):
    """Keys of the documents that `index()` wrote, their group and when. Safe to use from threads and processes.

    The file outlives the process. Keep it in the folder of the index whose documents it speaks of, so that neither is
    copied or deleted without the other. Beside what it says itself, each method raises StoreError: if `create_schema`
    was never called, the file is damaged or the disk cannot be used.
    """

    def __init__(self, namespace: str, path: str | Path) -> None:
        """Take a file; nothing is opened yet.

        Args:
            namespace: whose records these are; those of another namespace in the same file are never seen.
            path: the SQLite file.
        """
        super().__init__(namespace)
        self._path = Path(path)
        self._database = Database(self._path)

    def create_schema(self) -> None:
        """Make the file and its folder; a file that is there stays as it is.

        Raises:
            StoreError: if it cannot be written.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{self._path.parent} cannot be made ({error.strerror}): name another folder") from error
        with self._own_errors(), writer_lock(self._path.parent, wait_seconds=_LOCK_WAIT_SECONDS):
            if not self._path.exists():
                Database.create(self._path, [(statement, ()) for statement in _SCHEMA])

    def get_time(self) -> float:
        """Return seconds since 1970, later than every time given or recorded before, by any process.

        The clock of the machine may go backwards; the time given then moves on by the smallest step until the clock has
        caught up, so that what an earlier run wrote is older than the run that follows.
        """
        with self._own_errors(), self._database.write():
            return self._tick()

    def update(
        self, keys: Sequence[str], *, group_ids: Sequence[str | None] | None = None, time_at_least: float | None = None
    ) -> None:
        """Record that documents were written now, all of them or none.

        Args:
            keys: their keys; a known one gets the new time and group.
            group_ids: the group of each, None for one without; None or empty for none at all.
            time_at_least: a time that must not lie in the future.

        Raises:
            InputError: if there are not as many groups as keys, or ``time_at_least`` has not come yet.
        """
        if group_ids and len(group_ids) != len(keys):
            raise InputError(f"{len(group_ids)} group_ids for {len(keys)} keys: expected one for each key")
        groups = group_ids or [None] * len(keys)
        with self._own_errors(), self._database.write():
            now = self._tick()
            if time_at_least is not None and time_at_least > now:
                raise InputError(f"time_at_least = {time_at_least}: expected at most the present time, {now}")
            self._database.many(
                _UPSERT, [(self.namespace, key, group, now) for key, group in zip(keys, groups, strict=True)]
            )

    def exists(self, keys: Sequence[str]) -> list[bool]:
        """Say of each key whether it is recorded, in the order given."""
        statement = "SELECT key FROM records WHERE namespace = ? AND key IN (SELECT value FROM json_each(?))"
        with self._own_errors():
            known = {key for (key,) in self._database.rows(statement, (self.namespace, json.dumps(list(keys))))}
        return [key in known for key in keys]

    def list_keys(
        self,
        *,
        before: float | None = None,
        after: float | None = None,
        group_ids: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> list[str]:
        """Return the keys of the records that fit every condition, in the order in which they were first recorded.

        A condition that is None, zero or empty is none, as in LangChain's own managers.

        Args:
            before: only records last updated before this time.
            after: only records last updated after it.
            group_ids: only records of these groups.
            limit: keys wanted at most.
        """
        conditions: list[str] = ["namespace = ?"]
        values: list[Any] = [self.namespace]
        if before:
            conditions.append("updated_at < ?")
            values.append(before)
        if after:
            conditions.append("updated_at > ?")
            values.append(after)
        if group_ids:
            named = [group for group in group_ids if group is not None]
            no_group = " OR group_id IS NULL" if len(named) < len(group_ids) else ""
            conditions.append(f"(group_id IN (SELECT value FROM json_each(?)){no_group})")
            values.append(json.dumps(named))
        statement = f"SELECT key FROM records WHERE {' AND '.join(conditions)} ORDER BY number LIMIT ?"
        with self._own_errors():
            return [key for (key,) in self._database.rows(statement, [*values, limit or -1])]

    def delete_keys(self, keys: Sequence[str]) -> None:
        """Forget records, all in one change; unknown keys are passed over."""
        statement = "DELETE FROM records WHERE namespace = ? AND key IN (SELECT value FROM json_each(?))"
        with self._own_errors(), self._database.write():
            self._database.run(statement, (self.namespace, json.dumps(list(keys))))

    # -- the same, awaited --------------------------------------------------------------------------------------

    async def acreate_schema(self) -> None:
        """Do as `create_schema`, in a thread."""
        await run_in_executor(None, self.create_schema)

    async def aget_time(self) -> float:
        """Do as `get_time`, in a thread."""
        return await run_in_executor(None, self.get_time)

    async def aupdate(
        self, keys: Sequence[str], *, group_ids: Sequence[str | None] | None = None, time_at_least: float | None = None
    ) -> None:
        """Do as `update`, in a thread."""
        await run_in_executor(None, self.update, keys, group_ids=group_ids, time_at_least=time_at_least)

    async def aexists(self, keys: Sequence[str]) -> list[bool]:
        """Do as `exists`, in a thread."""
        return await run_in_executor(None, self.exists, keys)

    async def alist_keys(
        self,
        *,
        before: float | None = None,
        after: float | None = None,
        group_ids: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> list[str]:
        """Do as `list_keys`, in a thread."""
        return await run_in_executor(None, self.list_keys, before=before, after=after, group_ids=group_ids, limit=limit)

    async def adelete_keys(self, keys: Sequence[str]) -> None:
        """Do as `delete_keys`, in a thread."""
        await run_in_executor(None, self.delete_keys, keys)

    def _tick(self) -> float:
        """Return the time and note it, inside a transaction: a time later than the latest one noted."""
        ((latest,),) = self._database.rows("SELECT latest FROM clock")
        now = max(time.time(), math.nextafter(latest, math.inf))
        self._database.run("UPDATE clock SET latest = ?", (now,))
        return now

    @contextmanager
    def _own_errors(self) -> Iterator[None]:
        """Say what mends this file, where `Database` speaks of a catalog and of building it again."""
        try:
            yield
        except IndexMissingError as error:
            raise StoreError(f"no records in {self._path}: call create_schema() first") from error
        except IndexDamagedError as error:
            raise StoreError(
                f"{self._path} is damaged, or no file of a CorpusRecordManager ({error.__cause__}): name another file, "
                "or delete it and index everything again"
            ) from error
