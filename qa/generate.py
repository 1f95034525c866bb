"""Generators turn evidence into the text of an answer. The extractive one quotes, and writes nothing of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from index.errors import InputError
from qa.relative_dates import explain_dates
from qa.types import Citation, Evidence, Question, Statement
from qa.verify import verify_statement
from qa.yes_no import stated_reply

__all__ = [
    "WHICH_DOCUMENT",
    "Draft",
    "ExtractiveGenerator",
    "Generator",
    "StreamingGenerator",
    "cite",
    "escape",
    "open_generator",
    "other_dates",
    "quote",
    "refusal",
    "short_answer",
]

WHICH_DOCUMENT = (
    "De quel document s’agit-il ? Donnez son titre ou le nom de son fichier, ou posez d’abord une question qui y mène."
)

_BEFORE = 300
"""Characters before a sentence in which "il" finds its name."""

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>~$])")


@dataclass(frozen=True, slots=True)
class Draft:
    """The text of an answer, in Markdown with markers such as ``[1]``, and its statements.

    Attributes:
        text: with the markers of ``citations``.
        statements: those of the text; empty while it is being written.
        citations: what the markers point to; None where they are those that the generator was given.
        notice: what the user should know of how it was written, in French, or None.
        written_by: name of the generator that wrote it; None where it is the one that was asked.
        is_written: whether a language model wrote it, not quotations.
        verify_ms: milliseconds that checking the statements took, or None where nothing had to be checked.
    """

    text: str
    statements: tuple[Statement, ...]
    citations: tuple[Citation, ...] | None = None
    notice: str | None = None
    written_by: str | None = None
    is_written: bool = False
    verify_ms: float | None = None


class Generator(Protocol):
    """Writes an answer from evidence that was found to answer."""

    @property
    def name(self) -> str:
        """What the user is told: which generator wrote the answer."""
        ...

    def generate(self, question: Question, evidence: Sequence[Evidence], citations: Sequence[Citation]) -> Draft:
        """Write an answer in which every statement cites; at least one piece of evidence is given."""
        ...


@runtime_checkable
class StreamingGenerator(Generator, Protocol):
    """A generator that shows its text while it writes, and chooses among more evidence than is cited."""

    @property
    def n_evidence(self) -> int:
        """Pieces of evidence that it can use."""
        ...

    def stream(
        self, question: Question, evidence: Sequence[Evidence], citations: Sequence[Citation]
    ) -> Iterator[Draft]:
        """Yield the draft so far, each time with more text; the last one is whole and checked.

        Args:
            question: as it was understood.
            evidence: best first; ``citations`` are those of the first pieces.
            citations: of the evidence that the extractive answer cites.
        """
        ...

    def rewrite(self, question: str, before: Sequence[str]) -> Iterator[str | None]:
        """Yield None while it thinks, last a follow-up as a question that stands by itself; None where it cannot.

        Args:
            question: as typed.
            before: the questions before it as they were understood, oldest first, at least one.
        """
        ...


class ExtractiveGenerator:
    """The short answer in bold, then the sentences that prove it, quoted with their markers."""

    name = "extractif"

    def generate(self, question: Question, evidence: Sequence[Evidence], citations: Sequence[Citation]) -> Draft:
        """Write the answer; ``question`` is not repeated."""
        quoted = quote(evidence, citations)
        short = short_answer(question, evidence[0])
        if short is None:
            return quoted
        marker = citations[0].marker
        statement = Statement(short, (marker,), "supported")
        return Draft(f"**{escape(short)}** [{marker}]\n\n{quoted.text}", (statement, *quoted.statements))


def quote(evidence: Sequence[Evidence], citations: Sequence[Citation] | None = None) -> Draft:
    """Return evidence as quotations with their markers.

    Args:
        evidence: in the order in which it is quoted.
        citations: of the evidence, one each; None makes them, and the draft has them.
    """
    given = cite(evidence) if citations is None else citations
    texts = [_one_line(citation.text) for citation in given]
    return Draft(
        "\n\n".join(f"« {escape(text)} » [{c.marker}]" for text, c in zip(texts, given, strict=True)),
        tuple(Statement(text, (c.marker,), "supported") for text, c in zip(texts, given, strict=True)),
        citations=tuple(given) if citations is None else None,
    )


def open_generator(chat_model: str | None, *, verifier: str | None = None) -> Generator:
    """Return the generator that a chat model's name stands for, the extractive one for None.

    Args:
        chat_model: ``provider:name``, or None.
        verifier: name of an entailment model that checks its statements too, or None.

    Raises:
        InputError: if the name has no provider, or a verifier is named and no chat model: quotations need none.
        ModelError: if the model cannot be opened.
    """
    if chat_model is None and verifier is not None:
        raise InputError(f"--verifier {verifier}: expected with --chat-model only, as quotations need no check")
    if chat_model is None:
        return ExtractiveGenerator()
    # LangChain takes a second to import, and only who names a model waits for it.
    from qa.chat_model import ChatModelGenerator, open_chat_model  # noqa: PLC0415
    from qa.entailment import open_verifier  # noqa: PLC0415 - likewise

    model = open_chat_model(chat_model)
    judge = verify_statement if verifier is None else open_verifier(verifier)
    return ChatModelGenerator(model, name=f"modèle de langage {chat_model}", verifier=judge)


def short_answer(question: Question, evidence: Evidence) -> str | None:
    """Return the words of the short answer as they stand in the document, on one line, or None.

    A question that asks for yes or no gets "Oui" or "Non" where the sentence states it, otherwise the words that prove
    one or the other.
    """
    text = evidence.sentence.document.text
    proof = None if evidence.answer is None else _one_line(text[evidence.answer.start : evidence.answer.end])
    if question.kind == "yes_no":
        start = evidence.sentence.span.start
        sentence = _one_line(evidence.sentence.text)
        around = f"{evidence.sentence.document.title or ''} {text[max(0, start - _BEFORE) : start]}"
        return stated_reply(question.understood_as, proof or sentence, sentence=sentence, around=around) or proof
    return proof


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
                date_notes=explain_dates(piece.sentence.text, document.date, start=span.start),
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


def other_dates(words: str) -> str:
    """Return what the user is told where the documents of the dates asked for do not answer, and others do."""
    return f"Les documents de la période demandée (« {words} ») ne répondent pas ; la réponse vient d’autres dates."


def escape(text: str) -> str:
    """Escape the characters that Markdown would interpret, so that a document is shown as it is."""
    return _MARKDOWN.sub(r"\\\1", text)


def _one_line(text: str) -> str:
    return " ".join(text.split())
