"""Answers as the JSON that the command line and the page's endpoints hand out, and back again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, get_args

from index.errors import InputError
from index.types import Hit
from qa.relative_dates import DateNote
from qa.types import Answer, Citation, DateRange, Statement, Status

__all__ = ["answer_from_dict", "answer_to_dict", "hit_to_dict"]


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


def answer_from_dict(record: object, *, is_written: bool = False) -> Answer:
    """Return the answer that `answer_to_dict` made a record of, without its timings.

    Args:
        record: JSON values from anywhere.
        is_written: whether a language model wrote it, which the record does not say.

    Raises:
        InputError: if a field is missing or is not of its kind. What the text says of documents is not checked.
    """
    try:
        return _answer(_Fields(record), is_written=is_written)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputError(f"found no answer in the record ({error!r}): expected the JSON of `qa ask --json`") from error


class _Fields:
    """The fields of a JSON object, each asked for by its kind."""

    def __init__(self, record: object) -> None:
        if not isinstance(record, Mapping):
            raise TypeError(f"found {type(record).__name__}, expected an object")
        self._record = record

    def text(self, name: str) -> str:
        return str(self._of(name, str))

    def number(self, name: str) -> float:
        value = self._of(name, (int, float))
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"{name} {value}: expected 0 to 1")
        return float(value)

    def count(self, name: str) -> int:
        value: int = self._of(name, int)
        if isinstance(value, bool) or value < 0:
            raise ValueError(f"{name} {value}: expected a whole number of 0 or more")
        return value

    def flag(self, name: str) -> bool:
        return bool(self._of(name, bool))

    def maybe(self, name: str, read: Callable[[str], Any]) -> Any:
        """Return a field, None where it is missing or null."""
        return None if self._record.get(name) is None else read(name)

    def object(self, name: str) -> _Fields:
        return _Fields(self._record[name])

    def objects(self, name: str) -> list[_Fields]:
        return [_Fields(each) for each in self._record.get(name) or ()]

    def counts(self, name: str) -> tuple[int, ...]:
        values = self._of(name, list)
        return tuple(_Fields({"marker": value}).count("marker") for value in values)

    def _of(self, name: str, kinds: type | tuple[type, ...]) -> Any:
        value = self._record[name]
        if not isinstance(value, kinds):
            raise TypeError(f"{name}: found {type(value).__name__}")
        return value


def _answer(fields: _Fields, *, is_written: bool) -> Answer:
    dates = fields.maybe("dates", fields.object)
    return Answer(
        question=fields.text("question"),
        understood_as=fields.text("understood_as"),
        answered=fields.flag("answered"),
        text=fields.text("text"),
        short_answer=fields.maybe("short_answer", fields.text),
        confidence=fields.number("confidence"),
        reason=fields.maybe("reason", fields.text),
        citations=tuple(_citation(each) for each in fields.objects("citations")),
        generation=fields.count("generation"),
        mode=fields.text("mode"),
        statements=tuple(_statement(each) for each in fields.objects("statements")),
        notice=fields.maybe("notice", fields.text),
        is_written=is_written,
        dates=None if dates is None else DateRange(dates.maybe("since", dates.text), dates.maybe("until", dates.text)),
        dates_read=fields.maybe("dates_read", fields.text),
    )


def _citation(fields: _Fields) -> Citation:
    start, end, text = fields.count("start"), fields.count("end"), fields.text("text")
    if end - start != len(text):
        raise ValueError(f"found {len(text)} characters from {start} to {end}")
    return Citation(
        marker=fields.count("marker"),
        document_id=fields.text("document_id"),
        source=fields.text("source"),
        title=fields.maybe("title", fields.text),
        date=fields.maybe("date", fields.text),
        start=start,
        end=end,
        text=text,
        score=fields.number("score"),
        page=fields.maybe("page", fields.count),
        date_notes=tuple(
            DateNote(note.count("start"), note.count("end"), note.text("text"), note.text("meaning"))
            for note in fields.objects("date_notes")
        ),
    )


def _statement(fields: _Fields) -> Statement:
    status: Any = fields.text("status")
    if status not in get_args(Status):
        raise ValueError(f"status {status!r}: expected one of {', '.join(get_args(Status))}")
    return Statement(fields.text("text"), fields.counts("markers"), status, fields.maybe("reason", fields.text))


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
