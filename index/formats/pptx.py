"""Presentations: a slide is a page, with its titles, texts, tables and notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from index.decode import ByteStream
from index.formats.extracted import extracted, table_row
from index.formats.notes import LoadNotes
from index.formats.office import core_properties, join_bounded, library_errors, packed, read_members, spaced
from index.types import Document

__all__ = ["load_pptx"]

_MAIN = b"application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"
# Shows, templates and those with macros differ in this name alone; python-pptx 1.0 opens only some of them.
_SAME_AS_MAIN = (
    b"application/vnd.openxmlformats-officedocument.presentationml.slideshow.main+xml",
    b"application/vnd.openxmlformats-officedocument.presentationml.template.main+xml",
    b"application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml",
    b"application/vnd.ms-powerpoint.slideshow.macroEnabled.main+xml",
    b"application/vnd.ms-powerpoint.template.macroEnabled.main+xml",
)


def load_pptx(source: str, stream: ByteStream, notes: LoadNotes) -> Iterator[Document]:
    """Read a presentation as one document whose pages are its slides, a blank line between them."""
    members = read_members(source, stream, "PPTX", wanted=_is_markup)
    types = next((name for name in members if name.lower() == "[content_types].xml"), "[Content_Types].xml")
    for name in _SAME_AS_MAIN:
        members[types] = members.get(types, b"").replace(name, _MAIN)
    with library_errors(source, "PPTX"):
        import pptx  # noqa: PLC0415 - only those who read presentations wait for it

        slides = []
        for slide in pptx.Presentation(packed(members)).slides:
            lines = [*_lines(slide.shapes)]
            if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
                lines.append(_plain(slide.notes_slide.notes_text_frame.text))
            slides.append(join_bounded(source, spaced(lines), "\n"))
        text = join_bounded(source, slides, "\n\n")
        about = core_properties(members)
    pages, start = [], 0
    for each in slides:
        pages.append(start)
        start += len(each) + 2
    yield extracted(source, text, notes, title=about.title, author=about.author, date=about.date, pages=pages)


def _is_markup(name: str) -> bool:
    return name.lower().endswith((".xml", ".rels"))


def _lines(shapes: Iterable[Any]) -> Iterator[str]:
    """Yield the lines of shapes, those of groups as well, in the order in which they are drawn."""
    for shape in shapes:
        if shape.has_text_frame:
            yield _plain(shape.text_frame.text)
        elif getattr(shape, "has_table", False):
            for row in shape.table.rows:
                yield table_row(cell.text for cell in row.cells)
        elif hasattr(shape, "shapes"):
            yield from _lines(shape.shapes)


def _plain(text: str) -> str:
    """Return a text frame's text with its breaks inside paragraphs, which python-pptx gives as VT, as line breaks."""
    return text.replace("\v", "\n")
