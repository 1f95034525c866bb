"""Records: JSON lines and JSON, one document each; what other formats give record by record is added the same way."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Iterator
from typing import Any

from index.dates import parse_date
from index.decode import (
    BOM,
    LIMITS,
    MAX_DOCUMENT_BYTES,
    MAX_STREAM_BYTES,
    ByteStream,
    decode,
    printable,
    read_text,
    reading,
    wide_encoding,
)
from index.errors import LoadError
from index.formats.extracted import UNREAD_DATE, text_id
from index.formats.notes import LoadNotes
from index.types import Document

__all__ = ["Records", "load_json", "load_json_lines"]

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")

_MAX_DEPTH = 100
"""Deepest nesting of a record: far below Python's recursion limit, so that its metadata can be written again."""

_TOO_DEEP = f"is nested more than {_MAX_DEPTH} deep"
_JSON_NAMES = {
    type(None): "null",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
}


def load_json_lines(source: str, stream: ByteStream, notes: LoadNotes) -> Iterator[Document]:
    """Read one document a line; a line that is broken is a problem, the others are read."""
    records = Records(source, notes)
    try:
        for number, line in _lines(records, stream):
            if line.strip():
                yield from records.parsed(f"{source}:{number}", f"L{number}", line)
    except LoadError as error:  # the end of the stream cannot be read, the lines before it were
        notes.problems.append(error)
    records.close()


def load_json(source: str, stream: ByteStream, notes: LoadNotes) -> Iterator[Document]:
    """Read a JSON array of objects, or one object, as documents; JSON lines under this extension as well."""
    text, warnings = read_text(source, stream)
    records = Records(source, notes)
    try:
        value = records.parse(text.removeprefix(BOM))
    except ValueError as error:
        if text.lstrip(BOM + " \t\r\n").startswith("{") and "Extra data" in str(error):
            yield from load_json_lines(source, io.BufferedReader(io.BytesIO(text.encode())), notes)
            return
        raise LoadError(source, str(error)) from error
    notes.warnings += warnings
    for number, item in enumerate(value if isinstance(value, list) else [value], start=1):
        yield from records.read(f"{source}[{number}]", f"{number}", item)
    records.close()


class Records:
    """Reads the records of a file, and tells what went wrong when it is closed.

    Args:
        source: the file.
        notes: takes problems at once, and warnings when all records are read.
    """

    def __init__(self, source: str, notes: LoadNotes) -> None:
        self.source = source
        self._problems = notes.problems
        self._warnings = notes.warnings
        self._is_empty = True
        self._fragments: set[str] = set()
        self._notes: dict[str, list[str]] = {}
        self._where = source
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object, parse_float=_finite, parse_constant=_not_a_constant
        )

    def note(self, where: str, what: str) -> None:
        """Remember a warning; the same one of several records is told once, with their number."""
        self._notes.setdefault(what, []).append(where)

    def parse(self, text: str) -> Any:
        """Parse strict JSON: no NaN, no infinity, nothing that cannot be written as UTF-8.

        Raises:
            ValueError: with the reason, in one clause.
        """
        try:
            value = self._decoder.decode(text)
            if _SURROGATE.search(text):
                json.dumps(value, ensure_ascii=False).encode()
        except json.JSONDecodeError as error:
            raise ValueError(f"is not JSON ({error.msg} at character {error.pos + 1})") from error
        except UnicodeEncodeError as error:
            raise ValueError("holds half of a surrogate pair (\\ud800 to \\udfff), which is no character") from error
        except RecursionError as error:
            raise ValueError(_TOO_DEEP) from error
        if text.count("[") + text.count("{") > _MAX_DEPTH and _depth(value) > _MAX_DEPTH:
            raise ValueError(_TOO_DEEP)
        return value

    def parsed(self, where: str, name: str, text: str) -> Iterator[Document]:
        """Yield the document of one JSON text, or note its problem."""
        self._where = where
        try:
            value = self.parse(text)
        except ValueError as error:
            self._is_empty = False
            self._problems.append(LoadError(where, str(error)))
        else:
            yield from self.read(where, name, value)

    def read(self, where: str, name: str, value: Any) -> Iterator[Document]:
        """Yield the document of one JSON value, or note its problem.

        Args:
            where: the record for messages, ``file.jsonl:12``.
            name: what stands after ``#`` in the document's source when the record has no id, ``L12``.
            value: the parsed record.
        """
        self._is_empty = False
        reason = _fault(value)
        if reason is not None:
            self._problems.append(LoadError(where, reason))
            return
        fields = dict(value)
        text, given_id = fields.pop("text"), fields.pop("id", None)
        id_ = None if given_id in (None, "") else str(given_id)
        source = f"{self.source}#{self._fragment(where, name, id_)}"
        date = parse_date(fields.get("date"))
        if date is not None or fields.get("date") in (None, ""):
            fields.pop("date", None)
        else:
            self.note(where, UNREAD_DATE)
        title = fields.pop("title", None)
        if not (title is None or isinstance(title, str)):
            fields["title"], title = title, None
            self.note(where, "the title is no string; kept as metadata")
        yield Document(id_ or text_id(text), source, text, (title or "").strip() or None, date, metadata=fields)

    def close(self) -> None:
        """Hand over the warnings; a file without a record is a problem."""
        if self._is_empty and not self._problems:
            self._problems.append(LoadError(self.source, "is empty"))
        for what, places in self._notes.items():
            more = f" (and {len(places) - 1} more like it)" if len(places) > 1 else ""
            self._warnings.append(f"{places[0]}: {what}{more}")

    def _fragment(self, where: str, name: str, id_: str | None) -> str:
        """Return what stands after ``#``: the id where it is new, else the id and the place."""
        fragment = name if id_ is None else printable(id_)
        if fragment in self._fragments:
            self.note(where, "the id stands on an earlier line too; the line was added to its source")
        while fragment in self._fragments:
            fragment += f"@{name}"
        self._fragments.add(fragment)
        return fragment

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(pairs)
        if len(fields) < len(pairs):
            self.note(self._where, "a field stands twice in one object; its last value was taken")
        return fields


def _fault(value: Any) -> str | None:
    """Say why a JSON value is no document, or None."""
    if not isinstance(value, dict):
        return f'is {_JSON_NAMES[type(value)]}, expected an object with a "text"'
    if "text" not in value:
        return 'has no "text"'
    text, id_ = value["text"], value.get("id")
    if not isinstance(text, str):
        return f'"text" is {_JSON_NAMES[type(text)]}, expected a string'
    if not text.strip():
        return '"text" is empty'
    if isinstance(id_, (bool, list, dict)):
        return f'"id" is {_JSON_NAMES[type(id_)]}, expected a string or a number'
    return None


def _depth(value: Any) -> int:
    """Return how deep the lists and objects of a JSON value are nested."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if items is None else 1 + max(map(_depth, items), default=0)


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"holds a number that is too large ({number[:20]})")
    return value


def _not_a_constant(name: str) -> None:
    raise ValueError(f"holds {name}, which is not JSON")


def _lines(records: Records, stream: ByteStream) -> Iterator[tuple[int, str]]:
    """Yield the lines of a stream as decoded, with their number from 1, without holding more than one."""
    if wide_encoding(stream.peek(4)) is not None:
        text, _ = read_text(records.source, stream)
        yield from enumerate(text.split("\n"), start=1)
        return
    n_bytes, number = 0, 0
    with reading(records.source):
        while line := stream.readline(MAX_DOCUMENT_BYTES + 1):
            n_bytes, number = n_bytes + len(line), number + 1
            where = f"{records.source}:{number}"
            if len(line) > MAX_DOCUMENT_BYTES or n_bytes > MAX_STREAM_BYTES:
                raise LoadError(where, f"too large from here on; {LIMITS}")
            text, warning = decode(line)
            if warning is not None:
                records.note(where, warning)
            yield number, text.removeprefix(BOM) if number == 1 else text
