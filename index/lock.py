"""One writer at a time: a lock file beside the catalog, and who holds it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from index.errors import IndexLockedError, StoreError

__all__ = ["writer_lock"]


@contextmanager
def writer_lock(directory: Path, *, wait_seconds: float) -> Iterator[None]:
    """Hold the writer's lock of an index; the system frees it when the process ends, however it ends.

    Raises:
        IndexLockedError: if another writer still holds it after ``wait_seconds``.
        StoreError: if the folder cannot be written.
    """
    import filelock  # noqa: PLC0415 - only writers need it

    holder = directory / "writer.txt"
    lock = filelock.FileLock(directory / "writer.lock", timeout=wait_seconds)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        who = _read(holder)
        raise IndexLockedError(
            f"{directory} is being written by {who}: wait until it is done, or stop that process", holder=who
        ) from error
    except (OSError, NotImplementedError) as error:
        raise _unwritable(directory, error) from error
    try:
        _write(holder)
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _write(holder: Path) -> None:
    command = " ".join(sys.argv[:3])
    text = f"process {os.getpid()} ({command}) since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n"
    try:
        holder.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise _unwritable(holder.parent, error) from error


def _read(holder: Path) -> str:
    try:
        return holder.read_text(encoding="utf-8").strip() or "another process"
    except OSError:
        return "another process"


def _unwritable(directory: Path, error: Exception) -> StoreError:
    reason = error.strerror if isinstance(error, OSError) else error
    return StoreError(f"{directory} cannot be written ({reason}): check free disk space and the rights of the folder")
