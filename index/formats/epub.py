"""EPUB books: the visible text of the chapters, in the order of the book's spine."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from html.entities import html5
from typing import Any
from urllib.parse import unquote

from index.decode import MAX_DOCUMENT_BYTES, ByteStream, decode, printable
from index.errors import LoadError
from index.formats.extracted import extracted, table_row
from index.formats.notes import LoadNotes
from index.formats.office import (
    dublin_core,
    join_bounded,
    library_errors,
    local_name,
    parse_xhtml,
    parse_xml,
    read_members,
    spaced,
)
from index.types import Document

__all__ = ["load_epub"]

_CONTAINER = "META-INF/container.xml"
_MARKUP = (".xhtml", ".html", ".htm", ".xml", ".opf", ".xht")
_TEXT_TYPES = {"application/xhtml+xml", "text/html", "application/x-dtbook+xml", "text/x-oeb1-document"}
_SKIPPED = {"head", "script", "style", "template", "noscript", "svg", "math", "audio", "video", "object", "rt", "rp"}
_BLOCKS = {
    *("address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt", "fieldset"),
    *("figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "html"),
    *("li", "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead"),
    *("tr", "ul"),
}
_NAMED_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*;)")
_XML_ENTITIES = {"amp;", "lt;", "gt;", "quot;", "apos;"}
_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
_SPACES = re.compile(r"[ \t\r\n\f]+")


def load_epub(source: str, stream: ByteStream, notes: LoadNotes) -> Iterator[Document]:
    """Read a book as one document, a blank line between its chapters; a chapter that cannot be read is a problem."""
    members = read_members(source, stream, "EPUB", wanted=_is_markup, max_bytes=MAX_DOCUMENT_BYTES)
    with library_errors(source, "EPUB"):
        package = _package(members)
        chapters = list(_chapters(source, package, members))
        about = dublin_core(members[package], ("date",))
        text = join_bounded(source, _texts(source, chapters, members, notes), "\n\n")
    yield extracted(source, text, notes, title=about.title, author=about.author, date=about.date)


def _is_markup(name: str) -> bool:
    return name.lower().endswith(_MARKUP)


def _named(element: Any, name: str) -> Iterator[Any]:
    return (each for each in element.iter() if local_name(each) == name)


def _package(members: Mapping[str, bytes]) -> str:
    """Return the name of the package document, which lists what the book consists of."""
    if _CONTAINER in members:
        for root_file in _named(parse_xml(members[_CONTAINER]), "rootfile"):
            if (name := root_file.get("full-path", "")) in members:
                return str(name)
    return next(name for name in members if name.lower().endswith(".opf"))


def _chapters(source: str, package: str, members: Mapping[str, bytes]) -> Iterator[str]:
    """Yield the members that hold the chapters, in reading order, each once.

    Raises:
        LoadError: if they are encrypted.
    """
    root = parse_xml(members[package])
    items = {item.get("id"): item for item in _named(root, "item")}
    locked = members.get("META-INF/encryption.xml")
    encrypted = (
        {unquote(each.get("URI", "")) for each in _named(parse_xml(locked), "CipherReference")} if locked else ()
    )
    seen: set[str] = set()
    for reference in _named(root, "itemref"):
        item = items.get(reference.get("idref"))
        if item is None or item.get("media-type", "application/xhtml+xml") not in _TEXT_TYPES:
            continue
        name = posixpath.normpath(posixpath.join(posixpath.dirname(package), unquote(item.get("href", ""))))
        if name in encrypted:
            raise LoadError(source, "is protected by a password or a licence (DRM); use a copy without it")
        if name not in seen:
            seen.add(name)
            yield name


def _texts(source: str, chapters: Iterable[str], members: Mapping[str, bytes], notes: LoadNotes) -> Iterator[str]:
    """Yield the text of each chapter that has some; note those that cannot be read."""
    for name in chapters:
        try:
            where = f"{source}#{printable(name)}"
            if name not in members:
                raise LoadError(where, "is listed as a chapter and is not in the book")
            with library_errors(where, "EPUB"):
                text = "\n".join(spaced(_lines(_tree(members[name]))))
        except LoadError as error:
            notes.problems.append(error)
            continue
        if text:
            yield text


def _tree(content: bytes) -> Any:
    """Parse a chapter as XHTML, else, where it is not well formed, as HTML."""
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = content.decode("utf-16") if wide else decode(content)[0].removeprefix("\ufeff")
    return parse_xhtml(_NAMED_ENTITY.sub(_character, _DECLARATION.sub("", text, count=1)))


def _character(match: re.Match[str]) -> str:
    """Return the character of a named HTML entity, which XML does not know; those of XML stay."""
    return match[0] if match[1] in _XML_ENTITIES else html5.get(match[1], match[0])


def _lines(root: Any) -> Iterator[str]:
    """Yield the visible lines under an element: a block begins and ends a line, a row of a table is one."""
    line: list[str] = []
    yield from _walk(root, line)
    yield "".join(line)


def _walk(element: Any, line: list[str], *, is_kept: bool = False) -> Iterator[str]:
    """Yield the lines that end within an element; what is left of the last is in ``line``."""
    name = local_name(element)
    if name in _BLOCKS:
        yield from _taken(line)
    if name == "tr":
        yield table_row("\n".join(_lines_inside(cell)) for cell in element if local_name(cell) in {"td", "th"})
    elif name == "br":
        yield from _taken(line)
    elif name and name not in _SKIPPED:
        is_kept = is_kept or name == "pre"
        yield from _added(element.text, line, is_kept)
        for child in element:
            yield from _walk(child, line, is_kept=is_kept)
            yield from _added(child.tail, line, is_kept)
    if name in _BLOCKS:
        yield from _taken(line)


def _lines_inside(cell: Any) -> Iterator[str]:
    line: list[str] = []
    yield from _added(cell.text, line, is_kept=False)
    for child in cell:
        yield from _walk(child, line)
        yield from _added(child.tail, line, is_kept=False)
    yield "".join(line)


def _taken(line: list[str]) -> Iterator[str]:
    """Yield the line that has come together, and begin a new one."""
    yield "".join(line)
    line.clear()


def _added(text: str | None, line: list[str], is_kept: bool) -> Iterator[str]:
    """Add text to the line; in preformatted text its line breaks end lines, elsewhere white space is one space."""
    if not text:
        return
    if not is_kept:
        line.append(_SPACES.sub(" ", text))
        return
    first, *rest = text.split("\n")
    line.append(first)
    for each in rest:
        yield from _taken(line)
        line.append(each)
