"""Questions without labels: made from sentences of an index, so that its owner can compare settings on it.

The answer is taken out of a clause and asked for: "Le pont de Gassin a été fermé mardi." gives "Le pont de Gassin a
été fermé quand ?". A sentence with no clause that can be asked so gives some of its words, as a keyword query.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index.analyze import Analyzer
from index.corpus import CorpusIndex
from index.errors import InputError
from index.split import split_sentences
from index.types import Document
from qa.candidates import Chunk, Token, find_chunks, read_tokens
from qa.evaluation.gold import GoldQuestion

__all__ = ["NOTICE", "pseudo_questions"]

NOTICE = (
    "these are pseudo-questions, made from sentences of the index: they share words with the text, so the figures "
    "flatter; use them to compare settings on one index, not to judge it"
)

_DOCUMENTS_READ = 64
"""Documents read at once, in an order that the seed decides."""

_MIN_WORDS, _MAX_WORDS = 8, 60
"""Words and marks of a sentence that is asked about: a heading says too little, a list too much."""

_MIN_CONTENT, _MAX_CLAUSE = 3, 16
"""Content words that must be left of a clause for its question, and words of a clause at most."""

_KEYWORDS = 4
_BREAKS = frozenset(",.;:!?…()q-–—[]")
_CLAUSE_OPENERS = frozenset("DNOPBT")
_NOT_PLAIN = frozenset("SRIq/")
"""Classes of words that make a clause depend on another one, or a question already."""

_BOUND = frozenset("DB#N/")
"""Classes of words that belong to the name or number behind them, so that it cannot be taken out alone."""

_VOWELS = frozenset("aeiouyàâéèêîïôûh")
_OF_VOWEL = "d'"
_YEAR = re.compile(r"^(?:1\d|20)\d\d$")
_WHEN_OPENERS = frozenset(("le", "en", "depuis", "dès", "au", "du", "à", "vers", "pour", "avant", "après", "de"))
_WHERE_OPENERS = frozenset(("à", "en"))
_NOT_WHO = frozenset(("à", "en", "dans", "sur", "sous"))


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence read for questions: its words, and for each whether the analyzer keeps a term of it."""

    document: Document
    start: int
    end: int
    tokens: Sequence[Token]
    is_content: Sequence[bool]

    @property
    def text(self) -> str:
        return self.document.text[self.start : self.end]


def pseudo_questions(corpus: CorpusIndex, *, n: int, seed: int = 0) -> list[GoldQuestion]:
    """Return questions made from sentences of an index; the same index, ``n`` and seed give the same ones.

    Args:
        corpus: where the sentences are taken from; nothing in it changes.
        n: questions wanted, at least 1: one a document while there are documents, then a second one each, and so on.
        seed: which documents and sentences are taken.

    Returns:
        ``n`` questions, fewer where the documents have fewer sentences that can be asked about.

    Raises:
        InputError: if ``n < 1``, or no sentence can be asked about.
    """
    if n < 1:
        raise InputError(f"n = {n}: expected at least 1")
    chance = random.Random(seed)
    rounds: list[list[GoldQuestion]] = []
    for document in _documents(corpus, chance):
        made = _about(document, corpus.analyzer, chance)
        for number, question in enumerate(made[:n]):
            if number == len(rounds):
                rounds.append([])
            rounds[number].append(question)
        if rounds and len(rounds[0]) == n:
            break
    found = [question for questions in rounds for question in questions][:n]
    if not found:
        raise InputError(
            f"the index in {corpus.directory} has no sentence to make a question of: expected prose with names, "
            "numbers or dates"
        )
    return found


def _documents(corpus: CorpusIndex, chance: random.Random) -> Iterator[Document]:
    """Yield every document once, in an order that chance decides."""
    sources = corpus.sources()
    chance.shuffle(sources)
    seen: set[str] = set()
    for first in range(0, len(sources), _DOCUMENTS_READ):
        part = sources[first : first + _DOCUMENTS_READ]
        found = corpus.find_documents(part)
        for document in (found[source] for source in part if source in found):
            if document.id not in seen:
                seen.add(document.id)
                yield document


def _about(document: Document, analyzer: Analyzer, chance: random.Random) -> list[GoldQuestion]:
    """Return at most one question a sentence, in an order that chance decides, keyword queries last."""
    spans = split_sentences(document.text, start=document.body_start)
    chance.shuffle(spans)
    made = [_ask(_read(document, span.start, span.end, analyzer), chance) for span in spans]
    return sorted((question for question in made if question is not None), key=lambda each: not each.has_short_answer)


def _read(document: Document, start: int, end: int, analyzer: Analyzer) -> _Sentence:
    text = document.text[start:end]
    tokens = read_tokens(text)
    begins = {begin for _, begin, _ in analyzer.tokens(text)}
    return _Sentence(document, start, end, tokens, [any(t.start <= b < t.end for b in begins) for t in tokens])


def _ask(sentence: _Sentence, chance: random.Random) -> GoldQuestion | None:
    """Make a question of a sentence: a clause with its answer taken out, else keywords; None of an unfit one."""
    if not _MIN_WORDS <= len(sentence.tokens) <= _MAX_WORDS:
        return None
    chunks = [chunk for chunk in find_chunks(list(sentence.tokens)) if chunk.type in ("name", "amount", "date")]
    dates = [chunk for chunk in chunks if chunk.type == "date"]
    chunks = [c for c in chunks if c in dates or not any(d.first <= c.last and c.first <= d.last for d in dates)]
    chance.shuffle(chunks)
    for chunk in chunks:
        question = _cloze(sentence, chunk)
        if question is not None:
            begin = sentence.start + sentence.tokens[chunk.first].start
            end = sentence.start + sentence.tokens[chunk.last].end
            return _gold(sentence, question, (begin, end), is_short=True)
    keywords = _keywords(sentence, chance) if chunks else None
    return _gold(sentence, keywords, (sentence.start, sentence.end), is_short=False) if keywords else None


def _gold(sentence: _Sentence, question: str, span: tuple[int, int], *, is_short: bool) -> GoldQuestion:
    document, (start, end) = sentence.document, span
    return GoldQuestion(
        question, frozenset([document.id]), (span,), (document.text[start:end],), document.id, has_short_answer=is_short
    )


def _cloze(sentence: _Sentence, chunk: Chunk) -> str | None:
    """Return the clause of a chunk with a question word in its place; None where that asks too little."""
    tokens = sentence.tokens
    asked = _question_word(tokens, chunk)
    if asked is None:
        return None
    first, word = asked
    start, end = _clause(tokens, chunk)
    rest = [*range(start, first), *range(chunk.last + 1, end)]
    is_plain = tokens[start].tag in _CLAUSE_OPENERS and not any(tokens[i].tag in _NOT_PLAIN for i in rest)
    n_content = sum(sentence.is_content[i] for i in rest)
    if not is_plain or n_content < _MIN_CONTENT or end - start > _MAX_CLAUSE or start > first:
        return None
    before = sentence.text[tokens[start].start : tokens[first].start]
    after = sentence.text[tokens[chunk.last].end : tokens[end - 1].end] if end > chunk.last + 1 else ""
    question = " ".join(f"{before} {word} {after}".split())
    return f"{question[0].upper()}{question[1:]} ?"


def _clause(tokens: Sequence[Token], chunk: Chunk) -> tuple[int, int]:
    """Return the tokens ``[start, end)`` between the marks around a chunk, without a conjunction in front."""
    start, end = chunk.first, chunk.last + 1
    while start > 0 and tokens[start - 1].tag not in _BREAKS:
        start -= 1
    while end < len(tokens) and tokens[end].tag not in _BREAKS:
        end += 1
    while start < chunk.first and tokens[start].tag in ("C", "S"):
        start += 1
    return start, end


def _question_word(tokens: Sequence[Token], chunk: Chunk) -> tuple[int, str] | None:
    """Return the first token that is taken out and what stands in its place; None for a chunk of no clear kind."""
    first, last = chunk.first, chunk.last
    before = tokens[first - 1] if first else None
    after = tokens[last + 1].tag if last + 1 < len(tokens) else "."
    opener = before.word if before else ""
    if chunk.type == "date":
        is_certain = any(token.tag == "M" or _YEAR.match(token.word) for token in tokens[first : last + 1])
        return ((first - 1 if opener in _WHEN_OPENERS else first), "quand") if is_certain and after != "w" else None
    if before is not None and (before.tag in _BOUND or opener.endswith("'")):
        return None
    if chunk.type == "amount":
        unit = tokens[last].word
        has_digit = any(token.word[0].isdigit() for token in tokens[first : last + 1])
        is_counted = has_digit and tokens[last].tag == "w"
        return (first, f"combien {_OF_VOWEL if unit[0] in _VOWELS else 'de '}{unit}") if is_counted else None
    if opener in _WHERE_OPENERS and first == last:
        return (first - 1, "où") if after != "w" else None
    # A single capital may begin a sentence, or be a thing or an acronym.
    return (first, "qui") if last > first and opener not in _NOT_WHO and after != "w" else None


def _keywords(sentence: _Sentence, chance: random.Random) -> str | None:
    """Return some content words of a sentence in its order; None where it has too few."""
    words = [token for token, content in zip(sentence.tokens, sentence.is_content, strict=True) if content]
    if len(words) < 2 * _KEYWORDS:
        return None
    chosen = sorted(chance.sample(words, _KEYWORDS), key=lambda token: token.start)
    return " ".join(sentence.text[token.start : token.end] for token in chosen)
