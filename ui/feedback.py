"""What visitors say of answers and of citations, kept beside the index for evaluation."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from index import InputError, StoreError
from qa import Answer

__all__ = ["Feedback", "Judgement", "feedback_file"]

Judgement = Literal["good", "bad", "unsupported"]
"""``good`` and ``bad`` are said of an answer, ``unsupported`` of a citation: its sentence does not say so."""

_WAIT_SECONDS = 5.0

_TABLE = """CREATE TABLE IF NOT EXISTS feedback (
    id INTEGER PRIMARY KEY, said_at TEXT NOT NULL, judgement TEXT NOT NULL, question TEXT NOT NULL,
    understood_as TEXT NOT NULL, answer TEXT NOT NULL, answered INTEGER NOT NULL, confidence REAL NOT NULL,
    mode TEXT NOT NULL, generation INTEGER NOT NULL, marker INTEGER, source TEXT, start INTEGER, "end" INTEGER,
    sentence TEXT)"""
_COLUMNS = (
    "said_at, judgement, question, understood_as, answer, answered, confidence, mode, generation,"
    ' marker, source, start, "end", sentence'
)


def feedback_file(index: Path) -> Path:
    """Return where the feedback on an index is kept: beside its folder, so that a rebuild leaves it alone."""
    return index.with_name(f"{index.name}-feedback.sqlite")


@dataclass(frozen=True, slots=True)
class Feedback:
    """The file of what visitors said; it is made by the first thing said.

    Attributes:
        file: the SQLite file.
    """

    file: Path

    def add(self, answer: Answer, judgement: Judgement, *, marker: int | None = None) -> None:
        """Keep what a visitor says of an answer, or of one of its citations.

        Args:
            answer: the answer judged.
            judgement: what is said of it.
            marker: the citation meant; given with ``unsupported`` and with nothing else.

        Raises:
            InputError: if the judgement is not known, or the answer has no such citation.
            StoreError: if the file cannot be written.
        """
        if judgement not in get_args(Judgement):
            raise InputError(f"judgement {judgement!r}: expected one of {', '.join(get_args(Judgement))}")
        if (judgement == "unsupported") != (marker is not None):
            raise InputError("a citation is judged unsupported, and an answer good or bad")
        cited = next((citation for citation in answer.citations if citation.marker == marker), None)
        if marker is not None and cited is None:
            raise InputError(f"citation {marker}: the answer has {len(answer.citations)}")
        place = (None,) * 4 if cited is None else (cited.source, cited.start, cited.end, cited.text)
        said_at = datetime.now(UTC).isoformat(timespec="seconds")
        row = (
            said_at,
            judgement,
            answer.question,
            answer.understood_as,
            answer.text,
            answer.answered,
            answer.confidence,
            answer.mode,
            answer.generation,
            marker,
            *place,
        )
        with self._open() as connection:
            connection.execute(_TABLE)
            connection.execute(f"INSERT INTO feedback ({_COLUMNS}) VALUES ({', '.join('?' * len(row))})", row)

    def records(self) -> list[dict[str, Any]]:
        """Return all that was said, oldest first, as JSON values; a judgement of an answer has no citation.

        Raises:
            StoreError: if the file cannot be read.
        """
        if not self.file.exists():
            return []
        with self._open() as connection:
            connection.row_factory = sqlite3.Row
            rows = connection.execute(f"SELECT {_COLUMNS} FROM feedback ORDER BY id").fetchall()
        return [dict(row) | {"answered": bool(row["answered"])} for row in rows]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Open the file for one transaction."""
        try:
            connection = sqlite3.connect(self.file, timeout=_WAIT_SECONDS)
            try:
                with connection:
                    yield connection
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise StoreError(f"{self.file} cannot be used ({error}): move it away to begin a new one") from error
