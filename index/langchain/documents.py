"""Documents and filters of LangChain as the index keeps them, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from langchain_core.documents import Document as LangChainDocument

from index.date_values import parse_date
from index.dates import read_header
from index.embed import check_unicode
from index.errors import InputError
from index.types import Document

__all__ = ["from_langchain", "search_filters", "to_langchain"]

_FILTERS = ("filter", "since", "until", "source")


def from_langchain(document: LangChainDocument, id_: str) -> Document:
    """Return a document as the index keeps it.

    Raises:
        InputError: if it cannot be kept as it is.
    """
    text, metadata = document.page_content, document.metadata
    check_unicode([id_, text])
    try:
        kept = json.loads(json.dumps(metadata, ensure_ascii=False, allow_nan=False).encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"metadata of document {id_!r}: expected JSON values only ({error})") from error
    if kept != metadata:
        raise InputError(
            f"metadata of document {id_!r}: found keys that are no strings, or tuples; expected JSON values"
        )
    title = metadata.get("title")
    title = title if isinstance(title, str) and title.strip() else None
    date, body_start = read_header(text)
    if not text[body_start:].strip():  # a date and nothing else: that is what the document says
        body_start = 0
    return Document(id_, id_, text, title, parse_date(metadata.get("date")) or date, body_start, kept)


def to_langchain(document: Document) -> LangChainDocument:
    """Return a document as it was added; one of a file with what the index knows of it in its metadata."""
    metadata = dict(document.metadata)
    if document.id != document.source:
        known = {"source": document.source, "title": document.title, "date": document.date}
        metadata = {name: value for name, value in known.items() if value is not None} | metadata
    return LangChainDocument(document.text, id=document.source, metadata=metadata)


def search_filters(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the filters of a search as `CorpusIndex` names them.

    Raises:
        InputError: if one is unknown or no filter.
    """
    unknown = [name for name in given if name not in _FILTERS]
    if unknown:
        raise InputError(f"unknown search option {unknown[0]!r}: expected one of {', '.join(_FILTERS)}")
    where, source = given.get("filter"), given.get("source") or ()
    if where is not None and not isinstance(where, Mapping):
        raise InputError(f"filter is {type(where).__name__}: expected a dict of metadata field and value")
    for name, value in (where or {}).items():
        if isinstance(value, Mapping):
            raise InputError(
                f"filter on {name!r}: found {value!r}, expected a value, or a list of values to choose from"
            )
    sources = (source,) if isinstance(source, str) else tuple(source)
    return {"since": given.get("since"), "until": given.get("until"), "sources": sources, "where": where}
