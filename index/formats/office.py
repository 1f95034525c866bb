"""What the loaders of zip-based office formats share: the container read with limits, safe XML, the properties.

The container is unpacked here, member by member and with limits, and no library is handed the file itself: a zip may
lie about sizes, and zipfile then decompresses up to 2 GiB at once before it cuts to the size that was declared
(CPython 3.11, `ZipExtFile.read` without a number). What is unpacked is packed again without compression for the
libraries that want a file, in memory, without pictures and films.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from index.dates import parse_date
from index.decode import LIMITS, MAX_DOCUMENT_BYTES, ByteStream, printable, reading
from index.errors import LoadError

__all__ = [
    "MAX_MEMBERS",
    "MAX_TREE_BYTES",
    "Properties",
    "core_properties",
    "dublin_core",
    "join_bounded",
    "library_errors",
    "local_name",
    "packed",
    "parse_xhtml",
    "parse_xml",
    "read_members",
    "spaced",
    "zip_format",
]

MAX_MEMBERS = 20_000
"""Most members of a container: a long book or deck has some thousands."""

MAX_TREE_BYTES = 64 * 2**20
"""Most XML that is held as a tree: 64 MiB are some 5,000 pages, held in less than 1 GiB."""

_BYTES_A_TAG = 16
"""Fewest bytes of the limit that a tag takes up: an element costs some 130 bytes of memory, however short its name."""

_ENTRY_MAGIC = b"PK\x01\x02"
_MIMETYPES = {
    b"application/vnd.oasis.opendocument.text": "odt",
    b"application/vnd.oasis.opendocument.text-template": "odt",
    b"application/epub+zip": "epub",
}
_FOLDERS = {"word": "docx", "ppt": "pptx", "xl": "xlsx"}
_OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PROTECTED = "is protected by a password; save it without one"
# A document type can define entities; office formats have none. UTF-16 writes each letter in two bytes.
_ENTITIES = tuple("<!ENTITY".encode(encoding) for encoding in ("ascii", "utf-16-le", "utf-16-be"))
# Bytes that begin XML in UTF-32 or EBCDIC, which would hide the above and which office programs do not write.
_ODD_ENCODINGS = (b"\x00\x00\x00<", b"<\x00\x00\x00", b"\x00\x00\xfe\xff", b"\xff\xfe\x00\x00", b"\x4c\x6f\xa7\x94")


@dataclass(frozen=True, slots=True)
class Properties:
    """What a file says about itself; None where it does not."""

    title: str | None = None
    author: str | None = None
    date: str | None = None


def zip_format(stream: ByteStream) -> str | None:
    """Say which office format a zip container holds, by its members; the stream is left where it was.

    Returns:
        ``docx``, ``pptx``, ``xlsx``, ``odt``, ``epub``, or None for a plain archive, one that is damaged, or one that
        is larger than any document. Never raises.
    """
    try:
        start = stream.tell()
        try:
            data = stream.read(MAX_DOCUMENT_BYTES + 1)
        finally:
            stream.seek(start)
        return None if len(data) > MAX_DOCUMENT_BYTES else _format_of(data)
    except Exception:  # noqa: BLE001 - zipfile raises anything on damaged files (struct.error, OverflowError, ...)
        return None


def _format_of(data: bytes) -> str | None:
    if data.count(_ENTRY_MAGIC) > MAX_MEMBERS:
        return None
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = {_plain_name(name) for name in archive.namelist()}
        if "mimetype" in archive.namelist():
            with archive.open("mimetype") as member:
                return _MIMETYPES.get(member.read(100).strip())
    if "[content_types].xml" not in {name.lower() for name in names}:
        return None
    return next((kind for name in sorted(names) if (kind := _FOLDERS.get(name.partition("/")[0].lower()))), None)


def _plain_name(name: str) -> str:
    """Return a member's name as the formats mean it: some programs write backslashes or a leading slash."""
    return name.replace("\\", "/").lstrip("/")


def read_members(
    source: str, stream: ByteStream, kind: str, *, wanted: Callable[[str], bool], max_bytes: int = MAX_TREE_BYTES
) -> dict[str, bytes]:
    """Unpack the members of a container that are wanted, with limits, and look for what is unsafe in their XML.

    Args:
        source: the file.
        stream: its bytes, from the start.
        kind: the format for messages, ``DOCX``.
        wanted: says of a member's name whether its bytes are wanted; the others have none.
        max_bytes: most bytes that the wanted members may have together, decompressed.

    Returns:
        Every member's bytes by its name, in the container's order; ``b""`` for those that are not wanted.

    Raises:
        LoadError: if the container is damaged, too large, protected by a password, or if its XML defines entities.
    """
    with reading(source):
        data = stream.read(MAX_DOCUMENT_BYTES + 1)
    if len(data) > MAX_DOCUMENT_BYTES:
        raise LoadError(source, f"too large; {LIMITS}")
    if data.startswith(_OLE_MAGIC) and "EncryptedPackage".encode("utf-16-le") in data:
        raise LoadError(source, _PROTECTED)
    if data.count(_ENTRY_MAGIC) > MAX_MEMBERS:
        raise LoadError(source, f"holds more than {MAX_MEMBERS} members, which no {kind} file has; split it")
    with library_errors(source, kind), zipfile.ZipFile(io.BytesIO(data)) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
        if any(info.flag_bits & 1 for info in infos):
            raise LoadError(source, _PROTECTED)
        members = {_plain_name(info.filename): b"" for info in infos}
        chosen = [info for info in infos if wanted(_plain_name(info.filename))]
        if sum(info.file_size for info in chosen) > max_bytes:
            raise LoadError(source, _too_large(kind, max_bytes))
        n_tags = 0
        for info in chosen:
            content = _member(source, data, archive, info, kind)
            n_tags += content.count(b"<")
            if n_tags * _BYTES_A_TAG > max_bytes:
                raise LoadError(
                    source, f"holds more than {max_bytes // _BYTES_A_TAG} tags, the most for {kind}; split it"
                )
            members[_plain_name(info.filename)] = content
        return members


def _too_large(kind: str, max_bytes: int) -> str:
    return f"holds more than {max_bytes >> 20} MiB of text and markup, decompressed, the most for {kind}; split it"


def _member(source: str, data: bytes, archive: zipfile.ZipFile, info: zipfile.ZipInfo, kind: str) -> bytes:
    """Return the bytes of a member, which must have the size that its entry declares, and no byte more."""
    archive.open(info).close()  # checks the header before the bytes, which the offsets below are read from
    lengths = struct.unpack_from("<HH", data, info.header_offset + 26)
    start = info.header_offset + 30 + sum(lengths)
    compressed = data[start : start + info.compress_size]
    if info.compress_type == zipfile.ZIP_STORED:
        content = compressed
    elif info.compress_type == zipfile.ZIP_DEFLATED:
        content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(compressed, info.file_size + 1)
    else:
        raise LoadError(source, f"is compressed in a way that {kind} files are not; save it again")
    if len(content) != info.file_size or zlib.crc32(content) != info.CRC:
        raise zipfile.BadZipFile(f"{info.filename} has not the size and checksum that it declares")
    if any(mark in content for mark in _ENTITIES) or content.startswith(_ODD_ENCODINGS):
        raise LoadError(source, "holds XML that defines entities or hides its encoding, which is refused as unsafe")
    return content


def packed(members: Mapping[str, bytes]) -> io.BytesIO:
    """Return the members as an uncompressed zip in memory, for a library that wants a file."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    stream.seek(0)
    return stream


@contextmanager
def library_errors(source: str, kind: str) -> Iterator[None]:
    """Turn whatever a library raises on a damaged file into a LoadError that names the file."""
    try:
        yield
    except LoadError:
        raise
    except Exception as error:  # they raise anything: KeyError, struct.error, lxml's own errors, RecursionError
        found = printable(" ".join(f"{type(error).__name__} {error}".split())[:100])
        reason = (
            f"is a damaged or cut off {kind} file ({found}); open it in the program that wrote it and save it again"
        )
        raise LoadError(source, reason) from error


def parse_xml(content: bytes | str) -> Any:
    """Return the root of an XML text, as an lxml element: no entity, no DTD, nothing from outside.

    Raises:
        ValueError: if it is larger than `MAX_TREE_BYTES`.
        lxml.etree.XMLSyntaxError: if it is not well formed.
    """
    from lxml import etree  # noqa: PLC0415 - only those who read office files wait for it

    if len(content) > MAX_TREE_BYTES:
        raise ValueError(f"more than {MAX_TREE_BYTES >> 20} MiB of XML in one member")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    return etree.fromstring(content, parser)


def parse_xhtml(text: str) -> Any:
    """Return the root of an XHTML text, as `parse_xml`; where it is not well formed, as a browser would read it.

    Raises:
        ValueError: if it is larger than `MAX_TREE_BYTES`.
        lxml.etree.XMLSyntaxError: if there is nothing in it.
    """
    from lxml import etree  # noqa: PLC0415 - only those who read office files wait for it

    try:
        return parse_xml(text)
    except etree.XMLSyntaxError:
        return etree.fromstring(text, etree.HTMLParser(no_network=True, huge_tree=False, remove_comments=True))


def local_name(element: Any) -> str:
    """Return an element's name without its namespace; "" for what is no element, such as an entity."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def core_properties(members: Mapping[str, bytes]) -> Properties:
    """Return the properties of a DOCX, PPTX or XLSX file, its date when it was created, else last changed.

    They are no reason to refuse a file: those that cannot be read are absent.
    """
    content = next((members[name] for name in members if name.lower() == "docprops/core.xml"), b"")
    return dublin_core(content, ("created", "modified"))


def dublin_core(content: bytes, dates: Iterable[str], authors: Iterable[str] = ("creator",)) -> Properties:
    """Return the properties of an XML text that holds them as Dublin Core, whatever is around them.

    Args:
        content: the XML; properties are absent where it cannot be read.
        dates: the names of the elements that hold a date, the one to be preferred first.
        authors: the names of the elements that hold an author, likewise; several of one name are joined.
    """
    from lxml import etree  # noqa: PLC0415 - only those who read office files wait for it

    try:
        root = parse_xml(content)
    except (etree.XMLSyntaxError, ValueError):
        return Properties()
    found: dict[str, list[str]] = {}
    for element in root.iter():
        if value := " ".join("".join(element.itertext()).split()) if len(element) == 0 else "":
            found.setdefault(local_name(element), []).append(value)
    date = next((found[name][0] for name in dates if name in found), None)
    # Fractions of any length, which the W3C's date format allows, are not read as a date; the day is.
    if date and parse_date(date) is None and parse_date(date[:10]) is not None:
        date = date[:10]
    creators = next((dict.fromkeys(found[name]) for name in authors if name in found), {})
    return Properties(next(iter(found.get("title", ())), None), ", ".join(creators) or None, date)


def join_bounded(source: str, parts: Iterable[str], separator: str) -> str:
    """Join parts as they come.

    Raises:
        LoadError: as soon as they are larger than a document may be.
    """
    kept: list[str] = []
    n_characters = 0
    for part in parts:
        n_characters += len(part) + len(separator)
        if n_characters > MAX_DOCUMENT_BYTES:
            raise LoadError(source, f"too large; {LIMITS}")
        kept.append(part)
    return separator.join(kept)


def spaced(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines without white space at their ends, and without those that are empty."""
    return (stripped for line in lines if (stripped := line.strip()))
