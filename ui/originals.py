"""Files of the corpus as they were read: whether they are still the same, and opened only then."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Literal

from index.file_records import StoredFile

__all__ = ["FileState", "Original", "open_original", "state_of"]

FileState = Literal["same", "changed", "missing", "unchecked"]

# Above, looking through the documents would wait for the disk.
MAX_CHECKED_BYTES = 64 * 2**20
PIECE_BYTES = 2**18
MAX_STATES = 4096


@dataclass(frozen=True, slots=True)
class Original:
    """A file of the corpus, open at its first byte: what is read of it is what was indexed.

    Attributes:
        name: the last part of its path.
        n_bytes: its size.
        stream: its bytes; closed by `pieces`.
    """

    name: str
    n_bytes: int
    stream: BinaryIO

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes and close the file, also where the reader stops before the end."""
        with self.stream as stream:
            while piece := stream.read(PIECE_BYTES):
                yield piece


def open_original(file: StoredFile) -> Original | None:
    """Open a file that the index has read; None where it is gone, cannot be read or has changed since.

    What is compared and what is sent is one open file, so that none can be put in its place between the two.
    """
    with ExitStack() as opened:
        try:
            # A pipe that was put there would be waited for without O_NONBLOCK.
            descriptor = os.open(file.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            stream = opened.enter_context(os.fdopen(descriptor, "rb"))
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or hashlib.file_digest(stream, "sha256").hexdigest() != file.hash:
                return None
            stream.seek(0)
        except (OSError, ValueError):
            return None
        opened.pop_all()
    return Original(Path(file.path).name, found.st_size, stream)


def state_of(file: StoredFile) -> FileState:
    """Say whether a file is still the one that was indexed; a large one is not read for that."""
    try:
        found = Path(file.path).stat()
    except (OSError, ValueError):
        return "missing"
    if not stat.S_ISREG(found.st_mode):
        return "missing"
    if found.st_size > MAX_CHECKED_BYTES:
        return "unchecked"
    return "same" if _hash_at(file.path, found.st_ino, found.st_mtime_ns, found.st_size) == file.hash else "changed"


@lru_cache(maxsize=MAX_STATES)
def _hash_at(path: str, *_stamp: int) -> str:
    """Return the hash of a file, read again only where it looks changed; empty where it cannot be read."""
    try:
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""
