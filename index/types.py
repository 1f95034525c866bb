"""The values that the index hands out: Document, Span, Sentence, Passage, Hit.

All are frozen and valid once built. A span is a half-open range of code points of the document's text
as it was read; text is sliced from the document, never copied from a cleaned version of it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from index.errors import InputError

__all__ = ["Document", "Hit", "Passage", "Sentence", "Span"]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range ``[start, end)`` of code points of one text, ``0 <= start <= end``."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise InputError(f"span [{self.start}, {self.end}): expected 0 <= start <= end")

    def __len__(self) -> int:
        return self.end - self.start

    def overlaps(self, other: Span) -> bool:
        """Say whether the two ranges share at least one character."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Document:
    """One document as it was read.

    Attributes:
        id: the id that the document brought (a record's ``id``), else a hash of its text.
        source: where it came from: the file as its path was given, with ``#`` and the name of the record or of the
            archive's member after it. No two documents of an index share one.
        text: every character as decoded, header included; offsets count from its first code point.
        title: as given by the document, or None.
        date: ISO 8601 at its own precision, ``2022``, ``2022-10`` or ``2022-10-11``, or None.
        body_start: where the prose begins, after a header such as `` date 2022-10 ``; 0 without one.
        pages: where each page of a paged format begins, increasing, from 0; empty for formats without pages.
        metadata: any other field of the document, JSON values only.
        copies: other sources that hold the same document, sorted; set by the index, never by a loader.
    """

    id: str
    source: str
    text: str
    title: str | None = None
    date: str | None = None
    body_start: int = 0
    metadata: Mapping[str, Any] = field(default_factory=dict)
    pages: tuple[int, ...] = ()
    copies: tuple[str, ...] = ()

    def page_at(self, offset: int) -> int | None:
        """Return the number, from 1, of the page that a character stands on; None for a format without pages."""
        return bisect_right(self.pages, offset) or None


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a document: the unit that is cited."""

    document: Document
    span: Span

    @property
    def text(self) -> str:
        """The cited characters, sliced from the document itself."""
        return self.document.text[self.span.start : self.span.end]

    @property
    def place(self) -> tuple[str, int]:
        """What tells it from all other sentences of an index: its source and where it begins."""
        return self.document.source, self.span.start


@dataclass(frozen=True, slots=True)
class Passage:
    """Consecutive sentences of one document: the unit that is retrieved.

    Attributes:
        number: the key of the passage in the catalog, never used again for another text.
        document: the document that it belongs to.
        first: index of its first sentence among those of the document, from 0.
        span: from the start of its first sentence to the end of its last.
        sentences: its sentences in the document's order, at least one.
    """

    number: int
    document: Document
    first: int
    span: Span
    sentences: tuple[Sentence, ...]

    @property
    def text(self) -> str:
        """The characters of the passage, sliced from the document itself."""
        return self.document.text[self.span.start : self.span.end]


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a question.

    Attributes:
        passage: what was found.
        score: fused relevance, higher is better; comparable within one search only.
        lexical_score: BM25, at least 0; 0.0 where no term of the question occurs.
        dense_score: cosine of the embeddings, in [-1, 1].
    """

    passage: Passage
    score: float
    lexical_score: float
    dense_score: float
