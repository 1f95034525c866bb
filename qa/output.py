"""Answers as the JSON that the command line and the page's endpoints hand out."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from index.types import Hit
from qa.types import Answer

__all__ = ["answer_to_dict", "hit_to_dict"]


def answer_to_dict(answer: Answer) -> dict[str, Any]:
    """Return an answer as JSON values, with the fields of `Answer`, `Citation` and `Statement` under their names.

    A citation has a ``page`` only where its document has pages, ``date_notes`` only where it has some, an answer a
    ``notice`` only where there is one;
    ``is_written`` is left out, as ``mode`` says who wrote.
    """
    record = asdict(answer)
    del record["is_written"]
    if answer.notice is None:
        del record["notice"]
    return record | {
        "citations": [_noted(_paged(citation)) for citation in record["citations"]],
        "statements": [dict(s) | {"markers": list(s["markers"])} for s in record["statements"]],
        "timings_ms": dict(answer.timings_ms),
    }


def hit_to_dict(hit: Hit) -> dict[str, Any]:
    """Return a hit as JSON values, its passage with exact offsets."""
    document, span = hit.passage.document, hit.passage.span
    record = {
        "document_id": document.id,
        "source": document.source,
        "title": document.title,
        "date": document.date,
        "page": document.page_at(span.start),
        "start": span.start,
        "end": span.end,
        "text": hit.passage.text,
        "score": hit.score,
    }
    return _paged(record)


def _noted(citation: dict[str, Any]) -> dict[str, Any]:
    """Return a citation with its notes of dates only where it has some."""
    notes = citation.pop("date_notes")
    return citation | {"date_notes": list(notes)} if notes else citation


def _paged(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "page" or value is not None}
