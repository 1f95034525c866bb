"""Receipts: an answer or a conversation as a file whose citations can be checked again later (pure but for the corpus).

Each form, JSON, Markdown and HTML, holds the same record; Markdown and HTML carry it in a comment, and what is read in
them is what the record renders to: a word changed by hand in either is found.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from index.errors import InputError
from index.searchable import Searchable
from index.types import Document
from qa.receipt_pages import to_html, to_markdown
from qa.types import Answer

__all__ = [
    "RECEIPT_FORMAT",
    "Receipt",
    "ReceiptCitation",
    "ReceiptTurn",
    "document_hash",
    "make_receipt",
    "read_receipt",
]

RECEIPT_FORMAT = 1
"""Version of the record: to be raised whenever its fields change."""

_NAME = "sourcier-receipt"
_EMBEDDED = re.compile(rf"<!-- {_NAME} ([A-Za-z0-9+/=]+) -->")
_MOST_CHARACTERS = 64 * 2**20


@dataclass(frozen=True, slots=True)
class ReceiptCitation:
    """A citation as it was shown.

    Attributes:
        marker: its number in the answer, from 1.
        document_id: id of the document.
        source: source of the document.
        title: its title, or None.
        date: its date, ISO 8601 at its own precision, or None.
        page: number of the page, from 1, or None.
        start: first character of the quotation in the document's text, in code points.
        end: one past its last.
        text: the quotation.
        document_sha256: SHA-256 of the document's text in UTF-8, or None where the document no longer had the quotation
            when the receipt was made.
    """

    marker: int
    document_id: str
    source: str
    title: str | None
    date: str | None
    page: int | None
    start: int
    end: int
    text: str
    document_sha256: str | None


@dataclass(frozen=True, slots=True)
class ReceiptTurn:
    """One question and its answer; the fields are those of `qa.types.Answer`."""

    question: str
    understood_as: str
    answered: bool
    text: str
    short_answer: str | None
    confidence: float
    reason: str | None
    mode: str
    generation: int
    citations: tuple[ReceiptCitation, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """Questions with their answers and what these cite, oldest first."""

    turns: tuple[ReceiptTurn, ...]

    def to_json(self) -> str:
        """Return the record as indented JSON."""
        return json.dumps(self._record(), ensure_ascii=False, indent=2) + "\n"

    def to_markdown(self) -> str:
        """Return Markdown to be read, with the record in a comment at its end."""
        return f"{to_markdown(self)}\n<!-- {_NAME} {self._packed()} -->\n"

    def to_html(self) -> str:
        """Return a page that needs nothing else, with the record in a comment at its end."""
        return f"{to_html(self)}<!-- {_NAME} {self._packed()} -->\n"

    def _record(self) -> dict[str, Any]:
        return {"kind": _NAME, "format": RECEIPT_FORMAT, "turns": [asdict(turn) for turn in self.turns]}

    def _packed(self) -> str:
        # In base 64, since a comment must not hold "--", which a document may.
        return b64encode(json.dumps(self._record(), ensure_ascii=False).encode()).decode()


def make_receipt(answers: Sequence[Answer], corpus: Searchable) -> Receipt:
    """Return the receipt of one answer or of a whole conversation.

    Args:
        answers: oldest first, at least one.
        corpus: what they were given from, for the hashes of the documents.

    Raises:
        InputError: if there is no answer.
    """
    if not answers:
        raise InputError("receipt: found no answer, expected at least one")
    documents = corpus.find_documents(sorted({cited.source for answer in answers for cited in answer.citations}))
    return Receipt(tuple(_turn(answer, documents) for answer in answers))


def read_receipt(text: str) -> Receipt:
    """Read what `Receipt` wrote, in any of its three forms.

    Raises:
        InputError: if it is none, is of another format, is damaged, or shows other words than its record renders to.
    """
    if len(text) > _MOST_CHARACTERS:
        raise InputError(f"receipt: found {len(text):,} characters, expected at most {_MOST_CHARACTERS:,}")
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    packed = list(_EMBEDDED.finditer(text))
    if not packed:
        return _receipt_of(_loaded(text))
    try:
        held = b64decode(packed[-1][1], validate=True).decode()
    except ValueError as error:
        raise InputError(f"receipt: its record cannot be read ({error}); export the answer again") from error
    receipt = _receipt_of(_loaded(held))
    shown = receipt.to_html() if text.lstrip().startswith("<!DOCTYPE") else receipt.to_markdown()
    shown = shown.replace("\r\n", "\n")
    if text.rstrip() != shown.rstrip():
        line = _first_difference(text, shown)
        raise InputError(f"receipt: line {line} is not as it was exported: something was changed in what is read")
    return receipt


def document_hash(document: Document) -> str:
    """Return the SHA-256 of a document's text in UTF-8, in hexadecimal."""
    return hashlib.sha256(document.text.encode("utf-8", "surrogatepass")).hexdigest()


def _turn(answer: Answer, documents: Mapping[str, Document]) -> ReceiptTurn:
    citations = []
    for cited in answer.citations:
        document = documents.get(cited.source)
        has_it = document is not None and document.text[cited.start : cited.end] == cited.text
        held = {f.name: getattr(cited, f.name) for f in fields(ReceiptCitation) if f.name != "document_sha256"}
        citations.append(
            ReceiptCitation(**held, document_sha256=document_hash(document) if document and has_it else None)
        )
    held = {f.name: getattr(answer, f.name) for f in fields(ReceiptTurn) if f.name != "citations"}
    return ReceiptTurn(**held, citations=tuple(citations))


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"receipt: found neither JSON nor Markdown or HTML with a record in it ({error}); expected a file that "
            "`python -m qa ask … --export FILE` or the page wrote"
        ) from error


def _receipt_of(record: Any) -> Receipt:
    """Return the receipt of a record that may be anything."""
    if not isinstance(record, dict) or record.get("kind") != _NAME:
        raise InputError(f"receipt: found another kind of file, expected one whose kind is {_NAME}")
    if record.get("format") != RECEIPT_FORMAT:
        raise InputError(
            f"receipt: found format {record.get('format')!r}, expected {RECEIPT_FORMAT}; export the answer again"
        )
    try:
        return Receipt(
            tuple(
                ReceiptTurn(
                    **_typed(ReceiptTurn, {**turn, "citations": ()})
                    | {"citations": tuple(ReceiptCitation(**_typed(ReceiptCitation, c)) for c in turn["citations"])}
                )
                for turn in record["turns"]
            )
        )
    except (KeyError, TypeError) as error:
        raise InputError(f"receipt: damaged ({error}); export the answer again") from error


_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "str": str,
    "int": int,
    "bool": bool,
    "float": (float, int),
    "str | None": (str, type(None)),
    "int | None": (int, type(None)),
}


def _typed(made: type[ReceiptTurn | ReceiptCitation], record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a record, each of its type.

    Raises:
        TypeError: if one is missing, of another type, or unknown.
    """
    expected = {each.name: str(each.type) for each in fields(made)}
    wrong = sorted(set(expected) ^ set(record))
    if wrong:
        raise TypeError(f"fields {', '.join(wrong)} missing or unknown")
    for name, kind in expected.items():
        if kind in _TYPES and not isinstance(record[name], _TYPES[kind]):
            raise TypeError(f"{name} is {record[name]!r}")
    return dict(record)


def _first_difference(text: str, shown: str) -> int:
    lines, wanted = text.split("\n"), shown.split("\n")
    return next(
        (n for n, (a, b) in enumerate(zip(lines, wanted, strict=False), start=1) if a.rstrip() != b.rstrip()),
        min(len(lines), len(wanted)),
    )
