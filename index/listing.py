"""The part of the catalog that people look through: documents page by page, how many of each time, what is unread."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from index.database import Database
from index.errors import InputError, LoadError
from index.file_records import StoredFile, as_key, from_column

__all__ = ["DateCounts", "ListedDocument", "Listing", "ListingPage", "Order", "Origin", "Unit", "When"]

Order = Literal["added", "newest", "oldest"]
"""``added`` puts first what was indexed last; undated documents come last in the other two."""

When = Literal["undated", "wider"] | None
"""``undated``: without a date; ``wider``: whose date covers more than one unit of the counts, as a mere year does."""

Unit = Literal["month", "year", "decade"]

MAX_PERIODS = 180
MAX_SEARCH_CHARS = 200

_DIGITS: dict[Unit, int] = {"month": 7, "year": 4, "decade": 3}
"""Characters of an ISO day that name the period it lies in."""

_WITHIN = "first_day >= ? AND first_day < ? AND last_day < ?"
_ORDERS: dict[Order, str] = {
    "added": "number DESC",
    "newest": "first_day DESC, last_day DESC, number DESC",
    "oldest": "first_day IS NULL, first_day, last_day, number",
}


def _alike() -> dict[str, str]:
    """Map each letter to those that differ from it in case or accents only."""
    found: dict[str, list[str]] = {}
    for code in (*range(0x41, 0x5B), *range(0x61, 0x7B), *range(0xC0, 0x250)):
        found.setdefault(_plain(chr(code)), []).append(chr(code))
    return {plain: "".join(letters) for plain, letters in found.items() if len(plain) == 1}


def _plain(letter: str) -> str:
    return unicodedata.normalize("NFD", letter.casefold())[0]


_ALIKE = _alike()


@dataclass(frozen=True, slots=True)
class Origin:
    """One place that a document came from.

    Attributes:
        source: as citations name it.
        file: the file that was read; None for a document that was given directly.
        n_siblings: other sources that the same file gave.
    """

    source: str
    file: StoredFile | None
    n_siblings: int


@dataclass(frozen=True, slots=True)
class ListedDocument:
    """One document, without its text.

    Attributes:
        number: its key in the catalog; another text never has the same.
        title: as given by the document, or None.
        date: ISO at its own precision, or None.
        n_characters: code points of its text.
        n_passages: passages that it is cut into.
        origins: where it came from, by source; at least one.
    """

    number: int
    title: str | None
    date: str | None
    n_characters: int
    n_passages: int
    origins: tuple[Origin, ...]


@dataclass(frozen=True, slots=True)
class ListingPage:
    """Some of the documents asked for, and the number of all of them."""

    documents: tuple[ListedDocument, ...]
    total: int


@dataclass(frozen=True, slots=True)
class DateCounts:
    """How many documents there are of each time.

    Attributes:
        unit: the length of a period.
        counts: the beginning of an ISO day that names each period (``2022-10``, ``2022``, ``202``) with its
            number of documents, above 0, in the order of time.
        n_wider: dated documents whose date covers more than one period.
        n_undated: documents without a date.
    """

    unit: Unit
    counts: tuple[tuple[str, int], ...]
    n_wider: int
    n_undated: int


class Listing:
    """What a catalog holds, for people; see `index.catalog.Catalog` for transactions and errors."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def documents(
        self,
        *,
        search: str = "",
        during: str = "",
        when: When = None,
        unit: Unit = "month",
        order: Order = "added",
        first: int = 0,
        n: int = 25,
    ) -> ListingPage:
        """Return some of the documents that pass, in an order that no two share.

        Args:
            search: words, each of which is in the title or in a source; case and accents do not count.
            during: the beginning of ISO days, such as ``2022-10`` or ``202``; only documents of then.
            when: only documents without a date, or whose date covers more than one ``unit``.
            unit: what ``wider`` is measured by.
            order: what comes first.
            first: number of documents to leave out before, at least 0.
            n: most documents wanted, at least 1.

        Raises:
            InputError: if the search is longer than `MAX_SEARCH_CHARS`, or a choice or a number is none.
        """
        _check("order", order, get_args(Order))
        _check("when", when, ("undated", "wider", None))
        _check("unit", unit, get_args(Unit))
        _check_part(first, n)
        conditions, values = _searched(search)
        if during:
            conditions.append(_WITHIN)
            values += _bounds(during)
        if when == "undated":
            conditions.append("first_day IS NULL")
        if when == "wider":
            conditions.append("substr(first_day, 1, ?) <> substr(last_day, 1, ?)")
            values += [_DIGITS[unit], _DIGITS[unit]]
        where = f"FROM documents WHERE {' AND '.join(conditions) or '1'}"
        statement = f"SELECT number, count(*) OVER () {where} ORDER BY {_ORDERS[order]} LIMIT ? OFFSET ?"
        with self._database.read():
            rows = self._database.rows(statement, [*values, n, first])
            total = rows[0][1] if rows else 0
            if first and not rows:
                (total,) = self._database.rows(f"SELECT count(*) {where}", values)[0]
            return ListingPage(tuple(self.described([row[0] for row in rows])), total)

    def described(self, numbers: Sequence[int]) -> list[ListedDocument]:
        """Return documents by number, in the order given; those that are not in this generation are left out."""
        statement = (
            "SELECT number, title, date, length(text), (SELECT count(*) FROM passages WHERE document = d.number)"
            " FROM documents AS d WHERE number IN ({keys})"
        )
        with self._database.read():
            rows = list(self._database.rows_of(statement, numbers))
            origins = self._origins([row[0] for row in rows])
        found = {
            number: ListedDocument(number, title, date, n_characters, n_passages, tuple(origins[number]))
            for number, title, date, n_characters, n_passages in rows
        }
        return [found[number] for number in numbers if number in found]

    def file_of(self, source: str) -> StoredFile | None:
        """Return the file that a source came from; None where it was given directly, or is none of the index."""
        statement = (
            "SELECT files.path, files.source, files.hash FROM sources JOIN files ON files.path = sources.path "
            "WHERE sources.source = ?"
        )
        row = self._database.row(statement, (as_key(source),))
        return None if row is None else StoredFile(from_column(row[0]), row[1], row[2])

    def files(self, n: int) -> list[str]:
        """Return the sources of the files that were read, in their order, at most ``n``."""
        return [source for (source,) in self._database.rows("SELECT source FROM files ORDER BY source LIMIT ?", (n,))]

    def _origins(self, numbers: Sequence[int]) -> dict[int, list[Origin]]:
        statement = (
            "SELECT document, sources.source, sources.path, files.source, files.hash FROM sources "
            "LEFT JOIN files ON files.path = sources.path WHERE document IN ({keys}) ORDER BY sources.source"
        )
        rows = list(self._database.rows_of(statement, numbers))
        found: dict[int, list[Origin]] = {}
        n_of: dict[str | bytes, int] = {"": 1}
        for _, _, path, *_ in rows:
            if path not in n_of:
                n_of[path] = self._database.rows("SELECT count(*) FROM sources WHERE path = ?", (path,))[0][0]
        for document, source, path, file_source, hash_ in rows:
            file = None if file_source is None else StoredFile(from_column(path), file_source, hash_)
            found.setdefault(document, []).append(Origin(source, file, n_of[path] - 1))
        return found

    def date_counts(self, during: str = "") -> DateCounts:
        """Return how many documents there are of each time, in the shortest unit that makes a picture.

        Args:
            during: the beginning of ISO days; only documents of then. Those without a date are counted all the same.
        """
        values = _bounds(during)
        with self._database.read():
            bounds = f"SELECT min(first_day), max(last_day) FROM documents WHERE {_WITHIN}"
            first, last = self._database.rows(bounds, values)[0]
            unit = "month" if first is None else _unit(first, last)
            period = f"substr(first_day, 1, {_DIGITS[unit]}), substr(last_day, 1, {_DIGITS[unit]})"
            counted = f"SELECT {period}, count(*) FROM documents WHERE {_WITHIN} GROUP BY 1, 2 ORDER BY 1, 2"
            rows = self._database.rows(counted, values)
            (n_undated,) = self._database.rows("SELECT count(*) FROM documents WHERE first_day IS NULL")[0]
        counts = tuple((start, n) for start, end, n in rows if start == end)
        return DateCounts(unit, counts, sum(n for start, end, n in rows if start != end), n_undated)

    def problems(self, *, search: str = "", first: int = 0, n: int = 25) -> tuple[list[LoadError], int]:
        """Return some of what could not be read, by source, and the number of all that pass.

        Args:
            search: words, each of which is in the source; case and accents do not count.
            first: number of problems to leave out before, at least 0.
            n: most problems wanted, at least 1.

        Raises:
            InputError: if the search is longer than `MAX_SEARCH_CHARS`, or a number is none.
        """
        _check_part(first, n)
        patterns = _patterns(search)
        where = f"FROM problems WHERE {' AND '.join(['source GLOB ?'] * len(patterns)) or '1'}"
        statement = f"SELECT source, reason {where} ORDER BY source, rowid LIMIT ? OFFSET ?"
        with self._database.read():
            (total,) = self._database.rows(f"SELECT count(*) {where}", patterns)[0]
            rows = self._database.rows(statement, [*patterns, n, first])
        return [LoadError(source, reason) for source, reason in rows], total


def _check(name: str, value: object, expected: Sequence[object]) -> None:
    if value not in expected:
        raise InputError(f"{name} {value!r}: expected one of {', '.join(map(str, expected))}")


def _check_part(first: int, n: int) -> None:
    if first < 0 or n < 1:
        raise InputError(f"{n} from {first} on: expected at least 1 from at least 0 on")


def _bounds(during: str) -> list[str | int]:
    """Return the values of `_WITHIN`: ``~`` comes after every character of a day."""
    return [during, f"{during}~", f"{during}~"]


def _searched(search: str) -> tuple[list[str], list[str | int]]:
    """Return what a document passes that has every word of a search in its title or in one of its sources."""
    condition = "(title GLOB ? OR number IN (SELECT document FROM sources WHERE source GLOB ?))"
    patterns = _patterns(search)
    return [condition] * len(patterns), [pattern for pattern in patterns for _ in range(2)]


def _patterns(search: str) -> list[str]:
    """Return what finds each word of a search anywhere in a text, in any case, with or without accents."""
    if len(search) > MAX_SEARCH_CHARS:
        raise InputError(f"a search of {len(search)} characters: expected {MAX_SEARCH_CHARS} at most")
    words = unicodedata.normalize("NFC", search).encode("utf-8", "replace").decode().split()
    return [f"*{''.join(map(_letter, word))}*" for word in words]


def _letter(letter: str) -> str:
    """Return the class of letters that a letter stands for; ``^`` alone would begin the complement of one."""
    return letter if letter == "^" else f"[{_ALIKE.get(_plain(letter), letter)}]"


def _unit(first: str, last: str) -> Unit:
    """Return the shortest unit of which at most `MAX_PERIODS` cover two days and what lies between.

    Dates begin in 1000 and end in 2199, so that decades always do.
    """
    n_years = int(last[:4]) - int(first[:4]) + 1
    if n_years * 12 <= MAX_PERIODS:
        return "month"
    return "year" if n_years <= MAX_PERIODS else "decade"
