"""The values that answering hands out: Question, Evidence, Citation, Statement, Answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from index.types import Sentence, Span
from qa.relative_dates import DateNote

__all__ = ["Answer", "Citation", "DateRange", "Evidence", "Kind", "Question", "Statement", "Status"]

Kind = Literal["who", "when", "where", "how_many", "what", "why", "how", "yes_no", "definition", "other"]
Status = Literal["supported", "partly", "unsupported"]


@dataclass(frozen=True, slots=True)
class DateRange:
    """Days from ``since`` to ``until``, both included, ISO ``YYYY-MM-DD``; None where open."""

    since: str | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A question as it was read.

    Attributes:
        text: as typed, trimmed.
        understood_as: the question that is searched, with what the conversation carried over.
        kind: what is asked for.
        focus: the lower-cased nouns that say which thing is asked ("navires" in "Combien de navires …",
            "ministre" in "Quel ministre …"), empty where there is none.
        dates: the documents' dates that the user asked for, or None.
    """

    text: str
    understood_as: str
    kind: Kind
    focus: tuple[str, ...] = ()
    dates: DateRange | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence that may support the answer.

    Attributes:
        sentence: the sentence itself.
        score: estimated probability that the sentence answers, in [0, 1].
        answer: the short answer as a span of the document's text, inside the sentence, or None.
    """

    sentence: Sentence
    score: float
    answer: Span | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """A numbered pointer to evidence: ``document.text[start:end] == text``.

    Attributes:
        marker: the number that stands in the answer as ``[1]``, from 1.
        document_id: id of the document.
        source: source of the document.
        title: its title, or None.
        date: its date, or None.
        start: first character of the sentence in the document's text, in code points.
        end: one past its last character.
        text: the sentence.
        score: estimated probability that the sentence answers, in [0, 1].
        page: number of the page that the sentence begins on, from 1; None for a format without pages.
        date_notes: what "mardi" and the like in the sentence mean, from the document's date.
    """

    marker: int
    document_id: str
    source: str
    title: str | None
    date: str | None
    start: int
    end: int
    text: str
    score: float
    page: int | None = None
    date_notes: tuple[DateNote, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of the answer with the markers that it cites and whether they support it."""

    text: str
    markers: tuple[int, ...]
    status: Status
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What `Chatbot.ask` returns.

    Attributes:
        question: as typed.
        understood_as: as searched.
        answered: False where the corpus does not say.
        text: Markdown with markers such as ``[1]``; the refusal in one sentence where not answered.
        short_answer: the words of the first citation that answer, "Oui" or "Non" where it states that, or None.
        confidence: estimated probability that the answer is right, in [0, 1].
        reason: why there is no answer, or None.
        citations: evidence of the answer; where not answered, the nearest sentences.
        generation: generation of the index that was asked.
        mode: what answered, for example "extractive · bundled model".
        statements: the statements of ``text`` with their support.
        timings_ms: milliseconds by stage.
        notice: what the user should know of how the answer was written, in French, or None.
        dates: the dates that documents had to have, given or read from the question, or None.
        dates_read: the words of the question that were read as dates of documents, or None; ``dates`` is None with them
            where no document of then answered and others were asked.
        is_written: whether a language model wrote it; the text of others is quoted from the documents.
    """

    question: str
    understood_as: str
    answered: bool
    text: str
    short_answer: str | None
    confidence: float
    reason: str | None
    citations: tuple[Citation, ...]
    generation: int
    mode: str
    statements: tuple[Statement, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    notice: str | None = None
    is_written: bool = False
    dates: DateRange | None = None
    dates_read: str | None = None
