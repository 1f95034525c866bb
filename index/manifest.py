"""The manifest: what an index is made of, and which segment files belong to its generation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from index.errors import IndexDamagedError, IndexMismatchError

__all__ = ["FORMAT_VERSION", "Manifest"]

FORMAT_VERSION = 2
"""Raised whenever the tables of the catalog, the meaning of their columns or the segment files change."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the index is made of.

    Attributes:
        generation: grows by one with each committed change; 0 for an index that holds nothing yet.
        embedder: name of the embedding model, "bundled" for ours.
        fingerprint: fingerprint of the embedding model.
        dimension: length of an embedding.
        analyzer: version of the analyzer.
        sha256: SHA-256 in hexadecimal of every segment file in force, by its path relative to the index.
        format: version of this layout.
    """

    embedder: str
    fingerprint: str
    dimension: int
    analyzer: str
    generation: int = 0
    sha256: Mapping[str, str] = field(default_factory=dict)
    format: int = FORMAT_VERSION

    def to_json(self) -> str:
        """Return the manifest as a JSON object with sorted keys."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=2, sort_keys=True)

    @classmethod
    def from_json(cls, text: str, folder: Path) -> Manifest:
        """Read what `to_json` wrote.

        Args:
            text: the JSON object.
            folder: folder of the index, for messages.

        Raises:
            IndexMismatchError: if it has another format.
            IndexDamagedError: if it is no manifest.
        """
        mend = f"build it again with `python -m index build PATHS --index {folder}`"
        try:
            value = json.loads(text)
            if value["format"] == FORMAT_VERSION:
                return cls(**value)
        except (ValueError, TypeError, KeyError) as error:
            raise IndexDamagedError(
                f"the index in {folder} has no manifest that can be read ({error}): {mend}"
            ) from error
        raise IndexMismatchError(
            f"the index in {folder} has format {value['format']}, this program has {FORMAT_VERSION}: {mend}",
            found=str(value["format"]),
            expected=str(FORMAT_VERSION),
        )
