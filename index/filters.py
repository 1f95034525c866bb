"""Filters: which documents a search may find, as rows of the segments, so that they apply inside the search."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.catalog import Catalog
from index.dates import date_bounds
from index.decode import printable
from index.errors import InputError
from index.load import source_name
from index.segments import Segments

__all__ = ["Filter"]

_SCALARS = (str, int, float, bool, type(None))


@dataclass(frozen=True, slots=True)
class Filter:
    """What a document must be to be found.

    Attributes:
        since: ISO date of any precision; dated then or later, or None.
        until: ISO date; dated then or earlier, or None. A document without a date meets neither.
        sources: files, folders or single records as citations name them, one of which it came from; all where empty.
        where: metadata fields and the values of which it has one, each field of them.
    """

    since: str | None = None
    until: str | None = None
    sources: tuple[str, ...] = ()
    where: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        *,
        since: str | None = None,
        until: str | None = None,
        sources: Sequence[str] = (),
        where: Mapping[str, Any] | None = None,
    ) -> Filter:
        """Make a filter of what a caller gives.

        Args:
            since: first date.
            until: last date.
            sources: files, folders or single records.
            where: metadata fields, each with the value wanted or a list of those wanted.

        Raises:
            InputError: if a date is none, ``sources`` is a bare string, or a value cannot be compared.
        """
        for day in (since, until):
            if day:
                date_bounds(day)
        if isinstance(sources, str):
            raise InputError(f"sources {sources!r}: expected a list of files, folders or records")
        wanted = {name: tuple(v) if isinstance(v, (list, tuple, set)) else (v,) for name, v in (where or {}).items()}
        for name, values in wanted.items():
            for value in values:
                if not (isinstance(value, _SCALARS) and _is_text(name) and _is_text(value)):
                    raise InputError(
                        f"field {name!r}: found {value!r}, expected a string, a number, true, false or null"
                    )
        names = dict.fromkeys(name for source in sources for name in _names(source))
        return cls(since or None, until or None, tuple(names), wanted)

    @property
    def is_empty(self) -> bool:
        """Whether every document passes."""
        return not (self.since or self.until or self.sources or self.where)

    @property
    def first_day(self) -> int | None:
        """First day of ``since`` as a proleptic Gregorian ordinal, None where open."""
        return date.fromisoformat(date_bounds(self.since)[0]).toordinal() if self.since else None

    @property
    def last_day(self) -> int | None:
        """Last day of ``until`` as an ordinal, None where open."""
        return date.fromisoformat(date_bounds(self.until)[1]).toordinal() if self.until else None

    @property
    def key(self) -> Hashable:
        """What tells it from filters that other documents pass."""
        return self.since, self.until, self.sources, repr(sorted(self.where.items()))

    def rows(self, catalog: Catalog, segments: Segments) -> list[NDArray[np.bool_]] | None:
        """Return which rows of each segment pass, shape ``(n_rows,)`` each; None where all do.

        Args:
            catalog: read at the generation of ``segments``.
            segments: the segments of that generation.
        """
        if self.is_empty:
            return None
        documents = self._documents(catalog)
        first, last = self.first_day, self.last_day
        passing = []
        for part in segments.parts.values():
            rows = np.ones(len(part), dtype=np.bool_)
            if first is not None or last is not None:
                rows &= part.days[:, 1] >= (first or 0)
                rows &= part.days[:, 0] <= (last or date.max.toordinal())
            if documents is not None:
                rows &= np.isin(part.documents, documents)
            passing.append(rows)
        return passing

    def _documents(self, catalog: Catalog) -> NDArray[np.int64] | None:
        """Return the documents of the sources and fields wanted, by number; None where neither is asked for."""
        sets = [catalog.documents_from(self.sources)] if self.sources else []
        sets += [catalog.documents_with(name, values) for name, values in self.where.items()]
        if not sets:
            return None
        found, *others = sets
        for other in others:
            found = np.intersect1d(found, other, assume_unique=True)
        return found


def _names(source: str) -> list[str]:
    """Return the sources that may be meant: the one given, and that of a file, with no "./" before and no "/" after it.

    A file is named by its path, or as citations show its path, where its name is no UTF-8.
    """
    name, mark, record = source.partition("#")
    shown = [printable(Path(name).as_posix()), source_name(name)] if name else []
    return [printable(source), *(each + mark + printable(record) for each in shown)]


def _is_text(value: Any) -> bool:
    """Say whether a value can be written as UTF-8, as all is that the index holds."""
    return not isinstance(value, str) or value.encode("utf-8", "ignore").decode() == value
