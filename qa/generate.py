"""Generators turn evidence into the text of an answer. The extractive one quotes, and writes nothing of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from qa.types import Citation, Evidence, Question, Statement

__all__ = ["Draft", "ExtractiveGenerator", "Generator", "cite", "escape", "refusal", "short_answer"]

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>~$])")


@dataclass(frozen=True, slots=True)
class Draft:
    """The text of an answer, in Markdown with markers such as ``[1]``, and its statements."""

    text: str
    statements: tuple[Statement, ...]


class Generator(Protocol):
    """Writes an answer from evidence that was found to answer."""

    @property
    def name(self) -> str:
        """What the user is told: which generator wrote the answer."""
        ...

    def generate(self, question: Question, evidence: Sequence[Evidence], citations: Sequence[Citation]) -> Draft:
        """Write an answer in which every statement cites; at least one piece of evidence is given."""
        ...


class ExtractiveGenerator:
    """The short answer in bold, then the sentences that prove it, quoted with their markers."""

    name = "extractif"

    def generate(self, question: Question, evidence: Sequence[Evidence], citations: Sequence[Citation]) -> Draft:
        """Write the answer; ``question`` is not repeated."""
        lines = []
        statements = []
        short = short_answer(evidence[0])
        if short is not None:
            lines.append(f"**{escape(short)}** [{citations[0].marker}]")
            statements.append(Statement(short, (citations[0].marker,), "supported"))
        for citation in citations:
            quoted = _one_line(citation.text)
            lines.append(f"« {escape(quoted)} » [{citation.marker}]")
            statements.append(Statement(quoted, (citation.marker,), "supported"))
        return Draft("\n\n".join(lines), tuple(statements))


def short_answer(evidence: Evidence) -> str | None:
    """Return the words of the short answer as they stand in the document, on one line, or None."""
    if evidence.answer is None:
        return None
    return _one_line(evidence.sentence.document.text[evidence.answer.start : evidence.answer.end])


def cite(evidence: Sequence[Evidence]) -> tuple[Citation, ...]:
    """Number the evidence from 1, with the exact offsets of each sentence."""
    citations = []
    for marker, piece in enumerate(evidence, start=1):
        document, span = piece.sentence.document, piece.sentence.span
        citations.append(
            Citation(
                marker=marker,
                document_id=document.id,
                source=document.source,
                title=document.title,
                date=document.date,
                page=document.page_at(span.start),
                start=span.start,
                end=span.end,
                text=piece.sentence.text,
                score=piece.score,
            )
        )
    return tuple(citations)


def refusal(question: Question, n_nearest: int) -> str:
    """Return the sentence that says, in French, that the corpus does not answer."""
    missing = {
        "who": "ne dit qui",
        "when": "ne dit quand",
        "where": "ne dit où",
        "how_many": "ne donne ce nombre",
        "why": "ne dit pourquoi",
        "how": "ne dit comment",
        "definition": "ne définit cela",
    }.get(question.kind, "ne répond à cette question")
    near = " Voici les phrases les plus proches." if n_nearest else ""
    return f"Les documents ne répondent pas : aucune phrase trouvée {missing}.{near}"


def escape(text: str) -> str:
    """Escape the characters that Markdown would interpret, so that a document is shown as it is."""
    return _MARKDOWN.sub(r"\\\1", text)


def _one_line(text: str) -> str:
    return " ".join(text.split())
