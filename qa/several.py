"""Several questions in one: "Qui est le maire de Nice et quand a-t-il été élu ?" (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from qa.types import Answer, Citation, Statement
from qa.word_classes import CLASS_OF

__all__ = ["join_answers", "split_questions"]

_MOST = 3
_ASKS = (
    r"(?:à |de |d['’]|en |pour |dans |depuis |avec )?(?:qui|quand|où|comment|pourquoi|combien|quel(?:le)?s?|qu['’]|que)"
)
_OPENS = re.compile(rf"^{_ASKS}\b", re.IGNORECASE)
_AND = re.compile(rf",? et (?={_ASKS}\b)", re.IGNORECASE)
_INVERTED = re.compile(r"\w-(?:t-)?(?:il|elle|ils|elles|on|ce|vous|tu)\b", re.IGNORECASE)
_MARKER = re.compile(r"\[(\d+)\]")


def split_questions(text: str) -> tuple[str, ...]:
    """Return the questions of a text, in order; the text itself where it is one question.

    Args:
        text: as typed. Questions end in a question mark, or are joined by "et" before an interrogative word where what
            stands before has a verb of its own; three at most are told apart.
    """
    parts = [part.strip() for part in re.split(r"(?<=[?!])\s+(?=\S)", text.strip()) if re.search(r"\w", part)]
    if len(parts) == 1:
        found = [match for match in _AND.finditer(text) if _is_whole(text[: match.start()])]
        if found:
            parts = [text[: found[0].start()].strip() + " ?", text[found[0].end() :].strip()]
            parts[1] = parts[1][:1].upper() + parts[1][1:]
    asks = [part for part in parts if part.endswith("?")]
    return tuple(asks) if 1 < len(asks) == len(parts) <= _MOST else (text,)


def _is_whole(question: str) -> bool:
    """Say whether words are a question by themselves: an interrogative word and a verb that can be told."""
    words = question.lower().replace("’", "'").split()
    has_verb = _INVERTED.search(question) or any(CLASS_OF.get(word, "") == "A" for word in words)
    return bool(_OPENS.match(question) and has_verb)


def join_answers(question: str, answers: Sequence[Answer]) -> Answer:
    """Return the answers to several questions as one, each under its question, their citations numbered anew.

    Args:
        question: all of them, as typed.
        answers: in order, at least one, of one generation.

    Returns:
        The answer; it is answered where one part is, with the least confidence of the parts that are. What a part that
        is not cites is left out.
    """
    lines: list[str] = []
    citations: list[Citation] = []
    statements: list[Statement] = []
    for answer in answers:
        numbers = {c.marker: len(citations) + place for place, c in enumerate(answer.citations, start=1)}
        text = answer.text
        if answer.answered:
            citations += [replace(c, marker=numbers[c.marker]) for c in answer.citations]
            statements += [replace(s, markers=tuple(numbers[m] for m in s.markers)) for s in answer.statements]
            text = _MARKER.sub(lambda match, new=numbers: f"[{new[int(match[1])]}]", text)  # type: ignore[misc]
        else:
            text = text.split(" Voici les phrases")[0]
        lines.append(f"*{answer.understood_as}*\n\n{text}")
    given = [answer for answer in answers if answer.answered]
    if not given:
        return replace(answers[0], question=question, understood_as=_together(answers))
    first = given[0]
    return replace(
        first,
        question=question,
        understood_as=_together(answers),
        text="\n\n".join(lines),
        confidence=min(answer.confidence for answer in given),
        citations=tuple(citations),
        statements=tuple(statements),
        timings_ms=_sums(answers),
        notice=" ".join(answer.notice for answer in given if answer.notice) or None,
    )


def _together(answers: Sequence[Answer]) -> str:
    return " ".join(answer.understood_as for answer in answers)


def _sums(answers: Sequence[Answer]) -> dict[str, float]:
    stages = dict.fromkeys(stage for answer in answers for stage in answer.timings_ms)
    return {stage: round(sum(answer.timings_ms.get(stage, 0.0) for answer in answers), 3) for stage in stages}
