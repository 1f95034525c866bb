"""Sentences of documents with dates, and what a definition points at, for tests of rules that read them."""

from __future__ import annotations

from index import Document, Sentence, Span
from qa.definitions import Definition


def sentences(*texts: str | tuple[str, str]) -> list[Sentence]:
    """Return texts, or (date, text), each the only sentence of its document."""
    given = [(None, each) if isinstance(each, str) else each for each in texts]
    documents = [Document(str(n), f"{n}.txt", text, date=date) for n, (date, text) in enumerate(given)]
    return [Sentence(document, Span(0, len(document.text))) for document in documents]


def said(holder: Definition) -> str:
    return holder.sentence.document.text[holder.phrase.start : holder.phrase.end]
