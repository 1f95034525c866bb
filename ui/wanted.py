"""What a visitor wants of the documents that answer: their dates, their sources, how many are cited."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from index import CorpusIndex, InputError
from index.date_values import parse_date
from qa.agreement import MAX_CITATIONS

__all__ = ["MOST_CITATIONS", "Wanted", "source_choices"]

MOST_CITATIONS = 8
_MOST_CHOICES = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters of a question.

    Attributes:
        since: ISO date; documents dated then or later.
        until: ISO date; dated then or earlier.
        sources: files, folders or single records.
        n_citations: most sentences cited, 1 to `MOST_CITATIONS`.
        read_dates: whether dates in the question ask for documents of then.
    """

    since: str | None = None
    until: str | None = None
    sources: tuple[str, ...] = field(default=())
    n_citations: int = MAX_CITATIONS
    read_dates: bool = True

    @classmethod
    def read(cls, since: object, until: object, sources: object, n_citations: object, read_dates: object) -> Wanted:
        """Read what stands in the fields of the page.

        Raises:
            InputError: in French, where a date is none.
        """
        chosen = [each for each in sources if isinstance(each, str)] if isinstance(sources, Sequence) else []
        n = int(n_citations) if isinstance(n_citations, (int, float)) else MAX_CITATIONS
        return cls(_date(since), _date(until), tuple(chosen), min(max(n, 1), MOST_CITATIONS), bool(read_dates))

    @property
    def options(self) -> dict[str, Any]:
        """What `Conversation.stream` is told."""
        return {
            "since": self.since,
            "until": self.until,
            "sources": self.sources,
            "n_citations": self.n_citations,
            "read_dates": self.read_dates,
        }


def _date(typed: object) -> str | None:
    if not isinstance(typed, str) or not typed.strip():
        return None
    date = parse_date(typed.strip())
    if date is None:
        raise InputError(f"« {typed.strip()} » n’est pas une date : écrivez 2022, mars 2022 ou 15/03/2022")
    return date


def source_choices(corpus: CorpusIndex) -> list[str]:
    """Return the folders that hold several files, and the files, at most 500; others may be typed."""
    files = corpus.listing.files(_MOST_CHOICES)
    folders = Counter(str(PurePosixPath(file).parent) for file in files)
    several = sorted(folder for folder, n in folders.items() if n > 1 and folder != ".")
    return [*several, *files][:_MOST_CHOICES]
