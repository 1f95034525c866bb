"""Spreadsheets: every sheet, its name as a line, then one row a line."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from index.decode import MAX_DOCUMENT_BYTES, ByteStream
from index.errors import LoadError
from index.formats.extracted import extracted, table_row
from index.formats.notes import LoadNotes
from index.formats.office import MAX_TREE_BYTES, core_properties, join_bounded, library_errors, packed, read_members
from index.types import Document

__all__ = ["load_xlsx"]

_MAX_ROWS = 1_048_576
"""Most rows of a sheet in Excel; a number above it would have openpyxl make up the rows before."""

_MAX_SHEETS = 2_000

_MAX_CELLS = 100_000_000
"""Most cells of a sheet, empty ones before a last one as well, which openpyxl makes up: some 20 s."""


def load_xlsx(source: str, stream: ByteStream, notes: LoadNotes) -> Iterator[Document]:
    """Read a spreadsheet as one document, a blank line between its sheets; of formulas the value last computed."""
    members = read_members(source, stream, "XLSX", wanted=_is_markup, max_bytes=MAX_DOCUMENT_BYTES)
    for name, content in members.items():
        if len(content) > MAX_TREE_BYTES and not name.lower().startswith("xl/worksheets/"):  # sheets are streamed
            raise LoadError(source, f"holds more than {MAX_TREE_BYTES >> 20} MiB of XML in {name}; split it")
    with library_errors(source, "XLSX"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of what it does not keep, such as styles
        text = join_bounded(source, _sheets(source, members), "\n\n")
        about = core_properties(members)
    yield extracted(source, text, notes, title=about.title, author=about.author, date=about.date)


def _is_markup(name: str) -> bool:
    return name.lower().endswith((".xml", ".rels"))


def _sheets(source: str, members: dict[str, bytes]) -> Iterator[str]:
    """Yield the text of each sheet that holds something."""
    import openpyxl  # noqa: PLC0415 - only those who read spreadsheets wait for it

    workbook = openpyxl.load_workbook(packed(members), read_only=True, data_only=True, keep_links=False)
    try:
        if len(workbook.worksheets) > _MAX_SHEETS:
            raise LoadError(source, f"holds more than {_MAX_SHEETS} sheets; split it")
        for sheet in workbook.worksheets:
            sheet.reset_dimensions()  # a sheet may declare any size, and openpyxl would fill it with empty cells
            rows = join_bounded(source, _rows(source, sheet), "\n")
            if rows:
                yield f"{sheet.title}\n{rows}"
    finally:
        workbook.close()


def _rows(source: str, sheet: Any) -> Iterator[str]:
    n_cells = 0
    for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
        n_cells += len(cells)
        if number > _MAX_ROWS:
            raise LoadError(source, f"has a sheet with more than {_MAX_ROWS} rows, which no XLSX file has")
        if n_cells > _MAX_CELLS:
            raise LoadError(source, f"has a sheet with more than {_MAX_CELLS} cells; split it")
        if row := table_row(_written(cells)):
            yield row


def _written(cells: Sequence[Any]) -> list[str]:
    """Return the cells as text, without the empty ones at the end."""
    size = len(cells)
    while size and cells[size - 1] in {None, ""}:
        size -= 1
    return [_value(cell) for cell in cells[:size]]


def _value(value: Any) -> str:
    """Return a cell's value: dates as ISO 8601, without a time at midnight; numbers as Excel shows them, 15 digits."""
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(" ", "seconds")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
    return "" if value is None else str(value)
