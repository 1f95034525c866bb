"""A document made ready to be stored: its sentences, its passages and their terms (pure)."""

from __future__ import annotations

from dataclasses import dataclass

from index.analyze import Analyzer
from index.split import split_passages, split_sentences
from index.types import Document, Span

__all__ = ["PreparedDocument", "PreparedPassage", "embedded_text", "prepare"]


@dataclass(frozen=True, slots=True)
class PreparedPassage:
    """A passage about to be stored.

    Attributes:
        first: index of its first sentence in the document.
        past: one past the index of its last sentence.
        text: what is embedded of it.
        terms: terms of its own text, in order.
    """

    first: int
    past: int
    text: str
    terms: list[str]


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """The sentences of a document, its passages, and the terms of its title."""

    sentences: list[Span]
    passages: list[PreparedPassage]
    title: list[str]


def prepare(document: Document, analyzer: Analyzer) -> PreparedDocument:
    """Split and analyse a document."""
    sentences = split_sentences(document.text, start=document.body_start)
    passages = []
    for first, past in split_passages(document.text, sentences):
        text = document.text[sentences[first].start : sentences[past - 1].end]
        passages.append(PreparedPassage(first, past, embedded_text(document, text), analyzer.terms(text)))
    return PreparedDocument(sentences, passages, analyzer.terms(document.title or ""))


def embedded_text(document: Document, text: str) -> str:
    """Return what is embedded of a passage: its text, after the title of its document."""
    return f"{document.title}\n{text}" if document.title else text
