"""PDF: the text page by page, as the file places it; the one door to PDFium."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import Any

from index.decode import LIMITS, MAX_DOCUMENT_BYTES, ByteStream, reading
from index.errors import LoadError
from index.formats.extracted import extracted
from index.formats.notes import LoadNotes
from index.formats.office import Properties, library_errors
from index.types import Document

__all__ = ["load_pdf"]

_PDFIUM = threading.Lock()
"""PDFium may be used by one thread at a time (fpdfview.h), and documents are loaded in the background too."""

_MAX_PAGES = 100_000
_PASSWORD_ERROR, _SECURITY_ERROR = 4, 5
"""FPDF_ERR_PASSWORD and FPDF_ERR_SECURITY of fpdfview.h."""

# PDFium writes U+0002, or U+FFFE, for a hyphen at a line's end and leaves out the break; some hyphens it leaves alone.
_LINE_HYPHEN = re.compile(r"[\ufffe\x02]\n?|(?<=[^\W\d_])[-\u2010\xad]\n(?=[^\W\d_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_DATE = re.compile(r"(?:D:(?=\d)|(?=\d{8}))(?P<year>\d{4})(?P<month>\d\d)?(?P<day>\d\d)?")
_SCANNED = "has no text, only pictures of pages (scanned); run text recognition (OCR) on it"


def load_pdf(source: str, stream: ByteStream, notes: LoadNotes) -> Iterator[Document]:
    """Read a PDF as one document, its lines as they stand, with words mended that a hyphen cut at a line's end."""
    with reading(source):
        data = stream.read(MAX_DOCUMENT_BYTES + 1)
    if len(data) > MAX_DOCUMENT_BYTES:
        raise LoadError(source, f"too large; {LIMITS}")
    with _PDFIUM, library_errors(source, "PDF"):
        texts, about = _read(source, data)
    if not any(text.strip() for text in texts):
        raise LoadError(source, _SCANNED if texts else "is a PDF without pages")
    while not texts[-1]:  # pages that no character stands on; a damaged file may count any number of them
        texts.pop()
    pages, parts, start = [], [], 0
    for number, text in enumerate(texts):
        pages.append(start)
        parts.append(text if number == len(texts) - 1 else text + _between(text, texts[number + 1]))
        start += len(parts[-1])
    yield extracted(source, "".join(parts), notes, title=about.title, author=about.author, date=about.date, pages=pages)


def _read(source: str, data: bytes) -> tuple[list[str], Properties]:
    """Return the text of each page, and the document's information; all that PDFium opened is closed."""
    import pypdfium2  # noqa: PLC0415 - only those who read PDF wait for it

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code in {_PASSWORD_ERROR, _SECURITY_ERROR}:
            raise LoadError(source, "is protected by a password; save it without one") from error
        raise
    with document:
        if len(document) > _MAX_PAGES:
            raise LoadError(source, f"has more than {_MAX_PAGES} pages; split it")
        texts: list[str] = []
        n_characters = 0
        for number in range(len(document)):
            texts.append(_page(document, number))
            n_characters += len(texts[-1])
            if n_characters > MAX_DOCUMENT_BYTES:
                raise LoadError(source, f"too large; {LIMITS}")
        date = _date(_information(document, "CreationDate")) or _date(_information(document, "ModDate"))
        return texts, Properties(_information(document, "Title"), _information(document, "Author"), date)


def _information(document: Any, key: str) -> str:
    """Return an entry of the document information; "" where there is none, or none that can be read."""
    try:
        return _CONTROLS.sub("", document.get_metadata_value(key)).strip()
    except UnicodeDecodeError:  # pypdfium2 5.15 decodes it strictly
        return ""


def _page(document: Any, number: int) -> str:
    """Return the text of a page; "" for one that is listed and cannot be read, which keeps its place."""
    from pypdfium2 import PdfiumError  # noqa: PLC0415 - only those who read PDF wait for it

    try:
        page = document[number]
    except PdfiumError:
        return ""
    try:
        text_page = page.get_textpage()
        try:
            return _mended(text_page.get_text_bounded())
        finally:
            text_page.close()
    finally:
        page.close()


def _mended(text: str) -> str:
    """Return the text of a page with plain line breaks, and words joined that a hyphen cut at a line's end."""
    lines = "\n".join(line.rstrip(" \t") for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    return _CONTROLS.sub("", _LINE_HYPHEN.sub(_hyphen, lines)).strip()


def _hyphen(match: re.Match[str]) -> str:
    """Return "" for a hyphen between two lower case letters; else it belongs to the word ("Saint-Denis")."""
    before, after = match.string[max(match.start() - 1, 0) : match.start()], match.string[match.end() : match.end() + 1]
    return "" if before.islower() and after.islower() else "-"


def _between(text: str, following: str) -> str:
    """Return what stands between two pages: a line break within a sentence, else a blank line."""
    goes_on = text[-1:].isalnum() or text[-1:] in {",", ";", "-"}
    return "\n" if goes_on and following[:1].islower() else "\n\n"


def _date(value: str) -> str | None:
    """Return the day of a PDF date, ``D:20221011120000+02'00'``, as ISO 8601; None where there is none."""
    match = _DATE.match(value.strip())
    return "-".join(part for part in match.groups() if part) if match else value.strip() or None
