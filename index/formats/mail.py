"""E-mails (.eml): the message, and each attachment as a document of its own."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from typing import cast

from index.decode import ByteStream, decode_labelled, read_bytes
from index.errors import LoadError
from index.formats.extracted import extracted
from index.formats.html import page_document
from index.formats.nested import distinct_names, load_member
from index.formats.notes import LoadNotes
from index.types import Document

__all__ = ["load_mail"]

_SIGNATURES = frozenset(["application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"])
_MAX_HEADER = 5_000
"""Most characters of a header that are read: the standard library takes quadratic time for them (CPython 3.11)."""


class _BoundedPolicy(email.policy.EmailPolicy):
    """The default policy of e-mails, for headers of a bounded length."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        return cast(str, super().header_fetch_parse(name, value[:_MAX_HEADER]))


_POLICY = _BoundedPolicy()


@dataclass(frozen=True, slots=True)
class _Text:
    text: str
    is_html: bool


def load_mail(source: str, stream: ByteStream, notes: LoadNotes) -> Iterator[Document]:
    """Read a message: its subject is the title; its plain part is taken, else its HTML part.

    An attachment ``name.pdf`` has the source ``mail.eml#name.pdf``; a message that is forwarded in it is one, too.
    Pictures that the text shows within itself, and signatures, are no attachments.
    """
    data = read_bytes(source, stream)
    try:
        message = cast(EmailMessage, email.message_from_bytes(data, policy=_POLICY))
        title, author, date = _header(message, "subject"), _header(message, "from"), _date(message)
        leaves = list(_leaves(message))
        attachments = [part for part in leaves if not _is_text(part) and not _is_decoration(part)]
        files = [(_file_name(part, number), _content(part)) for number, part in enumerate(attachments, start=1)]
        texts = [_text(source, part, notes) for part in leaves if _is_text(part)]
    except Exception as error:  # the parser of the standard library raises many things on broken headers
        raise LoadError(source, f"cannot be read as an e-mail ({type(error).__name__}); save it as text") from error
    try:
        body = "\n\n".join(_plain(source, each, notes) for each in texts if each.text.strip())
        yield extracted(source, body, notes, title=title, date=date, author=author)
    except LoadError as error:
        if not files:
            raise
        notes.warnings.append(str(error))
    for (name, content), shown in zip(files, distinct_names([name for name, _ in files]), strict=True):
        yield from load_member(f"{source}#{shown}", name, content, notes)


def _leaves(message: EmailMessage) -> Iterator[EmailMessage]:
    """Yield the parts that are no containers, in order; of those that say the same, the plain one, else HTML."""
    waiting = [message]
    while waiting:
        part = waiting.pop()
        if not part.is_multipart() or part.get_content_maintype() == "message":
            yield part
            continue
        children = cast(list[EmailMessage], list(part.iter_parts()))
        if part.get_content_subtype() == "alternative":
            children = [min(children, key=_preference)] if children else []
        waiting += reversed(children)


def _preference(part: EmailMessage) -> int:
    """Return 0 for a plain text that is not empty, 1 for HTML or a container of it, 2 for the rest."""
    if part.get_content_type() == "text/plain":
        return 0 if _content(part).strip() else 2
    return 1 if part.get_content_type() == "text/html" or part.is_multipart() else 2


def _is_text(part: EmailMessage) -> bool:
    """Say whether a part is of the message itself."""
    is_file = part.is_attachment() or part.get_filename() is not None
    return part.get_content_type() in ("text/plain", "text/html") and not is_file


def _is_decoration(part: EmailMessage) -> bool:
    is_inline = part.get_content_maintype() == "image" and not part.is_attachment()
    return is_inline or part.get_content_type() in _SIGNATURES


def _file_name(part: EmailMessage, number: int) -> str:
    """Return the name of an attachment; its number for one without, with what tells a message."""
    return part.get_filename() or (f"{number}.eml" if part.get_content_type() == "message/rfc822" else str(number))


def _content(part: EmailMessage) -> bytes:
    if part.get_content_maintype() == "message" and part.is_multipart():
        return b"".join(each.as_bytes() for each in part.get_payload() if isinstance(each, EmailMessage))
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _text(source: str, part: EmailMessage, notes: LoadNotes) -> _Text:
    """Return a text part in the encoding that it says it has, else in that which it looks like."""
    text, warning = decode_labelled(_content(part), part.get_content_charset())
    if warning is not None:
        notes.warnings.append(f"{source}: {warning}")
    return _Text(text.replace("\r\n", "\n"), part.get_content_subtype() == "html")


def _plain(source: str, part: _Text, notes: LoadNotes) -> str:
    return page_document(source, part.text, notes).text if part.is_html else part.text


def _header(message: EmailMessage, name: str) -> str | None:
    value = message[name]
    return None if value is None else str(value)


def _date(message: EmailMessage) -> str | None:
    """Return the day of the message where it was sent, ISO; None where its header is missing or none."""
    try:
        return parsedate_to_datetime(str(message["date"])).date().isoformat() if message["date"] else None
    except (ValueError, TypeError, OverflowError):
        return None
