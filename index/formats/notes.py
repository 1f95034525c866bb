"""What a loader has to say beside the documents that it yields."""

from __future__ import annotations

from dataclasses import dataclass, field

from index.errors import LoadError

__all__ = ["LoadNotes"]


@dataclass(slots=True)
class LoadNotes:
    """What went wrong while a file was read; the documents are the rest.

    Attributes:
        problems: what could not be read.
        warnings: what was read though not as written, one clause each, the source before it.
        depth: how many archives and e-mails hold what is being read.
        n_members: files found in archives so far.
        n_unpacked: bytes unpacked from archives so far.
    """

    problems: list[LoadError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    depth: int = 0
    n_members: int = 0
    n_unpacked: int = 0
