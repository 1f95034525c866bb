"""The loaders, one a format: text, Markdown, JSON lines, JSON.

A document's text is the file as decoded, byte order mark and line ends included: ``document.text`` is what
``path.open(encoding="utf-8", newline="").read()`` gives, so its offsets hold in the file. UTF-16 and UTF-32
are read where the file begins with their mark, which is not part of the text. What is not UTF-8 is read as cp1252,
with a warning.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from index.dates import parse_date, read_header
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
from index.types import Document

__all__ = [
    "LoadedFile",
    "load_json",
    "load_json_lines",
    "load_markdown",
    "load_text",
]

_FRONT_MATTER = re.compile(
    r"\ufeff?---[ \t]*\r?\n(?P<fields>(?:(?:[\w-]+[ \t]*:.*|[ \t#-].*|\r?)\n)*?)(?:---|\.\.\.)[ \t]*(?:\r?\n\s*|\Z)"
)
_FIELD = re.compile(r"(?P<name>title|date)[ \t]*:[ \t]*(?P<value>[^\r\n]*)", re.IGNORECASE)
_FENCE = re.compile(r" {0,3}(?:```|~~~)")
_HEADING = re.compile(r" {0,3}#[ \t]+(?P<title>.*?)(?:[ \t]+#+)?[ \t]*")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")

_MAX_DEPTH = 100
"""Deepest nesting of a record: far below Python's recursion limit, so that its metadata can be written again."""

_TOO_DEEP = f"is nested more than {_MAX_DEPTH} deep"
_UNREAD_DATE = "the date is not understood; kept as metadata"
_JSON_NAMES = {
    type(None): "null",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
}


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """What one file gave.

    Attributes:
        documents: in the order of the file, no two of the same source.
        problems: what could not be read; the documents are the rest.
        warnings: what was read though not as written, one clause each, the source before it.
    """

    documents: tuple[Document, ...] = ()
    problems: tuple[LoadError, ...] = ()
    warnings: tuple[str, ...] = ()


def load_text(source: str, stream: ByteStream) -> LoadedFile:
    """Read a plain text as one document, with the date of its header."""
    text, warnings = read_text(source, stream)
    date, body_start = _header(text)
    document = Document(_hash_id(source, text), source, text, date=date, body_start=body_start)
    return LoadedFile((document,), warnings=warnings)


def load_markdown(source: str, stream: ByteStream) -> LoadedFile:
    """Read a Markdown text as one document, its marks left in place.

    Title and date come from simple ``title:`` and ``date:`` lines of its front matter; else from its first heading of
    the first level, and from a header as in a plain text.
    """
    text, warnings = read_text(source, stream)
    front_matter = _FRONT_MATTER.match(text)
    if front_matter is None:
        date, body_start = _header(text)
        fields: dict[str, str] = {}
    else:
        lines = front_matter["fields"].splitlines()
        found = (match for line in lines if (match := _FIELD.fullmatch(line.rstrip())))
        fields = {match["name"].lower(): match["value"].strip().strip("\"'") for match in found}
        date, body_start = parse_date(fields.get("date")), front_matter.end()
    metadata = {}
    if fields.get("date") and date is None:
        metadata["date"] = fields["date"]
        warnings += (f"{source}: {_UNREAD_DATE}",)
    title = fields.get("title") or _first_heading(text[body_start:])
    document = Document(_hash_id(source, text), source, text, title, date, body_start, metadata)
    return LoadedFile((document,), warnings=warnings)


def load_json_lines(source: str, stream: ByteStream) -> LoadedFile:
    """Read one document a line; a line that is broken is a problem, the others are read."""
    records = _Records(source)
    try:
        for number, line in _lines(records, stream):
            if line.strip():
                records.add_json(f"{source}:{number}", f"L{number}", line)
    except LoadError as error:  # the end of the stream cannot be read, the lines before it were
        records.problems.append(error)
    return records.loaded()


def load_json(source: str, stream: ByteStream) -> LoadedFile:
    """Read a JSON array of objects, or one object, as documents; JSON lines under this extension as well."""
    text, warnings = read_text(source, stream)
    records = _Records(source)
    try:
        value = records.parse(text.removeprefix(BOM))
    except ValueError as error:
        if text.lstrip(BOM + " \t\r\n").startswith("{") and "Extra data" in str(error):
            return load_json_lines(source, io.BufferedReader(io.BytesIO(text.encode())))
        raise LoadError(source, str(error)) from error
    for number, item in enumerate(value if isinstance(value, list) else [value], start=1):
        records.add(f"{source}[{number}]", f"{number}", item)
    loaded = records.loaded()
    return LoadedFile(loaded.documents, loaded.problems, warnings + loaded.warnings)


class _Records:
    """The documents of a file of JSON records, with what went wrong, as they are added."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.problems: list[LoadError] = []
        self._documents: list[Document] = []
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

    def add_json(self, where: str, name: str, text: str) -> None:
        """Add the document of one JSON text, or its problem."""
        self._where = where
        try:
            value = self.parse(text)
        except ValueError as error:
            self.problems.append(LoadError(where, str(error)))
        else:
            self.add(where, name, value)

    def add(self, where: str, name: str, value: Any) -> None:
        """Add the document of one JSON value, or its problem.

        Args:
            where: the record for messages, ``file.jsonl:12``.
            name: what stands after ``#`` in the document's source when the record has no id, ``L12``.
            value: the parsed record.
        """
        reason = _fault(value)
        if reason is not None:
            self.problems.append(LoadError(where, reason))
            return
        fields = dict(value)
        text, given_id = fields.pop("text"), fields.pop("id", None)
        id_ = None if given_id in (None, "") else str(given_id)
        source = f"{self.source}#{self._fragment(where, name, id_)}"
        date = parse_date(fields.get("date"))
        if date is not None or fields.get("date") in (None, ""):
            fields.pop("date", None)
        else:
            self.note(where, _UNREAD_DATE)
        title = fields.pop("title", None)
        if not (title is None or isinstance(title, str)):
            fields["title"], title = title, None
            self.note(where, "the title is no string; kept as metadata")
        self._documents.append(
            Document(id_ or _hash_id(source, text), source, text, title or None, date, metadata=fields)
        )

    def loaded(self) -> LoadedFile:
        """Return what was added; a file without a record is a problem."""
        if not (self._documents or self.problems):
            self.problems.append(LoadError(self.source, "is empty"))
        warnings = (
            f"{places[0]}: {what}" + (f" (and {len(places) - 1} more like it)" if len(places) > 1 else "")
            for what, places in self._notes.items()
        )
        return LoadedFile(tuple(self._documents), tuple(self.problems), tuple(warnings))

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


def _lines(records: _Records, stream: ByteStream) -> Iterator[tuple[int, str]]:
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


def _header(text: str) -> tuple[str | None, int]:
    """Return the date of a text's header, and where its prose begins."""
    date, body_start = read_header(text)
    return date, body_start or len(text) - len(text.removeprefix(BOM))


def _first_heading(text: str) -> str | None:
    """Return the words of the first heading of the first level, outside code blocks."""
    in_code = False
    for line in text.splitlines():
        if _FENCE.match(line):
            in_code = not in_code
        elif not in_code and (heading := _HEADING.fullmatch(line.removeprefix(BOM))):
            return heading["title"] or None
    return None


def _hash_id(source: str, text: str) -> str:
    return hashlib.blake2b(f"{source}\x00{text}".encode(), digest_size=16).hexdigest()
