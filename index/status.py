"""What an index holds, as it is told to people and programs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from index.errors import LoadError

__all__ = ["Status"]


@dataclass(frozen=True, slots=True)
class Status:
    """What an index holds.

    Attributes:
        directory: folder of the index.
        generation: grows by one with each change.
        n_files: files read.
        n_sources: documents by where they came from: one that lies in two files counts twice.
        n_documents: documents of different content.
        n_passages: passages of those.
        first_date: first day that a document's date covers, ISO, or None.
        last_date: last such day, or None.
        embedder: name of the embedding model.
        dimension: length of an embedding.
        n_bytes: size of the index on disk.
        roots: the paths that were built or added, as given.
        problems: what could not be read.
    """

    directory: str
    generation: int
    n_files: int
    n_sources: int
    n_documents: int
    n_passages: int
    first_date: str | None
    last_date: str | None
    embedder: str
    dimension: int
    n_bytes: int
    roots: tuple[str, ...]
    problems: tuple[LoadError, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values; a problem has ``source`` and ``reason``."""
        record = {field.name: getattr(self, field.name) for field in fields(self)}
        return record | {"roots": list(self.roots), "problems": [problem.to_dict() for problem in self.problems]}
