"""E-mails (.eml): the message, and each attachment as a document of its own."""

from __future__ import annotations

import email
import email.policy
import io
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

from index.decode import LIMITS, MAX_DOCUMENT_BYTES, ByteStream, printable, reading
from index.errors import LoadError
from index.formats.extracted import extracted
from index.formats.html import page_document
from index.formats.nested import load_member
from index.formats.notes import LoadNotes
from index.types import Document

__all__ = ["load_mail"]


def load_mail(source: str, stream: ByteStream, notes: LoadNotes) -> Iterator[Document]:
    """Read a message: its subject is the title; its plain part is taken, else its HTML part.

    An attachment ``name.pdf`` has the source ``mail.eml#name.pdf``.
    """
    with reading(source):
        data = stream.read(MAX_DOCUMENT_BYTES + 1)
    if len(data) > MAX_DOCUMENT_BYTES:
        raise LoadError(source, f"too large; {LIMITS}")
    try:
        message = email.message_from_bytes(data, policy=email.policy.default)
        body, is_html = _body(message)
        title, author, date = _header(message, "subject"), _header(message, "from"), _date(message)
        attachments = [
            (part.get_filename() or f"{number}", part.get_payload(decode=True) or b"")
            for number, part in enumerate(message.iter_attachments(), start=1)
        ]
    except Exception as error:  # the parser of the standard library raises many things on broken headers
        raise LoadError(source, f"cannot be read as an e-mail ({type(error).__name__})") from error
    try:
        if is_html:
            body = page_document(source, body.encode(), LoadNotes()).text
        yield extracted(source, body, notes, title=title, date=date, author=author)
    except LoadError as error:
        if not attachments:
            raise
        notes.warnings.append(str(error))
    taken: set[str] = set()
    for number, (name, content) in enumerate(attachments, start=1):
        fragment = printable(name)
        while fragment in taken:
            fragment += f"@{number}"
        taken.add(fragment)
        if isinstance(content, bytes) and content:
            yield from load_member(f"{source}#{fragment}", name, io.BytesIO(content), notes)


def _body(message: EmailMessage) -> tuple[str, bool]:
    """Return the text of the message, and whether it is HTML."""
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return "", False
    return str(part.get_content()), part.get_content_subtype() == "html"


def _header(message: EmailMessage, name: str) -> str | None:
    value = message[name]
    return None if value is None else str(value)


def _date(message: EmailMessage) -> str | None:
    """Return the day of the message, ISO; None where its header is missing or none."""
    try:
        return parsedate_to_datetime(str(message["date"])).date().isoformat() if message["date"] else None
    except (ValueError, TypeError, OverflowError):
        return None
