"""Which sentences an answer cites: the best one, others that say the same, and one that says otherwise (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from index.date_values import format_date, parse_date
from qa.facts import read_facts
from qa.question import fold
from qa.types import Evidence, Kind

__all__ = ["MAX_CITATIONS", "Chosen", "choose_evidence", "n_agreeing", "with_agreement"]

MAX_CITATIONS = 3
"""Sentences that an answer cites at most, unless another number is asked for."""

_FURTHER = 0.5
"""A further sentence is cited when it is at least this likely to answer, and half as likely as the first."""

_BESIDE, _PART = 0.15, 1.0 / 3.0
"""A sentence of another document is compared with the first where it is at least this likely to answer, and this part
as likely: of ten such among 121 questions on the news, six said the same and three contradicted the first."""

_COMPARED: frozenset[Kind] = frozenset(("who", "when", "where", "how_many"))
_WORDS = 80


@dataclass(frozen=True, slots=True)
class Chosen:
    """The sentences of an answer.

    Attributes:
        evidence: best first, at least one.
        notice: in French, what sources say that do not agree, newest first with their dates; None where they do.
    """

    evidence: tuple[Evidence, ...]
    notice: str | None = None


def choose_evidence(kind: Kind, ranked: Sequence[Evidence], *, n: int = MAX_CITATIONS) -> Chosen:
    """Choose what an answer cites.

    Args:
        kind: what is asked for.
        ranked: best first, at least one.
        n: most sentences, at least 1.
    """
    first = ranked[0]
    chosen, other = [first], None
    for piece in ranked[1:]:
        if len(chosen) == n:
            break
        if piece.score >= max(_FURTHER, first.score / 2.0):
            chosen.append(piece)
        elif kind in _COMPARED and _is_beside(piece, chosen) and piece.score >= max(_BESIDE, first.score * _PART):
            if _say_the_same(first, piece):
                chosen.append(piece)
            elif other is None:
                other = piece
                chosen.append(piece)
    return Chosen(tuple(chosen), None if other is None else _contradiction(first, other))


def n_agreeing(ranked: Sequence[Evidence]) -> int:
    """Return how many other documents have a sentence, in other words, with the short answer of the first.

    Args:
        ranked: sentences that were read, best first.
    """
    if not ranked or not _words(ranked[0]):
        return 0
    first = ranked[0]
    seen = {first.sentence.document.source}
    for piece in ranked[1:]:
        source = piece.sentence.document.source
        is_other = source not in seen and piece.sentence.text != first.sentence.text
        if is_other and _words(piece) and _say_the_same(first, piece):
            seen.add(source)
    return len(seen) - 1


def with_agreement(confidence: float, n: int) -> float:
    """Return a confidence with what other documents of the same answer add to it.

    Its odds are multiplied by one more than their number. That was chosen beforehand, and measured on
    questions-dev-large: 22.0 % of the answerable questions are refused where 24.7 % were, and no more of the others are
    answered (benchmarks/README.md).

    Args:
        confidence: of the sentence by itself, in [0, 1].
        n: documents that agree.
    """
    odds = (1.0 + n) * confidence
    return odds / (odds + 1.0 - confidence)


def _is_beside(piece: Evidence, chosen: Sequence[Evidence]) -> bool:
    """Say whether a sentence has a short answer and is of another document, in other words, than those chosen."""
    return piece.answer is not None and all(
        piece.sentence.document.source != each.sentence.document.source and piece.sentence.text != each.sentence.text
        for each in chosen
        if each.answer is not None
    )


def _say_the_same(one: Evidence, other: Evidence) -> bool:
    """Say whether two short answers have the same numbers, or one has the words of the other."""
    first, second = _words(one), _words(other)
    values = [{number.value for number in read_facts(text).numbers} for text in (first, second)]
    if values[0] and values[1]:
        return bool(values[0] & values[1])
    words = [set(fold(text.lower()).replace("-", " ").split()) for text in (first, second)]
    return words[0] <= words[1] or words[1] <= words[0]


def _words(piece: Evidence) -> str:
    if piece.answer is None:
        return ""
    text = " ".join(piece.sentence.document.text[piece.answer.start : piece.answer.end].split())
    return text if len(text) <= _WORDS else f"{text[:_WORDS].rsplit(' ', 1)[0]}…"


def _contradiction(first: Evidence, other: Evidence) -> str | None:
    if first.answer is None:
        return None
    both = sorted((first, other), key=lambda piece: piece.sentence.document.date or "", reverse=True)
    said = " ; ".join(f"« {_words(piece)} »{_when(piece)}" for piece in both)
    return f"Les sources ne disent pas la même chose : {said}."


def _when(piece: Evidence) -> str:
    day = parse_date(piece.sentence.document.date)
    return f" ({format_date(day)})" if day else ""
