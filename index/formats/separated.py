"""Separated values (CSV, TSV): one document a row where a column holds texts, else the whole table as one text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from index.decode import BOM, MAX_DOCUMENT_BYTES, ByteStream, read_text
from index.errors import LoadError
from index.formats.extracted import text_id
from index.formats.notes import LoadNotes
from index.formats.records import Records
from index.types import Document

__all__ = ["load_separated"]

_TEXT_COLUMNS = ("text", "texte", "content", "contenu", "body", "corps")
_FIELDS = {"id": "id", "title": "title", "titre": "title", "date": "date", "author": "author", "auteur": "author"}
_DELIMITERS = ";,\t|"


def load_separated(source: str, stream: ByteStream, notes: LoadNotes) -> Iterator[Document]:
    """Read a table.

    Where a column is named text, texte, content, contenu, body or corps, each row is a record, as a JSON line is: the
    columns id, title (titre) and date mean what they mean there, the others are metadata. Otherwise the file is one
    document whose text is the file as decoded.
    """
    text, warnings = read_text(source, stream)
    notes.warnings += warnings
    plain = text.removeprefix(BOM)
    delimiter = _delimiter(plain)
    if delimiter is None:
        yield Document(text_id(text), source, text, body_start=len(text) - len(plain))
        return
    records = Records(source, notes)
    try:
        rows = _rows(source, plain, delimiter)
        fields = _fields(next(rows)[1])
        for line, cells in rows:
            if any(cell.strip() for cell in cells):
                where = f"{source}:{line}"
                if len(cells) > len(fields):
                    records.note(where, f"has more cells than the first row ({len(fields)}); the rest was left out")
                record = {name: cell for name, cell in zip(fields, cells, strict=False) if name and cell}
                yield from records.read(where, f"L{line}", record)
    except LoadError as error:  # the rows before it were read
        notes.problems.append(error)
    records.close()


def _delimiter(text: str) -> str | None:
    """Return what separates the cells where the first row names a column of texts, or None.

    The first row says it better than `csv.Sniffer`, which takes a letter or the commas of the prose for it.
    """
    head = text[: text.find("\n", text.find("\n") + 1) + 1] or text  # a name may hold a line end, hardly two
    best: tuple[int, str] | None = None
    for delimiter in _DELIMITERS:
        try:
            names = next(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter), [])
        except csv.Error:
            continue
        if "text" in _fields(names):
            best = max(best or (0, ""), (len(names), delimiter))
    return None if best is None else best[1]


def _fields(names: Sequence[str]) -> list[str]:
    """Return the fields of a record that the columns hold; "" for one that holds what another holds already."""
    lowered = [name.strip().lower() for name in names]
    column = next((name for name in _TEXT_COLUMNS if name in lowered), None)
    fields: list[str] = []
    for name, low in zip(names, lowered, strict=True):
        field = "text" if low == column else _FIELDS.get(low, name.strip())
        fields.append("" if field in fields else field)
    return fields


def _rows(source: str, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the number of the line that it begins on."""
    csv.field_size_limit(MAX_DOCUMENT_BYTES)  # of the whole process; 128 KiB otherwise, less than a long article
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    line = 1
    try:
        for row in reader:
            yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise LoadError(f"{source}:{line}", f"is no table from here on ({error}); save it again as CSV") from error
