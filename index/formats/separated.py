"""Separated values (CSV, TSV): one document a row where a column holds texts, else the whole table as one text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from index.decode import BOM, ByteStream, read_text
from index.errors import LoadError
from index.formats.extracted import text_id
from index.formats.notes import LoadNotes
from index.formats.records import Records
from index.types import Document

__all__ = ["load_separated"]

_TEXT_COLUMNS = ("text", "texte", "content", "contenu", "body", "corps")
_NAMES = {"titre": "title", "auteur": "author"}
_DELIMITERS = ",;\t|"
_SAMPLE_CHARS = 20_000


def load_separated(source: str, stream: ByteStream, notes: LoadNotes) -> Iterator[Document]:
    """Read a table.

    Where a column is named text, texte, content, contenu, body or corps, each row is a record, as a JSON line is: the
    columns id, title (titre) and date mean what they mean there, the others are metadata. Otherwise the file is one
    document whose text is the file as decoded.
    """
    text, warnings = read_text(source, stream)
    notes.warnings += warnings
    rows = _rows(source, text.removeprefix(BOM))
    _, head = next(rows, (0, []))
    names = [name.strip().lower() for name in head]
    column = next((name for name in _TEXT_COLUMNS if name in names), None)
    if column is None:
        body_start = len(text) - len(text.removeprefix(BOM))
        yield Document(text_id(text), source, text, body_start=body_start)
        return
    records = Records(source, notes)
    fields = ["text" if name == column else _NAMES.get(name, name) for name in names]
    try:
        for line, row in rows:
            if any(cell.strip() for cell in row):
                record = {field: cell for field, cell in zip(fields, row, strict=False) if field and cell}
                yield from records.read(f"{source}:{line}", f"L{line}", record)
    except LoadError as error:
        notes.problems.append(error)
    records.close()


def _rows(source: str, text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the number of the line that it begins on."""
    sample = text[:_SAMPLE_CHARS]
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(sample, delimiters=_DELIMITERS)
    except csv.Error:
        dialect = csv.excel_tab if "\t" in sample.partition("\n")[0] else csv.excel
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))  # of the whole process: never lowered
    reader = csv.reader(io.StringIO(text, newline=""), dialect)
    line = 1
    try:
        for row in reader:
            yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise LoadError(f"{source}:{line}", f"is no table from here on ({error})") from error
