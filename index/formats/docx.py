"""Word documents: paragraphs and tables in the order of the body, footnotes after their paragraph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from index.decode import ByteStream
from index.errors import LoadError
from index.formats.extracted import extracted, table_row
from index.formats.notes import LoadNotes
from index.formats.office import (
    core_properties,
    join_bounded,
    library_errors,
    local_name,
    packed,
    parse_xml,
    read_members,
    spaced,
)
from index.types import Document

__all__ = ["load_docx"]

_MAIN = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
# Documents with macros and templates differ in this name alone; python-docx 1.2 opens no other than the first.
_SAME_AS_MAIN = (
    b"application/vnd.ms-word.document.macroEnabled.main+xml",
    b"application/vnd.ms-word.template.macroEnabledTemplate.main+xml",
    b"application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml",
)
_BREAKS = {"br": "\n", "cr": "\n", "tab": "\t", "ptab": "\t", "noBreakHyphen": "\u2011"}
# Fallback repeats a text box for old programs; del and moveFrom hold what tracked changes took out; pPr has no text.
_SKIPPED = {"Fallback", "del", "moveFrom", "pPr"}


def load_docx(source: str, stream: ByteStream, notes: LoadNotes) -> Iterator[Document]:
    """Read a Word document as one document: a paragraph a line, a row of a table a line.

    python-docx opens it; the body is walked here, since its paragraphs leave out content controls, text boxes and what
    tracked changes put in.
    """
    members = read_members(source, stream, "DOCX", wanted=_is_markup)
    types = next((name for name in members if name.lower() == "[content_types].xml"), "[Content_Types].xml")
    for name in _SAME_AS_MAIN:
        members[types] = members.get(types, b"").replace(name, _MAIN)
    with library_errors(source, "DOCX"):
        import docx  # noqa: PLC0415 - only those who read Word documents wait for it

        body = docx.Document(packed(members)).element.body
        if body is None:
            raise LoadError(source, "is a DOCX file without a body; open it in the program that wrote it")
        text = join_bounded(source, spaced(_blocks(body, _footnotes(members))), "\n")
        about = core_properties(members)
    yield extracted(source, text, notes, title=about.title, author=about.author, date=about.date)


def _is_markup(name: str) -> bool:
    return name.lower().endswith((".xml", ".rels"))


def _footnotes(members: Mapping[str, bytes]) -> dict[str, str]:
    """Return the texts of footnotes and endnotes by ``footnote`` or ``endnote`` and their id."""
    texts: dict[str, str] = {}
    for kind in ("footnote", "endnote"):
        content = members.get(f"word/{kind}s.xml")
        for note in parse_xml(content) if content else ():
            texts[kind + _attribute(note, "id")] = " ".join(spaced(_blocks(note, {})))
    return texts


def _attribute(element: Any, name: str) -> str:
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")


def _blocks(container: Any, footnotes: Mapping[str, str]) -> Iterator[str]:
    """Yield the paragraphs and the rows of tables in an element, in order, whatever wraps them."""
    for element in container:
        match local_name(element):
            case "p":
                yield from _paragraph(element, footnotes)
            case "tbl":
                yield from _rows(element, footnotes)
            case name if name not in _SKIPPED:
                yield from _blocks(element, footnotes)


def _rows(table: Any, footnotes: Mapping[str, str]) -> Iterator[str]:
    for row in _below(table, "tr"):
        yield table_row("\n".join(_blocks(cell, footnotes)) for cell in _below(row, "tc"))


def _below(element: Any, wanted: str) -> Iterator[Any]:
    """Yield the nearest descendants of a name, through content controls but not into other tables."""
    for child in element:
        name = local_name(child)
        if name == wanted:
            yield child
        elif name in {"sdt", "sdtContent", "ins", "moveTo", "customXml"}:
            yield from _below(child, wanted)


def _paragraph(paragraph: Any, footnotes: Mapping[str, str]) -> Iterator[str]:
    """Yield the text of a paragraph, then that of its text boxes, then its footnotes."""
    pieces: list[str] = []
    boxes: list[str] = []
    cited: list[str] = []
    waiting = list(reversed(paragraph))
    while waiting:
        element = waiting.pop()
        name = local_name(element)
        if name == "t":
            pieces.append(element.text or "")
        elif name in _BREAKS:
            pieces.append(_BREAKS[name])
        elif name == "txbxContent":
            boxes += _blocks(element, footnotes)
        elif name in {"footnoteReference", "endnoteReference"}:
            cited.append(footnotes.get(name.removesuffix("Reference") + _attribute(element, "id"), ""))
        elif name not in _SKIPPED:
            waiting += reversed(element)
    yield "".join(pieces)
    yield from boxes
    yield from cited
