"""Answers "Que dit X de Y ?" from a corpus: the sentences in which X says something of Y, by X and nobody else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from index.filters import Filter
from index.searchable import Searchable
from index.split import split_sentences
from index.types import Document, Sentence
from qa.sayings import Saying, SayingQuestion, find_sayings, is_by, is_named
from qa.types import Evidence

__all__ = ["Quoted", "quote_speaker"]

_N_SEARCHED = 40
_IN_CONTEXT = 0.5
"""What a word of the topic counts that stands in the title or the sentence before, not in what is said."""
_LEAST = 0.5
"""Share of the topic, weighed by how rare its words are, that a sentence has to be about."""
_READ = 0.5
_QUOTED, _ATTRIBUTED, _SAID_SO, _RANK = 0.1, 0.2, 0.2, 0.001
_PLAIN = frozenset(("dit", "disait", "pense", "pensait", "pensé"))
_MOST_SURE = 0.9
_FEWEST_WORDS = 4
"""Words of a quotation that says something by itself."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """What a speaker says of a topic.

    Attributes:
        evidence: best first; ``score`` is how surely it is what was asked for, ``answer`` the quoted words.
        others: places of sentences that were read and are no answer: somebody else says them, or they do not name the
            speaker.
    """

    evidence: tuple[Evidence, ...]
    others: frozenset[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class _Scored:
    saying: Saying
    about: float
    score: float


def quote_speaker(asked: SayingQuestion, corpus: Searchable, *, only: Filter, read: Sequence[Evidence] = ()) -> Quoted:
    """Return what a speaker says of a topic; no evidence where no document has it.

    Args:
        asked: who, and what about.
        corpus: where to look.
        only: which documents may answer.
        read: the sentences that were read for the same question, with how surely they answer.
    """
    found = corpus.search_in_full(f"{asked.speaker} {asked.topic}".strip(), k=_N_SEARCHED, only=only)
    documents = {hit.passage.document.source: hit.passage.document for hit in found.hits}
    documents |= {piece.sentence.document.source: piece.sentence.document for piece in read}
    known = {piece.sentence.place: piece.score for piece in read}
    terms = list(dict.fromkeys(corpus.analyzer.terms(asked.topic)))
    idfs = corpus.idfs(terms)
    verbs = set() if asked.verb in _PLAIN else set(corpus.analyzer.terms(asked.verb))
    scored: list[_Scored] = []
    others: set[tuple[str, int]] = set()
    for rank, document in enumerate(documents.values()):
        for saying, before in _sayings(document):
            if not is_by(saying, asked.speaker):
                others.add(saying.sentence.place)
                continue
            own = set(corpus.analyzer.terms(saying.sentence.text))
            around = f"{document.title or ''} {before.text if before else ''}"
            about = _share(idfs, own, set(corpus.analyzer.terms(around)))
            if about >= _LEAST:
                read_as = _READ * known.get(saying.sentence.place, 0.0)
                form = _SAID_SO * bool(verbs & own) + _QUOTED * _is_quoted(saying) + _ATTRIBUTED * saying.is_attributed
                scored.append(_Scored(saying, about, about + read_as + form - _RANK * rank))
    scored.sort(key=lambda each: -each.score)
    evidence: dict[str, Evidence] = {}
    for each in scored:
        saying = each.saying
        words = saying.words if _is_quoted(saying) else None
        evidence.setdefault(saying.sentence.text, Evidence(saying.sentence, _MOST_SURE * each.about, words))
    unnamed = {piece.sentence.place for piece in read if not is_named(asked.speaker, piece.sentence.text)}
    return Quoted(tuple(evidence.values()), frozenset(others | unnamed))


def _sayings(document: Document) -> Iterable[tuple[Saying, Sentence | None]]:
    sentences = [Sentence(document, span) for span in split_sentences(document.text, start=document.body_start)]
    places = {sentence.span.start: number for number, sentence in enumerate(sentences)}
    for saying in find_sayings(sentences):
        number = places[saying.sentence.span.start]
        yield saying, sentences[number - 1] if number else None


def _is_quoted(saying: Saying) -> bool:
    if saying.words is None:
        return False
    text = saying.sentence.document.text[saying.words.start : saying.words.end]
    return len(text.split()) >= _FEWEST_WORDS


def _share(idfs: Mapping[str, float], own: Set[str], near: Set[str]) -> float:
    """Return the share of a topic that a sentence is about, in [0, 1]; 1 without a topic.

    Args:
        idfs: how rare each term of the topic is.
        own: the terms of the sentence.
        near: those of the title and of the sentence before.
    """
    whole = sum(idfs.values())
    if not whole:
        return 1.0
    held = (idf * (1.0 if term in own else _IN_CONTEXT if term in near else 0.0) for term, idf in idfs.items())
    return sum(held) / whole
