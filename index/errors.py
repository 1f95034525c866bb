"""The one error tree of Sourcier; nothing is raised outside it on purpose.

    SourcierError
    ├── InputError            a value, question or option that cannot be used
    ├── LoadError             a file or a line that cannot be read (has .source, .reason)
    ├── StoreError            the index as a whole
    │   ├── IndexMissingError     no index in that folder
    │   ├── IndexMismatchError    made by another format, model or analyzer (has .found, .expected)
    │   ├── IndexDamagedError     the catalog itself cannot be read
    │   └── IndexLockedError      another process is writing (has .holder)
    └── ModelError            an embedding model that cannot be loaded or used

Every message says what was found, what was expected and which command mends it.
"""

from __future__ import annotations

__all__ = [
    "IndexDamagedError",
    "IndexLockedError",
    "IndexMismatchError",
    "IndexMissingError",
    "InputError",
    "LoadError",
    "ModelError",
    "SourcierError",
    "StoreError",
]


class SourcierError(Exception):
    """Root of every error that Sourcier raises on purpose."""


class InputError(SourcierError, ValueError):
    """A value given by the caller cannot be used; a ValueError too, as callers of other libraries expect."""


class LoadError(SourcierError):
    """A document cannot be read.

    Attributes:
        source: the file, with ``:LINE`` after it where one line is meant.
        reason: why, in one clause.
    """

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(source, reason)
        self.source = source
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.source}: {self.reason}"

    def to_dict(self) -> dict[str, str]:
        """Return ``source`` and ``reason`` as JSON values."""
        return {"source": self.source, "reason": self.reason}


class StoreError(SourcierError):
    """The index as a whole cannot be used."""


class IndexMissingError(StoreError):
    """There is no index in the folder."""


class IndexMismatchError(StoreError):
    """The index was made by another format, model or analyzer.

    Attributes:
        found: what the manifest of the index says.
        expected: what this program needs.
    """

    def __init__(self, message: str, *, found: str, expected: str) -> None:
        super().__init__(message)
        self.found = found
        self.expected = expected


class IndexDamagedError(StoreError):
    """The catalog, which is the source of truth, cannot be read."""


class IndexLockedError(StoreError):
    """Another process is writing to the index.

    Attributes:
        holder: who holds the lock, as written by that process.
    """

    def __init__(self, message: str, *, holder: str) -> None:
        super().__init__(message)
        self.holder = holder


class ModelError(SourcierError):
    """A model cannot be loaded or used."""
